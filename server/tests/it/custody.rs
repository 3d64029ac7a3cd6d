//! The promise of custody, tried with the library's own code.

use std::collections::BTreeSet;

use agent_sdk::Secret;
use alloy::{primitives::hex, signers::local::PrivateKeySigner};
use wallet_server::{
    keys::{
        PayloadBinding, WalletBinding,
        seal::{self, Key, Purpose},
    },
    store::{agents, canary, nonce_slots, payloads, sessions, transactions, users, wallets},
    value::{self, AgentId, ChainId, SessionId, UserId},
};

use crate::harness::{Human, MASTER, PASSWORD, World, on_both_databases, stranger};

on_both_databases!(
    database_master_secret_and_api_keys_together_open_no_wallet,
    a_live_session_token_is_what_is_missing,
);

/// Everything at rest about one user.
struct Loot {
    blobs: BTreeSet<Vec<u8>>,
    purposes: Vec<Purpose>,
    address: value::Address,
}

impl Loot {
    async fn take(world: &World, human: &Human, session: Option<SessionId>) -> Self {
        let store = &world.state.store;
        let user_id = UserId(human.client_user_id().await);
        let user = users::find(store, user_id).await.expect("the database").expect("a user");
        let address = value::Address(human.address);
        let wallet = wallets::find_by_address(store, user_id, address).await.expect("the database").expect("a wallet");
        let agent_id = AgentId(human.agent_id);
        let agent = agents::find_active(store, agent_id).await.expect("the database").expect("an agent");
        let chain_id = ChainId::new(31_337).expect("in range");
        let slots = nonce_slots::list_from(store, chain_id, address, value::Nonce(0)).await.expect("the database");
        let ids: Vec<_> = slots.iter().map(|slot| slot.transaction_id).collect();
        let signed = payloads::list_for_transactions(store, &ids).await.expect("the database");
        assert!(
            !signed.is_empty() && !transactions::list_outlines(store, &ids).await.expect("the database").is_empty()
        );

        let mut purposes = vec![
            Purpose::Canary,
            Purpose::TokenKey,
            Purpose::Fingerprint,
            Purpose::UserKeyByPassword(user_id),
            Purpose::UserKeyByRecovery(user_id),
            Purpose::TotpSecret(user_id),
            Purpose::BackupCode(user_id),
            Purpose::ApiKeyVerifier(agent_id),
            Purpose::WalletKey(WalletBinding { user_id, wallet_id: wallet.wallet_id, address }),
        ];
        let mut blobs = BTreeSet::from([user.password_wrap, user.recovery_wrap, wallet.secret_key, agent.verifier]);
        blobs.extend([user.totp_secret, user.totp_pending].into_iter().flatten());
        blobs.extend(canary::find(store).await.expect("the database"));
        for payload in signed {
            purposes.push(Purpose::Payload(PayloadBinding {
                transaction_id: payload.transaction_id,
                address,
                chain_id,
                nonce: payload.nonce.0,
                hash: payload.hash,
                kind: payload.kind,
                rung: payload.rung,
            }));
            let payload = payloads::find(store, payload.transaction_id, payload.hash).await.expect("the database");
            blobs.extend(payload.and_then(|payload| payload.bytes));
        }
        if let Some(session_id) = session {
            purposes.extend([Purpose::SessionVerifier(session_id), Purpose::SessionUserKey(session_id, user_id)]);
            let row = sessions::find(store, session_id, world.state.clock.now()).await.expect("the database");
            let row = row.expect("a live session");
            blobs.extend([row.verifier, row.user_key]);
        }
        Self { blobs, purposes, address }
    }

