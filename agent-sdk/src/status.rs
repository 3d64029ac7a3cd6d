//! How far a transaction has come.

use crate::open_text::open_text;

open_text! {
    /// The state of a transaction. New states may appear: match with a wildcard arm.
    pub enum Status {
        /// Waiting for a human to authorize or reject it.
        Pending = "pending",
        /// Approved and signed; the agent may execute it until `execute_by`.
        Authorized = "authorized",
        /// Handed to the chain, or on its way there.
        Submitted = "submitted",
        /// In a block that may still be reorganised away.
        Mined = "mined",
        /// Final: in a finalized block, and it succeeded.
        Confirmed = "confirmed",
        /// Final: in a finalized block, and the chain reverted it. The gas was paid, nothing else
        /// moved.
        Reverted = "reverted",
        /// Final: the human said no.
        Rejected = "rejected",
        /// Final: nobody decided, or nobody executed, in time.
        Expired = "expired",
        /// Final: withdrawn by the agent or the user.
        Cancelled = "cancelled",
        /// Final: another transaction used its nonce.
        Superseded = "superseded",
        /// Final: the chain's nodes refused it for good.
        Failed = "failed",
    }
}

impl Status {
    /// Whether no later change is possible. An unknown state counts as not final.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Confirmed
            | Self::Reverted
            | Self::Rejected
            | Self::Expired
            | Self::Cancelled
            | Self::Superseded
            | Self::Failed => true,
            Self::Pending | Self::Authorized | Self::Submitted | Self::Mined | Self::Other(_) => false,
        }
    }

    /// Whether waiting for the human is over, whatever came of it. An unknown state counts as
    /// undecided.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        !matches!(self, Self::Pending | Self::Other(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_status_keeps_its_word_and_is_neither_decided_nor_final() {
        let status: Status = serde_json::from_str("\"dreaming\"").expect("any word is a status");
        assert_eq!(status, Status::Other("dreaming".into()));
        assert_eq!(status.to_string(), "dreaming");
        assert!(!status.is_decided() && !status.is_final());
    }

    #[test]
    fn every_final_status_is_decided_and_pending_is_not() {
        let words = ["confirmed", "reverted", "rejected", "expired", "cancelled", "superseded", "failed"];
        for status in words.map(Status::from) {
            assert!(status.is_final() && status.is_decided(), "{status}");
        }
        for status in ["authorized", "submitted", "mined"].map(Status::from) {
            assert!(!status.is_final() && status.is_decided(), "{status}");
        }
        assert!(!Status::Pending.is_decided());
    }
}
