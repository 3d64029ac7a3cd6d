//! The whole story on one machine: an agent asks, a human approves, and a payment arrives.
//!
//! ```sh
//! make demo
//! ```
//!
//! Starts `wallet-server dev`, which has a development chain of its own, plays the human through `wallet-cli`
//! and the agent through the SDK, and asks the chain's node whether the money really moved. At a terminal the
//! approval is yours; elsewhere the demo approves by itself. It ends with 0 only if exactly the right amounts
//! moved. Whatever happens, it stops what it started and removes what it wrote.
//!
//! `story` tells what happens in which order: begin there. `human` and `payment` are its two sides, `proof`
//! decides whether the money moved, `output` is the only file that prints.

mod authenticator;
mod cli;
mod failure;
mod human;
mod node;
mod output;
mod payment;
mod proof;
mod scratch;
mod server;
mod story;

use std::env;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use reqwest::Client;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::output::Output;
use crate::scratch::Scratch;
use crate::server::Server;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut output = Output::new();
    match run(&mut output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure.in_words());
            ExitCode::from(failure.exit())
        }
    }
}

/// Runs the demo, and leaves nothing behind.
async fn run(output: &mut Output) -> Result<(), Failure> {
    let interrupted = interruption()?;
    let (server, cli) = (sibling("wallet-server")?, sibling("wallet-cli")?);
    // Everything here is plain http on this machine: no certificates to load, and no proxy to ask.
    let client = Client::builder().no_proxy().tls_certs_only([]).build().map_err(Failure::Client)?;
    let scratch = Scratch::new()?;

    let data_dir = scratch.join("data").display().to_string();
    let arguments = Server::arguments(&data_dir);
    story::begin(output, &arguments)?;
    let mut server = Server::start(&server, &arguments, &scratch)?;
    let outcome = tokio::select! {
        biased;
        () = interrupted => Err(Failure::Interrupted),
        outcome = story::tell(output, &mut server, client, cli, scratch.join("config")) => outcome,
    };
    if let Err(failure) = &outcome
        && failure.is_unexpected()
    {
        output.quote(&server.last_words())?;
    }
    let stopped = server.stop().await;
    outcome?;
    Ok(stopped?)
}

/// Ends when somebody wants the demo to end: at Ctrl-C, `kill`, or when the terminal is closed.
///
/// Fails when signals cannot be received.
fn interruption() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

/// Another program of this workspace, built beside this one.
///
/// Fails when it is not there.
fn sibling(program: &'static str) -> Result<PathBuf, Failure> {
    let path = env::current_exe()?.with_file_name(format!("{program}{}", env::consts::EXE_SUFFIX));
    if path.is_file() { Ok(path) } else { Err(Failure::NotBuilt(program)) }
}
