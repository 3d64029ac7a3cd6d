//! What is known of the use of a nonce, and whether a node ever took a signed form.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer_null, text_null},
};

/// Adds the columns to the tables `nonce_slots` and `payloads`.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [big_integer_null("taken_at_height"), text_null("used_by"), big_integer_null("used_at_height")];
        for mut column in columns {
            manager.alter_table(Table::alter().table("nonce_slots").add_column(column.take()).take()).await?;
        }
        let accepted_at = big_integer_null("accepted_at").take();
        manager.alter_table(Table::alter().table("payloads").add_column(accepted_at).take()).await?;
        manager
            .create_index(
                Index::create()
                    .name("index_nonce_slots_transaction_id")
                    .table("nonce_slots")
                    .col("transaction_id")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut index = Index::drop();
        index.name("index_nonce_slots_transaction_id").table("nonce_slots");
        manager.drop_index(index).await?;
        manager.alter_table(Table::alter().table("payloads").drop_column("accepted_at").take()).await?;
        for column in ["used_at_height", "used_by", "taken_at_height"] {
            manager.alter_table(Table::alter().table("nonce_slots").drop_column(column).take()).await?;
        }
        Ok(())
    }
}
