//! `mfa enrol`: the authenticator whose codes approve transactions.

use agent_sdk::{MfaSetup, Secret};
use clap::{Args, Subcommand};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;

use crate::app::App;
use crate::exit::Failure;
use crate::paint::Paint;
use crate::secret_args::{CodeArgs, PasswordArgs};
use crate::sheet::Sheet;

/// What can be done with the authenticator.
#[derive(Subcommand)]
pub(crate) enum MfaCommand {
    /// Set up an authenticator, or replace the one in use
    ///
    /// Prints the secret first, then asks for the first code, then prints the backup codes. A script
    /// reads the secret from the first line of --json, writes the code made from it to standard input,
    /// and reads the backup codes from the second line. Lines of standard input, where announced: the
    /// password (--password-stdin); the current code or a backup code, when an authenticator is
    /// replaced, and the first code of the new one (--mfa-code-stdin).
    Enrol(EnrolArgs),
}

/// Sets up an authenticator.
#[derive(Args)]
#[command(after_help = "Examples:
  wallet-cli mfa enrol
  wallet-cli mfa enrol --password-file ~/.ada-password --mfa-code-stdin --json")]
pub(crate) struct EnrolArgs {
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    code: CodeArgs,
}

/// Runs an `mfa` command.
pub(crate) async fn run(app: &App, command: MfaCommand) -> Result<(), Failure> {
    match command {
        MfaCommand::Enrol(args) => enrol(app, args).await,
    }
}

/// Shows a new secret, takes the first code made from it, and shows the backup codes.
async fn enrol(app: &App, args: EnrolArgs) -> Result<(), Failure> {
    let client = app.session()?.client;
    let replaces = client.me().await?.mfa_enabled;
    let password = args.password.read()?;
    let current_code = match replaces {
        true => Some(args.code.read_or_backup(app.output)?),
        false => None,
    };
    let setup = client.setup_mfa(&password, current_code.as_ref()).await?;
    show_secret(app, &setup)?;
    let confirm = async |code: Secret| client.confirm_mfa(&code).await;
    let backup_codes = args.code.try_codes(app.output, CodeArgs::read_first, confirm).await?;
    let codes: Vec<&str> = backup_codes.iter().map(Secret::expose).collect();
    app.output.result(&json!({ "backup_codes": codes }), |paint| Sheet::new(paint).rows("Backup", &codes).finish())?;
    app.output.note("each backup code replaces a lost authenticator once; they are not shown again");
    Ok(())
}

/// Prints the secret as text, and as a QR code for a phone's camera. Programs get the whole URI.
fn show_secret(app: &App, setup: &MfaSetup) -> Result<(), Failure> {
    let (uri, secret) = (setup.mfa_uri.expose(), setup.secret.expose());
    if let Ok(code) = QrCode::new(uri) {
        app.output.show_to_people(|paint| qr_code(&code, paint));
    }
    app.output
        .result(&json!({ "mfa_uri": uri, "secret": secret }), |paint| Sheet::new(paint).row("Secret", secret).finish())
}

/// The code in half blocks, light modules drawn: most terminals are dark, and a scanner needs dark modules
/// on a light ground.
fn qr_code(code: &QrCode, paint: Paint) -> String {
    let picture = code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    let lines: Vec<String> = picture.lines().map(|line| paint.white_on_black(line)).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_qr_code_of_a_long_uri_fits_80_columns() {
        let uri = format!("otpauth://totp/{0}:{0}?secret={1}&issuer={0}", "w".repeat(24), "A".repeat(32));
        let code = QrCode::new(uri).expect("it fits a QR code");
        let picture = qr_code(&code, Paint::new(false));
        assert!(picture.lines().all(|line| line.chars().count() <= 80));
        assert!(picture.chars().all(|symbol| " ▀▄█\n".contains(symbol)));
        assert!(picture.starts_with('█'), "the quiet zone is drawn light");
    }
}
