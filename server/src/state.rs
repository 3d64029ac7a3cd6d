//! What every request and every background task works with.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use uuid::Uuid;

use crate::{
    chain::Chains,
    keys::{Kdf, Master, Tokens},
    store::Store,
    value::{Address, ChainId, Clock, Time},
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
    /// Accounts that cannot be followed now.
    pub troubles: Troubles,
    /// How the background tasks are.
    pub watchers: Watchers,
    /// Whether the database works, as it was last tried.
    pub readiness: Readiness,
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
    /// How long an approved transaction keeps a nonce that a sent one waits for.
    pub give_way_after: Duration,
    /// How much of that it has at least after a start.
    pub give_way_at_least: Duration,
    /// How long a node must refuse bytes, at three looks or more, before that counts.
    pub refused_after: Duration,
    /// How long nodes may refuse what another one took before the owner is needed.
    pub disputed_after: Duration,
    /// How long a used nonce must show none of our hashes before it is looked for who used it.
    pub search_after: Duration,
    /// How long what one endpoint of several calls final waits for a second one to say so while none contradicts it.
    pub alone_after: Duration,
    /// How long an account may stand still before it is looked at through another endpoint.
    pub look_elsewhere_after: Duration,
    /// How long a node's refusal of nonces ahead of the next one is remembered.
    pub gaps_after: Duration,
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
            give_way_after: Duration::from_secs(60),
            give_way_at_least: Duration::from_secs(30),
            refused_after: Duration::from_secs(60),
            disputed_after: Duration::from_secs(10 * 60),
            search_after: Duration::from_secs(5),
            alone_after: Duration::from_secs(10 * 60),
            look_elsewhere_after: Duration::from_secs(20),
            gaps_after: Duration::from_secs(60),
            window_ahead: 16,
        }
    }
}

/// One bell per chain, that says for which accounts it rang.
#[derive(Debug, Clone, Default)]
pub struct Nudges(Arc<Mutex<BTreeMap<ChainId, Arc<Bell>>>>);

#[derive(Debug, Default)]
struct Bell {
    rung: Notify,
    accounts: Mutex<BTreeSet<Address>>,
}

impl Nudges {
    /// Wakes a chain's watcher: this account has something to send.
    pub fn ring(&self, chain_id: ChainId, address: Address) {
        let bell = self.bell(chain_id);
        bell.accounts.lock().unwrap_or_else(PoisonError::into_inner).insert(address);
        bell.rung.notify_one();
    }

    /// Waits for the next ring, which may have been already. Gives the accounts it rang for.
    pub async fn heard(&self, chain_id: ChainId) -> BTreeSet<Address> {
        let bell = self.bell(chain_id);
        bell.rung.notified().await;
        std::mem::take(&mut *bell.accounts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn bell(&self, chain_id: ChainId) -> Arc<Bell> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(chain_id).or_default().clone()
    }
}

/// Which accounts cannot be followed now, and why: one account's trouble stops nobody else, and its owner is told.
#[derive(Debug, Clone, Default)]
pub struct Troubles(Arc<Mutex<BTreeMap<(ChainId, Address), Trouble>>>);

/// Why an account cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// In words, fit for its owner.
    pub detail: String,
    /// Since when.
    pub since: Time,
}

impl Troubles {
    /// Notes that an account cannot be followed.
    pub fn note(&self, chain_id: ChainId, address: Address, detail: String, now: Time) {
        let mut troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = troubles.entry((chain_id, address)).or_insert(Trouble { detail: String::new(), since: now });
        known.detail = detail;
    }

    /// Notes that it can be followed again.
    pub fn clear(&self, chain_id: ChainId, address: Address) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(chain_id, address));
    }

    /// What is the matter with an account.
    pub fn find(&self, chain_id: ChainId, address: Address) -> Option<Trouble> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(chain_id, address)).cloned()
    }
}

/// How the background tasks are, by name.
#[derive(Debug, Clone, Default)]
pub struct Watchers(Arc<Mutex<BTreeMap<String, Watcher>>>);

/// How a background task is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watcher {
    /// When it last did its work; none: not yet.
    pub last_success: Option<Time>,
    /// When it last failed, and why, in words for operators that hold no secret; none: never.
    pub last_error: Option<(Time, String)>,
    /// How often it ended by itself and was started again.
    pub restarts: u64,
}

impl Watchers {
    /// Adds a task that has not done anything yet. One that is there already stays as it is.
    pub fn register(&self, name: &str) {
        self.change(name, |_| {});
    }

    /// It did its work.
    pub fn succeeded(&self, name: &str, at: Time) {
        self.change(name, |watcher| watcher.last_success = Some(at));
    }

    /// It failed, and why: shown without a credential, so without anything that is not for everybody.
    pub fn failed(&self, name: &str, at: Time, words: impl Into<String>) {
        self.change(name, |watcher| watcher.last_error = Some((at, words.into())));
    }

    /// It ended by itself, and runs again.
    pub fn restarted(&self, name: &str) {
        self.change(name, |watcher| watcher.restarts += 1);
    }

    /// Every one, by name.
    pub fn list(&self) -> Vec<(String, Watcher)> {
        let watchers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.iter().map(|(name, watcher)| (name.clone(), watcher.clone())).collect()
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Watcher)) {
        let mut watchers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(watchers.entry(name.to_owned()).or_default());
    }
}

/// Whether the database works, as it was last tried: a crowd that asks does not become a load of writes.
#[derive(Debug, Clone)]
pub struct Readiness(Arc<tokio::sync::Mutex<Trial>>);

/// The last try.
#[derive(Debug)]
pub struct Trial {
    /// Under which id this server leaves signs of life.
    pub server_id: Uuid,
    /// How many it has left.
    pub beats: i64,
    /// When the last try ended, and whether it worked; none: none yet.
    pub last: Option<(Instant, bool)>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(tokio::sync::Mutex::new(Trial { server_id: Uuid::now_v7(), beats: 0, last: None })))
    }
}

impl Readiness {
    /// Waits for whoever is trying, and gives the last try to look at or to do again.
    pub async fn trial(&self) -> tokio::sync::MutexGuard<'_, Trial> {
        self.0.lock().await
    }
}
