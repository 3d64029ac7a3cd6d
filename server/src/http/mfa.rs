//! The authenticator app.

use poem_openapi::{Object, OpenApi, payload::Json};
use serde::Deserialize;

use super::{
    Tag,
    auth::UserAuth,
    body::{Body, present},
    problem::Problem,
};
use crate::{
    domain::mfa,
    state::State,
    value::{MfaCode, Password, TotpCode},
};

/// Operations on the caller's second factor.
pub struct MfaApi(pub State);

/// A wish for a new authenticator app.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
struct SetupMfa {
    /// The caller's password.
    #[oai(write_only)]
    password: Password,
    /// Required to replace an app that is set up: its current code, or a backup code when it is lost.
    #[oai(write_only)]
    #[serde(default, deserialize_with = "present")]
    mfa_code: Option<MfaCode>,
}

/// An app that waits for its first code.
#[derive(Debug, Object)]
struct Enrolment {
    /// An `otpauth://` address, to be shown as a QR code.
    mfa_uri: String,
    /// The same secret in base32, to be typed.
    secret: String,
}

/// The first code of a new authenticator app.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
struct ConfirmMfa {
    /// What the new app shows.
    #[oai(write_only)]
    mfa_code: TotpCode,
}

/// Codes for the day the app is lost.
#[derive(Debug, Object)]
struct BackupCodes {
    /// Ten codes, each good once. Shown only now: write them down and keep them offline.
    backup_codes: Vec<String>,
}

#[OpenApi(prefix_path = "/api", tag = "Tag::Account")]
impl MfaApi {
    /// Set up an authenticator app
    ///
    /// The app is in force only after `confirm_mfa`; until then an earlier one stays so, unless it was replaced with a
    /// backup code.
    #[oai(path = "/setup_mfa", method = "post", operation_id = "setup_mfa")]
    async fn setup_mfa(
        &self,
        UserAuth(user): UserAuth,
        Body(request): Body<SetupMfa>,
    ) -> Result<Json<Enrolment>, Problem> {
        let SetupMfa { password, mfa_code } = request;
        let mfa::Enrolment { uri, secret } = mfa::setup(&self.0, &user, password, mfa_code).await?;
        Ok(Json(Enrolment { mfa_uri: uri.expose().clone(), secret: secret.expose().clone() }))
    }

    /// Confirm an authenticator app
    ///
    /// Puts it in force, ends the user's other sessions, and gives new backup codes.
    #[oai(path = "/confirm_mfa", method = "post", operation_id = "confirm_mfa")]
    async fn confirm_mfa(
        &self,
        UserAuth(user): UserAuth,
        Body(request): Body<ConfirmMfa>,
    ) -> Result<Json<BackupCodes>, Problem> {
        let ConfirmMfa { mfa_code } = request;
        Ok(Json(BackupCodes { backup_codes: mfa::confirm(&self.0, &user, mfa_code).await? }))
    }
}
