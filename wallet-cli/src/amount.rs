//! Amounts of the native coin, written out exactly: never rounded, never in exponent form.

use alloy::primitives::{U256, U512, Uint};

/// Decimal places between wei and the whole coin, the same on every EVM chain.
const COIN_DECIMALS: usize = 18;
/// Decimal places between wei and gwei, the unit people know gas prices in.
const GWEI_DECIMALS: usize = 9;

/// An amount of wei as whole coins, e.g. `0.05`.
pub(crate) fn coins<const BITS: usize, const LIMBS: usize>(wei: Uint<BITS, LIMBS>) -> String {
    with_decimals(&wei.to_string(), COIN_DECIMALS)
}

/// An amount of wei as gwei, e.g. `1.5`.
pub(crate) fn gwei(wei: U256) -> String {
    with_decimals(&wei.to_string(), GWEI_DECIMALS)
}

/// The most that a transaction can take out of a wallet: its value and its whole gas limit at the
/// fee cap. The result is wider than its parts, so that no combination of them can wrap round to
/// something that looks cheap.
pub(crate) fn total_at_most(value: U256, gas_limit: u64, max_fee_per_gas: U256) -> U512 {
    U512::from(value) + fee_at_most(gas_limit, max_fee_per_gas)
}

/// The most that the gas of a transaction can cost.
pub(crate) fn fee_at_most(gas_limit: u64, max_fee_per_gas: U256) -> U512 {
    U512::from(gas_limit) * U512::from(max_fee_per_gas)
}

/// Puts the decimal point `decimals` places from the right and drops the zeros that say nothing.
fn with_decimals(amount: &str, decimals: usize) -> String {
    let digits = format!("{amount:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a decimal number back into its smallest unit, by string work alone.
    fn smallest_unit(text: &str, decimals: usize) -> U512 {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = format!("{whole}{fraction:0<decimals$}");
        U512::from_str_radix(&digits, 10).expect("only digits were printed")
    }

    #[test]
    fn known_amounts_read_as_people_write_them() {
        for (wei, expected) in [
            (0_u64, "0"),
            (1, "0.000000000000000001"),
            (50_000_000_000_000_000, "0.05"),
            (1_000_000_000_000_000_000, "1"),
            (10_000_000_000_000_000_000, "10"),
            (1_000_000_000_000_000_001, "1.000000000000000001"),
        ] {
            assert_eq!(coins(U256::from(wei)), expected);
        }
        assert_eq!(gwei(U256::from(1_500_000_000_u64)), "1.5");
        assert_eq!(gwei(U256::from(7)), "0.000000007");
    }

    #[test]
    fn every_amount_survives_the_way_there_and_back() {
        let mut amount = U256::MAX;
        let mut mixed = U256::from(0x9E37_79B9_7F4A_7C15_u64);
        while !amount.is_zero() {
            for wei in [amount, amount - U256::ONE, mixed % amount.max(U256::from(2))] {
                assert_eq!(smallest_unit(&coins(wei), COIN_DECIMALS), U512::from(wei));
                assert_eq!(smallest_unit(&gwei(wei), GWEI_DECIMALS), U512::from(wei));
            }
            mixed = mixed.wrapping_mul(mixed).wrapping_add(amount);
            amount >>= 1;
        }
    }

    #[test]
    fn the_largest_total_does_not_wrap_round() {
        let total = total_at_most(U256::MAX, u64::MAX, U256::MAX);
        assert!(total > U512::from(U256::MAX));
    }
}
