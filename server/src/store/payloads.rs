//! Signed bytes and their hashes.

use sea_orm::{DerivePartialModel, QueryOrder, QuerySelect, UpdateMany, entity::prelude::*, sea_query::Expr};

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
    /// When they were first given to a node; none: no byte has left.
    pub sent_at: Option<Time>,
    /// When a node first took them; none: none ever said so.
    pub accepted_at: Option<Time>,
}

/// A signed form without its bytes: all that following it takes.
#[derive(Debug, Clone, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Form {
    /// What was approved.
    pub transaction_id: TransactionId,
    /// The hash the chain knows it by.
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
    /// When its bytes were first given to a node; none: no byte has left.
    pub sent_at: Option<Time>,
    /// When a node first took them; none: none ever said so.
    pub accepted_at: Option<Time>,
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

/// One signed form with its bytes.
pub async fn find(store: &impl Read, id: TransactionId, hash: TransactionHash) -> Result<Option<Model>> {
    Ok(Entity::find_by_id((id, hash)).one(store.connection()).await?)
}

/// All forms of some transactions, cheapest first.
pub async fn list_for_transactions(store: &impl Read, ids: &[TransactionId]) -> Result<Vec<Form>> {
    let query = Entity::find().filter(Column::TransactionId.is_in(ids.iter().copied()));
    Ok(query.order_by_asc(Column::Rung).into_partial_model().all(store.connection()).await?)
}

/// All forms that ever used a nonce of an account from `from` to `to`, both included, whoever's they are.
pub async fn list_for_nonces(
    store: &impl Read,
    chain_id: ChainId,
    address: Address,
    from: Nonce,
    to: Nonce,
) -> Result<Vec<Form>> {
    let query = Entity::find()
        .filter(Column::ChainId.eq(chain_id))
        .filter(Column::Address.eq(address))
        .filter(Column::Nonce.between(from, to));
    let query = query.order_by_asc(Column::Nonce).order_by_asc(Column::Rung);
    Ok(query.into_partial_model().all(store.connection()).await?)
}

/// The hashes of everything that was ever signed for some nonces of an account.
pub async fn list_hashes_for_nonces(
    store: &impl Read,
    chain_id: ChainId,
    address: Address,
    nonces: &[Nonce],
) -> Result<Vec<TransactionHash>> {
    let query = Entity::find()
        .select_only()
        .column(Column::Hash)
        .filter(Column::ChainId.eq(chain_id))
        .filter(Column::Address.eq(address))
        .filter(Column::Nonce.is_in(nonces.iter().copied()));
    Ok(query.into_tuple().all(store.connection()).await?)
}

/// Notes that bytes are about to leave for the first time.
pub async fn mark_sent(write: &Write, transaction_id: TransactionId, hash: TransactionHash, at: Time) -> Result<()> {
    let update = Entity::update_many().col_expr(Column::SentAt, Expr::value(at)).filter(Column::SentAt.is_null());
    one(update, transaction_id, hash).exec(write.connection()).await?;
    Ok(())
}

/// Notes that a node took bytes.
pub async fn mark_accepted(
    write: &Write,
    transaction_id: TransactionId,
    hash: TransactionHash,
    at: Time,
) -> Result<()> {
    let update = Entity::update_many().col_expr(Column::AcceptedAt, Expr::value(at));
    one(update.filter(Column::AcceptedAt.is_null()), transaction_id, hash).exec(write.connection()).await?;
    Ok(())
}

/// Deletes a transaction's bytes of a kind; the hashes stay and are watched.
pub async fn delete_bytes(write: &Write, transaction_id: TransactionId, kind: PayloadKind) -> Result<()> {
    let update = without_bytes().filter(Column::TransactionId.eq(transaction_id)).filter(Column::Kind.eq(kind));
    update.exec(write.connection()).await?;
    Ok(())
}

/// Deletes the bytes of every form of a transaction but one.
pub async fn delete_bytes_but(write: &Write, transaction_id: TransactionId, kept: TransactionHash) -> Result<()> {
    let update = without_bytes().filter(Column::TransactionId.eq(transaction_id)).filter(Column::Hash.ne(kept));
    update.exec(write.connection()).await?;
    Ok(())
}

/// Deletes all bytes of a chain, which began anew.
pub async fn delete_bytes_for_chain(write: &Write, chain_id: ChainId) -> Result<()> {
    without_bytes().filter(Column::ChainId.eq(chain_id)).exec(write.connection()).await?;
    Ok(())
}

fn without_bytes() -> UpdateMany<Entity> {
    let update = Entity::update_many().col_expr(Column::Bytes, Expr::value(None::<Vec<u8>>));
    update.filter(Column::Bytes.is_not_null())
}

fn one(update: UpdateMany<Entity>, transaction_id: TransactionId, hash: TransactionHash) -> UpdateMany<Entity> {
    update.filter(Column::TransactionId.eq(transaction_id)).filter(Column::Hash.eq(hash))
}
