//! `tx list`, `show`, `reject` and `cancel`; `approve` and `wait` have files of their own.

use agent_sdk::{Status, Transaction, TransactionFilter};
use alloy::primitives::Address;
use clap::{Args, Subcommand};
use uuid::Uuid;

use crate::amount::coins;
use crate::app::App;
use crate::approve::{self, ApproveArgs};
use crate::args::PageArgs;
use crate::detail::DetailArgs;
use crate::exit::Failure;
use crate::json;
use crate::review;
use crate::sheet::Sheet;
use crate::surroundings::Surroundings;
use crate::table::table;
use crate::wait::{self, WaitArgs};
use crate::waiting;
use crate::when;

/// What can be done with transactions.
#[derive(Subcommand)]
pub(crate) enum TxCommand {
    /// List transactions, newest first
    List(ListArgs),
    /// Show everything a transaction will do, and how far it has come
    #[command(after_help = "Example:
  wallet-cli tx show 019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55 --data")]
    Show {
        /// The transaction's id
        transaction_id: Uuid,
        #[command(flatten)]
        detail: DetailArgs,
    },
    /// Review transactions and approve them, all or none
    Approve(ApproveArgs),
    /// Say no to a transaction, for good
    #[command(after_help = "Example:
  wallet-cli tx reject 019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55 --reason 'already paid'")]
    Reject {
        /// The transaction's id
        transaction_id: Uuid,
        /// Why, for the agent to read: 280 characters or fewer
        #[arg(long)]
        reason: Option<String>,
    },
    /// Withdraw a transaction, even one that was approved or sent
    #[command(after_help = "Once it was sent, the chain decides whether it or its cancellation comes first.
One that was approved and not sent is signed: copies of it stay valid until its nonce is used.

Examples:
  wallet-cli tx cancel 019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55
  wallet-cli tx cancel 019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55 --burn")]
    Cancel {
        /// The transaction's id
        transaction_id: Uuid,
        /// Also use up the nonce of one that was approved, at once and for a fee: then no copy of it
        /// is valid any more
        #[arg(long)]
        burn: bool,
    },
    /// Wait until a transaction is decided, or final
    Wait(WaitArgs),
}

/// Lists transactions.
#[derive(Args)]
#[command(after_help = "Examples:
  wallet-cli tx list --status pending
  wallet-cli tx list --agent 019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55 --json")]
pub(crate) struct ListArgs {
    /// Only those in this state, such as pending, authorized or confirmed
    #[arg(long)]
    status: Option<String>,

    /// Only those of this agent
    #[arg(long, value_name = "AGENT_ID")]
    agent: Option<Uuid>,

    /// Only those of this wallet
    #[arg(long, value_name = "ADDRESS", value_parser = agent_sdk::address::parse)]
    wallet: Option<Address>,

    #[command(flatten)]
    page: PageArgs,
}

/// Runs a `tx` command.
pub(crate) async fn run(app: &App, command: TxCommand) -> Result<(), Failure> {
    match command {
        TxCommand::List(args) => list(app, args).await,
        TxCommand::Show { transaction_id, detail } => show(app, transaction_id, detail).await,
        TxCommand::Approve(args) => approve::run(app, args).await,
        TxCommand::Reject { transaction_id, reason } => {
            let client = app.session()?.client;
            print_state(app, &client.reject(transaction_id, reason.as_deref()).await?)
        }
        TxCommand::Cancel { transaction_id, burn } => {
            let client = app.session()?.client;
            let cancelled = match burn {
                true => client.cancel_and_burn(transaction_id).await?,
                false => client.cancel(transaction_id).await?,
            };
            print_state(app, &cancelled)
        }
        TxCommand::Wait(args) => wait::run(app, args).await,
    }
}

async fn list(app: &App, args: ListArgs) -> Result<(), Failure> {
    let page = app.session()?.client.transactions(args.into()).await?;
    app.output.result(&json::page(&page, |transaction| serde_json::json!(transaction)), |paint| {
        let rows = page.items.iter().map(row).collect();
        table(paint, ["TRANSACTION", "STATUS", "TO", "VALUE", "WAITING"], rows)
    })?;
    app.output.next_page(page.next_cursor.as_deref());
    Ok(())
}

/// A transaction in one line. A shortened address serves to tell lines apart, never to be trusted.
fn row(transaction: &Transaction) -> [String; 5] {
    let to = transaction.to.map(|to| to.to_checksum(None));
    let to = to.map_or("new contract".to_owned(), |to| format!("{}…{}", &to[..6], &to[38..]));
    let Transaction { transaction_id, status, value, waiting, .. } = transaction;
    [transaction_id.to_string(), status.to_string(), to, coins(*value), waiting::in_list(waiting.as_ref())]
}

async fn show(app: &App, transaction_id: Uuid, detail: DetailArgs) -> Result<(), Failure> {
    let client = app.session()?.client;
    let transaction = client.status(transaction_id).await?;
    let around = Surroundings::of(&client, &transaction).await?;
    app.output.result(&transaction, |paint| review::screen(&transaction, &around, detail.view(paint)))
}

/// Prints where a transaction stands after something was done to it.
pub(crate) fn print_state(app: &App, transaction: &Transaction) -> Result<(), Failure> {
    app.output.result(transaction, |paint| {
        let cancelling = transaction.cancelling.then_some("on its way");
        Sheet::new(paint)
            .row("Transaction", &transaction.transaction_id.to_string())
            .row("Status", transaction.status.as_str())
            .optional("Cancelling", cancelling)
            .optional("Execute by", transaction.execute_by.map(when::for_people))
            .optional("Hash", transaction.transaction_hash.map(|hash| hash.to_string()))
            .rows("Waiting", transaction.waiting.as_ref().map(waiting::lines).unwrap_or_default())
            .optional("Reason", transaction.reason.as_deref())
            .rows("Copies", waiting::copies(transaction))
            .finish()
    })
}

impl From<ListArgs> for TransactionFilter {
    fn from(args: ListArgs) -> Self {
        let ListArgs { status, agent, wallet, page: PageArgs { limit, cursor } } = args;
        let filter = Self::new().limit(limit.into());
        let filter = status.iter().fold(filter, |filter, word| filter.status(Status::from(word.as_str())));
        let filter = agent.into_iter().fold(filter, Self::agent_id);
        let filter = wallet.into_iter().fold(filter, Self::address);
        cursor.into_iter().fold(filter, Self::cursor)
    }
}
