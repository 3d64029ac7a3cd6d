//! Whether the server runs, and whether it can work: for whatever watches over it.

use poem_openapi::{Object, OpenApi, payload::Json};

use super::{Tag, problem::Problem};
use crate::{
    domain::{
        chains::{ChainStatus, Verdict},
        health::{self, Health},
    },
    state::{State, Watcher},
    value::{ChainId, Time},
};

/// Operations for whatever watches over the server. They need no credential and tell no names.
pub struct HealthApi(pub State);

/// The server runs.
#[derive(Debug, Object)]
struct Live {
    /// Always `live`.
    status: String,
}

/// The server can work.
#[derive(Debug, Object)]
struct Ready {
    /// Always `ready`.
    status: String,
    /// Whether the database takes a write and gives it back. When it does not, the answer is 503.
    database: bool,
    /// The chains. One that cannot be reached takes nothing else down with it.
    chains: Vec<ChainHealth>,
    /// True while the node of a chain has not said yet which chain it is of: that chain is not served yet.
    awaits_chain: bool,
    /// What runs in the background.
    watchers: Vec<WatcherHealth>,
}

/// How a background task is.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct WatcherHealth {
    /// Which.
    name: String,
    /// When it last did its work.
    last_success: Option<Time>,
    /// How it last failed.
    last_error: Option<WatcherError>,
    /// How often it ended by itself and was started again.
    restarts: u64,
}

/// A failure of a background task.
#[derive(Debug, Object)]
struct WatcherError {
    /// When.
    at: Time,
    /// Why, for people.
    detail: String,
}

/// How a chain is.
#[derive(Debug, Object)]
struct ChainHealth {
    /// Which.
    chain_id: ChainId,
    /// Whether its node answers.
    reachable: bool,
}

#[OpenApi(prefix_path = "/health", tag = "Tag::Server")]
impl HealthApi {
    /// Does the server run
    #[oai(path = "/live", method = "get", operation_id = "live")]
    async fn live(&self) -> Json<Live> {
        Json(Live { status: "live".to_owned() })
    }

    /// Can the server work
    #[oai(path = "/ready", method = "get", operation_id = "ready")]
    async fn ready(&self) -> Result<Json<Ready>, Problem> {
        let Health { chains, awaits_chain, watchers } = health::ready(&self.0).await?;
        let health =
            |ChainStatus { chain_id, verdict, .. }| ChainHealth { chain_id, reachable: verdict == Verdict::Good };
        let chains = chains.into_iter().map(health).collect();
        let watchers = watchers.into_iter().map(WatcherHealth::from).collect();
        Ok(Json(Ready { status: "ready".to_owned(), database: true, chains, awaits_chain, watchers }))
    }
}

impl From<(String, Watcher)> for WatcherHealth {
    fn from((name, watcher): (String, Watcher)) -> Self {
        let Watcher { last_success, last_error, restarts } = watcher;
        Self { name, last_success, last_error: last_error.map(|(at, detail)| WatcherError { at, detail }), restarts }
    }
}
