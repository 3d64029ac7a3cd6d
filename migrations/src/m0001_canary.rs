//! A sealed text that only the right master secret opens.

use sea_orm_migration::{
    prelude::*,
    schema::{binary, integer},
};

/// Makes the table `canary`.
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
                Table::create().table("canary").col(integer("canary_id").primary_key()).col(binary("sealed")).take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("canary").take()).await
    }
}
