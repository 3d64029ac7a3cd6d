//! Checking a password is opening the user key with it; there is nothing else to compare.

use super::{
    Error, Result,
    attempts::{self, Subject},
};
use crate::{
    keys::{PasswordKey, Salt, UnwrapError, UserKey},
    state::State,
    store::users,
    value::Password,
};

/// Opens a user's key with their password.
///
/// Fails with [`Error::InvalidCredentials`] when it is wrong, [`Error::RateLimited`] after too many wrong ones,
/// [`Error::Busy`] when too many passwords are being checked.
pub(super) async fn open(state: &State, user: &users::Model, password: &Password, subject: Subject) -> Result<UserKey> {
    attempts::count(state, &subject).await?;
    let key = derive(state, &user.password_salt, password).await?;
    match UserKey::unwrap(&state.keys.master, user.user_id, &key, &user.password_wrap) {
        Ok(user_key) => {
            let write = state.store.write().await?;
            attempts::clear(&write, &subject).await?;
            write.commit().await?;
            Ok(user_key)
        }
        Err(UnwrapError::WrongKey) => Err(Error::InvalidCredentials),
        Err(UnwrapError::Integrity(_)) => Err(Error::Integrity("password_wrap")),
    }
}

/// Spends as long on a name that does not exist as on one that does, so that time does not tell them apart.
pub(super) async fn refuse_unknown(state: &State, password: &Password, subject: Subject) -> Error {
    if let Err(error) = attempts::count(state, &subject).await {
        return error;
    }
    match state.keys.kdf.derive(password, &Salt::random()).await {
        Ok(_) => Error::InvalidCredentials,
        Err(busy) => busy.into(),
    }
}

async fn derive(state: &State, salt: &[u8], password: &Password) -> Result<PasswordKey> {
    let salt = Salt::from_slice(salt).ok_or(Error::Integrity("password_salt"))?;
    Ok(state.keys.kdf.derive(password, &salt).await?)
}
