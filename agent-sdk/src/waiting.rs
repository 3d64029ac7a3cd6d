//! What a transaction waits for, and what its end rests on.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::open_text::open_text;

/// What a transaction waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Waiting {
    /// For what.
    pub reason: WaitingReason,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// The same in a sentence for people, where there is more to say: a node's words, a price, a
    /// nonce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The transaction in the way, for [`WaitingReason::BehindNonce`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_by: Option<Uuid>,
}

open_text! {
    /// Why a transaction waits. New reasons may appear: match with a wildcard arm.
    ///
    /// None of them is an end: also a refused transaction, or one that needs its owner, is still
    /// under way.
    pub enum WaitingReason {
        /// A human has to decide.
        Decision = "decision",
        /// The agent has to execute it.
        Execution = "execution",
        /// A node has it, and a block has to include it.
        InPool = "in_pool",
        /// No node has taken it yet.
        NotSent = "not_sent",
        /// Blocks ask for more than it may pay at present.
        FeeTooLow = "fee_too_low",
        /// The wallet cannot pay for it at present.
        InsufficientFunds = "insufficient_funds",
        /// A lower nonce has to go first.
        BehindNonce = "behind_nonce",
        /// The chain's nodes do not answer.
        NodeUnreachable = "node_unreachable",
        /// Nodes refuse it; should they go on, its cancel is sent and the chain decides.
        Refused = "refused",
        /// Its block has to be finalized.
        Finality = "finality",
        /// Something else seems to have used its nonce; the block that did is being looked for.
        NonceUsedElsewhere = "nonce_used_elsewhere",
        /// Nothing goes on by itself: its owner has to act, for instance to clear a nonce.
        NeedsOwner = "needs_owner",
    }
}

open_text! {
    /// What a final state rests on. New words may appear: match with a wildcard arm.
    pub enum Evidence {
        /// One endpoint of the chain showed it.
        Single = "single",
        /// Two endpoints or more showed it, and no healthy one another thing.
        Agreed = "agreed",
        /// Its owner ended it with a code: the chain no longer shows what happened, or will not
        /// reach its nonce.
        Owner = "owner",
    }
}
