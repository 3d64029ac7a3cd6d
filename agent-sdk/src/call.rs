//! One request, before it is sent.

use std::time::Duration;

use reqwest::Method;
use serde::Serialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::Error;

/// When a failed call is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Repeating it does no harm: reads, idempotency keys, steps the server takes once.
    Freely,
    /// The same, for as long as the cause may pass.
    UntilAnswered,
    /// It spends a code or a password attempt: only when the server has certainly not acted.
    #[cfg_attr(not(any(test, feature = "user")), expect(dead_code, reason = "only a human has a code to spend"))]
    Unprocessed,
}

/// One request. Built in one place each, named after its operation.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Zeroizing<Vec<u8>>>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) anonymous: bool,
    pub(crate) repeat: Repeat,
    pub(crate) patience: Duration,
}

impl Call {
    fn new(method: Method, path: &'static str) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            body: None,
            idempotency_key: None,
            anonymous: false,
            repeat: Repeat::Freely,
            patience: Duration::ZERO,
        }
    }

    pub(crate) fn get(path: &'static str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: &'static str, body: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(body).map_err(|_| Error::InvalidRequest("not expressible as JSON"))?;
        Ok(Self { body: Some(Zeroizing::new(body)), ..Self::new(Method::POST, path) })
    }

    /// The wait for a transaction to differ from `known_version`; `wait` in whole seconds, at most
    /// 50.
    pub(crate) fn status(transaction_id: Uuid, known_version: Option<u64>, wait: Duration) -> Self {
        let wait = Duration::from_secs(wait.as_secs().min(50));
        let mut query = vec![("transaction_id", transaction_id.to_string())];
        query.extend(known_version.map(|version| ("known_version", version.to_string())));
        if !wait.is_zero() {
            query.push(("wait", wait.as_secs().to_string()));
        }
        Self { query, patience: wait, ..Self::get("api/transaction_status") }
    }

    pub(crate) fn query(self, query: Vec<(&'static str, String)>) -> Self {
        Self { query, ..self }
    }

    pub(crate) fn repeat(self, repeat: Repeat) -> Self {
        Self { repeat, ..self }
    }

    /// Fails when the key is not 1 to 255 visible ASCII characters.
    pub(crate) fn idempotency_key(self, key: &str) -> Result<Self, Error> {
        if !(1..=255).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::InvalidRequest("an idempotency key has 1 to 255 visible ASCII characters"));
        }
        Ok(Self { idempotency_key: Some(key.to_owned()), ..self })
    }
}

#[cfg(feature = "user")]
impl Call {
    /// A POST without a body.
    pub(crate) fn post_empty(path: &'static str) -> Self {
        Self::new(Method::POST, path)
    }

    /// Sent without the session's token: the call is open to anyone, and a stale token must not
    /// fail it.
    pub(crate) fn anonymous(self) -> Self {
        Self { anonymous: true, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idempotency_key_that_is_no_header_is_refused_before_sending() {
        let too_long = "k".repeat(256);
        for key in ["", "two words", "line\nbreak", "schlüssel", &too_long] {
            assert!(Call::get("api/wallets").idempotency_key(key).is_err(), "{key:?}");
        }
        assert!(Call::get("api/wallets").idempotency_key(&too_long[1..]).is_ok());
    }

    #[test]
    fn a_long_poll_is_capped_at_what_the_server_allows() {
        let call = Call::status(Uuid::nil(), Some(3), Duration::from_secs(3600));
        assert_eq!(call.patience, Duration::from_secs(50));
        assert!(call.query.contains(&("wait", "50".into())));
        assert!(call.query.contains(&("known_version", "3".into())));
    }
}
