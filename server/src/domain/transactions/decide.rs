//! Every way a transaction ends before it is sent, and the request to cancel one that was.

use super::{Actor, Change, Transaction, view};
use crate::{
    domain::{Caller, Error, Result, User},
    state::State,
    store::{
        Write, nonce_slots, payloads,
        transactions::{self, Model},
    },
    value::{AgentId, CancelCause, PayloadKind, SlotState, Status, Text, Time, TransactionId},
};

/// How many overdue transactions are read at once.
const OVERDUE_AT_ONCE: u64 = 100;

/// What becomes of the nonce of an approved transaction that is withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// The next approval gets it. Copies of the payment stay valid until then.
    Keep,
    /// Its cancel is sent at once, so that no copy of the payment can be used any more.
    Burn,
}

impl Release {
    /// As a caller asks for it; nothing said keeps the nonce.
    pub fn from_burn(burn: Option<bool>) -> Self {
        if burn == Some(true) { Self::Burn } else { Self::Keep }
    }
}

/// What the decision table says of an approval: true when it was given already, false when it is still open.
pub(super) fn is_approved(row: &Model) -> Result<bool> {
    match row.status {
        Status::Pending => Ok(false),
        Status::Authorized | Status::Submitted | Status::Mined | Status::Confirmed | Status::Reverted => Ok(true),
        Status::Expired => Err(Error::Expired),
        status => Err(Error::InvalidState(status)),
    }
}

/// Refuses a transaction for good. Repeats are no error.
///
/// Fails with [`Error::NotFound`], [`Error::InvalidState`] once it is approved or ended, [`Error::Expired`].
pub async fn reject(state: &State, user: &User, id: TransactionId, reason: Option<Text>) -> Result<Transaction> {
    let row = super::find_for_user(state, user, id).await?;
    if expire_if_late(state, &row).await? {
        return Err(Error::Expired);
    }
    let change = Change::begin(state, row.user_id).await?;
    let row = reload(&change.write, &row).await?;
    match row.status {
        Status::Pending => {}
        Status::Rejected => return view(state, row).await,
        Status::Expired => return Err(Error::Expired),
        status => return Err(Error::InvalidState(status)),
    }
    let after = Model { status: Status::Rejected, decided_at: Some(change.at), reason, ..row.clone() };
    let after = change.save(Actor::User, "rejected", &row, after).await?;
    change.commit().await?;
    view(state, after).await
}

/// Withdraws a transaction that was not sent, or asks for the cancel of one that was. Repeats are no error.
///
/// The user may always; the agent that prepared it until it is submitted ([`Error::Forbidden`] after).
/// Fails with [`Error::NotFound`], [`Error::InvalidState`], [`Error::Expired`].
pub async fn cancel(state: &State, caller: &Caller, id: TransactionId, release: Release) -> Result<Transaction> {
    let row = super::find(state, caller, id).await?;
    if expire_if_late(state, &row).await? {
        return Err(Error::Expired);
    }
    let change = Change::begin(state, row.user_id).await?;
    let row = reload(&change.write, &row).await?;
    let actor = match caller {
        Caller::User(_) => Actor::User,
        Caller::Agent(agent) => Actor::Agent(agent.agent_id),
    };
    let after = match row.status {
        Status::Pending | Status::Authorized => {
            release_slot(&change.write, &row, change.at, release).await?;
            let after = Model { status: Status::Cancelled, ..row.clone() };
            change.save(actor, "cancelled", &row, after).await?
        }
        Status::Cancelled if release == Release::Burn && burn(&change.write, &row, change.at).await? => {
            change.save(actor, "burned", &row, row.clone()).await?
        }
        Status::Cancelled => return view(state, row).await,
        Status::Submitted | Status::Mined if matches!(actor, Actor::Agent(_)) => {
            return Err(Error::Forbidden("only its owner can cancel a transaction that was submitted"));
        }
        Status::Submitted | Status::Mined if row.cancelling.is_some() => return view(state, row).await,
        Status::Submitted | Status::Mined => {
            let after = Model { cancelling: Some(CancelCause::Asked), ..row.clone() };
            change.save(actor, "cancelling", &row, after).await?
        }
        Status::Expired => return Err(Error::Expired),
        status => return Err(Error::InvalidState(status)),
    };
    change.commit().await?;
    state.nudges.ring(after.chain_id, after.address);
    view(state, after).await
}

