//! Agents: programs with an API key.

use poem_openapi::{Object, OpenApi, param::Query, payload::Json};
use serde::Deserialize;

use super::{
    Tag,
    answers::{Creation, Cursor, Limit, List, page},
    auth::UserAuth,
    body::{Body, present},
    idempotency::Idempotency,
    problem::Problem,
};
use crate::{
    domain::{agents, transactions::Release},
    state::State,
    value::{Address, AgentId, ChainId, Label, Time, TotpCode},
};

/// Operations on agents.
pub struct AgentsApi(pub State);

/// A wish for a new agent.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
struct CreateAgent {
    /// What to call it.
    name: Label,
    /// The code of the caller's authenticator app.
    #[oai(write_only)]
    mfa_code: TotpCode,
    /// The wallets it may prepare transactions for. Leave it out for all, those to come too.
    #[serde(default, deserialize_with = "present")]
    wallets: Option<Vec<Address>>,
    /// The chains it may prepare transactions for. Leave it out for all.
    #[serde(default, deserialize_with = "present")]
    chains: Option<Vec<ChainId>>,
}

/// A program with an API key. It can ask, and carry out what was approved, and nothing else.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Agent {
    /// Which.
    agent_id: AgentId,
    /// What its owner calls it.
    name: Label,
    /// The wallets it may prepare transactions for; absent: all.
    wallets: Option<Vec<Address>>,
    /// The chains it may prepare transactions for; absent: all.
    chains: Option<Vec<ChainId>>,
    /// When it was made.
    created_at: Time,
    /// When its key was last used, to the minute.
    last_used_at: Option<Time>,
    /// When its key stopped working.
    revoked_at: Option<Time>,
}

impl From<agents::Agent> for Agent {
    fn from(row: agents::Agent) -> Self {
        let agents::Agent {
            agent_id,
            user_id: _,
            name,
            verifier: _,
            wallets,
            chains,
            created_at,
            last_used_at,
            revoked_at,
        } = row;
        let (wallets, chains) = (wallets.map(|wallets| wallets.0), chains.map(|chains| chains.0));
        Self { agent_id, name, wallets, chains, created_at, last_used_at, revoked_at }
    }
}

/// An agent, and the only sight of its key.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct CreatedAgent {
    /// The agent.
    agent: Agent,
    /// Its key, to be sent as `X-API-KEY`. Shown only now; absent when an earlier request made the agent.
    api_key: Option<String>,
}

impl From<agents::CreatedAgent> for CreatedAgent {
    fn from(created: agents::CreatedAgent) -> Self {
        let agents::CreatedAgent { agent, api_key } = created;
        Self { agent: agent.into(), api_key: api_key.map(|key| key.expose().clone()) }
    }
}

/// Which agent.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
struct RevokeAgent {
    /// Its id.
    agent_id: AgentId,
    /// Whether to send the cancels of what it had approved and not executed at once, so that no copy of a signed payment
    /// can be used any more. That costs their fees.
    #[serde(default, deserialize_with = "present")]
    burn: Option<bool>,
}

#[OpenApi(prefix_path = "/api", tag = "Tag::Agents")]
impl AgentsApi {
    /// Create an agent
    ///
    /// Its API key is shown only in this answer.
    #[oai(path = "/create_agent", method = "post", operation_id = "create_agent")]
    async fn create_agent(
        &self,
        UserAuth(user): UserAuth,
        /// Repeats of a request with the same key make nothing twice.
        #[oai(name = "Idempotency-Key")]
        Idempotency(idempotency_key): Idempotency,
        Body(request): Body<CreateAgent>,
    ) -> Result<Creation<CreatedAgent>, Problem> {
        let CreateAgent { name, mfa_code: code, wallets, chains } = request;
        let new = agents::NewAgent { name, code, wallets, chains, idempotency_key };
        Ok(Creation::of(agents::create(&self.0, &user, new).await?, CreatedAgent::from))
    }

    /// List agents
    ///
    /// The caller's, revoked ones too, newest first.
    #[oai(path = "/agents", method = "get", operation_id = "agents")]
    async fn agents(
        &self,
        UserAuth(user): UserAuth,
        /// How many at most; 20 when absent.
        Query(limit): Query<Option<Limit>>,
        /// `next_cursor` of the part before.
        Query(cursor): Query<Option<Cursor>>,
    ) -> Result<Json<List<Agent>>, Problem> {
        let agents = agents::list(&self.0, &user, page(limit, cursor, AgentId)).await?;
        Ok(Json(List::of(agents, Agent::from, |id| id.0)))
    }

    /// Revoke an agent
    ///
    /// Its key stops working, and what it prepared and did not execute is withdrawn. Repeating it changes nothing.
    #[oai(path = "/revoke_agent", method = "post", operation_id = "revoke_agent")]
    async fn revoke_agent(
        &self,
        UserAuth(user): UserAuth,
        Body(request): Body<RevokeAgent>,
    ) -> Result<Json<Agent>, Problem> {
        let RevokeAgent { agent_id, burn } = request;
        Ok(Json(agents::revoke(&self.0, &user, agent_id, Release::from_burn(burn)).await?.into()))
    }
}
