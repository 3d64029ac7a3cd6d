//! Follows one chain.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{chain::Chain, domain::tracking::Tracker, state::State};

/// What the task that follows a chain is called.
pub(super) fn name(chain: &Chain) -> String {
    format!("chain {}", chain.id())
}

/// Looks at the chain from time to time, and at once when it is nudged or a new block is told.
pub(super) async fn run(state: State, chain: Chain, poll_interval: Duration, mut stop: watch::Receiver<bool>) {
    let (name, chain_id) = (name(&chain), chain.id());
    let mut tracker = Tracker::new(state.clone(), chain.clone());
    let mut poll_at = Instant::now();
    loop {
        let outcome = tokio::select! {
            biased;
            // A sender that is gone stops the task too.
            () = async { drop(stop.wait_for(|stop| *stop).await) } => return,
            looked = tracker.looked() => {
                tracker.note(looked);
                continue;
            }
            accounts = state.nudges.heard(chain_id) => tracker.nudge(accounts).await,
            () = chain.woken() => tracker.poll().await,
            () = sleep_until(poll_at) => {
                let outcome = tracker.poll().await;
                poll_at = Instant::now() + poll_interval;
                outcome
            }
        };
        match outcome {
            Ok(()) => state.watchers.succeeded(&name, state.clock.now()),
            Err(error) => {
                tracing::warn!(watcher = name, error = &error as &dyn std::error::Error, "tracking waits");
                state.watchers.failed(&name, state.clock.now(), error.words());
            }
        }
    }
}
