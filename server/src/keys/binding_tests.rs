//! A record sealed for one purpose opens under no other, whatever is moved where.

use uuid::Uuid;

use super::{
    PayloadBinding, WalletBinding,
    seal::{Key, Purpose, SealError, open, seal},
};
use crate::value::{
    Address, AgentId, ChainId, PayloadKind, SessionId, TransactionHash, TransactionId, UserId, WalletId,
};

/// How many variants [`Purpose`] has.
const KINDS: usize = 12;

/// A variant's number. A new variant does not compile until it is counted here and so must be listed below.
fn kind(purpose: &Purpose) -> usize {
    match purpose {
        Purpose::Canary => 0,
        Purpose::TokenKey => 1,
        Purpose::UserKeyByPassword(_) => 2,
        Purpose::UserKeyByRecovery(_) => 3,
        Purpose::SessionVerifier(_) => 4,
        Purpose::SessionUserKey(..) => 5,
        Purpose::ApiKeyVerifier(_) => 6,
        Purpose::TotpSecret(_) => 7,
        Purpose::BackupCode(_) => 8,
        Purpose::WalletKey(_) => 9,
        Purpose::Payload(_) => 10,
        Purpose::Fingerprint => 11,
    }
}

/// Every purpose, with every combination of two ids, addresses, chains, nonces and hashes. The ids of different nouns
/// are the same UUIDs on purpose: only the label and the position tell them apart.
fn purposes() -> Vec<Purpose> {
    let ids = [Uuid::from_u128(1), Uuid::from_u128(2)];
    let addresses = [Address([1; 20].into()), Address([2; 20].into())];
    let mut all = vec![Purpose::Canary, Purpose::TokenKey, Purpose::Fingerprint];
    for id in ids {
        all.extend([
            Purpose::UserKeyByPassword(UserId(id)),
            Purpose::UserKeyByRecovery(UserId(id)),
            Purpose::SessionVerifier(SessionId(id)),
            Purpose::ApiKeyVerifier(AgentId(id)),
            Purpose::TotpSecret(UserId(id)),
            Purpose::BackupCode(UserId(id)),
        ]);
        for second in ids {
            all.push(Purpose::SessionUserKey(SessionId(id), UserId(second)));
            for address in addresses {
                let (user_id, wallet_id) = (UserId(id), WalletId(second));
                all.push(Purpose::WalletKey(WalletBinding { user_id, wallet_id, address }));
            }
        }
        for address in addresses {
            for (chain, nonce) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
                for (hash, kind, rung) in [
                    ([1; 32], PayloadKind::Payment, 0),
                    ([1; 32], PayloadKind::Payment, 1),
                    ([1; 32], PayloadKind::Cancel, 1),
                    ([2; 32], PayloadKind::Payment, 0),
                ] {
                    all.push(Purpose::Payload(PayloadBinding {
                        transaction_id: TransactionId(id),
                        address,
                        chain_id: ChainId::new(chain).expect("in range"),
                        nonce,
                        hash: TransactionHash(hash.into()),
                        kind,
                        rung,
                    }));
                }
            }
        }
    }
    all
}

#[test]
fn a_record_opens_for_its_own_purpose_and_ids_and_for_no_other() {
    let purposes = purposes();
    for number in 0..KINDS {
        assert!(purposes.iter().any(|purpose| kind(purpose) == number), "variant {number} is not listed");
    }
    let key = Key::random();
    let blobs: Vec<_> = purposes.iter().map(|purpose| seal(&key.derive(purpose), b"secret")).collect();
    for (sealed_for, blob) in purposes.iter().zip(&blobs) {
        for opened_for in &purposes {
            let result = open(&key.derive(opened_for), blob).map(|plain| plain.expose().clone());
            let expected = if sealed_for == opened_for { Ok(b"secret".to_vec()) } else { Err(SealError::DoesNotOpen) };
            assert_eq!(result, expected, "sealed for {sealed_for:?}, opened for {opened_for:?}");
        }
    }
}
