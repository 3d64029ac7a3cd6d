//! Whom users have approved payments to.

use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*, sea_query::OnConflict};

use super::{Read, Result, Write};
use crate::value::{Address, Time, UserId};

/// Somebody a user has approved a payment, an allowance or a call to.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recipients")]
pub struct Model {
    /// Which user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// Who received.
    #[sea_orm(primary_key, auto_increment = false)]
    pub address: Address,
    /// When that was approved last.
    pub approved_at: Time,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The latest `limit` addresses a user has paid.
pub async fn list_for_user(store: &impl Read, user_id: UserId, limit: u64) -> Result<Vec<Address>> {
    let query = Entity::find().filter(Column::UserId.eq(user_id)).order_by_desc(Column::ApprovedAt).limit(limit);
    Ok(query.all(store.connection()).await?.into_iter().map(|recipient| recipient.address).collect())
}

/// Whether a user has paid an address.
pub async fn is_known(store: &impl Read, user_id: UserId, address: Address) -> Result<bool> {
    Ok(Entity::find_by_id((user_id, address)).count(store.connection()).await? > 0)
}

/// Remembers whom a user has approved a payment to.
pub async fn insert_all(write: &Write, user_id: UserId, addresses: &[Address], approved_at: Time) -> Result<()> {
    if addresses.is_empty() {
        return Ok(());
    }
    let again = OnConflict::columns([Column::UserId, Column::Address]).update_column(Column::ApprovedAt).to_owned();
    let rows = addresses.iter().map(|&address| ActiveModel::from(Model { user_id, address, approved_at }));
    Entity::insert_many(rows).on_conflict(again).exec_without_returning(write.connection()).await?;
    Ok(())
}
