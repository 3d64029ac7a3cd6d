//! Why the demo ended without success.

use std::error::Error;
use std::io;

use reqwest::Error as ClientError;
use totp_rs::TotpError;

use crate::cli::CliError;
use crate::node::NodeError;
use crate::proof::Mismatch;
use crate::server::ServerError;

/// Why the demo ended without success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Files, signals, randomness, or standard output.
    #[error("the operating system refused: {0}")]
    System(#[from] io::Error),
    /// The HTTP client could not be set up.
    #[error("no HTTP client")]
    Client(#[source] ClientError),
    /// A program of this workspace is missing.
    #[error("{0} is not built: run `cargo build --bins` first, or `make demo`")]
    NotBuilt(&'static str),
    /// The wallet server could not be run.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The human's command line could not be run, or failed.
    #[error(transparent)]
    Cli(#[from] CliError),
    /// The human's authenticator could not take over the secret.
    #[error("the authenticator cannot use the secret")]
    Authenticator(#[from] TotpError),
    /// A call of the agent failed.
    #[error("the agent's call failed")]
    Agent(#[from] agent_sdk::Error),
    /// The chain's node could not be asked.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The node does not have what the demo needs.
    #[error("the node has too few accounts of its own")]
    TooFewAccounts,
    /// The server let the agent act without a human.
    #[error("the agent could execute before anyone approved")]
    Unguarded,
    /// The human said no, and nothing moved, as it should be.
    #[error("Not approved, and nothing moved.")]
    Declined,
    /// The payment ended in another way.
    #[error("the payment did not end as it should: it is {0}")]
    NotConfirmed(String),
    /// The balances are not what they should be.
    #[error("the money did not move as approved")]
    Mismatch(#[from] Mismatch),
    /// The node does not confirm what the server says.
    #[error("the node does not confirm what the server says: {0}")]
    Disagreement(&'static str),
    /// Ctrl-C, or something like it.
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// The exit code of the program: 130 is what shells give for a Ctrl-C.
    pub(crate) fn exit(&self) -> u8 {
        if matches!(self, Self::Interrupted) { 130 } else { 1 }
    }

    /// Whether the server's log may say more.
    pub(crate) fn is_unexpected(&self) -> bool {
        !matches!(self, Self::Interrupted | Self::Declined | Self::System(_))
    }

    /// The failure and everything that led to it.
    pub(crate) fn in_words(&self) -> String {
        let mut words = self.to_string();
        let mut source = self.source();
        while let Some(cause) = source {
            words = format!("{words}: {cause}");
            source = cause.source();
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::U256;

    use super::*;

    #[test]
    fn a_failure_tells_its_cause() {
        let failure = Failure::from(Mismatch::Payee { expected: U256::from(2), actual: U256::from(1) });
        let words = "the money did not move as approved: the recipient should hold 2 wei and holds 1 wei";
        assert_eq!(failure.in_words(), words);
        assert_eq!((failure.exit(), Failure::Interrupted.exit()), (1, 130));
    }
}
