//! Refusals and failures, as `application/problem+json` (RFC 9457).

use std::time::Duration;

use poem::http::StatusCode;
use poem_openapi::{ApiResponse, Object, payload::Json};

use super::{code::Code, errors, request_id, transactions::Transaction};
use crate::{
    domain,
    value::{TransactionId, text::is_deceptive},
};

/// How long a caller is told to wait when nothing better is known.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Why a request was not done.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Problem", skip_serializing_if_is_none)]
pub struct ProblemDocument {
    /// A name for the kind of problem: `urn:wallet-server:problem:` and the code.
    #[oai(rename = "type")]
    kind: String,
    /// A short summary, the same for every problem with this code.
    title: String,
    /// The HTTP status of this answer.
    status: u16,
    /// What a program should branch on. New codes may be added.
    code: String,
    /// What a person should read: what is wrong with this very request. It never repeats what was sent.
    detail: String,
    /// The id under which the server logged this request; also in the header `X-Request-Id`.
    request_id: String,
    /// Whether the same request may succeed when it is sent again later.
    retryable: bool,
    /// With `preview_changed`, but for `clear_nonce`: the transaction as it is now, with its new digest. With
    /// `acknowledgement_required`: the one that is warned of.
    transaction: Option<Box<Transaction>>,
    /// In a batch: the transaction that is why nothing was done.
    transaction_id: Option<TransactionId>,
    /// With `simulation_failed`: why, in the contract's words.
    revert_reason: Option<String>,
    /// With `storage_unavailable`: true when the database did not say whether it did what was asked. Look before asking
    /// again.
    may_have_happened: Option<bool>,
}

/// Every answer that is not a success.
#[derive(Debug, ApiResponse)]
pub enum Problem {
    /// The request was refused.
    #[oai(status_range = "4XX", content_type = "application/problem+json")]
    Refused(
        StatusCode,
        Json<Box<ProblemDocument>>,
        /// After how many seconds to try again; with status 429.
        #[oai(header = "Retry-After")]
        Option<u64>,
        /// Which credential to send; with status 401.
        #[oai(header = "WWW-Authenticate")]
        Option<String>,
    ),
    /// The server could not do it.
    #[oai(status_range = "5XX", content_type = "application/problem+json")]
    Failed(
        StatusCode,
        Json<Box<ProblemDocument>>,
        /// After how many seconds to try again; with status 503.
        #[oai(header = "Retry-After")]
        Option<u64>,
    ),
}

impl Problem {
    /// A problem with this code. `detail` is for people and must never repeat what was sent.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self::build(code, detail.into(), RETRY_AFTER, Extras::default())
    }

    /// The request is malformed.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, detail)
    }

    fn build(code: Code, detail: String, wait: Duration, extras: Extras) -> Self {
        let Extras { transaction, transaction_id, revert_reason, may_have_happened } = extras;
        let status = code.status();
        let document = Json(Box::new(ProblemDocument {
            kind: format!("urn:wallet-server:problem:{}", code.as_str()),
            title: code.title().to_owned(),
            status: status.as_u16(),
            code: code.as_str().to_owned(),
            // Some details quote what a chain answered.
            detail: shown(&detail),
            request_id: request_id::current(),
            retryable: code.is_retryable(),
            transaction,
            transaction_id,
            revert_reason: revert_reason.map(|reason| shown(&reason)),
            may_have_happened: may_have_happened.then_some(true),
        }));
        let waits = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        // Rounded up: a caller that comes back in time must not be too early.
        let retry_after = waits.then(|| wait.as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX));
        if status.is_server_error() {
            return Self::Failed(status, document, retry_after);
        }
        let challenge = (status == StatusCode::UNAUTHORIZED).then(|| "Bearer realm=\"wallet-server\"".to_owned());
        Self::Refused(status, document, retry_after, challenge)
    }
}

/// What some problems say beside their words.
#[derive(Default)]
struct Extras {
    transaction: Option<Box<Transaction>>,
    transaction_id: Option<TransactionId>,
    revert_reason: Option<String>,
    may_have_happened: bool,
}

fn shown(text: &str) -> String {
    text.chars().filter(|&character| !is_deceptive(character)).collect()
}

