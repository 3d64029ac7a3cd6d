//! A server that plays a script: one answer for each request, on a connection of its own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent_sdk::{AgentClient, UserClient};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Belongs to the agent in `transaction.json`.
pub(crate) const API_KEY: &str =
    "wak_0197a3c10000700080000000000000a9_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_-_abc_c1165446";

/// What to do with one request.
pub(crate) enum Answer {
    /// Read it, and hang up.
    HangUp,
    /// Read it, and say nothing.
    Silence,
    /// Status, further header lines, body.
    Say(u16, &'static str, String),
}

pub(crate) struct Scripted {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// Plays these answers, then accepts nothing more.
    pub(crate) async fn new(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            for answer in answers {
                let (stream, _) = listener.accept().await.expect("a connection");
                play(stream, answer, &seen).await;
            }
        });
        Self { url, requests }
    }

    pub(crate) fn agent(&self) -> AgentClient {
        AgentClient::new(&self.url, API_KEY).expect("a client")
    }

    pub(crate) fn user(&self) -> UserClient {
        UserClient::with_token(&self.url, "a.b.c").expect("a client")
    }

    /// Heads and bodies of the requests so far, header names in lower case.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no test panicked here").clone()
    }
}

async fn play(mut stream: TcpStream, answer: Answer, seen: &Mutex<Vec<String>>) {
    let request = read(&mut stream).await;
    seen.lock().expect("no test panicked here").push(request);
    match answer {
        Answer::HangUp => {}
        Answer::Silence => {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(60)).await;
                drop(stream);
            });
        }
        Answer::Say(status, headers, body) => {
            let length = body.len();
            let head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {length}\r\n");
            let answer = format!("{head}{headers}\r\n{body}");
            // The client may hang up in the middle, when it has read enough.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    }
}

/// One request, up to the end of its body.
async fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().expect("a number")) {
                return text;
            }
        }
        assert_ne!(stream.read_buf(&mut bytes).await.expect("readable"), 0, "a whole request");
    }
}

/// A transaction in this state and version.
pub(crate) fn transaction(status: &str, version: u64) -> Answer {
    Answer::Say(200, "", wire(status, version).to_string())
}

/// That transaction as JSON.
pub(crate) fn wire(status: &str, version: u64) -> Value {
    let mut body: Value = serde_json::from_str(include_str!("../transaction.json")).expect("json");
    body["status"] = status.into();
    body["version"] = version.into();
    body
}

pub(crate) fn problem(status: u16, code: &str, retryable: bool) -> Answer {
    let body = json!({
        "type": format!("urn:wallet-server:problem:{code}"), "title": code, "status": status,
        "code": code, "detail": "", "request_id": "r-1", "retryable": retryable,
    });
    Answer::Say(status, "content-type: application/problem+json\r\n", body.to_string())
}

/// 503 for a commit whose outcome the server does not know.
pub(crate) fn may_have_happened() -> Answer {
    let body = json!({
        "type": "urn:wallet-server:problem:storage_unavailable", "title": "storage unavailable", "status": 503,
        "code": "storage_unavailable", "detail": "", "request_id": "r-1", "retryable": true,
        "may_have_happened": true,
    });
    Answer::Say(503, "content-type: application/problem+json\r\n", body.to_string())
}

/// The value of a header, in a request as recorded.
pub(crate) fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The path and the body of a request, as recorded.
pub(crate) fn sent(request: &str) -> (&str, Value) {
    let (head, body) = request.split_once("\r\n\r\n").expect("a whole request");
    let path = head.split(' ').nth(1).expect("a request line");
    (path, serde_json::from_str(body).expect("json"))
}
