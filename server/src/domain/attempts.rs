//! Limits on guessing, counted in the database so that restarts and several servers change nothing.

use super::{Error, Result};
use crate::{
    state::State,
    store::{Write, attempts},
    value::{UserId, Username},
};

/// What may be guessed at.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    /// The password behind a name at login, whether the name exists or not.
    Login(Username),
    /// The password of somebody logged in.
    Password(UserId),
    /// The code of somebody logged in.
    Mfa(UserId),
}

impl Subject {
    fn key(&self) -> String {
        match self {
            Self::Login(username) => format!("login:{username}"),
            Self::Password(user_id) => format!("password:{user_id}"),
            Self::Mfa(user_id) => format!("mfa:{user_id}"),
        }
    }
}

/// Counts a guess before it is looked at. Fails with [`Error::RateLimited`] when there were too many.
pub(super) async fn count(state: &State, subject: &Subject) -> Result<()> {
    let now = state.clock.now();
    let key = subject.key();
    let write = state.store.write().await?;
    let window_ends_at = now + state.policy.attempts_window;
    if attempts::count_one(&write, &key, state.policy.attempts, now, window_ends_at).await? {
        return Ok(write.commit().await?);
    }
    let until = attempts::window_ends_at(&write, &key).await?.unwrap_or(window_ends_at);
    write.roll_back().await?;
    Err(Error::RateLimited(until.since(now)))
}

/// Forgets the guesses, because one was right.
pub(super) async fn clear(write: &Write, subject: &Subject) -> Result<()> {
    Ok(attempts::clear(write, &subject.key()).await?)
}

/// Takes one back that was no guess: a right code that was spent already.
pub(super) async fn take_back(write: &Write, subject: &Subject) -> Result<()> {
    Ok(attempts::take_back_one(write, &subject.key()).await?)
}
