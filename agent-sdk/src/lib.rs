//! Typed client of the wallet server: payments by agents, approved by humans.

#[cfg(feature = "user")]
mod account;
mod action;
pub mod address;
#[cfg(feature = "user")]
mod agents;
pub mod amount;
#[cfg(feature = "user")]
mod authorize;
mod chain;
mod digest;
mod error;
mod open_text;
mod page;
mod prepare;
mod problem;
mod secret;
mod status;
mod transaction;
mod wallet;

pub use action::Action;
pub use chain::Chain;
pub use error::Error;
pub use page::{Page, Paging, TransactionFilter};
pub use prepare::PrepareTransaction;
pub use problem::{ErrorCode, Problem};
pub use secret::Secret;
pub use status::Status;
pub use transaction::{Block, Severity, Transaction, Waiting, WaitingReason, Warning};
pub use wallet::{Balance, LoadedWallet, Wallet};

#[cfg(feature = "user")]
pub use {
    account::{Login, Me, MfaSetup, Registered},
    agents::{Agent, CreateAgent, CreatedAgent},
    authorize::Authorize,
};
