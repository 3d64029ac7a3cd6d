//! What the human decides, and that what was signed then is what was shown.

use std::time::Duration;

use alloy::primitives::U256;

use super::{
    chain::{Heard, height},
    event::Shows,
    world::{Signed, World},
};
use crate::{
    chain::Account,
    domain::{
        Error, ladder,
        preview::{Estimate, Facts},
        transactions::{Candidate, clear_known, decide_on, refresh, repriced},
    },
    keys::{PayloadBinding, payload},
    store::{payloads, tests::payloads_of, transactions::Model, wallets},
    value::{Address, Gas, Nonce, PayloadKind, Status, TransactionId, Wei},
};

/// The code of the only thing a human has to acknowledge.
const ACKNOWLEDGE: &str = "nonce_used_elsewhere";

impl World {
    /// What a node says of an account to whoever wants to sign.
    fn facts(&mut self, address: Address, shows: Shows) -> Facts {
        let is_stale = shows == Shows::Stale;
        let truth = self.chain.latest(address, is_stale);
        let nonce = if shows == Shows::Absurd { truth + 1_000 } else { truth };
        self.was_foreign |= shows == Shows::Absurd;
        Facts {
            account: Account { nonce, balance: Wei(U256::from(10).pow(U256::from(24))) },
            market: self.market(),
            gas: Estimate::Gas(Gas(21_000)),
            cancel_gas: Gas(21_000),
            height: Some(height(self.chain.view(is_stale).len() - 1)),
            cap_multiple: ladder::HEADROOM,
        }
    }

    /// The human approves what is stored. True when that is what came of it.
    pub(super) async fn approve(&mut self, row: Model, shows: Shows, acknowledge: bool) -> bool {
        self.approve_all(vec![row], shows, acknowledge).await
    }

    /// The same for several with one code.
    pub(super) async fn approve_all(&mut self, rows: Vec<Model>, shows: Shows, acknowledge: bool) -> bool {
        // The next code.
        self.pass(Duration::from_secs(30));
        let accepted: Vec<String> = acknowledge.then(|| ACKNOWLEDGE.to_owned()).into_iter().collect();
        let mut candidates = Vec::new();
        for row in rows.clone() {
            let facts = self.facts(row.address, shows);
            if !facts.fit(&row) {
                refresh(&self.state, &row, repriced(&row, &facts)).await.expect("nobody is faster");
                return false;
            }
            candidates.push(Candidate { row, facts, acknowledge: accepted.clone() });
        }
        let code = self.totp.code(self.state.clock.now());
        let decided = decide_on(&self.state, &self.user, code, candidates).await;
        let decided = decided.map_err(|error| match error {
            Error::InBatch { error, .. } => *error,
            other => other,
        });
        match decided {
            Ok(approved) => {
                for (shown, approved) in rows.iter().zip(&approved) {
                    self.keep_signed(shown, approved).await;
                }
                check_order(&approved);
            }
            Err(Error::NonceUsedElsewhere) if self.was_foreign && !acknowledge => return false,
            Err(Error::NonceUsedElsewhere) if self.was_leaked() && !acknowledge => return false,
            // Two steps can have the same code, once in a million; after the clock was set back, for as long as that.
            Err(Error::Expired | Error::MfaReplayed) => return false,
            Err(error) => panic!("an approval failed: {error:?}"),
        }
        true
    }

    /// The owner clears a nonce: this one, else the lowest that needs it.
    pub(super) async fn clear(&mut self, wallet: usize, nonce: Option<Nonce>, shows: Shows) {
        self.pass(Duration::from_secs(30));
        let address = self.wallets[wallet].1;
        let facts = self.facts(address, shows);
        let wallet = wallets::find_by_address(&self.state.store, self.user.user_id, address).await;
        let wallet = wallet.expect("the database answers").expect("it is theirs");
        let chain = self.unreachable_chain();
        let code = self.totp.code(self.state.clock.now());
        match clear_known(&self.state, &self.user, (&chain, wallet, facts), nonce, code).await {
            Ok(cleared) => self.keep_cleared(cleared.row.transaction_id).await,
            Err(Error::Invalid(_) | Error::InvalidState(_) | Error::MfaReplayed) => {}
            Err(error) => panic!("a nonce was not cleared: {error:?}"),
        }
    }

    /// What was signed to clear a nonce pays nobody.
    async fn keep_cleared(&mut self, id: TransactionId) {
        let stored = payloads_of(&self.state.store, self.find(id).await.address).await;
        let known = |form: &payloads::Model| {
            self.signed.iter().any(|known| (known.transaction_id, known.heard.hash) == (id, form.hash))
        };
        for form in stored.iter().filter(|form| form.transaction_id == id && !known(form)).collect::<Vec<_>>() {
            let heard = self.open(form);
            assert_eq!((heard.to, heard.value), (Some(form.address), U256::ZERO), "{form:?} pays somebody");
            self.sent.extend(form.sent_at.map(|_| form.hash));
            self.signed.push(Signed { transaction_id: id, kind: form.kind, heard });
        }
    }

    /// Signed bytes, by whoever knows all keys.
    fn open(&self, form: &payloads::Model) -> Heard {
        let binding = PayloadBinding {
            transaction_id: form.transaction_id,
            address: form.address,
            chain_id: form.chain_id,
            nonce: form.nonce.0,
            hash: form.hash,
            kind: form.kind,
            rung: form.rung,
        };
        let sealed = form.bytes.as_ref().expect("just signed");
        let bytes = payload::open(&self.state.keys.master, &binding, sealed).expect("just sealed");
        Heard::read(form.address, bytes.expose())
    }

    /// What was signed is what was shown, within what was approved.
    async fn keep_signed(&mut self, shown: &Model, approved: &Model) {
        let ladder = payloads::list_for_transactions(&self.state.store, &[approved.transaction_id]).await;
        let ladder = ladder.expect("the database answers");
        let limit = shown.value.saturating_add(shown.worst_case_fee());
        for form in &ladder {
            let stored = payloads::find(&self.state.store, form.transaction_id, form.hash).await;
            let heard = self.open(&stored.expect("the database answers").expect("just signed"));
            let cost = heard.value + U256::from(heard.gas_limit) * U256::from(heard.max_fee);
            assert!(cost <= limit.0, "{form:?} can cost more than was approved");
            assert_eq!(Some(Nonce(heard.nonce)), approved.nonce);
            let means = match form.kind {
                PayloadKind::Payment => (shown.to_address, shown.value.0),
                PayloadKind::Cancel => (Some(shown.address), U256::ZERO),
            };
            assert_eq!((heard.to, heard.value), means, "what was signed is not what was shown");
            if form.sent_at.is_some() {
                self.sent.insert(form.hash);
            }
            self.signed.push(Signed { transaction_id: form.transaction_id, kind: form.kind, heard });
        }
        let cancels = ladder.iter().filter(|form| form.kind == PayloadKind::Cancel);
        assert!(cancels.count() == 1 && ladder.len() >= 2, "an approval signs a ladder and one cancel");
    }
}

/// Of one decision, those that are sent at once have the lowest nonces.
fn check_order(approved: &[Model]) {
    for (one, other) in approved.iter().flat_map(|one| approved.iter().map(move |other| (one, other))) {
        let is_before = one.status == Status::Submitted && other.status == Status::Authorized;
        let of_same = one.address == other.address && one.decided_at == other.decided_at;
        assert!(!(is_before && of_same) || one.nonce < other.nonce, "{one:?} waits behind {other:?}");
    }
}
