//! Requests to move something, from preparation to their final state.

use std::{collections::HashMap, time::Duration};

use tokio::{sync::broadcast::error::RecvError, time::Instant};

use super::{Agent, Caller, Error, Page, PageOf, Result, User};
use crate::{
    state::State,
    store::{
        payloads,
        transactions::{self, Model},
    },
    value::{Address, AgentId, Status, TransactionHash, TransactionId},
};

mod authorize;
mod change;
mod decide;
mod draft;
mod execute;
mod prepare;
mod send;
mod sign;

pub use authorize::{Approval, authorize, authorize_all};
#[cfg(test)]
pub(super) use authorize::{Candidate, decide_on, refresh, repriced};
pub(super) use change::{Actor, Change};
pub use decide::{cancel, expire_overdue, reject};
pub(super) use decide::{release_slot, withdraw_all};
pub use execute::execute;
pub use prepare::{Preparation, prepare};
pub use send::{Draft, Send, preview, send};

/// How often a waiting request looks by itself: another server may have made the change.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is stored of a transaction.
pub type Row = Model;

/// A transaction as its owner and its agent see it.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// The row.
    pub row: Row,
    /// The hashes of everything that was sent for it, cheapest first, its cancel last.
    pub hashes: Vec<TransactionHash>,
    /// The mined hash, else the one sent last.
    pub hash: Option<TransactionHash>,
}

impl Transaction {
    fn new(row: Model, payloads: Vec<payloads::Model>) -> Self {
        let sent: Vec<_> = payloads.into_iter().filter(|payload| payload.sent_at.is_some()).collect();
        let mined = row.block.as_ref().map(|block| block.0.transaction_hash);
        let last = sent.iter().max_by_key(|payload| (payload.sent_at, payload.rung)).map(|payload| payload.hash);
        Self { hash: mined.or(last), hashes: sent.iter().map(|payload| payload.hash).collect(), row }
    }
}

/// Completes a row.
async fn view(state: &State, row: Model) -> Result<Transaction> {
    let payloads = payloads::list_for_transactions(&state.store, &[row.transaction_id]).await?;
    Ok(Transaction::new(row, payloads))
}

/// The caller's transaction. Fails with [`Error::NotFound`] alike for one that is not theirs.
async fn find(state: &State, caller: &Caller, id: TransactionId) -> Result<Model> {
    match caller {
        Caller::User(user) => find_for_user(state, user, id).await,
        Caller::Agent(agent) => find_for_agent(state, agent, id).await,
    }
}

async fn find_for_user(state: &State, user: &User, id: TransactionId) -> Result<Model> {
    let row = transactions::find_for_user(&state.store, user.user_id, id).await?;
    row.ok_or(Error::NotFound("transaction"))
}

async fn find_for_agent(state: &State, agent: &Agent, id: TransactionId) -> Result<Model> {
    let row = transactions::find_for_agent(&state.store, agent.agent_id, id).await?;
    row.ok_or(Error::NotFound("transaction"))
}

/// How a caller narrows their list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only in this status.
    pub status: Option<Status>,
    /// Only what this agent prepared.
    pub agent_id: Option<AgentId>,
    /// Only from this account.
    pub address: Option<Address>,
}

/// The caller's transactions: all of a user's, or those an agent prepared.
pub async fn list(
    state: &State,
    caller: &Caller,
    filter: Filter,
    page: Page<TransactionId>,
) -> Result<PageOf<Transaction, TransactionId>> {
    let mut filter = transactions::Filter {
        status: filter.status,
        agent_id: filter.agent_id,
        address: filter.address,
        before: page.before,
    };
    if let Caller::Agent(agent) = caller {
        if filter.agent_id.is_some_and(|agent_id| agent_id != agent.agent_id) {
            return Ok(PageOf { items: Vec::new(), next: None });
        }
        filter.agent_id = Some(agent.agent_id);
    }
    let rows = transactions::list_for_user(&state.store, caller.user_id(), filter, page.limit + 1).await?;
    let page = PageOf::from_one_more(rows, page.limit, |row| row.transaction_id);
    let ids: Vec<_> = page.items.iter().map(|row| row.transaction_id).collect();
    let mut payloads: HashMap<TransactionId, Vec<payloads::Model>> = HashMap::new();
    for payload in payloads::list_for_transactions(&state.store, &ids).await? {
        payloads.entry(payload.transaction_id).or_default().push(payload);
    }
    let items = page.items.into_iter().map(|row| {
        let payloads = payloads.remove(&row.transaction_id).unwrap_or_default();
        Transaction::new(row, payloads)
    });
    Ok(PageOf { items: items.collect(), next: page.next })
}

/// The transaction: at once when its version is not `known_version`, else as soon as it changes, else after `wait`.
pub async fn status(
    state: &State,
    caller: &Caller,
    id: TransactionId,
    known_version: Option<i64>,
    wait: Duration,
) -> Result<Transaction> {
    let until = Instant::now() + wait;
    // Subscribed before the first look, so that no change falls between the two.
    let mut changes = state.store.changes();
    loop {
        let row = find(state, caller, id).await?;
        let now = Instant::now();
        if known_version != Some(row.version) || now >= until {
            return view(state, row).await;
        }
        let look_again = until.min(now + LOOK_EVERY);
        loop {
            match tokio::time::timeout_at(look_again, changes.recv()).await {
                Ok(Ok(changed)) if changed != id => {}
                Ok(Ok(_)) | Ok(Err(RecvError::Lagged(_))) | Err(_) => break,
                Ok(Err(RecvError::Closed)) => {
                    tokio::time::sleep_until(look_again).await;
                    break;
                }
            }
        }
    }
}
