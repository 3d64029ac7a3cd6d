//! Deleting what nobody misses.

use std::time::Duration;

use super::Result;
use crate::{
    state::State,
    store::{attempts, drafts, idempotency_keys, sessions},
};

/// How long a creation is remembered for repeats: longer than anything it makes can wait to be decided.
const REPEATS: Duration = Duration::from_secs(8 * 24 * 60 * 60);

/// Deletes ended sessions, windows of counting that are over, old idempotency keys, and drafts that were not sent.
pub async fn delete_expired(state: &State) -> Result<()> {
    let now = state.clock.now();
    let write = state.store.write().await?;
    let sessions = sessions::delete_expired(&write, now).await?;
    let windows = attempts::delete_expired(&write, now).await?;
    let keys = idempotency_keys::delete_older(&write, now - REPEATS).await?;
    let drafts = drafts::delete_expired(&write, now).await?;
    write.commit().await?;
    tracing::debug!(sessions, windows, keys, drafts, "deleted what has expired");
    Ok(())
}
