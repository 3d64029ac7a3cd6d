//! Failed guesses, counted across servers and restarts.

use sea_orm::{DbBackend, ExprTrait, Statement, entity::prelude::*, sea_query::Expr};

use super::{Read, Result, Write};
use crate::value::Time;

/// The guesses of one window of time.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attempts")]
pub struct Model {
    /// What is guessed at.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// How often, in this window.
    pub failures: i32,
    /// When counting begins anew.
    pub window_ends_at: Time,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Counts one more guess before it is looked at, so that guesses sent at once cannot outrun the count.
/// False, and nothing counted, when the window has `limit` already.
pub async fn count_one(write: &Write, subject: &str, limit: i32, now: Time, window_ends_at: Time) -> Result<bool> {
    let sql = "INSERT INTO attempts (subject, failures, window_ends_at) VALUES ($1, 1, $2) \
        ON CONFLICT (subject) DO UPDATE SET \
        failures = CASE WHEN attempts.window_ends_at <= $3 THEN 1 ELSE attempts.failures + 1 END, \
        window_ends_at = CASE WHEN attempts.window_ends_at <= $3 THEN $2 ELSE attempts.window_ends_at END \
        WHERE attempts.window_ends_at <= $3 OR attempts.failures < $4";
    let backend: DbBackend = write.connection().get_database_backend();
    let values = [subject.into(), window_ends_at.into(), now.into(), limit.into()];
    let done = write.connection().execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(done.rows_affected() == 1)
}

/// When counting begins anew for a subject that has reached its limit.
pub async fn window_ends_at(write: &Write, subject: &str) -> Result<Option<Time>> {
    let row = Entity::find_by_id(subject.to_owned()).one(write.connection()).await?;
    Ok(row.map(|row| row.window_ends_at))
}

/// Forgets the guesses at a subject, because one was right.
pub async fn clear(write: &Write, subject: &str) -> Result<()> {
    Entity::delete_by_id(subject.to_owned()).exec(write.connection()).await?;
    Ok(())
}

/// Takes one guess back.
pub async fn take_back_one(write: &Write, subject: &str) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Failures, Expr::col(Column::Failures).sub(1))
        .filter(Column::Subject.eq(subject))
        .filter(Column::Failures.gt(0))
        .exec(write.connection())
        .await?;
    Ok(())
}

/// Deletes windows that are over; gives how many.
pub async fn delete_expired(write: &Write, now: Time) -> Result<u64> {
    let deleted = Entity::delete_many().filter(Column::WindowEndsAt.lte(now)).exec(write.connection()).await?;
    Ok(deleted.rows_affected)
}
