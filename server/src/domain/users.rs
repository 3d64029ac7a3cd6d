//! People: registering, logging in and out.

use super::{
    Error, Result,
    attempts::Subject,
    passwords,
    sessions::{self, User},
};
use crate::{
    keys::{RecoveryKey, Salt, UserKey},
    state::State,
    store::{self, audit_log, backup_codes, users},
    value::{Password, Secret, Time, UserId, Username},
};

/// A new person, and the only sight of their recovery key.
#[derive(Debug)]
pub struct Registered {
    /// Who.
    pub user_id: UserId,
    /// Opens their key when the password is lost. Shown once, never stored in a form that shows it.
    pub recovery_key: Secret<String>,
}

/// Registers a person under a new random user key.
///
/// Fails with [`Error::WeakPassword`], [`Error::UsernameTaken`], [`Error::Busy`].
pub async fn register(state: &State, username: Username, password: Password) -> Result<Registered> {
    if !password.is_strong_for(&username) {
        return Err(Error::WeakPassword);
    }
    if users::find_by_name(&state.store, &username).await?.is_some() {
        return Err(Error::UsernameTaken);
    }
    let (user_id, salt) = (UserId::new(), Salt::random());
    let password_key = state.keys.kdf.derive(&password, &salt).await?;
    let (user_key, recovery_key) = (UserKey::generate(), RecoveryKey::generate());
    let master = &state.keys.master;
    let created_at = state.clock.now();
    let user = users::Model {
        user_id,
        username,
        password_salt: salt.as_bytes().to_vec(),
        password_wrap: user_key.wrap(master, user_id, &password_key),
        recovery_wrap: user_key.wrap_for_recovery(master, user_id, &recovery_key),
        totp_secret: None,
        totp_pending: None,
        totp_last_step: 0,
        event_sequence: 0,
        created_at,
    };
    let write = state.store.write().await?;
    users::insert(&write, user).await.map_err(|error| match error {
        store::Error::Conflict => Error::UsernameTaken,
        other => other.into(),
    })?;
    audit_log::append(&write, audit_log::Model::by_user(user_id, created_at, "register")).await?;
    write.commit().await?;
    Ok(Registered { user_id, recovery_key: recovery_key.text() })
}

/// A login.
#[derive(Debug)]
pub struct LoggedIn {
    /// Who.
    pub user_id: UserId,
    /// The bearer token: the only place that holds the session's secret.
    pub access_token: Secret<String>,
    /// When it ends; there is no refresh.
    pub expires_at: Time,
    /// Whether decisions are possible: they need a second factor.
    pub mfa_enabled: bool,
}

/// Begins a session.
///
/// Fails with [`Error::InvalidCredentials`] alike for a wrong name and a wrong password, [`Error::RateLimited`].
pub async fn login(state: &State, username: Username, password: Password) -> Result<LoggedIn> {
    let subject = Subject::Login(username.clone());
    let Some(user) = users::find_by_name(&state.store, &username).await? else {
        return Err(passwords::refuse_unknown(state, &password, subject).await);
    };
    let user_key = passwords::open(state, &user, &password, subject).await?;
    let begun = sessions::begin(state, &user, &user_key).await?;
    Ok(LoggedIn {
        user_id: user.user_id,
        access_token: begun.token,
        expires_at: begun.expires_at,
        mfa_enabled: user.totp_secret.is_some(),
    })
}

/// Who a user is.
#[derive(Debug)]
pub struct Me {
    /// Their row.
    pub user: users::Model,
    /// When their session ends.
    pub session_expires_at: Time,
    /// Backup codes that are still good.
    pub backup_codes_left: u64,
}

/// Who the user is.
pub async fn me(state: &State, user: &User) -> Result<Me> {
    Ok(Me {
        user: load(state, user).await?,
        session_expires_at: user.session_expires_at,
        backup_codes_left: backup_codes::count(&state.store, user.user_id).await?,
    })
}

/// The row of somebody who is logged in.
pub(super) async fn load(state: &State, user: &User) -> Result<users::Model> {
    users::find(&state.store, user.user_id).await?.ok_or(Error::Unauthenticated)
}
