//! People.

use sea_orm::{ExprTrait, QuerySelect, entity::prelude::*, sea_query::Expr};

use super::{Read, Result, Write};
use crate::value::{Time, UserId, Username};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// The name they log in with, unique.
    pub username: Username,
    /// 16 bytes for scrypt.
    pub password_salt: Vec<u8>,
    /// The user key under the password; opening it is the password check.
    pub password_wrap: Vec<u8>,
    /// The user key under the recovery key.
    pub recovery_wrap: Vec<u8>,
    /// The second factor in force, sealed under the user key.
    pub totp_secret: Option<Vec<u8>>,
    /// A second factor that is not confirmed yet, sealed likewise.
    pub totp_pending: Option<Vec<u8>>,
    /// The 30-second step of the last code that was spent; none at or before it is good again.
    pub totp_last_step: i64,
    /// The number of the last event.
    pub event_sequence: i64,
    /// When they registered.
    pub created_at: Time,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Adds a person. Fails with a conflict when the name is taken.
pub async fn insert(write: &Write, user: Model) -> Result<()> {
    Entity::insert(ActiveModel::from(user)).exec_without_returning(write.connection()).await?;
    Ok(())
}

/// The person, by id.
pub async fn find(store: &impl Read, user_id: UserId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(user_id).one(store.connection()).await?)
}

/// The person, by name.
pub async fn find_by_name(store: &impl Read, username: &Username) -> Result<Option<Model>> {
    Ok(Entity::find().filter(Column::Username.eq(username.clone())).one(store.connection()).await?)
}

/// Locks the person's row for the rest of this transaction.
///
/// The first statement of every transaction that changes something of theirs: so they happen one after another, and
/// event numbers follow the order of the commits. On SQLite the one writer is lock enough.
pub async fn lock(write: &Write, user_id: UserId) -> Result<Model> {
    let user = Entity::find_by_id(user_id).lock_exclusive().one(write.connection()).await?;
    user.ok_or_else(|| DbErr::RecordNotFound("users".to_owned()).into())
}

/// The number of the person's next event; call only under [`lock`].
pub async fn next_event(write: &Write, user_id: UserId) -> Result<i64> {
    Entity::update_many()
        .col_expr(Column::EventSequence, Expr::col(Column::EventSequence).add(1))
        .filter(Column::UserId.eq(user_id))
        .exec(write.connection())
        .await?;
    Ok(lock(write, user_id).await?.event_sequence)
}

/// Spends the code of a 30-second step: true once per step, and never for an earlier one.
pub async fn spend_totp_step(write: &Write, user_id: UserId, step: i64) -> Result<bool> {
    let updated = Entity::update_many()
        .col_expr(Column::TotpLastStep, Expr::value(step))
        .filter(Column::UserId.eq(user_id))
        .filter(Column::TotpLastStep.lt(step))
        .exec(write.connection())
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Keeps a second factor that waits for its first code; `drop_current` puts the one in force out of force.
pub async fn set_pending_totp(write: &Write, user_id: UserId, sealed: Vec<u8>, drop_current: bool) -> Result<()> {
    let mut update = Entity::update_many().col_expr(Column::TotpPending, Expr::value(sealed));
    if drop_current {
        update = update.col_expr(Column::TotpSecret, Expr::value(None::<Vec<u8>>));
    }
    update.filter(Column::UserId.eq(user_id)).exec(write.connection()).await?;
    Ok(())
}

/// Puts the pending second factor in force: true when it is still the one that was confirmed.
pub async fn confirm_totp(write: &Write, user_id: UserId, sealed: Vec<u8>) -> Result<bool> {
    let updated = Entity::update_many()
        .col_expr(Column::TotpSecret, Expr::value(sealed.clone()))
        .col_expr(Column::TotpPending, Expr::value(None::<Vec<u8>>))
        .filter(Column::UserId.eq(user_id))
        .filter(Column::TotpPending.eq(sealed))
        .exec(write.connection())
        .await?;
    Ok(updated.rows_affected == 1)
}
