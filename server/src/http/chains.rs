//! The chains the server serves.

use poem_openapi::{Object, OpenApi, payload::Json};

use super::{Tag, answers::List, auth::CallerAuth, problem::Problem};
use crate::{
    domain::chains,
    state::State,
    value::{ChainId, Time},
};

/// Operations on chains.
pub struct ChainsApi(pub State);

/// A chain and how its node is, as the server last found it.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Chain {
    /// Which.
    chain_id: ChainId,
    /// Its name.
    name: String,
    /// The symbol of its native currency.
    symbol: String,
    /// Whether its node answers and is believed: whether `verdict` is `good`.
    reachable: bool,
    /// What the server makes of its node: `good`; `unknown` before it was first asked; `unreachable`, when it does not
    /// answer, or makes no sense; `quarantined`, when it is of another chain than it must be: nothing is sent to it and
    /// nothing it says is believed until it is of the right one again. New words may come.
    verdict: String,
    /// The height of its newest block when it last answered; absent before it first did.
    head: Option<u64>,
    /// When it last answered as it should.
    last_success: Option<Time>,
    /// What was wrong when it last did not: one line.
    last_error: Option<String>,
    /// When that was.
    last_failure: Option<Time>,
}

impl From<chains::ChainStatus> for Chain {
    fn from(status: chains::ChainStatus) -> Self {
        let chains::ChainStatus { chain_id, name, symbol, verdict, head, last_success, last_error, last_failure } =
            status;
        let reachable = verdict == chains::Verdict::Good;
        let verdict = verdict.as_str().to_owned();
        Self { chain_id, name, symbol, reachable, verdict, head, last_success, last_error, last_failure }
    }
}

#[OpenApi(prefix_path = "/api", tag = "Tag::Server")]
impl ChainsApi {
    /// List chains
    #[oai(path = "/chains", method = "get", operation_id = "chains")]
    async fn chains(&self, _caller: CallerAuth) -> Result<Json<List<Chain>>, Problem> {
        let chains = chains::list(&self.0);
        Ok(Json(List::whole(chains.into_iter().map(Chain::from).collect())))
    }
}
