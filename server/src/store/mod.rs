//! The database: entities and named queries, one file per noun, each query scoped by the user or agent it is for.
//!
//! The same code runs on SQLite and PostgreSQL. Reads go through [`Store`] itself; everything that changes a row goes
//! through one [`Write`], a database transaction that [`Store::write`] opens and [`Write::commit`] ends.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqlErr,
    sqlx::{
        self,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::value::{Secret, TransactionId};

pub mod account_marks;
pub mod agents;
pub mod attempts;
pub mod audit_log;
pub mod backup_codes;
pub mod canary;
pub mod chain_marks;
mod columns;
pub mod drafts;
pub mod events;
mod file_lock;
pub mod foreign_transactions;
pub mod heartbeats;
pub mod idempotency_keys;
pub mod instance;
pub mod mark;
mod migrate;
pub mod nonce_slots;
pub mod payloads;
pub mod recipients;
pub mod restores;
pub mod sessions;
#[cfg(test)]
pub(crate) mod tests;
pub mod tokens;
mod transaction;
pub mod transactions;
pub mod users;
pub mod wallets;

pub use columns::Json;
use file_lock::FileLock;
use mark::Mark;
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
    /// It was committed, and the mark file could not be written.
    #[error("the mark file cannot be written: {0}")]
    NotNoted(#[source] std::io::Error),
    /// What was written and committed was not there to be read.
    #[error("a write was not read back")]
    NotReadBack,
    /// Another process uses the SQLite file.
    #[error("the database file is in use by {}", process(*holder))]
    InUse {
        /// The process id of a server or of another command, when it could be read.
        holder: Option<u32>,
    },
    /// The SQLite file or its lock cannot be opened.
    #[error("the database file: {0}")]
    File(#[source] std::io::Error),
}

fn process(holder: Option<u32>) -> String {
    holder.map_or_else(|| "another process".to_owned(), |id| format!("the process with id {id}; stop that first"))
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
    lock: Option<Arc<FileLock>>,
    mark: Arc<OnceLock<Mark>>,
}

impl Store {
    /// Connects to `sqlite:` or `postgres:` and `postgresql:` URLs.
    ///
    /// SQLite has one writing connection, so that writers queue here instead of failing in the database, and a pool of
    /// readers that cannot write. On PostgreSQL both are one pool of at most `connections`.
    ///
    /// An SQLite file is for one process: until [`Store::close`], or the end of this process, no other can connect.
    ///
    /// Fails with [`Error::InUse`] when another process has the file, and when the database cannot be opened; the error
    /// never names the URL, which may hold a password.
    pub async fn connect(url: &Secret<String>, connections: u32) -> Result<Self> {
        let (changes, _) = broadcast::channel(1_024);
        let options = |max: u32| {
            let mut options = ConnectOptions::new(url.expose().clone());
            options.max_connections(max).acquire_timeout(Duration::from_secs(10)).sqlx_logging(false);
            options
        };
        if !url.expose().starts_with("sqlite:") {
            let pool = Database::connect(options(connections)).await?;
            return Ok(Self { writer: pool.clone(), reader: pool, changes, lock: None, mark: Arc::default() });
        }
        let lock = match sqlite_file(url)? {
            Some(path) => Some(Arc::new(FileLock::take(&path)?)),
            None => None,
        };
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
        Ok(Self { writer, reader: Database::connect(reader).await?, changes, lock, mark: Arc::default() })
    }

    /// Begins a transaction that may write. On SQLite it holds the one writer until it ends, so nothing slow belongs
    /// between this call and [`Write::commit`]; dropping it rolls back. A connection on which anything failed is closed
    /// with it, so that no later transaction meets it.
    pub async fn write(&self) -> Result<Write> {
        let transaction = Transaction::begin(&self.writer).await?;
        Ok(Write {
            transaction,
            changes: self.changes.clone(),
            changed: Mutex::default(),
            mark: self.mark.get().cloned().unwrap_or_default(),
            audited: Mutex::default(),
        })
    }

    /// Notes from now on in this file what is audited, with each commit. The first file stays.
    pub fn keep_mark(&self, mark: Mark) {
        let _ = self.mark.set(mark);
    }

    /// Hears of every transaction that this process changes, after its commit. A hint: other processes change rows
    /// too, so whoever waits also looks from time to time.
    pub fn changes(&self) -> broadcast::Receiver<TransactionId> {
        self.changes.subscribe()
    }

    /// Closes every connection, once what is under way on it has ended, and lets another process have the file. No
    /// clone is of use afterwards.
    pub async fn close(&self) -> Result<()> {
        self.reader.close_by_ref().await?;
        self.writer.close_by_ref().await?;
        if let Some(lock) = &self.lock {
            lock.release();
        }
        Ok(())
    }

    fn backend(&self) -> DbBackend {
        self.writer.get_database_backend()
    }
}

/// The file of an SQLite URL; none for a database in memory.
fn sqlite_file(url: &Secret<String>) -> Result<Option<PathBuf>> {
    if url.expose().contains(":memory:") || url.expose().contains("mode=memory") {
        return Ok(None);
    }
    let options: SqliteConnectOptions =
        url.expose().parse().map_err(|error: sqlx::Error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))?;
    Ok(Some(options.get_filename().to_owned()))
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
    mark: Mark,
    audited: Mutex<Vec<Uuid>>,
}

impl Write {
    /// Makes everything durable, then tells whoever waits for a change.
    ///
    /// Fails when anything in the transaction failed before; with [`Error::CommitUnknown`] when the database did not say
    /// whether it committed, and with [`Error::NotNoted`] when it did, and a restored backup would not be noticed.
    pub async fn commit(self) -> Result<()> {
        self.transaction.commit().await?;
        for id in self.changed.into_inner().unwrap_or_default() {
            // Nobody listening is no error.
            let _ = self.changes.send(id);
        }
        let audited = self.audited.into_inner().unwrap_or_default();
        self.mark.note(&audited).await.map_err(Error::NotNoted)
    }

    /// Takes everything back, now rather than when the connection is next used.
    pub async fn roll_back(self) -> Result<()> {
        self.transaction.roll_back().await
    }

    /// Remembers a deed that this commit does and that a backup from before would undo.
    fn note_audited(&self, audit_id: Uuid) {
        if let Ok(mut audited) = self.audited.lock() {
            audited.push(audit_id);
        }
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
