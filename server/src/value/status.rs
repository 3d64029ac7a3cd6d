//! Where a transaction and a nonce stand.

macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every state.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word for it on the wire and in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::value::Invalid;

            fn from_str(text: &str) -> Result<Self, $crate::value::Invalid> {
                Self::ALL.iter().copied().find(|state| state.as_str() == text).ok_or($crate::value::Invalid("unknown state"))
            }
        }

        $crate::value::serde_text!($name);
    };
}
pub(super) use states;

states!(
    /// The states of a transaction; docs/ARCHITECTURE.md draws the edges between them.
    Status {
        /// Waits for a human's decision.
        Pending = "pending",
        /// A human approved it; it is signed and waits for the agent to execute it.
        Authorized = "authorized",
        /// A byte of it may have left this server.
        Submitted = "submitted",
        /// In a block that is not final yet.
        Mined = "mined",
        /// Final: it happened.
        Confirmed = "confirmed",
        /// Final: it was included and failed on the chain; only the fee was paid.
        Reverted = "reverted",
        /// Final: a human said no.
        Rejected = "rejected",
        /// Final: nobody decided, or the agent did not execute, in time.
        Expired = "expired",
        /// Final: withdrawn; after submission, replaced by its own cancel.
        Cancelled = "cancelled",
        /// Final: nodes refused it for good, and its cancel took the nonce.
        Failed = "failed",
        /// Final: something that is not ours used the nonce.
        Superseded = "superseded",
    }
);

impl Status {
    /// Whether the story normally ends here.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Authorized | Self::Submitted | Self::Mined)
    }
}

states!(
    /// The states of a nonce.
    SlotState {
        /// Signed bytes use it and none has left.
        Held = "held",
        /// Its transaction ended unsent; only its cancel may still be sent.
        Void = "void",
        /// A byte that uses it may have left.
        Sent = "sent",
        /// The chain has finalized it.
        Used = "used",
    }
);

states!(
    /// What a transaction waits for.
    WaitingReason {
        /// For a human.
        Decision = "decision",
        /// For its agent.
        Execution = "execution",
        /// A node has it: for a block to include it.
        InPool = "in_pool",
        /// To be sent: no node has taken it yet, for the reason that is told beside it.
        NotSent = "not_sent",
        /// For the price to come down: no signed form pays enough now.
        FeeTooLow = "fee_too_low",
        /// For the wallet to hold enough.
        InsufficientFunds = "insufficient_funds",
        /// For a transaction with a lower nonce.
        BehindNonce = "behind_nonce",
        /// For the node to answer.
        NodeUnreachable = "node_unreachable",
        /// Nodes refuse it; when they go on, its cancel takes its nonce.
        Refused = "refused",
        /// For its block to become final.
        Finality = "finality",
        /// The chain has used its nonce for something that is not ours, as far as can be seen yet.
        NonceUsedElsewhere = "nonce_used_elsewhere",
        /// For its owner: nothing goes on by itself.
        NeedsOwner = "needs_owner",
    }
);

states!(
    /// Who sets a transaction going once it is approved.
    Execute {
        /// Its agent, when it is ready.
        Agent = "agent",
        /// The approval itself.
        OnApproval = "on_approval",
    }
);

states!(
    /// What a final state rests on.
    Evidence {
        /// One node has shown it.
        Single = "single",
        /// Several nodes have shown it, and none has shown anything else.
        Agreed = "agreed",
        /// Its owner said so, with a code.
        Owner = "owner",
    }
);

states!(
    /// What signed bytes do.
    PayloadKind {
        /// What was approved, at one rung of the fee ladder.
        Payment = "payment",
        /// Nothing, at the same nonce: zero to oneself.
        Cancel = "cancel",
    }
);

states!(
    /// How much a warning matters.
    Severity {
        /// Good to know.
        Low = "low",
        /// Worth a second look.
        Medium = "medium",
        /// A reason to say no.
        High = "high",
    }
);

states!(
    /// Why a submitted transaction is being replaced by its cancel.
    CancelCause {
        /// Its owner or agent asked.
        Asked = "asked",
        /// Nodes refuse it for good.
        Refused = "refused",
    }
);
