//! What can go wrong.

use std::time::Duration;

use alloy::primitives::B256;
use uuid::Uuid;

use crate::{ErrorCode, Problem, Transaction, clean::clean};

/// Why a call did not succeed. Contains no password, key, token or code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server refused.
    #[error("{} ({})", words(problem), problem.code)]
    Refused {
        /// What the server said.
        problem: Box<Problem>,
        /// When to try again, if the server said so.
        retry_after: Option<Duration>,
    },

    /// The transaction was decided, and not in its favour: rejected, expired or cancelled.
    #[error(
        "transaction {} was not approved: it is {}{}",
        transaction.transaction_id,
        transaction.status,
        reason(transaction)
    )]
    NotApproved {
        /// The transaction, with its `reason`.
        transaction: Box<Transaction>,
    },

    /// The wait limit passed first. The transaction goes on; ask again later.
    #[error("transaction {transaction_id} is still under way after the wait limit")]
    StillWaiting {
        /// Which transaction.
        transaction_id: Uuid,
        /// As last seen; none when the server never answered.
        transaction: Option<Box<Transaction>>,
    },

    /// The server's digest is not the digest of the fields it sent. Do not approve or execute: the
    /// server, or someone between, shows one thing and means another.
    #[error("the digest of transaction {transaction_id} does not belong to its fields")]
    DigestMismatch {
        /// Which transaction.
        transaction_id: Uuid,
        /// What the server claimed.
        claimed: B256,
        /// What its fields give.
        computed: B256,
    },

    /// The same for what would use up a nonce. Nothing was sent.
    #[error("the digest of what would use up nonce {nonce} does not belong to its fields")]
    ClearingMismatch {
        /// Which nonce.
        nonce: u64,
        /// What the server claimed.
        claimed: B256,
        /// What its fields give.
        computed: B256,
    },

    /// The server answered about another account, chain or nonce than was asked about.
    #[error("the server answered {path} with something else than was asked for")]
    AnotherAnswer {
        /// The call's path.
        path: &'static str,
    },

    /// No connection came about: the server did not see the request.
    #[error("the server cannot be reached")]
    Unreachable(#[source] reqwest::Error),

    /// No answer in time: the server may or may not have acted.
    #[error("the server did not answer in time")]
    TimedOut(#[source] reqwest::Error),

    /// The connection broke: the server may or may not have acted.
    #[error("the connection to the server was lost")]
    ConnectionLost(#[source] reqwest::Error),

    /// An answer that is not this server's, for instance from a proxy in between.
    #[error("unexpected answer with HTTP status {status}")]
    UnexpectedAnswer {
        /// HTTP status.
        status: u16,
        /// The request's id, if the answer named it.
        request_id: Option<String>,
        /// When to try again, if the answer said so.
        retry_after: Option<Duration>,
    },

    /// A successful answer that this version of the SDK cannot read. Its text is withheld: it may
    /// hold secrets.
    #[error("unreadable answer to {path} at line {line}, column {column}")]
    InvalidAnswer {
        /// The call's path.
        path: &'static str,
        /// Where reading stopped, from 1.
        line: usize,
        /// Where reading stopped, from 1.
        column: usize,
    },

    /// An answer above 8 MiB.
    #[error("the answer to {path} is too large")]
    AnswerTooLarge {
        /// The call's path.
        path: &'static str,
    },

    /// A request that cannot be sent as it is.
    #[error("invalid request: {0}")]
    InvalidRequest(&'static str),

    /// The call needs a session, and there is none: log in first.
    #[error("not logged in")]
    NotLoggedIn,

    /// The API key is incomplete or mistyped: its form or its checksum is wrong.
    #[error("not an API key: expected wak_<agent>_<secret>_<checksum>, complete and unchanged")]
    InvalidApiKey,

    /// The base URL is not one.
    #[error("invalid base URL: {0}")]
    InvalidBaseUrl(&'static str),

    /// The base URL is plain HTTP to another machine, where anyone on the way could read the
    /// credential.
    #[error("refusing plain http to {host}: use https, or allow insecure http explicitly")]
    InsecureHttp {
        /// The other machine.
        host: String,
    },

    /// Root certificates were given, but there is none among them.
    #[error("no PEM certificate found in the root certificates")]
    NoRootCertificate,

    /// TLS could not be set up, for instance because a root certificate is malformed.
    #[error("TLS cannot be set up")]
    Tls(#[source] reqwest::Error),
}

impl Error {
    /// The server's machine-readable reason, when the server refused.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        self.problem().map(|problem| problem.code.clone())
    }

    /// The server's refusal in full.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused { problem, .. } => Some(problem),
            _ => None,
        }
    }

    /// The HTTP status, when there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { problem, .. } => Some(problem.status),
            Self::UnexpectedAnswer { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The request's id, to be found in the server's log.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Refused { problem, .. } => Some(problem.request_id.as_str()).filter(|id| !id.is_empty()),
            Self::UnexpectedAnswer { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }

    /// When to try again, if the server said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } | Self::UnexpectedAnswer { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Why the transaction would revert, in the contract's words, where it said so.
    #[must_use]
    pub fn revert_reason(&self) -> Option<&str> {
        self.problem()?.revert_reason.as_deref()
    }

    /// The transaction this is about: the refreshed one for `preview_changed`, the one with the
    /// warnings for `acknowledgement_required`, the last one seen for
    /// [`NotApproved`](Self::NotApproved) and [`StillWaiting`](Self::StillWaiting).
    #[must_use]
    pub fn transaction(&self) -> Option<&Transaction> {
        match self {
            Self::Refused { problem, .. } => problem.transaction.as_deref(),
            Self::NotApproved { transaction } => Some(transaction),
            Self::StillWaiting { transaction, .. } => transaction.as_deref(),
            _ => None,
        }
    }

    /// Whether the cause may pass by itself, so that trying again makes sense.
    ///
    /// For a call that spends a code, look first whether it has acted: see
    /// [`is_unprocessed`](Self::is_unprocessed).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused { problem, .. } => problem.retryable,
            Self::UnexpectedAnswer { status, .. } => matches!(status, 429 | 502..=504),
            Self::Unreachable(_) | Self::TimedOut(_) | Self::ConnectionLost(_) => true,
            _ => false,
        }
    }

    /// Whether there was no answer from the server, or none in time.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::TimedOut(_) | Self::ConnectionLost(_) => true,
            Self::UnexpectedAnswer { status, .. } => matches!(status, 502..=504),
            _ => false,
        }
    }

    /// Whether the cause may pass by itself and the server has certainly not acted: no connection
    /// came about, or the server was too busy (429, 503) and does not say that it
    /// [may have acted](Self::may_have_happened).
    #[must_use]
    pub fn is_unprocessed(&self) -> bool {
        match self {
            Self::Refused { problem, .. } => {
                problem.retryable && matches!(problem.status, 429 | 503) && !problem.may_have_happened
            }
            Self::Unreachable(_) => true,
            _ => false,
        }
    }

    /// Whether the server may have done what it was asked to, although it did not say so: the answer
    /// was lost, or the server itself does not know. What carries an idempotency key can be sent
    /// again as it is; for anything else look first.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::Refused { problem, .. } => problem.may_have_happened,
            Self::UnexpectedAnswer { status, .. } => *status >= 500,
            Self::TimedOut(_) | Self::ConnectionLost(_) | Self::InvalidAnswer { .. } | Self::AnswerTooLarge { .. } => {
                true
            }
            _ => false,
        }
    }

    /// A failure of the transport, without the URL: it is the caller's own, and may hold ids.
    pub(crate) fn transport(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if error.is_connect() {
            Self::Unreachable(error)
        } else if error.is_timeout() {
            Self::TimedOut(error)
        } else {
            Self::ConnectionLost(error)
        }
    }
}

/// The most telling words of a problem.
fn words(problem: &Problem) -> &str {
    if problem.detail.is_empty() { &problem.title } else { &problem.detail }
}

/// The human's reason, if there is one, to follow the status.
fn reason(transaction: &Transaction) -> String {
    let reason = transaction.reason.as_deref().map(clean).unwrap_or_default();
    if reason.is_empty() { reason } else { format!(" ({reason})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Status, transaction::tests::transfer};

    #[test]
    fn a_no_is_told_with_the_humans_reason_cleaned() {
        let mut transaction = Box::new(transfer());
        transaction.status = Status::Rejected;
        transaction.reason = Some("paid\u{202e}\nlast week".into());
        let id = transaction.transaction_id;
        let error = Error::NotApproved { transaction: transaction.clone() };
        assert_eq!(error.to_string(), format!("transaction {id} was not approved: it is rejected (paid last week)"));

        transaction.reason = None;
        let error = Error::NotApproved { transaction };
        assert_eq!(error.to_string(), format!("transaction {id} was not approved: it is rejected"));
    }
}
