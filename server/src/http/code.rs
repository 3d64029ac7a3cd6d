//! The codes of problems: what a program branches on.

use poem::http::StatusCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $text:literal, $title:literal, $retryable:literal;)+) => {
        /// Why a request was not done. The words are stable; new ones may be added.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The HTTP status it always comes with.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// A short summary that is the same for every occurrence (RFC 9457 section 3.1.3).
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// Whether the same request, sent again later, may succeed.
            pub fn is_retryable(self) -> bool {
                match self { $(Self::$name => $retryable,)+ }
            }
        }
    };
}

codes! {
    /// The request is malformed.
    InvalidRequest = BAD_REQUEST, "invalid_request", "The request is not valid", false;
    /// The password that was chosen is too easy to guess.
    WeakPassword = BAD_REQUEST, "weak_password", "The password is too weak", false;
    /// This server does not serve that chain.
    UnknownChain = BAD_REQUEST, "unknown_chain", "The chain is not known here", false;
    /// No credential, or one that is not valid any more.
    Unauthenticated = UNAUTHORIZED, "unauthenticated", "A valid credential is required", false;
    /// Wrong username or password.
    InvalidCredentials = UNAUTHORIZED, "invalid_credentials", "The username or password is wrong", false;
    /// Wrong one-time code.
    MfaInvalid = UNAUTHORIZED, "mfa_invalid", "The one-time code is wrong", false;
    /// A one-time code that was used before.
    MfaReplayed = UNAUTHORIZED, "mfa_replayed", "The one-time code was used already", false;
    /// The credential is valid, but not for this.
    Forbidden = FORBIDDEN, "forbidden", "This credential may not do that", false;
    /// An authenticator app must be set up first.
    MfaRequired = FORBIDDEN, "mfa_required", "An authenticator app must be set up first", false;
    /// The password must be given again.
    StepUpRequired = FORBIDDEN, "step_up_required", "The password must be given again", false;
    /// There is no such thing, or it belongs to someone else.
    NotFound = NOT_FOUND, "not_found", "There is no such thing", false;
    /// The path exists, the method does not.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "The method is not allowed here", false;
    /// The request took too long to arrive.
    RequestTimeout = REQUEST_TIMEOUT, "request_timeout", "The request took too long to arrive", true;
    /// The thing is not in a state that allows this.
    InvalidState = CONFLICT, "invalid_state", "The state does not allow this", false;
    /// The digest is not the one of the transaction.
    DigestMismatch = CONFLICT, "digest_mismatch", "The digest is of something else", false;
    /// What was shown has changed; the refreshed transaction comes along.
    PreviewChanged = CONFLICT, "preview_changed", "What was shown has changed", false;
    /// A warning must be acknowledged by name.
    AcknowledgementRequired = CONFLICT, "acknowledgement_required", "A warning must be acknowledged", false;
    /// The address was used elsewhere, with the same key.
    NonceUsedElsewhere = CONFLICT, "nonce_used_elsewhere", "The address was used outside this server", false;
    /// Someone has that name.
    UsernameTaken = CONFLICT, "username_taken", "The username is taken", false;
    /// The server holds this key already.
    WalletExists = CONFLICT, "wallet_exists", "The wallet exists already", false;
    /// The time to do this is over.
    Expired = GONE, "expired", "The time for this is over", false;
    /// The body is too large.
    PayloadTooLarge = PAYLOAD_TOO_LARGE, "payload_too_large", "The body is too large", false;
    /// The body is not JSON.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The body must be JSON", false;
    /// The transaction would revert.
    SimulationFailed = UNPROCESSABLE_ENTITY, "simulation_failed", "The transaction would fail", false;
    /// The wallet does not hold enough.
    InsufficientFunds = UNPROCESSABLE_ENTITY, "insufficient_funds", "The wallet does not hold enough", false;
    /// The idempotency key came with another body before.
    IdempotencyMismatch = UNPROCESSABLE_ENTITY, "idempotency_mismatch", "The key was used for another request", false;
    /// Too many requests in a short time.
    RateLimited = TOO_MANY_REQUESTS, "rate_limited", "Too many requests", true;
    /// Too many transactions wait for a decision.
    TooManyPending = TOO_MANY_REQUESTS, "too_many_pending", "Too many transactions wait for a decision", true;
    /// Something stored was altered; nothing is done with it.
    IntegrityError = INTERNAL_SERVER_ERROR, "integrity_error", "Stored data is damaged", false;
    /// A fault of the server.
    InternalError = INTERNAL_SERVER_ERROR, "internal_error", "The server failed", false;
    /// No node of the chain answers.
    ChainUnavailable = SERVICE_UNAVAILABLE, "chain_unavailable", "The chain cannot be reached", true;
    /// The database does not answer.
    StorageUnavailable = SERVICE_UNAVAILABLE, "storage_unavailable", "The database cannot be reached", true;
    /// The server has too much to do.
    Busy = SERVICE_UNAVAILABLE, "busy", "The server is busy", true;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_one_of_its_own_and_only_errors_have_codes() {
        let words: std::collections::HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| code.status().is_client_error() || code.status().is_server_error()));
    }
}
