//! Blocks of each chain that final states rest on.

use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*, sea_query::OnConflict};

use super::{Read, Result, Write};
use crate::value::{BlockHash, ChainId, Height};

/// How many are kept of a chain.
const KEPT: u64 = 16;

/// A block that was final.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chain_marks")]
pub struct Model {
    /// Of which chain.
    #[sea_orm(primary_key, auto_increment = false)]
    pub chain_id: ChainId,
    /// Where; 0: the chain's first block.
    #[sea_orm(primary_key, auto_increment = false)]
    pub height: Height,
    /// Which.
    pub hash: BlockHash,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A chain's blocks, the newest first.
pub async fn list(store: &impl Read, chain_id: ChainId) -> Result<Vec<Model>> {
    let query = Entity::find().filter(Column::ChainId.eq(chain_id)).order_by_desc(Column::Height);
    Ok(query.all(store.connection()).await?)
}

/// Keeps a block, and forgets the oldest ones but the chain's first.
pub async fn save(write: &Write, mark: Model) -> Result<()> {
    let chain_id = mark.chain_id;
    let replace = OnConflict::columns([Column::ChainId, Column::Height]).update_column(Column::Hash).to_owned();
    Entity::insert(ActiveModel::from(mark)).on_conflict(replace).exec_without_returning(write.connection()).await?;
    let oldest = Entity::find().filter(Column::ChainId.eq(chain_id)).order_by_desc(Column::Height);
    let oldest = oldest.offset(KEPT).limit(1).one(write.connection()).await?;
    if let Some(oldest) = oldest {
        let below = Entity::delete_many().filter(Column::ChainId.eq(chain_id));
        let below = below.filter(Column::Height.lte(oldest.height)).filter(Column::Height.gt(Height(0)));
        below.exec(write.connection()).await?;
    }
    Ok(())
}

/// Forgets the blocks above a height: the chain has others there.
pub async fn delete_above(write: &Write, chain_id: ChainId, height: Height) -> Result<()> {
    let above = Entity::delete_many().filter(Column::ChainId.eq(chain_id)).filter(Column::Height.gt(height));
    above.exec(write.connection()).await?;
    Ok(())
}

/// Forgets all blocks of a chain, which began anew.
pub async fn delete_for_chain(write: &Write, chain_id: ChainId) -> Result<()> {
    Entity::delete_many().filter(Column::ChainId.eq(chain_id)).exec(write.connection()).await?;
    Ok(())
}
