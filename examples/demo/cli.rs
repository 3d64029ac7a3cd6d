//! `wallet-cli`, run as a script runs it, or handed to the person at the terminal.

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use agent_sdk::Secret;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Variables of the person who runs the demo that mean another server or account.
const FOREIGN: [&str; 3] = ["WALLET_PASSWORD", "WALLET_MFA_CODE", "WALLET_CA_CERTIFICATE"];

/// Why `wallet-cli` was of no help.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// It could not be run, or not be talked to.
    #[error("wallet-cli cannot be run: {0}")]
    Run(#[from] io::Error),
    /// It ended without success.
    #[error("wallet-cli failed ({status}): {said}")]
    Failed {
        /// How it ended.
        status: ExitStatus,
        /// What it said on standard error.
        said: String,
    },
    /// Its answer has another form.
    #[error("wallet-cli did not answer with {0}")]
    Unexpected(&'static str),
}

/// The program, and where it keeps the login.
pub(crate) struct Cli {
    /// Where the program is.
    pub(crate) program: PathBuf,
    /// Which server it asks.
    pub(crate) server: String,
    /// Where it keeps the login.
    pub(crate) config_dir: PathBuf,
}

/// What a command answered.
pub(crate) struct Answer {
    /// The JSON document on standard output.
    result: Value,
    /// What it showed to people, on standard error.
    pub(crate) shown: String,
}

impl Answer {
    /// A field of the document that holds text.
    ///
    /// Fails when there is no such field.
    pub(crate) fn text(&self, field: &'static str) -> Result<&str, CliError> {
        text(&self.result, field)
    }
}

impl Cli {
    /// Runs a command with these lines on its standard input.
    ///
    /// Fails when the command does.
    pub(crate) async fn run(&self, arguments: &[&str], lines: &[&Secret]) -> Result<Answer, CliError> {
        let mut conversation = self.converse(arguments)?;
        for line in lines {
            conversation.say(line).await?;
        }
        let result = conversation.hear().await?;
        let shown = conversation.end().await?;
        Ok(Answer { result: result.ok_or(CliError::Unexpected("a result"))?, shown })
    }

    /// Begins a command that takes more than one question and answer.
    ///
    /// Fails when it cannot be started.
    pub(crate) fn converse(&self, arguments: &[&str]) -> Result<Conversation, CliError> {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take().expect("it was piped");
        let stdout = child.stdout.take().expect("it was piped");
        Ok(Conversation { child, stdin, answers: BufReader::new(stdout).lines() })
    }

    /// Runs a command that the person at the terminal answers.
    ///
    /// Fails when it cannot be run. How it ended is for the caller to judge.
    pub(crate) async fn at_terminal(&self, arguments: &[&str]) -> Result<ExitStatus, CliError> {
        Ok(self.command(arguments).status().await?)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("WALLET_SERVER", &self.server).env("WALLET_CONFIG_DIR", &self.config_dir);
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.kill_on_drop(true);
        command
    }
}

/// A command under way.
pub(crate) struct Conversation {
    child: Child,
    stdin: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Conversation {
    /// Writes a line to its standard input. A command that has already ended says why in its own words, so
    /// that it no longer listens is no failure.
    pub(crate) async fn say(&mut self, line: &Secret) -> Result<(), CliError> {
        let line = format!("{}\n", line.expose());
        let written = match self.stdin.write_all(line.as_bytes()).await {
            Ok(()) => self.stdin.flush().await,
            failed => failed,
        };
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The next document on its standard output; none when there is no more.
    ///
    /// Fails when it is not JSON.
    pub(crate) async fn hear(&mut self) -> Result<Option<Value>, CliError> {
        let line = self.answers.next_line().await?;
        line.map(|line| serde_json::from_str(&line)).transpose().map_err(|_| CliError::Unexpected("JSON"))
    }

    /// Waits for its end. What it showed to people.
    ///
    /// Fails when the command does.
    pub(crate) async fn end(mut self) -> Result<String, CliError> {
        drop(self.stdin);
        let mut said = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut said).await?;
        }
        let status = self.child.wait().await?;
        if status.success() { Ok(said) } else { Err(CliError::Failed { status, said: said.trim().to_owned() }) }
    }
}

/// A field of a document that holds text.
///
/// Fails when there is no such field.
pub(crate) fn text<'a>(document: &'a Value, field: &'static str) -> Result<&'a str, CliError> {
    document.get(field).and_then(Value::as_str).ok_or(CliError::Unexpected(field))
}
