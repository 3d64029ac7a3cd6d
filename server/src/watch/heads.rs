//! Keeps a subscription to an endpoint's new blocks.

use std::time::{Duration, Instant};

use tokio::{sync::watch, time::sleep};

use crate::{chain::Chain, state::State};

/// The shortest and the longest rest before a subscription is made again.
const RESTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Subscribes to one endpoint of a chain, by its place in the settings, again and again.
pub(super) async fn run(state: State, name: String, chain: Chain, place: usize, mut stop: watch::Receiver<bool>) {
    let mut rest = RESTS.0;
    loop {
        let began = Instant::now();
        let Some(error) = super::wait(chain.follow_heads(place), &mut stop).await else { return };
        tracing::warn!(watcher = name, error = error.words(), "a subscription ended; blocks are asked for meanwhile");
        state.watchers.failed(&name, state.clock.now(), error.words());
        rest = if began.elapsed() > RESTS.1 { RESTS.0 } else { (rest * 2).min(RESTS.1) };
        if super::wait(sleep(rest), &mut stop).await.is_none() {
            return;
        }
    }
}
