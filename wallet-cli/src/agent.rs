//! `agent create`, `list` and `revoke`.

use agent_sdk::{Agent, CreateAgent, Paging, Secret, Status, TransactionFilter, UserClient};
use alloy::primitives::Address;
use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

use crate::app::App;
use crate::args::PageArgs;
use crate::exit::Failure;
use crate::json;
use crate::secret_args::CodeArgs;
use crate::sheet::Sheet;
use crate::surroundings::find_all;
use crate::table::table;
use crate::waiting;
use crate::when;

/// What can be done with agents.
#[derive(Subcommand)]
pub(crate) enum AgentCommand {
    /// Let a program ask for transactions, and show its API key once
    Create(CreateArgs),
    /// List your agents
    #[command(after_help = "Example:\n  wallet-cli agent list --json")]
    List(PageArgs),
    /// End an agent: its API key is refused from now on
    #[command(after_help = "What it asked for and has not executed is withdrawn.

Examples:
  wallet-cli agent revoke shopper
  wallet-cli agent revoke 019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55 --burn")]
    Revoke {
        /// The agent's id, or its name
        #[arg(value_name = "AGENT")]
        agent: String,
        /// Also use up the nonces of what you approved for it and it has not executed, at once and for
        /// a fee each: then no copy of those payments is valid any more
        #[arg(long)]
        burn: bool,
    },
}

/// Makes an agent.
#[derive(Args)]
#[command(after_help = "Examples:
  wallet-cli agent create shopper
  wallet-cli agent create shopper --wallet 0x52908400098527886E0F7030069857D2E4169EE7 --chain 1")]
pub(crate) struct CreateArgs {
    /// Your name for it
    name: String,

    /// A wallet it may use; may be repeated [default: all, also later ones]
    #[arg(long = "wallet", value_name = "ADDRESS", value_parser = agent_sdk::address::parse)]
    wallets: Vec<Address>,

    /// A chain it may use, by id; may be repeated [default: all]
    #[arg(long = "chain", value_name = "ID")]
    chains: Vec<u64>,

    #[command(flatten)]
    code: CodeArgs,
}

/// Runs an `agent` command.
pub(crate) async fn run(app: &App, command: AgentCommand) -> Result<(), Failure> {
    match command {
        AgentCommand::Create(args) => create(app, args).await,
        AgentCommand::List(args) => list(app, args).await,
        AgentCommand::Revoke { agent, burn } => revoke(app, &agent, burn).await,
    }
}

async fn create(app: &App, args: CreateArgs) -> Result<(), Failure> {
    let CreateArgs { name, wallets, chains, code } = args;
    let client = app.session()?.client;
    let create = async |code: Secret| {
        let mut request = CreateAgent::new(name.as_str(), code);
        if !wallets.is_empty() {
            request = request.wallets(wallets.iter().copied());
        }
        if !chains.is_empty() {
            request = request.chains(chains.iter().copied());
        }
        client.create_agent(request).await
    };
    let created = code.try_codes(app.output, CodeArgs::read, create).await?;
    let api_key = created.api_key.as_ref().map(Secret::expose);
    let document = json!({ "agent": json::agent(&created.agent), "api_key": api_key });
    app.output.result(&json::present(document), |paint| {
        sheet(Sheet::new(paint), &created.agent).optional("API key", api_key).finish()
    })?;
    app.output.note("the API key is not shown again: give it to the agent and to nobody else");
    Ok(())
}

async fn list(app: &App, args: PageArgs) -> Result<(), Failure> {
    let page = app.session()?.client.agents(Paging::from(args)).await?;
    app.output.result(&json::page(&page, json::agent), |paint| {
        let row = |agent: &Agent| {
            let state = if agent.revoked_at.is_some() { "revoked" } else { "active" };
            let used = agent.last_used_at.map_or("never".to_owned(), when::for_people);
            [agent.agent_id.to_string(), state.to_owned(), used, agent.name.clone()]
        };
        table(paint, ["AGENT", "STATE", "LAST USED", "NAME"], page.items.iter().map(row).collect())
    })?;
    app.output.next_page(page.next_cursor.as_deref());
    Ok(())
}

async fn revoke(app: &App, agent: &str, burn: bool) -> Result<(), Failure> {
    let client = app.session()?.client;
    let agent_id = find(&client, agent).await?;
    let agent = match burn {
        true => client.revoke_agent_and_burn(agent_id).await?,
        false => client.revoke_agent(agent_id).await?,
    };
    app.output.result(&json::agent(&agent), |paint| sheet(Sheet::new(paint), &agent).finish())?;
    let filter = TransactionFilter::new().agent_id(agent_id).status(Status::Cancelled).limit(100);
    for transaction in client.transactions(filter).await?.items {
        let copies = waiting::copies(&transaction).join("");
        if !copies.is_empty() {
            app.output.note(&format!("{}: {copies}", transaction.transaction_id));
        }
    }
    Ok(())
}

/// The agent with this id, or with this name. One that is active comes before those of the same name that are not.
async fn find(client: &UserClient, agent: &str) -> Result<Uuid, Failure> {
    if let Ok(agent_id) = agent.parse() {
        return Ok(agent_id);
    }
    let named = find_all(async |paging| client.agents(paging).await, |one: &Agent| one.name == agent).await?;
    let active: Vec<&Agent> = named.iter().filter(|agent| agent.revoked_at.is_none()).collect();
    match (&active[..], &named[..]) {
        ([agent], _) => Ok(agent.agent_id),
        ([], [agent]) => Ok(agent.agent_id),
        (_, []) => Err(Failure::NoAgent),
        _ => Err(Failure::WhichAgent),
    }
}

/// An agent and what it may do.
fn sheet(sheet: Sheet, agent: &Agent) -> Sheet {
    let all = || vec!["all".to_owned()];
    let wallets = agent.wallets.as_ref();
    let wallets = wallets.map(|some| some.iter().map(|address| address.to_checksum(None)).collect());
    let chains = agent.chains.as_ref();
    let chains = chains.map(|some| some.iter().map(u64::to_string).collect());
    sheet
        .row("Agent", &agent.agent_id.to_string())
        .row("Name", &agent.name)
        .rows("Wallets", wallets.unwrap_or_else(all))
        .rows("Chains", chains.unwrap_or_else(all))
        .row("Created", &when::for_people(agent.created_at))
        .optional("Revoked", agent.revoked_at.map(when::for_people))
}
