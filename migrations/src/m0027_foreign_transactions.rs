//! What wallets did without this server.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, binary, text, text_null},
};

/// Makes the table `foreign_transactions`.
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
                    .table("foreign_transactions")
                    .col(big_integer("chain_id"))
                    .col(text("address"))
                    .col(big_integer("nonce"))
                    .col(text_null("hash"))
                    .col(big_integer("block_number"))
                    .col(text_null("to_address"))
                    .col(text("value"))
                    .col(binary("data_hash"))
                    .col(big_integer("at"))
                    .primary_key(Index::create().col("chain_id").col("address").col("nonce"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("foreign_transactions").take()).await
    }
}
