//! An agent asks.

use std::time::Duration;

use serde_json::json;

use super::{Actor, Change, Transaction, change::waiting_for, view};
use crate::{
    chain::Chain,
    domain::{
        Agent, Error, Outcome, Result, digest,
        idempotency::Creation,
        preview::{self, Effect, Facts},
        tracking, wallets,
    },
    state::State,
    store::{
        Json,
        transactions::{self, Model},
        wallets as wallet_rows,
    },
    value::{Action, Address, ChainId, IdempotencyKey, Status, Text, TransactionId, UserId},
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
    /// Names this creation.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// Asks for a transaction: estimates it, prices it, and leaves it for a human to decide.
///
/// Fails with [`Error::NotFound`], [`Error::UnknownChain`], [`Error::Invalid`], [`Error::ChainUnavailable`],
/// [`Error::SimulationFailed`] when it would revert, [`Error::TooManyPending`], [`Error::IdempotencyMismatch`].
pub async fn prepare(state: &State, agent: &Agent, asked: Preparation) -> Result<Outcome<Transaction>> {
    let creation = asked.idempotency_key.clone().map(|key| {
        let Preparation { user_id, address, chain_id, action, memo, expires_in, idempotency_key: _ } = &asked;
        let request = json!({
            "user_id": user_id, "address": address, "chain_id": chain_id, "action": action, "memo": memo,
            "expires_in": expires_in.as_secs(),
        });
        Creation::new(state, agent.agent_id.0, "prepare_transaction", key, &request)
    });
    if let Some(known) = known(state, agent, creation.as_ref()).await? {
        return Ok(Outcome::Known(known));
    }
    if asked.user_id.is_some_and(|user_id| user_id != agent.user_id) {
        return Err(Error::NotFound("user"));
    }
    let chain = find_chain(state, agent, asked.chain_id)?;
    let wallet = wallets::find_for_agent(state, agent, asked.address).await?;
    let effect = Effect::of(&asked.action)?;
    let facts = match Facts::ask(chain, wallet.address, &effect).await {
        Err(Error::InsufficientFunds) => Facts::ask_unfunded(chain, wallet.address, &effect).await?,
        answer => answer?,
    };
    let row = draft(state, agent, asked, Drawn { chain, wallet, effect, facts }).await?;

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

fn find_chain<'state>(state: &'state State, agent: &Agent, asked: Option<ChainId>) -> Result<&'state Chain> {
    let allowed = |chain_id: ChainId| agent.chains.as_ref().is_none_or(|chains| chains.0.contains(&chain_id));
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

struct Drawn<'state> {
    chain: &'state Chain,
    wallet: wallet_rows::Model,
    effect: Effect,
    facts: Facts,
}

async fn draft(state: &State, agent: &Agent, asked: Preparation, drawn: Drawn<'_>) -> Result<Model> {
    let Drawn { chain, wallet, effect, facts } = drawn;
    let (created_at, caps) = (state.clock.now(), facts.caps());
    let mut row = Model {
        transaction_id: TransactionId::new(),
        version: 1,
        status: Status::Pending,
        waiting_reason: waiting_for(Status::Pending),
        waiting_since: Some(created_at),
        blocked_by: None,
        cancelling: None,
        user_id: agent.user_id,
        agent_id: Some(agent.agent_id),
        wallet_id: wallet.wallet_id,
        address: wallet.address,
        chain_id: chain.id(),
        action: Json(asked.action),
        memo: asked.memo,
        to_address: effect.to,
        value: effect.value,
        gas_limit: facts.gas_limit(&effect),
        data: effect.data.0,
        max_fee_per_gas: caps.max_fee_per_gas.into(),
        max_priority_fee_per_gas: caps.max_priority_fee_per_gas.into(),
        digest: crate::value::Digest(Default::default()),
        warnings: Json(Vec::new()),
        nonce: None,
        block: None,
        reason: None,
        created_at,
        expires_at: created_at + asked.expires_in,
        decided_at: None,
        execute_by: None,
    };
    let free = tracking::free_balance(&state.store, &row, &facts.account).await?;
    row.warnings = Json(preview::warnings(&row, free));
    row.digest = digest::digest(&row);
    Ok(row)
}
