//! The chains this server serves.

use futures_util::future::join_all;

use super::{Caller, Error, Result};
use crate::{chain::Chain, state::State, value::ChainId};

/// A chain and how it is.
#[derive(Debug)]
pub struct ChainStatus {
    /// Which.
    pub chain_id: ChainId,
    /// Its name.
    pub name: String,
    /// The symbol of its native currency.
    pub symbol: String,
    /// Its newest block; none when its node cannot be reached.
    pub head: Option<u64>,
}

/// Every chain, by id.
pub async fn list(state: &State) -> Vec<ChainStatus> {
    join_all(state.chains.iter().map(async |chain| ChainStatus {
        chain_id: chain.id(),
        name: chain.name().to_owned(),
        symbol: chain.symbol().to_owned(),
        head: chain.head().await.ok().map(|head| head.number),
    }))
    .await
}

/// The chain a caller means: one they may use, or the only such one.
///
/// Fails with [`Error::UnknownChain`], and [`Error::Invalid`] when there are several and none is named.
pub(super) fn find<'state>(state: &'state State, caller: &Caller, asked: Option<ChainId>) -> Result<&'state Chain> {
    let only = match caller {
        Caller::User(_) => None,
        Caller::Agent(agent) => agent.chains.as_ref(),
    };
    find_among(state, only.map(|chains| chains.0.as_slice()), asked)
}

/// The same among some chains; none: all.
pub(super) fn find_among<'state>(
    state: &'state State,
    only: Option<&[ChainId]>,
    asked: Option<ChainId>,
) -> Result<&'state Chain> {
    let allowed = |chain_id: ChainId| only.is_none_or(|only| only.contains(&chain_id));
    if let Some(chain_id) = asked {
        return state.chains.get(chain_id).filter(|_| allowed(chain_id)).ok_or(Error::UnknownChain);
    }
    let mut chains = state.chains.iter().filter(|chain| allowed(chain.id()));
    match (chains.next(), chains.next()) {
        (Some(chain), None) => Ok(chain),
        (None, _) => Err(Error::UnknownChain),
        _ => Err(Error::Invalid("chain_id: required, because there are several chains")),
    }
}
