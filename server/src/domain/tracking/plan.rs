//! What follows from one look at an account. Decides only: no database, no node.

use std::time::Duration;

use super::{
    account::Tracked,
    memory::Memory,
    sight::Sight,
    step::{Step, Waiting},
};
use crate::{
    chain::{Receipt, SendOutcome, Use},
    state::Policy,
    store::{payloads, transactions::Outline},
    value::{Block, Gas, Nonce, PayloadKind, SlotState, Status, TransactionHash, WaitingReason},
};

/// Every step for one account, in the order of its nonces. `now` is [`Clock::elapsed`](crate::value::Clock::elapsed).
pub(super) fn plan(
    account: &[Tracked],
    sight: &Sight,
    memory: &mut Memory,
    now: Duration,
    policy: &Policy,
) -> Vec<Step> {
    let planning = Planning { account, sight, now, policy, reach: Reach::of(account, sight.latest) };
    account.iter().flat_map(|open| planning.steps(open, memory)).collect()
}

/// How far an account's nonces follow each other from the next one on.
#[derive(Debug, Default)]
struct Reach {
    /// The highest nonce that was sent and has one of ours at every nonce below it.
    sent: Option<Nonce>,
    /// The lowest nonce that nothing of ours uses though one above it was sent.
    hole: Option<Nonce>,
}

impl Reach {
    fn of(account: &[Tracked], latest: Nonce) -> Self {
        let (mut reach, mut next) = (Self::default(), latest);
        for open in account.iter().filter(|open| open.slot.nonce >= latest) {
            if open.slot.nonce > next {
                reach.hole = Some(next);
                break;
            }
            if open.slot.state == SlotState::Sent {
                reach.sent = Some(next);
            }
            next = next.next();
        }
        reach
    }
}

struct Planning<'look> {
    account: &'look [Tracked],
    sight: &'look Sight,
    now: Duration,
    policy: &'look Policy,
    reach: Reach,
}

