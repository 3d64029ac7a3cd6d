//! The wallet at a terminal: a person reviews what agents want to send, and approves or rejects it.
//!
//! `main` parses the command line, runs one command and turns its end into an exit code. Every noun has a
//! file; `output` is the only one that prints, `prompt` the only one that asks, `environment` the only one
//! that reads variables. `review` decides what a person sees before approving: begin there.

mod acceptance;
mod account;
mod agent;
mod amount;
mod app;
mod approve;
mod args;
mod changes;
mod clear_nonce;
mod credentials;
mod detail;
mod environment;
mod exit;
mod json;
mod keystore;
mod mfa;
mod output;
mod paint;
mod prompt;
mod report;
mod review;
mod secret_args;
mod send;
mod server_url;
mod sheet;
mod surroundings;
mod table;
mod text;
mod tx;
mod wait;
mod waiting;
mod wallet;
mod when;
mod why;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::app::App;
use crate::args::{Cli, Command, GlobalArgs};
use crate::exit::Failure;
use crate::output::Output;

/// One thread is enough: the program waits for one person and one server.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    let output = Output::new(global.json);
    match run(output, global, command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.exit() as u8)
        }
    }
}

/// Runs one command.
async fn run(output: Output, global: GlobalArgs, command: Command) -> Result<(), Failure> {
    let app = App::new(output, global)?;
    match command {
        Command::Register(args) => account::register(&app, args).await,
        Command::Login(args) => account::login(&app, args).await,
        Command::Logout => account::logout(&app).await,
        Command::Whoami => account::whoami(&app).await,
        Command::Mfa(command) => mfa::run(&app, command).await,
        Command::Wallet(command) => wallet::run(&app, command).await,
        Command::Agent(command) => agent::run(&app, command).await,
        Command::Tx(command) => tx::run(&app, command).await,
        Command::Send(args) => send::coins::run(&app, args).await,
        Command::SendToken(args) => send::token::run(&app, args).await,
        Command::Call(args) => send::call::run(&app, args).await,
        Command::Completions { shell } => completions(output, shell),
    }
}

/// Prints a completion script.
fn completions(output: Output, shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wallet-cli", &mut script);
    output.text(&String::from_utf8_lossy(&script))
}
