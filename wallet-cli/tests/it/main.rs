//! The program as a script runs it, against a server that answers as it is told.

mod approve;
#[expect(dead_code, reason = "some of them are only shown")]
#[path = "../../src/review/examples.rs"]
mod examples;
mod nonces;
mod program;
mod send;
mod server;
