//! Identifiers. Each noun has its own type, so that one can never be passed for another.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use super::{Invalid, serde_text};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id: UUIDv7, so ids sort by the time they were made.
            #[expect(clippy::new_without_default, reason = "every call makes another id")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The 16 bytes, as they enter digests and key derivation.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                if text.len() != 36 {
                    return Err(Invalid("expected a UUID: 36 characters"));
                }
                Uuid::try_parse(text).map(Self).map_err(|_| Invalid("expected a UUID"))
            }
        }

        serde_text!($name);
    };
}

id!(
    /// A human with a password.
    UserId
);
id!(
    /// A program with an API key, working for one user.
    AgentId
);
id!(
    /// One key pair, owned by one user.
    WalletId
);
id!(
    /// One request to move something.
    TransactionId
);
id!(
    /// One login of one user.
    SessionId
);
