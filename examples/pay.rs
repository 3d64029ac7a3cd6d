//! The shortest paying agent: it asks, waits for the human, sends, and waits for the chain.
//!
//! ```sh
//! export WALLET_SERVER=http://127.0.0.1:8080 WALLET_API_KEY=wak_…
//! cargo run --bin pay -- 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 1000000000000000
//! ```
//!
//! The amount is in wei: this is 0.001 of the chain's coin. The human approves in the meantime, with
//! `wallet-cli tx approve`. Started again, it asks for a second payment; `resume` does not.

use std::error::Error;
use std::io::{Write, stdout};

use agent_sdk::{AgentClient, PrepareTransaction, Status, address, amount};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let agent = AgentClient::new(setting("WALLET_SERVER")?, setting("WALLET_API_KEY")?)?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [to_address, wei] = arguments.as_slice() else {
        return Err("usage: pay TO_ADDRESS AMOUNT_IN_WEI".into());
    };

    let payment = PrepareTransaction::transfer(address::parse(to_address)?, amount::parse(wei)?)
        .memo("invoice 4711: a month of weather reports");
    let ended = agent.pay(payment).await.map_err(|error| error.to_string())?;
    if ended.status != Status::Confirmed {
        return Err(format!("not paid: {}", ended.status).into());
    }
    writeln!(stdout(), "paid in {}", ended.transaction_hash.unwrap_or_default())?;
    Ok(())
}

/// A setting from the environment. Fails when it is not there.
#[expect(clippy::disallowed_methods, reason = "an example reads its settings where it uses them")]
fn setting(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set"))
}
