//! `wallet create`, `list` and `show`; `export` and `import` are in `keystore`, `why` and `clear-nonce` in files of
//! their own.

use agent_sdk::{Balance, Paging, Secret, Wallet};
use alloy::primitives::Address;
use clap::{Args, Subcommand};

use crate::amount::coins;
use crate::app::App;
use crate::args::PageArgs;
use crate::clear_nonce::{self, ClearNonceArgs};
use crate::exit::Failure;
use crate::json;
use crate::keystore::{self, ExportArgs, ImportArgs};
use crate::secret_args::{CodeArgs, PasswordArgs};
use crate::sheet::Sheet;
use crate::table::table;
use crate::when;
use crate::why::{self, WhyArgs};

/// What can be done with wallets.
#[derive(Subcommand)]
pub(crate) enum WalletCommand {
    /// Make a new wallet
    Create(CreateArgs),
    /// List your wallets
    #[command(after_help = "Example:\n  wallet-cli wallet list")]
    List(PageArgs),
    /// Show a wallet and what it holds on every chain
    Show(ShowArgs),
    /// Say what a wallet waits for, nonce by nonce, and what frees it
    Why(WhyArgs),
    /// Use up a nonce that holds others up, for a fee
    ClearNonce(ClearNonceArgs),
    /// Write a wallet's key to an encrypted keystore file
    Export(ExportArgs),
    /// Make a wallet of a keystore file from another program
    Import(ImportArgs),
}

/// Makes a wallet.
#[derive(Args)]
#[command(after_help = "Examples:
  wallet-cli wallet create --label treasury
  wallet-cli wallet create --password-file ~/.ada-password --json")]
pub(crate) struct CreateArgs {
    /// Your name for it
    #[arg(long)]
    label: Option<String>,
    #[command(flatten)]
    password: PasswordArgs,
}

/// Shows a wallet.
#[derive(Args)]
#[command(after_help = "Example:
  wallet-cli wallet show 0x52908400098527886E0F7030069857D2E4169EE7")]
pub(crate) struct ShowArgs {
    /// The wallet's address
    #[arg(value_parser = agent_sdk::address::parse)]
    address: Address,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    code: CodeArgs,
}

/// Runs a `wallet` command.
pub(crate) async fn run(app: &App, command: WalletCommand) -> Result<(), Failure> {
    match command {
        WalletCommand::Create(args) => create(app, args).await,
        WalletCommand::List(args) => list(app, args).await,
        WalletCommand::Show(args) => show(app, args).await,
        WalletCommand::Why(args) => why::run(app, args).await,
        WalletCommand::ClearNonce(args) => clear_nonce::run(app, args).await,
        WalletCommand::Export(args) => keystore::export(app, args).await,
        WalletCommand::Import(args) => keystore::import(app, args).await,
    }
}

async fn create(app: &App, args: CreateArgs) -> Result<(), Failure> {
    let client = app.session()?.client;
    let password = args.password.read()?;
    print_wallet(app, &client.create_wallet(&password, args.label.as_deref()).await?)
}

/// Prints a wallet that was made.
pub(crate) fn print_wallet(app: &App, wallet: &Wallet) -> Result<(), Failure> {
    app.output.result(&json::wallet(wallet), |paint| {
        let Wallet { wallet_id, address, label, created_at, .. } = wallet;
        Sheet::new(paint)
            .row("Address", &address.to_checksum(None))
            .optional("Label", label.as_deref())
            .row("Wallet", &wallet_id.to_string())
            .row("Created", &when::for_people(*created_at))
            .finish()
    })
}

async fn list(app: &App, args: PageArgs) -> Result<(), Failure> {
    let page = app.session()?.client.wallets(Paging::from(args)).await?;
    app.output.result(&json::page(&page, json::wallet), |paint| {
        let row = |wallet: &Wallet| {
            let label = wallet.label.clone().unwrap_or_default();
            [wallet.address.to_checksum(None), when::for_people(wallet.created_at), label]
        };
        table(paint, ["ADDRESS", "CREATED", "LABEL"], page.items.iter().map(row).collect())
    })?;
    app.output.next_page(page.next_cursor.as_deref());
    Ok(())
}

async fn show(app: &App, args: ShowArgs) -> Result<(), Failure> {
    let client = app.session()?.client;
    let password = args.password.read()?;
    let load = async |code: Secret| client.load_wallet(&password, &code, args.address).await;
    let wallet = args.code.try_codes(app.output, CodeArgs::read, load).await?;
    app.output.result(&json::loaded_wallet(&wallet), |paint| {
        let sheet = Sheet::new(paint)
            .row("Address", &wallet.address.to_checksum(None))
            .optional("Label", wallet.label.as_deref())
            .row("Wallet", &wallet.wallet_id.to_string());
        sheet.rows("Balances", wallet.balances.iter().flat_map(balance)).finish()
    })
}

/// A balance in coins and in wei.
fn balance(balance: &Balance) -> Vec<String> {
    let Balance { chain_id, chain, symbol, balance, .. } = balance;
    match balance {
        Some(wei) => {
            vec![format!("{} {symbol} on {chain}, id {chain_id}", coins(*wei)), format!("{wei} wei")]
        }
        None => vec![format!("unknown on {chain}, id {chain_id}: its node does not answer")],
    }
}
