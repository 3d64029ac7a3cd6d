//! Whether a fee is one that its payer would want to know of first.

use alloy::primitives::U256;

use crate::store::transactions::Model;

/// How far above what gas has cost lately a price is no ordinary one. The caps that are shown leave room for about
/// eight times: four times a price that holds twice the base fee.
const TIMES_RECENT: u128 = 32;

/// Prices are compared with at least this, 1 gwei: on an idle chain the base fee falls to almost nothing, and the
/// smallest usual tip is already many times that.
const LEAST_RECENT: u128 = 1_000_000_000;

/// What is offered for being mined, in wei, and what is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    /// The most that the gas can cost in all.
    fee: U256,
    /// The most that one unit of gas can cost.
    price: u128,
    /// Native currency sent.
    amount: U256,
}

impl Offer {
    pub(super) fn of(row: &Model) -> Self {
        Self { fee: row.worst_case_fee().0, price: row.fee_caps().max_fee_per_gas, amount: row.value.0 }
    }
}

/// Why the worst-case fee of a transaction is excessive; none when it is not.
///
/// It is, when it is any of these:
/// - *far above the chain*: its price for a unit of gas is more than 32 times what gas cost in the last 20 blocks
///   (`recent`, taken as at least 1 gwei; where the chain does not say, this is not asked);
/// - *large against the wallet*: it is more than a quarter of the balance;
/// - *large against the amount*: it is more than the native currency that is sent, where any is, and more than a fiftieth
///   of the balance, for an amount is not odd by being small.
///
/// The last two are not asked of a wallet that does not hold the amount and the fee: it cannot pay, is told so, and is
/// asked again once it can.
pub(super) fn excess(offer: Offer, balance: U256, recent: Option<u128>) -> Option<&'static str> {
    let Offer { fee, price, amount } = offer;
    if recent.is_some_and(|recent| price > recent.max(LEAST_RECENT).saturating_mul(TIMES_RECENT)) {
        return Some("its price for gas is more than 32 times what this chain's last blocks paid");
    }
    if balance < amount.saturating_add(fee) {
        return None;
    }
    if fee > balance / U256::from(4) {
        return Some("its fee can take more than a quarter of what the wallet holds");
    }
    if !amount.is_zero() && fee > amount && fee > balance / U256::from(50) {
        return Some("its fee can be more than the amount that is sent, and a large part of what the wallet holds");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    const GWEI: u128 = 1_000_000_000;
    const ETHER: u128 = 1_000_000_000_000_000_000;

    /// A transfer of `amount` wei for `price` wei a unit of gas.
    fn is_excessive(amount: u128, price: u128, balance: u128, recent: Option<u128>) -> bool {
        let offer = Offer { fee: U256::from(21_000) * U256::from(price), price, amount: U256::from(amount) };
        excess(offer, U256::from(balance), recent).is_some()
    }

    #[test]
    fn an_ordinary_payment_is_silent_however_small_it_is() {
        // anvil: 1 gwei of base fee and of tip.
        assert!(!is_excessive(1_000, 12 * GWEI, 10 * ETHER, Some(2 * GWEI)));
        // anvil after many empty blocks.
        assert!(!is_excessive(1_000, 4 * GWEI + 56, 10 * ETHER, Some(7)));
        // A mainnet at 10 gwei, and a wallet of 0.1 ether.
        assert!(!is_excessive(1_000, 84 * GWEI, ETHER / 10, Some(11 * GWEI)));
        // A rollup.
        assert!(!is_excessive(1_000, GWEI / 10, ETHER / 1_000, Some(GWEI / 100)));
    }

    #[test]
    fn a_node_that_names_another_tip_is_told_of() {
        // 84 ether at worst for 1000 wei; the last blocks know better, however rich the wallet is.
        let price = 84 * ETHER / 21_000;
        assert!(is_excessive(1_000, price, 1_000_000 * ETHER, Some(3 * GWEI)));
        assert!(is_excessive(1_000, price, 100 * ETHER, None));
        // 0.387 ether for 1000 wei, where this server alone has made the prices.
        assert!(is_excessive(1_000, ETHER * 387 / 1_000 / 21_000, 10 * ETHER, Some(7_191 * GWEI)));
    }

    #[test]
    fn a_price_is_far_above_the_chain_beyond_32_times() {
        let rich = 1_000_000 * ETHER;
        assert!(!is_excessive(ETHER, 320 * GWEI, rich, Some(10 * GWEI)));
        assert!(is_excessive(ETHER, 320 * GWEI + 1, rich, Some(10 * GWEI)));
        assert!(!is_excessive(ETHER, 32 * GWEI, rich, Some(1)));
        assert!(is_excessive(ETHER, 32 * GWEI + 1, rich, Some(1)));
        assert!(!is_excessive(ETHER, 320 * GWEI + 1, rich, None));
    }

    #[test]
    fn a_fee_is_large_against_the_wallet_beyond_a_quarter_of_it() {
        let fee = 21_000 * GWEI;
        assert!(!is_excessive(0, GWEI, 4 * fee, None));
        assert!(is_excessive(0, GWEI, 4 * fee - 1, None));
        assert!(!is_excessive(0, GWEI, fee - 1, None), "it cannot pay at all");
    }

    #[test]
    fn a_fee_is_large_against_the_amount_where_the_wallet_feels_it() {
        let fee = 21_000 * GWEI;
        assert!(!is_excessive(fee, GWEI, 50 * fee - 1, None));
        assert!(is_excessive(fee - 1, GWEI, 50 * fee - 1, None));
        assert!(!is_excessive(fee - 1, GWEI, 50 * fee, None));
        assert!(!is_excessive(0, GWEI, 50 * fee - 1, None), "a call sends nothing to compare with");
    }
}
