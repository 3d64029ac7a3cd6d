//! The other endpoints of a chain, to be held against the one that a round goes through: what is final for good, or was
//! never there, is believed when two say so and nobody who is believed says otherwise.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::{sync::OnceCell, time::timeout};

use super::{
    pool::Pool,
    round::{self, Round},
};

/// How long the others are waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Those who can be asked beside the endpoint of a round.
pub(super) struct Witnesses {
    pool: Arc<Pool>,
    rounds: OnceCell<Vec<Round>>,
}

impl Witnesses {
    pub(super) fn new(pool: Arc<Pool>) -> Self {
        Self { pool, rounds: OnceCell::new() }
    }
}

impl Round {
    /// What the endpoint is called.
    pub fn endpoint(&self) -> &str {
        &self.endpoint.name
    }

    /// Whether there is nobody else to ask: the chain has one endpoint.
    pub fn is_alone(&self) -> bool {
        self.witnesses.pool.only().is_some()
    }

    /// Rounds of the other endpoints that are believed, asked once for this round; who does not answer in 3 s is left out.
    pub async fn others(&self) -> &[Self] {
        self.witnesses.rounds.get_or_init(|| self.ask_others()).await
    }

    async fn ask_others(&self) -> Vec<Self> {
        let pool = &self.witnesses.pool;
        let others = pool.good().into_iter().filter(|other| !Arc::ptr_eq(other, &self.endpoint));
        let rounds = others.map(|other| timeout(PATIENCE, round::begin(other, Arc::new(Witnesses::new(pool.clone())))));
        join_all(rounds).await.into_iter().filter_map(|round| round.ok()?.ok()).collect()
    }

    /// Takes note that the others contradict this endpoint: for some minutes it is not believed.
    pub fn outvote(&self, why: &str) {
        self.endpoint.outvote(why);
    }
}
