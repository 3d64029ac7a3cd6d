//! Which database this is: a copy that was put back can be told from one that went on.

use sea_orm_migration::{
    prelude::*,
    schema::{integer, uuid},
};

/// Makes the table `instance`, which has one row.
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
                Table::create().table("instance").col(integer("only").primary_key()).col(uuid("instance_id")).take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("instance").take()).await
    }
}
