//! The one place that sends: credential, timeouts, repeats, size limit, and what came of it.

use std::fmt;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::backoff::Backoff;
use crate::call::Call;
use crate::{Error, Page, Problem, Secret, Transaction};

const LARGEST_ANSWER: usize = 8 * 1024 * 1024;
const LONG_POLL_MARGIN: Duration = Duration::from_secs(10);

/// Who is asking.
pub(crate) enum Credential {
    ApiKey(Secret),
    #[cfg(feature = "user")]
    Token(Secret),
}

/// A server, and who asks it.
pub(crate) struct Http {
    pub(crate) client: Client,
    /// Ends with a slash, so that joining keeps its path.
    pub(crate) base_url: Url,
    pub(crate) credential: RwLock<Option<Credential>>,
    pub(crate) timeout: Duration,
    pub(crate) attempts: u32,
    pub(crate) wait_limit: Option<Duration>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("base_url", &self.base_url.as_str()).finish_non_exhaustive()
    }
}

impl Http {
    /// Sends a call, again if need be, and reads the answer.
    pub(crate) async fn send<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let answer = self.exchange(&call).await?;
        serde_json::from_slice(&answer).map_err(|error| Error::InvalidAnswer {
            path: call.path,
            line: error.line(),
            column: error.column(),
        })
    }

    /// Sends a call that answers with a transaction, and checks the transaction's digest.
    pub(crate) async fn send_for_transaction(&self, call: Call) -> Result<Transaction, Error> {
        self.send::<Transaction>(call).await?.checked()
    }

    /// Sends a call that answers with transactions, and checks the digest of each.
    pub(crate) async fn send_for_transactions(&self, call: Call) -> Result<Page<Transaction>, Error> {
        let Page { items, next_cursor } = self.send::<Page<Transaction>>(call).await?;
        let items = items.into_iter().map(Transaction::checked).collect::<Result<_, _>>()?;
        Ok(Page { items, next_cursor })
    }

    /// Sends a call, again if need be; the answer's body.
    pub(crate) async fn exchange(&self, call: &Call) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut backoff = Backoff::new(call.repeat, self.attempts);
        loop {
            let error = match self.attempt(call).await {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            match backoff.pause(&error) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
        }
    }

    async fn attempt(&self, call: &Call) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut url = self.base_url.join(call.path).map_err(|_| Error::InvalidBaseUrl("cannot hold a path"))?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }

        let mut request = self.client.request(call.method.clone(), url);
        // A long poll is silent for as long as was asked for, and the answer needs a moment on top.
        request = request.timeout(match call.patience {
            Duration::ZERO => self.timeout,
            patience => patience + LONG_POLL_MARGIN,
        });
        if !call.anonymous {
            let (name, value) = self.credential_header()?;
            request = request.header(name, value);
        }
        if let Some(key) = &call.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_vec());
        }

        let response = request.send().await.map_err(Error::transport)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read(response, call.path).await?;
        if status.is_success() { Ok(body) } else { Err(refusal(status.as_u16(), &headers, &body)) }
    }

    fn credential_header(&self) -> Result<(&'static str, HeaderValue), Error> {
        let credential = self.credential.read().unwrap_or_else(PoisonError::into_inner);
        let (name, value) = match credential.as_ref() {
            Some(Credential::ApiKey(key)) => ("X-API-KEY", HeaderValue::from_str(key.expose())),
            #[cfg(feature = "user")]
            Some(Credential::Token(token)) => {
                let value = Zeroizing::new(format!("Bearer {}", token.expose()));
                ("Authorization", HeaderValue::from_str(&value))
            }
            None => return Err(Error::NotLoggedIn),
        };
        let mut value = value.map_err(|_| Error::InvalidRequest("the credential is not a header value"))?;
        value.set_sensitive(true);
        Ok((name, value))
    }
}

impl Transaction {
    /// Fails when the digest is not the digest of the fields.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        let computed = self.computed_digest();
        if self.digest != computed {
            let Self { transaction_id, digest: claimed, .. } = self;
            return Err(Error::DigestMismatch { transaction_id, claimed, computed });
        }
        Ok(self)
    }
}

