//! Browsers on other origins (the Fetch standard's CORS protocol).

use poem::{
    Request, Response,
    http::{HeaderValue, Method, StatusCode, header},
};

/// The origins whose pages may read answers; none by default. Credentials are headers that a page must set itself, so
/// cookies are never allowed.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<HeaderValue>);

impl Origins {
    /// The origins with these exact names, for example `https://wallet.example`. Fails when one is no origin.
    pub fn new(names: &[String]) -> Result<Self, crate::value::Invalid> {
        let origin = |name: &String| {
            let host = name.strip_prefix("https://").or_else(|| name.strip_prefix("http://"));
            let plain = host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', '?', '#', '@']));
            HeaderValue::from_str(name).ok().filter(|_| plain)
        };
        let origins: Option<Vec<_>> = names.iter().map(origin).collect();
        origins.map(Self).ok_or(crate::value::Invalid("expected an origin: https://host or https://host:port"))
    }

    /// The request's origin, when it is an allowed one.
    pub fn of(&self, request: &Request) -> Option<Allowed> {
        let origin = request.headers().get(header::ORIGIN)?;
        self.0.iter().find(|allowed| *allowed == origin).cloned().map(Allowed)
    }
}

/// An origin that is allowed.
#[derive(Debug)]
pub struct Allowed(HeaderValue);

impl Allowed {
    /// Whether a browser only asks what it may send.
    pub fn is_preflight(&self, request: &Request) -> bool {
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// What a page may send to a path with these methods.
    pub fn preflight(&self, methods: &str) -> Response {
        Response::builder()
            .status(StatusCode::NO_CONTENT)
            .header(header::ACCESS_CONTROL_ALLOW_METHODS, methods)
            .header(
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "authorization, content-type, idempotency-key, x-api-key, x-request-id",
            )
            .header(header::ACCESS_CONTROL_MAX_AGE, "600")
            .finish()
    }

    /// Lets the page read the answer.
    pub fn mark(self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.0);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("retry-after, www-authenticate, x-request-id"),
        );
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
}
