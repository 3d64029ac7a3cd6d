//! The wallet server.
pub mod chain;
pub mod domain;
pub mod keys;
pub mod state;
pub mod store;
pub mod value;
pub mod watch;
