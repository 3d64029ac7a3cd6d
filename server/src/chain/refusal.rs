//! Whose fault a refusal is: the question's, which any node would refuse, or the node's own.

use alloy::rpc::json_rpc::ErrorPayload;

use super::absence::says_absent;

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// The question: whatever node is asked.
    Question,
    /// The node: it has too much to do, lacks the method or the state, or is broken.
    Node,
    /// It does not say.
    Unclear,
}

/// Words with which a node asks to be left alone, in lower case.
const RESTS: [&str; 16] = [
    "rate limit",
    "ratelimit",
    "rate-limit",
    "limit exceeded",
    "exceeded the limit",
    "request limit",
    "too many requests",
    "too many connections",
    "requests per second",
    "compute units",
    "throttl",
    "quota",
    "capacity limit",
    "daily request",
    "credits",
    "slow down",
];

/// Words of a node that is about itself, in lower case.
const NODE: [&str; 41] = [
    "method not found",
    "method is not",
    "does not exist/is not available",
    "method not supported",
    "unsupported method",
    "unknown method",
    "method handler crashed",
    "not whitelisted",
    "server busy",
    "server is busy",
    "overloaded",
    "try again",
    "temporarily",
    "unavailable",
    "timeout",
    "timed out",
    "deadline exceeded",
    "context canceled",
    "request aborted",
    "connection",
    "upstream",
    "bad gateway",
    "backend",
    "unauthorized",
    "authenticat",
    "api key",
    "apikey",
    "project id",
    "forbidden",
    "access denied",
    "paid plan",
    "your plan",
    "syncing",
    "not synced",
    "not yet available",
    "database",
    "leveldb",
    "disk",
    "indexing is in progress",
    "no peers",
    "shutting down",
];

/// Whether a node asks to be left alone for a while. -32005: limit exceeded (EIP-1474).
pub(super) fn wants_rest(refusal: &ErrorPayload) -> bool {
    let message = refusal.message.to_lowercase();
    // How much may come at once is another matter.
    let is_batch = message.contains("batch");
    !is_batch && (matches!(refusal.code, -32005 | 429) || RESTS.iter().any(|words| message.contains(words)))
}

/// What a refusal is about. A contract's own words never count as the node's: they come with code 3, data, or "revert".
pub(super) fn blame(refusal: &ErrorPayload) -> Blame {
    let message = refusal.message.to_lowercase();
    // 3: a revert (execution-apis).
    if refusal.code == 3 || message.contains("revert") {
        return Blame::Question;
    }
    // -32601: method not found, -32700: parse error (JSON-RPC 2.0 §5.1); -32002, -32004: resource unavailable, method not
    // supported (EIP-1474).
    let is_code = matches!(refusal.code, -32601 | -32700 | -32002 | -32004);
    if is_code || wants_rest(refusal) || says_absent(refusal) || NODE.iter().any(|words| message.contains(words)) {
        return Blame::Node;
    }
    Blame::Unclear
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: i64, message: &'static str) -> ErrorPayload {
        ErrorPayload { code, message: message.into(), data: None }
    }

    #[test]
    fn a_nodes_own_trouble_is_told_from_a_calls() {
        for (code, message) in [
            (-32005, "limit exceeded"),
            (-32016, "over rate limit"),
            (429, "Your app has exceeded its compute units per second capacity"),
            (-32601, "the method eth_simulateV1 does not exist/is not available"),
            (-32000, "header not found"),
            (-32000, "missing trie node 6a3c (path ) state 0x1 is not available"),
            (-32000, "execution timeout"),
            (-32603, "upstream request failed"),
            (-32000, "project ID does not have access to this network"),
            (-32002, "request timed out"),
        ] {
            assert_eq!(blame(&refusal(code, message)), Blame::Node, "{message}");
        }
        for (code, message) in [(3, "execution reverted: too many requests"), (-32000, "execution reverted")] {
            assert_eq!(blame(&refusal(code, message)), Blame::Question, "{message}");
        }
        for (code, message) in [
            (-32000, "return data out of bounds"),
            (-32000, "gas uint64 overflow"),
            (-32000, "stack limit reached 1024 (1023)"),
            (-32603, "Internal error"),
            (-32015, "Bad instruction fe"),
        ] {
            assert_eq!(blame(&refusal(code, message)), Blame::Unclear, "{message}");
        }
    }
}
