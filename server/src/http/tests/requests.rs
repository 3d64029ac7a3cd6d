//! What is refused, and how.

use poem::{
    Body as Bytes, Endpoint, Request,
    http::{Method, header},
};
use serde_json::Value;

use super::{ask, get, post, sample};

/// Asserts that an answer is a problem with a code, and gives its detail.
async fn refused(request: Request, status: u16, code: &str) -> String {
    let (answered, response, problem) = ask(request).await;
    assert_eq!((answered, problem["code"].as_str()), (status, Some(code)), "{problem}");
    assert_eq!(response.content_type(), Some("application/problem+json"));
    assert_eq!(problem["status"], status);
    assert_eq!(problem["type"], format!("urn:wallet-server:problem:{code}"));
    assert_eq!(problem["request_id"].as_str(), response.header("x-request-id"));
    for (name, value) in [("cache-control", "no-store"), ("x-content-type-options", "nosniff")] {
        assert_eq!(response.header(name), Some(value));
    }
    problem["detail"].as_str().expect("a detail").to_owned()
}

#[tokio::test]
async fn a_good_body_is_read() {
    let body = r#"{"username":"Ada","password":"correct horse","inner":[{"amount":"7"}]}"#;
    let (status, _, answer) = ask(post("/api/body", body)).await;
    assert_eq!((status, answer), (200, Value::from("ada 7")));
}

