//! An approval-gated EVM wallet server: agents prepare transactions, humans approve them, agents execute them.
//!
//! The rooms, from the street inwards; nothing points back (docs/ARCHITECTURE.md walks one request through them):
//!
//! ```text
//! http, watch -> domain -> store | keys | chain | abi -> value
//! ```

pub mod abi;
pub mod chain;
pub mod config;
pub mod domain;
pub mod http;
pub mod keys;
mod open;
mod run;
pub mod state;
pub mod store;
pub mod value;
pub mod watch;

pub use http::spec;
pub use open::{OpenError, open, open_on};
pub use run::{RunError, run};
