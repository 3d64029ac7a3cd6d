//! A development node on this machine: anvil, started with the server and gone with it, however the server ends.

use std::{
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use alloy::primitives::{B256, U64};
use serde::{Deserialize, Serialize};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

use super::{
    Chain, ChainError,
    rpc::{NO_PARAMS, Rpc},
};
use crate::value::{Address, ChainId, Clock, Secret, Wei};

/// How long a node may take to answer for the first time.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How long one request to it may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long it may take to write its state and end; the guard kills it after 5 s.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// Another program may take a free port before the node does.
const ATTEMPTS: usize = 3;

/// Runs the node and ends it when standard input, a pipe whose other end this server holds, closes: the kernel closes
/// it even when the server is killed. The node gets a chance to write its state before it is killed too.
const GUARD: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
node=$!
{ read -r _ <&3; kill -TERM "$node"; sleep 5; kill -KILL "$node"; } &
reader=$!
exec 3<&-
wait "$node"
status=$?
kill -KILL "$reader"
exit "$status"
"#;

/// Why there is no local node.
#[derive(Debug, thiserror::Error)]
pub enum LocalNodeError {
    /// There is no such program.
    #[error("anvil was not found: run `npm ci` at the root of the repository, or install Foundry (getfoundry.sh)")]
    NotFound,
    /// Something listens on the port.
    #[error("port {0} is taken")]
    PortTaken(u16),
    /// It cannot be started.
    #[error("the local node cannot be started")]
    Start(#[from] io::Error),
    /// It ended at once.
    #[error("the local node ended at once ({0}): is its state file readable?")]
    Ended(std::process::ExitStatus),
    /// It runs and is of no use.
    #[error("the local node does not answer")]
    Silent(#[from] ChainError),
    /// It runs on after it was told to stop.
    #[error("the local node did not stop in time")]
    StillRunning,
}

/// How to start a local node.
#[derive(Debug, Clone)]
pub struct LocalNodeSettings {
    /// The anvil program; none: `node_modules` here or above, else the search path.
    pub program: Option<PathBuf>,
    /// The port on 127.0.0.1; none: a free one.
    pub port: Option<u16>,
    /// Where the chain is kept between runs; none: nowhere.
    pub state_file: Option<PathBuf>,
    /// The id of the chain.
    pub chain_id: ChainId,
}

/// A running local node. It ends when this is dropped, or when this process ends in any way.
#[derive(Debug)]
pub struct LocalNode {
    url: String,
    rpc: Rpc,
    // Owns the write end of the guard's pipe.
    guard: Child,
}

impl LocalNode {
    /// Starts a node and waits until it answers. Fails when there is no anvil, or it does not answer within 30 s.
    pub async fn start(settings: LocalNodeSettings) -> Result<Self, LocalNodeError> {
        Self::start_with(settings, &[]).await
    }

    /// As [`LocalNode::start`], with further arguments for anvil.
    pub async fn start_with(settings: LocalNodeSettings, arguments: &[&str]) -> Result<Self, LocalNodeError> {
        let mut attempt = 1;
        loop {
            match Self::attempt(&settings, arguments).await {
                Err(LocalNodeError::Ended(_)) if settings.port.is_none() && attempt < ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    async fn attempt(settings: &LocalNodeSettings, arguments: &[&str]) -> Result<Self, LocalNodeError> {
        let LocalNodeSettings { program, port, state_file, chain_id } = settings;
        let port = free_port(*port)?;
        let program = program.clone().or_else(installed).unwrap_or_else(|| "anvil".into());
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "guard"]).arg(program);
        // Any web page can send to a node on this machine that allows every origin.
        command.args(["--quiet", "--no-cors", "--host", "127.0.0.1"]);
        command.args(["--port", &port.to_string(), "--chain-id", &chain_id.to_string()]);
        let mut began_at = None;
        if let Some(file) = state_file {
            began_at = kept_beginning(file);
            if let Some(directory) = file.parent() {
                std::fs::create_dir_all(directory)?;
            }
            // Written when it ends, and every 10 s in case the machine does.
            command.arg("--state").arg(file).args(["--state-interval", "10"]);
        }
        if let Some(seconds) = began_at {
            command.args(["--timestamp", &seconds.to_string()]);
        }
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // A Ctrl-C at the terminal is for the server, which may still need the node while it ends.
        #[cfg(unix)]
        command.process_group(0);
        let guard = command.spawn()?;
        let url = format!("http://127.0.0.1:{port}");
        let rpc = Rpc::new(&Secret::new(url.clone()), REQUEST_TIMEOUT)?;
        let mut node = Self { url, rpc, guard };
        node.wait_until_it_answers(*chain_id).await?;
        if began_at.is_some() {
            node.set_time().await?;
        }
        Ok(node)
    }

    /// Tells it the time, which it counts from where its chain ended.
    async fn set_time(&self) -> Result<(), LocalNodeError> {
        let now = Clock::system().now().unix_seconds();
        let set = self.rpc.ask::<_, serde_json::Value>("evm_setTime", (now,)).await;
        set.map_err(|error| self.rpc.unavailable(error))?;
        Ok(())
    }

    async fn wait_until_it_answers(&mut self, chain_id: ChainId) -> Result<(), LocalNodeError> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if let Some(status) = self.guard.try_wait()? {
                // POSIX sh: 127 when there is no such program, 126 when it cannot be run.
                let missing = matches!(status.code(), Some(126 | 127));
                return Err(if missing { LocalNodeError::NotFound } else { LocalNodeError::Ended(status) });
            }
            match Chain::discover(&Secret::new(self.url.clone()), REQUEST_TIMEOUT).await {
                Ok(id) if id == chain_id => return Ok(()),
                Ok(id) => return Err(ChainError::Unavailable(format!("it is of chain {id}, not {chain_id}")).into()),
                Err(error) if Instant::now() > deadline => return Err(error.into()),
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Where it answers: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Gives an account money of the node's own, and waits until it has it. Fails when the node does not answer or
    /// has not as much (10000 coins at first).
    pub async fn fund(&self, to: Address, amount: Wei) -> Result<(), LocalNodeError> {
        #[derive(Debug, Clone, Serialize)]
        struct Transfer {
            from: Address,
            to: Address,
            value: String,
            #[serde(rename = "gasPrice")]
            gas_price: String,
        }
        let ask = async {
            let accounts: Vec<Address> = self.rpc.ask("eth_accounts", NO_PARAMS).await?;
            let from = accounts.first().copied().unwrap_or(to);
            // Every hard fork takes a gas price; before London nothing else.
            let gas_price = self.rpc.ask("eth_gasPrice", NO_PARAMS).await?;
            let transfer = Transfer { from, to, value: format!("0x{:x}", amount.0), gas_price };
            let hash: B256 = self.rpc.ask("eth_sendTransaction", (transfer,)).await?;
            // Known from the first block on; mined at once unless the node was told otherwise.
            let deadline = Instant::now() + REQUEST_TIMEOUT;
            while Instant::now() < deadline {
                let receipt: Option<serde_json::Value> = self.rpc.ask("eth_getTransactionReceipt", (hash,)).await?;
                if receipt.is_some() {
                    return Ok(true);
                }
                sleep(Duration::from_millis(50)).await;
            }
            Ok(false)
        };
        match ask.await.map_err(|error| self.rpc.unavailable(error))? {
            true => Ok(()),
            false => Err(ChainError::Unavailable("it did not mine a transaction".to_owned()).into()),
        }
    }

    /// Ends the node, its state written, and waits for that. Fails when it does not end within 10 s.
    pub async fn stop(mut self) -> Result<(), LocalNodeError> {
        drop(self.guard.stdin.take());
        timeout(STOP_TIMEOUT, self.guard.wait()).await.map_err(|_| LocalNodeError::StillRunning)??;
        Ok(())
    }
}

/// When the chain in a state file began, in seconds since 1970; none when there is no such file, or no first block in
/// it.
///
/// Anvil makes a first block at each start, and keeps it in the file beside the one that was there. Both are the same
/// block when they have the same time; else any of them is the first one after the next start, and what was open on the
/// chain would be forgotten as that of another chain.
fn kept_beginning(state_file: &Path) -> Option<u64> {
    #[derive(Deserialize)]
    struct Kept {
        blocks: Vec<KeptBlock>,
    }
    #[derive(Deserialize)]
    struct KeptBlock {
        header: KeptHeader,
    }
    #[derive(Deserialize)]
    struct KeptHeader {
        number: U64,
        timestamp: U64,
    }
    let kept: Kept = serde_json::from_slice(&std::fs::read(state_file).ok()?).ok()?;
    let first = kept.blocks.iter().map(|block| &block.header).filter(|header| header.number.is_zero());
    first.map(|header| header.timestamp.to()).min()
}

/// The wanted port when nothing listens on it, or any that is free now.
fn free_port(wanted: Option<u16>) -> Result<u16, LocalNodeError> {
    match TcpListener::bind(("127.0.0.1", wanted.unwrap_or(0))) {
        Ok(listener) => Ok(listener.local_addr()?.port()),
        Err(error) => Err(wanted.map_or(LocalNodeError::Start(error), LocalNodeError::PortTaken)),
    }
}

/// The native anvil of the npm package, in this directory's `node_modules` or the nearest above.
fn installed() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().find_map(|directory| installed_in(&directory.join("node_modules/@foundry-rs")))
}

/// npm installs only the package of this platform: `anvil-<system>-<processor>/bin/anvil`.
fn installed_in(packages: &Path) -> Option<PathBuf> {
    let packages = std::fs::read_dir(packages).ok()?.filter_map(Result::ok);
    packages
        .filter(|package| package.file_name().to_string_lossy().starts_with("anvil-"))
        .map(|package| package.path().join("bin").join(format!("anvil{}", std::env::consts::EXE_SUFFIX)))
        .find(|program| program.is_file())
}
