//! What token contracts said of themselves when they were last asked: a cache.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, small_integer_null, text, text_null},
};

/// Makes the table `tokens`.
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
                    .table("tokens")
                    .col(big_integer("chain_id"))
                    .col(text("address"))
                    .col(text("standard"))
                    .col(text_null("symbol"))
                    .col(text_null("name"))
                    .col(small_integer_null("decimals"))
                    .col(text_null("total_supply"))
                    .col(big_integer("read_at"))
                    .primary_key(Index::create().col("chain_id").col("address"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("tokens").take()).await
    }
}
