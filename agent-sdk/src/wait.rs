//! Waiting for a transaction: long polls, through restarts and lost connections.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::call::{Call, Repeat};
use crate::http::Http;
use crate::{Error, Status, Transaction};

const LONG_POLL: Duration = Duration::from_secs(50);
/// The least time between two answers with nothing new, should something answer long polls at once.
const SHORTEST_ROUND: Duration = Duration::from_secs(1);

impl Http {
    /// Waits until the transaction's status satisfies `reached`, within the wait limit.
    pub(crate) async fn wait_until(
        &self,
        transaction_id: Uuid,
        reached: fn(&Status) -> bool,
    ) -> Result<Transaction, Error> {
        let mut seen = None;
        let waiting = self.follow(transaction_id, reached, &mut seen);
        let Some(limit) = self.wait_limit else {
            return waiting.await;
        };
        match timeout(limit, waiting).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::StillWaiting { transaction_id, transaction: seen.map(Box::new) }),
        }
    }

    async fn follow(
        &self,
        transaction_id: Uuid,
        reached: fn(&Status) -> bool,
        seen: &mut Option<Transaction>,
    ) -> Result<Transaction, Error> {
        loop {
            let started = Instant::now();
            let known_version = seen.as_ref().map(|transaction| transaction.version);
            let wait = if known_version.is_some() { LONG_POLL } else { Duration::ZERO };
            let call = Call::status(transaction_id, known_version, wait).repeat(Repeat::UntilAnswered);
            let transaction = self.send_for_transaction(call).await?;
            if reached(&transaction.status) {
                return Ok(transaction);
            }
            if known_version == Some(transaction.version) {
                sleep(SHORTEST_ROUND.saturating_sub(started.elapsed())).await;
            }
            *seen = Some(transaction);
        }
    }
}
