//! Development: everything a server needs, made on the spot.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use tokio::net::TcpListener;
use wallet_server::{
    chain::local::{LocalNode, LocalNodeSettings},
    config::{Config, MasterSource, Settings},
    store::Store,
    value::{ChainId, Secret},
};

use crate::{Failure, logs, print, stop_signal};

/// How many connections read the database at once.
const CONNECTIONS: u32 = 16;

/// The id that local nodes have by custom.
const LOCAL_CHAIN: u64 = 31_337;

/// Runs on an SQLite file and a local node whose chain is kept beside it, until stopped.
pub(crate) async fn run(data_dir: &Path, listen: String, anvil: Option<PathBuf>) -> Result<(), Failure> {
    std::fs::create_dir_all(data_dir)?;
    let stop = stop_signal()?;
    let chain_id = ChainId::new(LOCAL_CHAIN)?;
    let environment = Settings::from_environment()?;
    logs::start(&environment)?;
    let database_url = format!("sqlite:{}", data_dir.join("wallet.sqlite").display());
    // The database goes first: a second server in this folder must not touch the chain of the first.
    let store = Store::connect(&Secret::new(database_url.clone()), CONNECTIONS).await?;
    let node = LocalNode::start(LocalNodeSettings {
        program: anvil,
        port: None,
        state_file: Some(data_dir.join("chain.json")),
        chain_id,
    })
    .await?;
    let variables = HashMap::from([
        ("LISTEN", listen),
        ("DATABASE_URL", database_url),
        ("CHAINS", format!("{chain_id}={}", node.url())),
        ("MASTER_SECRET_PATH", data_dir.join("master-secret").display().to_string()),
        ("DOCS", "true".to_owned()),
        ("POLL_INTERVAL", "200ms".to_owned()),
    ]);
    let settings = Settings::from(|name| variables.get(name).cloned())?;
    let mut config = Config::read(&settings)?;
    config.master = MasterSource::File { path: data_dir.join("master-secret"), create: true };

    let state = wallet_server::open_on(store, &config).await?;
    let socket = TcpListener::bind(&config.listen).await?;
    let address = socket.local_addr()?;
    print(&format!("server http://{address}\ndocs   http://{address}/docs\nnode   {}\n", node.url()))?;
    wallet_server::run(state, &config, socket, stop).await?;
    node.stop().await?;
    Ok(())
}
