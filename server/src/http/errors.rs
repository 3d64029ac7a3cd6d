//! What poem itself refuses, as problems: its own texts are plain and repeat what was sent.

use poem::{
    Error, IntoResponse, Response,
    error::{MethodNotAllowedError, NotFoundError},
    http::{HeaderValue, StatusCode, header},
};
use poem_openapi::error::ParseParamError;

use super::{code::Code, problem::Problem, request_id};

/// The answer for an error; `allowed` is the `Allow` header of the path.
pub fn respond(error: Error, allowed: &str) -> Response {
    if error.is_from_response() {
        return error.into_response();
    }
    if error.is::<MethodNotAllowedError>() {
        let detail = format!("expected one of: {allowed}");
        let mut response = Problem::new(Code::MethodNotAllowed, detail).into_response();
        if let Ok(value) = HeaderValue::from_str(allowed) {
            response.headers_mut().insert(header::ALLOW, value);
        }
        return response;
    }
    explain(&error).into_response()
}

fn explain(error: &Error) -> Problem {
    if error.is::<NotFoundError>() {
        return Problem::new(Code::NotFound, "there is nothing at this path");
    }
    if let Some(ParseParamError { name, reason }) = error.downcast_ref() {
        // `failed to parse "type": our own type's fixed words (occurred while parsing "type")`. A reason of any other
        // shape is poem's and holds the type's name or the value.
        let words = reason.strip_prefix("failed to parse ").and_then(|rest| rest.split_once("\": "));
        let expected = words.map(|(_, words)| words.split_once(" (occurred ").map_or(words, |(words, _)| words));
        return Problem::invalid(match expected {
            Some(expected) => format!("{name}: {expected}"),
            None => format!("{name}: expected a value"),
        });
    }
    match error.status() {
        StatusCode::NOT_FOUND => Problem::new(Code::NotFound, "there is nothing at this path"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(Code::UnsupportedMediaType, "expected application/json"),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::PayloadTooLarge, "the body is too large"),
        status if status.is_client_error() => Problem::invalid("the request cannot be read"),
        status => {
            tracing::error!(http.status = status.as_u16(), error = %error, "request failed");
            internal()
        }
    }
}

/// A fault of the server; the caller learns nothing but the id it is logged under.
pub fn internal() -> Problem {
    Problem::new(Code::InternalError, "the server failed; its log has more under the request id")
}

/// Writes the cause of a failure to the log, once, with the id that the caller is told.
pub fn log(code: Code, error: &(dyn std::error::Error + 'static)) {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let cause = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    tracing::error!(code = code.as_str(), request_id = request_id::current(), error = %error, cause, "request failed");
}
