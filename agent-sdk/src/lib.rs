//! Typed client of the wallet server: payments by agents, approved by humans.
//!
//! An **agent** (a program with an API key) *prepares* a transaction. A **user** (a human with a
//! second factor) sees exactly what it does, and *authorizes* or *rejects* it. Then the agent
//! *executes* it. Nothing moves without the human, so an agent waits: often for minutes, sometimes
//! for a day, and sometimes for a no.
//!
//! # A paying agent
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use agent_sdk::{AgentClient, Error, PrepareTransaction, Status, address, amount};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let api_key = std::fs::read_to_string("/run/secrets/wallet_api_key")?;
//! let client = AgentClient::new("https://wallet.example.com", api_key)?;
//!
//! let supplier = address::parse("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")?;
//! let wei = amount::parse("1000000000000000")?; // 0.001 ETH
//! let payment = PrepareTransaction::transfer(supplier, wei)
//!     .memo("invoice 4711: one month of weather reports")
//!     .expires_in(Duration::from_secs(3600))
//!     .idempotency_key("invoice-4711"); // never paid twice, even if this program is restarted
//!
//! match client.pay(payment).await {
//!     Ok(paid) if paid.status == Status::Confirmed => {
//!         println!("paid in {}", paid.transaction_hash.unwrap_or_default());
//!     }
//!     Ok(ended) => println!("not paid: {}", ended.status),
//!     Err(Error::NotApproved { transaction }) => {
//!         let reason = transaction.reason.as_deref().unwrap_or("no reason given");
//!         println!("{}: {reason}", transaction.status);
//!     }
//!     Err(error) => return Err(error.into()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`AgentClient::pay`] is four calls in one: [`prepare`](AgentClient::prepare),
//! [`wait_until_decided`](AgentClient::wait_until_decided), [`execute`](AgentClient::execute) and
//! [`wait_until_confirmed`](AgentClient::wait_until_confirmed). Call them yourself to do something
//! in between. A request with [`Execute::OnApproval`] is sent by the human's yes itself; `pay`
//! serves both kinds.
//!
//! # What the client takes care of
//!
//! - **Nothing twice.** Requests that create something carry an idempotency key, the same at every
//!   attempt. Requests that spend a code are repeated only when the server has certainly not acted:
//!   never after an answer that says it [may have](Problem::may_have_happened).
//! - **Patience.** Failures that may pass are tried again, with growing pauses; a wait outlasts a
//!   restart of the server.
//! - **The digest.** Every [`Transaction`] returned has the digest its fields give; anything else
//!   is [`Error::DigestMismatch`].
//! - **The credential.** It goes to the base URL and nowhere else: redirects are not followed,
//!   plain http to another machine is refused, and no error or debug text contains it.
//!
//! # Features
//!
//! - `user`: `UserClient`, the human's side: accounts, wallets, agents, approvals. Off by default:
//!   an agent has no use for it.

#[cfg(feature = "user")]
mod account;
mod action;
pub mod address;
mod agent;
#[cfg(feature = "user")]
mod agents;
pub mod amount;
mod api_key;
#[cfg(feature = "user")]
mod authorize;
mod backoff;
mod builder;
mod call;
mod chain;
mod clean;
#[cfg(feature = "user")]
mod clear_nonce;
mod contract_call;
mod deployment;
mod digest;
mod error;
mod execute;
mod http;
#[cfg(feature = "user")]
mod keystore;
mod nonces;
mod open_text;
mod page;
mod prepare;
mod preview;
mod problem;
mod proof;
mod secret;
#[cfg(feature = "user")]
mod send;
mod shared;
mod status;
mod transaction;
#[cfg(feature = "user")]
mod user;
mod wait;
mod waiting;
mod wallet;

pub use action::Action;
pub use agent::AgentClient;
pub use builder::{AgentClientBuilder, ClientBuilder};
pub use chain::{Chain, ChainEndpoint};
pub use contract_call::{AbiCall, ContractCall};
pub use deployment::Deployment;
pub use error::Error;
pub use execute::Execute;
pub use nonces::{NonceState, NonceTrouble, Nonces, OpenNonce};
pub use page::{Page, Paging, TransactionFilter};
pub use prepare::PrepareTransaction;
pub use preview::{
    AssetChange, AssetKind, ChangeDirection, DecodedArgument, DecodedCall, DecodingSource, Preview, Simulation,
    SimulationMethod, SimulationOutcome, Token, TokenStandard,
};
pub use problem::{ErrorCode, Problem};
pub use secret::Secret;
pub use status::Status;
pub use transaction::{Block, Severity, Transaction, Warning};
pub use waiting::{Evidence, Waiting, WaitingReason};
pub use wallet::{Balance, LoadedWallet, Wallet};

#[cfg(feature = "user")]
pub use {
    account::{Login, Me, MfaSetup, Registered},
    agents::{Agent, CreateAgent, CreatedAgent},
    authorize::{Authorize, AuthorizeBatch},
    builder::UserClientBuilder,
    clear_nonce::NonceClearing,
    keystore::ImportWallet,
    send::Send,
    user::UserClient,
};
