//! The chains this server serves.

use std::time::Instant;

pub use crate::chain::{FinalBy, Habits, Verdict};

use super::{Caller, Error, Result};
use crate::{
    chain::{self, Chain, ChainError, Health},
    state::State,
    value::{ChainId, Time},
};

/// A chain and how its node is, as the watcher last found it.
#[derive(Debug)]
pub struct ChainStatus {
    /// Which.
    pub chain_id: ChainId,
    /// Its name.
    pub name: String,
    /// The symbol of its native currency.
    pub symbol: String,
    /// A page that shows its transactions to people, without a slash at the end.
    pub explorer_url: Option<String>,
    /// Whether its best node is believed.
    pub verdict: Verdict,
    /// Its newest block when its node last answered.
    pub head: Option<u64>,
    /// Since when.
    pub head_since: Option<Time>,
    /// When its node last answered as it should.
    pub last_success: Option<Time>,
    /// What was wrong when it last did not.
    pub last_error: Option<String>,
    /// When that was.
    pub last_failure: Option<Time>,
    /// Each of its endpoints, in the order of the settings.
    pub endpoints: Vec<EndpointStatus>,
}

/// An endpoint of a chain and how it is.
#[derive(Debug)]
pub struct EndpointStatus {
    /// What the operator calls it.
    pub name: String,
    /// Whether it is believed.
    pub verdict: Verdict,
    /// Whether it is behind, or has trouble, so that others are asked first.
    pub is_poor: bool,
    /// By what its blocks are final.
    pub final_by: FinalBy,
    /// Its newest block when it last answered.
    pub head: Option<u64>,
    /// Since when.
    pub head_since: Option<Time>,
    /// When it last answered as it should.
    pub last_success: Option<Time>,
    /// What was wrong when it last did not.
    pub last_error: Option<String>,
    /// When that was.
    pub last_failure: Option<Time>,
    /// What was learnt of its ways.
    pub habits: Habits,
}

/// Every chain, by id. Asks no node: answers at once, however they are.
pub fn list(state: &State) -> Vec<ChainStatus> {
    let now = state.clock.now();
    let time = |at: Instant| now - at.elapsed();
    let endpoint = |endpoint: chain::EndpointStatus| {
        let chain::EndpointStatus { name, health, final_by, habits, is_poor } = endpoint;
        let Health { verdict, last_success, last_failure, last_error, head, head_since } = health;
        EndpointStatus {
            name,
            verdict,
            is_poor,
            final_by,
            head: head.map(|head| head.number),
            head_since: head_since.map(time),
            last_success: last_success.map(time),
            last_error,
            last_failure: last_failure.map(time),
            habits,
        }
    };
    let status = |chain: &Chain| {
        let Health { verdict, last_success, last_failure, last_error, head, head_since } = chain.health();
        ChainStatus {
            chain_id: chain.id(),
            name: chain.name().to_owned(),
            symbol: chain.symbol().to_owned(),
            explorer_url: chain.explorer_url().map(str::to_owned),
            verdict,
            head: head.map(|head| head.number),
            head_since: head_since.map(time),
            last_success: last_success.map(time),
            last_error,
            last_failure: last_failure.map(time),
            endpoints: chain.endpoints().into_iter().map(endpoint).collect(),
        }
    };
    state.chains.iter().map(status).collect()
}

/// The chain a caller means: one they may use, or the only such one.
///
/// Fails with [`Error::UnknownChain`], and [`Error::Invalid`] when there are several and none is named.
pub(in crate::domain) fn find<'state>(
    state: &'state State,
    caller: &Caller,
    asked: Option<ChainId>,
) -> Result<&'state Chain> {
    let only = match caller {
        Caller::User(_) => None,
        Caller::Agent(agent) => agent.chains.as_ref(),
    };
    find_among(state, only.map(|chains| chains.0.as_slice()), asked)
}

/// A chain by its id.
///
/// Fails with [`Error::UnknownChain`], and with [`Error::ChainUnavailable`] while a node has not said yet which chain it
/// is of: it may be this one.
pub(super) fn served(state: &State, chain_id: ChainId) -> Result<&Chain> {
    let missing = || if state.chains.awaits() { unknown_yet() } else { Error::UnknownChain };
    state.chains.get(chain_id).ok_or_else(missing)
}

fn unknown_yet() -> Error {
    ChainError::Unavailable("it has not said yet which chain it is of".to_owned()).into()
}

/// The same among some chains; none: all.
pub(super) fn find_among<'state>(
    state: &'state State,
    only: Option<&[ChainId]>,
    asked: Option<ChainId>,
) -> Result<&'state Chain> {
    let allowed = |chain_id: ChainId| only.is_none_or(|only| only.contains(&chain_id));
    if let Some(chain_id) = asked {
        return if allowed(chain_id) { served(state, chain_id) } else { Err(Error::UnknownChain) };
    }
    let mut chains = state.chains.iter().filter(|chain| allowed(chain.id()));
    match (chains.next(), chains.next()) {
        (Some(chain), None) => Ok(chain),
        (None, _) if state.chains.awaits() => Err(unknown_yet()),
        (None, _) => Err(Error::UnknownChain),
        _ => Err(Error::Invalid("chain_id: required, because there are several chains")),
    }
}
