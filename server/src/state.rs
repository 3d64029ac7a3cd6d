//! What every request and every background task works with.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::sync::Notify;

use crate::{
    chain::Chains,
    keys::{Kdf, Master, Tokens},
    store::Store,
    value::{ChainId, Clock},
};

pub mod permits;

pub use permits::Permits;

/// The parts of a running server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct State {
    /// The database.
    pub store: Store,
    /// The secrets that are in hand while the server runs.
    pub keys: Keys,
    /// The chains it serves.
    pub chains: Chains,
    /// The time.
    pub clock: Clock,
    /// Windows and limits.
    pub policy: Arc<Policy>,
    /// Wakes the watcher of a chain before its next regular look.
    pub nudges: Nudges,
    /// Bounds the work with nodes.
    pub permits: Permits,
}

/// The secrets that are in hand while the server runs. None of them opens a wallet.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The outer layer of everything at rest.
    pub master: Master,
    /// Signs and reads access tokens.
    pub tokens: Tokens,
    /// Turns passwords into keys, a few at a time.
    pub kdf: Kdf,
}

/// Windows and limits, as configured.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How long a login lasts.
    pub session_lifetime: Duration,
    /// How long an approved transaction can be executed.
    pub execution_window: Duration,
    /// How many undecided transactions one agent may have.
    pub pending_per_agent: u64,
    /// How many wrong passwords or codes are allowed in one window.
    pub attempts: i32,
    /// The length of that window.
    pub attempts_window: Duration,
    /// How long the cheapest open transaction of an account waits before the next rung of its ladder is sent.
    pub bump_after: Duration,
    /// How long bytes that were sent and not mined rest before they are sent again.
    pub resend_after: Duration,
    /// How long a finalized nonce must show none of our hashes before its transaction counts as superseded.
    pub supersede_after: Duration,
    /// How many nonces ahead of the chain's next one are sent.
    pub window_ahead: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            session_lifetime: Duration::from_secs(30 * 60),
            execution_window: Duration::from_secs(15 * 60),
            pending_per_agent: 100,
            attempts: 5,
            attempts_window: Duration::from_secs(15 * 60),
            bump_after: Duration::from_secs(60),
            resend_after: Duration::from_secs(30),
            supersede_after: Duration::from_secs(60),
            window_ahead: 16,
        }
    }
}

/// One bell per chain.
#[derive(Debug, Clone, Default)]
pub struct Nudges(Arc<BTreeMap<ChainId, Notify>>);

impl Nudges {
    /// A bell for each of some chains.
    pub fn new(chains: impl IntoIterator<Item = ChainId>) -> Self {
        Self(Arc::new(chains.into_iter().map(|chain_id| (chain_id, Notify::new())).collect()))
    }

    /// Wakes a chain's watcher: there is something to send.
    pub fn ring(&self, chain_id: ChainId) {
        if let Some(bell) = self.0.get(&chain_id) {
            bell.notify_one();
        }
    }

    /// Waits for the next ring, which may have been already.
    pub async fn heard(&self, chain_id: ChainId) {
        match self.0.get(&chain_id) {
            Some(bell) => bell.notified().await,
            None => std::future::pending().await,
        }
    }
}
