//! What happens without a request: time runs out, bytes are sent, blocks come. One task per chain scans rows; there
//! is no job per transaction, so a restart has nothing to recover.

use std::time::Duration;

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::state::State;

mod chain;
mod discover;
mod endpoint;
mod expire;
mod heads;

/// Starts every task. They end when `stop` becomes true; joining the set waits for the step in hand.
pub fn start(state: &State, poll_interval: Duration, stop: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for chain in state.chains.iter() {
        let watched = (state.clone(), chain.clone(), stop.clone());
        let interval = chain.settings().poll_interval.unwrap_or(poll_interval);
        let run = move || chain::run(watched.0.clone(), watched.1.clone(), interval, watched.2.clone());
        tasks.spawn(supervise(state.clone(), chain::name(chain), stop.clone(), run));
        let endpoints = chain.settings().endpoints.len();
        for place in (0..endpoints).filter(|_| endpoints > 1) {
            // Everybody may read this: the operator's names are for users.
            let name = format!("{} endpoint {}", chain::name(chain), place + 1);
            let watched = (state.clone(), name.clone(), chain.clone(), stop.clone());
            let run = move || {
                let (state, name, chain, stop) = watched.clone();
                endpoint::run(state, name, chain, place, stop)
            };
            tasks.spawn(supervise(state.clone(), name, stop.clone(), run));
        }
        for place in chain.subscribed() {
            let name = format!("{} subscription {}", chain::name(chain), place + 1);
            let watched = (state.clone(), name.clone(), chain.clone(), stop.clone());
            let run = move || {
                let (state, name, chain, stop) = watched.clone();
                heads::run(state, name, chain, place, stop)
            };
            tasks.spawn(supervise(state.clone(), name, stop.clone(), run));
        }
    }
    if state.chains.awaits() {
        let watched = (state.clone(), stop.clone());
        let run = move || discover::run(watched.0.clone(), poll_interval, watched.1.clone());
        tasks.spawn(supervise(state.clone(), discover::NAME.to_owned(), stop.clone(), run));
    }
    let watched = (state.clone(), stop.clone());
    let run = move || expire::run(watched.0.clone(), watched.1.clone());
    tasks.spawn(supervise(state.clone(), expire::NAME.to_owned(), stop.clone(), run));
    tasks
}

/// The shortest and the longest rest before a task that ended by itself is started again.
const RESTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Runs a task, and starts it again when it ends though nobody told it to: nothing dies silently.
async fn supervise<F>(state: State, name: String, mut stop: watch::Receiver<bool>, run: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    state.watchers.register(&name);
    let mut rest = RESTS.0;
    loop {
        let begun = Instant::now();
        let Err(error) = tokio::spawn(run()).await else { return };
        tracing::error!(watcher = name, %error, "a background task ended by itself");
        state.watchers.failed(&name, state.clock.now(), "it ended by itself");
        state.watchers.restarted(&name);
        rest = if begun.elapsed() > RESTS.1 { RESTS.0 } else { (rest * 2).min(RESTS.1) };
        if wait(sleep(rest), &mut stop).await.is_none() {
            return;
        }
    }
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
