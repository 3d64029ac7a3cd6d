//! What happens without a request: time runs out, bytes are sent, blocks come. One task per chain scans rows; there
//! is no job per transaction, so a restart has nothing to recover.

use std::time::Duration;

use tokio::{sync::watch, task::JoinSet};

use crate::state::State;

mod chain;
mod expire;

/// Starts every task. They end when `stop` becomes true; joining the set waits for the step in hand.
pub fn start(state: &State, poll_interval: Duration, stop: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for chain in state.chains.iter() {
        tasks.spawn(chain::run(state.clone(), chain.clone(), poll_interval, stop.clone()));
    }
    tasks.spawn(expire::run(state.clone(), stop.clone()));
    tasks
}

/// Waits for `wake`; none when it is time to stop instead.
async fn wait<T>(wake: impl Future<Output = T>, stop: &mut watch::Receiver<bool>) -> Option<T> {
    tokio::select! {
        biased;
        // A sender that is gone stops the tasks too.
        _ = stop.wait_for(|stop| *stop) => None,
        woken = wake => Some(woken),
    }
}
