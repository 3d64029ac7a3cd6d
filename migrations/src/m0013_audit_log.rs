//! Who did what, written in the commit that did it.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, pk_uuid, text, text_null, uuid, uuid_null},
};

/// Makes the table `audit_log`.
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
                    .table("audit_log")
                    .col(pk_uuid("audit_id"))
                    .col(uuid("user_id"))
                    .col(big_integer("at"))
                    .col(text("actor"))
                    .col(uuid_null("agent_id"))
                    .col(text("operation"))
                    .col(uuid_null("subject_id"))
                    .col(text_null("detail"))
                    .foreign_key(ForeignKey::create().from("audit_log", "user_id").to("users", "user_id"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("index_audit_log_user_id_audit_id")
                    .table("audit_log")
                    .col("user_id")
                    .col("audit_id")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("audit_log").take()).await
    }
}
