//! Whom a user has approved payments to, so that a stranger and a look-alike can be told from an old acquaintance.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text, uuid},
};

/// Makes the table `recipients`.
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
                    .table("recipients")
                    .col(uuid("user_id"))
                    .col(text("address"))
                    .col(big_integer("approved_at"))
                    .primary_key(Index::create().col("user_id").col("address"))
                    .foreign_key(ForeignKey::create().from("recipients", "user_id").to("users", "user_id"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("recipients").take()).await
    }
}
