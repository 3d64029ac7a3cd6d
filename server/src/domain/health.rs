//! Whether the server can do its work.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Error, Result, chains};
use crate::{
    state::{State, Watcher},
    store::{self, heartbeats},
};

/// How long a verdict on the database is good for everybody who asks.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// How long the database may take for a small write and for reading it back.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);

/// After what time the signs of life of a server that is gone are deleted.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// How a server is that is ready.
#[derive(Debug)]
pub struct Health {
    /// Each chain, as its watcher last found it.
    pub chains: Vec<chains::ChainStatus>,
    /// Whether there is a node that has not said yet which chain it is of.
    pub awaits_chain: bool,
    /// The background tasks, by name.
    pub watchers: Vec<(String, Watcher)>,
}

/// Ready to answer: the database takes a write and gives it back. Chains that are down are told, and take nothing else
/// down with them; no node is asked.
///
/// Fails with [`Error::StorageUnavailable`].
pub async fn ready(state: &State) -> Result<Health> {
    try_database(state).await?;
    Ok(Health { chains: chains::list(state), awaits_chain: state.chains.awaits(), watchers: state.watchers.list() })
}

async fn try_database(state: &State) -> Result<()> {
    let mut trial = state.readiness.trial().await;
    let verdict = match trial.last {
        Some((at, works)) if at.elapsed() < GOOD_FOR => works,
        _ => {
            // Until it has ended, it counts as failed: whoever stops waiting in the middle leaves no good word behind.
            trial.last = None;
            trial.beats += 1;
            let now = state.clock.now();
            let heartbeat = heartbeats::Model { server_id: trial.server_id, beat: trial.beats, at: now };
            let beat = timeout(DATABASE_TIMEOUT, heartbeats::beat(&state.store, heartbeat, now - FORGOTTEN_AFTER));
            let works = match beat.await {
                Ok(Ok(())) => true,
                Ok(Err(error)) => {
                    tracing::error!(error = %error, "not ready: the database does not take a small write");
                    false
                }
                Err(_) => {
                    tracing::error!("not ready: the database takes too long for a small write");
                    false
                }
            };
            trial.last = Some((Instant::now(), works));
            works
        }
    };
    if verdict { Ok(()) } else { Err(Error::StorageUnavailable(store::Error::NotReadBack)) }
}