impl Planning<'_> {
    fn steps(&self, open: &Tracked, memory: &mut Memory) -> Vec<Step> {
        if open.slot.state == SlotState::Used {
            return Vec::new();
        }
        let gone = open.rows().filter(|row| self.is_gone(open, row));
        let gone: Vec<_> = gone.cloned().map(Step::Reorganise).collect();
        // The rest follows from what is stored after that.
        if gone.is_empty() { self.step(open, memory).into_iter().collect() } else { gone }
    }

    /// Whether the chain has another block where a transaction was mined, and shows the payment nowhere else. A node that
    /// does not have that height yet says nothing.
    fn is_gone(&self, open: &Tracked, row: &Outline) -> bool {
        let Some(block) = row.block.as_ref().filter(|_| row.status == Status::Mined) else { return false };
        let paid = open.forms.iter().filter(|form| form.transaction_id == row.transaction_id);
        let mut paid = paid.filter(|form| form.kind == PayloadKind::Payment);
        self.sight.is_gone(block.0.number, block.0.hash) && paid.all(|form| self.sight.is_absent(form.hash))
    }

    fn step(&self, open: &Tracked, memory: &mut Memory) -> Option<Step> {
        if let Some((form, receipt)) = self.mined(open) {
            memory.found_something(open.slot.nonce);
            return self.include(open, form, receipt);
        }
        if self.sight.latest > open.slot.nonce {
            return self.missing(open);
        }
        match open.slot.state {
            SlotState::Held => self.give_way(open, memory),
            SlotState::Void => {
                let stands_before = self.reach.sent.is_some_and(|sent| open.slot.nonce < sent);
                stands_before.then(|| cancel(open)).flatten().cloned().map(Step::Fill)
            }
            SlotState::Sent => self.send(open, memory),
            SlotState::Used => None,
        }
    }

    /// The form of this nonce that is in a block, the present owner's before an earlier one's: they can be the same
    /// bytes.
    fn mined<'open>(&self, open: &'open Tracked) -> Option<(&'open payloads::Form, &Receipt)> {
        let present = |form: &&payloads::Form| form.transaction_id == open.slot.transaction_id;
        let (present, earlier): (Vec<_>, Vec<_>) = open.forms.iter().partition(present);
        let mut forms = present.into_iter().chain(earlier);
        forms.find_map(|form| Some((form, self.sight.included(form.hash)?)))
    }

    fn include(&self, open: &Tracked, form: &payloads::Form, receipt: &Receipt) -> Option<Step> {
        let block = Block {
            number: receipt.block_number,
            hash: receipt.block_hash,
            transaction_hash: form.hash,
            succeeded: receipt.succeeded,
            gas_used: Gas(receipt.gas_used),
            effective_gas_price: receipt.effective_gas_price.into(),
        };
        let is_final = receipt.block_number <= self.sight.final_height;
        let evidence = if is_final { self.sight.evidence(open.slot.nonce) } else { None };
        let row = open.rows().find(|row| row.transaction_id == form.transaction_id)?;
        let known = match form.kind {
            // What was final once is told again only when the chain contradicts it for good.
            PayloadKind::Payment if row.status.is_final() && !ended_unsent(row.status, row.block.is_some()) => true,
            PayloadKind::Payment => row.block.as_ref().is_some_and(|known| known.0 == block),
            PayloadKind::Cancel => row.status != Status::Authorized,
        };
        // The nonce of an approved transaction is not sent because stolen bytes of an earlier one use it.
        let is_owned = form.transaction_id == open.slot.transaction_id;
        let noted = form.sent_at.is_some() && (open.slot.state == SlotState::Sent || !is_owned);
        if known && noted && evidence.is_none() {
            let waiting = if is_owned {
                let second = "one of the chain's nodes calls it final; a second one has to say so too";
                let detail = is_final.then_some(second).or(self.sight.finality_warning).map(str::to_owned);
                Waiting { detail, ..Waiting::new(WaitingReason::Finality) }
            } else {
                let why = "bytes of an earlier transaction of this wallet, which ended unsent, use its nonce";
                Waiting::with(WaitingReason::NonceUsedElsewhere, why)
            };
            return self.wait(open, waiting, None);
        }
        let reason = self.sight.reasons.get(&form.hash).cloned();
        Some(Step::Include { slot: open.slot.clone(), form: form.clone(), block, evidence, reason })
    }

    /// The chain has used the nonce, and shows nothing of ours that did. Only the final block that used it, read whole, is
    /// evidence; till then it is told and nothing ends.
    fn missing(&self, open: &Tracked) -> Option<Step> {
        let Tracked { slot, transaction, .. } = open;
        let waiting = match self.sight.uses.get(&slot.nonce) {
            Some(Use::Found { hashes, .. }) if open.forms.iter().any(|form| hashes.contains(&form.hash)) => {
                Waiting::with(WaitingReason::Finality, "it is in a block whose receipts the node does not give yet")
            }
            Some(Use::Found { block, by, .. }) => match self.sight.evidence(slot.nonce) {
                Some(evidence) => {
                    let (by, block) = (by.as_ref().map(|by| by.hash), *block);
                    return Some(Step::Supersede { slot: slot.clone(), row: transaction.clone(), by, block, evidence });
                }
                None => Waiting::with(
                    WaitingReason::NonceUsedElsewhere,
                    "one of the chain's nodes says that something else used its nonce; a second one has to say so too",
                ),
            },
            Some(Use::Gone) => Waiting::with(
                WaitingReason::NonceUsedElsewhere,
                "the node no longer has the block that used its nonce: its owner may end it",
            ),
            None if transaction.waiting_reason == Some(WaitingReason::NonceUsedElsewhere) => return None,
            None if !open.forms.iter().all(|form| self.sight.is_absent(form.hash)) => return None,
            _ => Waiting::with(
                WaitingReason::NonceUsedElsewhere,
                "the chain has used its nonce, and shows nothing of this wallet there yet",
            ),
        };
        self.wait(open, waiting, None)
    }

    /// An approved transaction that stands before a sent one has a while, then it loses its nonce.
    fn give_way(&self, open: &Tracked, memory: &mut Memory) -> Option<Step> {
        let row = &open.transaction;
        if row.waiting_reason == Some(WaitingReason::NonceUsedElsewhere) {
            return self.wait(open, Waiting::new(WaitingReason::Execution), None);
        }
        if self.reach.sent.is_none_or(|sent| open.slot.nonce >= sent) {
            return None;
        }
        let was_told = row.gives_way_at.is_some();
        let until = memory.gives_way_at(row.transaction_id, was_told, self.now, self.policy);
        if self.now >= until {
            return Some(Step::GaveWay(row.clone()));
        }
        (!was_told).then(|| Step::GiveWay(row.clone()))
    }

    fn send(&self, open: &Tracked, memory: &mut Memory) -> Option<Step> {
        let nonce = open.slot.nonce;
        if let Some(hole) = self.reach.hole.filter(|hole| *hole < nonce) {
            let detail = format!("nothing of this wallet uses nonce {hole}: clear it, or approve something else");
            return self.wait(open, Waiting::with(WaitingReason::NeedsOwner, detail), None);
        }
        let ahead = nonce.0 - self.sight.latest.0;
        if ahead >= memory.window(self.now, self.policy) {
            return self.wait(open, self.behind(nonce), None);
        }
        let is_lowest = ahead == 0;
        let form = self.form(open, is_lowest, memory)?;
        if memory.is_due(form.hash, self.now, self.policy) {
            return Some(Step::Send(form.clone()));
        }
        let heard = memory.heard(form.hash)?;
        let was_taken = matches!(heard.outcome, SendOutcome::Accepted | SendOutcome::AlreadyKnown);
        let accepted = (was_taken && form.accepted_at.is_none()).then_some(form.hash);
        let is_cancel = form.kind == PayloadKind::Cancel;
        let waiting = match &heard.outcome {
            SendOutcome::Accepted | SendOutcome::AlreadyKnown if is_lowest => Waiting::new(WaitingReason::InPool),
            SendOutcome::Accepted | SendOutcome::AlreadyKnown | SendOutcome::NonceGap => self.behind(nonce),
            SendOutcome::NonceTooLow => return None,
            SendOutcome::Underpriced if is_cancel && is_lowest => Waiting::with(
                WaitingReason::NeedsOwner,
                format!("its cancel pays too little now: clear nonce {nonce} at today's price"),
            ),
            SendOutcome::Underpriced => Waiting::new(WaitingReason::FeeTooLow),
            SendOutcome::InsufficientFunds => Waiting::new(WaitingReason::InsufficientFunds),
            SendOutcome::Unavailable { why } => Waiting::with(WaitingReason::NotSent, why),
            SendOutcome::Refused { reason, .. } => {
                let lasted = heard.refused_for(self.now);
                let was_accepted = open.owned().any(|form| form.accepted_at.is_some());
                let counts = lasted.is_some_and(|lasted| lasted >= self.policy.refused_after);
                if counts && !is_cancel && !was_accepted && is_wanted(open) {
                    return Some(Step::Refuse { form: form.clone(), reason: reason.clone() });
                }
                let disputed = lasted.is_some_and(|lasted| lasted >= self.policy.disputed_after);
                if counts && is_cancel || disputed {
                    Waiting::with(WaitingReason::NeedsOwner, format!("nodes refuse it: {reason}"))
                } else {
                    Waiting::with(WaitingReason::Refused, reason)
                }
            }
        };
        self.wait(open, waiting, accepted)
    }

    /// The form to send now: the cancel once nothing else may be sent, else the rung that was sent last, or the next one
    /// when that has waited long enough at the lowest open nonce; never one that the wallet cannot pay while it can pay
    /// a lower one.
    fn form<'open>(&self, open: &'open Tracked, is_lowest: bool, memory: &Memory) -> Option<&'open payloads::Form> {
        if let Some(hash) = paid(open) {
            return open.owned().find(|form| form.hash == hash);
        }
        if !is_wanted(open) {
            return cancel(open);
        }
        let ladder: Vec<_> = open.owned().filter(|form| form.kind == PayloadKind::Payment).collect();
        let at = ladder.iter().rposition(|rung| rung.sent_at.is_some()).unwrap_or(0);
        let current = ladder.get(at)?;
        let outcome = |form: &payloads::Form| memory.heard(form.hash).map(|heard| heard.outcome.clone());
        let is_cheap = outcome(current) == Some(SendOutcome::Underpriced);
        // What nodes refuse they refuse at any price.
        let is_refused = matches!(outcome(current), Some(SendOutcome::Refused { .. }));
        let has_waited = !is_refused && memory.has_waited(current.hash, self.now, self.policy);
        let bump = is_lowest && (is_cheap || has_waited);
        let top = if bump { (at + 1).min(ladder.len() - 1) } else { at };
        let is_payable = |form: &&&payloads::Form| {
            outcome(form) != Some(SendOutcome::InsufficientFunds) || memory.is_due(form.hash, self.now, self.policy)
        };
        ladder[..=top].iter().rev().find(is_payable).or(Some(current)).copied()
    }

    /// What goes first: the nearest below it that is not executed yet, or else the one just below. Not the lowest, which
    /// changes for all that wait whenever one of them is mined.
    fn behind(&self, nonce: Nonce) -> Waiting {
        let below = self.account.iter().rev().filter(|open| open.slot.nonce < nonce);
        let mut below = below.take_while(|open| open.slot.nonce >= self.sight.latest);
        let just_below = below.next();
        let is_idle = |open: &&Tracked| open.slot.state == SlotState::Held;
        let idle = just_below.filter(is_idle).or_else(|| below.find(is_idle));
        let blocked_by = idle.or(just_below).map(|open| open.transaction.transaction_id);
        Waiting { blocked_by, ..Waiting::new(WaitingReason::BehindNonce) }
    }

    fn wait(&self, open: &Tracked, waiting: Waiting, accepted: Option<TransactionHash>) -> Option<Step> {
        let row = &open.transaction;
        let waits = match row.status {
            Status::Submitted => true,
            Status::Mined => waiting.reason == WaitingReason::Finality,
            // An approved one is told only that its nonce is gone, and when it is not.
            Status::Authorized => {
                let is_elsewhere = |reason| reason == WaitingReason::NonceUsedElsewhere;
                is_elsewhere(waiting.reason) || row.waiting_reason.is_some_and(is_elsewhere)
            }
            _ => false,
        };
        let is_new = accepted.is_some() || waits && !waiting.is_told(row);
        is_new.then(|| Step::Wait { row: row.clone(), waiting, accepted })
    }
}

/// Whether a transaction that ended so may have left nothing but copies of its bytes: the chain said nothing of it.
pub(super) fn ended_unsent(status: Status, is_in_block: bool) -> bool {
    matches!(status, Status::Expired | Status::Cancelled) && !is_in_block
}

/// Whether a payment of the nonce's owner is still wanted.
fn is_wanted(open: &Tracked) -> bool {
    open.transaction.status == Status::Submitted && open.transaction.cancelling.is_none()
}

/// The form that is in a block, or was for good, as far as was told: exactly it is sent again, and nothing else, when the
/// chain shows its nonce as free.
fn paid(open: &Tracked) -> Option<TransactionHash> {
    let row = &open.transaction;
    match row.status {
        Status::Mined => row.block.as_ref().map(|block| block.0.transaction_hash),
        Status::Confirmed | Status::Reverted => open.slot.used_by,
        _ => None,
    }
}

/// The owner's cancel; of several the one that was signed last, at the price that its owner saw last.
fn cancel(open: &Tracked) -> Option<&payloads::Form> {
    open.owned().filter(|form| form.kind == PayloadKind::Cancel).max_by_key(|form| form.rung)
}
