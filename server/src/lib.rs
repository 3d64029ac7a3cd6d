//! The wallet server.
pub mod value;
