//! Follows one chain.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::{
    chain::{Chain, Health},
    domain::tracking::{self, Memory},
    state::State,
};

/// A look is taken this often even when no block comes: bytes are sent again, fees raised.
const LOOK_AT_LEAST: Duration = Duration::from_secs(5);

/// How often a node is asked how it is while nobody waits for it.
const PROBE_EVERY: Duration = Duration::from_secs(5);

/// How many looks may follow each other at once.
const LOOKS: usize = 16;

/// Looks at the chain at every new block, at every nudge, and from time to time.
pub(super) async fn run(state: State, chain: Chain, poll_interval: Duration, mut stop: watch::Receiver<bool>) {
    let mut memory = Memory::default();
    let mut seen = None;
    let mut look_by = Instant::now();
    loop {
        let number = newest_block(&state, &chain).await;
        if number != seen || Instant::now() >= look_by {
            look(&state, &chain, &mut memory).await;
            seen = number;
            look_by = Instant::now() + LOOK_AT_LEAST;
        }
        let wake = async {
            tokio::select! {
                () = sleep(poll_interval) => false,
                () = state.nudges.heard(chain.id()) => true,
            }
        };
        match super::wait(wake, &mut stop).await {
            Some(nudged) if nudged => look_by = Instant::now(),
            Some(_) => {}
            None => return,
        }
    }
}

/// The newest block, while somebody waits for one: an idle server asks the node now and then how it is.
async fn newest_block(state: &State, chain: &Chain) -> Option<u64> {
    match tracking::is_idle(state, chain).await {
        Ok(true) => {
            let Health { last_success, last_failure, .. } = chain.health();
            if last_success.max(last_failure).is_none_or(|last| last.elapsed() >= PROBE_EVERY) {
                chain.probe().await;
            }
            None
        }
        _ => chain.round().await.ok().map(|round| round.head.number),
    }
}

async fn look(state: &State, chain: &Chain, memory: &mut Memory) {
    for _ in 0..LOOKS {
        match tracking::tick(state, chain, memory).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(chain.id = %chain.id(), error = %error, "tracking waits");
                return;
            }
        }
    }
}
