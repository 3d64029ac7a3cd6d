//! The development node, asked directly over JSON-RPC: the witness that does not depend on the server.

use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, U64, U256};
use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::proof::Balances;

/// How long the node may take to mine; it does so at once.
const MINING: Duration = Duration::from_secs(10);
/// Between two looks for a receipt.
const PAUSE: Duration = Duration::from_millis(50);

/// Why the node was of no help.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NodeError {
    /// It could not be asked.
    #[error("the node cannot be asked")]
    Unreachable(#[from] reqwest::Error),
    /// It refused, or answered something else.
    #[error("the node does not answer {method}: {answer}")]
    Refused {
        /// What it was asked.
        method: &'static str,
        /// What it said.
        answer: String,
    },
    /// A transaction was not mined.
    #[error("the node did not mine {0}")]
    NotMined(B256),
}

/// A development node: it holds unlocked accounts with money that is worth nothing.
pub(crate) struct Node {
    client: Client,
    url: String,
}

/// What the chain keeps of a transaction that was mined.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Receipt {
    status: U64,
    block_number: U64,
    gas_used: U64,
    effective_gas_price: U256,
    /// The hash of its block.
    pub(crate) block_hash: B256,
    /// Who paid.
    pub(crate) from: Address,
    /// Who was called.
    pub(crate) to: Option<Address>,
}

impl Receipt {
    /// Whether the transaction did what it should.
    pub(crate) fn succeeded(&self) -> bool {
        self.status == U64::from(1)
    }

    /// Height of its block.
    pub(crate) fn block(&self) -> u64 {
        self.block_number.to()
    }

    /// Gas it used.
    pub(crate) fn gas_used(&self) -> u64 {
        self.gas_used.to()
    }

    /// What its gas cost, in wei.
    pub(crate) fn fee(&self) -> U256 {
        U256::from(self.gas_used()) * self.effective_gas_price
    }
}

impl Node {
    /// The node at `url`, not asked yet.
    pub(crate) fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// The accounts that the node signs for.
    pub(crate) async fn accounts(&self) -> Result<Vec<Address>, NodeError> {
        self.ask("eth_accounts", json!([])).await
    }

    /// What both sides of a payment hold.
    pub(crate) async fn balances(&self, payer: Address, payee: Address) -> Result<Balances, NodeError> {
        Ok(Balances { payer: self.balance(payer).await?, payee: self.balance(payee).await? })
    }

    /// How many transactions of an address are on the chain.
    pub(crate) async fn transaction_count(&self, address: Address) -> Result<u64, NodeError> {
        let count: U64 = self.ask("eth_getTransactionCount", json!([address, "latest"])).await?;
        Ok(count.to())
    }

    /// Sends money of the node's own accounts, and waits until it is on the chain.
    pub(crate) async fn send(&self, from: Address, to: Address, value: U256) -> Result<B256, NodeError> {
        let transfer = json!([{ "from": from, "to": to, "value": value }]);
        let hash = self.ask("eth_sendTransaction", transfer).await?;
        self.receipt(hash).await?;
        Ok(hash)
    }

    /// The receipt of a transaction that was mined, or is about to be.
    pub(crate) async fn receipt(&self, hash: B256) -> Result<Receipt, NodeError> {
        let deadline = Instant::now() + MINING;
        loop {
            match self.ask("eth_getTransactionReceipt", json!([hash])).await? {
                Some(receipt) => return Ok(receipt),
                None if Instant::now() > deadline => return Err(NodeError::NotMined(hash)),
                None => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn balance(&self, address: Address) -> Result<U256, NodeError> {
        self.ask("eth_getBalance", json!([address, "latest"])).await
    }

    async fn ask<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> Result<T, NodeError> {
        let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer: Value = self.client.post(&self.url).json(&question).send().await?.json().await?;
        let result = answer.get("result").cloned().and_then(|result| serde_json::from_value(result).ok());
        result.ok_or_else(|| NodeError::Refused { method, answer: answer.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_read_as_nodes_write_it() {
        let receipt: Receipt = serde_json::from_value(json!({
            "status": "0x1", "blockNumber": "0x2", "gasUsed": "0x5208", "effectiveGasPrice": "0x3b9aca01",
            "blockHash": B256::repeat_byte(7), "from": Address::repeat_byte(1), "to": null, "logs": [],
        }))
        .expect("a receipt");
        assert!(receipt.succeeded());
        assert_eq!((receipt.block(), receipt.gas_used()), (2, 21_000));
        assert_eq!(receipt.fee(), U256::from(21_000_u64 * 1_000_000_001));
    }
}
