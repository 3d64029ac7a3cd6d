//! Signed bytes, sealed, and their hashes: the fee ladder of a transaction and its cancel.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, binary_null, integer, text, uuid},
};

/// Makes the table `payloads`.
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
                    .table("payloads")
                    .col(uuid("transaction_id"))
                    .col(text("hash"))
                    .col(big_integer("chain_id"))
                    .col(text("address"))
                    .col(big_integer("nonce"))
                    .col(text("kind"))
                    .col(integer("rung"))
                    .col(text("max_fee_per_gas"))
                    .col(text("max_priority_fee_per_gas"))
                    .col(big_integer("gas_limit"))
                    .col(binary_null("bytes"))
                    .col(big_integer_null("sent_at"))
                    .primary_key(Index::create().col("transaction_id").col("hash"))
                    .foreign_key(
                        ForeignKey::create().from("payloads", "transaction_id").to("transactions", "transaction_id"),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("index_payloads_chain_id_address_nonce")
                    .table("payloads")
                    .col("chain_id")
                    .col("address")
                    .col("nonce")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("payloads").take()).await
    }
}
