//! A proxy between a server and its node that does to JSON-RPC calls whatever a test asks for, while both run.
//!
//! Without rules it hands everything on. A [`Rule`] names calls and what happens to them; the newest that fits a call
//! counts. Calls in batches are treated one by one and put together again, except where a fault is one of the whole
//! HTTP request (an answer that never comes, a connection that breaks): one such call spoils its batch.

mod call;
mod lies;
mod relay;
mod rule;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use alloy::primitives::Address;
use poem::{EndpointExt, endpoint::make};
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
};
use wallet_server::http::listener::Listener;

pub(crate) use self::{
    call::Call,
    lies::number,
    rule::{Calls, Fault, Habit, Rule},
};

/// The method that hands signed bytes to a node.
pub(crate) const SEND: &str = "eth_sendRawTransaction";

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
    pass: Mutex<Option<Rule>>,
    _stop: watch::Sender<bool>,
}

struct Inner {
    client: reqwest::Client,
    node: Mutex<String>,
    rules: Mutex<Vec<Rule>>,
    habit: Mutex<Option<Habit>>,
    /// Rung when a signed transaction has come (and, when it is handed on, the node has answered).
    reached: Notify,
    seen: Mutex<Seen>,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
}

/// What came to a gate.
#[derive(Debug, Default)]
struct Seen {
    calls: BTreeMap<String, usize>,
    requests: usize,
    sent: Vec<(String, Option<Address>)>,
}

impl Gate {
    pub(crate) async fn before(node: &str) -> Self {
        let inner = Arc::new(Inner {
            client: reqwest::Client::new(),
            node: Mutex::new(node.to_owned()),
            rules: Mutex::default(),
            habit: Mutex::default(),
            reached: Notify::new(),
            seen: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
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
        Self { url, inner, pass: Mutex::default(), _stop: stop }
    }

    /// Does something to calls until the rule is ended.
    pub(crate) fn when(&self, calls: Calls, fault: Fault) -> Rule {
        self.add(Rule::new(calls, fault, None))
    }

    /// Does something to the next `count` such calls.
    pub(crate) fn next(&self, count: usize, calls: Calls, fault: Fault) -> Rule {
        self.add(Rule::new(calls, fault, Some(count)))
    }

    fn add(&self, rule: Rule) -> Rule {
        self.inner.rules.lock().expect("no panics").push(rule.clone());
        rule
    }

    /// Does this to every exchange from now on.
    pub(crate) fn has_habit(&self, habit: Habit) {
        *self.inner.habit.lock().expect("no panics") = Some(habit);
    }

    /// Ends every rule: the node is as it is.
    pub(crate) fn heal(&self) {
        for rule in self.inner.rules.lock().expect("no panics").drain(..) {
            rule.end();
        }
        *self.pass.lock().expect("no panics") = None;
        *self.inner.habit.lock().expect("no panics") = None;
    }

    /// Hands everything on to another node from now on.
    pub(crate) fn point_to(&self, node: &str) {
        node.clone_into(&mut self.inner.node.lock().expect("no panics"));
    }

    pub(crate) fn let_pass(&self, pass: Pass) {
        let rule = match pass {
            Pass::Through => None,
            Pass::NotAtAll => Some(self.when(Calls::of(SEND), Fault::Drop)),
            Pass::OneWay => Some(self.when(Calls::of(SEND), Fault::Swallow)),
            Pass::Down => Some(self.when(Calls::any(), Fault::Status(503))),
            Pass::Held => Some(self.when(Calls::any(), Fault::Hold)),
            Pass::Forgetful => {
                let past =
                    Calls::of("eth_getTransactionCount").only(|call| !call.params.to_string().contains("latest"));
                Some(self.when(past, Fault::refuse("missing trie node")))
            }
        };
        if let Some(before) = std::mem::replace(&mut *self.pass.lock().expect("no panics"), rule) {
            before.end();
        }
    }

    /// Waits until a signed transaction has come to the gate (and, one way, has passed it), or something is held.
    pub(crate) async fn reached(&self) {
        tokio::time::timeout(Duration::from_secs(30), self.inner.reached.notified()).await.expect("something is sent");
    }

    /// The signed bytes that came to the gate, each as often as it came.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.inner.seen.lock().expect("no panics").sent.iter().map(|(bytes, _)| bytes.clone()).collect()
    }

    /// The signed bytes of one wallet.
    pub(crate) fn sent_by(&self, wallet: Address) -> Vec<String> {
        let seen = self.inner.seen.lock().expect("no panics");
        seen.sent.iter().filter(|(_, sender)| *sender == Some(wallet)).map(|(bytes, _)| bytes.clone()).collect()
    }

    /// How many calls of a method came, those in batches counted one by one.
    pub(crate) fn calls_of(&self, method: &str) -> usize {
        self.inner.seen.lock().expect("no panics").calls.get(method).copied().unwrap_or(0)
    }

    /// How many calls came, those in batches counted one by one.
    pub(crate) fn calls(&self) -> usize {
        self.inner.seen.lock().expect("no panics").calls.values().sum()
    }

    /// How many calls of each method came.
    pub(crate) fn calls_by_method(&self) -> BTreeMap<String, usize> {
        self.inner.seen.lock().expect("no panics").calls.clone()
    }

    /// How many HTTP requests came: a batch is one.
    pub(crate) fn requests(&self) -> usize {
        self.inner.seen.lock().expect("no panics").requests
    }

    /// The most HTTP requests that were open at the same time.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.inner.most_in_flight.load(Ordering::Relaxed)
    }
}
