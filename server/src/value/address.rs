//! An EVM account address.

use std::{fmt, str::FromStr};

use alloy::primitives::address;

use super::{Invalid, serde_text};

/// 20 bytes. Read from `0x` + 40 hex digits; mixed case must carry the EIP-55 checksum. Written with the checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub alloy::primitives::Address);

impl Address {
    /// The token that native currency is told as in a simulation (execution-apis, `eth_simulateV1`).
    pub const NATIVE: Self = Self(address!("eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"));

    /// The 20 bytes, as they enter digests and key derivation.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_checksum(None))
    }
}

impl FromStr for Address {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = text
            .strip_prefix("0x")
            .filter(|digits| digits.len() == 40 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .ok_or(Invalid("expected an address: 0x and 40 hex digits"))?;
        let address: alloy::primitives::Address =
            digits.parse().map_err(|_| Invalid("expected an address: 0x and 40 hex digits"))?;
        let lower = digits.bytes().any(|byte| byte.is_ascii_lowercase());
        let upper = digits.bytes().any(|byte| byte.is_ascii_uppercase());
        if lower && upper && address.to_checksum(None) != text {
            return Err(Invalid("the address does not match its EIP-55 checksum"));
        }
        Ok(Self(address))
    }
}

serde_text!(Address);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eip_55_vectors_are_read_and_written_unchanged() {
        for text in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ] {
            assert_eq!(text.parse::<Address>().expect("a published vector").to_string(), text);
            assert!(text.to_lowercase().parse::<Address>().is_ok());
        }
    }

    #[test]
    fn a_wrong_checksum_or_shape_is_refused() {
        for text in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",
            "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
            "0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
            "",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
