//! EIP-155 chain ids.

use std::{fmt, str::FromStr};

use super::Invalid;

/// An EIP-155 chain id, 1 to 2^53 - 1, so that every JSON reader can hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(u64);

impl ChainId {
    /// The largest id that is accepted.
    pub const MAX: u64 = (1 << 53) - 1;

    /// The id, when it is in range.
    pub fn new(id: u64) -> Result<Self, Invalid> {
        if (1..=Self::MAX).contains(&id) {
            Ok(Self(id))
        } else {
            Err(Invalid("expected a chain id: an integer from 1 to 9007199254740991"))
        }
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ChainId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.parse().map_err(|_| Invalid("expected a chain id: an integer")).and_then(Self::new)
    }
}

impl serde::Serialize for ChainId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for ChainId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
