//! What users were shown before they sent it, so that they send what they were shown.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text, uuid},
};

/// Makes the table `drafts`.
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
                    .table("drafts")
                    .col(uuid("user_id"))
                    .col(text("digest"))
                    .col(uuid("transaction_id"))
                    .col(big_integer("gas_limit"))
                    .col(text("max_fee_per_gas"))
                    .col(text("max_priority_fee_per_gas"))
                    .col(text("warnings"))
                    .col(text("preview"))
                    .col(big_integer("created_at"))
                    .col(big_integer("expires_at"))
                    .primary_key(Index::create().col("user_id").col("digest"))
                    .foreign_key(ForeignKey::create().from("drafts", "user_id").to("users", "user_id"))
                    .take(),
            )
            .await?;
        manager.create_index(Index::create().name("drafts_expires_at").table("drafts").col("expires_at").take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("drafts").take()).await
    }
}
