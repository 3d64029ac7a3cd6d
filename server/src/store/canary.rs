//! The proof that a master secret is the right one.

use sea_orm::entity::prelude::*;

use super::{Read, Result, Write};

/// The one row of the table.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "canary")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub canary_id: i32,
    /// Opens under the right master secret only.
    pub sealed: Vec<u8>,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

const ONLY: i32 = 1;

/// The sealed text, when one was written.
pub async fn find(store: &impl Read) -> Result<Option<Vec<u8>>> {
    let row = Entity::find_by_id(ONLY).one(store.connection()).await?;
    Ok(row.map(|row| row.sealed))
}

/// Writes it, once for the life of the database.
pub async fn insert(write: &Write, sealed: Vec<u8>) -> Result<()> {
    let row = Model { canary_id: ONLY, sealed };
    Entity::insert(ActiveModel::from(row)).exec_without_returning(write.connection()).await?;
    Ok(())
}
