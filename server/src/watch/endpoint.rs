//! Asks an endpoint how it is from time to time: also those that are not the best are to be known when they are needed, and
//! who was not believed may be again.

use std::time::Duration;

use tokio::{sync::watch, time::sleep};

use crate::{chain::Chain, state::State};

/// How often an endpoint is asked that nobody else asks.
const EVERY: Duration = Duration::from_secs(3);

/// Asks one endpoint of a chain, by its place in the settings, for ever. How it went is kept by the chain.
pub(super) async fn run(state: State, name: String, chain: Chain, endpoint: usize, mut stop: watch::Receiver<bool>) {
    loop {
        let rest = async {
            chain.probe(endpoint, EVERY).await;
            state.watchers.succeeded(&name, state.clock.now());
            sleep(EVERY).await;
        };
        if super::wait(rest, &mut stop).await.is_none() {
            return;
        }
    }
}
