//! Below which nonce every use of an account is explained: by transactions of ours that are final, or by its owner.

use sea_orm_migration::prelude::*;

/// Renames the table `acknowledged_nonces` to `account_marks`, and its column to `explained_below`.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.rename_table(Table::rename().table("acknowledged_nonces", "account_marks").take()).await?;
        let column = Table::alter().table("account_marks").rename_column("below_nonce", "explained_below").take();
        manager.alter_table(column).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = Table::alter().table("account_marks").rename_column("explained_below", "below_nonce").take();
        manager.alter_table(column).await?;
        manager.rename_table(Table::rename().table("account_marks", "acknowledged_nonces").take()).await
    }
}
