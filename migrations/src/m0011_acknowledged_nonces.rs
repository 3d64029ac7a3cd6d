//! Below which nonce an owner has acknowledged uses that are not ours.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text},
};

/// Makes the table `acknowledged_nonces`.
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
                    .table("acknowledged_nonces")
                    .col(big_integer("chain_id"))
                    .col(text("address"))
                    .col(big_integer("below_nonce"))
                    .primary_key(Index::create().col("chain_id").col("address"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("acknowledged_nonces").take()).await
    }
}
