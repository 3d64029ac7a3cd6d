use std::{
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use poem::{EndpointExt, Request, Response, endpoint::make, http::StatusCode};
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
};
use wallet_server::http::listener::Listener;

use super::{
    Database,
    world::{CHAIN, MASTER},
};

/// The server as its operators run it: a process of its own, that can be killed.
pub(crate) struct Process {
    pub(crate) url: String,
    child: Child,
}

impl Process {
    /// Starts the binary and waits until it answers.
    pub(crate) async fn start(database: &Database, node: &str) -> Self {
        let port =
            TcpListener::bind("127.0.0.1:0").await.and_then(|free| free.local_addr()).expect("a free port").port();
        let child = Command::new(env!("CARGO_BIN_EXE_wallet-server"))
            .arg("serve")
            .env_clear()
            .env("DATABASE_URL", &database.url)
            .env("CHAINS", format!("{CHAIN}={node}"))
            .env("MARK_FILE", database.mark_file())
            .env("API_SECRET", MASTER)
            .env("POLL_INTERVAL", "50ms")
            .env("LISTEN", format!("127.0.0.1:{port}"))
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let mut process = Self { url: format!("http://127.0.0.1:{port}"), child };
        process.wait_until_live().await;
        process
    }

    async fn wait_until_live(&mut self) {
        let client = reqwest::Client::new();
        for _ in 0..600 {
            if client.get(format!("{}/health/live", self.url)).send().await.is_ok() {
                return;
            }
            assert!(self.child.try_wait().expect("our own child").is_none(), "the server ended by itself");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server does not answer");
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as `kill -9` does: no destructor, no flush, no farewell.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("our own child");
        self.child.wait().expect("our own child");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a gate does with signed transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Hands them on.
    Through,
    /// Keeps them, and keeps the server waiting.
    NotAtAll,
    /// Hands them on, and keeps the node's answer.
    OneWay,
    /// Refuses everything, as a node does that is down.
    Down,
    /// Keeps everything, until something else is let pass.
    Held,
    /// Hands everything on but questions about the past, as a node does that keeps no old states.
    Forgetful,
}

/// Stands between a server and its node.
pub(crate) struct Gate {
    pub(crate) url: String,
    inner: Arc<Inner>,
    _stop: watch::Sender<bool>,
}

struct Inner {
    node: String,
    pass: watch::Sender<Pass>,
    reached: Notify,
    sent: Mutex<Vec<String>>,
}

impl Gate {
    pub(crate) async fn before(node: &str) -> Self {
        let inner = Arc::new(Inner {
            node: node.to_owned(),
            pass: watch::Sender::new(Pass::Through),
            reached: Notify::new(),
            sent: Mutex::default(),
        });
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", socket.local_addr().expect("it is bound"));
        let (stop, stopped) = watch::channel(false);
        let shared = inner.clone();
        let endpoint = make(move |request| {
            let shared = shared.clone();
            async move { shared.answer(request).await }
        });
        tokio::spawn(Listener::default().serve(socket, endpoint.map_to_response(), stopped));
        Self { url, inner, _stop: stop }
    }

    pub(crate) fn let_pass(&self, pass: Pass) {
        self.inner.pass.send_replace(pass);
    }

    /// Waits until a signed transaction has come to the gate (and, one way, has passed it), or something is held.
    pub(crate) async fn reached(&self) {
        tokio::time::timeout(Duration::from_secs(30), self.inner.reached.notified()).await.expect("something is sent");
    }

    /// The signed bytes that came to the gate, each as often as it came.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.inner.sent.lock().expect("no panics").clone()
    }
}

impl Inner {
    async fn answer(&self, request: Request) -> Response {
        let body = request.into_body().into_string().await.unwrap_or_default();
        let mut pass = self.pass.subscribe();
        if *pass.borrow_and_update() == Pass::Held {
            self.reached.notify_one();
        }
        let pass = *pass.wait_for(|pass| *pass != Pass::Held).await.expect("the gate stands");
        let sends = body.contains("eth_sendRawTransaction");
        if sends {
            let call: serde_json::Value = serde_json::from_str(&body).expect("JSON-RPC");
            let raw = call["params"][0].as_str().expect("the bytes").to_owned();
            self.sent.lock().expect("no panics").push(raw);
        }
        match pass {
            Pass::Down => return StatusCode::SERVICE_UNAVAILABLE.into(),
            Pass::NotAtAll if sends => {
                self.reached.notify_one();
                return std::future::pending().await;
            }
            Pass::Forgetful if body.contains("eth_getTransactionCount") && !body.contains("latest") => {
                let call: serde_json::Value = serde_json::from_str(&body).expect("JSON-RPC");
                let error = serde_json::json!({ "code": -32_000, "message": "missing trie node" });
                let answer = serde_json::json!({ "jsonrpc": "2.0", "id": call["id"], "error": error });
                return Response::builder().content_type("application/json").body(answer.to_string());
            }
            _ => {}
        }
        let request = reqwest::Client::new().post(&self.node).header("content-type", "application/json").body(body);
        let answer = request.send().await.expect("the node answers").bytes().await.expect("the node answers");
        if sends {
            self.reached.notify_one();
            if pass == Pass::OneWay {
                return std::future::pending().await;
            }
        }
        Response::builder().content_type("application/json").body(answer)
    }
}
