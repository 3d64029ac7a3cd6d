//! Who did what.

use sea_orm::entity::prelude::*;

use super::{Read, Result, Write};
use crate::value::{AgentId, Time, UserId};

/// One deed, written in the commit that did it.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_log")]
pub struct Model {
    /// Which; UUIDv7, so they sort by time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub audit_id: Uuid,
    /// Whose account it concerns.
    pub user_id: UserId,
    /// When.
    pub at: Time,
    /// Who did it: `user`, `agent` or `server`.
    pub actor: String,
    /// Which agent did it.
    pub agent_id: Option<AgentId>,
    /// What was done.
    pub operation: String,
    /// To what.
    pub subject_id: Option<Uuid>,
    /// More, in words; never a secret.
    pub detail: Option<String>,
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a backup from before may undo without harm: requests that nobody has decided, and what the chain tells again.
/// Everything else is noted outside the database (`super::mark`).
const UNMARKED: &[&str] = &["prepared", "preview_changed", "waiting", "mined", "reorganised"];

/// Adds an entry.
pub async fn append(write: &Write, entry: Model) -> Result<()> {
    let (audit_id, is_marked) = (entry.audit_id, !UNMARKED.contains(&entry.operation.as_str()));
    Entity::insert(ActiveModel::from(entry)).exec_without_returning(write.connection()).await?;
    if is_marked {
        write.note_audited(audit_id);
    }
    Ok(())
}

impl Model {
    /// Something a human did with their own account.
    pub fn by_user(user_id: UserId, at: Time, operation: &str) -> Self {
        Self {
            audit_id: Uuid::now_v7(),
            user_id,
            at,
            actor: "user".to_owned(),
            agent_id: None,
            operation: operation.to_owned(),
            subject_id: None,
            detail: None,
        }
    }

    /// The same deed, with what it was done to.
    pub fn on(self, subject_id: Uuid) -> Self {
        Self { subject_id: Some(subject_id), ..self }
    }
}
