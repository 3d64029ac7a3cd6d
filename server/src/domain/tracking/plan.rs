//! What follows from one look at an account. Decides only: no database, no node.

use std::collections::HashMap;

use crate::{
    chain::{Receipt, SendOutcome},
    state::Policy,
    store::{nonce_slots, payloads, transactions},
    value::{
        Address, Block, Gas, Nonce, PayloadKind, SlotState, Status, Time, TransactionHash, TransactionId, WaitingReason,
    },
};

/// One open nonce and everything that was ever signed for it, whoever's it is.
#[derive(Debug, Clone)]
pub struct Tracked {
    /// The nonce.
    pub slot: nonce_slots::Model,
    /// The transaction that has it now.
    pub transaction: transactions::Model,
    /// Those that had it before and ended unsent.
    pub earlier: Vec<transactions::Model>,
    /// Signed bytes of this and earlier owners, cheapest first.
    pub payloads: Vec<payloads::Model>,
}

impl Tracked {
    /// Every transaction that was ever signed for the nonce, the present owner first.
    fn rows(&self) -> impl Iterator<Item = &transactions::Model> {
        std::iter::once(&self.transaction).chain(&self.earlier)
    }
}

/// What a chain says of one account.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// The account's nonce at the newest block.
    pub latest: Nonce,
    /// The account's nonce at the newest final block.
    pub finalized: Nonce,
    /// The height of that block.
    pub finalized_block: u64,
    /// The receipts there are. A hash that is absent was asked for and is in no block.
    pub receipts: HashMap<TransactionHash, Receipt>,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Step {
    /// A signed form is in a block.
    Include {
        /// The nonce.
        slot: nonce_slots::Model,
        /// The form.
        payload: payloads::Model,
        /// Where.
        block: Block,
        /// Whether that block is final.
        is_final: bool,
    },
    /// A transaction's block is gone.
    Forget(transactions::Model),
    /// The nonce is final, and nothing of ours used it.
    Supersede(nonce_slots::Model, transactions::Model),
    /// A void nonce stands before one that was sent: its cancel is to be sent, this form.
    Fill(payloads::Model),
    /// This form is to be sent, or sent again.
    Send(payloads::Model),
    /// A transaction waits for something else than it says.
    Wait(transactions::Model, WaitingReason, Option<TransactionId>),
}

/// What a tracker remembers between looks. Losing it costs nothing but a few repeats.
#[derive(Debug, Default)]
pub struct Memory {
    sent: HashMap<TransactionHash, Time>,
    trouble: HashMap<TransactionHash, WaitingReason>,
    underpriced: HashMap<TransactionHash, Time>,
    passed: HashMap<(Address, Nonce), Time>,
    refuses_gaps: bool,
}

impl Memory {
    /// Notes what a node said to some bytes. Gives its reason when it refuses them for good.
    pub(super) fn remember(&mut self, payload: &payloads::Model, outcome: SendOutcome, now: Time) -> Option<String> {
        let hash = payload.hash;
        self.trouble.remove(&hash);
        self.sent.insert(hash, now);
        match outcome {
            // "Nonce too low" is settled by the next look at our own hashes.
            SendOutcome::Accepted | SendOutcome::AlreadyKnown | SendOutcome::NonceTooLow => {}
            SendOutcome::Underpriced => {
                self.underpriced.insert(hash, now);
            }
            SendOutcome::InsufficientFunds => {
                self.trouble.insert(hash, WaitingReason::InsufficientFunds);
            }
            SendOutcome::NonceGap => self.refuses_gaps = true,
            SendOutcome::Refused { reason } => return Some(reason),
            SendOutcome::Unavailable { why: _ } => {
                self.sent.remove(&hash);
                self.trouble.insert(hash, WaitingReason::NodeUnreachable);
            }
        }
        None
    }

    fn is_due(&self, hash: TransactionHash, now: Time, policy: &Policy) -> bool {
        self.sent.get(&hash).is_none_or(|&sent| now.since(sent) >= policy.resend_after)
    }
}

/// Every step for one account, in the order of its nonces.
pub(super) fn plan(account: &[Tracked], sight: &Sight, memory: &mut Memory, now: Time, policy: &Policy) -> Vec<Step> {
    let highest_sent =
        account.iter().filter(|open| open.slot.state == SlotState::Sent).map(|open| open.slot.nonce).max();
    let blocker = account
        .iter()
        .find(|open| open.slot.nonce >= sight.latest)
        .map(|open| (open.slot.nonce, open.transaction.transaction_id));
    let look = Look { sight, now, policy, highest_sent, blocker };
    account.iter().flat_map(|open| look.steps(open, memory)).collect()
}

struct Look<'look> {
    sight: &'look Sight,
    now: Time,
    policy: &'look Policy,
    highest_sent: Option<Nonce>,
    /// The lowest nonce that the chain has not used.
    blocker: Option<(Nonce, TransactionId)>,
}

