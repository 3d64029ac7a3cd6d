//! The database schema, one change a file, the same on SQLite and PostgreSQL.
//!
//! Conventions: ids are UUIDs, times are whole microseconds since 1970-01-01T00:00:00Z in a `BIGINT` (they sort and
//! compare alike on both databases), amounts in wei are decimal text, secrets and signed bytes are sealed blobs.
//! Every change runs in a transaction and can be undone.

pub use sea_orm_migration::{MigrationStatus, MigratorTrait};
use sea_orm_migration::{MigrationTrait, async_trait};

mod m0001_canary;
mod m0002_users;
mod m0003_backup_codes;
mod m0004_sessions;
mod m0005_attempts;
mod m0006_wallets;
mod m0007_agents;
mod m0008_transactions;
mod m0009_nonce_slots;
mod m0010_payloads;
mod m0011_acknowledged_nonces;
mod m0012_idempotency_keys;
mod m0013_audit_log;
mod m0014_events;
mod m0016_transaction_previews;
mod m0017_tokens;
mod m0018_recipients;
mod m0019_transaction_execution;
mod m0020_nonce_evidence;
mod m0021_account_marks;
mod m0022_chain_marks;
mod m0023_heartbeats;
mod m0024_instance;
mod m0025_wallets_restored_at;
mod m0026_drafts;
mod m0027_foreign_transactions;

/// Every change in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_canary::Migration),
            Box::new(m0002_users::Migration),
            Box::new(m0003_backup_codes::Migration),
            Box::new(m0004_sessions::Migration),
            Box::new(m0005_attempts::Migration),
            Box::new(m0006_wallets::Migration),
            Box::new(m0007_agents::Migration),
            Box::new(m0008_transactions::Migration),
            Box::new(m0009_nonce_slots::Migration),
            Box::new(m0010_payloads::Migration),
            Box::new(m0011_acknowledged_nonces::Migration),
            Box::new(m0012_idempotency_keys::Migration),
            Box::new(m0013_audit_log::Migration),
            Box::new(m0014_events::Migration),
            Box::new(m0016_transaction_previews::Migration),
            Box::new(m0017_tokens::Migration),
            Box::new(m0018_recipients::Migration),
            Box::new(m0019_transaction_execution::Migration),
            Box::new(m0020_nonce_evidence::Migration),
            Box::new(m0021_account_marks::Migration),
            Box::new(m0022_chain_marks::Migration),
            Box::new(m0023_heartbeats::Migration),
            Box::new(m0024_instance::Migration),
            Box::new(m0025_wallets_restored_at::Migration),
            Box::new(m0026_drafts::Migration),
            Box::new(m0027_foreign_transactions::Migration),
        ]
    }
}
