//! Gas prices, in wei per unit of gas.

use super::Gas;

/// What one unit of gas may cost. On chains without EIP-1559 both fields are the gas price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fees {
    /// The most that is paid in all (EIP-1559 `maxFeePerGas`).
    pub max_fee_per_gas: u128,
    /// The most of it that goes to the block's producer (EIP-1559 `maxPriorityFeePerGas`).
    pub max_priority_fee_per_gas: u128,
}

impl Fees {
    /// Whether each field of `self` is at least that of `other`.
    pub fn covers(self, other: Self) -> bool {
        self.max_fee_per_gas >= other.max_fee_per_gas && self.max_priority_fee_per_gas >= other.max_priority_fee_per_gas
    }
}

/// What a chain asks now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Market {
    /// Fees that a transaction sent now needs: twice the base fee and the tip, or the gas price.
    pub now: Fees,
    /// Whether the chain has no base fee, so that transactions carry a gas price (EIP-155) instead of two fees.
    pub legacy: bool,
    /// How much gas a block holds; none where the node does not say.
    pub block_gas_limit: Option<Gas>,
}
