//! The last sign of life of each server: a small write that is read back tells whether the database works.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, pk_uuid},
};

/// Makes the table `heartbeats`.
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
                    .table("heartbeats")
                    .col(pk_uuid("server_id"))
                    .col(big_integer("beat"))
                    .col(big_integer("at"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("heartbeats").take()).await
    }
}