impl From<domain::Error> for Problem {
    fn from(error: domain::Error) -> Self {
        let (transaction_id, error) = match error {
            domain::Error::InBatch { transaction_id, error } => (Some(transaction_id), *error),
            error => (None, error),
        };
        let code = code_of(&error);
        let (detail, wait) = (error.to_string(), error.retry_after().unwrap_or(RETRY_AFTER));
        if code.status().is_server_error() {
            errors::log(code, &error);
        }
        let extras = match error {
            domain::Error::PreviewChanged(transaction)
            | domain::Error::AcknowledgementRequired { transaction, codes: _ } => {
                Extras { transaction: Some(Box::new(Transaction::from(*transaction))), ..Extras::default() }
            }
            domain::Error::SimulationFailed(reason) => Extras { revert_reason: Some(reason), ..Extras::default() },
            domain::Error::MayHaveHappened(_) => Extras { may_have_happened: true, ..Extras::default() },
            _ => Extras::default(),
        };
        Self::build(code, detail, wait, Extras { transaction_id, ..extras })
    }
}

fn code_of(error: &domain::Error) -> Code {
    use domain::Error;
    match error {
        Error::Invalid(_) | Error::Abi(_) | Error::Keystore(_) => Code::InvalidRequest,
        Error::WeakPassword => Code::WeakPassword,
        Error::UnknownChain => Code::UnknownChain,
        Error::Unauthenticated => Code::Unauthenticated,
        Error::InvalidCredentials => Code::InvalidCredentials,
        Error::MfaInvalid => Code::MfaInvalid,
        Error::MfaReplayed => Code::MfaReplayed,
        Error::Forbidden(_) => Code::Forbidden,
        Error::MfaRequired => Code::MfaRequired,
        Error::NotFound(_) => Code::NotFound,
        Error::InvalidState(_) => Code::InvalidState,
        Error::DigestMismatch => Code::DigestMismatch,
        Error::PreviewChanged(_) | Error::ClearingChanged => Code::PreviewChanged,
        Error::AcknowledgementRequired { .. } => Code::AcknowledgementRequired,
        Error::InBatch { error, .. } => code_of(error),
        Error::NonceUsedElsewhere => Code::NonceUsedElsewhere,
        Error::UsernameTaken => Code::UsernameTaken,
        Error::WalletExists => Code::WalletExists,
        Error::Expired => Code::Expired,
        Error::SimulationFailed(_) => Code::SimulationFailed,
        Error::InsufficientFunds => Code::InsufficientFunds,
        Error::IdempotencyMismatch => Code::IdempotencyMismatch,
        Error::RateLimited(_) => Code::RateLimited,
        Error::TooManyPending => Code::TooManyPending,
        Error::Integrity(_) => Code::IntegrityError,
        Error::ChainUnavailable(_) => Code::ChainUnavailable,
        Error::StorageUnavailable(_) | Error::MayHaveHappened(_) => Code::StorageUnavailable,
        Error::Busy => Code::Busy,
    }
}

#[cfg(test)]
mod tests {
    use poem::{IntoResponse, http::header};

    use super::*;

    #[test]
    fn the_time_to_wait_is_told_in_whole_seconds_rounded_up() {
        let problem = Problem::from(domain::Error::RateLimited(Duration::from_millis(1500)));
        let response = problem.into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.header(header::RETRY_AFTER), Some("2"));
        assert_eq!(response.content_type(), Some("application/problem+json"));
    }

    #[test]
    fn a_missing_credential_names_the_scheme_and_nothing_else_asks_to_wait() {
        let response = Problem::from(domain::Error::Unauthenticated).into_response();
        assert!(response.headers().contains_key(header::WWW_AUTHENTICATE));
        assert!(!response.headers().contains_key(header::RETRY_AFTER));
    }

    #[test]
    fn every_error_of_the_domain_has_the_code_it_names() {
        for error in
            [domain::Error::Busy, domain::Error::Expired, domain::Error::Integrity("x"), domain::Error::NotFound("y")]
        {
            let named = error.code();
            let (Problem::Refused(_, document, ..) | Problem::Failed(_, document, ..)) = Problem::from(error);
            assert_eq!(document.0.code, named);
        }
    }
}
