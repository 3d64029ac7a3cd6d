//! The rules: who may do what, the states of a transaction, nonces and fees. One file per noun.
//!
//! Permission is an argument: a rule that takes a [`User`] or an [`Agent`] was reached with that credential.

pub mod agents;
mod attempts;
pub mod chains;
pub mod digest;
mod error;
mod foreign;
pub mod health;
pub mod housekeeping;
mod idempotency;
pub mod keystores;
pub mod ladder;
pub mod mfa;
pub mod nonces;
mod passwords;
mod preview;
pub mod restore;
pub mod sessions;
pub mod tokens;
pub mod tracking;
pub mod transactions;
pub mod users;
pub mod wallets;

pub use agents::Agent;
pub use error::{Error, Result};
pub use sessions::User;

/// Whoever is asking.
#[derive(Debug)]
pub enum Caller {
    /// A human with a session.
    User(User),
    /// A program with an API key.
    Agent(Agent),
}

impl Caller {
    /// Whose things these are.
    pub fn user_id(&self) -> crate::value::UserId {
        match self {
            Self::User(user) => user.user_id,
            Self::Agent(agent) => agent.user_id,
        }
    }
}

/// What a creation gave.
#[derive(Debug)]
pub enum Outcome<T> {
    /// A new thing.
    Created(T),
    /// The thing that the same request made before, as it is now.
    Known(T),
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Page<Id> {
    /// How many, 1 to 100.
    pub limit: u64,
    /// The last one of the page before.
    pub before: Option<Id>,
}

/// A part of a list, newest first.
#[derive(Debug)]
pub struct PageOf<T, Id> {
    /// The things.
    pub items: Vec<T>,
    /// Where the next part begins; none: this is the end.
    pub next: Option<Id>,
}

impl<T, Id> PageOf<T, Id> {
    /// Makes a page of up to `limit` from a query for one more.
    fn from_one_more(mut items: Vec<T>, limit: u64, id: impl Fn(&T) -> Id) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(id) } else { None };
        Self { items, next }
    }
}
