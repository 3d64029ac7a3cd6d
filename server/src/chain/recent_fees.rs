//! What gas has cost lately, to compare what it is said to cost now with.

use alloy::transports::TransportError;
use serde::Deserialize;

use super::{Chain, ChainError, answer::Price};

/// How many blocks count as recent.
const BLOCKS: u64 = 20;
/// Of the tips in a block the median is asked for.
const MEDIAN: [u8; 1] = [50];

/// As execution-apis has `eth_feeHistory`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct History {
    #[serde(default)]
    base_fee_per_gas: Option<Vec<Price>>,
    #[serde(default)]
    gas_used_ratio: Option<Vec<f64>>,
    #[serde(default)]
    reward: Option<Vec<Vec<Price>>>,
}

impl Chain {
    /// What one unit of gas has cost at most in the last 20 blocks, in wei: the highest base fee, and on top of it the
    /// median of what each block's median transaction tipped. None where the node does not say.
    ///
    /// Fails when the node cannot be asked.
    pub async fn recent_price(&self) -> Result<Option<u128>, ChainError> {
        let rpc = self.rpc().await?;
        let asked = rpc.ask::<_, History>("eth_feeHistory", (format!("0x{BLOCKS:x}"), "latest", MEDIAN)).await;
        match asked {
            Ok(history) => Ok(history.price()),
            // Not every node has the method, and not every one answers it as it is written down.
            Err(error) if is_answer(&error) => Ok(None),
            Err(error) => Err(rpc.unavailable(error)),
        }
    }
}

fn is_answer(error: &TransportError) -> bool {
    error.is_error_resp() || matches!(error, TransportError::DeserError { .. })
}

impl History {
    fn price(self) -> Option<u128> {
        let Self { base_fee_per_gas, gas_used_ratio, reward } = self;
        let base = base_fee_per_gas.unwrap_or_default().into_iter().map(|Price(price)| price).max();
        // An empty block tips nothing, and says nothing of what a tip is.
        let used = gas_used_ratio.unwrap_or_default();
        let rewards = reward.unwrap_or_default();
        let rewards = rewards.iter().zip(used).filter(|(_, used)| *used > 0.0);
        let mut tips: Vec<u128> = rewards.filter_map(|(reward, _)| reward.first().map(|&Price(tip)| tip)).collect();
        tips.sort_unstable();
        let tip = tips.get(tips.len() / 2).copied();
        (base.is_some() || tip.is_some()).then(|| base.unwrap_or(0).saturating_add(tip.unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(history: &serde_json::Value) -> Option<u128> {
        serde_json::from_value::<History>(history.clone()).expect("a history").price()
    }

    #[test]
    fn the_highest_base_fee_and_the_median_tip_are_what_gas_cost() {
        let history = serde_json::json!({
            "oldestBlock": "0x1", "baseFeePerGas": ["0x64", "0xc8", "0x32"], "gasUsedRatio": [0.5, 0.0],
            "reward": [["0x7"], ["0x0"]],
        });
        assert_eq!(price(&history), Some(207));
    }

    #[test]
    fn one_block_with_an_absurd_tip_changes_little() {
        let history = serde_json::json!({
            "baseFeePerGas": ["0x64"], "gasUsedRatio": [0.5, 0.1, 0.5], "reward": [["0x7"], ["0xffffffffff"], ["0x8"]],
        });
        assert_eq!(price(&history), Some(108));
    }

    #[test]
    fn a_chain_of_empty_blocks_still_has_a_base_fee_and_one_without_history_has_no_price() {
        let empty = serde_json::json!({ "baseFeePerGas": ["0x7"], "gasUsedRatio": [0.0], "reward": [["0x0"]] });
        assert_eq!(price(&empty), Some(7));
        assert_eq!(price(&serde_json::json!({ "reward": null })), None);
    }
}
