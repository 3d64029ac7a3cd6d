//! `send`, `send-token` and `call`: a person's own transactions. What would be sent is shown first, like an
//! agent's; what is confirmed is sent at once.

pub(crate) mod call;
pub(crate) mod coins;
mod signature;
pub(crate) mod token;

use std::time::Duration;

use agent_sdk::{AbiCall, Action, ErrorCode, Paging, Secret, Send, Transaction, UserClient};
use alloy::primitives::{Address, U256};
use clap::Args;
use uuid::Uuid;

use crate::acceptance::Acceptance;
use crate::amount::fee_at_most;
use crate::app::{App, Session};
use crate::approve::{changed, is_acknowledgement};
use crate::changes;
use crate::detail::DetailArgs;
use crate::exit::Failure;
use crate::prompt;
use crate::report;
use crate::review::{self, Objection};
use crate::secret_args::{CodeArgs, PasswordArgs};
use crate::surroundings::Surroundings;
use crate::tx::print_state;
use crate::wait::{self, Until};
use crate::when::parse_span;

pub(crate) use call::CallArgs;
pub(crate) use coins::SendArgs;
pub(crate) use token::SendTokenArgs;

/// What all sends have in common.
#[derive(Args)]
pub(crate) struct SendingArgs {
    /// The wallet that pays [default: your only one]
    #[arg(long, value_name = "ADDRESS", value_parser = agent_sdk::address::parse)]
    from: Option<Address>,

    /// The chain, by id [default: the server's only one]
    #[arg(long, value_name = "ID")]
    chain: Option<u64>,

    /// Send without asking: you are sure of every word of the command
    ///
    /// Every HIGH warning needs --acknowledge all the same.
    #[arg(long)]
    yes: bool,

    /// Send in spite of a warning or a problem with this code, after reading what it says; may be
    /// repeated
    #[arg(long, value_name = "CODE")]
    acknowledge: Vec<String>,

    /// Send nothing a second time under this name, such as an invoice's number [default: a random one]
    ///
    /// When the answer to a send is lost, the same command with the key that it names gives that
    /// very transaction.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,

    /// Wait until nothing can change it any more, and fail unless it is confirmed
    #[arg(long)]
    wait: bool,

    /// How long to wait: seconds, or with a unit as in 60s, 5m, 1h
    #[arg(long, default_value = "10m", requires = "wait", value_parser = parse_span)]
    timeout: Duration,

    #[command(flatten)]
    detail: DetailArgs,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    code: CodeArgs,
}

/// What is to be sent.
enum Payment {
    /// Wei.
    Coins { to: Address, amount: U256 },
    /// Smallest units of a token.
    Token { token: Address, to: Address, amount: U256 },
    /// A call of a contract.
    Call(AbiCall),
}

impl Payment {
    /// The request for it.
    fn request(&self, from: Address) -> Send {
        match self {
            Self::Coins { to, amount } => Send::transfer(from, *to, *amount),
            Self::Token { token, to, amount } => Send::transfer_erc20(from, *token, *to, *amount),
            Self::Call(call) => Send::contract_call(from, call.clone()),
        }
    }

    /// How a transaction says what was asked for.
    fn action(&self) -> Action {
        match self {
            Self::Coins { to, amount } => Action::Transfer { to_address: *to, amount: *amount },
            Self::Token { token, to, amount } => {
                Action::TransferErc20 { token_address: *token, to_address: *to, amount: *amount }
            }
            Self::Call(call) => call.clone().into(),
        }
    }
}

/// A send that has been shown.
struct Reviewed {
    request: Send,
    idempotency_key: String,
    shown: Transaction,
    around: Surroundings,
    acceptance: Acceptance,
}

/// Shows what would be sent, asks, sends it, and prints the transaction.
async fn send(app: &App, session: &Session, args: &SendingArgs, payment: Payment) -> Result<(), Failure> {
    let from = wallet(&session.client, args.from).await?;
    let idempotency_key = args.idempotency_key.clone().unwrap_or_else(|| Uuid::now_v7().to_string());
    let request = payment.request(from).idempotency_key(idempotency_key.as_str());
    let request = args.chain.into_iter().fold(request, Send::chain_id);
    let shown = session.client.preview(&request).await?;
    check(&shown, &payment.action(), session)?;
    // The chain is now known, and it is the one that was shown.
    let request = request.chain_id(shown.chain_id);
    let around = Surroundings::of(&session.client, &shown).await?;
    app.output.show(|paint| review::screen(&shown, &around, args.detail.view(paint)));
    let acceptance = Acceptance::new(&args.acknowledge);
    let sent = confirm(app, session, args, Reviewed { request, idempotency_key, shown, around, acceptance }).await?;
    if args.wait {
        app.output.note(&format!("sent as {}, which is {}", sent.transaction_id, sent.status));
        return wait::follow(app, &session.client, sent, args.timeout, Until::Final).await;
    }
    print_state(app, &sent)
}

