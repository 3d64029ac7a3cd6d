//! An agent executes what a human approved. No key is near: the bytes were signed at approval.

use super::{Actor, Change, Transaction, decide, view};
use crate::{
    domain::{Agent, Error, Result, digest},
    state::State,
    store::{
        nonce_slots, payloads,
        transactions::{self, Model},
    },
    value::{SlotState, Status, TransactionId, WaitingReason},
};

/// Commits to sending, durably, and wakes the tracker that sends. Repeats give the same transaction.
///
/// Fails with [`Error::NotFound`], [`Error::InvalidState`] before approval and after a refusal, [`Error::Expired`],
/// [`Error::NonceUsedElsewhere`] when the chain has used its nonce, [`Error::Integrity`].
pub async fn execute(state: &State, agent: &Agent, id: TransactionId) -> Result<Transaction> {
    let row = super::find_for_agent(state, agent, id).await?;
    if is_executed(&row)? {
        return view(state, row).await;
    }
    if decide::expire_if_late(state, &row).await? {
        return Err(Error::Expired);
    }
    let change = Change::begin(state, row.user_id).await?;
    let row = transactions::find_for_agent(&change.write, agent.agent_id, id).await?;
    let row = row.ok_or(Error::NotFound("transaction"))?;
    if is_executed(&row)? {
        return view(state, row).await;
    }
    // It may have waited for the lock meanwhile.
    if decide::is_late(&row, change.at) {
        return Err(Error::Expired);
    }
    // What is stored proves nothing: somebody may have written to it since it was approved.
    if digest::digest(&row) != row.digest {
        return Err(Error::Integrity("transaction row"));
    }
    if row.waiting_reason == Some(WaitingReason::NonceUsedElsewhere) {
        return Err(Error::NonceUsedElsewhere);
    }
    let slot = nonce_slots::find_for_transaction(&change.write, id).await?;
    let slot = slot.filter(|slot| slot.state == SlotState::Held).ok_or(Error::Integrity("nonce slot"))?;
    let sent = nonce_slots::Model { state: SlotState::Sent, changed_at: change.at, ..slot.clone() };
    if !nonce_slots::save(&change.write, &slot, &sent).await? {
        return Err(Error::Busy);
    }
    let ladder = payloads::list_for_transactions(&change.write, &[id]).await?;
    let first = ladder.first().ok_or(Error::Integrity("payloads"))?;
    payloads::mark_sent(&change.write, id, first.hash, change.at).await?;
    let after = Model { status: Status::Submitted, gives_way_at: None, ..row.clone() };
    let after = change.save(Actor::Agent(agent.agent_id), "submitted", &row, after).await?;
    change.commit().await?;
    state.nudges.ring(after.chain_id, after.address);
    view(state, after).await
}

/// What the decision table says: true when it was executed already, false when it can be.
fn is_executed(row: &Model) -> Result<bool> {
    match row.status {
        Status::Authorized => Ok(false),
        Status::Submitted | Status::Mined | Status::Confirmed | Status::Reverted => Ok(true),
        Status::Expired => Err(Error::Expired),
        status => Err(Error::InvalidState(status)),
    }
}
