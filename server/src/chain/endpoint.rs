//! One endpoint: what was learnt of it, and whether it is believed.
//!
//! The watcher's rounds (and probes) form the verdict; requests only read it. A node is believed while its chain id and
//! its first block are those it had before: another chain behind the same URL is silent about our transactions, and
//! silence must not count.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    ChainError, ChainSettings, EndpointSettings, FinalBy, Finality, Habits, identity::Identity, known, rpc::Rpc,
};
use crate::value::{BlockHash, ChainId};

/// How long a request waits for a verdict that nobody has formed yet.
const VERIFY_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a bad verdict counts without being confirmed. The watcher asks far more often.
const RECENT: Duration = Duration::from_secs(30);
/// How long an endpoint is not believed whose word the others contradicted for the first time; each further time doubles it.
const OUTVOTED_FOR: Duration = Duration::from_secs(15);
/// The most that it is doubled.
const MOST_DOUBLED: u32 = 6;
/// After how long without such a time it begins anew.
const FORGIVEN_AFTER: Duration = Duration::from_secs(60 * 60);

/// A block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRef {
    /// Its height.
    pub number: u64,
    /// Its hash; another one at the same height after a reorganisation.
    pub hash: BlockHash,
}

/// Whether a node is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Verdict {
    /// It was not asked yet.
    #[default]
    Unknown,
    /// It answered last time, and is of the chain it was always of.
    Good,
    /// It is of another chain than it must be, or others contradicted it. Nothing is sent to it and nothing it says is
    /// believed.
    Quarantined {
        /// What is wrong, without any part of its URL.
        why: String,
    },
    /// It did not answer last time, or made no sense.
    Unreachable {
        /// What is wrong, without any part of its URL.
        why: String,
    },
}

impl Verdict {
    /// The word for it on the wire and in the log.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Good => "good",
            Self::Quarantined { .. } => "quarantined",
            Self::Unreachable { .. } => "unreachable",
        }
    }
}

/// How a node is, as the last rounds found it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Whether it is believed.
    pub verdict: Verdict,
    /// When it last answered as it should.
    pub last_success: Option<Instant>,
    /// When it last did not.
    pub last_failure: Option<Instant>,
    /// Why not: one line without any part of its URL.
    pub last_error: Option<String>,
    /// Its latest block when it last answered as it should.
    pub head: Option<BlockRef>,
    /// Since when that block was the latest.
    pub head_since: Option<Instant>,
}

/// One endpoint and how it is.
#[derive(Debug, Clone)]
pub struct EndpointStatus {
    /// What it is called.
    pub name: String,
    /// As the last rounds found it.
    pub health: Health,
    /// By what its blocks are final.
    pub final_by: FinalBy,
    /// What was learnt of its ways.
    pub habits: Habits,
    /// Whether it has shown fewer blocks than another one, or did not answer some question since it was last well.
    pub is_poor: bool,
}

/// One endpoint and what was learnt of it.
pub(super) struct Endpoint {
    pub(super) chain_id: ChainId,
    pub(super) name: String,
    pub(super) order: u32,
    pub(super) weight: u32,
    pub(super) rpc: Rpc,
    pub(super) finality: Finality,
    pub(super) dead_tag_after: Duration,
    known: Mutex<Known>,
    /// Held by whoever forms a verdict for requests that wait for one.
    verifying: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    health: Health,
    identity: Identity,
    /// When the round that formed the verdict began: an older one that ends later changes nothing.
    formed: Option<Instant>,
    /// By what its blocks are final.
    final_by: FinalBy,
    /// When others contradicted it last.
    outvoted: Option<Outvoted>,
}

#[derive(Debug, Clone, Copy)]
struct Outvoted {
    at: Instant,
    /// How often before.
    times: u32,
}

impl Outvoted {
    fn is_over(&self) -> bool {
        self.at.elapsed() >= OUTVOTED_FOR * 2_u32.pow(self.times.min(MOST_DOUBLED))
    }
}

impl Endpoint {
    /// Prepares to ask; no network. Fails when the URL is not http(s).
    pub(super) fn new(chain: &ChainSettings, endpoint: &EndpointSettings) -> Result<Self, ChainError> {
        Ok(Self {
            chain_id: chain.id,
            name: endpoint.name.clone(),
            order: endpoint.order,
            weight: endpoint.weight.max(1),
            rpc: Rpc::new(&endpoint.url, chain.request_timeout)?,
            finality: chain.finality,
            dead_tag_after: chain.dead_tag_after,
            known: Mutex::default(),
            verifying: tokio::sync::Mutex::default(),
        })
    }

    pub(super) fn health(&self) -> Health {
        self.known().health.clone()
    }

    /// Its newest block when it last answered as it should, and when that was.
    pub(super) fn seen(&self) -> Option<(BlockRef, Instant)> {
        let known = self.known();
        known.health.head.zip(known.health.last_success)
    }

    pub(super) fn is_good(&self) -> bool {
        self.known().health.verdict == Verdict::Good
    }

    /// Whether a round asked it within `age`.
    pub(super) fn was_asked_within(&self, age: Duration) -> bool {
        self.known().formed.is_some_and(|formed| formed.elapsed() < age)
    }

    pub(super) fn identity(&self) -> Identity {
        self.known().identity.clone()
    }

    /// Whether the node is believed when it says that people develop with it: whoever serves a public chain must not get
    /// blocks taken for final, or slots forgotten, by calling itself so.
    pub(super) fn may_be_development(&self) -> bool {
        self.rpc.is_local || known::is_private(self.chain_id.get())
    }

