//! What a transaction does, as it was shown to the human who decides: kept with the transaction.

use sea_orm_migration::{prelude::*, schema::text_null};

/// Adds the column `preview` to the table `transactions`.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("transactions").add_column(text_null("preview")).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("transactions").drop_column("preview").take()).await
    }
}
