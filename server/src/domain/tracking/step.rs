//! What can be done for an account, and what its transactions can wait for.

use crate::{
    chain::BlockRef,
    store::{nonce_slots, payloads, transactions::Outline},
    value::{Block, Evidence, Text, TransactionHash, TransactionId, WaitingReason},
};

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Step {
    /// A signed form is in a block.
    Include {
        /// The nonce.
        slot: nonce_slots::Model,
        /// The form.
        form: payloads::Form,
        /// Where.
        block: Block,
        /// Whether that block is final, and on whose word.
        evidence: Option<Evidence>,
        /// Why it failed there, when it did and that can be told.
        reason: Option<String>,
    },
    /// A transaction's block is gone: the chain has another one there.
    Reorganise(Outline),
    /// The nonce was used for good by something that is not ours.
    Supersede {
        /// The nonce.
        slot: nonce_slots::Model,
        /// The transaction that has it.
        row: Outline,
        /// What used it, where that can be named.
        by: Option<TransactionHash>,
        /// In which block.
        block: BlockRef,
        /// On whose word.
        evidence: Evidence,
    },
    /// An approved transaction keeps a nonce that a sent one waits for: its time begins to run.
    GiveWay(Outline),
    /// That time is over.
    GaveWay(Outline),
    /// A void nonce stands before one that was sent: its cancel is to be sent, this form.
    Fill(payloads::Form),
    /// This form is to be sent, or sent again.
    Send(payloads::Form),
    /// Nodes refuse a payment for good.
    Refuse {
        /// The payment.
        form: payloads::Form,
        /// In the node's words.
        reason: String,
    },
    /// A transaction waits for something else than it says.
    Wait {
        /// The transaction.
        row: Outline,
        /// For what it waits.
        waiting: Waiting,
        /// A form of it that a node took for the first time.
        accepted: Option<TransactionHash>,
    },
}

/// What a transaction waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// For what.
    pub reason: WaitingReason,
    /// More of that, in words.
    pub detail: Option<String>,
    /// Which transaction has to go first.
    pub blocked_by: Option<TransactionId>,
}

impl Waiting {
    pub(super) fn new(reason: WaitingReason) -> Self {
        Self { reason, detail: None, blocked_by: None }
    }

    pub(super) fn with(reason: WaitingReason, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(reason) }
    }

    /// The words as they are kept.
    pub(super) fn text(&self) -> Option<Text> {
        let words: String = self.detail.as_ref()?.chars().take(280).collect();
        words.parse().ok()
    }

    pub(super) fn is_told(&self, row: &Outline) -> bool {
        row.waiting_reason == Some(self.reason)
            && row.waiting_detail == self.text()
            && row.blocked_by == self.blocked_by
    }
}
