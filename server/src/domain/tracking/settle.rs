//! Recording a step: one commit each, under the owner's lock, from what is stored then.

use std::collections::BTreeSet;

use super::plan::Step;
use crate::{
    domain::{
        Error, Result,
        transactions::{Actor, Change},
    },
    state::State,
    store::{
        Json, nonce_slots, payloads,
        transactions::{self, Model},
    },
    value::{Block, CancelCause, PayloadKind, SlotState, Status, TransactionId, UserId, WaitingReason},
};

/// What an owner has to hear of at once: bytes that this server never sent are in a block.
const ALARM: &str = "alarm_unsent_bytes_mined";

/// Records a step. Gives the form whose bytes may be sent now that this is durable.
pub(super) async fn settle(state: &State, step: &Step) -> Result<Option<payloads::Model>> {
    match step {
        Step::Include { slot, payload, block, is_final } => {
            let inclusion = Inclusion { slot, payload, block, is_final: *is_final };
            inclusion.settle(state).await.map(|()| None)
        }
        Step::Forget(row) => forget(state, row).await.map(|()| None),
        Step::Supersede(slot, row) => supersede(state, slot, row).await.map(|()| None),
        Step::Fill(cancel) => fill(state, cancel).await,
        Step::Send(payload) => send(state, payload).await,
        Step::Wait(row, reason, blocked_by) => wait(state, row, *reason, *blocked_by).await.map(|()| None),
    }
}

async fn begin(state: &State, id: TransactionId) -> Result<(Change, Model)> {
    let user_id = find(&state.store, id).await?.user_id;
    begin_for(state, user_id, id).await
}

async fn begin_for(state: &State, user_id: UserId, id: TransactionId) -> Result<(Change, Model)> {
    let change = Change::begin(state, user_id).await?;
    let row = find(&change.write, id).await?;
    Ok((change, row))
}

async fn find(read: &impl crate::store::Read, id: TransactionId) -> Result<Model> {
    transactions::find(read, id).await?.ok_or(Error::Integrity("transaction row"))
}

struct Inclusion<'step> {
    slot: &'step nonce_slots::Model,
    payload: &'step payloads::Model,
    block: &'step Block,
    is_final: bool,
}

impl Inclusion<'_> {
    async fn settle(&self, state: &State) -> Result<()> {
        let Self { slot, payload, is_final, .. } = self;
        let (change, row) = begin(state, payload.transaction_id).await?;
        let stored = nonce_slots::find_for_transaction(&change.write, slot.transaction_id).await?;
        if stored.as_ref() != Some(*slot) {
            // Somebody else has recorded something since, perhaps that it is final; the next look starts from that.
            return Ok(());
        }
        let to = if *is_final { SlotState::Used } else { SlotState::Sent };
        if to != slot.state && !nonce_slots::save(&change.write, slot, to, slot.transaction_id, change.at).await? {
            return Ok(());
        }
        let forms = payloads::list_for_transactions(&change.write, &[payload.transaction_id]).await?;
        let was_sent = forms.iter().any(|form| form.hash == payload.hash && form.sent_at.is_some());
        if !was_sent {
            payloads::mark_sent(&change.write, payload.transaction_id, payload.hash, change.at).await?;
        }
        match self.outcome(&row) {
            Some((event, after)) => {
                change.save(Actor::Server, if was_sent { event } else { ALARM }, &row, after).await?;
            }
            None if !was_sent => {
                change.save(Actor::Server, ALARM, &row, row.clone()).await?;
            }
            None => {}
        }
        if *is_final {
            end_others(&change, slot, payload.transaction_id).await?;
        }
        change.commit().await
    }

    /// What becomes of the transaction whose form is in the block; none when nothing does.
    fn outcome(&self, row: &Model) -> Option<(&'static str, Model)> {
        let Self { payload, block, is_final, .. } = self;
        let mined = Some(Json((*block).clone()));
        let (event, after) = match (payload.kind, is_final) {
            (PayloadKind::Payment, false) => ("mined", Model { status: Status::Mined, block: mined, ..row.clone() }),
            (PayloadKind::Payment, true) => {
                let (event, status) =
                    if block.succeeded { ("confirmed", Status::Confirmed) } else { ("reverted", Status::Reverted) };
                (event, Model { status, block: mined, cancelling: None, ..row.clone() })
            }
            // Not ours to execute any more: whoever sent its cancel has taken its nonce.
            (PayloadKind::Cancel, false) if row.status == Status::Authorized => {
                let cancelling = Some(CancelCause::Asked);
                ("cancelling", Model { status: Status::Submitted, cancelling, ..row.clone() })
            }
            (PayloadKind::Cancel, true) if !row.status.is_final() => {
                let (event, status) = match row.cancelling {
                    Some(CancelCause::Refused) => ("failed", Status::Failed),
                    _ => ("cancelled", Status::Cancelled),
                };
                (event, Model { status, block: mined, cancelling: None, ..row.clone() })
            }
            (PayloadKind::Cancel, _) => return None,
        };
        (after != *row).then_some((event, after))
    }
}

