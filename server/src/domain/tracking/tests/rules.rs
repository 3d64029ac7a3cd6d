//! What must hold at every moment, whatever happened.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    super::settle::VIOLATION,
    world::{Signed, World},
};
use crate::{
    store::{events, nonce_slots, payloads, tests::events_of, transactions::Model},
    value::{Evidence, PayloadKind, SlotState, Status, TransactionHash, TransactionId},
};

/// What an owner hears when bytes that never left this server are in a block.
const ALARM: &str = "alarm_unsent_bytes_mined";

/// Every row there is, and how the chain stands.
#[derive(Debug, PartialEq)]
pub(super) struct Rows {
    pub(super) transactions: Vec<Model>,
    pub(super) slots: Vec<nonce_slots::Model>,
    pub(super) payloads: Vec<payloads::Model>,
}

impl Rows {
    pub(super) async fn read(world: &World) -> Self {
        let (mut slots, mut payloads) = (Vec::new(), Vec::new());
        for (_, address) in &world.wallets {
            slots.extend(world.slots(*address).await);
            payloads.extend(world.payloads(*address).await);
        }
        Self { transactions: world.transactions().await, slots, payloads }
    }

    /// The same without what transactions say that they wait for.
    pub(super) fn stands(mut self) -> Self {
        for row in &mut self.transactions {
            (row.version, row.waiting_reason, row.waiting_since) = (0, None, None);
            (row.waiting_detail, row.blocked_by) = (None, None);
        }
        self
    }
}

impl World {
    /// Fails the test when a rule is broken. Gives the transactions.
    pub(super) async fn check(&mut self) -> Vec<Model> {
        let rows = Rows::read(self).await;
        let old = self.signed[..self.signed_before].iter().map(|signed| signed.transaction_id).collect();
        check_nonces(&rows, &old);
        check_sent_once(&rows);
        let events = events_of(&self.state.store, self.user.user_id).await;
        self.check_truth(&rows);
        self.check_versions(&rows, &events);
        self.check_words(&rows, &events);
        self.seen = rows.transactions.iter().map(|row| (row.transaction_id, row.clone())).collect();
        self.heard_events = events.len();
        rows.transactions
    }

    /// What the rows say of an end is what the chain says, for good.
    fn check_truth(&self, rows: &Rows) {
        // Nobody can know yet.
        if self.contradicts {
            return;
        }
        let final_hashes: HashMap<TransactionHash, bool> =
            self.chain.final_transactions().map(|(heard, succeeded)| (heard.hash, *succeeded)).collect();
        let claimed = |hash| {
            let owners = self.signed.iter().filter(|signed| signed.heard.hash == hash);
            owners.map(|signed| signed.transaction_id).collect::<HashSet<_>>()
        };
        for row in &rows.transactions {
            let forms: Vec<&Signed> =
                self.signed.iter().filter(|signed| signed.transaction_id == row.transaction_id).collect();
            let slot = rows.slots.iter().find(|slot| slot.transaction_id == row.transaction_id);
            // The chain has taken the end back, and what was final is on its way again.
            let is_doubtful = self.was_deep || row.evidence == Some(Evidence::Owner);
            if is_doubtful && row.status.is_final() && slot.is_some_and(|slot| slot.state == SlotState::Sent) {
                continue;
            }
            let happened = |kind| {
                let mut of_kind = forms.iter().filter(|form| form.kind == kind);
                of_kind.find_map(|form| Some((form.heard.hash, *final_hashes.get(&form.heard.hash)?)))
            };
            let (paid, cancelled) = (happened(PayloadKind::Payment), happened(PayloadKind::Cancel));
            // A twin of it that ended the other way can have the same bytes.
            let by_a_twin = paid.is_some_and(|(hash, _)| {
                rows.transactions.iter().any(|other| {
                    other.transaction_id != row.transaction_id
                        && claimed(hash).contains(&other.transaction_id)
                        && !matches!(other.status, Status::Expired | Status::Cancelled | Status::Superseded)
                })
            });
            let leaked = paid.is_some_and(|(hash, _)| !self.sent.contains(&hash));
            let is_over =
                row.nonce.is_some_and(|nonce| self.chain.final_count(row.address) > nonce.0) || self.chain.was_reset();
            match row.status {
                Status::Pending => assert!(forms.is_empty(), "{row:?} is signed"),
                Status::Rejected => assert!(forms.is_empty(), "{row:?} is signed"),
                Status::Authorized | Status::Submitted | Status::Mined => {}
                Status::Confirmed => assert_eq!(paid.map(|paid| paid.1), Some(true), "{row:?} did not happen"),
                Status::Reverted => assert_eq!(paid.map(|paid| paid.1), Some(false), "{row:?} did not fail"),
                // Not executed, so only bytes that were stolen can be in a block, and the next look tells.
                Status::Expired => assert!(paid.is_none() || leaked || by_a_twin, "{row:?} was paid"),
                Status::Failed => {
                    assert!(is_over && paid.is_none(), "{row:?} has not failed");
                    assert!(cancelled.is_some() || self.was_deep, "{row:?} has not failed");
                }
                Status::Cancelled => {
                    assert!(paid.is_none() || leaked || by_a_twin, "{row:?} was paid");
                    let was_sent = self
                        .seen
                        .get(&row.transaction_id)
                        .is_some_and(|seen| matches!(seen.status, Status::Submitted | Status::Mined));
                    // On their word, or stolen bytes of one that had ended were in a block that is gone.
                    let by_owner = row.evidence == Some(Evidence::Owner) || slot.is_none();
                    assert!(!was_sent || by_owner || cancelled.is_some(), "{row:?} is not cancelled on the chain");
                }
                Status::Superseded => assert!(is_over && (paid.is_none() || by_a_twin), "{row:?} was not superseded"),
            }
            let rests_on_chain = matches!(row.status, Status::Confirmed | Status::Reverted | Status::Failed);
            assert!(!rests_on_chain || row.evidence.is_some(), "{row:?} rests on nothing");
        }
        for slot in rows.slots.iter().filter(|slot| slot.state == SlotState::Used) {
            assert!(self.chain.final_count(slot.address) > slot.nonce.0, "{slot:?} is not used");
        }
    }

