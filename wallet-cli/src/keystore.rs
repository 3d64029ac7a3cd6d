//! `wallet export` and `wallet import`: keys as Web3 Secret Storage files, which geth, cast, ethers and
//! eth-account read and write.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use agent_sdk::{ImportWallet, Secret};
use alloy::primitives::Address;
use clap::Args;
use serde_json::Value;

use crate::app::App;
use crate::exit::Failure;
use crate::secret_args::{CodeArgs, PassphraseArgs, PasswordArgs};
use crate::wallet::print_wallet;

/// Writes a wallet's key to a keystore file.
#[derive(Args)]
#[command(
    after_help = "Whoever has the file and its passphrase can sign without this server and without your approval.
What a script gives on standard input: password, then passphrase, then code, a line each.

Examples:
  wallet-cli wallet export 0x52908400098527886E0F7030069857D2E4169EE7 --out treasury.json
  cast wallet address --keystore treasury.json"
)]
pub(crate) struct ExportArgs {
    /// The wallet's address
    #[arg(value_parser = agent_sdk::address::parse)]
    address: Address,

    /// The file to write: a new one, which only you can read; standard output when absent
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    code: CodeArgs,
}

/// Makes a wallet of a keystore file.
#[derive(Args)]
#[command(after_help = "What a script gives on standard input: password, then passphrase, then code, a line each.

Examples:
  wallet-cli wallet import ~/.foundry/keystores/old --label savings
  wallet-cli wallet import UTC--2026-11-24T10-00-00Z--52908400098527886e0f7030069857d2e4169ee7")]
pub(crate) struct ImportArgs {
    /// The file
    file: PathBuf,

    /// Your name for the wallet
    #[arg(long)]
    label: Option<String>,

    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    code: CodeArgs,
}

/// Runs `wallet export`.
pub(crate) async fn export(app: &App, args: ExportArgs) -> Result<(), Failure> {
    let client = app.session()?.client;
    // Refused before anything is asked; `create_new` looks once more.
    if let Some(path) = args.out.as_deref().filter(|path| path.exists()) {
        let source = std::io::ErrorKind::AlreadyExists.into();
        return Err(Failure::UnwritableFile { path: path.to_owned(), source });
    }
    let password = args.password.read()?;
    let passphrase = args.passphrase.read_new()?;
    let export = async |code: Secret| client.export_wallet(args.address, &password, &code, &passphrase).await;
    let keystore = args.code.try_codes(app.output, CodeArgs::read, export).await?;
    let text = serde_json::to_string_pretty(&keystore).map_err(|_| Failure::NotAKeystore)?;
    match &args.out {
        Some(path) => {
            write_new(path, &text)?;
            app.output.note(&format!("wrote {}; keep it and its passphrase apart", path.display()));
            Ok(())
        }
        None => app.output.text(&text),
    }
}

/// Runs `wallet import`.
pub(crate) async fn import(app: &App, args: ImportArgs) -> Result<(), Failure> {
    let client = app.session()?.client;
    let keystore = read(&args.file)?;
    let password = args.password.read()?;
    let mut import = ImportWallet::new(keystore, args.passphrase.read()?);
    if let Some(label) = args.label {
        import = import.label(label);
    }
    let call = async |code: Secret| client.import_wallet(&import, &password, &code).await;
    let wallet = args.code.try_codes(app.output, CodeArgs::read, call).await?;
    print_wallet(app, &wallet)
}

fn read(path: &Path) -> Result<Value, Failure> {
    let text = fs::read_to_string(path).map_err(|source| Failure::UnreadableFile { path: path.to_owned(), source })?;
    serde_json::from_str(&text).ok().filter(Value::is_object).ok_or(Failure::NotAKeystore)
}

/// Writes a file that was not there before, for its owner alone.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        writeln!(file, "{text}")?;
        file.sync_all()
    };
    write().map_err(|source| Failure::UnwritableFile { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_file_is_new_and_for_its_owner_alone() {
        let directory = tempfile::TempDir::new().expect("a directory");
        let path = directory.path().join("key.json");
        write_new(&path, "{}").expect("a new file");
        assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
        assert!(matches!(write_new(&path, "other"), Err(Failure::UnwritableFile { .. })));
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "{}\n");
        fs::write(&path, "[]").expect("it is ours");
        assert!(matches!(read(&path), Err(Failure::NotAKeystore)));
    }
}