    /// Opens what can be opened with some keys, and with what that gives, until nothing new comes. True when the
    /// wallet's private key is among it.
    fn gives_way_to(mut self, keys: Vec<[u8; 32]>) -> bool {
        let mut keys: BTreeSet<[u8; 32]> = keys.into_iter().collect();
        loop {
            let known = (keys.len(), self.blobs.len());
            for derived in self.derive(&keys) {
                let opened: Vec<_> = self.blobs.iter().filter_map(|blob| seal::open(&derived, blob).ok()).collect();
                for plain in opened {
                    if let Ok(key) = <[u8; 32]>::try_from(plain.expose().as_slice()) {
                        keys.insert(key);
                    } else {
                        self.blobs.insert(plain.expose().clone());
                    }
                }
            }
            if known == (keys.len(), self.blobs.len()) {
                break;
            }
        }
        let signs = |key: &[u8; 32]| PrivateKeySigner::from_slice(key).is_ok_and(|key| key.address() == self.address.0);
        keys.iter().any(signs)
    }

    /// For each purpose: each key, each key derived for it, each pair of those combined for it, and that derived again.
    fn derive(&self, keys: &BTreeSet<[u8; 32]>) -> Vec<Key> {
        let keys: Vec<Key> = keys.iter().map(|key| Key::new(value::Secret::new(*key))).collect();
        let mut all = keys.clone();
        for purpose in &self.purposes {
            let derived: Vec<Key> = keys.iter().map(|key| key.derive(purpose)).collect();
            let others: Vec<&Key> = keys.iter().chain(&derived).collect();
            let pairs = keys.iter().flat_map(|one| others.iter().map(|other| one.derive_with(other, purpose)));
            let together: Vec<Key> = pairs.collect();
            all.extend(together.iter().map(|key| key.derive(purpose)));
            all.extend(derived);
            all.extend(together);
        }
        all
    }
}

fn master() -> [u8; 32] {
    hex::decode_to_array(MASTER).expect("64 hex digits")
}

/// The 32 random bytes inside an API key.
fn api_key_secret(human: &Human) -> [u8; 32] {
    let parts: Vec<&str> = human.api_key.split('_').collect();
    base64url(&parts[2..parts.len() - 1].join("_"))
}

fn base64url(text: &str) -> [u8; 32] {
    use base64ct::{Base64UrlUnpadded, Encoding};
    Base64UrlUnpadded::decode_vec(text).expect("base64url").try_into().expect("32 bytes")
}

async fn database_master_secret_and_api_keys_together_open_no_wallet(world: World) {
    let human = Human::with_everything(&world).await;
    human.approved(stranger(), 1).await;
    let loot_taken_before_logout = Loot::take(&world, &human, None).await;
    human.client.logout().await.expect("a session");
    assert!(!loot_taken_before_logout.gives_way_to(vec![master(), api_key_secret(&human)]));
}

async fn a_live_session_token_is_what_is_missing(world: World) {
    use base64ct::{Base64UrlUnpadded, Encoding};
    let human = Human::with_everything(&world).await;
    human.approved(stranger(), 1).await;
    let login = human.client.login(&human.username, &Secret::from(PASSWORD)).await.expect("the right password");
    let claims = login.access_token.expose().split('.').nth(1).expect("a JWT has three parts");
    let claims = Base64UrlUnpadded::decode_vec(claims).expect("base64url");
    let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
    let session_id: SessionId = claims["sid"].as_str().expect("a session id").parse().expect("a UUID");
    let session_secret = base64url(claims["key"].as_str().expect("the session secret"));
    // The same search finds the key once it has what the promise says is needed: so it would have found it above.
    let loot = Loot::take(&world, &human, Some(session_id)).await;
    assert!(loot.gives_way_to(vec![master(), api_key_secret(&human), session_secret]));
    let without_token = Loot::take(&world, &human, Some(session_id)).await;
    assert!(!without_token.gives_way_to(vec![master(), api_key_secret(&human)]));
    let without_master = Loot::take(&world, &human, Some(session_id)).await;
    assert!(!without_master.gives_way_to(vec![api_key_secret(&human), session_secret]));
}
