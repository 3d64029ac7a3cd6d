//! From settings to the parts of a running server.

use std::{sync::Arc, time::Duration};

use crate::{
    chain::{Chain, ChainError, ChainSettings, Chains},
    config::{ChainSource, Config, MasterSource},
    keys::{Kdf, Master, MasterError, Tokens, token::ShortKey},
    state::{Keys, Nudges, Permits, State},
    store::{self, Store, canary},
    value::{ChainId, Clock, Secret},
};

/// How many password checks may wait for their turn.
const WAITING_PASSWORDS: usize = 64;

/// How long a node is asked which chain it is of before the server gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database cannot be opened or brought up to date.
    #[error("the database cannot be opened")]
    Store(#[from] store::Error),
    /// The master secret cannot be read.
    #[error("the master secret cannot be used: {0}")]
    Master(#[from] MasterError),
    /// It is not the one this database was made with.
    #[error("this is not the master secret that this database was made with; nothing was changed")]
    WrongMaster,
    /// The key for access tokens is too short.
    #[error("JWT_SECRET_KEY is too short: at least 32 bytes")]
    ShortTokenKey(#[from] ShortKey),
    /// A chain's settings are no good, or its node does not say which chain it is of.
    #[error("a chain cannot be used; set CHAIN_ID or CHAINS to start without its node: {0}")]
    Chain(#[from] ChainError),
}

/// Opens the database and brings its schema up to date, proves the master secret against it, and prepares the chains.
///
/// Fails before anything was changed when the master secret is the wrong one.
pub async fn open(config: &Config) -> Result<State, OpenError> {
    let master = match &config.master {
        MasterSource::Given(text) => Master::from_hex(text.expose())?,
        MasterSource::File { path, create } => Master::read_or_create(path, *create)?,
    };
    let tokens = match &config.jwt_secret {
        Some(text) => Tokens::from_text(text)?,
        None => Tokens::new(&master.jwt_key()),
    };
    let store = Store::connect(&config.database_url, config.database_connections).await?;
    store::migrate_up(&store).await?;
    prove(&store, &master).await?;
    let chains: Chains = chains(&config.chains).await?.into_iter().map(Chain::new).collect::<Result<_, _>>()?;
    Ok(State {
        permits: Permits::default(),
        nudges: Nudges::new(chains.iter().map(Chain::id)),
        store,
        keys: Keys { master, tokens, kdf: Kdf::new(config.password_checks, WAITING_PASSWORDS) },
        chains,
        clock: Clock::system(),
        policy: Arc::new(config.policy.clone()),
    })
}

/// Proves that the master secret opens what it sealed when the database was new.
async fn prove(store: &Store, master: &Master) -> Result<(), OpenError> {
    let sealed = match canary::find(store).await? {
        Some(sealed) => sealed,
        None => {
            let write = store.write().await?;
            let sealed = master.canary();
            match canary::insert(&write, sealed.clone()).await {
                Ok(()) => write.commit().await?,
                // Another server was faster: then this one has to prove itself too.
                Err(store::Error::Conflict) => drop(write),
                Err(unavailable) => return Err(unavailable.into()),
            }
            canary::find(store).await?.unwrap_or(sealed)
        }
    };
    if master.proves(&sealed) { Ok(()) } else { Err(OpenError::WrongMaster) }
}

async fn chains(source: &ChainSource) -> Result<Vec<ChainSettings>, OpenError> {
    let (url, request_timeout, finality_depth) = match source {
        ChainSource::Known(chains) => return Ok(chains.clone()),
        ChainSource::Ask { url, request_timeout, finality_depth } => (url.clone(), *request_timeout, *finality_depth),
    };
    let id = ask(&url, request_timeout).await?;
    Ok(vec![ChainSettings { id, url, request_timeout, finality_depth }])
}

/// A node that starts together with the server gets a while to answer.
async fn ask(url: &Secret<String>, request_timeout: Duration) -> Result<ChainId, OpenError> {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        match Chain::discover(url, request_timeout).await {
            Ok(id) => return Ok(id),
            Err(error) if tokio::time::Instant::now() >= until => return Err(error.into()),
            Err(error) => tracing::warn!(error = %error, "waiting for the node"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
