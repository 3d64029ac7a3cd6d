//! Key pairs, sealed under their owner's key.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, binary, pk_uuid, text, text_null, uuid},
};

/// Makes the table `wallets`.
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
                    .table("wallets")
                    .col(pk_uuid("wallet_id"))
                    .col(uuid("user_id"))
                    .col(text("address").unique_key())
                    .col(text_null("label"))
                    .col(binary("secret_key"))
                    .col(big_integer("created_at"))
                    .foreign_key(ForeignKey::create().from("wallets", "user_id").to("users", "user_id"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("index_wallets_user_id_wallet_id")
                    .table("wallets")
                    .col("user_id")
                    .col("wallet_id")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("wallets").take()).await
    }
}
