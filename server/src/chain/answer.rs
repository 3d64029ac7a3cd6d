//! What nodes say, parsed into types that cannot be out of range. A node is not trusted.

use alloy::primitives::{U256, hex};
use serde::{Deserialize, Deserializer, de::Error};

use crate::value::text::is_deceptive;

/// A hexadecimal quantity (execution-apis: `0x` and 1 to 64 digits), or what some nodes write instead: a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quantity(pub(super) U256);

/// What nodes write for a quantity.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u64),
    Text(String),
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let quantity = match Written::deserialize(deserializer)? {
            // Above that, readers of JSON round.
            Written::Number(number) => Some(number).filter(|&number| number <= Count::MAX).map(U256::from),
            Written::Text(text) => text
                .strip_prefix("0x")
                .or_else(|| text.strip_prefix("0X"))
                .filter(|digits| (1..=64).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit()))
                .and_then(|digits| U256::from_str_radix(digits, 16).ok()),
        };
        quantity.map(Self).ok_or_else(|| D::Error::custom("expected a quantity"))
    }
}

/// A count of blocks, transactions or gas: 0 to 2^53 - 1, so that every JSON reader and both databases can hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(pub(super) u64);

impl Count {
    const MAX: u64 = (1 << 53) - 1;
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let quantity = Quantity::deserialize(deserializer)?;
        let count = u64::try_from(quantity.0).ok().filter(|&count| count <= Self::MAX);
        count.map(Self).ok_or_else(|| D::Error::custom("expected a smaller count"))
    }
}

/// A price in wei per unit of gas: 0 to 2^80, a million native coins for one unit. More is a lie or a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Price(pub(super) u128);

impl Price {
    /// The largest price that is believed.
    pub(super) const MAX: u128 = 1 << 80;
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let quantity = Quantity::deserialize(deserializer)?;
        let price = u128::try_from(quantity.0).ok().filter(|&price| price <= Self::MAX);
        price.map(Self).ok_or_else(|| D::Error::custom("expected a smaller price"))
    }
}

/// Bytes in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").filter(|digits| !digits.starts_with("0x"));
        digits.and_then(|digits| hex::decode(digits).ok()).map(Self).ok_or_else(|| D::Error::custom("expected bytes"))
    }
}

/// The longest text that is kept of what a node or a contract says, in characters.
const LONGEST: usize = 280;

/// Words of a node or a contract, fit for a log line or a human: one line, no control or bidirectional characters,
/// at most 280 characters.
pub(super) fn clean(words: &str) -> String {
    let shown = words.chars().map(|c| if matches!(c, '\n' | '\t') { ' ' } else { c });
    let kept: String = shown.filter(|&c| !is_deceptive(c)).take(LONGEST).collect();
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hexadecimal_quantities_in_range_are_believed() {
        let count = |text: &str| serde_json::from_str::<Count>(text).ok().map(|count| count.0);
        assert_eq!(count("\"0x10\""), Some(16));
        assert_eq!(count("\"0x1fffffffffffff\""), Some(Count::MAX));
        assert_eq!((count("16"), count("\"0X1f\""), count("\"0x0010\"")), (Some(16), Some(31), Some(16)));
        let odd = [
            "\"0x20000000000000\"",
            "\"0x\"",
            "\"10\"",
            "1.5",
            "-1",
            "9007199254740992",
            "null",
            "\"-0x1\"",
            "\"0x1_0\"",
            "\"0xg\"",
            "{}",
        ];
        for text in odd {
            assert_eq!(count(text), None, "{text}");
        }
        assert!(serde_json::from_str::<Price>("\"0x100000000000000000000\"").is_ok());
        assert!(serde_json::from_str::<Price>("\"0x100000000000000000001\"").is_err());
        assert!(serde_json::from_str::<Quantity>(&format!("\"0x{}\"", "f".repeat(65))).is_err());
        assert!(serde_json::from_str::<Bytes>("\"0x0\"").is_err());
    }

    #[test]
    fn words_are_one_short_line() {
        assert_eq!(clean("a\nb\u{1b}[2J\u{202e}c "), "a b[2Jc");
        assert_eq!(clean(&"x".repeat(1000)).len(), LONGEST);
    }
}