#[tokio::test]
async fn a_wrong_body_is_refused_by_the_name_of_its_field_and_never_repeated() {
    for (body, expected) in [
        (r#"{"username":"a hunter2","password":"hunter2"}"#, "username: expected 3 to 64 of the characters"),
        (r#"{"username":"ada","password":["hunter2, expected hunter2"]}"#, "password: expected a string"),
        (r#"{"username":"ada","password":""}"#, "password: expected a password of 1 to 1024 bytes"),
        (r#"{"username":"ada"}"#, "missing field `password`"),
        (
            r#"{"username":"ada","password":"hunter2","hunter2":{"hunter2":1}}"#,
            "there is a field that is not known here: expected one of `username`",
        ),
        (r#"{"username":"ada","username":"hunter2","password":"hunter2"}"#, "duplicate field `username`"),
        (
            r#"{"username":"ada","password":"hunter2","inner":[{"amount":"1"},{"amount":"hunter2"}]}"#,
            "inner.[1].amount: expected an amount",
        ),
        (r#"{"username":"ada","password":"hunter2","inner":[{"amount":7}]}"#, "inner.[0].amount: expected a string"),
        (
            r#"{"username":"ada","password":"hunter2","inner":[{"amount":"1","hunter2":1}]}"#,
            "inner.[0]: there is a field that is not known here: expected `amount`",
        ),
        (
            r#"{"username":"ada","password":"hunter2","inner":[{"amount":"1","amount":"1"}]}"#,
            "inner.[0]: duplicate field `amount`",
        ),
        (r#"{"username":"ada","password":"hunter2","inner":null}"#, "inner: expected a sequence"),
        (r#"{"username":"ada","password":"hunter2"} hunter2"#, "expected nothing after the JSON object"),
        (r#"{"username":"ada","password":"hunter2"#, "the body is not JSON: line 1, column "),
        (r#"{"username":"ada","hunter2"#, "the body is not JSON: line 1, column "),
        (r#"{"username":"ada",hunter2:1}"#, "the body is not JSON: line 1, column "),
        (r#"["ada","hunter2",null]"#, "expected a JSON object"),
        ("null", "expected a JSON object"),
        (" ", "expected a JSON object"),
        ("", "expected a JSON object"),
    ] {
        let detail = refused(post("/api/body", body), 400, "invalid_request").await;
        assert!(detail.starts_with(expected), "{body}: {detail}");
        assert!(!detail.contains("hunter2"), "{body}: {detail}");
    }
}

#[tokio::test]
async fn depth_cannot_exhaust_the_stack() {
    let body = format!(r#"{{"username":{}"#, "[".repeat(900));
    refused(post("/api/body", &body), 400, "invalid_request").await;
}

#[tokio::test]
async fn a_body_that_is_not_utf_8_is_refused() {
    let mut request = post("/api/body", "");
    request.set_body(b"{\"username\":\"\xff\xfe\"}".to_vec());
    let detail = refused(request, 400, "invalid_request").await;
    assert_eq!(detail, "expected the body in UTF-8");
}

#[tokio::test]
async fn only_plain_json_is_taken() {
    let body = r#"{"username":"ada","password":"correct horse"}"#;
    let typed = |name: &str| {
        let mut request = post("/api/body", body);
        request.headers_mut().insert(header::CONTENT_TYPE, name.parse().expect("a header value"));
        request
    };
    for name in
        ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/jsonx"]
    {
        refused(typed(name), 415, "unsupported_media_type").await;
    }
    let mut untyped = typed("x/y");
    untyped.headers_mut().remove(header::CONTENT_TYPE);
    refused(untyped, 415, "unsupported_media_type").await;
    let mut compressed = typed("application/json");
    compressed.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().expect("a header value"));
    refused(compressed, 415, "unsupported_media_type").await;
    for name in ["application/json; charset=UTF-8", "Application/JSON;charset=\"utf-8\""] {
        assert_eq!(ask(typed(name)).await.0, 200, "{name}");
    }
}

#[tokio::test]
async fn a_large_body_is_refused_whether_it_says_so_or_not() {
    let large = format!("{{\"username\":\"{}\"}}", "a".repeat(2000));
    refused(post("/api/body", &large), 413, "payload_too_large").await;
    let chunks = futures_util::stream::iter((0..100).map(|_| Ok::<_, std::io::Error>(vec![b' '; 100])));
    let mut request = post("/api/body", "");
    request.set_body(Bytes::from_bytes_stream(chunks));
    refused(request, 413, "payload_too_large").await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let mut request = post("/api/body", "");
    request.set_body(Bytes::from_bytes_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>()));
    refused(request, 408, "request_timeout").await;
}

#[tokio::test]
async fn an_unknown_path_and_method_are_problems_too() {
    refused(get("/api/nothing"), 404, "not_found").await;
    refused(get("/api/body/"), 404, "not_found").await;
    let (status, response, problem) = ask(get("/api/body")).await;
    assert_eq!((status, problem["code"].as_str()), (405, Some("method_not_allowed")));
    assert_eq!(response.header(header::ALLOW), Some("POST"));
    let (_, response, _) = ask(Request::builder().method(Method::DELETE).uri_str("/api/query").finish()).await;
    assert_eq!(response.header(header::ALLOW), Some("GET, HEAD"));
}

#[tokio::test]
async fn a_query_is_as_strict_as_a_body() {
    assert_eq!(ask(get("/api/query?limit=5")).await.2, 5);
    for (query, expected) in [
        ("limit=hunter2", "limit: expected an integer from 1 to 100"),
        ("limit=", "limit: expected an integer from 1 to 100"),
        ("limit=101", "limit: expected an integer from 1 to 100"),
        ("hunter2=1", "unknown query parameter: expected limit"),
        ("limit=1&limit=2", "limit: given more than once"),
        ("Limit=1", "unknown query parameter: expected limit"),
    ] {
        let detail = refused(get(&format!("/api/query?{query}")), 400, "invalid_request").await;
        assert_eq!(detail, expected);
    }
    let mut request = post("/api/key", "");
    *request.uri_mut() = "/api/key?x=1".parse().expect("a URI");
    refused(request, 400, "invalid_request").await;
}

#[tokio::test]
async fn an_idempotency_key_that_cannot_be_read_is_not_ignored() {
    let with = |keys: &[&[u8]]| {
        let mut request = post("/api/key", "");
        for key in keys {
            let value = poem::http::HeaderValue::from_bytes(key).expect("a header value");
            request.headers_mut().append("idempotency-key", value);
        }
        request
    };
    assert_eq!(ask(with(&[b"one"])).await.2, "one");
    assert_eq!(ask(with(&[])).await.2, "");
    for keys in [&[&b"one"[..], b"one"][..], &[b"\xff"], &[b"a b"], &[b""]] {
        refused(with(keys), 400, "invalid_request").await;
    }
}

#[tokio::test]
async fn a_panic_is_a_problem_that_says_nothing() {
    for request in [get("/api/panic"), post("/api/panic", "")] {
        let detail = refused(request, 500, "internal_error").await;
        assert!(!detail.contains("hunter2"));
    }
}

#[tokio::test]
async fn the_callers_request_id_comes_back() {
    let mut request = get("/api/query");
    request.headers_mut().insert("x-request-id", "trace-0001".parse().expect("a header value"));
    assert_eq!(ask(request).await.1.header("x-request-id"), Some("trace-0001"));
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let (status, _, body) = ask(Request::builder().method(Method::HEAD).uri_str("/api/query").finish()).await;
    assert_eq!((status, body), (200, Value::from("")));
}

#[tokio::test]
async fn a_page_of_another_origin_reads_only_when_it_is_allowed() {
    let from = |origin: &str, method: Method| {
        let request = Request::builder().method(method).uri_str("/api/query").header(header::ORIGIN, origin);
        request.header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET").finish()
    };
    let (status, response, _) = ask(from("https://wallet.example", Method::OPTIONS)).await;
    assert_eq!(status, 204);
    assert_eq!(response.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), Some("https://wallet.example"));
    assert_eq!(response.header(header::ACCESS_CONTROL_ALLOW_METHODS), Some("GET, HEAD"));
    let (status, response, _) = ask(from("https://wallet.example", Method::GET)).await;
    assert_eq!(status, 200);
    assert_eq!(response.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), Some("https://wallet.example"));
    for method in [Method::OPTIONS, Method::GET] {
        let (_, response, _) = ask(from("https://evil.example", method)).await;
        assert_eq!(response.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), None);
    }
}

#[tokio::test]
async fn a_read_ends_with_its_client_and_a_change_does_not() {
    for (request, expected) in [(get("/api/slow"), "cut"), (post("/api/slow", ""), "done")] {
        let (endpoint, mut receiver) = sample();
        let soon = std::time::Duration::from_millis(50);
        assert!(tokio::time::timeout(soon, endpoint.get_response(request)).await.is_err());
        assert_eq!(receiver.recv().await, Some(expected));
    }
}
