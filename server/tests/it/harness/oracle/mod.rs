//! Says after a story whether everything the server says is true: reads every block of the node and every row of the
//! database, and holds them against each other.

mod facts;
mod judge;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, time::Duration};

use alloy::primitives::B256;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

pub(crate) use self::{
    facts::{Facts, connect, select},
    judge::{Finding, judge},
};
use super::World;

/// How often the database is looked at while something is open.
const GLANCE: Duration = Duration::from_millis(50);

/// What the judge takes for granted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Allowed {
    /// Uses of our wallets that were made without the server.
    pub(crate) foreign: BTreeSet<B256>,
    /// Transactions that may still be on their way.
    pub(crate) open: BTreeSet<Uuid>,
}

/// Compares a node with a database.
#[derive(Debug)]
pub(crate) struct Oracle {
    node: String,
    database: String,
    allowed: Allowed,
}

impl Oracle {
    pub(crate) fn new(node: &str, database: &str) -> Self {
        Self { node: node.to_owned(), database: database.to_owned(), allowed: Allowed::default() }
    }

    pub(crate) fn of(world: &World) -> Self {
        Self::new(world.node.url(), &world.database.url)
    }

    /// This transaction of one of our wallets was not made by the server.
    pub(crate) fn foreign(mut self, hash: B256) -> Self {
        self.allowed.foreign.insert(hash);
        self
    }

    /// This one may end as not yet ended.
    pub(crate) fn open(mut self, transaction_id: Uuid) -> Self {
        self.allowed.open.insert(transaction_id);
        self
    }

    /// Waits until nothing is under way any more, at most for `bound`, and then demands that everything is true.
    pub(crate) async fn all_ends_truly(&self, bound: Duration) {
        let deadline = Instant::now() + bound;
        while Instant::now() < deadline && !self.is_quiet().await {
            sleep(GLANCE).await;
        }
        self.is_true().await;
    }

    /// Demands that everything is true now.
    pub(crate) async fn is_true(&self) {
        let facts = self.facts().await;
        let findings = judge(&facts, &self.allowed);
        assert!(findings.is_empty(), "{}", facts.told(&findings));
    }

    /// Everything that is untrue or stuck.
    pub(crate) async fn findings(&self) -> Vec<Finding> {
        judge(&self.facts().await, &self.allowed)
    }

    pub(crate) async fn facts(&self) -> Facts {
        Facts::read(&self.node, &self.database).await
    }

    /// Whether every transaction has ended, or waits for people.
    async fn is_quiet(&self) -> bool {
        let rows = facts::rows(&self.database).await;
        rows.iter().all(|row| !row.is_under_way() || self.allowed.open.contains(&row.transaction_id))
    }
}