/// Withdraws everything of a revoked agent that was not executed, in the commit that revokes it. Gives what it withdrew.
pub(in crate::domain) async fn withdraw_all(
    write: Write,
    agent_id: AgentId,
    at: Time,
    release: Release,
) -> Result<(Write, Vec<Model>)> {
    let change = Change { write, at };
    let mut withdrawn = Vec::new();
    for row in transactions::list_unsent_for_agent(&change.write, agent_id).await? {
        release_slot(&change.write, &row, at, release).await?;
        let reason = "its agent was revoked".parse().ok();
        let after = Model { status: Status::Cancelled, reason, ..row.clone() };
        withdrawn.push(change.save(Actor::User, "cancelled", &row, after).await?);
    }
    Ok((change.write, withdrawn))
}

/// Ends what was not decided or executed in time; gives how many. One that cannot be ended keeps none of the others.
pub async fn expire_overdue(state: &State) -> Result<usize> {
    let (now, mut count, mut after, mut failed) = (state.clock.now(), 0, None, None);
    loop {
        let overdue = transactions::list_overdue(&state.store, now, after, OVERDUE_AT_ONCE).await?;
        let Some(&last) = overdue.last() else { return failed.map_or(Ok(count), Err) };
        for id in overdue {
            let ended = async {
                let row = transactions::find(&state.store, id).await?.ok_or(Error::Integrity("transaction row"))?;
                expire_if_late(state, &row).await
            };
            match ended.await {
                Ok(_) => count += 1,
                Err(error) => {
                    let cause = &error as &dyn std::error::Error;
                    tracing::error!(transaction.id = %id, error = cause, "a transaction cannot be ended");
                    failed = Some(error);
                }
            }
        }
        after = Some(last);
    }
}

/// Ends a transaction whose time is over. True when it is, whoever ended it.
pub(super) async fn expire_if_late(state: &State, row: &Model) -> Result<bool> {
    if !is_late(row, state.clock.now()) {
        return Ok(false);
    }
    let change = Change::begin(state, row.user_id).await?;
    let row = reload(&change.write, row).await?;
    if !is_late(&row, change.at) {
        return Ok(row.status == Status::Expired);
    }
    let reason =
        if row.status == Status::Pending { "it was not decided in time" } else { "it was not executed in time" };
    expire(&change, &row, "expired", reason).await?;
    change.commit().await?;
    Ok(true)
}

/// Ends a transaction that nobody has sent, whatever the reason.
pub(in crate::domain) async fn expire(change: &Change, row: &Model, event: &str, reason: &str) -> Result<()> {
    release_slot(&change.write, row, change.at, Release::Keep).await?;
    let after = Model { status: Status::Expired, reason: reason.parse().ok(), ..row.clone() };
    change.save(Actor::Server, event, row, after).await?;
    Ok(())
}

pub(super) fn is_late(row: &Model, now: Time) -> bool {
    match row.status {
        Status::Pending => row.expires_at <= now,
        Status::Authorized => row.execute_by.is_some_and(|execute_by| execute_by <= now),
        _ => false,
    }
}

/// Gives a nonce back that no byte has used: the payment's bytes are deleted, its cancel and all hashes stay.
async fn release_slot(write: &Write, row: &Model, at: Time, release: Release) -> Result<()> {
    let Some(slot) = nonce_slots::find_for_transaction(write, row.transaction_id).await? else { return Ok(()) };
    if slot.state != SlotState::Held {
        return Ok(());
    }
    payloads::delete_bytes(write, row.transaction_id, PayloadKind::Payment).await?;
    let void = nonce_slots::Model { state: SlotState::Void, changed_at: at, ..slot.clone() };
    if !nonce_slots::save(write, &slot, &void).await? {
        return Err(Error::Busy);
    }
    if release == Release::Burn {
        burn(write, row, at).await?;
    }
    Ok(())
}

/// Commits to sending the cancel of a transaction that was withdrawn unsent. False when its nonce is not open any more.
async fn burn(write: &Write, row: &Model, at: Time) -> Result<bool> {
    let slot = nonce_slots::find_for_transaction(write, row.transaction_id).await?;
    let Some(slot) = slot.filter(|slot| slot.state == SlotState::Void) else { return Ok(false) };
    let forms = payloads::list_for_transactions(write, &[row.transaction_id]).await?;
    let cancel = forms.iter().find(|form| form.kind == PayloadKind::Cancel).ok_or(Error::Integrity("payloads"))?;
    payloads::mark_sent(write, row.transaction_id, cancel.hash, at).await?;
    let sent = nonce_slots::Model { state: SlotState::Sent, changed_at: at, ..slot.clone() };
    if nonce_slots::save(write, &slot, &sent).await? { Ok(true) } else { Err(Error::Busy) }
}

/// The row again, inside the transaction that will change it.
async fn reload(write: &Write, row: &Model) -> Result<Model> {
    transactions::find(write, row.transaction_id).await?.ok_or(Error::NotFound("transaction"))
}
