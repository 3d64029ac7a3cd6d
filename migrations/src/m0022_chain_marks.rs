//! Blocks of each chain that final states rest on: where they are gone, the chain was reorganised deeper than it is final.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text},
};

/// Makes the table `chain_marks`.
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
                    .table("chain_marks")
                    .col(big_integer("chain_id"))
                    .col(big_integer("height"))
                    .col(text("hash"))
                    .primary_key(Index::create().col("chain_id").col("height"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("chain_marks").take()).await
    }
}
