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
    /// When its node last answered as it should.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub last_success: Option<OffsetDateTime>,
    /// What was wrong when it last did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When that was.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<OffsetDateTime>,
}

/// The server's answer to `chains`: all of them, never paged.
#[derive(Deserialize)]
pub(crate) struct Chains {
    pub(crate) items: Vec<Chain>,
}
