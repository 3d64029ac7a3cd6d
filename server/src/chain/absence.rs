//! Refusals that say that something is not there (any more), in the words of the clients. Any other refusal says
//! nothing.

use alloy::{rpc::json_rpc::ErrorPayload, transports::TransportError};

/// Fragments of messages in lower case.
const NOT_THERE: [&str; 26] = [
    // go-ethereum and what grew out of it
    "missing trie node",
    "header not found",
    "block not found",
    "unknown block",
    "could not find block",
    "historical state",
    "state is not available",
    "state not available",
    "is not available, not found",
    "no state found",
    "old data not available",
    "pruned history",
    // Nethermind, Besu, Erigon, Reth
    "no state available",
    "world state unavailable",
    "worldstate unavailable",
    "state unavailable",
    "is pruned",
    "been pruned",
    "history has been pruned",
    "distance to target block exceeds",
    "state already pruned",
    // Arbitrum, anvil, providers
    "metadata is not found",
    "blockoutofrange",
    "block out of range",
    "archive",
    "missing state",
];

/// Whether a node says that it has no such block, or no state of it. A node that is busy does not.
pub(super) fn is_absent(error: &TransportError) -> bool {
    error.as_error_resp().is_some_and(says_absent)
}

/// The same of a refusal.
pub(super) fn says_absent(refusal: &ErrorPayload) -> bool {
    let message = refusal.message.to_lowercase();
    // -39001: unknown block (execution-apis); 4444: pruned history unavailable (execution-apis, EIP-4444).
    matches!(refusal.code, -39001 | 4444) || NOT_THERE.iter().any(|words| message.contains(words))
}
