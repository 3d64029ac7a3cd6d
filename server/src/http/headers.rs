//! Headers that every answer carries.

use poem::{
    Response,
    http::{HeaderValue, header},
};

/// Nothing of an answer may be shown as a page, framed, cached or sniffed, unless its own endpoint said otherwise.
const DEFAULTS: [(header::HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// Adds the headers that the answer does not have yet.
pub fn secure(response: &mut Response) {
    for (name, value) in DEFAULTS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
}
