//! A user's account, session and second factor.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Secret;

/// A new account.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Registered {
    /// UUIDv7.
    pub user_id: Uuid,
    /// The only way back in when the password is lost. Shown once: write it down.
    pub recovery_key: Secret,
}

/// A new session.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Login {
    /// The session's bearer token. Whoever has it can act as the user, short of what needs a code.
    pub access_token: Secret,
    /// When the session ends.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// UUIDv7.
    pub user_id: Uuid,
    /// Whether a second factor is set up; without one nothing can be approved.
    pub mfa_enabled: bool,
}

/// The account and session a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Me {
    /// UUIDv7.
    pub user_id: Uuid,
    /// In lower case.
    pub username: String,
    /// Whether a second factor is set up; without one nothing can be approved.
    pub mfa_enabled: bool,
    /// When the account was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When this session ends.
    #[serde(with = "time::serde::rfc3339")]
    pub session_expires_at: OffsetDateTime,
    /// Backup codes not yet used, of ten.
    pub backup_codes_left: u32,
}

/// A second factor to be confirmed with a first code. Until then it is not active.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct MfaSetup {
    /// An `otpauth://` URI, for a QR code. Contains the secret.
    pub mfa_uri: Secret,
    /// The same secret in base32, for typing.
    pub secret: Secret,
}

/// The server's answer to `confirm_mfa`.
#[derive(Deserialize)]
pub(crate) struct BackupCodes {
    pub(crate) backup_codes: Vec<Secret>,
}
