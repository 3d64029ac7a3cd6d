//! Every way a request can fail, each with its stable code.

use std::time::Duration;

use super::transactions::Transaction;
use crate::{
    abi::AbiError,
    chain::ChainError,
    keys,
    state::permits::Busy,
    store,
    value::{Status, TransactionId},
};

/// Why a request failed. The text is for the caller: it never holds a secret, SQL, a path or a node's URL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request makes no sense as it is.
    #[error("{0}")]
    Invalid(&'static str),
    /// A contract's interface, a function or its arguments make no sense.
    #[error(transparent)]
    Abi(#[from] AbiError),
    /// A password that may not be chosen.
    #[error("choose a password of at least 12 bytes that is not your username and not one character repeated")]
    WeakPassword,
    /// A chain that this server does not serve.
    #[error("this server does not serve that chain")]
    UnknownChain,
    /// No credential, or none that is good.
    #[error("log in, or give a valid API key")]
    Unauthenticated,
    /// A wrong name or password.
    #[error("the username or password is wrong")]
    InvalidCredentials,
    /// A wrong code.
    #[error("the code is wrong")]
    MfaInvalid,
    /// A code that was spent already.
    #[error("this code was used already; wait for the next one")]
    MfaReplayed,
    /// A credential that is good for other things.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Decisions need a second factor, and there is none.
    #[error("set up MFA first")]
    MfaRequired,
    /// Nothing by that id, or not the caller's.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The transaction is in a status that does not allow this.
    #[error("the transaction is {0}")]
    InvalidState(Status),
    /// What the human saw is not what would be signed.
    #[error("the digest is not that of this transaction; look at it again")]
    DigestMismatch,
    /// The market, or what would happen, has moved past what the human saw.
    #[error(
        "it costs more, or does something worse, than was shown; look at the refreshed transaction and approve that"
    )]
    PreviewChanged(Box<Transaction>),
    /// Clearing a nonce costs more than was shown, or is another matter now.
    #[error("it costs more than was shown, or is another matter now; look at it again")]
    ClearingChanged,
    /// Grave warnings that the human did not acknowledge.
    #[error("acknowledge these warnings to go on: {}", codes.join(", "))]
    AcknowledgementRequired {
        /// The codes of the warnings.
        codes: Vec<String>,
        /// What they warn of.
        transaction: Box<Transaction>,
    },
    /// One transaction of a batch is why nothing was done.
    #[error("{error}")]
    InBatch {
        /// Which.
        transaction_id: TransactionId,
        /// What is wrong with it.
        error: Box<Error>,
    },
    /// Somebody else signs for this account.
    #[error("this wallet was used elsewhere; acknowledge `nonce_used_elsewhere` to go on")]
    NonceUsedElsewhere,
    /// The name is taken.
    #[error("this username is taken")]
    UsernameTaken,
    /// The server holds this key already, perhaps for somebody else.
    #[error("this server holds a wallet with this address already")]
    WalletExists,
    /// A keystore that does not open.
    #[error("keystore: {0}")]
    Keystore(#[from] keys::KeystoreError),
    /// The time to decide or execute is over.
    #[error("the transaction has expired")]
    Expired,
    /// The call would fail on the chain.
    #[error("the transaction would fail: {0}")]
    SimulationFailed(String),
    /// The wallet does not hold enough.
    #[error("the wallet does not hold the amount and its worst-case fee, beside what is approved already")]
    InsufficientFunds,
    /// An idempotency key came back with another request.
    #[error("this idempotency key was used for another request")]
    IdempotencyMismatch,
    /// Too many wrong guesses.
    #[error("too many wrong attempts; wait before the next one")]
    RateLimited(Duration),
    /// The agent has too much waiting for a decision.
    #[error("too many transactions of this agent wait for a decision")]
    TooManyPending,
    /// Something at rest is not what was written.
    #[error("a stored record failed its integrity check; nothing was done")]
    Integrity(&'static str),
    /// The chain's node gives no usable answer.
    #[error("the chain cannot be reached")]
    ChainUnavailable(#[source] ChainError),
    /// The database gives no usable answer.
    #[error("the storage cannot be reached")]
    StorageUnavailable(#[source] store::Error),
    /// The database did not say whether it committed.
    #[error("the storage did not say whether this was done; look before asking again")]
    MayHaveHappened(#[source] store::Error),
    /// Too much at once.
    #[error("the server is busy; try again")]
    Busy,
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) | Self::Abi(_) | Self::Keystore(_) => "invalid_request",
            Self::InBatch { error, .. } => error.code(),
            Self::WeakPassword => "weak_password",
            Self::UnknownChain => "unknown_chain",
            Self::Unauthenticated => "unauthenticated",
            Self::InvalidCredentials => "invalid_credentials",
            Self::MfaInvalid => "mfa_invalid",
            Self::MfaReplayed => "mfa_replayed",
            Self::Forbidden(_) => "forbidden",
            Self::MfaRequired => "mfa_required",
            Self::NotFound(_) => "not_found",
            Self::InvalidState(_) => "invalid_state",
            Self::DigestMismatch => "digest_mismatch",
            Self::PreviewChanged(_) | Self::ClearingChanged => "preview_changed",
            Self::AcknowledgementRequired { .. } => "acknowledgement_required",
            Self::NonceUsedElsewhere => "nonce_used_elsewhere",
            Self::UsernameTaken => "username_taken",
            Self::WalletExists => "wallet_exists",
            Self::Expired => "expired",
            Self::SimulationFailed(_) => "simulation_failed",
            Self::InsufficientFunds => "insufficient_funds",
            Self::IdempotencyMismatch => "idempotency_mismatch",
            Self::RateLimited(_) => "rate_limited",
            Self::TooManyPending => "too_many_pending",
            Self::Integrity(_) => "integrity_error",
            Self::ChainUnavailable(_) => "chain_unavailable",
            Self::StorageUnavailable(_) | Self::MayHaveHappened(_) => "storage_unavailable",
            Self::Busy => "busy",
        }
    }

    /// What is wrong, for whoever watches over the server or waits for an account: what a chain's node said too, and which
    /// kind of record is damaged.
    pub fn words(&self) -> String {
        match self {
            Self::ChainUnavailable(cause) => cause.words(),
            Self::Integrity(record) => format!("a stored record failed its integrity check: {record}"),
            other => other.to_string(),
        }
    }

    /// When to try again, where that helps.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited(wait) => Some(*wait),
            Self::TooManyPending => Some(Duration::from_secs(60)),
            Self::ChainUnavailable(_) | Self::StorageUnavailable(_) | Self::MayHaveHappened(_) => {
                Some(Duration::from_secs(5))
            }
            Self::Busy => Some(Duration::from_secs(1)),
            Self::InBatch { error, .. } => error.retry_after(),
            _ => None,
        }
    }
}

/// The result of a rule.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            // A conflict that a rule does not expect is a race: the same request succeeds or fails clearly next time.
            store::Error::Conflict => Self::Busy,
            unknown @ (store::Error::CommitUnknown(_) | store::Error::NotNoted(_)) => Self::MayHaveHappened(unknown),
            unavailable => Self::StorageUnavailable(unavailable),
        }
    }
}

impl From<ChainError> for Error {
    fn from(error: ChainError) -> Self {
        Self::ChainUnavailable(error)
    }
}

impl From<keys::Busy> for Error {
    fn from(_: keys::Busy) -> Self {
        Self::Busy
    }
}

impl From<Busy> for Error {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}
