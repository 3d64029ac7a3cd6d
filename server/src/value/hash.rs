//! 32-byte hashes, each with a type of its own.

use std::{fmt, str::FromStr};

use alloy::primitives::{B256, hex};

use super::{Invalid, serde_text};

macro_rules! hash {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub B256);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "0x{}", hex::encode(self.0))
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                const SHAPE: Invalid = Invalid("expected a hash: 0x and 64 hex digits");
                let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 64).ok_or(SHAPE)?;
                let mut bytes = [0; 32];
                hex::decode_to_slice(digits, &mut bytes).map_err(|_| SHAPE)?;
                Ok(Self(bytes.into()))
            }
        }

        serde_text!($name);
    };
}

hash!(
    /// What a human approves: the SHA-256 over every field that can change a transaction's meaning.
    Digest
);
hash!(
    /// The Keccak-256 of a signed transaction's bytes.
    TransactionHash
);
hash!(
    /// The hash of a block header.
    BlockHash
);
