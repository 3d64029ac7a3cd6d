//! What is needed to reach a chain.

use std::time::Duration;

use crate::value::{ChainId, Secret};

/// How long one exchange with an endpoint may take, unless set otherwise.
pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a `finalized` tag may stand still while blocks come, unless set otherwise.
pub const DEFAULT_DEAD_TAG_AFTER: Duration = Duration::from_secs(30 * 60);

/// A chain and the endpoints through which it is reached.
#[derive(Debug, Clone)]
pub struct ChainSettings {
    /// Which chain it must be.
    pub id: ChainId,
    /// What people call it; none: what the public calls it, else `chain N`.
    pub name: Option<String>,
    /// What its currency is called; none: what the public calls it, else `ETH`.
    pub symbol: Option<String>,
    /// A page that shows its transactions to people, without a slash at the end.
    pub explorer_url: Option<String>,
    /// Where it is asked; at least one.
    pub endpoints: Vec<EndpointSettings>,
    /// How long one request may take in all ([`DEFAULT_REQUEST_TIMEOUT`]).
    pub request_timeout: Duration,
    /// What makes its blocks final.
    pub finality: Finality,
    /// How long its `finalized` tag may stand still while blocks come before a depth counts
    /// ([`DEFAULT_DEAD_TAG_AFTER`]).
    pub dead_tag_after: Duration,
    /// How often it is asked for its newest block while something waits; none: as all chains.
    pub poll_interval: Option<Duration>,
    /// How long a rung waits before the next one is sent; none: as all chains.
    pub bump_after: Option<Duration>,
    /// The highest price that is approved, as a multiple of the market's; none: as all chains.
    pub cap_multiple: Option<u32>,
    /// The least tip that is offered, in wei a unit of gas; none: as all chains.
    pub least_tip: Option<u128>,
}

impl ChainSettings {
    /// A chain behind one endpoint, everything else as usual.
    pub fn new(id: ChainId, url: Secret<String>) -> Self {
        Self {
            id,
            name: None,
            symbol: None,
            explorer_url: None,
            endpoints: vec![EndpointSettings::new("node", url)],
            request_timeout: DEFAULT_REQUEST_TIMEOUT,
            finality: Finality::Tag,
            dead_tag_after: DEFAULT_DEAD_TAG_AFTER,
            poll_interval: None,
            bump_after: None,
            cap_multiple: None,
            least_tip: None,
        }
    }
}

/// One endpoint.
#[derive(Debug, Clone)]
pub struct EndpointSettings {
    /// What it is called in answers and in the log.
    pub name: String,
    /// `http://` or `https://`; may hold a user and password, or a provider's key.
    pub url: Secret<String>,
    /// `ws://` or `wss://`, where its new blocks are subscribed to; none: it is asked from time to time.
    pub ws_url: Option<Secret<String>>,
    /// Endpoints of a lower order are asked first.
    pub order: u32,
    /// Which share of the questions it gets among those of its order; at least 1.
    pub weight: u32,
}

impl EndpointSettings {
    /// An endpoint of the first order.
    pub fn new(name: impl Into<String>, url: Secret<String>) -> Self {
        Self { name: name.into(), url, ws_url: None, order: 0, weight: 1 }
    }
}

/// What makes a chain's blocks final.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Finality {
    /// The chain says so itself (the `finalized` tag); 64 blocks where it does not.
    #[default]
    Tag,
    /// So many blocks, the transaction's own counted (at least 1).
    Depth(u64),
    /// Every block at once: chains whose validators agree before they make a block (QBFT, IBFT).
    Instant,
}

impl Finality {
    /// After how many blocks; none: the tag says.
    pub(super) fn depth(self) -> Option<u64> {
        match self {
            Self::Tag => None,
            Self::Depth(depth) => Some(depth),
            Self::Instant => Some(1),
        }
    }
}
