//! From settings to the parts of a running server.

use std::{io, sync::Arc, time::Duration};

use crate::{
    chain::{Chain, ChainError, Chains},
    config::{ChainSource, Config, MasterSource},
    domain::restore::{self, Finding},
    keys::{Kdf, Master, MasterError, Tokens, token::ShortKey},
    state::{Keys, Nudges, Permits, Readiness, State, Troubles, Watchers},
    store::{self, Store, canary, instance, mark::Mark},
    value::Clock,
};

/// How many password checks may wait for their turn.
const WAITING_PASSWORDS: usize = 64;

/// How long a node is asked which chain it is of before the server starts without knowing.
const PATIENCE: Duration = Duration::from_secs(2);

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
    /// A chain's settings are no good.
    #[error("a chain cannot be used: {0}")]
    Chain(#[from] ChainError),
    /// The file that says how far the database had come cannot be read or written.
    #[error("MARK_FILE cannot be used")]
    Mark(#[from] io::Error),
    /// What a restored database must not do could not be ruled out.
    #[error("the restored database could not be made safe: {0}")]
    Restore(#[source] crate::domain::Error),
}

/// Opens the database and goes on with [`open_on`].
pub async fn open(config: &Config) -> Result<State, OpenError> {
    open_on(Store::connect(&config.database_url, config.database_connections).await?, config).await
}

/// Brings a database's schema up to date, proves the master secret against it, prepares the chains, and looks whether
/// the database came back from a backup: then nothing that was approved in it is sent any more.
///
/// Fails before anything was changed when the master secret is the wrong one.
pub async fn open_on(store: Store, config: &Config) -> Result<State, OpenError> {
    let master = match &config.master {
        MasterSource::Given(text) => Master::from_hex(text.expose())?,
        MasterSource::File { path, create } => Master::read_or_create(path, *create)?,
    };
    let tokens = match &config.jwt_secret {
        Some(text) => Tokens::from_text(text)?,
        None => Tokens::new(&master.jwt_key()),
    };
    store::migrate_up(&store).await?;
    prove(&store, &master).await?;
    let state = State {
        troubles: Troubles::default(),
        store,
        keys: Keys { master, tokens, kdf: Kdf::new(config.password_checks, WAITING_PASSWORDS) },
        chains: chains(&config.chains).await?,
        clock: Clock::system(),
        policy: Arc::new(config.policy.clone()),
        permits: Permits::default(),
        nudges: Nudges::default(),
        watchers: Watchers::default(),
        readiness: Readiness::default(),
    };
    state.store.keep_mark(mark(&state, config).await?);
    Ok(state)
}

/// Compares the database with the file beside it, and makes a restored one safe before the file follows it.
async fn mark(state: &State, config: &Config) -> Result<Mark, OpenError> {
    let read = Mark::read(&config.mark_file)?;
    let (finding, mut progress) = restore::look(&state.store, read).await.map_err(OpenError::Restore)?;
    match finding {
        Finding::Same(known) => progress = known,
        Finding::FirstStart if instance::has_history(&state.store).await? => {
            tracing::warn!(
                path = %config.mark_file.display(),
                "there is no mark file, so a restored backup cannot be told; it is made anew"
            );
        }
        Finding::FirstStart => {}
        Finding::Restored => {
            let audit_id = restore::hold_everything(state).await.map_err(OpenError::Restore)?;
            progress.audit_ids.extend(audit_id);
        }
    }
    Ok(Mark::start(config.mark_file.clone(), progress).await?)
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

/// The chains that are listed, or the one of a node that gets a moment to say which it is of; afterwards a watcher asks
/// on.
async fn chains(source: &ChainSource) -> Result<Chains, OpenError> {
    let (url, request_timeout, finality) = match source {
        ChainSource::Known(chains) => return Ok(chains.iter().cloned().map(Chain::new).collect::<Result<_, _>>()?),
        ChainSource::Ask { url, request_timeout, finality } => (url.clone(), *request_timeout, *finality),
    };
    let chains = Chains::behind(url, request_timeout, finality)?;
    if !matches!(tokio::time::timeout(PATIENCE, chains.discover()).await, Ok(Ok(_))) {
        tracing::warn!("the node does not say which chain it is of; the server starts and asks on");
    }
    Ok(chains)
}
