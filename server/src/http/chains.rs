//! The chains the server serves.

use poem_openapi::{Object, OpenApi, payload::Json};

use super::{Tag, answers::List, auth::CallerAuth, problem::Problem};
use crate::{domain::chains, state::State, value::ChainId};

/// Operations on chains.
pub struct ChainsApi(pub State);

/// A chain and how it is.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Chain {
    /// Which.
    chain_id: ChainId,
    /// Its name.
    name: String,
    /// The symbol of its native currency.
    symbol: String,
    /// Whether its node answers.
    reachable: bool,
    /// The height of its newest block; absent when its node does not answer.
    head: Option<u64>,
}

impl From<chains::ChainStatus> for Chain {
    fn from(status: chains::ChainStatus) -> Self {
        let chains::ChainStatus { chain_id, name, symbol, head } = status;
        Self { chain_id, name, symbol, reachable: head.is_some(), head }
    }
}

#[OpenApi(prefix_path = "/api", tag = "Tag::Server")]
impl ChainsApi {
    /// List chains
    #[oai(path = "/chains", method = "get", operation_id = "chains")]
    async fn chains(&self, _caller: CallerAuth) -> Result<Json<List<Chain>>, Problem> {
        let chains = chains::list(&self.0).await;
        Ok(Json(List::whole(chains.into_iter().map(Chain::from).collect())))
    }
}
