//! JSON-RPC over HTTP, bounded on every side: time, size, redirects. What may hold a provider's key, the URL,
//! reaches no error, no `Debug` and no log.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use alloy::{
    rpc::{
        client::RpcClient,
        json_rpc::{RpcError, RpcRecv, RpcSend},
    },
    transports::{IntoBoxTransport, TransportError, TransportResult},
};
use reqwest::{Url, redirect};

use super::{
    ChainError, answer,
    habits::{Habits, Learning},
    transport::Transport,
};
use crate::value::Secret;

/// For methods without parameters. Alloy writes `()` as `null`, which JSON-RPC 2.0 (§4.2) does not allow, and Hardhat's
/// node refuses.
pub(super) const NO_PARAMS: [(); 0] = [];

/// Longer than any handshake with a healthy node takes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The most bytes of an answer that are read.
const LARGEST_ANSWER: usize = 4 << 20;
/// The most bytes of receipts and blocks that are read: one transaction that logs all the gas of a large block must
/// still be seen.
const LARGEST_BLOCK: usize = 16 << 20;
/// Parts of a URL below this length are not taken for secrets.
const SHORTEST_SECRET: usize = 6;

/// Why no answer came. Fixed words: reqwest's own name the host, and some providers put their key there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("it took too long")]
    TimedOut,
    #[error("no connection")]
    NoConnection,
    #[error("the connection broke")]
    Broken,
    #[error("it sent more than {0} bytes")]
    TooLarge(usize),
    #[error("it answered with HTTP status {0}")]
    Status(u16),
    #[error("it did not answer in JSON-RPC")]
    NotJsonRpc,
    #[error("it answered another request")]
    OtherRequest,
    #[error("it asked to be left alone for a while")]
    Resting,
}

impl Fault {
    /// The fault inside an error of alloy's client, when it is one of ours.
    pub(super) fn of(error: &TransportError) -> Option<Self> {
        error.as_transport_err()?.as_custom()?.downcast_ref().copied()
    }
}

impl From<reqwest::Error> for Fault {
    fn from(error: reqwest::Error) -> Self {
        match error {
            error if error.is_timeout() => Self::TimedOut,
            error if error.is_connect() => Self::NoConnection,
            _ => Self::Broken,
        }
    }
}

/// The way to one node. Cheap to clone.
#[derive(Clone)]
pub(super) struct Rpc {
    /// For most questions.
    pub(super) client: RpcClient,
    /// For receipts and whole blocks, which may be larger.
    pub(super) large: RpcClient,
    hidden: Arc<[Secret<String>]>,
    /// Whether the node is on this machine.
    pub(super) is_local: bool,
    /// Whether an exchange failed on the way since the node was last found to be well.
    suspect: Arc<AtomicBool>,
    learning: Arc<Learning>,
}

impl fmt::Debug for Rpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rpc")
    }
}

impl Rpc {
    /// Prepares the way; no network. Fails when the URL is not http(s).
    pub(super) fn new(url: &Secret<String>, request_timeout: Duration) -> Result<Self, ChainError> {
        let parsed: Url = url.expose().parse().map_err(|_| ChainError::Settings("it is not a URL"))?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
            return Err(ChainError::Settings("expected http:// or https://"));
        }
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(request_timeout)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("wallet-server/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&parsed) {
            // A proxy elsewhere cannot reach this machine's loopback.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|_| ChainError::Settings("no TLS certificates to check it with"))?;
        let hidden = secrets_in(&parsed);
        let url = Arc::new(url.clone());
        let (suspect, learning) = (Arc::new(AtomicBool::new(false)), Arc::new(Learning::default()));
        let client_of = |largest| {
            let (client, url, suspect, learning) = (client.clone(), url.clone(), suspect.clone(), learning.clone());
            let transport = Transport { client, url, largest, suspect, learning };
            RpcClient::new(transport, is_loopback(&parsed))
        };
        Ok(Self {
            client: client_of(LARGEST_ANSWER),
            large: client_of(LARGEST_BLOCK),
            hidden,
            is_local: is_loopback(&parsed),
            suspect,
            learning,
        })
    }

    /// A way over other transports, for what the ways `of` lead to. Hides what they hide.
    pub(super) fn over<'way>(
        usual: impl IntoBoxTransport,
        large: impl IntoBoxTransport,
        of: impl Iterator<Item = &'way Self>,
    ) -> Self {
        let (mut hidden, mut is_local) = (Vec::new(), true);
        for rpc in of {
            hidden.extend(rpc.hidden.iter().cloned());
            is_local &= rpc.is_local;
        }
        Self {
            client: RpcClient::new(usual, is_local),
            large: RpcClient::new(large, is_local),
            hidden: hidden.into(),
            is_local,
            suspect: Arc::default(),
            learning: Arc::default(),
        }
    }

    /// What was learnt of the endpoint's ways.
    pub(super) fn habits(&self) -> Habits {
        self.learning.now()
    }

    /// Where more is learnt of them.
    pub(super) fn learning(&self) -> &Learning {
        &self.learning
    }

    /// Whether an exchange failed on the way since [`Self::clear`].
    pub(super) fn is_suspect(&self) -> bool {
        self.suspect.load(Ordering::Relaxed)
    }

    /// The node was found to be well.
    pub(super) fn clear(&self) {
        self.suspect.store(false, Ordering::Relaxed);
    }

    /// One call.
    pub(super) async fn ask<P, R>(&self, method: &'static str, params: P) -> TransportResult<R>
    where
        P: RpcSend + Unpin,
        R: RpcRecv,
    {
        self.client.request(method, params).await
    }

    /// What a node said, fit to be logged: one line, at most 280 characters, without any part of its URL.
    pub(super) fn quote(&self, words: &str) -> String {
        let mut quoted: String = words.chars().take(4096).collect();
        for secret in self.hidden.iter() {
            quoted = quoted.replace(secret.expose().as_str(), "…");
        }
        answer::clean(&quoted)
    }

    /// The error for the rest of the server.
    pub(super) fn unavailable(&self, error: TransportError) -> ChainError {
        ChainError::Unavailable(match &error {
            RpcError::ErrorResp(payload) => {
                format!("it answered with error {}: {}", payload.code, self.quote(&payload.message))
            }
            RpcError::Transport(_) => {
                Fault::of(&error).map_or_else(|| "it left a request out".to_owned(), |fault| fault.to_string())
            }
            _ => "its answer makes no sense".to_owned(),
        })
    }
}

/// Every part of the URL that could be a credential: user, password, and the words of host, path and query.
fn secrets_in(url: &Url) -> Arc<[Secret<String>]> {
    let words = url.as_str().split(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '%'));
    let decoded = url.query_pairs().map(|(_, value)| value.into_owned()).collect::<Vec<_>>();
    words.map(str::to_owned).chain(decoded).filter(|word| word.len() >= SHORTEST_SECRET).map(Secret::new).collect()
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}