/// Reads a body, and stops where it becomes unreasonable.
async fn read(mut response: Response, path: &'static str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(Error::transport)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Error::AnswerTooLarge { path });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What an answer without success means.
fn refusal(status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let retry_after = text(RETRY_AFTER.as_str()).and_then(|seconds| seconds.trim().parse().ok());
    let retry_after = retry_after.map(Duration::from_secs);
    let request_id = text("X-Request-Id").map(str::to_owned);

    let Ok(mut problem) = serde_json::from_slice::<Problem>(body) else {
        return Error::UnexpectedAnswer { status, request_id, retry_after };
    };
    // The status line decides; a body that claims another status is not believed.
    problem.status = status;
    if problem.request_id.is_empty() {
        problem.request_id = request_id.unwrap_or_default();
    }
    match problem.transaction.take().map(|transaction| transaction.checked()).transpose() {
        Ok(transaction) => {
            problem.transaction = transaction.map(Box::new);
            Error::Refused { problem: Box::new(problem), retry_after }
        }
        Err(mismatch) => mismatch,
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderName;
    use serde_json::{Value, json};

    use super::*;
    use crate::ErrorCode;
    use crate::transaction::tests::WIRE;

    fn problem(code: &str, status: u16) -> Value {
        json!({
            "type": format!("urn:wallet-server:problem:{code}"), "title": "a title",
            "status": status, "code": code, "detail": "some detail", "request_id": "r-1", "retryable": status == 503,
        })
    }

    fn refused(body: &Value, status: u16, headers: &[(&'static str, &'static str)]) -> Error {
        let pairs =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        refusal(status, &pairs.collect(), body.to_string().as_bytes())
    }

    #[test]
    fn a_problem_is_told_in_full() {
        let error = refused(&problem("busy", 503), 503, &[("retry-after", "7")]);
        assert_eq!(error.code(), Some(ErrorCode::Busy));
        assert_eq!(error.status(), Some(503));
        assert_eq!(error.request_id(), Some("r-1"));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert!(error.is_retryable() && error.is_unprocessed());
        assert_eq!(error.to_string(), "some detail (busy)");
    }

    #[test]
    fn a_code_of_a_newer_server_is_kept() {
        let error = refused(&problem("moon_phase", 409), 409, &[]);
        assert_eq!(error.code(), Some(ErrorCode::Other("moon_phase".into())));
        assert!(!error.is_retryable());
    }

    #[test]
    fn a_changed_preview_brings_the_new_transaction_with_its_digest_checked() {
        let mut body = problem("preview_changed", 409);
        body["transaction"] = serde_json::from_str(WIRE).expect("json");
        let error = refused(&body, 409, &[]);
        assert_eq!(error.transaction().map(|transaction| transaction.version), Some(1));

        body["transaction"]["value"] = "2".into();
        assert!(matches!(refused(&body, 409, &[]), Error::DigestMismatch { .. }));
    }

    #[test]
    fn a_missing_acknowledgement_brings_the_transaction_with_its_warnings() {
        let mut body = problem("acknowledgement_required", 409);
        body["transaction"] = serde_json::from_str(WIRE).expect("json");
        body["transaction_id"] = body["transaction"]["transaction_id"].clone();
        let error = refused(&body, 409, &[]);
        let transaction = error.transaction().expect("the transaction");
        assert_eq!(transaction.warnings[0].code, "first_time_recipient");
        let named = error.problem().and_then(|problem| problem.transaction_id);
        assert_eq!(named, Some(transaction.transaction_id));
    }

    #[test]
    fn a_failed_simulation_says_why_where_the_contract_did() {
        let mut body = problem("simulation_failed", 422);
        assert_eq!(refused(&body, 422, &[]).revert_reason(), None);
        body["revert_reason"] = "ERC20: transfer amount exceeds balance".into();
        let error = refused(&body, 422, &[]);
        assert_eq!(error.revert_reason(), Some("ERC20: transfer amount exceeds balance"));
    }

    #[test]
    fn an_answer_that_is_no_problem_keeps_its_status_and_request_id() {
        let error = refusal(502, &HeaderMap::new(), b"<html>bad gateway</html>");
        assert!(matches!(error, Error::UnexpectedAnswer { status: 502, .. }));
        assert!(error.is_retryable() && error.is_unreachable() && !error.is_unprocessed());

        let error = refused(&json!({}), 418, &[("x-request-id", "r-2")]);
        assert_eq!(error.request_id(), Some("r-2"));
        assert!(!error.is_retryable());
    }
}
