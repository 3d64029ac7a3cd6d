//! Requests to move something, from preparation to their final state.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, binary, pk_uuid, text, text_null, uuid, uuid_null},
};

/// Makes the table `transactions`.
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
                    .table("transactions")
                    .col(pk_uuid("transaction_id"))
                    .col(big_integer("version"))
                    .col(text("status"))
                    .col(text_null("waiting_reason"))
                    .col(big_integer_null("waiting_since"))
                    .col(uuid_null("blocked_by"))
                    .col(text_null("cancelling"))
                    .col(uuid("user_id"))
                    .col(uuid_null("agent_id"))
                    .col(uuid("wallet_id"))
                    .col(text("address"))
                    .col(big_integer("chain_id"))
                    .col(text("action"))
                    .col(text_null("memo"))
                    .col(text_null("to_address"))
                    .col(text("value"))
                    .col(binary("data"))
                    .col(big_integer("gas_limit"))
                    .col(text("max_fee_per_gas"))
                    .col(text("max_priority_fee_per_gas"))
                    .col(text("digest"))
                    .col(text("warnings"))
                    .col(big_integer_null("nonce"))
                    .col(text_null("block"))
                    .col(text_null("reason"))
                    .col(big_integer("created_at"))
                    .col(big_integer("expires_at"))
                    .col(big_integer_null("decided_at"))
                    .col(big_integer_null("execute_by"))
                    .foreign_key(ForeignKey::create().from("transactions", "user_id").to("users", "user_id"))
                    .foreign_key(ForeignKey::create().from("transactions", "agent_id").to("agents", "agent_id"))
                    .foreign_key(ForeignKey::create().from("transactions", "wallet_id").to("wallets", "wallet_id"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("index_transactions_user_id_transaction_id")
                    .table("transactions")
                    .col("user_id")
                    .col("transaction_id")
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("index_transactions_agent_id_transaction_id")
                    .table("transactions")
                    .col("agent_id")
                    .col("transaction_id")
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("index_transactions_status_expires_at")
                    .table("transactions")
                    .col("status")
                    .col("expires_at")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("transactions").take()).await
    }
}
