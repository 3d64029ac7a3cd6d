//! What happened to a user's transactions, numbered without gaps per user.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text, uuid},
};

/// Makes the table `events`.
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
                    .table("events")
                    .col(uuid("user_id"))
                    .col(big_integer("sequence"))
                    .col(big_integer("at"))
                    .col(text("kind"))
                    .col(uuid("transaction_id"))
                    .col(big_integer("version"))
                    .primary_key(Index::create().col("user_id").col("sequence"))
                    .foreign_key(ForeignKey::create().from("events", "user_id").to("users", "user_id"))
                    .foreign_key(
                        ForeignKey::create().from("events", "transaction_id").to("transactions", "transaction_id"),
                    )
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("events").take()).await
    }
}
