//! When the database came back from a backup, for each wallet, until its owner has acknowledged that.

use sea_orm_migration::{prelude::*, schema::big_integer_null};

/// Adds the column `restored_at` to the table `wallets`.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("wallets").add_column(big_integer_null("restored_at")).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("wallets").drop_column("restored_at").take()).await
    }
}
