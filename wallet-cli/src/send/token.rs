//! `send-token`: an ERC-20 token to an address.

use agent_sdk::UserClient;
use alloy::primitives::{Address, U256};
use clap::Args;

use super::{Payment, SendingArgs, send};
use crate::amount::Decimal;
use crate::app::App;
use crate::exit::Failure;

/// Sends a token.
#[derive(Args)]
#[command(after_help = "It is shown in full before anything is asked. Whatever is not a clear yes sends nothing.

Examples:
  wallet-cli send-token 0x5FbDB2315678afecb367f032d93F642f64180aa3 \\
      --to 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --amount 25.5
  wallet-cli send-token 0x5FbDB2315678afecb367f032d93F642f64180aa3 \\
      --to 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --units 25500000")]
pub(crate) struct SendTokenArgs {
    /// The token's contract
    #[arg(value_name = "TOKEN", value_parser = agent_sdk::address::parse)]
    contract: Address,

    /// Who receives it
    #[arg(long, value_name = "ADDRESS", value_parser = agent_sdk::address::parse)]
    to: Address,

    /// How much, in whole tokens with as many decimals as the token has
    #[arg(long, value_name = "TOKENS", required_unless_present = "units")]
    amount: Option<Decimal>,

    /// How much, in the token's smallest unit instead
    #[arg(long, value_parser = agent_sdk::amount::parse, conflicts_with = "amount")]
    units: Option<U256>,

    #[command(flatten)]
    sending: SendingArgs,
}

/// Runs `send-token`.
pub(crate) async fn run(app: &App, args: SendTokenArgs) -> Result<(), Failure> {
    let SendTokenArgs { contract: token, to, amount, units, sending } = args;
    let session = app.session()?;
    let amount = match (amount, units) {
        (Some(amount), _) => in_units(&session.client, token, sending.chain, &amount).await?,
        (None, units) => units.unwrap_or_default(),
    };
    send(app, &session, &sending, Payment::Token { token, to, amount }).await
}

/// The amount in the token's smallest unit. How many decimals it has is the token's own claim; the screen shows the
/// exact number beside it.
async fn in_units(
    client: &UserClient,
    token: Address,
    chain_id: Option<u64>,
    amount: &Decimal,
) -> Result<U256, Failure> {
    let Some(decimals) = client.token(chain_id, token).await?.decimals else {
        return Err(Failure::Request("this token does not say how many decimals it has; give --units".to_owned()));
    };
    amount.units(decimals).map_err(|error| Failure::Request(format!("--amount: {error}")))
}
