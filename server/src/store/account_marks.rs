//! How far the uses of an account's nonces are explained.

use sea_orm::{entity::prelude::*, sea_query::OnConflict};

use super::{Read, Result, Write};
use crate::value::{Address, ChainId, Nonce};

/// How far an account's uses are explained.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_marks")]
pub struct Model {
    /// On which chain.
    #[sea_orm(primary_key, auto_increment = false)]
    pub chain_id: ChainId,
    /// Of which account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub address: Address,
    /// Every use below this nonce is a final transaction of ours, or known to the owner.
    pub explained_below: Nonce,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Below which nonce every use is explained; 0 when none is.
pub async fn explained_below(store: &impl Read, chain_id: ChainId, address: Address) -> Result<Nonce> {
    let row = Entity::find_by_id((chain_id, address)).one(store.connection()).await?;
    Ok(row.map_or(Nonce(0), |row| row.explained_below))
}

/// Puts an account's mark where it is from now on.
pub async fn save(write: &Write, mark: Model) -> Result<()> {
    let replace =
        OnConflict::columns([Column::ChainId, Column::Address]).update_column(Column::ExplainedBelow).to_owned();
    Entity::insert(ActiveModel::from(mark)).on_conflict(replace).exec_without_returning(write.connection()).await?;
    Ok(())
}

/// Forgets every mark of a chain, which began anew.
pub async fn delete_for_chain(write: &Write, chain_id: ChainId) -> Result<()> {
    Entity::delete_many().filter(Column::ChainId.eq(chain_id)).exec(write.connection()).await?;
    Ok(())
}
