//! Signed bytes and their hashes.

use sea_orm::{QueryOrder, entity::prelude::*, sea_query::Expr};

use super::{Read, Result, Write};
use crate::value::{Address, ChainId, Gas, Nonce, PayloadKind, Time, TransactionHash, TransactionId, Wei};

/// One signed form of a transaction: a rung of its fee ladder, or its cancel.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payloads")]
pub struct Model {
    /// What was approved.
    #[sea_orm(primary_key, auto_increment = false)]
    pub transaction_id: TransactionId,
    /// The hash the chain knows it by. Two transactions can share one: signatures are deterministic (RFC 6979), and a
    /// void nonce may be used again for the very same payment.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: TransactionHash,
    /// On which chain it is good.
    pub chain_id: ChainId,
    /// Who signed.
    pub address: Address,
    /// The nonce it uses.
    pub nonce: Nonce,
    /// What it does.
    pub kind: PayloadKind,
    /// Its place on the ladder, from 0, the cheapest.
    pub rung: i32,
    /// Its price.
    pub max_fee_per_gas: Wei,
    /// Its tip.
    pub max_priority_fee_per_gas: Wei,
    /// Its gas.
    pub gas_limit: Gas,
    /// The bytes, sealed; none once they may not be sent any more.
    pub bytes: Option<Vec<u8>>,
    /// When they were last given to a node; none: no byte has left.
    pub sent_at: Option<Time>,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Adds the ladder and the cancel of one transaction.
pub async fn insert_all(write: &Write, payloads: Vec<Model>) -> Result<()> {
    let rows = payloads.into_iter().map(ActiveModel::from);
    Entity::insert_many(rows).exec_without_returning(write.connection()).await?;
    Ok(())
}

/// All payloads of some transactions, cheapest first.
pub async fn list_for_transactions(store: &impl Read, ids: &[TransactionId]) -> Result<Vec<Model>> {
    let query = Entity::find().filter(Column::TransactionId.is_in(ids.iter().copied()));
    Ok(query.order_by_asc(Column::Rung).all(store.connection()).await?)
}

/// All payloads that ever used a nonce of an account from `from` on, whoever's they are.
pub async fn list_from_nonce(
    store: &impl Read,
    chain_id: ChainId,
    address: Address,
    from: Nonce,
) -> Result<Vec<Model>> {
    let query = Entity::find()
        .filter(Column::ChainId.eq(chain_id))
        .filter(Column::Address.eq(address))
        .filter(Column::Nonce.gte(from));
    Ok(query.order_by_asc(Column::Nonce).order_by_asc(Column::Rung).all(store.connection()).await?)
}

/// The hashes of everything that was ever signed for some nonces of an account.
pub async fn list_hashes_for_nonces(
    store: &impl Read,
    chain_id: ChainId,
    address: Address,
    nonces: &[Nonce],
) -> Result<Vec<TransactionHash>> {
    let query = Entity::find()
        .filter(Column::ChainId.eq(chain_id))
        .filter(Column::Address.eq(address))
        .filter(Column::Nonce.is_in(nonces.iter().copied()));
    Ok(query.all(store.connection()).await?.into_iter().map(|payload| payload.hash).collect())
}

/// Notes that bytes are about to leave.
pub async fn mark_sent(write: &Write, transaction_id: TransactionId, hash: TransactionHash, at: Time) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::SentAt, Expr::value(at))
        .filter(Column::TransactionId.eq(transaction_id))
        .filter(Column::Hash.eq(hash))
        .exec(write.connection())
        .await?;
    Ok(())
}

/// Deletes a transaction's bytes of a kind; the hashes stay and are watched.
pub async fn delete_bytes(write: &Write, transaction_id: TransactionId, kind: PayloadKind) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Bytes, Expr::value(None::<Vec<u8>>))
        .filter(Column::TransactionId.eq(transaction_id))
        .filter(Column::Kind.eq(kind))
        .exec(write.connection())
        .await?;
    Ok(())
}
