//! What gas costs now.

use alloy::transports::{TransportError, TransportResult};
use serde::Deserialize;

use super::{
    Chain, ChainError,
    answer::Price,
    rpc::{NO_PARAMS, Rpc},
};
use crate::value::{Fees, Market};

/// The least tip that is offered, in wei: some chains advise none, and then take nothing without one.
const LEAST_TIP: u128 = 1_000_000;
/// The tip where a node advises neither tip nor gas price: 1 gwei, which go-ethereum long had as its least.
const USUAL_TIP: u128 = 1_000_000_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    base_fee_per_gas: Option<Price>,
}

impl Chain {
    /// What gas costs at the latest block: on EIP-1559 chains twice the base fee and the advised tip (at least 0.001
    /// gwei), else the gas price. Fails when the node cannot be asked, or names a price above 2^80 wei.
    pub async fn market(&self) -> Result<Market, ChainError> {
        let rpc = self.rpc().await?;
        let market = ask_market(rpc).await.map_err(|error| rpc.unavailable(error))?;
        if market.now.max_fee_per_gas > Price::MAX {
            return Err(ChainError::Unavailable("it names an absurd price".to_owned()));
        }
        Ok(market)
    }
}

async fn ask_market(rpc: &Rpc) -> TransportResult<Market> {
    let mut batch = rpc.client.new_batch();
    let latest = batch.add_call::<_, Header>("eth_getBlockByNumber", &("latest", false))?;
    let tip = batch.add_call::<_, Price>("eth_maxPriorityFeePerGas", &NO_PARAMS)?;
    let gas_price = batch.add_call::<_, Price>("eth_gasPrice", &NO_PARAMS)?;
    batch.send().await?;
    let Some(Price(base)) = latest.await?.base_fee_per_gas else {
        let price = gas_price.await?.0;
        return Ok(Market { now: Fees { max_fee_per_gas: price, max_priority_fee_per_gas: price }, legacy: true });
    };
    let tip = match (advised(tip.await)?, advised(gas_price.await)?) {
        (Some(tip), _) => tip,
        // A gas price is the base fee and a tip.
        (None, Some(price)) => price.saturating_sub(base),
        (None, None) => USUAL_TIP,
    };
    let tip = tip.max(LEAST_TIP);
    // Prices are bounded by 2^80: no overflow.
    let now = Fees { max_fee_per_gas: 2 * base + tip, max_priority_fee_per_gas: tip };
    Ok(Market { now, legacy: false })
}

/// A node may lack a method and say so with an error; anything else that is not a price is a failure.
fn advised(price: TransportResult<Price>) -> Result<Option<u128>, TransportError> {
    match price {
        Ok(Price(price)) => Ok(Some(price)),
        Err(error) if error.is_error_resp() => Ok(None),
        Err(error) => Err(error),
    }
}
