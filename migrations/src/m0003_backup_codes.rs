//! Verifiers of the backup codes that are still good; a used one is deleted.

use sea_orm_migration::{
    prelude::*,
    schema::{binary, uuid},
};

/// Makes the table `backup_codes`.
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
                    .table("backup_codes")
                    .col(uuid("user_id"))
                    .col(binary("verifier"))
                    .primary_key(Index::create().col("user_id").col("verifier"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("backup_codes", "user_id")
                            .to("users", "user_id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("backup_codes").take()).await
    }
}
