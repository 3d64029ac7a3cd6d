//! Handing signed bytes to the nodes of a chain, and what their answers mean.

use alloy::primitives::{B256, hex, keccak256};

use tokio::task::JoinSet;

use super::{Chain, endpoint::Endpoint, estimate::POOR};
use crate::value::TransactionHash;

/// What a node made of signed bytes. Only `Refused` may be for good, when nodes repeat it while they are well: what is
/// refused with these words can also be a node's own trouble (one that is of another chain, or is not synchronised).
/// Anything that is not understood is `Unavailable`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// It took them.
    Accepted,
    /// It has them already.
    AlreadyKnown,
    /// The nonce is used, perhaps by these very bytes: look for their hashes.
    NonceTooLow,
    /// It pays too little: for the next block, for the pool, or to replace what has its nonce.
    Underpriced,
    /// The sender holds too little.
    InsufficientFunds,
    /// The node takes no nonce ahead of the account's, or not this far.
    NonceGap,
    /// It says that these bytes can never be included.
    Refused {
        /// What the node says: at most 280 characters on one line.
        reason: String,
        /// Whether two nodes say so, or the only one that is well.
        counts: bool,
    },
    /// The node cannot be asked, or says something unknown. They may or may not have arrived.
    Unavailable {
        /// What was wrong: one line, at most 280 characters and a few words, without any part of the node's URL.
        why: String,
    },
}

impl Chain {
    /// Sends the bytes of a signed transaction to every endpoint that is believed. The first that takes them decides; who
    /// has not answered by then gets them all the same. Never fails: every failure is an outcome.
    pub async fn send(&self, raw: &[u8]) -> SendOutcome {
        let hash = TransactionHash(keccak256(raw));
        if let Err(error) = self.rpc().await {
            tracing::warn!(chain.id = %self.id(), transaction.hash = %hash, %error, "nothing was sent");
            return SendOutcome::Unavailable { why: error.words() };
        }
        let bytes = format!("0x{}", hex::encode(raw));
        let endpoints = self.0.pool.usable();
        let count = endpoints.len();
        // What has been said may be lost with this task, bytes that have begun to leave may not.
        let mut sending: JoinSet<SendOutcome> = JoinSet::new();
        for endpoint in endpoints {
            let bytes = bytes.clone();
            sending.spawn(async move { send(&endpoint, hash, bytes).await });
        }
        let mut outcomes = Vec::with_capacity(count);
        while let Some(Ok(outcome)) = sending.join_next().await {
            let is_taken = matches!(outcome, SendOutcome::Accepted | SendOutcome::AlreadyKnown);
            outcomes.push(outcome);
            if is_taken {
                sending.detach_all();
                break;
            }
        }
        decide(outcomes)
    }
}

/// Sends bytes to one endpoint.
async fn send(endpoint: &Endpoint, hash: TransactionHash, bytes: String) -> SendOutcome {
    let (rpc, chain) = (&endpoint.rpc, endpoint.chain_id);
    let error = match rpc.ask::<_, B256>("eth_sendRawTransaction", (bytes,)).await {
        Ok(answered) if answered == hash.0 => return SendOutcome::Accepted,
        Ok(_) => {
            tracing::warn!(chain.id = %chain, transaction.hash = %hash, "the node answered with another hash");
            return SendOutcome::Unavailable { why: "it answered with another hash".to_owned() };
        }
        Err(error) => error,
    };
    match error.as_error_resp().and_then(|payload| classify(payload.code, &payload.message)) {
        Some(SendOutcome::Refused { reason, counts }) => SendOutcome::Refused { reason: rpc.quote(&reason), counts },
        Some(outcome) => outcome,
        None => {
            let error = rpc.unavailable(error);
            tracing::warn!(chain.id = %chain, transaction.hash = %hash, %error, "a transaction may not have arrived");
            SendOutcome::Unavailable { why: error.words() }
        }
    }
}

