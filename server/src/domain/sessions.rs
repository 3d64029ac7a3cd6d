//! Logins: how a request is known to come from a human, and what their token lets the server open meanwhile.

use super::{Error, Result};
use crate::{
    keys::{Claims, SessionSecret, UserKey},
    state::State,
    store::{sessions, users},
    value::{Secret, SessionId, Time, UserId},
};

/// A human with a session: the proof that one is present.
#[derive(Debug)]
pub struct User {
    /// Who.
    pub user_id: UserId,
    /// In which session.
    pub session_id: SessionId,
    /// Until when.
    pub session_expires_at: Time,
    secret: SessionSecret,
    sealed_user_key: Vec<u8>,
}

impl User {
    /// Opens the user's key with the secret that only their token holds.
    pub(super) fn open_key(&self, state: &State) -> Result<UserKey> {
        self.secret
            .open_user_key(&state.keys.master, self.session_id, self.user_id, &self.sealed_user_key)
            .map_err(|_| Error::Integrity("session user key"))
    }
}

/// A session that has just begun.
pub(super) struct Begun {
    pub(super) token: Secret<String>,
    pub(super) expires_at: Time,
}

/// Begins a session for whoever has just opened their key with their password.
pub(super) async fn begin(state: &State, user: &users::Model, user_key: &UserKey) -> Result<Begun> {
    let (session_id, secret) = (SessionId::new(), SessionSecret::generate());
    let created_at = state.clock.now();
    let expires_at = created_at + state.policy.session_lifetime;
    let master = &state.keys.master;
    let row = sessions::Model {
        session_id,
        user_id: user.user_id,
        verifier: secret.verifier(master, session_id),
        user_key: secret.seal_user_key(master, session_id, user.user_id, user_key),
        created_at,
        expires_at,
    };
    let write = state.store.write().await?;
    sessions::insert(&write, row).await?;
    write.commit().await?;
    let claims =
        Claims { user_id: user.user_id, session_id, session_secret: secret, issued_at: created_at, expires_at };
    Ok(Begun { token: state.keys.tokens.issue(&claims), expires_at })
}

/// The human behind an access token.
///
/// Fails with [`Error::Unauthenticated`] when the token is not ours, its session has ended, or its secret does not
/// match the session's verifier: the signature alone proves nothing.
pub async fn authenticate(state: &State, token: &str) -> Result<User> {
    let now = state.clock.now();
    let claims = state.keys.tokens.verify(token, now).map_err(|_| Error::Unauthenticated)?;
    let Claims { user_id, session_id, session_secret, issued_at: _, expires_at: _ } = claims;
    let row = sessions::find(&state.store, session_id, now).await?.ok_or(Error::Unauthenticated)?;
    if row.user_id != user_id || !session_secret.verify(&state.keys.master, session_id, &row.verifier) {
        return Err(Error::Unauthenticated);
    }
    Ok(User {
        user_id,
        session_id,
        session_expires_at: row.expires_at,
        secret: session_secret,
        sealed_user_key: row.user_key,
    })
}

/// Ends a session.
pub async fn end(state: &State, user: &User) -> Result<()> {
    let write = state.store.write().await?;
    sessions::delete(&write, user.session_id).await?;
    Ok(write.commit().await?)
}
