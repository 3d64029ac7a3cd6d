//! The second factor: a gate in front of decisions. It keeps no key: that is the session's part.

use super::{
    Error, Result,
    attempts::{self, Subject},
    passwords,
    sessions::User,
    users,
};
use crate::{
    keys::{TotpSecret, UserKey, backup},
    state::State,
    store::{Write, audit_log, backup_codes, sessions as session_rows, users as user_rows},
    value::{BackupCode, MfaCode, Password, Secret, TotpCode},
};

/// How the authenticator app is told apart from others.
const ISSUER: &str = "wallet-server";

/// How many backup codes are made.
const BACKUP_CODES: usize = 10;

/// A second factor that waits for its first code.
#[derive(Debug)]
pub struct Enrolment {
    /// The `otpauth://` address that a QR code carries.
    pub uri: Secret<String>,
    /// The same secret in base32, to be typed.
    pub secret: Secret<String>,
}

/// Makes a second factor. It is in force only after [`confirm`]; until then the one before stays so, unless it was
/// replaced with a backup code: then nothing can be decided before the new one is confirmed.
///
/// Fails with [`Error::InvalidCredentials`], and when one is in force, with [`Error::MfaInvalid`] without a good code.
pub async fn setup(state: &State, user: &User, password: Password, code: Option<MfaCode>) -> Result<Enrolment> {
    let row = users::load(state, user).await?;
    let user_key = passwords::open(state, &row, &password, Subject::Password(user.user_id)).await?;
    let proof = match (&row.totp_secret, code) {
        (None, _) => Proof::None,
        (Some(_), None) => return Err(Error::MfaInvalid),
        (Some(_), Some(MfaCode::Totp(code))) => Proof::Step(check(state, &row, &user_key, &code).await?),
        (Some(_), Some(MfaCode::Backup(code))) => {
            attempts::count(state, &Subject::Mfa(user.user_id)).await?;
            Proof::Backup(backup::verifier(&state.keys.master, user.user_id, &code).to_vec())
        }
    };
    let secret = TotpSecret::generate();
    let sealed = secret.seal(&state.keys.master, user.user_id, &user_key);
    let mut write = state.store.write().await?;
    user_rows::lock(&write, user.user_id).await?;
    let lost = matches!(proof, Proof::Backup(_));
    match proof {
        Proof::None => {}
        Proof::Step(step) => write = step.spend(write).await?,
        Proof::Backup(verifier) => {
            if !backup_codes::spend(&write, user.user_id, verifier).await? {
                return Err(Error::MfaInvalid);
            }
            attempts::clear(&write, &Subject::Mfa(user.user_id)).await?;
        }
    }
    user_rows::set_pending_totp(&write, user.user_id, sealed, lost).await?;
    let operation = if lost { "setup_mfa_with_backup_code" } else { "setup_mfa" };
    audit_log::append(&write, audit_log::Model::by_user(user.user_id, state.clock.now(), operation)).await?;
    write.commit().await?;
    Ok(Enrolment { uri: secret.uri(ISSUER, &row.username), secret: secret.base32() })
}

enum Proof {
    None,
    Step(Step),
    Backup(Vec<u8>),
}

/// Puts the pending second factor in force, ends the user's other sessions, and gives new backup codes.
///
/// Fails with [`Error::MfaRequired`] when none is pending, [`Error::MfaInvalid`].
pub async fn confirm(state: &State, user: &User, code: TotpCode) -> Result<Vec<String>> {
    let row = users::load(state, user).await?;
    let user_key = user.open_key(state)?;
    let pending = row.totp_pending.ok_or(Error::MfaRequired)?;
    attempts::count(state, &Subject::Mfa(user.user_id)).await?;
    let secret = TotpSecret::open(&state.keys.master, user.user_id, &user_key, &pending)
        .map_err(|_| Error::Integrity("totp_pending"))?;
    let now = state.clock.now();
    let step = Step { user: row.user_id, step: secret.check(&code, now).ok_or(Error::MfaInvalid)? };
    let codes: Vec<BackupCode> = std::iter::repeat_with(BackupCode::random).take(BACKUP_CODES).collect();
    let verifiers =
        codes.iter().map(|code| backup::verifier(&state.keys.master, user.user_id, code).to_vec()).collect();
    let write = state.store.write().await?;
    user_rows::lock(&write, user.user_id).await?;
    let write = step.spend(write).await?;
    if !user_rows::confirm_totp(&write, user.user_id, pending).await? {
        return Err(Error::MfaInvalid);
    }
    backup_codes::replace(&write, user.user_id, verifiers).await?;
    session_rows::delete_others(&write, user.user_id, user.session_id).await?;
    audit_log::append(&write, audit_log::Model::by_user(user.user_id, now, "confirm_mfa")).await?;
    write.commit().await?;
    Ok(codes.iter().map(BackupCode::grouped).collect())
}

/// A right code that is not spent yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    user: crate::value::UserId,
    step: i64,
}

impl Step {
    /// Spends it in the decision's own commit: one code is good for one decision.
    ///
    /// Comes first in its transaction, which ends here when the code was spent meanwhile: that was no guess, so it
    /// does not count as one.
    pub(super) async fn spend(self, write: Write) -> Result<Write> {
        let subject = Subject::Mfa(self.user);
        if user_rows::spend_totp_step(&write, self.user, self.step).await? {
            attempts::clear(&write, &subject).await?;
            return Ok(write);
        }
        attempts::take_back(&write, &subject).await?;
        write.commit().await?;
        Err(Error::MfaReplayed)
    }
}

/// Checks a code against the second factor in force, without spending it.
///
/// Fails with [`Error::MfaRequired`], [`Error::MfaInvalid`], [`Error::MfaReplayed`], [`Error::RateLimited`].
pub(super) async fn check(state: &State, user: &user_rows::Model, user_key: &UserKey, code: &TotpCode) -> Result<Step> {
    let sealed = user.totp_secret.as_deref().ok_or(Error::MfaRequired)?;
    let subject = Subject::Mfa(user.user_id);
    attempts::count(state, &subject).await?;
    let secret = TotpSecret::open(&state.keys.master, user.user_id, user_key, sealed)
        .map_err(|_| Error::Integrity("totp_secret"))?;
    let step = secret.check(code, state.clock.now()).ok_or(Error::MfaInvalid)?;
    if step <= user.totp_last_step {
        let write = state.store.write().await?;
        attempts::take_back(&write, &subject).await?;
        write.commit().await?;
        return Err(Error::MfaReplayed);
    }
    Ok(Step { user: user.user_id, step })
}