/// What several nodes say in all: that one took the bytes, else that their nonce is used, else what can be helped, before
/// what cannot; one refusal of several nodes does not count, and silence only where there is nothing else.
fn decide(outcomes: Vec<SendOutcome>) -> SendOutcome {
    let refusals = outcomes.iter().filter(|outcome| matches!(outcome, SendOutcome::Refused { .. })).count();
    let enough = refusals >= outcomes.len().min(2);
    let rank = |outcome: &SendOutcome| match outcome {
        SendOutcome::Accepted => 0,
        SendOutcome::AlreadyKnown => 1,
        SendOutcome::NonceTooLow => 2,
        SendOutcome::Underpriced => 3,
        SendOutcome::InsufficientFunds => 4,
        SendOutcome::NonceGap => 5,
        SendOutcome::Refused { .. } => 6,
        SendOutcome::Unavailable { .. } => 7,
    };
    match outcomes.into_iter().min_by_key(rank) {
        Some(SendOutcome::Refused { reason, .. }) => SendOutcome::Refused { reason, counts: enough },
        Some(outcome) => outcome,
        None => SendOutcome::Unavailable { why: "none of its endpoints is of use".to_owned() },
    }
}

/// One row of the table below.
#[derive(Clone, Copy)]
enum Meaning {
    Known,
    Low,
    Gap,
    Cheap,
    Poor,
    Never,
}

/// Fragments of messages in lower case; the first that occurs decides, so the more telling come first.
const MESSAGES: &[(Meaning, &[&str])] = &[
    // Before "known transaction".
    (Meaning::Never, &["unknown transaction type", "unsupported transaction type", "transaction type not supported"]),
    (
        Meaning::Known,
        &[
            "already known",
            "alreadyknown",
            "already imported",
            "already exists",
            "already in mempool",
            "already in the mempool",
            "already in the pool",
            "existing tx with same hash",
            "known transaction",
        ],
    ),
    (
        Meaning::Low,
        &["nonce too low", "nonce is too low", "oldnonce", "below sender account nonce", "below current account nonce"],
    ),
    (
        Meaning::Gap,
        &[
            "nonce too high",
            "nonce is too high",
            "noncegap",
            "nonce gap",
            "gapped",
            "nonce is too distant",
            "nonce too distant",
            "noncetoofarinfuture",
            "nonce too far in",
            "in-flight transaction limit",
        ],
    ),
    (Meaning::Poor, &POOR),
    (
        Meaning::Cheap,
        &[
            "underpriced",
            "feetoolow",
            "fee too low",
            "fee is too low",
            "gas price too low",
            "gas price is too low",
            "gasprice is too low",
            "is too low for the next block",
            "less than block base fee",
            "less than basefee",
            "less than the current basefee",
            "less than the block base fee",
            "below configured minimum",
            "could not replace existing tx",
            "gas price to replace",
            "replacementnotallowed",
            "tip cap too low",
        ],
    ),
    (
        Meaning::Never,
        &[
            "intrinsic gas",
            "intrinsicgas",
            "floor data gas",
            "transaction requires at least",
            "exceeds block gas limit",
            "exceeds the block gas limit",
            "gaslimitexceeded",
            "gas limit too high",
            "gas limit greater than",
            "gas uint64 overflow",
            "invalid sender",
            "failed to recover sender",
            "failedtoresolvesender",
            "senderiscontract",
            "sender not an eoa",
            "sender is not an eoa",
            "invalid signature",
            "invalid transaction v, r, s",
            "invalid v, r, s",
            "invalid chain id",
            "invalid chainid",
            "wrong chainid",
            "wrong chain id",
            "chain id mismatch",
            "signed for another chain",
            "meant for chain id",
            "only replay-protected",
            "oversized data",
            "transaction too large",
            "maxtxsizeexceeded",
            "initcode size",
            "init code size",
            "eip1559 is not supported",
            "type 2 transactions are not supported",
            "higher than max fee per gas",
            "greater than max fee",
            "greater than `max_fee_per_gas`",
            "nonce has max value",
            "negative value",
            "rlp: ",
            "failed to decode transaction",
            "failed to decode signed transaction",
            "could not decode transaction",
        ],
    ),
];

/// Codes that mean one thing (execution-apis, `eth_simulateV1`), for nodes whose message says nothing.
const CODES: &[(Meaning, i64)] =
    &[(Meaning::Low, -38010), (Meaning::Gap, -38011), (Meaning::Poor, -38014), (Meaning::Cheap, -38012)];

