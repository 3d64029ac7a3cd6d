//! What bytes mean to contracts, and bytes of what was asked: pure, without a node.
//!
//! Nothing here trusts a name. A function's name is 4 bytes of a hash, and anybody can find another name with the same 4
//! bytes; so what a public standard says of them goes first, and what a caller's ABI says counts only when encoding the
//! arguments again gives the very same bytes.

mod carry;
mod contract;
mod decode;
mod encode;
mod error;
mod log;
mod meaning;
mod read;
mod revert;
mod standards;
#[cfg(test)]
mod tests;
mod text;

pub use contract::Contract;
pub use encode::encode_erc20_transfer;
pub use error::AbiError;
pub use log::{Event, read_log};
pub use meaning::Meaning;
pub use read::{Argument, Call, read};
pub use revert::explain_revert;
