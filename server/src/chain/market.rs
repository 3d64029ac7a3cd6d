//! What gas costs now.
//!
//! The base fee is the protocol's (EIP-1559). The tip is a market, and a node's advice for it
//! (`eth_maxPriorityFeePerGas`) is made from what was paid in recent blocks. Where this server is the main sender, that
//! is what this server paid: advice taken as it is, with anything on top, drives itself up without end. So the tip comes
//! from `eth_feeHistory` (execution-apis), block by block:
//!
//! - A block filled to less than half of its gas limit, the target of EIP-1559, had room: to be in it cost the least
//!   that anybody paid, whatever the others gave.
//! - A fuller one is a market: to be in it cost about the 10th percentile (by gas) of what was paid.
//!
//! The tip is the median over the last 20 blocks, and never more than the node's advice. The least that anybody paid is
//! the chain's floor: some have one (a pool's minimum, as on Polygon and BNB Smart Chain), and nobody got in below it.
//! Tips of zero say nothing of it, since block producers and systems pay themselves none. The least is remembered for an
//! hour, so that payments which had to climb do not become the floor of later ones.
//!
//! When nobody paid anything lately, the advice counts: then it is the node's own minimum. It is bounded, as is the
//! advice of nodes without `eth_feeHistory`, by ten times the base fee or 100 gwei, whichever is more.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use alloy::transports::{TransportError, TransportResult};
use serde::Deserialize;

use super::{
    Chain, ChainError,
    answer::{Count, Price},
    rpc::{NO_PARAMS, Rpc},
};
use crate::value::{Fees, Gas, Market};

/// The least tip that is offered, in wei: some chains advise none, and then take nothing without one. It is also
/// go-ethereum's least since 2024.
const LEAST_TIP: u128 = 1_000_000;
/// The tip where a node advises neither tip nor gas price: 1 gwei, which go-ethereum long had as its least.
const USUAL_TIP: u128 = 1_000_000_000;
/// What bounds advice that no block confirms, beside ten times the base fee.
const MOST_ADVISED: u128 = 100_000_000_000;

/// How many blocks are looked at.
const BLOCKS: &str = "0x14";
/// Which percentile, by gas, of what was paid in a full block counts as its price.
const PERCENTILE: [u8; 1] = [10];
/// Blocks filled less than this had room (EIP-1559: the target is half of the limit).
const HALF: f64 = 0.5;
/// How long the least tip that was seen counts as the chain's floor.
const FLOOR_LASTS: Duration = Duration::from_secs(60 * 60);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    base_fee_per_gas: Option<Price>,
    #[serde(default)]
    gas_limit: Option<Count>,
}

/// What was paid in recent blocks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct History {
    #[serde(default)]
    gas_used_ratio: Vec<f64>,
    #[serde(default)]
    reward: Vec<Vec<Price>>,
}

impl History {
    /// How full each block was, and what the cheapest tenth of it paid.
    fn blocks(&self) -> impl Iterator<Item = (f64, u128)> {
        let paid = |tips: &Vec<Price>| tips.first().map_or(0, |Price(tip)| *tip);
        self.gas_used_ratio.iter().zip(&self.reward).map(move |(ratio, tips)| (*ratio, paid(tips)))
    }

    /// The least tip that anybody paid.
    fn least(&self) -> Option<u128> {
        self.blocks().map(|(_, tip)| tip).filter(|&tip| tip > 0).min()
    }
}

/// The least tip that was seen on a chain, and when.
#[derive(Debug, Default)]
pub(super) struct Floor(Mutex<Option<(u128, Instant)>>);

impl Floor {
    /// The least of what is seen now and what was seen within the hour.
    fn lower(&self, seen: u128) -> u128 {
        let mut floor = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *floor {
            Some((least, at)) if least < seen && at.elapsed() < FLOOR_LASTS => least,
            _ => {
                *floor = Some((seen, Instant::now()));
                seen
            }
        }
    }
}

impl Chain {
    /// What gas costs at the latest block: on EIP-1559 chains twice the base fee and the market's tip (at least 0.001
    /// gwei), else the gas price. Fails when the node cannot be asked, or names a price above 2^80 wei.
    pub async fn market(&self) -> Result<Market, ChainError> {
        let rpc = self.rpc().await?;
        let market =
            ask_market(rpc, &self.0.floor, self.0.settings.least_tip).await.map_err(|error| rpc.unavailable(error))?;
        if market.now.max_fee_per_gas > Price::MAX {
            return Err(ChainError::Unavailable("it names an absurd price".to_owned()));
        }
        Ok(market)
    }
}

