//! A server that answers each path with what the test says, and remembers what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// The user who logs in.
pub(crate) const USER_ID: &str = "019ab5f0-0000-7000-8000-000000000001";

/// What a path answers.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Status and body.
    Say(u16, Value),
    /// Nothing: the connection ends.
    HangUp,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) body: Value,
}

/// A running server. Its thread ends with the test.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts a server that knows a login, one chain and one wallet, and these paths. A path may name its query.
    pub(crate) fn start(answers: Vec<(&str, Answer)>) -> Self {
        let mut all = known();
        all.extend(answers.into_iter().map(|(path, answer)| (path.to_owned(), answer)));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &all, &seen);
            }
        });
        Self { url, requests }
    }

    /// What this path was asked.
    pub(crate) fn asked(&self, path: &str) -> Vec<Request> {
        let requests = self.requests.lock().expect("no test panicked here");
        requests.iter().filter(|request| request.path == path).cloned().collect()
    }
}

/// What every test needs.
fn known() -> BTreeMap<String, Answer> {
    let wallet = json!({
        "wallet_id": "019ab5f1-0000-7000-8000-000000000003", "label": "treasury",
        "address": "0x52908400098527886E0F7030069857D2E4169EE7", "created_at": "2026-11-23T10:00:00Z",
    });
    let login = json!({
        "user_id": USER_ID, "access_token": "a.b.c", "expires_at": "2999-01-01T00:00:00Z", "mfa_enabled": true,
    });
    let chains = json!({ "items": [{ "chain_id": 31337, "name": "anvil", "symbol": "ETH", "reachable": true }] });
    [("/api/login", login), ("/api/chains", chains), ("/api/wallets", json!({ "items": [wallet] }))]
        .into_iter()
        .chain([("/api/agents", json!({ "items": [] }))])
        .map(|(path, body)| (path.to_owned(), Answer::Say(200, body)))
        .collect()
}

fn serve(mut stream: TcpStream, answers: &BTreeMap<String, Answer>, seen: &Mutex<Vec<Request>>) {
    let Some((target, request)) = read(&stream) else {
        return;
    };
    let answer = answers.get(&target).or_else(|| answers.get(&request.path)).cloned();
    seen.lock().expect("no test panicked here").push(request);
    let not_found = Answer::Say(404, json!({ "code": "not_found", "status": 404, "title": target, "detail": "" }));
    if let Answer::Say(status, body) = answer.unwrap_or(not_found) {
        let body = body.to_string();
        let kind = if status < 400 { "application/json" } else { "application/problem+json" };
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {length}");
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).expect("the program listens");
    }
}

/// The request's target and what it says.
fn read(stream: &TcpStream) -> Option<(String, Request)> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let target = first.split(' ').nth(1)?.to_owned();
    let (mut length, mut idempotency_key) = (0, None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().ok()?,
            Some(("idempotency-key", value)) => idempotency_key = Some(value.to_owned()),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let path = target.split('?').next().unwrap_or_default().to_owned();
    Some((target, Request { path, idempotency_key, body: serde_json::from_slice(&body).unwrap_or_default() }))
}
