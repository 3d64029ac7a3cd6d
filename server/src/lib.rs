//! The wallet server.
pub mod keys;
pub mod store;
pub mod value;
