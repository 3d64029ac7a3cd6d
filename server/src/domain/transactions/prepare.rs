//! An agent asks.

use std::time::Duration;

use serde_json::json;

use super::{
    Actor, Change, Transaction,
    draft::{self, Origin},
    view,
};
use crate::{
    domain::{Agent, Error, Outcome, Result, chains, idempotency::Creation, wallets},
    state::State,
    store::transactions,
    value::{Action, Address, ChainId, Execute, IdempotencyKey, Text, TransactionId, UserId},
};

/// What an agent asks for.
#[derive(Debug)]
pub struct Preparation {
    /// The user it believes it works for, as a check.
    pub user_id: Option<UserId>,
    /// From which wallet; none: its only one.
    pub address: Option<Address>,
    /// On which chain; none: its only one.
    pub chain_id: Option<ChainId>,
    /// What to do.
    pub action: Action,
    /// What it says about it.
    pub memo: Option<Text>,
    /// How long a human has to decide.
    pub expires_in: Duration,
    /// Who sets it going once it is approved.
    pub execute: Execute,
    /// Names this creation.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// Asks for a transaction: estimates it, prices it, and leaves it for a human to decide.
///
/// Fails with [`Error::NotFound`], [`Error::UnknownChain`], [`Error::Invalid`], [`Error::Abi`],
/// [`Error::ChainUnavailable`],
/// [`Error::SimulationFailed`] when it would revert, [`Error::TooManyPending`], [`Error::IdempotencyMismatch`].
pub async fn prepare(state: &State, agent: &Agent, asked: Preparation) -> Result<Outcome<Transaction>> {
    let creation = asked.idempotency_key.clone().map(|key| {
        let Preparation { user_id, address, chain_id, action, memo, expires_in, execute, idempotency_key: _ } = &asked;
        let request = json!({
            "user_id": user_id, "address": address, "chain_id": chain_id, "action": action, "memo": memo,
            "expires_in": expires_in.as_secs(), "execute": execute,
        });
        Creation::new(state, agent.agent_id.0, "prepare_transaction", key, &request)
    });
    if let Some(known) = known(state, agent, creation.as_ref()).await? {
        return Ok(Outcome::Known(known));
    }
    if asked.user_id.is_some_and(|user_id| user_id != agent.user_id) {
        return Err(Error::NotFound("user"));
    }
    let only = agent.chains.as_ref().map(|chains| chains.0.as_slice());
    let chain = chains::find_among(state, only, asked.chain_id)?;
    let wallet = wallets::find_for_agent(state, agent, asked.address).await?;
    let Preparation { action, memo, expires_in, execute, .. } = asked;
    let chain = chain.clone();
    let origin = Origin { chain, wallet, agent_id: Some(agent.agent_id), action, memo, expires_in, execute };
    let (row, _) = draft::draft(state, origin).await?;

    let change = Change::begin(state, agent.user_id).await?;
    if transactions::count_pending_for_agent(&change.write, agent.agent_id).await? >= state.policy.pending_per_agent {
        return Err(Error::TooManyPending);
    }
    if let Some(creation) = &creation
        && !creation.bind(&change.write, row.transaction_id.0, row.created_at).await?
    {
        drop(change);
        return known(state, agent, Some(creation)).await?.map(Outcome::Known).ok_or(Error::Busy);
    }
    let row = change.insert(Actor::Agent(agent.agent_id), "prepared", row).await?;
    change.commit().await?;
    Ok(Outcome::Created(view(state, row).await?))
}

async fn known(state: &State, agent: &Agent, creation: Option<&Creation>) -> Result<Option<Transaction>> {
    let Some(creation) = creation else { return Ok(None) };
    let Some(id) = creation.find(state).await? else { return Ok(None) };
    let row = transactions::find_for_agent(&state.store, agent.agent_id, TransactionId(id)).await?;
    Ok(Some(view(state, row.ok_or(Error::NotFound("transaction"))?).await?))
}
