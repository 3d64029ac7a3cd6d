//! The chains this server serves.

use futures_util::future::join_all;

use crate::{state::State, value::ChainId};

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
