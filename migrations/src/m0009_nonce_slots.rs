//! Every nonce that signed bytes have ever used. Rows are never deleted.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text, uuid},
};

/// Makes the table `nonce_slots`.
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
                    .table("nonce_slots")
                    .col(big_integer("chain_id"))
                    .col(text("address"))
                    .col(big_integer("nonce"))
                    .col(text("state"))
                    .col(uuid("transaction_id"))
                    .col(big_integer("changed_at"))
                    .primary_key(Index::create().col("chain_id").col("address").col("nonce"))
                    .foreign_key(
                        ForeignKey::create().from("nonce_slots", "transaction_id").to("transactions", "transaction_id"),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("index_nonce_slots_chain_id_state")
                    .table("nonce_slots")
                    .col("chain_id")
                    .col("state")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("nonce_slots").take()).await
    }
}
