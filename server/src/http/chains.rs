//! The chains the server serves.

use poem_openapi::{Object, OpenApi, payload::Json};

use super::{Tag, answers::List, auth::CallerAuth, problem::Problem};
use crate::{
    domain::{Caller, chains},
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
    /// A page that shows its transactions to people, to which `/tx/` and a hash are added; absent when none is set.
    explorer_url: Option<String>,
    /// Whether its node answers and is believed: whether `verdict` is `good`.
    reachable: bool,
    /// What the server makes of its node: `good`; `unknown` before it was first asked; `unreachable`, when it does not
    /// answer, or makes no sense; `quarantined`, when it is of another chain than it must be: nothing is sent to it and
    /// nothing it says is believed until it is of the right one again. New words may come.
    verdict: String,
    /// The height of its newest block when it last answered; absent before it first did.
    head: Option<u64>,
    /// Since when that has been its newest block: a node that stands still shows here.
    head_since: Option<Time>,
    /// When it last answered as it should.
    last_success: Option<Time>,
    /// What was wrong when it last did not: one line.
    last_error: Option<String>,
    /// When that was.
    last_failure: Option<Time>,
    /// Each endpoint through which it is reached, in the operator's order; absent for agents. What is said above is said
    /// of the best of them.
    endpoints: Option<Vec<Endpoint>>,
}

/// An endpoint of a chain and how it is, as the server last found it.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Endpoint {
    /// What the operator calls it. Its URL is shown to nobody.
    name: String,
    /// As a chain's.
    verdict: String,
    /// Whether others are asked first: it is behind them, fails often, or wants to be left alone for a while.
    poor: bool,
    /// By what its blocks are final: `tag`, what it says itself; `depth`, as set; `unknown_tag` or `dead_tag`, 64 blocks,
    /// because it does not say, or what it says stands still. New words may come.
    finality: String,
    /// The height of its newest block when it last answered.
    head: Option<u64>,
    /// Since when that has been its newest block: a node that stands still shows here.
    head_since: Option<Time>,
    /// When it last answered as it should.
    last_success: Option<Time>,
    /// What was wrong when it last did not: one line.
    last_error: Option<String>,
    /// When that was.
    last_failure: Option<Time>,
    /// How long it takes to answer, in milliseconds, smoothed.
    latency_ms: Option<u64>,
    /// Which share of the latest exchanges failed, in percent, smoothed.
    failures_percent: u64,
    /// How many requests it takes at once, where it takes fewer than it was given.
    batch_size: Option<u64>,
    /// Whether it can simulate calls; absent while that is not known.
    simulates: Option<bool>,
    /// Whether it can trace calls; absent while that is not known: it is asked only where nobody simulates.
    traces: Option<bool>,
    /// For how many more seconds it wants to be left alone.
    rests_for: Option<u64>,
}

impl From<chains::EndpointStatus> for Endpoint {
    fn from(status: chains::EndpointStatus) -> Self {
        let chains::EndpointStatus {
            name,
            verdict,
            is_poor,
            final_by,
            head,
            head_since,
            last_success,
            last_error,
            last_failure,
            habits,
        } = status;
        let chains::Habits { latency, failures, batch_size, simulates, traces, rest } = habits;
        Self {
            name,
            verdict: verdict.as_str().to_owned(),
            poor: is_poor,
            finality: final_by.as_str().to_owned(),
            head,
            head_since,
            last_success,
            last_error,
            last_failure,
            latency_ms: latency.and_then(|latency| latency.as_millis().try_into().ok()),
            failures_percent: percent(failures),
            batch_size: batch_size.and_then(|size| size.try_into().ok()),
            simulates,
            traces,
            rests_for: rest.map(|rest| rest.as_secs() + 1),
        }
    }
}

/// A share in whole percent.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
fn percent(share: f64) -> u64 {
    (share.clamp(0.0, 1.0) * 100.0).round() as u64
}

impl From<chains::ChainStatus> for Chain {
    fn from(status: chains::ChainStatus) -> Self {
        let chains::ChainStatus {
            chain_id,
            name,
            symbol,
            explorer_url,
            verdict,
            head,
            head_since,
            last_success,
            last_error,
            last_failure,
            endpoints,
        } = status;
        let endpoints = Some(endpoints.into_iter().map(Endpoint::from).collect());
        let reachable = verdict == chains::Verdict::Good;
        let verdict = verdict.as_str().to_owned();
        Self {
            chain_id,
            name,
            symbol,
            explorer_url,
            reachable,
            verdict,
            head,
            head_since,
            last_success,
            last_error,
            last_failure,
            endpoints,
        }
    }
}

#[OpenApi(prefix_path = "/api", tag = "Tag::Server")]
impl ChainsApi {
    /// List chains
    #[oai(path = "/chains", method = "get", operation_id = "chains")]
    async fn chains(&self, caller: CallerAuth) -> Result<Json<List<Chain>>, Problem> {
        let mut chains: Vec<_> = chains::list(&self.0).into_iter().map(Chain::from).collect();
        if matches!(caller.0, Caller::Agent(_)) {
            chains.iter_mut().for_each(|chain| chain.endpoints = None);
        }
        Ok(Json(List::whole(chains)))
    }
}
