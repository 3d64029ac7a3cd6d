//! Call data.

use std::{fmt, str::FromStr};

use alloy::primitives::hex;

use super::{Invalid, serde_text};

/// What a transaction carries beside its value: 0 to 131072 bytes (EIP-3860 bounds init code far below that).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallData(pub Vec<u8>);

impl CallData {
    /// The most bytes that are accepted: the size nodes relay (geth's `txMaxSize` is 128 KiB).
    pub const LARGEST: usize = 131_072;
}

impl fmt::Display for CallData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(&self.0))
    }
}

impl FromStr for CallData {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = text.strip_prefix("0x").ok_or(Invalid("expected 0x and an even number of hex digits"))?;
        if digits.len() > Self::LARGEST * 2 {
            return Err(Invalid("expected at most 131072 bytes"));
        }
        if digits.starts_with("0x") {
            return Err(Invalid("expected 0x and an even number of hex digits"));
        }
        hex::decode(digits).map(Self).map_err(|_| Invalid("expected 0x and an even number of hex digits"))
    }
}

serde_text!(CallData);
