//! Token contracts, as they describe themselves.

use std::time::Duration;

use super::{Caller, Error, Result, chains};
use crate::{
    chain::{Chain, TokenFacts},
    state::State,
    store::tokens,
    value::{Address, ChainId, Token, TokenAmount, TokenStandard},
};

/// How long a contract is taken at its word before it is asked again.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// What is known about a token contract.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) token: Token,
    /// How much of it there is.
    pub(super) total_supply: Option<TokenAmount>,
}

impl Known {
    /// Whether it says that it is a token at all.
    pub(super) fn is_token(&self) -> bool {
        self.token.standard != TokenStandard::Unknown
    }
}

/// What a token contract says of itself.
///
/// Fails with [`Error::UnknownChain`], [`Error::NotFound`] when there is no token, [`Error::ChainUnavailable`].
pub async fn find(state: &State, caller: &Caller, chain_id: Option<ChainId>, address: Address) -> Result<Token> {
    let chain = chains::find(state, caller, chain_id)?;
    let known = known(state, chain, address).await?;
    if known.is_token() { Ok(known.token) } else { Err(Error::NotFound("token")) }
}

/// What a contract says, from the cache when it was asked less than a day ago.
pub(super) async fn known(state: &State, chain: &Chain, address: Address) -> Result<Known> {
    let now = state.clock.now();
    if let Some(row) = tokens::find(&state.store, chain.id(), address, now - FRESH).await? {
        return Ok(row.into());
    }
    let TokenFacts { has_code: _, standard, symbol, name, decimals, total_supply } = chain.token(address).await?;
    let decimals = decimals.map(i16::from);
    let row =
        tokens::Model { chain_id: chain.id(), address, standard, symbol, name, decimals, total_supply, read_at: now };
    // What is no token now may become one: contracts are deployed to known addresses.
    if standard != TokenStandard::Unknown {
        let write = state.store.write().await?;
        tokens::save(&write, row.clone()).await?;
        write.commit().await?;
    }
    Ok(row.into())
}

impl From<tokens::Model> for Known {
    fn from(row: tokens::Model) -> Self {
        let tokens::Model { chain_id: _, address, standard, symbol, name, decimals, total_supply, read_at: _ } = row;
        let decimals = decimals.and_then(|decimals| u8::try_from(decimals).ok());
        Self { token: Token { address, standard, symbol, name, decimals }, total_supply }
    }
}
