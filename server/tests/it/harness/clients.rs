use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use alloy::primitives::{Address, U256};
use serde_json::json;
use tokio::net::TcpListener;
use wallet_server::{
    chain::{Chain, DEFAULT_REQUEST_TIMEOUT},
    value::Secret,
};

use super::{people::ETHER, rpc};

/// An execution client that shares no code with the other nodes of the tests, on a chain of its own. It ends with the test.
pub(crate) struct Client {
    pub(crate) url: String,
    pub(crate) chain_id: u64,
    child: Child,
    folder: PathBuf,
}

impl Client {
    /// go-ethereum: a chain of one validator (Clique), from before London: no base fee, no `finalized` tag.
    pub(crate) async fn geth() -> Self {
        let (port, folder) = (free_port().await, folder("geth"));
        let child = Command::new(program("geth-binary/binaries/geth_linux_x64"))
            .args(["--dev", "--dev.period", "1", "--nodiscover", "--ipcdisable", "--port", "0", "--datadir"])
            .arg(&folder)
            .args(["--rpc", "--rpcapi", "eth,net,web3", "--rpcport", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("geth runs on Linux and x86-64");
        Self::wait(port, 1_337, child, folder).await
    }

    /// Ganache, on the virtual machine of EthereumJS: it makes a block of each transaction.
    pub(crate) async fn ganache() -> Self {
        let (port, folder) = (free_port().await, folder("ganache"));
        let child = Command::new("node")
            .arg(program("ganache/dist/node/cli.js"))
            .args(["--server.host=127.0.0.1", &format!("--server.port={port}"), "--chain.chainId=5777"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs");
        Self::wait(port, 5_777, child, folder).await
    }

    async fn wait(port: u16, chain_id: u64, child: Child, folder: PathBuf) -> Self {
        let mut client = Self { url: format!("http://127.0.0.1:{port}"), chain_id, child, folder };
        for _ in 0..600 {
            if Chain::discover(&Secret::new(client.url.clone()), DEFAULT_REQUEST_TIMEOUT).await.is_ok() {
                return client;
            }
            assert!(client.child.try_wait().expect("our own child").is_none(), "the client ended by itself");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the client does not answer");
    }

    /// Gives an account 10 ether, and waits until it has them.
    pub(crate) async fn fund(&self, to: Address) {
        let value = U256::from(10 * ETHER);
        let rich = rpc(&self.url, "eth_accounts", json!([])).await[0].clone();
        rpc(&self.url, "eth_sendTransaction", json!([{ "from": rich, "to": to, "value": value }])).await;
        for _ in 0..300 {
            if self.balance(to).await == value {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("nobody mines");
    }

    /// What an account holds.
    pub(crate) async fn balance(&self, of: Address) -> U256 {
        let held = rpc(&self.url, "eth_getBalance", json!([of, "latest"])).await;
        held.as_str().and_then(|held| held.parse().ok()).expect("a quantity")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn program(path: &str) -> PathBuf {
    let program = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/node_modules")).join(path);
    assert!(program.is_file(), "an execution client is missing: `scripts/install clients` installs it");
    program
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("{name}-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir_all(&folder).expect("a place for files");
    folder
}

async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.and_then(|free| free.local_addr()).expect("a free port").port()
}
