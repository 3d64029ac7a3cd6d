//! The one way a transaction changes: under its owner's lock, one version higher, with its audit row and its event.

use crate::{
    domain::{Error, Result},
    state::State,
    store::{Write, audit_log, events, transactions, transactions::Model, users},
    value::{AgentId, Status, Time, UserId, WaitingReason},
};

/// Who changes something.
#[derive(Debug, Clone, Copy)]
pub(in crate::domain) enum Actor {
    User,
    Agent(AgentId),
    Server,
}

/// A database transaction in which one user's transactions change. Lock order: user, slot, transaction, event.
#[derive(Debug)]
pub(in crate::domain) struct Change {
    pub(in crate::domain) write: Write,
    pub(in crate::domain) at: Time,
}

impl Change {
    /// Begins, and waits until nobody else changes something of this user.
    pub(in crate::domain) async fn begin(state: &State, user_id: UserId) -> Result<Self> {
        let write = state.store.write().await?;
        users::lock(&write, user_id).await?;
        Ok(Self { write, at: state.clock.now() })
    }

    /// Takes a conditional step: `before` must still be what is stored.
    pub(in crate::domain) async fn save(
        &self,
        actor: Actor,
        event: &str,
        before: &Model,
        mut after: Model,
    ) -> Result<Model> {
        after.version = before.version + 1;
        if after.status != before.status {
            after.waiting_reason = waiting_for(after.status);
            after.waiting_since = after.waiting_reason.map(|_| self.at);
            (after.blocked_by, after.waiting_detail) = (None, None);
        }
        if !transactions::save(&self.write, before, &after).await? {
            return Err(Error::Busy);
        }
        self.record(actor, event, &after).await?;
        Ok(after)
    }

    /// Adds a transaction.
    pub(in crate::domain) async fn insert(&self, actor: Actor, event: &str, new: Model) -> Result<Model> {
        transactions::insert(&self.write, new.clone()).await?;
        self.record(actor, event, &new).await?;
        Ok(new)
    }

    async fn record(&self, actor: Actor, event: &str, row: &Model) -> Result<()> {
        if event.starts_with("alarm_") || event == "finality_violation" {
            tracing::error!(transaction.id = %row.transaction_id, chain.id = %row.chain_id, event, "alarm");
        }
        let (actor, agent_id) = match actor {
            Actor::User => ("user", None),
            Actor::Agent(agent_id) => ("agent", Some(agent_id)),
            Actor::Server => ("server", None),
        };
        let entry = audit_log::Model {
            actor: actor.to_owned(),
            agent_id,
            detail: row.reason.as_ref().map(ToString::to_string),
            ..audit_log::Model::by_user(row.user_id, self.at, event).on(row.transaction_id.0)
        };
        audit_log::append(&self.write, entry).await?;
        let event = events::Model {
            user_id: row.user_id,
            sequence: users::next_event(&self.write, row.user_id).await?,
            at: self.at,
            kind: event.to_owned(),
            transaction_id: row.transaction_id,
            version: row.version,
        };
        Ok(events::append(&self.write, event).await?)
    }

    /// Makes it durable and tells whoever waits.
    pub(in crate::domain) async fn commit(self) -> Result<()> {
        Ok(self.write.commit().await?)
    }
}

/// What a transaction waits for when it has just reached a status.
pub(super) fn waiting_for(status: Status) -> Option<WaitingReason> {
    match status {
        Status::Pending => Some(WaitingReason::Decision),
        Status::Authorized => Some(WaitingReason::Execution),
        Status::Submitted => Some(WaitingReason::NotSent),
        Status::Mined => Some(WaitingReason::Finality),
        _ => None,
    }
}
