//! Uses of an account that its owner made elsewhere.

use sea_orm::{entity::prelude::*, sea_query::OnConflict};

use super::{Read, Result, Write};
use crate::value::{Address, ChainId, Nonce};

/// How far an account's foreign uses are acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "acknowledged_nonces")]
pub struct Model {
    /// On which chain.
    #[sea_orm(primary_key, auto_increment = false)]
    pub chain_id: ChainId,
    /// Of which account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub address: Address,
    /// Uses below this nonce need no explanation.
    pub below_nonce: Nonce,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Below which nonce uses need no explanation; 0 when nothing was acknowledged.
pub async fn below_nonce(store: &impl Read, chain_id: ChainId, address: Address) -> Result<Nonce> {
    let row = Entity::find_by_id((chain_id, address)).one(store.connection()).await?;
    Ok(row.map_or(Nonce(0), |row| row.below_nonce))
}

/// Remembers that the owner knows of every use below a nonce.
pub async fn save(write: &Write, acknowledged: Model) -> Result<()> {
    let replace = OnConflict::columns([Column::ChainId, Column::Address]).update_column(Column::BelowNonce).to_owned();
    Entity::insert(ActiveModel::from(acknowledged))
        .on_conflict(replace)
        .exec_without_returning(write.connection())
        .await?;
    Ok(())
}
