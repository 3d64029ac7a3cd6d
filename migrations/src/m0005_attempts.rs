//! Failed guesses of passwords and codes, counted in windows of time.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, integer, text},
};

/// Makes the table `attempts`.
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
                    .table("attempts")
                    .col(text("subject").primary_key())
                    .col(integer("failures"))
                    .col(big_integer("window_ends_at"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("attempts").take()).await
    }
}
