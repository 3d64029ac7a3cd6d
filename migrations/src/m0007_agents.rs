//! Programs with an API key, and which wallets and chains they may ask for.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, binary, pk_uuid, text, text_null, uuid},
};

/// Makes the table `agents`.
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
                    .table("agents")
                    .col(pk_uuid("agent_id"))
                    .col(uuid("user_id"))
                    .col(text("name"))
                    .col(binary("verifier"))
                    .col(text_null("wallets"))
                    .col(text_null("chains"))
                    .col(big_integer("created_at"))
                    .col(big_integer_null("last_used_at"))
                    .col(big_integer_null("revoked_at"))
                    .foreign_key(ForeignKey::create().from("agents", "user_id").to("users", "user_id"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("index_agents_user_id_agent_id")
                    .table("agents")
                    .col("user_id")
                    .col("agent_id")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("agents").take()).await
    }
}
