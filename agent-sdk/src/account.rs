//! A user's account, session and second factor.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::call::Call;
use crate::proof::{Proof, once};
use crate::{Error, Secret, UserClient};

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

impl UserClient {
    /// Opens an account. `username`: 3 to 64 of `a-z 0-9 . _ -`; `password`: 12 to 1024 bytes.
    ///
    /// Fails with `username_taken` or `weak_password`.
    pub async fn register(&self, username: &str, password: &Secret) -> Result<Registered, Error> {
        let body = Proof { username: Some(username), password: Some(password.expose()), ..Proof::default() };
        self.http.send(once("api/register", &body)?.anonymous()).await
    }

    /// Begins a session, and uses it from now on.
    ///
    /// Fails with `invalid_credentials`.
    pub async fn login(&self, username: &str, password: &Secret) -> Result<Login, Error> {
        let body = Proof { username: Some(username), password: Some(password.expose()), ..Proof::default() };
        let login: Login = self.http.send(once("api/login", &body)?.anonymous()).await?;
        self.keep(Some(login.access_token.clone()));
        Ok(login)
    }

    /// Ends the session, on the server and here. A session that had already ended is no error.
    pub async fn logout(&self) -> Result<(), Error> {
        match self.http.exchange(&Call::post_empty("api/logout")).await {
            Err(error) if error.status() != Some(401) => return Err(error),
            _ => self.keep(None),
        }
        Ok(())
    }

    /// The account and session.
    pub async fn me(&self) -> Result<Me, Error> {
        self.http.send(Call::get("api/me")).await
    }

    /// Begins to set up a second factor; [`confirm_mfa`](Self::confirm_mfa) completes it. To
    /// replace one, give its current code or a backup code.
    ///
    /// Fails with `invalid_credentials` or `mfa_invalid`.
    pub async fn setup_mfa(&self, password: &Secret, mfa_code: Option<&Secret>) -> Result<MfaSetup, Error> {
        let body =
            Proof { password: Some(password.expose()), mfa_code: mfa_code.map(Secret::expose), ..Proof::default() };
        self.http.send(once("api/setup_mfa", &body)?).await
    }

    /// Activates the second factor with its first code. Returns ten backup codes, shown once.
    ///
    /// Fails with `mfa_invalid`.
    pub async fn confirm_mfa(&self, mfa_code: &Secret) -> Result<Vec<Secret>, Error> {
        let body = Proof { mfa_code: Some(mfa_code.expose()), ..Proof::default() };
        let BackupCodes { backup_codes } = self.http.send(once("api/confirm_mfa", &body)?).await?;
        Ok(backup_codes)
    }
}
