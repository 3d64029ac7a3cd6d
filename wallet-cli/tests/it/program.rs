//! One run of the program.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use uuid::Uuid;

use crate::server::Server;

/// Variables of whoever runs the tests that mean another server or account.
const FOREIGN: [&str; 4] = ["WALLET_PASSWORD", "WALLET_MFA_CODE", "WALLET_CA_CERTIFICATE", "WALLET_SERVER"];

/// How a run ended.
pub(crate) struct Run {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The documents on standard output, one a line.
    pub(crate) fn results(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

/// A logged-in user.
pub(crate) struct Program<'a> {
    server: &'a Server,
    config_dir: PathBuf,
}

impl<'a> Program<'a> {
    /// Logs in.
    pub(crate) fn log_in(server: &'a Server) -> Self {
        let config_dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(Uuid::now_v7().to_string());
        let program = Self { server, config_dir };
        let run = program.run(&["login", "ada", "--password-stdin"], "correct horse battery\n");
        assert_eq!(run.exit, 0, "{}", run.stderr);
        program
    }

    /// Runs a command with this standard input.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wallet-cli"));
        command.args(["--server", &self.server.url, "--config-dir"]).arg(&self.config_dir).args(arguments);
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("piped");
        // It may end without reading.
        drop(stdin.write_all(input.as_bytes()));
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Run {
            exit: output.status.code().expect("it exits"),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

impl Drop for Program<'_> {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.config_dir));
    }
}
