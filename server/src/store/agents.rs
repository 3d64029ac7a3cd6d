//! Programs with an API key.

use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*, sea_query::Expr};

use super::{Json, Read, Result, Write};
use crate::value::{Address, AgentId, ChainId, Label, Time, UserId};

/// A program that works for a person.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "agents")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub agent_id: AgentId,
    /// For whom it works.
    pub user_id: UserId,
    /// What that person calls it.
    pub name: Label,
    /// What only its API key gives, sealed.
    pub verifier: Vec<u8>,
    /// The wallets it may ask for; none: all of them.
    pub wallets: Option<Json<Vec<Address>>>,
    /// The chains it may ask for; none: all of them.
    pub chains: Option<Json<Vec<ChainId>>>,
    /// When it was made.
    pub created_at: Time,
    /// When its key was last used, to the minute.
    pub last_used_at: Option<Time>,
    /// When its key stopped working.
    pub revoked_at: Option<Time>,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Adds an agent.
pub async fn insert(write: &Write, agent: Model) -> Result<()> {
    Entity::insert(ActiveModel::from(agent)).exec_without_returning(write.connection()).await?;
    Ok(())
}

/// The agent whose key this may be, unless it is revoked.
pub async fn find_active(store: &impl Read, agent_id: AgentId) -> Result<Option<Model>> {
    let query = Entity::find_by_id(agent_id).filter(Column::RevokedAt.is_null());
    Ok(query.one(store.connection()).await?)
}

/// A person's agent, revoked or not.
pub async fn find_for_user(store: &impl Read, user_id: UserId, agent_id: AgentId) -> Result<Option<Model>> {
    let query = Entity::find_by_id(agent_id).filter(Column::UserId.eq(user_id));
    Ok(query.one(store.connection()).await?)
}

/// At most `limit` of a person's agents made before `before`, newest first.
pub async fn list_for_user(
    store: &impl Read,
    user_id: UserId,
    before: Option<AgentId>,
    limit: u64,
) -> Result<Vec<Model>> {
    let mut query = Entity::find().filter(Column::UserId.eq(user_id));
    if let Some(before) = before {
        query = query.filter(Column::AgentId.lt(before));
    }
    Ok(query.order_by_desc(Column::AgentId).limit(limit).all(store.connection()).await?)
}

/// Ends an agent's key: true when this call did it.
pub async fn revoke(write: &Write, user_id: UserId, agent_id: AgentId, at: Time) -> Result<bool> {
    let updated = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(at))
        .filter(Column::AgentId.eq(agent_id))
        .filter(Column::UserId.eq(user_id))
        .filter(Column::RevokedAt.is_null())
        .exec(write.connection())
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Notes that a key was used.
pub async fn touch(write: &Write, agent_id: AgentId, at: Time) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::LastUsedAt, Expr::value(at))
        .filter(Column::AgentId.eq(agent_id))
        .exec(write.connection())
        .await?;
    Ok(())
}
