use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::net::TcpListener;
use wallet_server::{
    chain::{Chain, DEFAULT_REQUEST_TIMEOUT},
    value::Secret,
};

/// Hardhat's node, which shares no code with anvil. It ends with the test.
pub(crate) struct HardhatNode {
    pub(crate) url: String,
    child: Child,
}

impl HardhatNode {
    pub(crate) async fn start() -> Self {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hardhat"));
        let program = folder.join("node_modules/hardhat/internal/cli/bootstrap.js");
        assert!(program.is_file(), "Hardhat's node is missing: `scripts/install hardhat` installs it");
        let port =
            TcpListener::bind("127.0.0.1:0").await.and_then(|free| free.local_addr()).expect("a free port").port();
        // The program itself, not npx: the child of a killed script would live on.
        let child = Command::new("node")
            .arg(program)
            .args(["node", "--hostname", "127.0.0.1", "--port", &port.to_string()])
            .current_dir(folder)
            .env("HARDHAT_DISABLE_TELEMETRY_PROMPT", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs");
        let mut node = Self { url: format!("http://127.0.0.1:{port}"), child };
        node.wait_until_it_answers().await;
        node
    }

    async fn wait_until_it_answers(&mut self) {
        for _ in 0..600 {
            if Chain::discover(&Secret::new(self.url.clone()), DEFAULT_REQUEST_TIMEOUT).await.is_ok() {
                return;
            }
            assert!(self.child.try_wait().expect("our own child").is_none(), "Hardhat's node ended by itself");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("Hardhat's node does not answer");
    }
}

impl Drop for HardhatNode {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
