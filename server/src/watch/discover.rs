//! Waits for a node that was down at the start to say which chain it is of, and follows that chain from then on.

use std::time::Duration;

use tokio::{sync::watch, time::sleep};

use crate::state::State;

/// How often the node is asked.
const EVERY: Duration = Duration::from_secs(1);

/// The name under which its state is shown.
pub(super) const NAME: &str = "discovery";

/// Asks until there is an answer, then becomes the chain's watcher.
pub(super) async fn run(state: State, poll_interval: Duration, mut stop: watch::Receiver<bool>) {
    state.watchers.register(NAME);
    loop {
        let Some(outcome) = super::wait(state.chains.discover(), &mut stop).await else { return };
        match outcome {
            Ok(Some(chain)) => {
                state.watchers.succeeded(NAME, state.clock.now());
                tracing::info!(chain.id = %chain.id(), "the node has said which chain it is of");
                return super::chain::run(state.clone(), chain.clone(), poll_interval, stop).await;
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(error = %error, "waiting for the node");
                state.watchers.failed(NAME, state.clock.now(), "the node does not say which chain it is of");
            }
        }
        if super::wait(sleep(EVERY), &mut stop).await.is_none() {
            return;
        }
    }
}
