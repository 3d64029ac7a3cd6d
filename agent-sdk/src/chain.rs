//! The chains a server is connected to.

use serde::{Deserialize, Serialize};

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
    /// Whether its node answers at present.
    pub reachable: bool,
    /// The newest block's height, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<u64>,
}

/// The server's answer to `chains`: all of them, never paged.
#[derive(Deserialize)]
pub(crate) struct Chains {
    pub(crate) items: Vec<Chain>,
}