    /// Versions rise by one, each with its event, and events are numbered without gaps. An end that the chain made is
    /// taken back only where the chain takes it back, and that is told.
    fn check_versions(&self, rows: &Rows, events: &[events::Model]) {
        let mut versions: BTreeMap<TransactionId, i64> = BTreeMap::new();
        for (number, event) in (1..).zip(events) {
            assert_eq!(event.sequence, number, "an event is missing");
            let version = versions.entry(event.transaction_id).or_default();
            *version += 1;
            assert_eq!(event.version, *version, "a version is missing");
        }
        let new = &events[self.heard_events..];
        for row in &rows.transactions {
            assert_eq!(versions.get(&row.transaction_id), Some(&row.version), "{row:?} changed without an event");
            let Some(before) = self.seen.get(&row.transaction_id) else { continue };
            assert!(before.nonce.is_none() || before.nonce == row.nonce, "{row:?} changed its nonce");
            assert!(before.version < row.version || before == row, "{row:?} changed without a version");
            let was_over = match before.status {
                Status::Confirmed | Status::Reverted | Status::Failed | Status::Superseded | Status::Rejected => true,
                Status::Cancelled => before.block.is_some(),
                _ => false,
            };
            if was_over && before.status != row.status {
                let is_told =
                    new.iter().any(|event| event.transaction_id == row.transaction_id && event.kind == VIOLATION);
                let is_doubtful = self.was_deep || before.evidence == Some(Evidence::Owner);
                assert!(is_doubtful && is_told, "{before:?} was final and became {row:?}");
            }
        }
    }

    /// Nothing is told that did not happen.
    fn check_words(&self, rows: &Rows, events: &[events::Model]) {
        for event in &events[self.heard_events..] {
            let row = rows.transactions.iter().find(|row| row.transaction_id == event.transaction_id);
            let row = row.expect("events are of transactions");
            match event.kind.as_str() {
                VIOLATION => {
                    let before = self.seen.get(&row.transaction_id).and_then(|before| before.evidence);
                    assert!(self.was_deep || before == Some(Evidence::Owner), "{row:?} was not taken back");
                }
                "reorganised" => {
                    assert!(self.was_reorganised || self.was_other_chain, "{row:?} was not reorganised");
                }
                ALARM => assert!(self.was_leaked(), "nobody stole from {row:?}"),
                _ => {}
            }
        }
    }

