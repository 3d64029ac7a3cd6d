//! Key pairs.

use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*};

use super::{Read, Result, Write};
use crate::value::{Address, Label, Time, UserId, WalletId};

/// A key pair.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "wallets")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub wallet_id: WalletId,
    /// Whose.
    pub user_id: UserId,
    /// Its account, unique.
    pub address: Address,
    /// What its owner calls it.
    pub label: Option<Label>,
    /// The private key, sealed under the user key.
    pub secret_key: Vec<u8>,
    /// When it was made.
    pub created_at: Time,
    /// When the database came back from a backup; none once its owner has acknowledged that.
    pub restored_at: Option<Time>,
}

/// Notes that an owner knows that the database came back from a backup.
pub async fn acknowledge_restore(write: &Write, wallet_id: WalletId) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::RestoredAt, Expr::value(None::<Time>))
        .filter(Column::WalletId.eq(wallet_id))
        .exec(write.connection())
        .await?;
    Ok(())
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Adds a wallet. Fails with a conflict when the address is held already.
pub async fn insert(write: &Write, wallet: Model) -> Result<()> {
    Entity::insert(ActiveModel::from(wallet)).exec_without_returning(write.connection()).await?;
    Ok(())
}

/// A person's wallet, by id.
pub async fn find_for_user(store: &impl Read, user_id: UserId, wallet_id: WalletId) -> Result<Option<Model>> {
    let query = Entity::find_by_id(wallet_id).filter(Column::UserId.eq(user_id));
    Ok(query.one(store.connection()).await?)
}

/// A person's wallet, by address.
pub async fn find_by_address(store: &impl Read, user_id: UserId, address: Address) -> Result<Option<Model>> {
    let query = Entity::find().filter(Column::UserId.eq(user_id)).filter(Column::Address.eq(address));
    Ok(query.one(store.connection()).await?)
}

/// At most `limit` of a person's wallets made before `before`, newest first; `only` narrows them to some addresses.
pub async fn list_for_user(
    store: &impl Read,
    user_id: UserId,
    only: Option<&[Address]>,
    before: Option<WalletId>,
    limit: u64,
) -> Result<Vec<Model>> {
    let mut query = Entity::find().filter(Column::UserId.eq(user_id));
    if let Some(addresses) = only {
        query = query.filter(Column::Address.is_in(addresses.iter().copied()));
    }
    if let Some(before) = before {
        query = query.filter(Column::WalletId.lt(before));
    }
    Ok(query.order_by_desc(Column::WalletId).limit(limit).all(store.connection()).await?)
}
