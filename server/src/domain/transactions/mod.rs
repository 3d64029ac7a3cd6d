//! Requests to move something, from preparation to their final state.

use std::{collections::HashMap, time::Duration};

use tokio::{sync::broadcast::error::RecvError, time::Instant};

use super::{Agent, Caller, Error, Page, PageOf, Result, User};
use crate::{
    state::State,
    store::{
        nonce_slots, payloads,
        transactions::{self, Model},
    },
    value::{Address, AgentId, SlotState, Status, Time, TransactionHash, TransactionId},
};

mod authorize;
mod change;
mod clear;
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
#[cfg(test)]
pub(super) use clear::clear_known;
pub use clear::{Clearance, ClearancePreview, clear_nonce, preview_clearing};
pub use decide::{Release, cancel, expire_overdue, reject};
pub(super) use decide::{expire, withdraw_all};
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
    /// Whether it ended and copies of its signed payment could still be mined, since nothing has used its nonce.
    pub valid_until_nonce_used: bool,
    /// Whether its cancel is on the way: in its own place, or to use the nonce that it left open.
    pub cancelling: bool,
}

impl Transaction {
    fn new(row: Model, forms: Vec<payloads::Form>, valid_until_nonce_used: bool) -> Self {
        let sent: Vec<_> = forms.into_iter().filter(|form| form.sent_at.is_some()).collect();
        let mined = row.block.as_ref().map(|block| block.0.transaction_hash);
        let last = sent.iter().max_by_key(|form| (form.sent_at, form.rung)).map(|form| form.hash);
        let hashes = sent.iter().map(|form| form.hash).collect();
        // Of one that ended unsent, nothing but its cancel can have been sent.
        let cancelling = row.cancelling.is_some() || (valid_until_nonce_used && last.is_some());
        Self { hash: mined.or(last), hashes, row, valid_until_nonce_used, cancelling }
    }

    /// Until when it can be executed: less than it was given, when others wait for its nonce.
    pub fn execute_by(&self) -> Option<Time> {
        self.row.execute_by.map(|execute_by| self.row.gives_way_at.map_or(execute_by, |way| way.min(execute_by)))
    }
}

/// Completes a row.
async fn view(state: &State, row: Model) -> Result<Transaction> {
    let forms = payloads::list_for_transactions(&state.store, &[row.transaction_id]).await?;
    let valid_until_nonce_used = is_valid_until_nonce_used(state, &row).await?;
    Ok(Transaction::new(row, forms, valid_until_nonce_used))
}

/// Whether a transaction ended after it was signed, and its nonce is still open.
async fn is_valid_until_nonce_used(state: &State, row: &Model) -> Result<bool> {
    let ended_signed = matches!(row.status, Status::Expired | Status::Cancelled);
    let Some(nonce) = row.nonce.filter(|_| ended_signed) else { return Ok(false) };
    let slot = nonce_slots::find(&state.store, row.chain_id, row.address, nonce).await?;
    Ok(slot.is_some_and(|slot| slot.state != SlotState::Used))
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
    let mut forms: HashMap<TransactionId, Vec<payloads::Form>> = HashMap::new();
    for form in payloads::list_for_transactions(&state.store, &ids).await? {
        forms.entry(form.transaction_id).or_default().push(form);
    }
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        let valid_until_nonce_used = is_valid_until_nonce_used(state, &row).await?;
        let forms = forms.remove(&row.transaction_id).unwrap_or_default();
        items.push(Transaction::new(row, forms, valid_until_nonce_used));
    }
    Ok(PageOf { items, next: page.next })
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
