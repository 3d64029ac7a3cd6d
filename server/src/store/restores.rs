//! What a database that came back from a backup must not do as if nothing had been.

use sea_orm::{QueryOrder, entity::prelude::*, sea_query::Expr};

use super::{Read, Result, Write, transactions, users, wallets};
use crate::value::{Status, Time, UserId};

/// Every approved transaction of which no byte was sent, by user.
pub async fn list_authorized(write: &Write) -> Result<Vec<transactions::Model>> {
    let query = transactions::Entity::find().filter(transactions::Column::Status.eq(Status::Authorized));
    let query = query.order_by_asc(transactions::Column::UserId).order_by_asc(transactions::Column::TransactionId);
    Ok(query.all(write.connection()).await?)
}

/// Locks every person's row, in the order of their ids, and gives the ids.
pub async fn lock_all_users(write: &Write) -> Result<Vec<UserId>> {
    use sea_orm::QuerySelect;
    let query = users::Entity::find().order_by_asc(users::Column::UserId).lock_exclusive();
    Ok(query.all(write.connection()).await?.into_iter().map(|user| user.user_id).collect())
}

/// Holds every wallet until its owner acknowledges the restore.
pub async fn hold_wallets(write: &Write, at: Time) -> Result<()> {
    let hold = wallets::Entity::update_many().col_expr(wallets::Column::RestoredAt, Expr::value(at));
    hold.exec(write.connection()).await?;
    Ok(())
}
