//! The command line: global flags and the tree of commands. Each noun's own file declares its verbs.

use std::path::PathBuf;

use agent_sdk::Paging;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::account::{LoginArgs, RegisterArgs};
use crate::agent::AgentCommand;
use crate::mfa::MfaCommand;
use crate::send::{CallArgs, SendArgs, SendTokenArgs};
use crate::server_url::ServerUrl;
use crate::tx::TxCommand;
use crate::wallet::WalletCommand;

/// What every help page says last.
const EXIT_CODES: &str = "\
Exit codes:
  0  done                       4  log in first
  1  refused or failed          5  needs a code or a terminal
  2  wrong usage                8  still pending
  3  server unreachable";

/// Review, approve and reject what your agents want to send.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Flags that every command takes.
    #[command(flatten)]
    pub(crate) global: GlobalArgs,

    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// The wallet server
    #[arg(long, global = true, env = "WALLET_SERVER", hide_env_values = true, value_name = "URL")]
    #[arg(default_value = "http://127.0.0.1:8080")]
    pub(crate) server: ServerUrl,

    /// Trust only the certificates in this PEM file, for a server with a certificate of its own
    #[arg(long, global = true, env = "WALLET_CA_CERTIFICATE", hide_env_values = true, value_name = "PATH")]
    pub(crate) ca_certificate: Option<PathBuf>,

    /// Allow plain http to another machine, where others on the way can read passwords
    #[arg(long, global = true)]
    pub(crate) allow_insecure_http: bool,

    /// Print the result, or the error, as one JSON document a line
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Where the login is kept [default: $XDG_CONFIG_HOME/wallet-cli or ~/.config/wallet-cli]
    #[arg(long, global = true, env = "WALLET_CONFIG_DIR", hide_env_values = true, value_name = "PATH")]
    pub(crate) config_dir: Option<PathBuf>,
}

/// What the program can do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Open an account and show its recovery key once
    Register(RegisterArgs),
    /// Log in and keep the session for the next commands
    Login(LoginArgs),
    /// End the session
    #[command(after_help = "Example:\n  wallet-cli logout")]
    Logout,
    /// Show who is logged in, and until when
    #[command(after_help = "Example:\n  wallet-cli whoami --json")]
    Whoami,
    /// The authenticator whose codes approve transactions
    #[command(subcommand)]
    Mfa(MfaCommand),
    /// Wallets: the addresses that hold funds
    #[command(subcommand)]
    Wallet(WalletCommand),
    /// Agents: the programs that may ask for transactions
    #[command(subcommand)]
    Agent(AgentCommand),
    /// Transactions: what agents ask for and you decide
    #[command(subcommand)]
    Tx(TxCommand),
    /// Send coins from a wallet of yours
    Send(SendArgs),
    /// Send an ERC-20 token from a wallet of yours
    SendToken(SendTokenArgs),
    /// Call a function of a contract from a wallet of yours
    Call(CallArgs),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  wallet-cli completions bash > \
        ~/.local/share/bash-completion/completions/wallet-cli")]
    Completions {
        /// The shell to complete in
        shell: Shell,
    },
}

/// Which part of a list to show.
#[derive(Args, Clone)]
pub(crate) struct PageArgs {
    /// How many to show
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) limit: u8,

    /// Where to go on, as printed at the end of the page before
    #[arg(long)]
    pub(crate) cursor: Option<String>,
}

impl From<PageArgs> for Paging {
    fn from(args: PageArgs) -> Self {
        let PageArgs { limit, cursor } = args;
        cursor.into_iter().fold(Self::new().limit(limit.into()), Self::cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// Every command without subcommands, by its full name.
    fn leaves(command: &clap::Command, name: &str, found: &mut Vec<(String, clap::Command)>) {
        for child in command.get_subcommands() {
            let name = format!("{name} {}", child.get_name());
            if child.has_subcommands() {
                leaves(child, &name, found);
            } else {
                found.push((name, child.clone()));
            }
        }
    }

    #[test]
    fn the_command_tree_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_leaf_shows_an_example_of_itself() {
        let mut found = Vec::new();
        leaves(&Cli::command(), "wallet-cli", &mut found);
        assert!(found.len() >= 25, "{}", found.len());
        for (name, command) in found {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "{name} has no example");
            assert!(help.contains(&name), "{name} shows another command");
        }
    }

    #[test]
    fn no_flag_takes_a_secret() {
        let mut found = Vec::new();
        leaves(&Cli::command(), "wallet-cli", &mut found);
        for (name, command) in found {
            for argument in command.get_arguments().filter(|argument| argument.get_action().takes_values()) {
                let id = argument.get_id().as_str();
                assert!(!["password", "mfa_code", "token", "key"].contains(&id), "{name} --{id}");
            }
        }
    }
}
