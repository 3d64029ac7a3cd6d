//! Whether the server can do its work.

use super::{Result, chains};
use crate::state::State;

/// Ready to answer: the database does. Chains that are down are told, and take nothing else down with them.
///
/// Fails with [`super::Error::StorageUnavailable`].
pub async fn ready(state: &State) -> Result<Vec<chains::ChainStatus>> {
    state.store.ping().await?;
    Ok(chains::list(state))
}
