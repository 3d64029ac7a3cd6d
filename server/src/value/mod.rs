//! Small types that cannot be wrong: parsed once at the edge, never checked again.

pub mod abi;
pub mod action;
pub mod address;
pub mod amount;
pub mod block;
pub mod bytes;
pub mod chain_id;
pub mod clock;
pub mod code;
pub mod credential;
pub mod fee;
pub mod hash;
pub mod id;
pub mod nonce;
pub mod preview;
pub mod secret;
pub mod status;
pub mod text;

pub use abi::{Arguments, ContractAbi};
pub use action::{Action, ContractCallAction, RawAction, TransferAction, TransferErc20Action};
pub use address::Address;
pub use amount::{TokenAmount, Wei};
pub use block::{Block, Warning};
pub use bytes::CallData;
pub use chain_id::ChainId;
pub use clock::{Clock, Time};
pub use code::{BackupCode, MfaCode, TotpCode};
pub use credential::{IdempotencyKey, Password, Username};
pub use fee::{Fees, Market};
pub use hash::{BlockHash, Digest, TransactionHash};
pub use id::{AgentId, SessionId, TransactionId, UserId, WalletId};
pub use nonce::{Gas, Height, Nonce};
pub use preview::{
    AssetChange, AssetKind, ChangeDirection, DecodedArgument, DecodedCall, DecodingSource, Preview, Simulation,
    SimulationMethod, SimulationOutcome, Token, TokenStandard,
};
pub use secret::Secret;
pub use status::{CancelCause, Evidence, Execute, PayloadKind, Severity, SlotState, Status, WaitingReason};
pub use text::{Label, Text};

/// Why a text is not the value it should be. The message never repeats the text, which may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub &'static str);

/// Gives a type that parses from text the serde form of a JSON string.
macro_rules! serde_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        $crate::value::serde_text!(read $type);
    };
    (read $type:ty) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_text;