/// Asks and sends, and asks again when it has changed in the meantime.
async fn confirm(
    app: &App,
    session: &Session,
    args: &SendingArgs,
    mut reviewed: Reviewed,
) -> Result<Transaction, Failure> {
    let mut must_ask = !args.yes;
    let mut password = None;
    loop {
        let Reviewed { shown, acceptance, .. } = &mut reviewed;
        let accepted = acceptance.ask(app.output, shown, must_ask && prompt::is_possible())?;
        if !accepted || (must_ask && !prompt::confirm(app.output, "\nSend this now?", "--yes")?) {
            return Err(Failure::NotSent);
        }
        let known = match password {
            Some(password) => password,
            None => args.password.read()?,
        };
        let failure = match submit(app, session, args, &reviewed, &known).await {
            Ok(sent) if is_what_was_shown(&reviewed.shown, &sent, args) => return Ok(sent),
            Ok(sent) => return Err(Failure::SentAnother(sent.transaction_id)),
            Err(failure) => failure,
        };
        show_again(app, session, args, &mut reviewed, failure).await?;
        must_ask = true;
        password = Some(known);
    }
}

/// Sends what was shown, once.
async fn submit(
    app: &App,
    session: &Session,
    args: &SendingArgs,
    reviewed: &Reviewed,
    password: &Secret,
) -> Result<Transaction, Failure> {
    let Reviewed { request, idempotency_key, shown, acceptance, .. } = reviewed;
    // Bound to what was shown: nothing dearer is signed.
    let request = request.clone().digest(shown.computed_digest()).acknowledge(acceptance.codes(shown));
    let send = async |code: Secret| session.client.send(&request, password, &code).await;
    match args.code.try_codes(app.output, CodeArgs::read, send).await {
        Err(Failure::Server(error)) if error.is_unreachable() || error.may_have_happened() => {
            Err(Failure::LostAnswer { error: report::in_words(&error), idempotency_key: idempotency_key.clone() })
        }
        sent => sent,
    }
}

/// Shows what the send has become, and what is different, when that is why it was refused and there is a person to
/// ask anew.
async fn show_again(
    app: &App,
    session: &Session,
    args: &SendingArgs,
    reviewed: &mut Reviewed,
    failure: Failure,
) -> Result<(), Failure> {
    let fresh = match changed(&failure) {
        Some(fresh) => fresh.clone(),
        None if is_outdated(&failure) && prompt::is_possible() => session.client.preview(&reviewed.request).await?,
        None => return Err(failure),
    };
    check(&fresh, &reviewed.shown.action, session)?;
    if is_acknowledgement(&failure) && !reviewed.acceptance.lacks(&fresh) {
        return Err(failure);
    }
    let Reviewed { shown, around, .. } = reviewed;
    app.output.show(|paint| review::screen(&fresh, around, args.detail.view(paint)));
    let changes = |paint| changes::between(shown, &fresh, &around.symbol, paint);
    let transaction_id = fresh.transaction_id;
    app.output.try_show(changes).map_err(|objection| Failure::Objection { transaction_id, objection })?;
    *shown = fresh;
    Ok(())
}

/// The wallet that pays: the one that is named, else the only one there is.
async fn wallet(client: &UserClient, from: Option<Address>) -> Result<Address, Failure> {
    if let Some(address) = from {
        return Ok(address);
    }
    let wallets = client.wallets(Paging::new().limit(2)).await?.items;
    match &wallets[..] {
        [] => Err(Failure::NoWallet),
        [wallet] => Ok(wallet.address),
        _ => Err(Failure::WhichWallet),
    }
}

/// Checks that the preview is of what the command line says, and tells the truth about it.
fn check(transaction: &Transaction, action: &Action, session: &Session) -> Result<(), Failure> {
    let transaction_id = transaction.transaction_id;
    let checked = match transaction.action == *action {
        true => review::check(transaction, transaction_id, session.user_id),
        false => Err(Objection::AnotherTransaction),
    };
    checked.map_err(|objection| Failure::Objection { transaction_id, objection })
}

/// Whether the failure is that the server no longer knows what was shown.
fn is_outdated(failure: &Failure) -> bool {
    matches!(failure, Failure::Server(error) if error.code() == Some(ErrorCode::DigestMismatch))
}

/// Whether the bytes that were signed are those that were shown, and cost no more. Under a key of an earlier run the
/// answer may be what that one sent, for what it was shown.
fn is_what_was_shown(shown: &Transaction, sent: &Transaction, args: &SendingArgs) -> bool {
    let signed = |transaction: &Transaction| {
        let Transaction { address, chain_id, to, value, data, .. } = transaction.clone();
        (address, chain_id, to, value, data)
    };
    let cost = |transaction: &Transaction| fee_at_most(transaction.gas_limit, transaction.max_fee_per_gas);
    signed(shown) == signed(sent) && (args.idempotency_key.is_some() || cost(sent) <= cost(shown))
}