impl Look<'_> {
    fn steps(&self, open: &Tracked, memory: &mut Memory) -> Vec<Step> {
        let gone = open.rows().filter(|row| row.status == Status::Mined && !self.is_paid(open, row));
        let gone: Vec<_> = gone.cloned().map(Step::Forget).collect();
        // The rest follows from what is stored after that.
        if gone.is_empty() { self.step(open, memory).into_iter().collect() } else { gone }
    }

    /// Whether a payment of a transaction is in a block.
    fn is_paid(&self, open: &Tracked, row: &transactions::Model) -> bool {
        open.payloads.iter().any(|payload| {
            payload.transaction_id == row.transaction_id
                && payload.kind == PayloadKind::Payment
                && self.sight.receipts.contains_key(&payload.hash)
        })
    }

    fn step(&self, open: &Tracked, memory: &mut Memory) -> Option<Step> {
        let Tracked { slot, transaction, .. } = open;
        let passed = (slot.address, slot.nonce);
        if let Some((payload, receipt)) = self.mined(open) {
            memory.passed.remove(&passed);
            return self.include(open, payload, receipt);
        }
        if self.sight.finalized > slot.nonce {
            // Absence proves little, so it has to last before it counts.
            let since = *memory.passed.entry(passed).or_insert(self.now);
            let lasted = self.now.since(since) >= self.policy.supersede_after;
            return lasted.then(|| Step::Supersede(slot.clone(), transaction.clone()));
        }
        memory.passed.remove(&passed);
        if self.sight.latest > slot.nonce {
            return None;
        }
        match slot.state {
            SlotState::Held | SlotState::Used => None,
            SlotState::Void => {
                let stands_before = self.highest_sent.is_some_and(|sent| slot.nonce < sent);
                stands_before.then(|| self.cancel(open)).flatten().map(Step::Fill)
            }
            SlotState::Sent => self.send(open, memory),
        }
    }

    /// The form of this nonce that is in a block, the present owner's before an earlier one's: they can be the same
    /// bytes.
    fn mined<'open>(&self, open: &'open Tracked) -> Option<(&'open payloads::Model, &Receipt)> {
        let present = |payload: &&payloads::Model| payload.transaction_id == open.slot.transaction_id;
        let (present, earlier): (Vec<_>, Vec<_>) = open.payloads.iter().partition(present);
        let mut forms = present.into_iter().chain(earlier);
        forms.find_map(|payload| Some((payload, self.sight.receipts.get(&payload.hash)?)))
    }

    fn include(&self, open: &Tracked, payload: &payloads::Model, receipt: &Receipt) -> Option<Step> {
        let block = Block {
            number: receipt.block_number,
            hash: receipt.block_hash,
            transaction_hash: payload.hash,
            succeeded: receipt.succeeded,
            gas_used: Gas(receipt.gas_used),
            effective_gas_price: receipt.effective_gas_price.into(),
        };
        let is_final = receipt.block_number <= self.sight.finalized_block;
        let row = open.rows().find(|row| row.transaction_id == payload.transaction_id)?;
        let known = match payload.kind {
            PayloadKind::Payment => row.block.as_ref().is_some_and(|known| known.0 == block),
            PayloadKind::Cancel => row.status != Status::Authorized,
        };
        let noted = payload.sent_at.is_some() && open.slot.state == SlotState::Sent;
        if known && noted && !is_final {
            return None;
        }
        Some(Step::Include { slot: open.slot.clone(), payload: payload.clone(), block, is_final })
    }

    fn cancel(&self, open: &Tracked) -> Option<payloads::Model> {
        let owned = |payload: &&payloads::Model| {
            payload.transaction_id == open.slot.transaction_id && payload.kind == PayloadKind::Cancel
        };
        open.payloads.iter().find(owned).cloned()
    }

    fn send(&self, open: &Tracked, memory: &Memory) -> Option<Step> {
        let ahead = open.slot.nonce.0 - self.sight.latest.0;
        let window = if memory.refuses_gaps { 1 } else { self.policy.window_ahead };
        if ahead >= window {
            return self.wait(open, WaitingReason::NonceWindow);
        }
        let is_lowest = ahead == 0;
        let form = self.form(open, is_lowest, memory)?;
        if memory.is_due(form.hash, self.now, self.policy) {
            return Some(Step::Send(form));
        }
        let reason = match memory.trouble.get(&form.hash) {
            Some(reason) => *reason,
            None if is_lowest => WaitingReason::Inclusion,
            None => WaitingReason::EarlierNonce,
        };
        self.wait(open, reason)
    }

    /// The form to send now: the cancel once it is asked for or nothing else may be sent, else the rung that was sent
    /// last, or the next one when that has waited long enough at the lowest open nonce.
    fn form(&self, open: &Tracked, is_lowest: bool, memory: &Memory) -> Option<payloads::Model> {
        let transaction = &open.transaction;
        if transaction.cancelling.is_some() || transaction.status != Status::Submitted {
            return self.cancel(open);
        }
        let owned = |payload: &&payloads::Model| {
            payload.transaction_id == open.slot.transaction_id && payload.kind == PayloadKind::Payment
        };
        let ladder: Vec<_> = open.payloads.iter().filter(owned).collect();
        let at = ladder.iter().rposition(|rung| rung.sent_at.is_some()).unwrap_or(0);
        let current = ladder.get(at)?;
        let waited = current.sent_at.is_some_and(|sent| self.now.since(sent) >= self.policy.bump_after);
        let bump = is_lowest && (waited || memory.underpriced.contains_key(&current.hash));
        let next = if bump { ladder.get(at + 1) } else { None };
        Some((*next.unwrap_or(current)).clone())
    }

    fn wait(&self, open: &Tracked, reason: WaitingReason) -> Option<Step> {
        let transaction = &open.transaction;
        let behind = matches!(reason, WaitingReason::EarlierNonce | WaitingReason::NonceWindow);
        let blocked_by = self.blocker.filter(|(nonce, _)| behind && *nonce < open.slot.nonce).map(|(_, id)| id);
        let told = transaction.waiting_reason == Some(reason) && transaction.blocked_by == blocked_by;
        let waits = transaction.status == Status::Submitted && !told;
        waits.then(|| Step::Wait(transaction.clone(), reason, blocked_by))
    }
}
