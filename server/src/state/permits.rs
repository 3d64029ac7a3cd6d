//! Bounds on work with a chain's nodes: so much at once for one user or agent, so much in all. Each chain has bounds of its
//! own, so that a slow one slows no other.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use uuid::Uuid;

use crate::value::ChainId;

/// How much one user or agent may have under way at once.
const PER_OWNER: usize = 4;
/// How much is under way at once in all.
const IN_ALL: usize = 64;
/// How long work waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// There is too much to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too much work with nodes at once")]
pub struct Busy;

/// The right to work with nodes, given out a little at a time. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Permits(Arc<Mutex<BTreeMap<ChainId, OfChain>>>);

impl Permits {
    /// Does the work with a chain's nodes when it is its owner's turn.
    ///
    /// Fails as the work does, and with [`Busy`] when its turn does not come within 5 s.
    pub async fn run<T, E>(
        &self,
        chain_id: ChainId,
        owner: Uuid,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Busy> + Send + 'static,
    {
        let of_chain = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(chain_id).or_default().clone();
        of_chain.run(owner, work).await
    }
}

/// The permits of one chain.
#[derive(Debug, Clone)]
struct OfChain {
    in_all: Arc<Semaphore>,
    owners: Arc<Mutex<HashMap<Uuid, Arc<Semaphore>>>>,
    patience: Duration,
}

impl Default for OfChain {
    fn default() -> Self {
        Self { in_all: Arc::new(Semaphore::new(IN_ALL)), owners: Arc::default(), patience: PATIENCE }
    }
}

impl OfChain {
    /// Does the work when it is its owner's turn. Work that has begun runs to its end, also when nobody waits for its
    /// outcome any more: what a node was asked cannot be taken back, so a client that hangs up and asks again must not
    /// get past the bound. That it ends is for the work to see to.
    ///
    /// Fails as the work does, and with [`Busy`] when its turn does not come within 5 s.
    async fn run<T, E>(&self, owner: Uuid, work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Busy> + Send + 'static,
    {
        let permits = timeout(self.patience, self.take(owner)).await.map_err(|_| Busy)??;
        let work = async move {
            let outcome = work.await;
            drop(permits);
            outcome
        };
        // A task ends early only when it panics, which is told where it happens.
        tokio::spawn(work).await.map_err(|_| Busy)?
    }

    /// The owner's turn first: those who wait for their own hold no place of the others'.
    async fn take(&self, owner: Uuid) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), Busy> {
        let own = self.of(owner).acquire_owned().await.map_err(|_| Busy)?;
        let any = self.in_all.clone().acquire_owned().await.map_err(|_| Busy)?;
        Ok((own, any))
    }

    /// The owner's share. Those of owners without any work are forgotten.
    fn of(&self, owner: Uuid) -> Arc<Semaphore> {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        owners.retain(|_, share| Arc::strong_count(share) > 1);
        owners.entry(owner).or_insert_with(|| Arc::new(Semaphore::new(PER_OWNER))).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    /// Work that ends when it is told to, and counts itself while it lasts.
    #[derive(Clone, Default)]
    struct Work {
        under_way: Arc<AtomicUsize>,
        most: Arc<AtomicUsize>,
        end: Arc<Notify>,
    }

    impl Work {
        async fn run(self) -> Result<(), Busy> {
            let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            self.end.notified().await;
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }

        async fn until(&self, count: usize) {
            while self.under_way.load(Ordering::SeqCst) != count {
                tokio::task::yield_now().await;
            }
        }
    }

    fn impatient() -> OfChain {
        OfChain { patience: Duration::from_millis(20), ..OfChain::default() }
    }

    #[tokio::test]
    async fn an_owner_past_the_bound_is_told_to_come_back_and_others_are_not() {
        let (permits, work, owner) = (impatient(), Work::default(), Uuid::now_v7());
        for _ in 0..PER_OWNER {
            tokio::spawn({
                let (permits, work) = (permits.clone(), work.clone());
                async move { permits.run(owner, work.run()).await }
            });
        }
        work.until(PER_OWNER).await;
        assert!(matches!(permits.run(owner, work.clone().run()).await, Err(Busy)));
        assert!(permits.run(Uuid::now_v7(), async { Ok::<_, Busy>(()) }).await.is_ok());
        work.end.notify_one();
        work.until(PER_OWNER - 1).await;
        assert!(permits.run(owner, async { Ok::<_, Busy>(()) }).await.is_ok());
    }

    #[tokio::test]
    async fn clients_that_hang_up_do_not_get_past_the_bound() {
        let (permits, work, owner) = (impatient(), Work::default(), Uuid::now_v7());
        for _ in 0..50 {
            let asked = permits.run(owner, work.clone().run());
            // A client that asks and is gone.
            let _ = timeout(Duration::from_millis(2), asked).await;
        }
        work.until(PER_OWNER).await;
        assert_eq!(work.most.load(Ordering::SeqCst), PER_OWNER);
        work.end.notify_waiters();
        work.until(0).await;
        assert!(permits.run(owner, async { Ok::<_, Busy>(()) }).await.is_ok(), "what has ended counts no more");
    }

    #[tokio::test]
    async fn many_owners_share_the_bound_in_all() {
        let (permits, work) = (impatient(), Work::default());
        for _ in 0..IN_ALL + 10 {
            let (permits, work) = (permits.clone(), work.clone());
            tokio::spawn(async move { permits.run(Uuid::now_v7(), work.run()).await });
        }
        work.until(IN_ALL).await;
        assert!(matches!(permits.run(Uuid::now_v7(), async { Ok::<_, Busy>(()) }).await, Err(Busy)));
        assert_eq!(work.most.load(Ordering::SeqCst), IN_ALL);
    }

    #[tokio::test]
    async fn a_slow_chain_takes_nothing_from_another() {
        let (permits, work, owner) = (Permits::default(), Work::default(), Uuid::now_v7());
        let chain = |id| ChainId::new(id).expect("in range");
        for _ in 0..PER_OWNER {
            let (permits, work) = (permits.clone(), work.clone());
            tokio::spawn(async move { permits.run(chain(1), owner, work.run()).await });
        }
        work.until(PER_OWNER).await;
        assert!(permits.run(chain(2), owner, async { Ok::<_, Busy>(()) }).await.is_ok());
    }

    #[tokio::test]
    async fn owners_without_work_are_forgotten() {
        let permits = OfChain::default();
        for _ in 0..100 {
            permits.run(Uuid::now_v7(), async { Ok::<_, Busy>(()) }).await.expect("nobody else works");
        }
        assert!(permits.owners.lock().expect("whole").len() <= 2);
    }
}
