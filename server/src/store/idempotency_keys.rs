//! What repeated creation requests have made.

use sea_orm::entity::prelude::*;

use super::{Read, Result, Write};
use crate::value::Time;

/// One creation.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_keys")]
pub struct Model {
    /// The user or agent who asked.
    #[sea_orm(primary_key, auto_increment = false)]
    pub owner_id: Uuid,
    /// What for.
    #[sea_orm(primary_key, auto_increment = false)]
    pub operation: String,
    /// The key they chose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// Tells the same request from another with the same key.
    pub fingerprint: Vec<u8>,
    /// What was made.
    pub created_id: Uuid,
    /// When.
    pub created_at: Time,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What an owner's key has made already.
pub async fn find(store: &impl Read, owner_id: Uuid, operation: &str, key: &str) -> Result<Option<Model>> {
    let id = (owner_id, operation.to_owned(), key.to_owned());
    Ok(Entity::find_by_id(id).one(store.connection()).await?)
}

/// Binds a key to what this commit makes. Fails with a conflict when the key is taken.
pub async fn insert(write: &Write, creation: Model) -> Result<()> {
    Entity::insert(ActiveModel::from(creation)).exec_without_returning(write.connection()).await?;
    Ok(())
}

/// Forgets keys from before a time; gives how many.
pub async fn delete_older(write: &Write, than: Time) -> Result<u64> {
    let deleted = Entity::delete_many().filter(Column::CreatedAt.lt(than)).exec(write.connection()).await?;
    Ok(deleted.rows_affected)
}
