//! What happened to a user's transactions.

use sea_orm::entity::prelude::*;

use super::{Read, Result, Write};
use crate::value::{Time, TransactionId, UserId};

/// One change of one transaction.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// Numbered per user in the order of the commits, without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    /// When.
    pub at: Time,
    /// What happened.
    pub kind: String,
    /// To which transaction.
    pub transaction_id: TransactionId,
    /// The version it has since.
    pub version: i64,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Adds an event under the number that [`super::users::lock`] gave.
pub async fn append(write: &Write, event: Model) -> Result<()> {
    Entity::insert(ActiveModel::from(event)).exec_without_returning(write.connection()).await?;
    Ok(())
}
