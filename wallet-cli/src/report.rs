//! What is told about a failure: the reason, the server's code and request id, and what to do about it.

use std::borrow::Cow;
use std::error::Error;

use agent_sdk::{Error as ServerError, ErrorCode};
use serde::Serialize;

use crate::exit::Failure;
use crate::paint::Paint;
use crate::text::clean;

/// What is told about a failure.
#[derive(Serialize)]
pub(crate) struct Report {
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Report {
    /// An `error:` line, and a `hint:` line where there is something to do.
    pub(crate) fn for_people(&self, paint: Paint) -> String {
        let mut text = format!("{} {}", paint.danger("error:"), self.error);
        let request = self.request_id.as_ref().map(|id| format!("request {id}"));
        let origin: Vec<String> = self.code.clone().into_iter().chain(request).collect();
        if !origin.is_empty() {
            text.push_str(&paint.faint(&format!(" [{}]", origin.join(", "))));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("\n{} {hint}", paint.strong("hint:")));
        }
        text
    }
}

impl From<&Failure> for Report {
    fn from(failure: &Failure) -> Self {
        let Failure::Server(error) = failure else {
            let hint = hint(failure).map(Cow::into_owned);
            return Self { error: clean(&failure.to_string()), code: None, request_id: None, hint };
        };
        Self {
            error: clean(&in_words(error)),
            code: error.code().map(|code| clean(code.as_str())),
            request_id: error.request_id().map(clean),
            hint: server_hint(error),
        }
    }
}

/// The server's sentence, or what kept it from answering down to the first cause.
pub(crate) fn in_words(error: &ServerError) -> String {
    if let Some(problem) = error.problem() {
        let sentence = if problem.detail.is_empty() { &problem.title } else { &problem.detail };
        return sentence.clone();
    }
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(Error::source) {
        cause = Some(deeper);
    }
    match cause {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// What to do about a failure on this side.
fn hint(failure: &Failure) -> Option<Cow<'static, str>> {
    let hint = match failure {
        Failure::NotLoggedIn | Failure::SessionEnded => "log in with `wallet-cli login`",
        Failure::NoWallet => "make one with `wallet-cli wallet create`",
        Failure::NoAgent | Failure::WhichAgent => "they are listed by `wallet-cli agent list`",
        Failure::WhichWallet => "they are listed by `wallet-cli wallet list`",
        Failure::Declined => "it stays pending; end it with `wallet-cli tx reject`",
        Failure::Objection { .. } => "do not approve it anywhere; tell whoever runs the server",
        Failure::SentAnother(_) => "try `wallet-cli tx cancel` at once; tell whoever runs the server",
        Failure::StillPending { .. } => "wait longer with --timeout",
        Failure::LostAnswer { idempotency_key, .. } => {
            let hint =
                format!("repeat the same command with --idempotency-key {idempotency_key}: nothing is sent twice");
            return Some(hint.into());
        }
        _ => return None,
    };
    Some(hint.into())
}

/// What to do about an answer of the server, or about its silence.
fn server_hint(error: &ServerError) -> Option<String> {
    let unknown = error.problem().is_some_and(|problem| problem.may_have_happened);
    if unknown {
        return Some("it may have been done all the same: look before trying again".to_owned());
    }
    if let Some(wait) = error.retry_after() {
        return Some(format!("try again in {} s", wait.as_secs()));
    }
    let hint = match error {
        ServerError::Unreachable(_) => "is the server running? choose another with --server or WALLET_SERVER",
        ServerError::TimedOut(_) | ServerError::ConnectionLost(_) => {
            "the server may have acted all the same: look before trying again"
        }
        ServerError::DigestMismatch { .. } | ServerError::ClearingMismatch { .. } => {
            "do not approve it anywhere; tell whoever runs the server"
        }
        ServerError::InsecureHttp { .. } => "use an https:// address, or --allow-insecure-http on a network you trust",
        ServerError::NotLoggedIn => "log in with `wallet-cli login`",
        _ => match error.code()? {
            ErrorCode::Unauthenticated => "log in with `wallet-cli login`",
            ErrorCode::MfaRequired => "set up an authenticator with `wallet-cli mfa enrol`",
            ErrorCode::MfaInvalid => "codes depend on the time: are the clocks right?",
            ErrorCode::MfaReplayed => "one code is good for one decision: wait for the next",
            ErrorCode::PreviewChanged => "look at it again, then decide",
            ErrorCode::NonceUsedElsewhere | ErrorCode::AcknowledgementRequired => {
                "if you know about this, approve it with --acknowledge and the code above"
            }
            _ => return None,
        },
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal() -> Failure {
        let problem = json!({
            "code": "mfa_replayed",
            "status": 401,
            "title": "Unauthorized",
            "detail": "this code was used before\u{1b}[2J\nerror: nothing is wrong",
            "request_id": "019ab5f2",
        });
        let problem = serde_json::from_value(problem).expect("a problem");
        ServerError::Refused { problem, retry_after: None }.into()
    }

    #[test]
    fn people_read_one_error_line_and_one_hint() {
        let text = Report::from(&refusal()).for_people(Paint::new(false));
        let expected = "\
error: this code was used before error: nothing is wrong [mfa_replayed, request 019ab5f2]
hint: one code is good for one decision: wait for the next";
        assert_eq!(text, expected);
    }

    #[test]
    fn programs_read_the_same_as_an_object() {
        let report = serde_json::to_value(Report::from(&refusal())).expect("JSON");
        assert_eq!(report["code"], "mfa_replayed");
        assert_eq!(report["request_id"], "019ab5f2");
        let report = serde_json::to_value(Report::from(&Failure::Declined)).expect("JSON");
        assert_eq!(report.get("code"), None);
    }
}
