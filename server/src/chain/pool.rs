//! The endpoints of a chain: which are asked first, and what happens when one does not answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::sleep;

use super::{
    ChainError, Verdict,
    endpoint::{BlockRef, Endpoint, EndpointStatus},
};

/// How long an endpoint may think before the next one is asked beside it.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many blocks an endpoint may be short of what another one had shown before without counting as behind.
const BLOCKS_BEHIND: u64 = 2;

/// The endpoints of one chain, at least one.
pub(super) struct Pool {
    pub(super) endpoints: Vec<Arc<Endpoint>>,
    turn: AtomicU32,
}

/// How good an endpoint is to be asked, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// It answers, and is where the others are.
    Well,
    /// It is behind, or did not answer some question since it was last found to be well.
    Poor,
    /// It was not asked yet.
    Unknown,
    /// It did not answer last time.
    Silent,
    /// It is not believed.
    Quarantined,
}

impl Pool {
    pub(super) fn new(endpoints: Vec<Arc<Endpoint>>) -> Self {
        Self { endpoints, turn: AtomicU32::new(0) }
    }

    /// The only endpoint, when there is exactly one.
    pub(super) fn only(&self) -> Option<&Arc<Endpoint>> {
        self.endpoints.first().filter(|_| self.endpoints.len() == 1)
    }

    /// Those that may be asked by a request, best first: by rank, by order, and among equals by weight in turn.
    pub(super) fn usable(&self) -> Vec<Arc<Endpoint>> {
        self.ranked().into_iter().filter(|(rank, _)| *rank <= Rank::Unknown).map(|(_, endpoint)| endpoint).collect()
    }

    /// Those that answer and are where the others are, best first.
    pub(super) fn well(&self) -> Vec<Arc<Endpoint>> {
        self.ranked().into_iter().filter(|(rank, _)| *rank == Rank::Well).map(|(_, endpoint)| endpoint).collect()
    }

    /// Those that are believed, best first.
    pub(super) fn good(&self) -> Vec<Arc<Endpoint>> {
        self.ranked().into_iter().filter(|(rank, _)| *rank <= Rank::Poor).map(|(_, endpoint)| endpoint).collect()
    }

    /// All of them, best first; those that are not believed only where there is no other.
    pub(super) fn all(&self) -> Vec<Arc<Endpoint>> {
        let ranked = self.ranked();
        let best = ranked.first().map_or(Rank::Quarantined, |(rank, _)| *rank);
        ranked.into_iter().filter(|(rank, _)| *rank < Rank::Quarantined || *rank == best).map(|(_, one)| one).collect()
    }

    fn ranked(&self) -> Vec<(Rank, Arc<Endpoint>)> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let seen: Vec<_> = self.endpoints.iter().filter_map(|endpoint| endpoint.seen()).collect();
        let ranked = self.endpoints.iter().map(|endpoint| (rank(endpoint, &seen), endpoint.clone()));
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort_by_key(|(rank, endpoint)| (*rank, endpoint.order));
        // Among equals the one whose turn it is comes first; the rest keep their places.
        let same = |(rank, endpoint): &(Rank, Arc<Endpoint>)| (*rank, endpoint.order);
        for equals in ranked.chunk_by_mut(|one, other| same(one) == same(other)) {
            let mut left = turn % equals.iter().map(|(_, endpoint)| endpoint.weight).sum::<u32>().max(1);
            let due = equals.iter().position(|(_, endpoint)| {
                let is_due = left < endpoint.weight;
                left = left.saturating_sub(endpoint.weight);
                is_due
            });
            equals[..=due.unwrap_or(0)].rotate_right(1);
        }
        ranked
    }

    /// How each is, in the order of the settings.
    pub(super) fn status(&self) -> Vec<EndpointStatus> {
        let seen: Vec<_> = self.endpoints.iter().filter_map(|endpoint| endpoint.seen()).collect();
        let status = self.endpoints.iter().map(|endpoint| EndpointStatus {
            name: endpoint.name.clone(),
            health: endpoint.health(),
            final_by: endpoint.final_by(),
            habits: endpoint.rpc.habits(),
            is_poor: rank(endpoint, &seen) == Rank::Poor,
        });
        status.collect()
    }

    /// Waits until an endpoint is believed. Fails at once while none of them is.
    pub(super) async fn ready(&self) -> Result<(), ChainError> {
        if self.endpoints.iter().any(|endpoint| matches!(endpoint.believed(), Some(Ok(())))) {
            return Ok(());
        }
        let verify = |endpoint: Arc<Endpoint>| async move { endpoint.rpc().await.map(|_| ()) };
        race(self.all(), verify, |_| true).await
    }

    /// The lowest of the newest blocks that the believed endpoints showed: no block above it was seen by all.
    pub(super) fn lowest_head(&self) -> Option<u64> {
        self.good().iter().filter_map(|endpoint| endpoint.health().head).map(|head| head.number).min()
    }
}

/// The share of failed exchanges above which an endpoint is not asked first.
const MOST_FAILURES: f64 = 0.3;

fn rank(endpoint: &Endpoint, seen: &[(BlockRef, Instant)]) -> Rank {
    let habits = endpoint.rpc.habits();
    let is_troubled = habits.rest.is_some() || habits.failures > MOST_FAILURES || endpoint.rpc.is_suspect();
    match endpoint.health().verdict {
        Verdict::Good if is_troubled || is_behind(endpoint, seen) => Rank::Poor,
        Verdict::Good => Rank::Well,
        Verdict::Unknown => Rank::Unknown,
        Verdict::Unreachable { .. } => Rank::Silent,
        Verdict::Quarantined { .. } => Rank::Quarantined,
    }
}

/// Whether another endpoint had shown a newer block before this one was last asked.
fn is_behind(endpoint: &Endpoint, seen: &[(BlockRef, Instant)]) -> bool {
    let Some((head, at)) = endpoint.seen() else { return false };
    let before = seen.iter().filter(|(_, when)| *when <= at);
    before.map(|(head, _)| head.number).max().is_some_and(|newest| newest > head.number + BLOCKS_BEHIND)
}

/// Asks the endpoints in their order until one answers: the next when one fails, and also when one thinks for long; the
/// first answer counts. `passes` says of a failure whether another endpoint could do better.
pub(super) async fn race<T, E, F>(
    endpoints: Vec<Arc<Endpoint>>,
    ask: impl Fn(Arc<Endpoint>) -> F,
    passes: impl Fn(&E) -> bool,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
    E: From<ChainError>,
{
    let mut rest = endpoints.into_iter();
    let mut asked: FuturesUnordered<F> = rest.next().map(&ask).into_iter().collect();
    let mut failed = None;
    loop {
        let is_last = rest.len() == 0;
        let next = tokio::select! {
            answer = asked.next() => match answer {
                Some(Err(error)) if passes(&error) => {
                    failed.get_or_insert(error);
                    rest.next()
                }
                Some(answer) => return answer,
                None => {
                    let none = || ChainError::Unavailable("none of its endpoints is of use".to_owned()).into();
                    return Err(failed.unwrap_or_else(none));
                }
            },
            () = sleep(PATIENCE), if !is_last => rest.next(),
        };
        asked.extend(next.map(&ask));
    }
}
