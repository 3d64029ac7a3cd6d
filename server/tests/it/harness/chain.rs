//! What a development node can be told to do to its chain.

use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256};
use serde_json::{Value, json};

use super::{World, eventually, gate::number, rpc, stranger};

impl World {
    pub(crate) async fn head(&self) -> u64 {
        number(&self.rpc("eth_blockNumber", json!([])).await)
    }

    pub(crate) async fn mine(&self, blocks: u64) {
        self.rpc("anvil_mine", json!([format!("0x{blocks:x}")])).await;
    }

    /// Lets time pass, with a block from time to time.
    pub(crate) async fn let_blocks_come(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.mine(1).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Whether the node mines each transaction at once, as it does at first.
    pub(crate) async fn mine_by_itself(&self, does: bool) {
        self.rpc("evm_setAutomine", json!([does])).await;
    }

    /// Replaces the newest blocks by empty ones. What was in them is forgotten, also by the pool, and the node mines
    /// only when it is told to from now on.
    pub(crate) async fn reorganise(&self, depth: u64) {
        self.mine_by_itself(false).await;
        self.rpc("anvil_reorg", json!([depth, []])).await;
        self.rpc("anvil_dropAllTransactions", json!([])).await;
    }

    /// Forgets what waits to be mined.
    pub(crate) async fn empty_the_pool(&self) {
        self.rpc("anvil_dropAllTransactions", json!([])).await;
    }

    pub(crate) async fn snapshot(&self) -> Value {
        self.rpc("evm_snapshot", json!([])).await
    }

    /// Takes the chain back to a snapshot, as developers do between their tests.
    pub(crate) async fn revert_to(&self, snapshot: Value) {
        assert_eq!(self.rpc("evm_revert", json!([snapshot])).await, json!(true));
    }

    pub(crate) async fn receipt(&self, hash: B256) -> Value {
        self.rpc("eth_getTransactionReceipt", json!([hash])).await
    }

    pub(crate) async fn knows(&self, hash: B256) -> bool {
        !self.rpc("eth_getTransactionByHash", json!([hash])).await.is_null()
    }

    /// Sends from a wallet without the server, as somebody with its key could. Gives the hash.
    pub(crate) async fn use_elsewhere(&self, wallet: Address) -> B256 {
        use_at(self.node.url(), wallet).await
    }
}

/// The same at any node.
pub(crate) async fn use_at(node: &str, wallet: Address) -> B256 {
    rpc(node, "anvil_impersonateAccount", json!([wallet])).await;
    let payment = json!({ "from": wallet, "to": stranger(), "value": "0x1" });
    let hash = rpc(node, "eth_sendTransaction", json!([payment])).await;
    rpc(node, "anvil_stopImpersonatingAccount", json!([wallet])).await;
    rpc(node, "anvil_mine", json!(["0x1"])).await;
    serde_json::from_value(hash).expect("a hash")
}

/// The receipt of what succeeds once it is mined: a node that mines by itself answers before it has.
pub(crate) async fn mined(node: &str, hash: &Value) -> Value {
    let mut receipt = Value::Null;
    eventually("it is mined", Duration::from_secs(10), async || {
        receipt = rpc(node, "eth_getTransactionReceipt", json!([hash])).await;
        !receipt.is_null()
    })
    .await;
    assert_eq!(receipt["status"], "0x1", "{receipt}");
    receipt
}
