//! The chains a server is connected to.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A chain the server knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Chain {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// The chain's name.
    pub name: String,
    /// The native coin's symbol.
    pub symbol: String,
    /// Whether its node answers at present, and is believed.
    pub reachable: bool,
    /// What the server makes of its node: `good`, `unknown`, `unreachable` or `quarantined`; empty from a server that
    /// does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub verdict: String,
    /// The newest block's height, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<u64>,
    /// Since when that has been the newest block.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub head_since: Option<OffsetDateTime>,
    /// When its node last answered as it should.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub last_success: Option<OffsetDateTime>,
    /// What was wrong when it last did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When that was.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<OffsetDateTime>,
    /// A page that shows its transactions to people, to which `/tx/` and a hash are added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explorer_url: Option<String>,
    /// Each endpoint through which the server reaches it; none for agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Vec<ChainEndpoint>>,
}

/// An endpoint of a chain and how it is, as the server last found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChainEndpoint {
    /// What the operator calls it.
    pub name: String,
    /// As [`Chain::verdict`].
    pub verdict: String,
    /// Whether others are asked first: it is behind them, fails often, or wants to be left alone.
    pub poor: bool,
    /// By what its blocks are final: `tag`, `depth`, `unknown_tag` or `dead_tag`.
    pub finality: String,
    /// The newest block's height, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<u64>,
    /// Since when that has been the newest block.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub head_since: Option<OffsetDateTime>,
    /// When it last answered as it should.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub last_success: Option<OffsetDateTime>,
    /// What was wrong when it last did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When that was.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<OffsetDateTime>,
    /// How long it takes to answer, in milliseconds, smoothed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Which share of the latest exchanges failed, in percent, smoothed.
    pub failures_percent: u64,
    /// How many requests it takes at once, where it takes fewer than it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<u64>,
    /// Whether it can simulate calls, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulates: Option<bool>,
    /// Whether it can trace calls, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traces: Option<bool>,
    /// For how many more seconds it wants to be left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests_for: Option<u64>,
}

/// The server's answer to `chains`: all of them, never paged.
#[derive(Deserialize)]
pub(crate) struct Chains {
    pub(crate) items: Vec<Chain>,
}
