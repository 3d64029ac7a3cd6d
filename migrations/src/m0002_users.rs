//! People: their wrapped key, their second factor, the number of their last event.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, binary, binary_null, pk_uuid, text},
};

/// Makes the table `users`.
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
                    .table("users")
                    .col(pk_uuid("user_id"))
                    .col(text("username").unique_key())
                    .col(binary("password_salt"))
                    .col(binary("password_wrap"))
                    .col(binary("recovery_wrap"))
                    .col(binary_null("totp_secret"))
                    .col(binary_null("totp_pending"))
                    .col(big_integer("totp_last_step").default(0))
                    .col(big_integer("event_sequence").default(0))
                    .col(big_integer("created_at"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("users").take()).await
    }
}
