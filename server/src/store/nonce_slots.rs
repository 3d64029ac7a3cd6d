//! Every nonce that signed bytes have used.

use sea_orm::{
    QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{Expr, Query, SelectStatement},
};

use super::{Read, Result, Write};
use crate::value::{Address, ChainId, Height, Nonce, SlotState, Time, TransactionHash, TransactionId};

/// One nonce of one account on one chain. Never deleted while its chain goes on.
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
    /// A block at which the chain had not used it yet; none: it is older than this column.
    pub taken_at_height: Option<Height>,
    /// Which of our signed forms used it for good; none: it is not used, or by something that is not ours.
    pub used_by: Option<TransactionHash>,
    /// The block in which it was used for good.
    pub used_at_height: Option<Height>,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Whether our own sending explains a use of it.
    pub fn explains_use(&self) -> bool {
        self.state == SlotState::Sent || self.state == SlotState::Used && self.used_by.is_some()
    }
}

/// Takes a nonce that has no row. Fails with a conflict when somebody was faster.
pub async fn insert(write: &Write, slot: Model) -> Result<()> {
    Entity::insert(ActiveModel::from(slot)).exec_without_returning(write.connection()).await?;
    Ok(())
}

/// Moves a slot from the state and owner it was read in to what `after` says: false when somebody was faster.
pub async fn save(write: &Write, before: &Model, after: &Model) -> Result<bool> {
    let updated = Entity::update_many()
        .col_expr(Column::State, Expr::value(after.state))
        .col_expr(Column::TransactionId, Expr::value(after.transaction_id))
        .col_expr(Column::ChangedAt, Expr::value(after.changed_at))
        .col_expr(Column::TakenAtHeight, Expr::value(after.taken_at_height))
        .col_expr(Column::UsedBy, Expr::value(after.used_by))
        .col_expr(Column::UsedAtHeight, Expr::value(after.used_at_height))
        .filter(Column::ChainId.eq(before.chain_id))
        .filter(Column::Address.eq(before.address))
        .filter(Column::Nonce.eq(before.nonce))
        .filter(Column::State.eq(before.state))
        .filter(Column::TransactionId.eq(before.transaction_id))
        .exec(write.connection())
        .await?;
    Ok(updated.rows_affected == 1)
}

/// One nonce.
pub async fn find(store: &impl Read, chain_id: ChainId, address: Address, nonce: Nonce) -> Result<Option<Model>> {
    Ok(Entity::find_by_id((chain_id, address, nonce)).one(store.connection()).await?)
}

/// The slot that a transaction holds.
pub async fn find_for_transaction(store: &impl Read, transaction_id: TransactionId) -> Result<Option<Model>> {
    let query = Entity::find().filter(Column::TransactionId.eq(transaction_id));
    Ok(query.one(store.connection()).await?)
}

/// An account's slots from a nonce on, in order of their nonces.
pub async fn list_from(store: &impl Read, chain_id: ChainId, address: Address, from: Nonce) -> Result<Vec<Model>> {
    let query = of_account(chain_id, address).filter(Column::Nonce.gte(from));
    Ok(query.order_by_asc(Column::Nonce).all(store.connection()).await?)
}

/// An account's slots that are not final, in order of their nonces.
pub async fn list_open(store: &impl Read, chain_id: ChainId, address: Address) -> Result<Vec<Model>> {
    let query = of_account(chain_id, address).filter(Column::State.ne(SlotState::Used));
    Ok(query.order_by_asc(Column::Nonce).all(store.connection()).await?)
}

/// A chain's slots that were used in a block above a height, by account and nonce.
pub async fn list_used_above(store: &impl Read, chain_id: ChainId, height: Height) -> Result<Vec<Model>> {
    let query = Entity::find()
        .filter(Column::ChainId.eq(chain_id))
        .filter(Column::State.eq(SlotState::Used))
        .filter(Column::UsedAtHeight.gt(height));
    Ok(query.order_by_asc(Column::Address).order_by_asc(Column::Nonce).all(store.connection()).await?)
}

/// Every slot of a chain that is not final.
pub async fn list_open_for_chain(store: &impl Read, chain_id: ChainId) -> Result<Vec<Model>> {
    let query = Entity::find().filter(Column::ChainId.eq(chain_id)).filter(Column::State.ne(SlotState::Used));
    Ok(query.all(store.connection()).await?)
}

/// The accounts of a chain that have a slot in one of some states, as the database writes them: one that cannot be read
/// must not hide the others.
pub async fn list_accounts(store: &impl Read, chain_id: ChainId, states: &[SlotState]) -> Result<Vec<String>> {
    let query = Entity::find()
        .select_only()
        .column(Column::Address)
        .distinct()
        .filter(Column::ChainId.eq(chain_id))
        .filter(Column::State.is_in(states.iter().copied()));
    Ok(query.into_tuple().all(store.connection()).await?)
}

/// Selects the transactions that hold an account's slots from a nonce on that are not final.
pub(super) fn holders(chain_id: ChainId, address: Address, from: Nonce) -> SelectStatement {
    Query::select()
        .column(Column::TransactionId)
        .from(Entity)
        .and_where(Column::ChainId.eq(chain_id))
        .and_where(Column::Address.eq(address))
        .and_where(Column::Nonce.gte(from))
        .and_where(Column::State.ne(SlotState::Used))
        .take()
}

/// Selects the transactions that hold a chain's slots that are not final.
pub(super) fn holders_on(chain_id: ChainId) -> SelectStatement {
    Query::select()
        .column(Column::TransactionId)
        .from(Entity)
        .and_where(Column::ChainId.eq(chain_id))
        .and_where(Column::State.ne(SlotState::Used))
        .take()
}

/// Forgets every slot of a chain, which began anew.
pub async fn delete_for_chain(write: &Write, chain_id: ChainId) -> Result<()> {
    Entity::delete_many().filter(Column::ChainId.eq(chain_id)).exec(write.connection()).await?;
    Ok(())
}

fn of_account(chain_id: ChainId, address: Address) -> Select<Entity> {
    Entity::find().filter(Column::ChainId.eq(chain_id)).filter(Column::Address.eq(address))
}
