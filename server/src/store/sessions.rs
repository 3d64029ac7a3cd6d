//! Logins.

use sea_orm::entity::prelude::*;

use super::{Read, Result, Write};
use crate::value::{SessionId, Time, UserId};

/// A login that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub session_id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// What only the session secret in the token gives, sealed.
    pub verifier: Vec<u8>,
    /// The user key, sealed under the session secret and the master secret.
    pub user_key: Vec<u8>,
    /// When it began.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Begins a session.
pub async fn insert(write: &Write, session: Model) -> Result<()> {
    Entity::insert(ActiveModel::from(session)).exec_without_returning(write.connection()).await?;
    Ok(())
}

/// The session, unless it has ended.
pub async fn find(store: &impl Read, session_id: SessionId, now: Time) -> Result<Option<Model>> {
    let query = Entity::find_by_id(session_id).filter(Column::ExpiresAt.gt(now));
    Ok(query.one(store.connection()).await?)
}

/// Ends a session; what it could open is gone with the row.
pub async fn delete(write: &Write, session_id: SessionId) -> Result<()> {
    Entity::delete_by_id(session_id).exec(write.connection()).await?;
    Ok(())
}

/// Ends every session of a person but one.
pub async fn delete_others(write: &Write, user_id: UserId, kept: SessionId) -> Result<()> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::SessionId.ne(kept))
        .exec(write.connection())
        .await?;
    Ok(())
}

/// Deletes sessions whose time is over; gives how many.
pub async fn delete_expired(write: &Write, now: Time) -> Result<u64> {
    let deleted = Entity::delete_many().filter(Column::ExpiresAt.lte(now)).exec(write.connection()).await?;
    Ok(deleted.rows_affected)
}
