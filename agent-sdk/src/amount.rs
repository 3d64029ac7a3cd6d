//! Amounts of wei: decimal strings on the wire, [`U256`] in the program.

use alloy::primitives::U256;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Text that is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an amount: expected decimal digits without sign or leading zeros, at most 2^256 - 1")]
pub struct InvalidAmount;

/// Reads an amount as the server does: decimal digits only, no sign, no leading zeros, at most
/// 2^256 - 1.
///
/// Fails when the text is anything else; [`U256`]'s own parser takes `""`, `"0x1f"` and `"1_000"`.
///
/// ```
/// use alloy::primitives::U256;
///
/// assert_eq!(agent_sdk::amount::parse("1000"), Ok(U256::from(1000)));
/// assert!(agent_sdk::amount::parse("0x1000").is_err());
/// ```
pub fn parse(text: &str) -> Result<U256, InvalidAmount> {
    let digits_only = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if !digits_only || leading_zero {
        return Err(InvalidAmount);
    }
    U256::from_str_radix(text, 10).map_err(|_| InvalidAmount)
}

/// An amount in its wire form.
struct Decimal(U256);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map(Self).map_err(de::Error::custom)
    }
}

pub(crate) fn serialize<S: Serializer>(amount: &U256, serializer: S) -> Result<S::Ok, S::Error> {
    Decimal(*amount).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<U256, D::Error> {
    Decimal::deserialize(deserializer).map(|Decimal(amount)| amount)
}

pub(crate) mod optional {
    use super::{Decimal, Deserialize, Deserializer, Serialize, Serializer, U256};

    pub(crate) fn serialize<S: Serializer>(amount: &Option<U256>, serializer: S) -> Result<S::Ok, S::Error> {
        amount.map(Decimal).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<U256>, D::Error> {
        let amount = Option::<Decimal>::deserialize(deserializer)?;
        Ok(amount.map(|Decimal(amount)| amount))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_range_reads_back_as_written() {
        for amount in [U256::ZERO, U256::from(7), U256::MAX] {
            assert_eq!(parse(&amount.to_string()), Ok(amount));
        }
    }

    #[test]
    fn anything_but_plain_digits_is_refused() {
        let too_large = format!("{}0", U256::MAX);
        for text in ["", "00", "01", "+1", "-1", "1.0", "1e3", "0x1", "1_000", " 1", "1 ", "٣", &too_large] {
            assert_eq!(parse(text), Err(InvalidAmount), "{text:?}");
        }
    }
}
