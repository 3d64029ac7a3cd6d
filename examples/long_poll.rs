//! An agent that follows its payment: it asks, and tells of every change as it happens.
//!
//! ```sh
//! export WALLET_SERVER=http://127.0.0.1:8080 WALLET_API_KEY=wak_…
//! cargo run --bin long_poll -- 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 1000000000000000
//! ```
//!
//! `wait_for_change` is a long poll: the server keeps the question open until the transaction's version
//! differs from the one the agent knows, or the wait is over. No change is missed, and nobody asks in vain
//! every second. Use `wait_until_decided` and `wait_until_confirmed` where only the outcome matters.

use std::error::Error;
use std::io::{self, Write, stdout};
use std::time::Duration;

use agent_sdk::{AgentClient, PrepareTransaction, Status, Transaction, Waiting, address, amount};

/// How long the server may keep one question open; it allows 50 s.
const WAIT: Duration = Duration::from_secs(50);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let agent = AgentClient::new(setting("WALLET_SERVER")?, setting("WALLET_API_KEY")?)?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [to_address, wei] = arguments.as_slice() else {
        return Err("usage: long_poll TO_ADDRESS AMOUNT_IN_WEI".into());
    };

    let request = PrepareTransaction::transfer(address::parse(to_address)?, amount::parse(wei)?);
    let seen = agent.prepare(request).await.map_err(|error| error.to_string())?;
    writeln!(stdout(), "transaction {}", seen.transaction_id)?;
    let ended = follow(&agent, seen).await?;
    if ended.status != Status::Confirmed {
        return Err(ended.reason.unwrap_or_else(|| "not paid".to_owned()).into());
    }
    Ok(())
}

/// Tells of every change until there can be none; executes the transaction once it is approved.
async fn follow(agent: &AgentClient, mut seen: Transaction) -> Result<Transaction, Box<dyn Error>> {
    loop {
        tell(&seen)?;
        let next = match seen.status {
            ref status if status.is_final() => return Ok(seen),
            Status::Authorized => agent.execute(seen.transaction_id).await,
            _ => unseen(agent, &seen).await,
        };
        seen = next.map_err(|error| error.to_string())?;
    }
}

/// The transaction at its next version, however many waits that takes.
async fn unseen(agent: &AgentClient, seen: &Transaction) -> Result<Transaction, agent_sdk::Error> {
    loop {
        let now = agent.wait_for_change(seen.transaction_id, seen.version, WAIT).await?;
        if now.version != seen.version {
            return Ok(now);
        }
    }
}

/// One line: the version, the status, and what it waits for.
fn tell(transaction: &Transaction) -> io::Result<()> {
    let Transaction { version, status, waiting, .. } = transaction;
    let detail = |waiting: &Waiting| waiting.detail.as_ref().map(|words| format!(" ({words})")).unwrap_or_default();
    let waiting = waiting.as_ref().map(|waiting| format!(", waiting: {}{}", waiting.reason, detail(waiting)));
    let waiting = waiting.unwrap_or_default();
    writeln!(stdout(), "version {version}: {status}{waiting}")
}

/// A setting from the environment. Fails when it is not there.
#[expect(clippy::disallowed_methods, reason = "an example reads its settings where it uses them")]
fn setting(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set"))
}
