//! Lets time run out: undecided and unexecuted transactions, sessions, and what is kept for repeats.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::{
    domain::{Result, housekeeping, transactions},
    state::State,
};

/// What this task is called.
pub(super) const NAME: &str = "expiry";

const EVERY: Duration = Duration::from_secs(1);

/// How often what nobody misses is deleted.
const CLEAN_EVERY: Duration = Duration::from_secs(60);

/// Ends what is overdue, every second.
pub(super) async fn run(state: State, mut stop: watch::Receiver<bool>) {
    let mut clean_at = Instant::now();
    loop {
        let is_time = Instant::now() >= clean_at;
        if is_time {
            clean_at += CLEAN_EVERY;
        }
        match step(&state, is_time).await {
            Ok(()) => state.watchers.succeeded(NAME, state.clock.now()),
            Err(error) => {
                tracing::warn!(watcher = NAME, error = &error as &dyn std::error::Error, "expiry waits");
                state.watchers.failed(NAME, state.clock.now(), error.words());
            }
        }
        if super::wait(sleep(EVERY), &mut stop).await.is_none() {
            return;
        }
    }
}

async fn step(state: &State, clean: bool) -> Result<()> {
    // The trouble of one does not stop the other.
    let ended = transactions::expire_overdue(state).await.map(drop);
    let cleaned = if clean { housekeeping::delete_expired(state).await } else { Ok(()) };
    ended.and(cleaned)
}
