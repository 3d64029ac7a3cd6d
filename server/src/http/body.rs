//! JSON request bodies: bounded, strict, and never repeated to the caller.

use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Bytes};
use poem::{
    Request, RequestBody,
    http::{HeaderMap, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::Type,
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::{code::Code, problem::Problem};

/// How much of a body is read, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct BodyBounds {
    /// The most bytes that are accepted.
    pub bytes: usize,
    /// The most time from the first look at the body to its last byte.
    pub time: Duration,
}

impl Default for BodyBounds {
    /// 1 MiB, which holds the largest call data in hexadecimal four times; 15 s.
    fn default() -> Self {
        Self { bytes: 1 << 20, time: Duration::from_secs(15) }
    }
}

/// A request body: one JSON object.
///
/// It is parsed field by field straight into `T`, so that the first unknown, repeated or wrong field ends it (which
/// also bounds its depth), and secrets go directly into the types that wipe them. Fails with `payload_too_large`,
/// `request_timeout`, `unsupported_media_type`, or `invalid_request` and the name of the field.
pub struct Body<T>(pub T);

impl<'a, T: DeserializeOwned + Type> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let bounds = request.data().copied().unwrap_or_default();
        let bytes = read(request.headers(), body, bounds).await?;
        Ok(Self(parse(&bytes)?))
    }
}

async fn read(headers: &HeaderMap, body: &mut RequestBody, bounds: BodyBounds) -> poem::Result<Bytes> {
    let body: http_body_util::combinators::BoxBody<_, _> = body.take()?.into();
    let declared = body.size_hint();
    if declared.exact() == Some(0) {
        return Err(Problem::invalid("expected a JSON object as the body").into());
    }
    if !is_json(headers) {
        return Err(Problem::new(Code::UnsupportedMediaType, "expected the content type application/json").into());
    }
    let too_large = || Problem::new(Code::PayloadTooLarge, format!("expected at most {} bytes", bounds.bytes));
    if declared.lower() > bounds.bytes as u64 {
        return Err(too_large().into());
    }
    match tokio::time::timeout(bounds.time, Limited::new(body, bounds.bytes).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large().into()),
        Ok(Err(_)) => Err(Problem::invalid("the body broke off").into()),
        Err(_) => Err(Problem::new(Code::RequestTimeout, "the body took too long to arrive").into()),
    }
}

/// Whether the body is said to be JSON in UTF-8 (RFC 8259 section 8.1), and not compressed.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(Ok(value)), None) = (types.next().map(|value| value.to_str()), types.next()) else { return false };
    let mut parts = value.split(';').map(str::trim);
    let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    let plain = headers.get(header::CONTENT_ENCODING).is_none_or(|encoding| encoding == "identity");
    named && plain && parts.all(|part| part.to_ascii_lowercase().replace('"', "") == "charset=utf-8")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::invalid("expected the body in UTF-8"))?;
    // serde would also read an object from an array of its fields' values.
    if !text.trim_start().starts_with('{') {
        return Err(Problem::invalid("expected a JSON object as the body"));
    }
    let mut parser = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut parser).map_err(|error| Problem::invalid(explain(&error)))?;
    parser.end().map_err(|_| Problem::invalid("expected nothing after the JSON object"))?;
    Ok(value)
}

/// Says which field is wrong and what was expected there, in words that hold nothing of what was sent.
///
/// serde's messages are `what came, expected what`: only what follows the last `, expected ` is ours.
fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let cause = error.inner();
    if !cause.is_data() {
        return format!("the body is not JSON: line {}, column {}", cause.line(), cause.column());
    }
    let text = cause.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let mut path: Vec<_> = error.path().iter().map(ToString::to_string).collect();
    let expected = text.rsplit_once(", expected ").map_or("something else", |(_, expected)| expected);
    let wanted = if text.starts_with("unknown field ") {
        // The path ends with the unknown name.
        path.pop();
        match expected {
            "something else" => "there is a field that is not known here".to_owned(),
            known => format!("there is a field that is not known here: expected {known}"),
        }
    } else if text.starts_with("invalid ") || text.starts_with("unknown variant ") {
        format!("expected {expected}")
    } else {
        // `missing field` and `duplicate field` name our own fields; the rest are the value types' own fixed words.
        text.to_owned()
    };
    match path.join(".").as_str() {
        "" | "." => wanted,
        path => format!("{path}: {wanted}"),
    }
}

/// Reads an optional field that, when it is there, must hold a value: `null` is not another way to leave it out.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
