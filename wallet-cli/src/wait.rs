//! `tx wait`: until somebody decides, or until the chain has settled it.

use std::time::{Duration, Instant};

use agent_sdk::{Status, Transaction, UserClient};
use clap::{Args, ValueEnum};
use uuid::Uuid;

use crate::app::App;
use crate::exit::Failure;
use crate::tx::print_state;
use crate::when::parse_span;

/// The longest that the server holds one question open.
const LONGEST_POLL: Duration = Duration::from_secs(50);
/// The shortest wait the server knows.
const SHORTEST_POLL: Duration = Duration::from_secs(1);

/// Waits for a transaction.
#[derive(Args)]
#[command(after_help = "Exit codes: 0 when it was approved (--until decided) or confirmed (--until final), 1 when
it ended otherwise, 8 when the time ran out. The transaction is printed in every case.

Example:
  wallet-cli tx wait 019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55 --until decided --timeout 5m")]
pub(crate) struct WaitArgs {
    /// The transaction's id
    transaction_id: Uuid,

    /// How long to wait: seconds, or with a unit as in 60s, 5m, 1h
    #[arg(long, default_value = "60s", value_parser = parse_span)]
    timeout: Duration,

    /// What to wait for
    #[arg(long, value_enum, default_value_t = Until::Final)]
    until: Until,
}

/// What to wait for.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Until {
    /// Approved, rejected, withdrawn or too late
    Decided,
    /// Settled: nothing can change it any more
    Final,
}

impl Until {
    /// Whether the wait is over.
    fn is_reached(self, status: &Status) -> bool {
        match self {
            Self::Decided => status.is_decided(),
            Self::Final => status.is_final(),
        }
    }
}

/// Runs `tx wait`.
pub(crate) async fn run(app: &App, args: WaitArgs) -> Result<(), Failure> {
    let WaitArgs { transaction_id, timeout, until } = args;
    let client = app.session()?.client;
    let seen = client.status(transaction_id).await?;
    follow(app, &client, seen, timeout, until).await
}

/// Follows a transaction, prints it as it then is, and says how it went.
///
/// Fails when it ended in another way than hoped for, and when the time runs out.
pub(crate) async fn follow(
    app: &App,
    client: &UserClient,
    mut seen: Transaction,
    timeout: Duration,
    until: Until,
) -> Result<(), Failure> {
    let transaction_id = seen.transaction_id;
    let deadline = Instant::now() + timeout;
    while !until.is_reached(&seen.status) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            print_state(app, &seen)?;
            return Err(Failure::StillPending { transaction_id, status: seen.status.to_string() });
        }
        let poll = left.clamp(SHORTEST_POLL, LONGEST_POLL);
        let fresh = client.wait_for_change(transaction_id, seen.version, poll).await?;
        if fresh.status != seen.status {
            app.output.note(&format!("{}, was {}", fresh.status, seen.status));
        }
        seen = fresh;
    }
    print_state(app, &seen)?;
    went_well(&seen)
}

/// Fails when the transaction ended in any way but the one that was hoped for.
fn went_well(transaction: &Transaction) -> Result<(), Failure> {
    match &transaction.status {
        Status::Authorized | Status::Submitted | Status::Mined | Status::Confirmed => Ok(()),
        status => Err(Failure::Ended { transaction_id: transaction.transaction_id, status: status.to_string() }),
    }
}
