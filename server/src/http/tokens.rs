//! Token contracts.

use poem_openapi::{OpenApi, param::Query, payload::Json};

use super::{Tag, auth::CallerAuth, problem::Problem, transactions::Token};
use crate::{
    domain::tokens,
    state::State,
    value::{Address, ChainId},
};

/// Operations on tokens.
pub struct TokensApi(pub State);

#[OpenApi(prefix_path = "/api", tag = "Tag::Wallets")]
impl TokensApi {
    /// Look at a token contract
    ///
    /// What the contract says of itself, at most a day ago. Anybody can deploy a contract that says anything.
    #[oai(path = "/token", method = "get", operation_id = "token")]
    async fn token(
        &self,
        CallerAuth(caller): CallerAuth,
        /// The contract.
        Query(address): Query<Address>,
        /// Its chain. May be left out when there is only one the caller may use.
        Query(chain_id): Query<Option<ChainId>>,
    ) -> Result<Json<Token>, Problem> {
        Ok(Json(tokens::find(&self.0, &caller, chain_id, address).await?.into()))
    }
}
