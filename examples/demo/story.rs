//! What happens, in order.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use alloy::primitives::U256;
use reqwest::Client;

use crate::cli::Cli;
use crate::failure::Failure;
use crate::human::{Decision, Human};
use crate::node::Node;
use crate::output::Output;
use crate::payment::Payment;
use crate::proof::coins;
use crate::server::Server;

/// The human's name for the wallet.
const WALLET: &str = "treasury";
/// The human's name for the agent.
const AGENT: &str = "shopper";
/// 10 coins, in wei: what the node gives to the wallet.
const FUNDS: u64 = 10_000_000_000_000_000_000;

/// Says what this is, and how the server is started.
pub(crate) fn begin(output: &mut Output, server_arguments: &[&str]) -> io::Result<()> {
    output.say(
        "An agent asks for a payment, a human approves it, and it arrives: on this machine, on a chain of its own, \
         with money that is worth nothing. All of it is stopped and removed at the end.",
    )?;
    output.chapter("A wallet server starts")?;
    output.command("wallet-server", server_arguments)
}

/// Tells the whole story with a server that was just started.
///
/// Fails unless the money moved exactly as approved.
pub(crate) async fn tell(
    output: &mut Output,
    server: &mut Server,
    client: Client,
    cli: PathBuf,
    config_dir: PathBuf,
) -> Result<(), Failure> {
    let places = server.ready(&client).await?;
    output.fact("server", &places.server)?;
    output.fact("docs", &places.docs)?;
    output.fact("node", &format!("{}, a development chain", places.node))?;
    let node = Node::new(client, places.node);

    let cli = Cli { program: cli, server: places.server.clone(), config_dir };
    let mut human = Human::new(output, cli).await?;

    output.chapter("The human makes a wallet, and money comes in")?;
    let wallet = human.create_wallet(output, WALLET).await?;
    let [bank, supplier, ..] = *node.accounts().await? else {
        return Err(Failure::TooFewAccounts);
    };
    node.send(bank, wallet, U256::from(FUNDS)).await?;
    output.fact("address", &wallet.to_string())?;
    output.fact("holds", &format!("{} ETH, a gift of the node", coins(U256::from(FUNDS))))?;

    output.chapter("The human lets an agent in")?;
    let api_key = human.create_agent(output, AGENT, wallet).await?;
    output.say(
        "Its API key was shown this once and goes to the agent. With it the agent can ask for transactions of this \
         wallet, and execute those that a human approved. It cannot approve, and it never sees a wallet's key.",
    )?;

    output.chapter("The agent asks for a payment")?;
    let payment = Payment::new(&places.server, api_key, &node, (wallet, supplier)).await?;
    let transaction_id = payment.ask(output).await?;

    output.chapter("The human decides")?;
    let decision = if has_person() {
        human.decide(output, transaction_id).await?
    } else {
        human.approve(output, transaction_id).await?
    };
    if decision == Decision::Declined {
        output.chapter("Nothing moves")?;
        payment.prove_nothing_moved(output, transaction_id).await?;
        return Err(Failure::Declined);
    }

    output.chapter("The agent executes what was approved")?;
    let confirmed = payment.execute(output, transaction_id).await?;

    output.chapter("Did the money move? The node is asked, not the server")?;
    payment.prove(output, &confirmed).await?;
    output.success("Yes: exactly the amount arrived, and exactly the amount and the fee left the wallet.")?;
    Ok(())
}

/// Whether a person can be asked: `wallet-cli` reads from standard input and asks on standard error.
fn has_person() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal()
}
