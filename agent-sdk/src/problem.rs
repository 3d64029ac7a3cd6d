//! The server's refusals, as RFC 9457 problems.

use serde::Deserialize;
use uuid::Uuid;

use crate::{Transaction, open_text::open_text};

/// A refusal in the server's words (RFC 9457, `application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// Machine-readable reason.
    pub code: ErrorCode,
    /// HTTP status.
    pub status: u16,
    /// The kind of problem, for people.
    pub title: String,
    /// This problem, for people.
    #[serde(default)]
    pub detail: String,
    /// The request's id, to be found in the server's log.
    #[serde(default)]
    pub request_id: String,
    /// Whether the same request may succeed later.
    #[serde(default)]
    pub retryable: bool,
    /// Whether the server may have acted all the same: it does not know whether its database kept
    /// what the request did. Look before asking for the same under another idempotency key.
    #[serde(default)]
    pub may_have_happened: bool,
    /// The transaction as it is now, when the problem is that it has changed or that its warnings
    /// have to be acknowledged.
    #[serde(default)]
    pub transaction: Option<Box<Transaction>>,
    /// Why the transaction would revert, in the contract's words.
    #[serde(default)]
    pub revert_reason: Option<String>,
    /// Which of several transactions this is about.
    #[serde(default)]
    pub transaction_id: Option<Uuid>,
}

open_text! {
    /// Why the server refused. New codes may appear: match with a wildcard arm.
    pub enum ErrorCode {
        /// 400: a field is missing, unknown or malformed.
        InvalidRequest = "invalid_request",
        /// 400: the password is too short, too long or too well known.
        WeakPassword = "weak_password",
        /// 400: the server does not know this chain, or needs to be told which one.
        UnknownChain = "unknown_chain",
        /// 401: no credential, or one that is not valid (any more).
        Unauthenticated = "unauthenticated",
        /// 401: wrong username or password.
        InvalidCredentials = "invalid_credentials",
        /// 401: wrong code.
        MfaInvalid = "mfa_invalid",
        /// 401: this code was used before; wait for the next one.
        MfaReplayed = "mfa_replayed",
        /// 403: this credential may not do that.
        Forbidden = "forbidden",
        /// 403: set up a second factor first.
        MfaRequired = "mfa_required",
        /// 403: a stronger proof of presence is needed.
        StepUpRequired = "step_up_required",
        /// 404: no such thing, or it belongs to someone else.
        NotFound = "not_found",
        /// 405: the path exists, the method does not.
        MethodNotAllowed = "method_not_allowed",
        /// 408: the request took too long to arrive.
        RequestTimeout = "request_timeout",
        /// 409: not possible in the transaction's present state.
        InvalidState = "invalid_state",
        /// 409: the digest sent is not the transaction's.
        DigestMismatch = "digest_mismatch",
        /// 409: it costs more or does worse than was shown, or was repriced since it was prepared and
        /// the approval names no digest; look again at [`Problem::transaction`].
        PreviewChanged = "preview_changed",
        /// 409: a warning has to be acknowledged first; it is in [`Problem::transaction`].
        AcknowledgementRequired = "acknowledgement_required",
        /// 409: the wallet's key was used outside this server.
        NonceUsedElsewhere = "nonce_used_elsewhere",
        /// 409: choose another username.
        UsernameTaken = "username_taken",
        /// 409: the server holds a wallet with this address already.
        WalletExists = "wallet_exists",
        /// 410: too late.
        Expired = "expired",
        /// 413: the request is too large.
        PayloadTooLarge = "payload_too_large",
        /// 415: the request is not JSON.
        UnsupportedMediaType = "unsupported_media_type",
        /// 422: the transaction would revert; [`Problem::revert_reason`] may say why.
        SimulationFailed = "simulation_failed",
        /// 422: the wallet cannot pay for it.
        InsufficientFunds = "insufficient_funds",
        /// 422: this idempotency key was used for another request.
        IdempotencyMismatch = "idempotency_mismatch",
        /// 429: too many requests.
        RateLimited = "rate_limited",
        /// 429: too many transactions wait for a decision.
        TooManyPending = "too_many_pending",
        /// 500: stored data failed a check; the operator has to look.
        IntegrityError = "integrity_error",
        /// The server failed in a way that it did not expect.
        InternalError = "internal_error",
        /// 503: the chain's node does not answer.
        ChainUnavailable = "chain_unavailable",
        /// 503: the database does not answer.
        StorageUnavailable = "storage_unavailable",
        /// 503: too much to do at present.
        Busy = "busy",
    }
}
