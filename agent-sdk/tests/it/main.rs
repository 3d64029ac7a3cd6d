//! The client against a server that misbehaves on purpose. How it fares with the real one is tested
//! there.
#![cfg(feature = "user")]

mod credentials;
mod decisions;
mod nonces;
mod repeats;
mod scripted;
mod sends;
mod waits;
