//! Every nonce that signed bytes have used.

use sea_orm::{QueryOrder, Select, entity::prelude::*, sea_query::Expr};

use super::{Read, Result, Write};
use crate::value::{Address, ChainId, Nonce, SlotState, Time, TransactionId};

/// One nonce of one account on one chain. Never deleted.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "nonce_slots")]
pub struct Model {
    /// On which chain.
    #[sea_orm(primary_key, auto_increment = false)]
    pub chain_id: ChainId,
    /// Of which account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub address: Address,
    /// The number.
    #[sea_orm(primary_key, auto_increment = false)]
    pub nonce: Nonce,
    /// Where it stands.
    pub state: SlotState,
    /// Whose signed bytes use it.
    pub transaction_id: TransactionId,
    /// Since when.
    pub changed_at: Time,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Takes a nonce that has no row. Fails with a conflict when somebody was faster.
pub async fn insert(write: &Write, slot: Model) -> Result<()> {
    Entity::insert(ActiveModel::from(slot)).exec_without_returning(write.connection()).await?;
    Ok(())
}

/// Moves a slot from the state it was read in to `to`: false when somebody was faster.
pub async fn save(write: &Write, before: &Model, to: SlotState, owner: TransactionId, at: Time) -> Result<bool> {
    let updated = Entity::update_many()
        .col_expr(Column::State, Expr::value(to))
        .col_expr(Column::TransactionId, Expr::value(owner))
        .col_expr(Column::ChangedAt, Expr::value(at))
        .filter(Column::ChainId.eq(before.chain_id))
        .filter(Column::Address.eq(before.address))
        .filter(Column::Nonce.eq(before.nonce))
        .filter(Column::State.eq(before.state))
        .filter(Column::TransactionId.eq(before.transaction_id))
        .exec(write.connection())
        .await?;
    Ok(updated.rows_affected == 1)
}

/// An account's slots, in order of their nonces.
pub async fn list_for_account(store: &impl Read, chain_id: ChainId, address: Address) -> Result<Vec<Model>> {
    let query = Entity::find().filter(Column::ChainId.eq(chain_id)).filter(Column::Address.eq(address));
    Ok(query.order_by_asc(Column::Nonce).all(store.connection()).await?)
}

/// How many nonces of an account, from `from` on and below `below`, transactions of this server used or may have used.
pub async fn count_sent(
    store: &impl Read,
    chain_id: ChainId,
    address: Address,
    from: Nonce,
    below: Nonce,
) -> Result<u64> {
    Ok(sent(chain_id, address, from, below).count(store.connection()).await?)
}

/// The same nonces, in order.
pub async fn list_sent(
    store: &impl Read,
    chain_id: ChainId,
    address: Address,
    from: Nonce,
    below: Nonce,
) -> Result<Vec<Nonce>> {
    let query = sent(chain_id, address, from, below).order_by_asc(Column::Nonce);
    Ok(query.all(store.connection()).await?.into_iter().map(|slot| slot.nonce).collect())
}

fn sent(chain_id: ChainId, address: Address, from: Nonce, below: Nonce) -> Select<Entity> {
    Entity::find()
        .filter(Column::ChainId.eq(chain_id))
        .filter(Column::Address.eq(address))
        .filter(Column::Nonce.gte(from))
        .filter(Column::Nonce.lt(below))
        .filter(Column::State.is_in([SlotState::Sent, SlotState::Used]))
}

/// The slot that a transaction holds.
pub async fn find_for_transaction(store: &impl Read, transaction_id: TransactionId) -> Result<Option<Model>> {
    let query = Entity::find().filter(Column::TransactionId.eq(transaction_id));
    Ok(query.one(store.connection()).await?)
}

/// A chain's slots that are not final, by account and nonce.
pub async fn list_open(store: &impl Read, chain_id: ChainId) -> Result<Vec<Model>> {
    let query = Entity::find().filter(Column::ChainId.eq(chain_id)).filter(Column::State.ne(SlotState::Used));
    let query = query.order_by_asc(Column::Address).order_by_asc(Column::Nonce);
    Ok(query.all(store.connection()).await?)
}