    /// When all has come to rest: every payment that happened is known to have, and told when it should not have.
    pub(super) async fn check_payments(&self) {
        let rows = Rows::read(self).await;
        let events = events_of(&self.state.store, self.user.user_id).await;
        let mut paid: HashSet<TransactionId> = HashSet::new();
        for (heard, succeeded) in self.chain.final_transactions() {
            let forms = self.signed.iter().filter(|signed| signed.heard.hash == heard.hash);
            let owners: HashSet<TransactionId> =
                forms.filter(|form| form.kind == PayloadKind::Payment).map(|form| form.transaction_id).collect();
            if owners.is_empty() {
                continue;
            }
            let status = if *succeeded { Status::Confirmed } else { Status::Reverted };
            let known: Vec<&Model> = rows
                .transactions
                .iter()
                .filter(|row| owners.contains(&row.transaction_id) && row.status == status)
                .collect();
            assert_eq!(known.len(), 1, "{heard:?} of {owners:?} happened and is known of {known:?}");
            let id = known[0].transaction_id;
            assert!(paid.insert(id), "{:?} is on the chain twice", known[0]);
            let told = events.iter().any(|event| event.transaction_id == id && event.kind == ALARM);
            assert!(told || self.sent.contains(&heard.hash), "{heard:?} was stolen and nobody was told");
        }
    }
}

/// Every signed form has a slot, and every transaction one nonce. Those of a chain that is no more have lost theirs.
fn check_nonces(rows: &Rows, old: &HashSet<TransactionId>) {
    let slots: BTreeMap<_, _> = rows.slots.iter().map(|slot| ((slot.address.0, slot.nonce), slot)).collect();
    let mut owners = HashSet::new();
    for slot in &rows.slots {
        assert!(owners.insert(slot.transaction_id), "{slot:?} is the second of its transaction");
        let signed = |form: &payloads::Model| {
            (form.transaction_id, form.address, form.nonce) == (slot.transaction_id, slot.address, slot.nonce)
        };
        assert!(rows.payloads.iter().any(signed), "{slot:?} has no bytes");
    }
    let nonces: HashMap<TransactionId, _> =
        rows.transactions.iter().map(|row| (row.transaction_id, row.nonce)).collect();
    for form in &rows.payloads {
        let is_old = old.contains(&form.transaction_id);
        assert!(is_old || slots.contains_key(&(form.address.0, form.nonce)), "{form:?} has no slot");
        assert_eq!(nonces.get(&form.transaction_id), Some(&Some(form.nonce)), "{form:?} has another nonce");
    }
    for row in &rows.transactions {
        let is_signed = rows.payloads.iter().any(|form| form.transaction_id == row.transaction_id);
        assert_eq!(row.nonce.is_some(), is_signed, "{row:?} and its bytes differ");
    }
}

/// Of each nonce at most one transaction's payment can be sent, and none whose time is over.
fn check_sent_once(rows: &Rows) {
    for slot in &rows.slots {
        let row = rows.transactions.iter().find(|row| row.transaction_id == slot.transaction_id);
        let row = row.expect("slots belong to transactions");
        let here = |form: &&payloads::Model| (form.address, form.nonce) == (slot.address, slot.nonce);
        for form in rows.payloads.iter().filter(here) {
            let owned = form.transaction_id == slot.transaction_id;
            let can_be_sent = form.bytes.is_some();
            assert!(owned || !can_be_sent, "{form:?} can be sent beside {slot:?}");
            let is_payment = form.kind == PayloadKind::Payment;
            assert!(slot.state != SlotState::Void || !is_payment || !can_be_sent, "{form:?} can be sent from {slot:?}");
            let was_paid = matches!(row.status, Status::Confirmed | Status::Reverted) && slot.state == SlotState::Used;
            let happened = slot.used_by == Some(form.hash);
            assert!(!was_paid || happened || !can_be_sent, "{form:?} can be sent after {row:?}");
            let unsent = matches!(slot.state, SlotState::Held | SlotState::Void);
            let is_ended = row.evidence == Some(Evidence::Owner);
            assert!(!owned || !unsent || is_ended || form.sent_at.is_none(), "{form:?} was sent from {slot:?}");
        }
        let fits = match slot.state {
            SlotState::Held => row.status == Status::Authorized,
            SlotState::Void => matches!(row.status, Status::Expired | Status::Cancelled),
            SlotState::Sent => !matches!(row.status, Status::Pending | Status::Authorized | Status::Rejected),
            SlotState::Used => row.status.is_final() || row.status == Status::Mined,
        };
        assert!(fits, "{slot:?} does not fit {row:?}");
    }
}
