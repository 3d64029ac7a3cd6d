//! The wallet server, run for the demo and stopped with it.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use reqwest::{Client, StatusCode};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use crate::scratch::Scratch;

/// How long the server may take to start, with a node and a database to set up.
const START: Duration = Duration::from_secs(60);
/// How long it may take to stop, with its node to be stopped first.
const STOP: Duration = Duration::from_secs(20);
/// Between two looks whether it is ready.
const PAUSE: Duration = Duration::from_millis(50);
/// How much of its log is shown when something went wrong.
const LAST_LINES: usize = 12;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    /// It could not be started or stopped.
    #[error("the wallet server cannot be run: {0}")]
    Run(#[from] io::Error),
    /// It ended by itself.
    #[error("the wallet server ended at once: {0}")]
    Ended(ExitStatus),
    /// It did not become ready.
    #[error("the wallet server is not ready after {} s", START.as_secs())]
    NotReady,
}

/// A running server. Killed when dropped, if it was not stopped before.
pub(crate) struct Server {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
}

/// Where everything is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// The wallet server.
    pub(crate) server: String,
    /// The node of its development chain.
    pub(crate) node: String,
    /// The API's documentation.
    pub(crate) docs: String,
}

impl Server {
    /// The arguments that [`start`](Self::start) gives to the program. Port 0 is any free one.
    pub(crate) fn arguments(data_dir: &str) -> [&str; 5] {
        ["dev", "--data-dir", data_dir, "--listen", "127.0.0.1:0"]
    }

    /// Starts the program. Its log goes into the directory, not between the lines of the demo.
    ///
    /// Fails when it cannot be started.
    pub(crate) fn start(program: &PathBuf, arguments: &[&str], scratch: &Scratch) -> Result<Self, ServerError> {
        let log = scratch.join("server.log");
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            // A Ctrl-C at the terminal is for the demo, which then stops the server.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().expect("it was piped");
        Ok(Self { child, lines: BufReader::new(stdout).lines(), log })
    }

    /// Waits until the server has said where it is, and says that it is ready.
    ///
    /// Fails when it ends, or takes too long.
    pub(crate) async fn ready(&mut self, client: &Client) -> Result<Places, ServerError> {
        timeout(START, self.become_ready(client)).await.map_err(|_| ServerError::NotReady)?
    }

    async fn become_ready(&mut self, client: &Client) -> Result<Places, ServerError> {
        let mut places = Places::default();
        while !places.are_known() {
            match self.lines.next_line().await? {
                Some(line) => places.read(&line),
                None => return Err(ServerError::Ended(self.child.wait().await?)),
            }
        }
        let ready = format!("{}/health/ready", places.server);
        loop {
            let answer = client.get(&ready).send().await;
            if answer.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                return Ok(places);
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(ServerError::Ended(status));
            }
            sleep(PAUSE).await;
        }
    }

    /// Asks the server to stop, and kills it if it does not.
    ///
    /// Fails when that is not possible.
    pub(crate) async fn stop(mut self) -> Result<(), ServerError> {
        if let Some(id) = self.child.id() {
            // It has not been waited for, so the id is still its own. Only the shell can send SIGTERM
            // without unsafe code.
            Command::new("sh").args(["-c", "kill -TERM \"$1\"", "sh", &id.to_string()]).status().await?;
            if timeout(STOP, self.child.wait()).await.is_err() {
                self.child.kill().await?;
            }
        }
        Ok(())
    }

    /// The end of its log.
    pub(crate) fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }
}

impl Places {
    /// Takes note of a line such as `server http://127.0.0.1:8080`; others mean nothing.
    fn read(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let place = match words.next() {
            Some("server") => &mut self.server,
            Some("node") => &mut self.node,
            Some("docs") => &mut self.docs,
            _ => return,
        };
        if let Some(url) = words.next().filter(|word| word.starts_with("http")) {
            url.clone_into(place);
        }
    }

    fn are_known(&self) -> bool {
        [&self.server, &self.node, &self.docs].iter().all(|place| !place.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_first_lines_say_where_everything_is() {
        let mut places = Places::default();
        for line in ["", "warming up", "server http://127.0.0.1:8080", "docs   http://127.0.0.1:8080/docs", "node ?"] {
            places.read(line);
        }
        assert!(!places.are_known());
        places.read("node   http://127.0.0.1:40001");
        assert!(places.are_known());
        assert_eq!((places.server.as_str(), places.node.as_str()), ("http://127.0.0.1:8080", "http://127.0.0.1:40001"));
    }
}
