//! Secrets, at rest and in hand. Nothing here knows a database, a chain or a request.
//!
//! How a wallet key is reached, from the outside in:
//!
//! ```text
//! password --scrypt--> PasswordKey --.
//! RecoveryKey -----------------------+--> UserKey --> WalletKey, TotpSecret
//! SessionSecret (in the JWT) + Master'
//! ```
//!
//! Every arrow is a record in the database, and every record has the master secret's layer around it.
//!
//! - [`seal`] encrypts: one key for each record, one version byte in front.
//! - [`master`] the server's own secret and its subkeys; the outer layer.
//! - [`password`] scrypt, so many at a time.
//! - [`user`] the user key and the two ways to it: password and recovery key.
//! - [`session`] the third way to it, for as long as a login lasts.
//! - [`token`] the JWT that carries the session's secret.
//! - [`api_key`] what an agent proves itself with; it opens nothing.
//! - [`totp`] and [`backup`] one-time codes: gates, not keys.
//! - [`wallet`] and [`signer`] the keys that move money, and what they sign.
//! - [`keystore`] wallet keys under a passphrase, as other wallets read and write them.
//! - [`payload`] signed bytes that wait to be sent.
//! - [`mod@fingerprint`] tells a repeated request from another one.

pub mod api_key;
pub mod backup;
pub mod fingerprint;
pub mod keystore;
pub mod master;
pub mod password;
pub mod payload;
pub mod seal;
pub mod session;
pub mod signer;
pub mod token;
pub mod totp;
pub mod user;
pub mod wallet;

pub use api_key::ApiKey;
pub use fingerprint::fingerprint;
pub use keystore::KeystoreError;
pub use master::{Master, MasterError};
pub use password::{Busy, Kdf, PasswordKey, Salt};
pub use payload::{PayloadBinding, PayloadError};
pub use seal::SealError;
pub use session::SessionSecret;
pub use signer::{SignError, Signed, Unsigned};
pub use token::{Claims, InvalidToken, Tokens};
pub use totp::TotpSecret;
pub use user::{RecoveryKey, UnwrapError, UserKey};
pub use wallet::{OpenError, WalletBinding, WalletKey};

#[cfg(test)]
mod binding_tests;
