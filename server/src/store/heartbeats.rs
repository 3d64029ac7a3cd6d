//! Signs of life: the small write by which a server finds out whether the database works.

use sea_orm::{entity::prelude::*, sea_query::OnConflict};

use super::{Error, Result, Store};
use crate::value::Time;

/// The last one of a server.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "heartbeats")]
pub struct Model {
    /// Whose; made when the server starts.
    #[sea_orm(primary_key, auto_increment = false)]
    pub server_id: Uuid,
    /// The how manieth of this server.
    pub beat: i64,
    /// When.
    pub at: Time,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes one, commits it, and reads it back over a connection for readers. Those of servers that have not been heard
/// of since `forget_before` are deleted with it.
///
/// Fails when any of that does.
pub async fn beat(store: &Store, heartbeat: Model, forget_before: Time) -> Result<()> {
    let write = store.write().await?;
    let replace = OnConflict::column(Column::ServerId).update_columns([Column::Beat, Column::At]).to_owned();
    Entity::insert(ActiveModel::from(heartbeat.clone()))
        .on_conflict(replace)
        .exec_without_returning(&write.transaction)
        .await?;
    Entity::delete_many().filter(Column::At.lt(forget_before)).exec(&write.transaction).await?;
    write.commit().await?;
    let read = Entity::find_by_id(heartbeat.server_id).one(&store.reader).await?;
    if read == Some(heartbeat) { Ok(()) } else { Err(Error::NotReadBack) }
}

/// How many servers have left signs of life.
#[cfg(test)]
pub(crate) async fn count(store: &Store) -> u64 {
    Entity::find().count(&store.reader).await.expect("the database answers")
}
