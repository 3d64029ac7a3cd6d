//! What wallets did without this server.

use sea_orm::{QueryOrder, entity::prelude::*, sea_query::OnConflict};

use super::{Read, Result, Write};
use crate::value::{Address, ChainId, Nonce, Time, TransactionHash, Wei};

/// A nonce of a wallet that no transaction of this server used.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "foreign_transactions")]
pub struct Model {
    /// On which chain.
    #[sea_orm(primary_key, auto_increment = false)]
    pub chain_id: ChainId,
    /// Of which account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub address: Address,
    /// The nonce.
    #[sea_orm(primary_key, auto_increment = false)]
    pub nonce: Nonce,
    /// The transaction that used it; none: an EIP-7702 authorisation did, which pays nobody.
    pub hash: Option<TransactionHash>,
    /// The block in which it was used.
    pub block_number: i64,
    /// Who was called; none: a deployment.
    pub to_address: Option<Address>,
    /// Native currency sent.
    pub value: Wei,
    /// The SHA-256 of the call's input, or of the init code.
    pub data_hash: Vec<u8>,
    /// When this was learnt.
    pub at: Time,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a transaction does, as far as two can be the same.
#[derive(Debug, Clone)]
pub struct Deed {
    /// Who is called; none: a deployment.
    pub to_address: Option<Address>,
    /// Native currency sent.
    pub value: Wei,
    /// The SHA-256 of the data.
    pub data_hash: Vec<u8>,
}

/// Notes what used some nonces; what was known of them before may have been reorganised away, and is replaced.
pub async fn save_all(write: &Write, used: Vec<Model>) -> Result<()> {
    if used.is_empty() {
        return Ok(());
    }
    let columns = [Column::Hash, Column::BlockNumber, Column::ToAddress, Column::Value, Column::DataHash, Column::At];
    let again =
        OnConflict::columns([Column::ChainId, Column::Address, Column::Nonce]).update_columns(columns).to_owned();
    let rows = used.into_iter().map(ActiveModel::from);
    Entity::insert_many(rows).on_conflict(again).exec_without_returning(write.connection()).await?;
    Ok(())
}

/// What is known of some nonces of an account.
pub async fn list_for_nonces(
    store: &impl Read,
    chain_id: ChainId,
    address: Address,
    nonces: &[Nonce],
) -> Result<Vec<Model>> {
    let query = Entity::find()
        .filter(Column::ChainId.eq(chain_id))
        .filter(Column::Address.eq(address))
        .filter(Column::Nonce.is_in(nonces.iter().copied()));
    Ok(query.all(store.connection()).await?)
}

/// The newest transaction of an account, made without this server, that did exactly this.
pub async fn find_same(
    store: &impl Read,
    chain_id: ChainId,
    address: Address,
    deed: &Deed,
) -> Result<Option<TransactionHash>> {
    let to = match deed.to_address {
        Some(to) => Column::ToAddress.eq(to),
        None => Column::ToAddress.is_null(),
    };
    let query = Entity::find()
        .filter(Column::ChainId.eq(chain_id))
        .filter(Column::Address.eq(address))
        .filter(Column::Hash.is_not_null())
        .filter(to)
        .filter(Column::Value.eq(deed.value))
        .filter(Column::DataHash.eq(deed.data_hash.clone()))
        .order_by_desc(Column::Nonce);
    Ok(query.one(store.connection()).await?.and_then(|found| found.hash))
}
