//! Bringing the schema up to date, and back.

use migrations::{MigrationStatus, Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DbBackend, TransactionTrait};

use super::{Result, Store};

/// Of the advisory lock that servers starting together take on PostgreSQL; any constant will do.
const LOCK: i64 = 0x7761_6c6c_6574;

/// Applies every change that is missing.
pub async fn migrate_up(store: &Store) -> Result<()> {
    with_lock(store, async { Ok(Migrator::up(&store.writer, None).await?) }).await
}

/// Takes the last `steps` changes back.
pub async fn migrate_down(store: &Store, steps: u32) -> Result<()> {
    with_lock(store, async { Ok(Migrator::down(&store.writer, Some(steps)).await?) }).await
}

/// Every change and whether it is applied, in order.
pub async fn migration_status(store: &Store) -> Result<Vec<(String, bool)>> {
    let migrations = Migrator::get_migration_with_status(&store.writer).await?;
    Ok(migrations
        .iter()
        .map(|migration| (migration.name().to_owned(), migration.status() == MigrationStatus::Applied))
        .collect())
}

/// Two servers migrating an empty PostgreSQL at once would fail over each other's tables. SQLite locks its file.
async fn with_lock(store: &Store, migrate: impl Future<Output = Result<()>>) -> Result<()> {
    if store.backend() != DbBackend::Postgres {
        return migrate.await;
    }
    #[expect(clippy::disallowed_methods, reason = "PostgreSQL only, where the mode of a transaction does not matter")]
    let lock = store.writer.begin().await?;
    lock.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    let outcome = migrate.await;
    lock.rollback().await?;
    outcome
}
