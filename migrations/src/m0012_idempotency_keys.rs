//! What a repeated creation request has already made.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, binary, text, uuid},
};

/// Makes the table `idempotency_keys`.
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
                    .table("idempotency_keys")
                    .col(uuid("owner_id"))
                    .col(text("operation"))
                    .col(text("key"))
                    .col(binary("fingerprint"))
                    .col(uuid("created_id"))
                    .col(big_integer("created_at"))
                    .primary_key(Index::create().col("owner_id").col("operation").col("key"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("idempotency_keys").take()).await
    }
}
