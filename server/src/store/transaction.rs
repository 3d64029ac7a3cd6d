//! One database transaction on one connection, which is used again only after nothing on it has failed.
//!
//! The drivers count transactions for themselves: after a COMMIT or ROLLBACK that failed, their count and the database
//! disagree, a later BEGIN becomes a savepoint, and a later COMMIT ends that savepoint and makes nothing durable. Here
//! nothing is counted. A transaction begins on a connection that has none, or not at all; a connection on which a
//! statement, COMMIT or ROLLBACK failed, or whose end was never heard, is closed, and the pool opens another.

use std::{
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, SqlErr, Statement,
    Values,
    prelude::async_trait,
    sqlx::{
        self, AssertSqlSafe, Connection as _, Executor, Postgres, Sqlite, pool::PoolConnection,
        postgres::PgDatabaseError,
    },
};
use sea_query_sqlx::SqlxValues;
use tokio::sync::Mutex;

use super::{Error, Result};

/// How long a ROLLBACK that nobody waits for may take before its connection is closed instead.
const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(5);

/// Everything is well: statements, COMMIT and ROLLBACK may follow.
const OPEN: u8 = 0;
/// A unique key was taken already. PostgreSQL ignores what follows and answers COMMIT with a rollback that looks like a
/// success, so on both databases only ROLLBACK may follow.
const CONFLICT: u8 = 1;
/// Something failed, or began and was not heard of again: SQLite may have rolled back by itself, after which each
/// statement would commit alone. Nothing may follow.
const FAILED: u8 = 2;
/// COMMIT or ROLLBACK was acknowledged.
const ENDED: u8 = 3;

/// An open database transaction. Dropping it rolls back.
#[derive(Debug)]
pub(super) struct Transaction {
    connection: Mutex<Option<Connection>>,
    backend: DbBackend,
    condition: AtomicU8,
}

#[derive(Debug)]
enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Transaction {
    /// Takes a connection and begins; on SQLite as the one writer. Fails, and closes the connection, when it is in a
    /// transaction already.
    pub(super) async fn begin(pool: &DatabaseConnection) -> Result<Self> {
        let backend = pool.get_database_backend();
        let connection = if backend == DbBackend::Sqlite {
            Connection::Sqlite(pool.get_sqlite_connection_pool().acquire().await.map_err(sqlx_failure)?)
        } else {
            Connection::Postgres(pool.get_postgres_connection_pool().acquire().await.map_err(sqlx_failure)?)
        };
        // Until BEGIN is acknowledged the connection counts as failed: whoever stops waiting leaves it to be closed.
        let begun = Self { connection: Mutex::new(Some(connection)), backend, condition: AtomicU8::new(FAILED) };
        if let Some(connection) = begun.connection.lock().await.as_mut() {
            connection.begin().await.map_err(sqlx_failure)?;
        }
        begun.condition.store(OPEN, Ordering::Release);
        Ok(begun)
    }

    /// Makes everything durable.
    ///
    /// Fails with [`Error::CommitUnknown`] when the database did not say whether it is, and with
    /// [`Error::Unavailable`] when certainly nothing is, because a statement before failed.
    pub(super) async fn commit(mut self) -> Result<()> {
        self.check()?;
        self.condition.store(FAILED, Ordering::Release);
        if let Some(connection) = self.connection.get_mut() {
            connection.commit().await.map_err(commit_failure)?;
        }
        self.condition.store(ENDED, Ordering::Release);
        Ok(())
    }

    /// Takes everything back.
    pub(super) async fn roll_back(mut self) -> Result<()> {
        if self.condition.swap(FAILED, Ordering::AcqRel) == FAILED {
            // Closing the connection takes it back.
            return Ok(());
        }
        if let Some(connection) = self.connection.get_mut() {
            connection.roll_back().await.map_err(sqlx_failure)?;
        }
        self.condition.store(ENDED, Ordering::Release);
        Ok(())
    }

    /// Whether more may be done in it.
    fn check(&self) -> Result<(), DbErr> {
        let refuse = |words: &str| Err(DbErr::Custom(words.to_owned()));
        match self.condition.load(Ordering::Acquire) {
            OPEN => Ok(()),
            CONFLICT => refuse("a unique key was taken before in this transaction, which can only be rolled back"),
            _ => refuse("a statement before failed in this transaction"),
        }
    }

    /// Runs one statement, and remembers how it went.
    async fn run<T>(&self, statement: impl AsyncFnOnce(&mut Connection) -> sqlx::Result<T>) -> Result<T, DbErr> {
        let mut connection = self.connection.lock().await;
        self.check()?;
        self.condition.store(FAILED, Ordering::Release);
        let Some(connection) = connection.as_mut() else { return Err(DbErr::Custom("no connection".to_owned())) };
        match statement(connection).await {
            Ok(done) => {
                self.condition.store(OPEN, Ordering::Release);
                Ok(done)
            }
            Err(error) => {
                let error = DbErr::Exec(RuntimeErr::SqlxError(error.into()));
                if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) {
                    self.condition.store(CONFLICT, Ordering::Release);
                }
                Err(error)
            }
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.get_mut().take() else { return };
        match self.condition.load(Ordering::Acquire) {
            ENDED => {}
            // The connection goes back to the pool, and on SQLite the next writer goes on, once ROLLBACK is acknowledged.
            OPEN | CONFLICT if tokio::runtime::Handle::try_current().is_ok() => {
                tokio::spawn(async move {
                    let rolled_back = tokio::time::timeout(ROLLBACK_TIMEOUT, connection.roll_back()).await;
                    if !matches!(rolled_back, Ok(Ok(()))) {
                        connection.throw_away();
                    }
                });
            }
            _ => connection.throw_away(),
        }
    }
}

