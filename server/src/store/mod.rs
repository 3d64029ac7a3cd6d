//! The database: entities and named queries, one file per noun, each query scoped by the user or agent it is for.
//!
//! The same code runs on SQLite and PostgreSQL. Reads go through [`Store`] itself; everything that changes a row goes
//! through one [`Write`], a database transaction that [`Store::write`] opens and [`Write::commit`] ends.

use std::{sync::Mutex, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, SqlErr,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::broadcast;

use crate::value::{Secret, TransactionId};

pub mod acknowledged_nonces;
pub mod agents;
pub mod attempts;
pub mod audit_log;
pub mod backup_codes;
pub mod canary;
mod columns;
pub mod drafts;
pub mod events;
pub mod foreign_transactions;
pub mod idempotency_keys;
mod migrate;
pub mod nonce_slots;
pub mod payloads;
pub mod recipients;
pub mod sessions;
#[cfg(test)]
pub(crate) mod tests;
pub mod tokens;
mod transaction;
pub mod transactions;
pub mod users;
pub mod wallets;

pub use columns::Json;
pub use migrate::{migrate_down, migrate_up, migration_status};
use transaction::Transaction;

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A unique row exists already: somebody else was faster.
    #[error("a row with this key exists")]
    Conflict,
    /// The database cannot be reached, or refused. Nothing was done.
    #[error("the database failed: {0}")]
    Unavailable(DbErr),
    /// The database did not say whether it committed: it may have, or may not.
    #[error("the outcome of a commit is unknown: {0}")]
    CommitUnknown(DbErr),
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Conflict,
            _ => Self::Unavailable(error),
        }
    }
}

/// The result of a query.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Where rows can be read: outside a transaction, or inside one.
pub trait Read: Sync {
    /// The driver's connection.
    #[doc(hidden)]
    fn connection(&self) -> &impl ConnectionTrait;
}

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    changes: broadcast::Sender<TransactionId>,
}

impl Store {
    /// Connects to `sqlite:` or `postgres:` and `postgresql:` URLs.
    ///
    /// SQLite has one writing connection, so that writers queue here instead of failing in the database, and a pool of
    /// readers that cannot write. On PostgreSQL both are one pool of at most `connections`.
    ///
    /// Fails when the database cannot be opened; the error never names the URL, which may hold a password.
    pub async fn connect(url: &Secret<String>, connections: u32) -> Result<Self> {
        let (changes, _) = broadcast::channel(1_024);
        let options = |max: u32| {
            let mut options = ConnectOptions::new(url.expose().clone());
            options.max_connections(max).acquire_timeout(Duration::from_secs(10)).sqlx_logging(false);
            options
        };
        if !url.expose().starts_with("sqlite:") {
            let pool = Database::connect(options(connections)).await?;
            return Ok(Self { writer: pool.clone(), reader: pool, changes });
        }
        let mut writer = options(1);
        writer.map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(10))
                .pragma("secure_delete", "ON")
        });
        let mut reader = options(connections);
        reader.map_sqlx_sqlite_opts(|sqlite| sqlite.busy_timeout(Duration::from_secs(10)).pragma("query_only", "ON"));
        // The writer goes first: it makes the file and puts it into write-ahead mode.
        let writer = Database::connect(writer).await?;
        Ok(Self { writer, reader: Database::connect(reader).await?, changes })
    }

    /// Begins a transaction that may write. On SQLite it holds the one writer until it ends, so nothing slow belongs
    /// between this call and [`Write::commit`]; dropping it rolls back. A connection on which anything failed is closed
    /// with it, so that no later transaction meets it.
    pub async fn write(&self) -> Result<Write> {
        let transaction = Transaction::begin(&self.writer).await?;
        Ok(Write { transaction, changes: self.changes.clone(), changed: Mutex::default() })
    }

    /// Hears of every transaction that this process changes, after its commit. A hint: other processes change rows
    /// too, so whoever waits also looks from time to time.
    pub fn changes(&self) -> broadcast::Receiver<TransactionId> {
        self.changes.subscribe()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.reader.ping().await?)
    }

    fn backend(&self) -> DbBackend {
        self.writer.get_database_backend()
    }
}

impl Read for Store {
    fn connection(&self) -> &impl ConnectionTrait {
        &self.reader
    }
}

/// One database transaction.
#[derive(Debug)]
pub struct Write {
    transaction: Transaction,
    changes: broadcast::Sender<TransactionId>,
    changed: Mutex<Vec<TransactionId>>,
}

impl Write {
    /// Makes everything durable, then tells whoever waits for a change.
    ///
    /// Fails when anything in the transaction failed before; with [`Error::CommitUnknown`] when the database did not say
    /// whether it committed.
    pub async fn commit(self) -> Result<()> {
        self.transaction.commit().await?;
        for id in self.changed.into_inner().unwrap_or_default() {
            // Nobody listening is no error.
            let _ = self.changes.send(id);
        }
        Ok(())
    }

    /// Takes everything back, now rather than when the connection is next used.
    pub async fn roll_back(self) -> Result<()> {
        self.transaction.roll_back().await
    }

    /// Remembers a transaction that changes with this commit.
    fn note_change(&self, id: TransactionId) {
        if let Ok(mut changed) = self.changed.lock() {
            changed.push(id);
        }
    }
}

impl Read for Write {
    fn connection(&self) -> &impl ConnectionTrait {
        &self.transaction
    }
}
