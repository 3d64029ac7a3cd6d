//! Codes that stand in for a lost authenticator app.

use sea_orm::entity::prelude::*;

use super::{Read, Result, Write};
use crate::value::UserId;

/// A code that is still good.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "backup_codes")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// What only the code gives.
    #[sea_orm(primary_key, auto_increment = false)]
    pub verifier: Vec<u8>,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Puts new codes in place of all that were left.
pub async fn replace(write: &Write, user_id: UserId, verifiers: Vec<Vec<u8>>) -> Result<()> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(write.connection()).await?;
    let rows = verifiers.into_iter().map(|verifier| ActiveModel::from(Model { user_id, verifier }));
    Entity::insert_many(rows).exec_without_returning(write.connection()).await?;
    Ok(())
}

/// Spends a code: true once per code.
pub async fn spend(write: &Write, user_id: UserId, verifier: Vec<u8>) -> Result<bool> {
    let deleted = Entity::delete_by_id((user_id, verifier)).exec(write.connection()).await?;
    Ok(deleted.rows_affected == 1)
}

/// How many are left.
pub async fn count(store: &impl Read, user_id: UserId) -> Result<u64> {
    Ok(Entity::find().filter(Column::UserId.eq(user_id)).count(store.connection()).await?)
}
