//! Programs with an API key.

use serde_json::json;

use super::{
    Error, Outcome, Page, PageOf, Result, idempotency::Creation, mfa, sessions::User, transactions,
    transactions::Release, users,
};
use crate::{
    keys::ApiKey,
    state::State,
    store::{Json, agents, audit_log, users as user_rows, wallets},
    value::{Address, AgentId, ChainId, IdempotencyKey, Label, Secret, TotpCode},
};

/// A program with an API key: the proof that one asked.
pub type Agent = agents::Model;

/// `last_used_at` is kept to this precision, so that reading does not mean writing.
const TOUCH_EVERY: std::time::Duration = std::time::Duration::from_secs(60);

/// What a user asks for with a new agent.
#[derive(Debug)]
pub struct NewAgent {
    /// What they call it.
    pub name: Label,
    /// Proof that its owner asks.
    pub code: TotpCode,
    /// The wallets it may ask for; none: all, those to come too.
    pub wallets: Option<Vec<Address>>,
    /// The chains it may ask for; none: all.
    pub chains: Option<Vec<ChainId>>,
    /// Names this creation.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// An agent, and the only sight of its key.
#[derive(Debug)]
pub struct CreatedAgent {
    /// The agent.
    pub agent: Agent,
    /// Its key; none when the agent was made by an earlier request, which was the one to show it.
    pub api_key: Option<Secret<String>>,
}

/// Makes an agent with a key of its own.
///
/// Fails with [`Error::NotFound`] for a wallet that is not the user's, [`Error::UnknownChain`], the errors of a code,
/// [`Error::IdempotencyMismatch`].
pub async fn create(state: &State, user: &User, new: NewAgent) -> Result<Outcome<CreatedAgent>> {
    let NewAgent { name, code, wallets, chains, idempotency_key } = new;
    let creation = idempotency_key.map(|key| {
        let request = json!({ "name": name, "wallets": wallets, "chains": chains });
        Creation::new(state, user.user_id.0, "create_agent", key, &request)
    });
    if let Some(agent) = known(state, user, creation.as_ref()).await? {
        return Ok(Outcome::Known(CreatedAgent { agent, api_key: None }));
    }
    for address in wallets.iter().flatten() {
        let wallet = wallets::find_by_address(&state.store, user.user_id, *address).await?;
        wallet.ok_or(Error::NotFound("wallet"))?;
    }
    for chain_id in chains.iter().flatten() {
        super::chains::served(state, *chain_id)?;
    }
    let row = users::load(state, user).await?;
    let step = mfa::check(state, &row, &user.open_key(state)?, &code).await?;
    let api_key = ApiKey::generate(AgentId::new());
    let agent = agents::Model {
        agent_id: api_key.agent_id(),
        user_id: user.user_id,
        name,
        verifier: api_key.verifier(&state.keys.master),
        wallets: wallets.map(Json),
        chains: chains.map(Json),
        created_at: state.clock.now(),
        last_used_at: None,
        revoked_at: None,
    };
    let write = state.store.write().await?;
    user_rows::lock(&write, user.user_id).await?;
    let write = step.spend(write).await?;
    if let Some(creation) = &creation
        && !creation.bind(&write, agent.agent_id.0, agent.created_at).await?
    {
        drop(write);
        let agent = known(state, user, Some(creation)).await?.ok_or(Error::Busy)?;
        return Ok(Outcome::Known(CreatedAgent { agent, api_key: None }));
    }
    agents::insert(&write, agent.clone()).await?;
    let entry = audit_log::Model::by_user(user.user_id, agent.created_at, "create_agent").on(agent.agent_id.0);
    audit_log::append(&write, entry).await?;
    write.commit().await?;
    Ok(Outcome::Created(CreatedAgent { agent, api_key: Some(api_key.text()) }))
}

async fn known(state: &State, user: &User, creation: Option<&Creation>) -> Result<Option<Agent>> {
    let Some(creation) = creation else { return Ok(None) };
    let Some(id) = creation.find(state).await? else { return Ok(None) };
    let agent = agents::find_for_user(&state.store, user.user_id, AgentId(id)).await?;
    agent.map(Some).ok_or(Error::NotFound("agent"))
}

/// A user's agents, revoked ones too.
pub async fn list(state: &State, user: &User, page: Page<AgentId>) -> Result<PageOf<Agent, AgentId>> {
    let rows = agents::list_for_user(&state.store, user.user_id, page.before, page.limit + 1).await?;
    Ok(PageOf::from_one_more(rows, page.limit, |agent| agent.agent_id))
}

/// Ends an agent's key and withdraws, in the same commit, everything of its that was not executed. Repeats are no error.
///
/// Fails with [`Error::NotFound`].
pub async fn revoke(state: &State, user: &User, agent_id: AgentId, release: Release) -> Result<Agent> {
    let now = state.clock.now();
    let write = state.store.write().await?;
    user_rows::lock(&write, user.user_id).await?;
    if agents::revoke(&write, user.user_id, agent_id, now).await? {
        let (write, withdrawn) = transactions::withdraw_all(write, agent_id, now, release).await?;
        let entry = audit_log::Model::by_user(user.user_id, now, "revoke_agent").on(agent_id.0);
        audit_log::append(&write, entry).await?;
        write.commit().await?;
        for row in withdrawn {
            state.nudges.ring(row.chain_id, row.address);
        }
    } else {
        drop(write);
    }
    agents::find_for_user(&state.store, user.user_id, agent_id).await?.ok_or(Error::NotFound("agent"))
}

/// The agent behind an API key.
///
/// Fails with [`Error::Unauthenticated`] alike for a malformed, unknown, wrong and revoked key.
pub async fn authenticate(state: &State, api_key: &str) -> Result<Agent> {
    let api_key = ApiKey::parse(api_key).map_err(|_| Error::Unauthenticated)?;
    let agent = agents::find_active(&state.store, api_key.agent_id()).await?.ok_or(Error::Unauthenticated)?;
    if !api_key.verify(&state.keys.master, &agent.verifier) {
        return Err(Error::Unauthenticated);
    }
    let now = state.clock.now();
    if agent.last_used_at.is_none_or(|last| now.since(last) >= TOUCH_EVERY) {
        let write = state.store.write().await?;
        agents::touch(&write, agent.agent_id, now).await?;
        write.commit().await?;
    }
    Ok(agent)
}
