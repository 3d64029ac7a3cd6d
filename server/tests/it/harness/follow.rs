use std::time::Duration;

use agent_sdk::Transaction;
use tokio::time::{Instant, sleep};

use super::Human;

/// How long a test waits for something that has no bound of its own.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for a change until the transaction is as asked.
pub(crate) async fn until(
    human: &Human,
    transaction: &Transaction,
    is_so: impl Fn(&Transaction) -> bool,
) -> Transaction {
    let mut now = human.client.status(transaction.transaction_id).await.expect("its owner");
    let deadline = Instant::now() + PATIENCE;
    while !is_so(&now) {
        assert!(Instant::now() < deadline, "it does not come to that: {}", told(&now));
        let wait = Duration::from_secs(5);
        now = human.client.wait_for_change(now.transaction_id, now.version, wait).await.expect("its owner");
    }
    now
}

/// Waits until something is so, at most for `bound`.
pub(crate) async fn eventually(what: &str, bound: Duration, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + bound;
    while !is_so().await {
        assert!(Instant::now() < deadline, "not within {bound:?}: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// A transaction in one line.
pub(crate) fn told(transaction: &Transaction) -> String {
    let Transaction { transaction_id, version, status, waiting, cancelling, nonce, transaction_hashes, reason, .. } =
        transaction;
    let waiting = waiting.as_ref().map(|waiting| waiting.reason.to_string());
    format!(
        "{transaction_id} v{version} {status} waiting {waiting:?} cancelling {cancelling} nonce {nonce:?} {} hashes, \
         reason {reason:?}",
        transaction_hashes.len()
    )
}
