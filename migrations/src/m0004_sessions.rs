//! Logins. Nothing here opens anything without the token that the user holds.

use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, binary, pk_uuid, uuid},
};

/// Makes the table `sessions`.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("sessions")
                    .col(pk_uuid("session_id"))
                    .col(uuid("user_id"))
                    .col(binary("verifier"))
                    .col(binary("user_key"))
                    .col(big_integer("created_at"))
                    .col(big_integer("expires_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("sessions", "user_id")
                            .to("users", "user_id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            // Sessions need not survive a crash, and an unlogged table is in no write-ahead log and no replica.
            manager.get_connection().execute_unprepared("ALTER TABLE sessions SET UNLOGGED").await?;
        }
        manager
            .create_index(Index::create().name("index_sessions_user_id").table("sessions").col("user_id").take())
            .await?;
        manager
            .create_index(Index::create().name("index_sessions_expires_at").table("sessions").col("expires_at").take())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("sessions").take()).await
    }
}