async fn ask_market(rpc: &Rpc, floor: &Floor, least_tip: Option<u128>) -> TransportResult<Market> {
    let mut batch = rpc.client.new_batch();
    let latest = batch.add_call::<_, Header>("eth_getBlockByNumber", &("latest", false))?;
    let tip = batch.add_call::<_, Price>("eth_maxPriorityFeePerGas", &NO_PARAMS)?;
    let gas_price = batch.add_call::<_, Price>("eth_gasPrice", &NO_PARAMS)?;
    let history = batch.add_call::<_, History>("eth_feeHistory", &(BLOCKS, "latest", PERCENTILE))?;
    batch.send().await?;
    let Header { base_fee_per_gas, gas_limit } = latest.await?;
    let block_gas_limit = gas_limit.map(|limit| Gas(limit.0)).filter(|limit| limit.0 > 0);
    let Some(Price(base)) = base_fee_per_gas else {
        let price = gas_price.await?.0;
        let now = Fees { max_fee_per_gas: price, max_priority_fee_per_gas: price };
        return Ok(Market { now, legacy: true, block_gas_limit });
    };
    // A gas price is the base fee and a tip; it shows a minimum that the other advice may not.
    let of_price = advised(gas_price.await)?.map(|price| price.saturating_sub(base));
    let advice = advised(tip.await)?.max(of_price);
    // A node without the method, or with an odd answer, is one without history.
    let history = history.await.unwrap_or_default();
    let tip = match of_price {
        // Gas that costs nothing, and never did, is free.
        Some(0) if base == 0 && advice == Some(0) && history.least().is_none() => 0,
        // Without a base fee a gas price is all that shows a pool's minimum.
        Some(least) if base == 0 => market_tip(&history, advice, base, floor).max(least.min(MOST_ADVISED)),
        _ => market_tip(&history, advice, base, floor),
    };
    let tip = tip.max(least_tip.unwrap_or(0));
    // Prices are bounded by 2^80: no overflow.
    let now = Fees { max_fee_per_gas: 2 * base + tip, max_priority_fee_per_gas: tip };
    Ok(Market { now, legacy: false, block_gas_limit })
}

/// The tip that takes a transaction into one of the next blocks; the reasons are at the top of this file.
fn market_tip(history: &History, advice: Option<u128>, base: u128, floor: &Floor) -> u128 {
    let Some(least) = history.least().map(|least| floor.lower(least)) else {
        let bound = base.saturating_mul(10).max(MOST_ADVISED);
        return advice.unwrap_or(USUAL_TIP).min(bound).max(LEAST_TIP);
    };
    let mut prices: Vec<u128> =
        history.blocks().map(|(ratio, tip)| if ratio < HALF { least } else { tip.max(least) }).collect();
    prices.sort_unstable();
    let median = prices.get(prices.len() / 2).copied().unwrap_or(least);
    advice.map_or(median, |advice| median.min(advice)).max(LEAST_TIP)
}

/// A node may lack a method and say so with an error; anything else that is not a price is a failure.
fn advised(price: TransportResult<Price>) -> Result<Option<u128>, TransportError> {
    match price {
        Ok(Price(price)) => Ok(Some(price)),
        Err(error) if error.is_error_resp() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GWEI: u128 = 1_000_000_000;

    fn history(blocks: &[(f64, u128)]) -> History {
        History {
            gas_used_ratio: blocks.iter().map(|(ratio, _)| *ratio).collect(),
            reward: blocks.iter().map(|(_, tip)| vec![Price(*tip)]).collect(),
        }
    }

    fn tip(blocks: &[(f64, u128)], advice: u128) -> u128 {
        market_tip(&history(blocks), Some(advice), GWEI, &Floor::default())
    }

    #[test]
    fn in_blocks_with_room_the_least_that_anybody_paid_is_the_price() {
        assert_eq!(tip(&[(0.1, 7_000 * GWEI), (0.2, 2 * GWEI), (0.0, 0)], 7_000 * GWEI), 2 * GWEI);
        // A pool's minimum shows in what was paid, however empty the blocks are.
        assert_eq!(tip(&[(0.01, 30 * GWEI), (0.0, 0), (0.02, 25 * GWEI)], 30 * GWEI), 25 * GWEI);
    }

    #[test]
    fn in_full_blocks_it_is_what_the_cheapest_tenth_paid() {
        assert_eq!(tip(&[(0.9, 3 * GWEI), (0.8, 4 * GWEI), (0.7, 5 * GWEI), (0.1, GWEI)], 9 * GWEI), 4 * GWEI);
        assert_eq!(tip(&[(0.9, 3 * GWEI); 20], 2 * GWEI), 2 * GWEI, "never more than the node advises");
        assert_eq!(tip(&[(0.9, 1); 20], 2 * GWEI), LEAST_TIP);
    }

    #[test]
    fn without_payments_the_advice_counts_within_bounds() {
        assert_eq!(tip(&[(0.0, 0); 20], GWEI), GWEI);
        assert_eq!(tip(&[], 3 * GWEI), 3 * GWEI);
        assert_eq!(tip(&[], 7_191 * GWEI), 100 * GWEI);
        assert_eq!(market_tip(&History::default(), Some(7_191 * GWEI), 50 * GWEI, &Floor::default()), 500 * GWEI);
        assert_eq!(market_tip(&History::default(), None, 0, &Floor::default()), USUAL_TIP);
        assert_eq!(tip(&[], 0), LEAST_TIP);
    }

    #[test]
    fn payments_that_had_to_climb_do_not_become_the_floor() {
        let floor = Floor::default();
        let mut last = market_tip(&history(&[(0.1, GWEI)]), Some(GWEI), GWEI, &floor);
        for _ in 0..1_000 {
            let climbed = last * 3;
            last = market_tip(&history(&[(0.1, climbed); 20]), Some(climbed), GWEI, &floor);
        }
        assert_eq!(last, GWEI);
    }
}
