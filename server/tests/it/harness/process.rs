use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::net::TcpListener;

use super::{
    Database,
    world::{CHAIN, MASTER},
};

/// The server as its operators run it: a process of its own, that can be killed.
pub(crate) struct Process {
    pub(crate) url: String,
    child: Child,
}

impl Process {
    /// Starts the binary and waits until it answers.
    pub(crate) async fn start(database: &Database, node: &str) -> Self {
        let port =
            TcpListener::bind("127.0.0.1:0").await.and_then(|free| free.local_addr()).expect("a free port").port();
        Self::start_at(port, database, node, &[]).await
    }

    /// The same at a port and with more settings.
    pub(crate) async fn start_at(port: u16, database: &Database, node: &str, settings: &[(&str, &str)]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_wallet-server"))
            .arg("serve")
            .env_clear()
            .env("DATABASE_URL", &database.url)
            .env("CHAINS", format!("{CHAIN}={node}"))
            .env("MARK_FILE", database.mark_file())
            .env("API_SECRET", MASTER)
            .env("POLL_INTERVAL", "50ms")
            .env("LISTEN", format!("127.0.0.1:{port}"))
            .env("RUST_LOG", "error")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let mut process = Self { url: format!("http://127.0.0.1:{port}"), child };
        process.wait_until_live().await;
        process
    }

    async fn wait_until_live(&mut self) {
        let client = reqwest::Client::new();
        for _ in 0..600 {
            if client.get(format!("{}/health/live", self.url)).send().await.is_ok() {
                return;
            }
            assert!(self.child.try_wait().expect("our own child").is_none(), "the server ended by itself");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server does not answer");
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as `kill -9` does: no destructor, no flush, no farewell.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("our own child");
        self.child.wait().expect("our own child");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
