//! Who sets a transaction going, what it waits for in words, and what its final state rests on.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer_null, text_null, uuid_null},
};

/// Adds the columns to the table `transactions`, and renames what transactions wait for.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "transactions";

/// What was called otherwise before.
const REASONS: [(&str, &str); 3] =
    [("inclusion", "in_pool"), ("earlier_nonce", "behind_nonce"), ("nonce_window", "behind_nonce")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let execute = ColumnDef::new("execute").text().not_null().default("agent").take();
        let columns = [
            execute,
            text_null("waiting_detail").take(),
            text_null("evidence").take(),
            big_integer_null("gives_way_at").take(),
            uuid_null("repriced_for").take(),
        ];
        // SQLite takes one column at a time.
        for column in columns {
            manager.alter_table(Table::alter().table(TABLE).add_column(column).take()).await?;
        }
        for (before, after) in REASONS {
            rename(manager, before, after).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["repriced_for", "gives_way_at", "evidence", "waiting_detail", "execute"] {
            manager.alter_table(Table::alter().table(TABLE).drop_column(column).take()).await?;
        }
        for (before, after) in REASONS {
            rename(manager, after, before).await?;
        }
        Ok(())
    }
}

async fn rename(manager: &SchemaManager<'_>, from: &str, to: &str) -> Result<(), DbErr> {
    let update =
        Query::update().table(TABLE).value("waiting_reason", to).and_where(Expr::col("waiting_reason").eq(from)).take();
    manager.execute(update).await
}
