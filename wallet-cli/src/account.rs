//! `register`, `login`, `logout` and `whoami`.

use clap::Args;
use serde_json::json;

use crate::app::App;
use crate::credentials::StoredLogin;
use crate::exit::Failure;
use crate::json;
use crate::prompt;
use crate::secret_args::PasswordArgs;
use crate::sheet::Sheet;
use crate::when;

/// Opens an account.
#[derive(Args)]
#[command(after_help = "Examples:
  wallet-cli register ada
  wallet-cli register ada --password-file ~/.ada-password --json")]
pub(crate) struct RegisterArgs {
    /// Your name: 3 to 64 of a-z, 0-9, dot, dash and underscore
    username: Option<String>,
    #[command(flatten)]
    password: PasswordArgs,
}

/// Opens a session.
#[derive(Args)]
#[command(after_help = "Examples:
  wallet-cli login ada
  wallet-cli login ada --password-stdin < password.txt")]
pub(crate) struct LoginArgs {
    /// Your name
    username: Option<String>,
    #[command(flatten)]
    password: PasswordArgs,
}

/// Opens an account and shows the recovery key, this once.
pub(crate) async fn register(app: &App, args: RegisterArgs) -> Result<(), Failure> {
    let username = username(app, args.username)?;
    let password = args.password.read_new()?;
    let account = app.anonymous()?.register(&username, &password).await?;
    let recovery_key = account.recovery_key.expose();
    app.output.result(&json!({ "user_id": account.user_id, "recovery_key": recovery_key }), |paint| {
        Sheet::new(paint).row("User", &account.user_id.to_string()).row("Recovery", recovery_key).finish()
    })?;
    app.output.note("the recovery key is not shown again: write it down and keep it off this machine");
    app.output.note(&format!("next: `wallet-cli login {username}`"));
    Ok(())
}

/// Opens a session and keeps it for the next commands.
pub(crate) async fn login(app: &App, args: LoginArgs) -> Result<(), Failure> {
    let username = username(app, args.username)?;
    let password = args.password.read()?;
    let login = app.anonymous()?.login(&username, &password).await?;
    app.credentials.keep(
        &app.server,
        StoredLogin {
            access_token: login.access_token.expose().to_owned(),
            expires_at: login.expires_at,
            user_id: login.user_id,
            username: username.clone(),
        },
    )?;
    app.output.result(
        &json!({
            "server": app.server.as_str(),
            "user_id": login.user_id,
            "expires_at": when::for_programs(login.expires_at),
            "mfa_enabled": login.mfa_enabled,
        }),
        |paint| {
            Sheet::new(paint)
                .row("Logged in", &format!("{username} at {}", app.server))
                .row("User", &login.user_id.to_string())
                .row("Until", &when::for_people(login.expires_at))
                .finish()
        },
    )?;
    if !login.mfa_enabled {
        app.output.note("nothing can be approved without an authenticator: `wallet-cli mfa enrol`");
    }
    Ok(())
}

/// Ends the session. The local copy goes in any case, even when the server cannot be told.
pub(crate) async fn logout(app: &App) -> Result<(), Failure> {
    let session = app.session();
    app.credentials.forget(&app.server)?;
    match session {
        Ok(session) => session.client.logout().await?,
        Err(Failure::NotLoggedIn | Failure::SessionEnded) => {}
        Err(failure) => return Err(failure),
    }
    app.output.result(&json!({ "server": app.server.as_str(), "logged_in": false }), |_| {
        format!("Logged out at {}", app.server)
    })
}

/// Shows who is logged in.
pub(crate) async fn whoami(app: &App) -> Result<(), Failure> {
    let me = app.session()?.client.me().await?;
    app.output.result(&json::me(&me), |paint| {
        let mfa = match me.mfa_enabled {
            true => format!("set up, {} backup codes left", me.backup_codes_left),
            false => "not set up".to_owned(),
        };
        Sheet::new(paint)
            .row("Name", &me.username)
            .row("User", &me.user_id.to_string())
            .row("Server", app.server.as_str())
            .row("Codes", &mfa)
            .row("Since", &when::for_people(me.created_at))
            .row("Session", &when::deadline(me.session_expires_at, crate::app::now()))
            .finish()
    })
}

/// The given name, or the one a person types.
fn username(app: &App, given: Option<String>) -> Result<String, Failure> {
    match given {
        Some(username) => Ok(username),
        None => prompt::line(app.output, "Name:", "USERNAME"),
    }
}