impl Connection {
    async fn begin(&mut self) -> sqlx::Result<()> {
        match self {
            // SQLite refuses a transaction in a transaction by itself.
            Self::Sqlite(sqlite) => sqlite.execute("BEGIN IMMEDIATE").await.map(drop),
            // PostgreSQL only warns.
            Self::Postgres(postgres) if postgres.is_in_transaction() => Err(sqlx::Error::BeginFailed),
            Self::Postgres(postgres) => postgres.execute("BEGIN").await.map(drop),
        }
    }

    async fn commit(&mut self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(sqlite) => sqlite.execute("COMMIT").await.map(drop),
            Self::Postgres(postgres) => postgres.execute("COMMIT").await.map(drop),
        }
    }

    async fn roll_back(&mut self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(sqlite) => sqlite.execute("ROLLBACK").await.map(drop),
            Self::Postgres(postgres) => postgres.execute("ROLLBACK").await.map(drop),
        }
    }

    /// Closes it when it is dropped; the pool opens another when one is needed.
    fn throw_away(&mut self) {
        tracing::debug!("closing a database connection that failed");
        match self {
            Self::Sqlite(sqlite) => sqlite.close_on_drop(),
            Self::Postgres(postgres) => postgres.close_on_drop(),
        }
    }
}

/// Runs the same on the connection of either database.
macro_rules! on_either {
    ($transaction:expr, $statement:ident, |$query:ident, $connection:ident| $run:expr) => {{
        let Statement { sql, values, .. } = $statement;
        let values = SqlxValues(values.unwrap_or(Values(Vec::new())));
        $transaction
            .run(async move |connection| match connection {
                Connection::Sqlite(sqlite) => {
                    let ($query, $connection) = (sqlx::query_with(AssertSqlSafe(sql), values), &mut **sqlite);
                    $run
                }
                Connection::Postgres(postgres) => {
                    let ($query, $connection) = (sqlx::query_with(AssertSqlSafe(sql), values), &mut **postgres);
                    $run
                }
            })
            .await
    }};
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        on_either!(self, statement, |query, connection| query.execute(connection).await.map(ExecResult::from))
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let sql = AssertSqlSafe(sql.to_owned());
        self.run(async move |connection| match connection {
            Connection::Sqlite(sqlite) => sqlite.execute(sql).await.map(ExecResult::from),
            Connection::Postgres(postgres) => postgres.execute(sql).await.map(ExecResult::from),
        })
        .await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        on_either!(self, statement, |query, connection| {
            query.fetch_optional(connection).await.map(|row| row.map(QueryResult::from))
        })
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        on_either!(self, statement, |query, connection| {
            query.fetch_all(connection).await.map(|rows| rows.into_iter().map(QueryResult::from).collect())
        })
    }
}

fn sqlx_failure(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

/// What is known when COMMIT did not succeed.
fn commit_failure(error: sqlx::Error) -> Error {
    // PostgreSQL checks deferred constraints (class 23) and conflicts between transactions (class 40) before anything
    // becomes durable. Any other word, and silence, leave it open.
    let is_refusal = match &error {
        sqlx::Error::Database(refusal) => refusal
            .try_downcast_ref::<PgDatabaseError>()
            .is_some_and(|refusal| refusal.code().starts_with("23") || refusal.code().starts_with("40")),
        _ => false,
    };
    let error = DbErr::Exec(RuntimeErr::SqlxError(error.into()));
    if is_refusal { error.into() } else { Error::CommitUnknown(error) }
}
