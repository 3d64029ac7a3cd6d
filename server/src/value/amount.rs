//! Amounts, each of one kind of asset.

use std::{fmt, str::FromStr};

use alloy::primitives::U256;

use super::{Invalid, serde_text};

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub U256);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                decimal(text).map(Self)
            }
        }

        serde_text!($name);
    };
}

amount!(
    /// An amount in wei, 0 to 2^256 - 1. Text form: decimal digits, no sign, no leading zeros.
    Wei
);
amount!(
    /// An amount in the smallest unit of a token, or a token's id: 0 to 2^256 - 1. Text form as that of [`Wei`].
    TokenAmount
);

impl Wei {
    /// Nothing.
    pub const ZERO: Self = Self(U256::ZERO);

    /// The sum, or the largest amount when it would not fit: an amount nobody has.
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl From<u128> for Wei {
    fn from(amount: u128) -> Self {
        Self(U256::from(amount))
    }
}

fn decimal(text: &str) -> Result<U256, Invalid> {
    const SHAPE: Invalid = Invalid("expected an amount in the smallest unit: decimal digits, at most 2^256 - 1");
    let digits = !text.is_empty() && text.len() <= 78 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || (text.len() > 1 && text.starts_with('0')) {
        return Err(SHAPE);
    }
    U256::from_str_radix(text, 10).map_err(|_| SHAPE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_decimal_digits_are_an_amount() {
        for text in ["", "0x10", "1_000", "0o17", "-1", "+1", "01", "1.0", " 1", "1e18"] {
            assert!(text.parse::<Wei>().is_err(), "{text:?}");
        }
        assert!("1".repeat(79).parse::<Wei>().is_err());
    }

    #[test]
    fn the_largest_amount_survives_a_round_trip_and_one_more_is_refused() {
        let largest = U256::MAX.to_string();
        assert_eq!(largest.parse::<Wei>().expect("2^256 - 1").to_string(), largest);
        let more = format!("{}6", &largest[..largest.len() - 1]);
        assert!(more.parse::<Wei>().is_err());
    }
}
