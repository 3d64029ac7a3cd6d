//! Which database this is, and whether it is the one that this server left.

use sea_orm::{ConnectionTrait, DbBackend, QuerySelect, entity::prelude::*};

use super::{Error, Read, Result, Store, audit_log};

/// The one row of the table.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "instance")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub only: i32,
    /// Made once for the life of the database.
    pub instance_id: Uuid,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

const ONLY: i32 = 1;

/// The database's id, which is made when it has none.
pub async fn find_or_create(store: &Store) -> Result<Uuid> {
    if let Some(row) = Entity::find_by_id(ONLY).one(store.connection()).await? {
        return Ok(row.instance_id);
    }
    let write = store.write().await?;
    let row = Model { only: ONLY, instance_id: Uuid::now_v7() };
    let insert = Entity::insert(ActiveModel::from(row.clone())).exec_without_returning(write.connection()).await;
    match insert.map_err(Error::from) {
        Ok(_) => write.commit().await?,
        // Another server was faster.
        Err(Error::Conflict) => write.roll_back().await?,
        Err(unavailable) => return Err(unavailable),
    }
    let found = Entity::find_by_id(ONLY).one(store.connection()).await?;
    Ok(found.ok_or(Error::NotReadBack)?.instance_id)
}

/// How many of these entries the audit log holds.
pub async fn count_audited(store: &Store, audit_ids: &[Uuid]) -> Result<u64> {
    let query = audit_log::Entity::find().filter(audit_log::Column::AuditId.is_in(audit_ids.iter().copied()));
    Ok(query.count(store.connection()).await?)
}

/// The timeline of a PostgreSQL server, which goes up with each recovery to a point in time and each promotion of a
/// standby: the first eight digits of the name of the log file it writes. None on SQLite, and where it cannot be read.
pub async fn timeline(store: &Store) -> Option<String> {
    if store.backend() != DbBackend::Postgres {
        return None;
    }
    let row = store.reader.query_one_raw(sea_orm::Statement::from_string(
        DbBackend::Postgres,
        "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)",
    ));
    row.await.ok().flatten()?.try_get_by_index(0).ok()
}

/// Whether anything was ever approved or ended here.
pub async fn has_history(store: &Store) -> Result<bool> {
    let query = audit_log::Entity::find().select_only().column(audit_log::Column::AuditId);
    let query = query.filter(audit_log::Column::Operation.is_in(["authorized", "submitted", "cancelled", "expired"]));
    Ok(query.limit(1).count(store.connection()).await? > 0)
}
