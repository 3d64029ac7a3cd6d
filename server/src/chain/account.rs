//! What a chain knows about an account.

use alloy::transports::TransportResult;

use super::{
    Chain, ChainError,
    answer::{Bytes, Count, Quantity},
    rpc::Rpc,
};
use crate::value::{Address, Wei};

/// An account at the latest block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// How many transactions of it are in blocks: the lowest nonce still free.
    pub nonce: u64,
    /// What it holds.
    pub balance: Wei,
}

impl Chain {
    /// Whether there is a contract (or an EIP-7702 delegation) at the address. Fails when the node cannot be asked.
    pub async fn has_code(&self, address: Address) -> Result<bool, ChainError> {
        let rpc = self.rpc().await?;
        let code = rpc.ask::<_, Bytes>("eth_getCode", (address, "latest")).await;
        code.map(|code| !code.0.is_empty()).map_err(|error| rpc.unavailable(error))
    }
}

/// Nonce and balance as one endpoint says them.
pub(super) async fn ask_account(rpc: &Rpc, address: Address) -> TransportResult<Account> {
    let mut batch = rpc.client.new_batch();
    let nonce = batch.add_call::<_, Count>("eth_getTransactionCount", &(address, "latest"))?;
    let balance = batch.add_call::<_, Quantity>("eth_getBalance", &(address, "latest"))?;
    batch.send().await?;
    Ok(Account { nonce: nonce.await?.0, balance: Wei(balance.await?.0) })
}
