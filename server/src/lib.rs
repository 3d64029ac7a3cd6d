//! The wallet server.
pub mod store;
pub mod value;
