//! Lists, a page at a time.

use alloy::primitives::Address;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Status;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// The page's items, newest first where that applies.
    pub items: Vec<T>,
    /// Where the next page begins; none after the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Which page of a list to return.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paging {
    limit: Option<u32>,
    cursor: Option<String>,
}

impl Paging {
    /// The first page, 20 items.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// At most this many items: 1 to 100, 20 by default.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Continue where [`Page::next_cursor`] says.
    #[must_use]
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    pub(crate) fn query(self) -> Vec<(&'static str, String)> {
        let limit = self.limit.map(|limit| ("limit", limit.to_string()));
        let cursor = self.cursor.map(|cursor| ("cursor", cursor));
        limit.into_iter().chain(cursor).collect()
    }
}

/// Which transactions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionFilter {
    paging: Paging,
    status: Option<Status>,
    agent_id: Option<Uuid>,
    address: Option<Address>,
}

impl TransactionFilter {
    /// All transactions, the first page of 20.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Only those in this state.
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }

    /// Only those of this agent.
    #[must_use]
    pub fn agent_id(mut self, agent_id: Uuid) -> Self {
        self.agent_id = Some(agent_id);
        self
    }

    /// Only those of the wallet with this address.
    #[must_use]
    pub fn address(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }

    /// At most this many items: 1 to 100, 20 by default.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.paging = self.paging.limit(limit);
        self
    }

    /// Continue where [`Page::next_cursor`] says, with the same filter.
    #[must_use]
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.paging = self.paging.cursor(cursor);
        self
    }

    pub(crate) fn query(self) -> Vec<(&'static str, String)> {
        let Self { paging, status, agent_id, address } = self;
        let mut query = paging.query();
        query.extend(status.map(|status| ("status", status.to_string())));
        query.extend(agent_id.map(|agent_id| ("agent_id", agent_id.to_string())));
        query.extend(address.map(|address| ("address", address.to_checksum(None))));
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_asks_only_for_what_was_set() {
        assert!(TransactionFilter::new().query().is_empty());

        let query = TransactionFilter::new().status(Status::Pending).limit(5).cursor("abc").query();
        let expected = [("limit", "5"), ("cursor", "abc"), ("status", "pending")];
        assert_eq!(query, expected.map(|(name, value)| (name, value.to_owned())));
    }
}
