//! `wallet clear-nonce`: show what would use up a nonce, ask, take the code, and send exactly that.

use agent_sdk::{ErrorCode, NonceClearing, Secret, Transaction};
use alloy::primitives::{Address, hex};
use clap::Args;

use crate::amount::{coins, fee_at_most, gwei};
use crate::app::{App, Session, now};
use crate::exit::Failure;
use crate::paint::Paint;
use crate::prompt;
use crate::secret_args::CodeArgs;
use crate::sheet::Sheet;
use crate::surroundings::Surroundings;
use crate::tx::print_state;
use crate::when;

/// Uses up a nonce.
#[derive(Args)]
#[command(after_help = "Nothing moves but a fee: the wallet sends itself nothing under that nonce, so that what
waits behind it can go on. `wallet-cli wallet why` says which one is in the way.
It is shown in full before anything is asked. Whatever is not a clear yes signs nothing.

Examples:
  wallet-cli wallet clear-nonce 0x52908400098527886E0F7030069857D2E4169EE7
  wallet-cli wallet clear-nonce 0x52908400098527886E0F7030069857D2E4169EE7 --nonce 5 --chain 1")]
pub(crate) struct ClearNonceArgs {
    /// The wallet's address
    #[arg(value_parser = agent_sdk::address::parse)]
    address: Address,

    /// Which nonce [default: the lowest that is in the way]
    #[arg(long, value_name = "N")]
    nonce: Option<u64>,

    /// The chain, by id [default: the server's only one]
    #[arg(long, value_name = "ID")]
    chain: Option<u64>,

    /// Do it without asking: you know what it costs
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    code: CodeArgs,
}

/// Runs `wallet clear-nonce`.
pub(crate) async fn run(app: &App, args: ClearNonceArgs) -> Result<(), Failure> {
    let session = app.session()?;
    let mut must_ask = !args.yes;
    let mut nonce = args.nonce;
    loop {
        let shown = session.client.preview_clear_nonce(args.address, args.chain, nonce).await?;
        let (chain, symbol) = Surroundings::chain(&session.client, shown.chain_id).await?;
        app.output.show(|paint| screen(&shown, &chain, &symbol, paint));
        let question = if shown.gas_limit == 0 { "\nGive up this nonce?" } else { "\nUse up this nonce?" };
        if must_ask && !prompt::confirm(app.output, question, "--yes")? {
            return Err(Failure::NotSent);
        }
        match clear(app, &session, &args, &shown).await {
            Ok(transaction) => return print_state(app, &transaction),
            Err(failure) if is_outdated(&failure) && prompt::is_possible() => app.output.failure(&failure),
            Err(failure) => return Err(failure),
        }
        // What was agreed to is another nonce's no more than another price's.
        nonce = Some(shown.nonce);
        must_ask = true;
    }
}

/// Signs and sends what was shown.
async fn clear(
    app: &App,
    session: &Session,
    args: &ClearNonceArgs,
    shown: &NonceClearing,
) -> Result<Transaction, Failure> {
    let clear = async |code: Secret| session.client.clear_nonce(shown, &code).await;
    args.code.try_codes(app.output, CodeArgs::read, clear).await
}

/// Whether what was shown is no longer what would be signed.
fn is_outdated(failure: &Failure) -> bool {
    let Failure::Server(error) = failure else {
        return false;
    };
    matches!(error.code(), Some(ErrorCode::PreviewChanged | ErrorCode::DigestMismatch | ErrorCode::Expired))
}

/// What would be signed, and what it costs at most. The cost is computed here and not taken from the server.
fn screen(shown: &NonceClearing, chain: &str, symbol: &str, paint: Paint) -> String {
    let NonceClearing { address, chain_id, nonce, gas_limit, max_fee_per_gas, expires_at, .. } = shown;
    let fee = fee_at_most(*gas_limit, *max_fee_per_gas);
    let holder = match shown.transaction_id {
        Some(id) => [format!("transaction {id}"), "which is withdrawn or has ended".to_owned()].to_vec(),
        None => vec!["nothing of yours".to_owned()],
    };
    let digest = shown.computed_digest();
    if *gas_limit == 0 {
        return given_up(shown, chain, holder, paint);
    }
    Sheet::new(paint)
        .title(&format!("Nothing is sent yet: this would use up nonce {nonce}"))
        .gap()
        .row("From", &address.to_checksum(None))
        .row("Chain", &format!("{chain}, id {chain_id}"))
        .row("To", "the same address")
        .row("Value", &format!("0 {symbol}, and no data"))
        .row("Nonce", &nonce.to_string())
        .rows("Used by", holder)
        .gap()
        .row("Gas limit", &gas_limit.to_string())
        .row("Fee cap", &format!("{} gwei per gas", gwei(*max_fee_per_gas)))
        .row("Tip cap", &format!("{} gwei per gas", gwei(shown.max_priority_fee_per_gas)))
        .styled(
            "Fee",
            [format!("at most {} {symbol} leaves the wallet", coins(fee)), format!("{fee} wei")],
            Paint::strong,
        )
        .row("Expires", &when::deadline(*expires_at, now()))
        .gap()
        .row("Digest", &digest.to_string())
        .styled("Short form", [hex::encode(&digest[..4])], Paint::strong)
        .finish()
}

/// The same where there is nothing to sign.
fn given_up(shown: &NonceClearing, chain: &str, holder: Vec<String>, paint: Paint) -> String {
    let NonceClearing { address, chain_id, nonce, expires_at, .. } = shown;
    let digest = shown.computed_digest();
    Sheet::new(paint)
        .title(&format!("Nothing is signed: this would give up nonce {nonce} on your word"))
        .gap()
        .row("From", &address.to_checksum(None))
        .row("Chain", &format!("{chain}, id {chain_id}"))
        .row("Nonce", &nonce.to_string())
        .rows("Used by", holder)
        .rows(
            "Why",
            [
                "no transaction of yours can be sent for it any more: the chain has used".to_owned(),
                "it and no node has that block, or it is too far ahead to be reached".to_owned(),
            ],
        )
        .row("Fee", "none")
        .row("Expires", &when::deadline(*expires_at, now()))
        .gap()
        .row("Digest", &digest.to_string())
        .styled("Short form", [hex::encode(&digest[..4])], Paint::strong)
        .finish()
}
