//! `send`: the chain's own coin to an address.

use alloy::primitives::{Address, U256};
use clap::Args;

use super::{Payment, SendingArgs, send};
use crate::amount::parse_coins;
use crate::app::App;
use crate::exit::Failure;

/// Sends coins.
#[derive(Args)]
#[command(after_help = "It is shown in full before anything is asked. Whatever is not a clear yes sends nothing.

Examples:
  wallet-cli send --to 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --amount 0.05
  wallet-cli send --from 0x52908400098527886E0F7030069857D2E4169EE7 \\
      --to 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --wei 1 --wait")]
pub(crate) struct SendArgs {
    /// Who receives it
    #[arg(long, value_name = "ADDRESS", value_parser = agent_sdk::address::parse)]
    to: Address,

    /// How much, in whole coins with at most 18 decimals
    #[arg(long, value_name = "COINS", value_parser = parse_coins, required_unless_present = "wei")]
    amount: Option<U256>,

    /// How much, in wei instead
    #[arg(long, value_parser = agent_sdk::amount::parse, conflicts_with = "amount")]
    wei: Option<U256>,

    #[command(flatten)]
    sending: SendingArgs,
}

/// Runs `send`.
pub(crate) async fn run(app: &App, args: SendArgs) -> Result<(), Failure> {
    let SendArgs { to, amount, wei, sending } = args;
    let payment = Payment::Coins { to, amount: amount.or(wei).unwrap_or_default() };
    send(app, &app.session()?, &sending, payment).await
}
