//! What token contracts said of themselves when they were last asked.

use sea_orm::{entity::prelude::*, sea_query::OnConflict};

use super::{Read, Result, Write};
use crate::value::{Address, ChainId, Time, TokenAmount, TokenStandard};

/// What a token contract said of itself.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tokens")]
pub struct Model {
    /// On which chain.
    #[sea_orm(primary_key, auto_increment = false)]
    pub chain_id: ChainId,
    /// The contract.
    #[sea_orm(primary_key, auto_increment = false)]
    pub address: Address,
    /// What it can do.
    pub standard: TokenStandard,
    /// Its short name.
    pub symbol: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// How many decimals its amounts have.
    pub decimals: Option<i16>,
    /// How much of it there is.
    pub total_supply: Option<TokenAmount>,
    /// When it was asked.
    pub read_at: Time,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a contract said at or after `since`.
pub async fn find(store: &impl Read, chain_id: ChainId, address: Address, since: Time) -> Result<Option<Model>> {
    let query = Entity::find_by_id((chain_id, address)).filter(Column::ReadAt.gte(since));
    Ok(query.one(store.connection()).await?)
}

/// Keeps what a contract said, in place of what it said before.
pub async fn save(write: &Write, token: Model) -> Result<()> {
    let columns =
        [Column::Standard, Column::Symbol, Column::Name, Column::Decimals, Column::TotalSupply, Column::ReadAt];
    let replace = OnConflict::columns([Column::ChainId, Column::Address]).update_columns(columns).to_owned();
    Entity::insert(ActiveModel::from(token)).on_conflict(replace).exec_without_returning(write.connection()).await?;
    Ok(())
}
