//! Whether the server runs, and whether it can work: for whatever watches over it.

use poem_openapi::{Object, OpenApi, payload::Json};

use super::{Tag, problem::Problem};
use crate::{
    domain::{
        chains::{ChainStatus, Verdict},
        health,
    },
    state::State,
    value::ChainId,
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
    /// Whether the database answers. When it does not, the answer is 503.
    database: bool,
    /// The chains. One that cannot be reached takes nothing else down with it.
    chains: Vec<ChainHealth>,
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
        let health =
            |ChainStatus { chain_id, verdict, .. }| ChainHealth { chain_id, reachable: verdict == Verdict::Good };
        let chains = health::ready(&self.0).await?.into_iter().map(health).collect();
        Ok(Json(Ready { status: "ready".to_owned(), database: true, chains }))
    }
}