/// What an error of `eth_sendRawTransaction` means: by its message first, its code second.
fn classify(code: i64, message: &str) -> Option<SendOutcome> {
    let lower = message.to_lowercase();
    let by_message = MESSAGES.iter().find(|(_, fragments)| fragments.iter().any(|fragment| lower.contains(fragment)));
    let meaning = match by_message {
        Some((meaning, _)) => *meaning,
        None => CODES.iter().find(|(_, known)| *known == code)?.0,
    };
    Some(match meaning {
        Meaning::Known => SendOutcome::AlreadyKnown,
        Meaning::Low => SendOutcome::NonceTooLow,
        Meaning::Gap => SendOutcome::NonceGap,
        Meaning::Cheap => SendOutcome::Underpriced,
        Meaning::Poor => SendOutcome::InsufficientFunds,
        Meaning::Never => SendOutcome::Refused { reason: message.to_owned(), counts: true },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_nodes_one_that_takes_the_bytes_decides_and_one_that_refuses_does_not() {
        use SendOutcome::{Accepted, NonceTooLow, Underpriced};
        let refused = |counts| SendOutcome::Refused { reason: "no".to_owned(), counts };
        let silent = || SendOutcome::Unavailable { why: "it took too long".to_owned() };
        assert_eq!(decide(vec![refused(true), silent(), Accepted]), Accepted);
        assert_eq!(decide(vec![refused(true), NonceTooLow]), NonceTooLow);
        assert_eq!(decide(vec![Underpriced, refused(true)]), Underpriced);
        assert_eq!(decide(vec![refused(true), silent()]), refused(false), "one of two nodes that are believed");
        assert_eq!(decide(vec![refused(true), silent(), refused(true)]), refused(true));
        assert_eq!(decide(vec![refused(true)]), refused(true), "the only one");
        assert_eq!(decide(vec![silent()]), silent());
    }

    #[test]
    fn the_messages_of_every_client_are_understood() {
        use SendOutcome::{AlreadyKnown, InsufficientFunds, NonceGap, NonceTooLow, Underpriced};
        let cases = [
            // go-ethereum
            ("already known", AlreadyKnown),
            ("known transaction: 6a3c", AlreadyKnown),
            ("nonce too low", NonceTooLow),
            ("nonce too low: address 0xA, tx: 0 state: 1", NonceTooLow),
            ("nonce too low: next nonce 7, tx nonce 3", NonceTooLow),
            ("nonce too high: address 0xA, tx: 9 state: 1", NonceGap),
            ("gapped-nonce tx from delegated accounts", NonceGap),
            ("in-flight transaction limit reached for delegated accounts", NonceGap),
            ("replacement transaction underpriced", Underpriced),
            ("transaction underpriced: gas tip cap 1, minimum needed 1000000", Underpriced),
            ("max fee per gas less than block base fee: address 0xA, maxFeePerGas: 1, baseFee: 7", Underpriced),
            ("insufficient funds for gas * price + value: balance 0, tx cost 21000, overshot 21000", InsufficientFunds),
            ("transaction would cause overdraft", InsufficientFunds),
            // Nethermind, before and after it took go-ethereum's words
            ("AlreadyKnown", AlreadyKnown),
            ("OldNonce, Current nonce: 1, nonce of rejected tx: 0.", NonceTooLow),
            ("NonceGap, Future nonce. Expected nonce: 1", NonceGap),
            ("FeeTooLow, MaxFeePerGas too low.", Underpriced),
            ("FeeTooLowToCompete", Underpriced),
            ("ReplacementNotAllowed", Underpriced),
            ("InsufficientFunds, Account balance: 0, cumulative cost: 1", InsufficientFunds),
            // Besu
            ("Known transaction", AlreadyKnown),
            ("Nonce too low", NonceTooLow),
            ("transaction nonce 0 below sender account nonce 1", NonceTooLow),
            ("Transaction nonce is too distant from current sender nonce", NonceGap),
            ("Replacement transaction underpriced", Underpriced),
            ("Gas price below configured minimum gas price", Underpriced),
            ("gasPrice is less than the current BaseFee", Underpriced),
            ("Upfront cost exceeds account balance", InsufficientFunds),
            ("transaction up-front cost 0x1 exceeds transaction sender account balance 0x0", InsufficientFunds),
            // Erigon
            ("INTERNAL_ERROR: existing tx with same hash", AlreadyKnown),
            ("INTERNAL_ERROR: nonce too low", NonceTooLow),
            ("INTERNAL_ERROR: could not replace existing tx", Underpriced),
            ("fee too low", Underpriced),
            ("INTERNAL_ERROR: insufficient funds", InsufficientFunds),
            // Reth
            ("nonce too low: next nonce 5, tx nonce 4", NonceTooLow),
            ("transaction is underpriced", Underpriced),
            ("insufficient gas price to replace existing transaction", Underpriced),
            // anvil
            ("transaction already imported", AlreadyKnown),
            ("Insufficient funds for gas * price + value", InsufficientFunds),
            // Hardhat
            ("Nonce too low. Expected nonce to be 1 but got 0.", NonceTooLow),
            (
                "Nonce too high. Expected nonce to be 0 but got 5. Note that transactions can't be queued when automining.",
                NonceGap,
            ),
            ("maxFeePerGas (1) is too low for the next block, which has a baseFeePerGas of 875000000", Underpriced),
            ("Replacement transaction underpriced. A gasPrice/maxFeePerGas of at least 1 is necessary", Underpriced),
            ("sender doesn't have enough funds to send tx. The max upfront cost is: 1", InsufficientFunds),
        ];
        for (message, outcome) in cases {
            assert_eq!(classify(-32000, message), Some(outcome), "{message}");
        }
    }

    #[test]
    fn bytes_that_can_never_be_included_are_refused_for_good() {
        for message in [
            "intrinsic gas too low: gas 20000, minimum needed 21000",
            "Intrinsic gas exceeds gas limit",
            "insufficient gas for floor data gas cost: gas 21000, minimum needed 24000",
            "Transaction requires at least 21000 gas but got 20000",
            "exceeds block gas limit",
            "Transaction gas limit exceeds block gas limit",
            "Transaction gas limit is 60000000 and exceeds block gas limit of 30000000",
            "GasLimitExceeded, Gas limit: 30000000, gas limit of rejected tx: 60000000",
            "transaction gas limit too high (cap: 16777216, tx: 20000000)",
            "invalid sender",
            "invalid sender: invalid chain id for signer: have 5 want 1",
            "Invalid signature",
            "transaction was meant for chain id 5 and not this chain id 1",
            "oversized data: transaction size 200000, limit 131072",
            "max initcode size exceeded: code size 50000, limit 49152",
            "transaction type not supported",
            "transaction type not supported: type 2 rejected, pool not yet in London",
            "invalid chain id",
            "unknown transaction type",
            "max priority fee per gas higher than max fee per gas",
            "sender not an eoa: address 0xA, codehash: 0xB",
            "only replay-protected (EIP-155) transactions allowed over RPC",
            "Failed to decode transaction",
        ] {
            let refused = SendOutcome::Refused { reason: message.to_owned(), counts: true };
            assert_eq!(classify(-32000, message), Some(refused), "{message}");
        }
    }

    #[test]
    fn what_is_not_understood_is_never_final() {
        for (code, message) in [
            (-32000, "txpool is full"),
            (-32005, "limit exceeded"),
            (429, "Too Many Requests"),
            (-32603, "Internal error"),
            (-32003, "transaction rejected"),
            (-32601, "the method eth_sendRawTransaction does not exist/is not available"),
            (-32000, "tx fee (1.50 ether) exceeds the configured cap (1.00 ether)"),
            (-32000, "Invalid"),
            (-32602, "invalid params"),
            (-32603, "failed to decode response from upstream"),
            (-32000, "this method requires at least a paid plan"),
            (0, ""),
        ] {
            assert_eq!(classify(code, message), None, "{message}");
        }
        assert_eq!(classify(-38010, "rejected"), Some(SendOutcome::NonceTooLow));
        // The message wins over the code.
        assert_eq!(classify(-38010, "already known"), Some(SendOutcome::AlreadyKnown));
    }
}
