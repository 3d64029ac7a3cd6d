//! JSON-RPC answers as endpoints write them: what can be understood is, whatever its form; what is another request's, or
//! nothing, is not.

use std::{borrow::Cow, collections::HashMap};

use alloy::rpc::json_rpc::{ErrorPayload, Id, Response, ResponsePayload};
use serde_json::value::RawValue;

/// What a body holds.
#[derive(Debug)]
pub(super) enum Body {
    /// One answer.
    One(Response),
    /// Several; elements that are none are left out.
    Many(Vec<Response>),
}

/// Reads a body; none when it is no JSON-RPC.
pub(super) fn read(body: &[u8]) -> Option<Body> {
    let text = std::str::from_utf8(body).ok()?.trim_start_matches('\u{feff}').trim();
    if let Some(response) = one(text) {
        return Some(Body::One(response));
    }
    let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(Body::Many(elements.iter().filter_map(|element| one(element.get())).collect()))
}

fn one(text: &str) -> Option<Response> {
    let members: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text).ok()?;
    let given = |name: &str| members.get(name).filter(|value| value.get() != "null");
    let payload = match (given("error"), members.get("result")) {
        (Some(error), _) => ResponsePayload::Failure(refusal(error)),
        (None, Some(&result)) => ResponsePayload::Success(result.to_owned()),
        (None, None) => return None,
    };
    Some(Response { id: given("id").map_or(Id::None, |id| self::id(id)), payload })
}

/// A number, also where it is written as text.
fn id(value: &RawValue) -> Id {
    let text = value.get().trim_matches('"');
    match text.parse() {
        Ok(number) => Id::Number(number),
        Err(_) => Id::String(text.to_owned()),
    }
}

/// An error as a structure, or as mere words.
fn refusal(value: &RawValue) -> ErrorPayload {
    if let Ok(words) = serde_json::from_str::<String>(value.get()) {
        return ErrorPayload { code: 0, message: words.into(), data: None };
    }
    let members: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
    let text = |name: &str| members.get(name).and_then(|value| serde_json::from_str::<String>(value.get()).ok());
    let code = members.get("code").and_then(|code| code.get().trim_matches('"').parse().ok());
    let data = members.get("data").filter(|data| data.get() != "null");
    ErrorPayload {
        code: code.unwrap_or(0),
        message: text("message").unwrap_or_default().into(),
        data: data.map(|&data| data.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<String> {
        Some(match one(text)? {
            Response { id, payload: ResponsePayload::Success(result) } => format!("{id} {}", result.get()),
            Response { id, payload: ResponsePayload::Failure(error) } => {
                format!("{id} {} {}", error.code, error.message)
            }
        })
    }

    #[test]
    fn whatever_can_be_understood_is() {
        for (text, meaning) in [
            (r#"{"jsonrpc":"2.0","id":7,"result":"0x1"}"#, r#"7 "0x1""#),
            (r#"{"id":"7","result":"0x1"}"#, r#"7 "0x1""#),
            (r#"{"result":null,"id":7}"#, "7 null"),
            (r#"{"id":7,"result":"0x1","error":null,"extra":{"a":[1]}}"#, r#"7 "0x1""#),
            (r#"{"id":7,"result":null,"error":{"code":-32000,"message":"no"}}"#, "7 -32000 no"),
            (r#"{"id":7,"result":"0x1","error":{"code":"-32000","message":"no"}}"#, "7 -32000 no"),
            (r#"{"id":7,"error":"no"}"#, "7 0 no"),
            (r#"{"id":7,"error":{"message":null}}"#, "7 0 "),
            (r#"{"id":null,"error":{"code":1,"message":"no"}}"#, "null 1 no"),
        ] {
            assert_eq!(said(text).as_deref(), Some(meaning), "{text}");
        }
        let marked = "\u{feff} {\"id\":1,\"result\":2}\n";
        assert!(matches!(read(marked.as_bytes()), Some(Body::One(_))));
        assert!(matches!(read(br#"[{"id":1,"result":2}, 7, {}]"#), Some(Body::Many(all)) if all.len() == 1));
        assert!(matches!(read(b"[]"), Some(Body::Many(all)) if all.is_empty()));
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for text in ["", "<html>", "{}", r#"{"id":1}"#, r#"{"id":1,"error":null}"#, "7", r#""0x1""#, "\u{0}"] {
            assert!(said(text).is_none(), "{text}");
        }
        assert!(read(b"\xff\xfe").is_none());
    }
}
