//! A database that came back from a backup: what was approved then may have been withdrawn or paid since.

use super::{
    Result,
    transactions::{Change, expire},
};
use crate::{
    state::State,
    store::{Store, audit_log, instance, mark::Progress, restores},
};

/// What the file beside a database says of it.
#[derive(Debug)]
pub enum Finding {
    /// There is no file: a first start, or somebody deleted it.
    FirstStart,
    /// The database has everything that this server did last.
    Same(Progress),
    /// It was put back from a backup, or is another one.
    Restored,
}

/// Compares a database with what the file says. Gives which database it is, too.
///
/// Fails with [`super::Error::StorageUnavailable`].
pub async fn look(store: &Store, mark: Option<Progress>) -> Result<(Finding, Progress)> {
    let instance_id = instance::find_or_create(store).await?;
    let here = Progress { instance_id, timeline: instance::timeline(store).await, audit_ids: [].into() };
    let Some(mark) = mark else { return Ok((Finding::FirstStart, here)) };
    let ids: Vec<_> = mark.audit_ids.iter().copied().collect();
    let is_another = mark.instance_id != here.instance_id;
    let lacks_deeds = instance::count_audited(store, &ids).await? < u64::try_from(ids.len()).unwrap_or(u64::MAX);
    let went_back = matches!((&mark.timeline, &here.timeline), (Some(then), Some(now)) if then != now);
    if is_another || lacks_deeds || went_back {
        tracing::error!(
            is_another,
            lacks_deeds,
            went_back,
            "the database was restored from a backup, or exchanged: approved transactions expire, wallets are held"
        );
        return Ok((Finding::Restored, here));
    }
    Ok((Finding::Same(Progress { audit_ids: mark.audit_ids, ..here.clone() }), here))
}

/// Ends every approval that was not executed and holds every wallet until its owner acknowledges the restore: in one
/// commit, of which the entry in the audit log is given (none when there is nobody).
///
/// Fails with [`super::Error::StorageUnavailable`]; then nothing was changed.
pub async fn hold_everything(state: &State) -> Result<Option<uuid::Uuid>> {
    let change = Change { write: state.store.write().await?, at: state.clock.now() };
    let users = restores::lock_all_users(&change.write).await?;
    for row in restores::list_authorized(&change.write).await? {
        expire(&change, &row, "expired", "the database was restored from a backup").await?;
    }
    restores::hold_wallets(&change.write, change.at).await?;
    let mut last = None;
    for user_id in users {
        let entry = audit_log::Model {
            actor: "server".to_owned(),
            ..audit_log::Model::by_user(user_id, change.at, "database_restored")
        };
        last = Some(entry.audit_id);
        audit_log::append(&change.write, entry).await?;
    }
    change.commit().await?;
    Ok(last)
}
