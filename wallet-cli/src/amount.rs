//! Amounts of coins and tokens, read and written exactly: never rounded, never in exponent form.

use std::str::FromStr;

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

/// An exact number as people can read it: all of its digits, but for the largest that there can be.
pub(crate) fn in_full(number: &str) -> String {
    if number == U256::MAX.to_string() { "2^256 - 1, the most there can be".to_owned() } else { number.to_owned() }
}

/// An amount as a person types it, `25` or `0.05`: decimal digits with at most one dot between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    whole: String,
    fraction: String,
}

/// Why an amount is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AmountError {
    /// It is not written as amounts are.
    #[error("write it as 25 or 0.05: digits, and a dot before the decimals")]
    Shape,
    /// It is finer than the smallest unit.
    #[error("it has more than {0} decimals, and there is nothing smaller")]
    TooFine(u8),
    /// It does not fit.
    #[error("that is more than any contract can count")]
    TooLarge,
}

impl FromStr for Decimal {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return Err(AmountError::Shape),
            Some(parts) => parts,
            None => (text, ""),
        };
        let digits_only = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits_only {
            return Err(AmountError::Shape);
        }
        Ok(Self { whole: whole.to_owned(), fraction: fraction.to_owned() })
    }
}

impl Decimal {
    /// The amount in the smallest unit of something with this many decimals.
    ///
    /// Fails when it is finer than that unit, and when it does not fit 256 bits.
    pub(crate) fn units(&self, decimals: u8) -> Result<U256, AmountError> {
        let Self { whole, fraction } = self;
        let places = usize::from(decimals);
        if fraction.len() > places {
            return Err(AmountError::TooFine(decimals));
        }
        let digits = format!("{whole}{fraction:0<places$}");
        let digits = match digits.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        U256::from_str_radix(digits, 10).map_err(|_| AmountError::TooLarge)
    }
}

/// Reads an amount of the native coin, e.g. `0.05`, as wei.
///
/// Fails when it is not an amount, has more than 18 decimals, or does not fit.
pub(crate) fn parse_coins(text: &str) -> Result<U256, AmountError> {
    text.parse::<Decimal>()?.units(COIN_DECIMALS as u8)
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
    fn what_people_type_becomes_exactly_that_many_units() {
        for (text, decimals, units) in
            [("25.5", 6, "25500000"), ("0.000001", 6, "1"), ("007", 0, "7"), ("0", 18, "0"), ("0.0", 1, "0")]
        {
            let amount: Decimal = text.parse().expect("an amount");
            assert_eq!(amount.units(decimals).map(|units| units.to_string()).as_deref(), Ok(units), "{text}");
        }
        let largest = format!("{}.{}", &U256::MAX.to_string()[..60], &U256::MAX.to_string()[60..]);
        assert_eq!(parse_coins(&largest), Ok(U256::MAX));
    }

    #[test]
    fn what_is_not_an_exact_amount_is_refused() {
        for text in ["", ".", "5.", ".5", "-1", "+1", "1e18", "0x10", "1_000", "0,05", "1.2.3", " 1", "٣", "1 ETH"] {
            assert_eq!(parse_coins(text), Err(AmountError::Shape), "{text:?}");
        }
        let amount: Decimal = "25.50".parse().expect("an amount");
        assert_eq!(amount.units(1), Err(AmountError::TooFine(1)));
        let too_large: Decimal = U256::MAX.to_string().parse().expect("an amount");
        assert_eq!(too_large.units(1), Err(AmountError::TooLarge));
        assert_eq!(
            "9".repeat(100_000).parse::<Decimal>().and_then(|amount| amount.units(255)),
            Err(AmountError::TooLarge)
        );
    }

    #[test]
    fn the_largest_total_does_not_wrap_round() {
        let total = total_at_most(U256::MAX, u64::MAX, U256::MAX);
        assert!(total > U512::from(U256::MAX));
    }
}