    /// From now on the node's first block must be this one.
    pub(super) fn expect_genesis(&self, genesis: BlockHash) {
        let mut known = self.known();
        if known.identity.genesis() == Some(genesis) && known.health.verdict == Verdict::Good {
            return;
        }
        known.identity.expect_genesis(genesis);
        known.formed = None;
        known.health.verdict = Verdict::Unknown;
    }

    /// By what its blocks are final, as it was last found.
    pub(super) fn final_by(&self) -> FinalBy {
        self.known().final_by
    }

    /// Takes note of by what its blocks are final, and tells when that is no longer what it was.
    pub(super) fn tell_finality(&self, by: FinalBy) {
        let before = std::mem::replace(&mut self.known().final_by, by);
        let (chain, name) = (self.chain_id, &self.name);
        match by.warning() {
            _ if before == by => {}
            Some(why) => tracing::warn!(chain.id = %chain, endpoint = name, "{why}"),
            None => tracing::info!(chain.id = %chain, endpoint = name, "blocks are final by {}", by.as_str()),
        }
    }

    /// Others contradicted it: for some minutes nothing it says is believed.
    pub(super) fn outvote(&self, why: &str) {
        let mut known = self.known();
        let now = Instant::now();
        let before = known.outvoted.filter(|before| before.at.elapsed() < FORGIVEN_AFTER);
        // Others may have seen the same lie in the same round.
        if before.is_none_or(|before| before.is_over()) {
            known.outvoted = Some(Outvoted { at: now, times: before.map_or(0, |before| before.times + 1) });
        }
        known.formed = Some(now);
        known.health.last_failure = Some(now);
        known.health.last_error = Some(why.to_owned());
        known.health.verdict = Verdict::Quarantined { why: why.to_owned() };
        drop(known);
        self.tell("quarantined", why.to_owned());
    }

    /// Keeps what a round that began at `began` found.
    pub(super) fn record(&self, began: Instant, found: &Result<(BlockRef, Identity), ChainError>) {
        let mut known = self.known();
        if known.formed.is_some_and(|formed| began < formed) {
            return;
        }
        known.formed = Some(began);
        let before = known.health.verdict.as_str();
        match found {
            Ok((head, identity)) => {
                known.identity = identity.clone();
                let now = Some(Instant::now());
                if known.health.head != Some(*head) {
                    known.health.head_since = now;
                }
                known.health.head = Some(*head);
                known.health.last_success = now;
                self.rpc.clear();
                if known.outvoted.is_none_or(|outvoted| outvoted.is_over()) {
                    known.health.verdict = Verdict::Good;
                }
            }
            Err(error) => {
                let why = error.words();
                known.health.last_failure = Some(Instant::now());
                known.health.last_error = Some(why.clone());
                known.health.verdict = match (error, &known.health.verdict) {
                    (ChainError::OtherChain { .. } | ChainError::OtherGenesis { .. }, _) => {
                        Verdict::Quarantined { why }
                    }
                    // A question that failed does not make the node of the right chain.
                    (_, quarantined @ Verdict::Quarantined { .. }) => quarantined.clone(),
                    _ => Verdict::Unreachable { why },
                };
            }
        }
        let (now, error) = (known.health.verdict.as_str(), known.health.last_error.clone());
        drop(known);
        if before != now {
            self.tell(now, error.unwrap_or_default());
        }
    }

    fn tell(&self, verdict: &str, error: String) {
        let (chain, name) = (self.chain_id, &self.name);
        match verdict {
            "good" => tracing::info!(chain.id = %chain, endpoint = name, "an endpoint answers"),
            "quarantined" => {
                tracing::error!(chain.id = %chain, endpoint = name, error, "an endpoint is not believed any more");
            }
            _ => tracing::warn!(chain.id = %chain, endpoint = name, error, "an endpoint does not answer"),
        }
    }

    /// The way to the node for a request. Fails at once while the verdict is bad; where there is none yet, it is formed
    /// first, once for all who wait.
    pub(super) async fn rpc(&self) -> Result<&Rpc, ChainError> {
        if let Some(answer) = self.believed() {
            return answer.map(|()| &self.rpc);
        }
        let _turn = self.verifying.lock().await;
        if let Some(answer) = self.believed() {
            return answer.map(|()| &self.rpc);
        }
        let began = Instant::now();
        match tokio::time::timeout(VERIFY_TIMEOUT, super::round::look(self)).await {
            Ok(found) => found.map(|_| &self.rpc),
            Err(_) => {
                let late = ChainError::Unavailable("it took too long".to_owned());
                self.record(began, &Err(late.clone()));
                Err(late)
            }
        }
    }

    /// The way to the node for whoever holds a round of it. Fails once the node is found to be of another chain.
    pub(super) fn rpc_of_round(&self) -> Result<&Rpc, ChainError> {
        match &self.known().health.verdict {
            Verdict::Quarantined { why } => Err(ChainError::Unavailable(why.clone())),
            Verdict::Unknown | Verdict::Good | Verdict::Unreachable { .. } => Ok(&self.rpc),
        }
    }

    /// What the verdict says; none when there is none, when it is bad and old, or when it is doubted.
    pub(super) fn believed(&self) -> Option<Result<(), ChainError>> {
        let known = self.known();
        let Health { verdict, last_failure, .. } = &known.health;
        match verdict {
            // A request that went unanswered is a reason to ask, not a verdict: it may have been too much to ask.
            Verdict::Good if self.rpc.is_suspect() => None,
            Verdict::Good => Some(Ok(())),
            Verdict::Quarantined { why } | Verdict::Unreachable { why } => {
                last_failure.filter(|at| at.elapsed() < RECENT).map(|_| Err(ChainError::Unavailable(why.clone())))
            }
            Verdict::Unknown => None,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // What is kept is whole between any two statements.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
