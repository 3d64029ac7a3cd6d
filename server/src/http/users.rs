//! People: registering, logging in and out.

use poem_openapi::{Object, OpenApi, payload::Json};
use serde::Deserialize;

use super::{
    Tag,
    answers::{Empty, Made},
    auth::UserAuth,
    body::Body,
    problem::Problem,
};
use crate::{
    domain::{sessions, users},
    state::State,
    value::{Password, Time, UserId, Username},
};

/// Operations on the caller's own account.
pub struct UsersApi(pub State);

/// Who a person is to be.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
struct Register {
    /// The name to log in with.
    username: Username,
    /// At least 12 bytes, not the username, not one character repeated.
    #[oai(write_only)]
    password: Password,
}

/// A new user.
#[derive(Debug, Object)]
struct Registered {
    /// Who.
    user_id: UserId,
    /// Opens the account when the password is lost. Shown only now: write it down and keep it offline.
    recovery_key: String,
}

/// Who a person is.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
struct Login {
    /// The name given at registration.
    username: Username,
    /// The password.
    #[oai(write_only)]
    password: Password,
}

/// A session.
#[derive(Debug, Object)]
struct LoggedIn {
    /// Send it as `Authorization: Bearer`. It holds the only copy of the session's secret.
    access_token: String,
    /// Always `Bearer`.
    token_type: String,
    /// When the session ends. It cannot be extended; log in again.
    expires_at: Time,
    /// Who.
    user_id: UserId,
    /// Whether an authenticator app is set up: nothing can be approved without one.
    mfa_enabled: bool,
}

/// The caller.
#[derive(Debug, Object)]
struct Me {
    /// Who.
    user_id: UserId,
    /// The name to log in with.
    username: Username,
    /// Whether an authenticator app is set up.
    mfa_enabled: bool,
    /// When they registered.
    created_at: Time,
    /// When this session ends.
    session_expires_at: Time,
    /// How many backup codes are still good.
    backup_codes_left: u64,
}

#[OpenApi(prefix_path = "/api", tag = "Tag::Account")]
impl UsersApi {
    /// Register a user
    ///
    /// Makes a user, and the recovery key that is shown only in this answer.
    #[oai(path = "/register", method = "post", operation_id = "register")]
    async fn register(&self, Body(request): Body<Register>) -> Result<Made<Registered>, Problem> {
        let Register { username, password } = request;
        let users::Registered { user_id, recovery_key } = users::register(&self.0, username, password).await?;
        Ok(Made::Created(Json(Registered { user_id, recovery_key: recovery_key.expose().clone() })))
    }

    /// Log in
    ///
    /// Begins a session. A wrong name and a wrong password are told alike.
    #[oai(path = "/login", method = "post", operation_id = "login")]
    async fn login(&self, Body(request): Body<Login>) -> Result<Json<LoggedIn>, Problem> {
        let Login { username, password } = request;
        let logged_in = users::login(&self.0, username, password).await?;
        let users::LoggedIn { user_id, access_token, expires_at, mfa_enabled } = logged_in;
        let (access_token, token_type) = (access_token.expose().clone(), "Bearer".to_owned());
        Ok(Json(LoggedIn { access_token, token_type, expires_at, user_id, mfa_enabled }))
    }

    /// Log out
    ///
    /// Ends this session; its token is worth nothing afterwards.
    #[oai(path = "/logout", method = "post", operation_id = "logout")]
    async fn logout(&self, UserAuth(user): UserAuth) -> Result<Empty, Problem> {
        sessions::end(&self.0, &user).await?;
        Ok(Empty::Done)
    }

    /// Who am I
    #[oai(path = "/me", method = "get", operation_id = "me")]
    async fn me(&self, UserAuth(user): UserAuth) -> Result<Json<Me>, Problem> {
        let users::Me { user, session_expires_at, backup_codes_left } = users::me(&self.0, &user).await?;
        Ok(Json(Me {
            user_id: user.user_id,
            username: user.username,
            mfa_enabled: user.totp_secret.is_some(),
            created_at: user.created_at,
            session_expires_at,
            backup_codes_left,
        }))
    }
}