async fn forget(state: &State, row: &Model) -> Result<()> {
    let seen = row.version;
    let (change, row) = begin_for(state, row.user_id, row.transaction_id).await?;
    if row.version != seen {
        return Ok(());
    }
    // Ended before it was sent, and mined all the same: nothing is left to send of it but its cancel.
    let forms = payloads::list_for_transactions(&change.write, &[row.transaction_id]).await?;
    let is_withdrawn = forms.iter().all(|form| form.kind == PayloadKind::Cancel || form.bytes.is_none());
    let cancelling = row.cancelling.or(is_withdrawn.then_some(CancelCause::Asked));
    let after = Model { status: Status::Submitted, block: None, cancelling, ..row.clone() };
    change.save(Actor::Server, "reorganised", &row, after).await?;
    change.commit().await
}

async fn supersede(state: &State, slot: &nonce_slots::Model, row: &Model) -> Result<()> {
    let seen = row.version;
    let (change, row) = begin_for(state, row.user_id, row.transaction_id).await?;
    // Another server may have found it in a block since.
    if row.version != seen {
        return Ok(());
    }
    if !nonce_slots::save(&change.write, slot, SlotState::Used, slot.transaction_id, change.at).await? {
        return Ok(());
    }
    end_superseded(&change, row).await?;
    end_others(&change, slot, slot.transaction_id).await?;
    change.commit().await
}

/// A final nonce ends every transaction that was signed for it, and that is not over, but the one it belongs to.
async fn end_others(change: &Change, slot: &nonce_slots::Model, but: TransactionId) -> Result<()> {
    let signed = payloads::list_from_nonce(&change.write, slot.chain_id, slot.address, slot.nonce).await?;
    let here = signed.iter().filter(|form| form.nonce == slot.nonce && form.transaction_id != but);
    let ids: BTreeSet<TransactionId> = here.map(|form| form.transaction_id).collect();
    for id in ids {
        let row = find(&change.write, id).await?;
        end_superseded(change, row).await?;
    }
    Ok(())
}

async fn end_superseded(change: &Change, row: Model) -> Result<()> {
    if !matches!(row.status, Status::Authorized | Status::Submitted | Status::Mined) {
        return Ok(());
    }
    let reason = "its nonce was used by other bytes of the same wallet".parse().ok();
    let after = Model { status: Status::Superseded, cancelling: None, reason, block: None, ..row.clone() };
    change.save(Actor::Server, "superseded", &row, after).await?;
    Ok(())
}

async fn fill(state: &State, cancel: &payloads::Model) -> Result<Option<payloads::Model>> {
    let (change, row) = begin(state, cancel.transaction_id).await?;
    let slot = nonce_slots::find_for_transaction(&change.write, row.transaction_id).await?;
    let Some(slot) = slot.filter(|slot| slot.state == SlotState::Void) else { return Ok(None) };
    if !nonce_slots::save(&change.write, &slot, SlotState::Sent, row.transaction_id, change.at).await? {
        return Ok(None);
    }
    payloads::mark_sent(&change.write, cancel.transaction_id, cancel.hash, change.at).await?;
    change.commit().await?;
    Ok(Some(cancel.clone()))
}

/// Sending again needs no commit; sending for the first time does, before the first byte leaves.
async fn send(state: &State, payload: &payloads::Model) -> Result<Option<payloads::Model>> {
    if payload.sent_at.is_some() {
        return Ok(Some(payload.clone()));
    }
    let (change, row) = begin(state, payload.transaction_id).await?;
    let slot = nonce_slots::find_for_transaction(&change.write, row.transaction_id).await?;
    let is_sent = slot.is_some_and(|slot| slot.state == SlotState::Sent);
    let is_cancelling = row.cancelling.is_some() || row.status != Status::Submitted;
    // Asked to cancel since the look: then the payment is neither sent nor bumped any more.
    if !is_sent || is_cancelling != (payload.kind == PayloadKind::Cancel) {
        return Ok(None);
    }
    payloads::mark_sent(&change.write, payload.transaction_id, payload.hash, change.at).await?;
    let after = Model { waiting_reason: Some(WaitingReason::Inclusion), ..row.clone() };
    let event = if payload.kind == PayloadKind::Cancel { "cancel_sent" } else { "sped_up" };
    if row.status == Status::Submitted {
        change.save(Actor::Server, event, &row, after).await?;
    }
    change.commit().await?;
    Ok(Some(payload.clone()))
}

async fn wait(state: &State, row: &Model, reason: WaitingReason, blocked_by: Option<TransactionId>) -> Result<()> {
    let (change, row) = begin_for(state, row.user_id, row.transaction_id).await?;
    if row.status != Status::Submitted {
        return Ok(());
    }
    let waiting_since = if row.waiting_reason == Some(reason) { row.waiting_since } else { Some(change.at) };
    let after = Model { waiting_reason: Some(reason), waiting_since, blocked_by, ..row.clone() };
    change.save(Actor::Server, "waiting", &row, after).await?;
    change.commit().await
}

/// Nodes refuse a payment for good: its cancel is to take the nonce.
pub(super) async fn refuse(state: &State, payload: &payloads::Model, reason: &str) -> Result<()> {
    let (change, row) = begin(state, payload.transaction_id).await?;
    let is_open = row.status == Status::Submitted && row.cancelling.is_none();
    if payload.kind == PayloadKind::Cancel || !is_open {
        tracing::warn!(transaction.id = %payload.transaction_id, reason, "a node refuses bytes that must be sent");
        return Ok(());
    }
    let after = Model { cancelling: Some(CancelCause::Refused), reason: reason.parse().ok(), ..row.clone() };
    change.save(Actor::Server, "refused", &row, after).await?;
    change.commit().await
}
