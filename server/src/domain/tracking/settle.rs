//! Recording a step: one commit each, under the owner's lock, from what is stored then.

use std::collections::BTreeSet;

use super::{
    plan::ended_unsent,
    step::{Step, Waiting},
};
use crate::{
    chain::BlockRef,
    domain::{
        Error, Result,
        nonces::{self, Account},
        transactions::{self as rules, Actor, Change},
    },
    state::State,
    store::{
        self, Json, chain_marks, nonce_slots, payloads,
        transactions::{self, Model, Outline},
    },
    value::{
        Block, CancelCause, Evidence, Height, PayloadKind, SlotState, Status, TransactionHash, TransactionId, UserId,
    },
};

/// What an owner has to hear of at once: bytes that this server never sent are in a block.
const ALARM: &str = "alarm_unsent_bytes_mined";

/// What an owner has to hear of at once: the chain contradicts what it had made final.
pub(super) const VIOLATION: &str = "finality_violation";

/// Records a step. Gives the form whose bytes may be sent now that this is durable.
pub(super) async fn settle(state: &State, step: &Step) -> Result<Option<payloads::Form>> {
    match step {
        Step::Include { slot, form, block, evidence, reason } => {
            let inclusion = Inclusion { slot, form, block, evidence: *evidence, reason: reason.as_deref() };
            inclusion.settle(state).await.map(|()| None)
        }
        Step::Reorganise(row) => reorganise(state, row).await.map(|()| None),
        Step::Supersede { slot, row, by, block, evidence } => {
            supersede(state, slot, row, *by, *block, *evidence).await.map(|()| None)
        }
        Step::GiveWay(row) => give_way(state, row).await.map(|()| None),
        Step::GaveWay(row) => gave_way(state, row).await.map(|()| None),
        Step::Fill(cancel) => fill(state, cancel).await,
        Step::Send(form) => send(state, form).await,
        Step::Refuse { form, reason } => refuse(state, form, reason).await.map(|()| None),
        Step::Wait { row, waiting, accepted } => wait(state, row, waiting, *accepted).await.map(|()| None),
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

async fn find(read: &impl store::Read, id: TransactionId) -> Result<Model> {
    transactions::find(read, id).await?.ok_or(Error::Integrity("transaction row"))
}

struct Inclusion<'step> {
    slot: &'step nonce_slots::Model,
    form: &'step payloads::Form,
    block: &'step Block,
    /// On whose word it is final; none: it is not.
    evidence: Option<Evidence>,
    reason: Option<&'step str>,
}

impl Inclusion<'_> {
    async fn settle(&self, state: &State) -> Result<()> {
        let Self { slot, form, block, evidence, .. } = *self;
        let is_final = evidence.is_some();
        let (change, row) = begin(state, form.transaction_id).await?;
        let stored = nonce_slots::find_for_transaction(&change.write, slot.transaction_id).await?;
        if stored.as_ref() != Some(slot) {
            // Somebody else has recorded something since, perhaps that it is final; the next look starts from that.
            return Ok(());
        }
        let after = if is_final {
            let used_at_height = Some(Height(block.number));
            let (state, used_by) = (SlotState::Used, Some(form.hash));
            nonce_slots::Model { state, used_by, used_at_height, changed_at: change.at, ..slot.clone() }
        } else if form.transaction_id == slot.transaction_id {
            nonce_slots::Model { state: SlotState::Sent, changed_at: change.at, ..slot.clone() }
        } else {
            slot.clone()
        };
        if after.state != slot.state && !nonce_slots::save(&change.write, slot, &after).await? {
            return Ok(());
        }
        let forms = payloads::list_for_transactions(&change.write, &[form.transaction_id]).await?;
        let was_sent = forms.iter().any(|known| known.hash == form.hash && known.sent_at.is_some());
        if !was_sent {
            payloads::mark_sent(&change.write, form.transaction_id, form.hash, change.at).await?;
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
        if is_final {
            self.finish(&change).await?;
        }
        change.commit().await
    }

    /// All that a final block means beside the transaction itself.
    async fn finish(&self, change: &Change) -> Result<()> {
        let Self { slot, form, block, evidence, .. } = self;
        match form.kind {
            // Only these very bytes may ever be sent again, should the chain take the block back.
            PayloadKind::Payment => {
                payloads::delete_bytes_but(&change.write, form.transaction_id, form.hash).await?;
            }
            PayloadKind::Cancel => {
                payloads::delete_bytes(&change.write, form.transaction_id, PayloadKind::Payment).await?;
            }
        }
        end_others(change, slot, form.transaction_id, *evidence).await?;
        let (chain_id, address) = (slot.chain_id, slot.address);
        nonces::advance_mark(&change.write, Account { chain_id, address }).await?;
        let mark = chain_marks::Model { chain_id, height: Height(block.number), hash: block.hash };
        Ok(chain_marks::save(&change.write, mark).await?)
    }

    /// What becomes of the transaction whose form is in the block; none when nothing does.
    fn outcome(&self, row: &Model) -> Option<(&'static str, Model)> {
        let Self { form, block, evidence, .. } = self;
        let is_final = evidence.is_some();
        let mined = Some(Json((*block).clone()));
        let ended =
            |status| Model { status, block: mined.clone(), cancelling: None, evidence: *evidence, ..row.clone() };
        let reason = self.reason.and_then(|reason| reason.chars().take(280).collect::<String>().parse().ok());
        let was_final = row.status.is_final() && !ended_unsent(row.status, row.block.is_some());
        let (event, after) = match (form.kind, is_final) {
            (PayloadKind::Payment, false) if was_final => return None,
            (PayloadKind::Payment, false) => ("mined", Model { status: Status::Mined, block: mined, ..row.clone() }),
            (PayloadKind::Payment, true) if block.succeeded => ("confirmed", ended(Status::Confirmed)),
            (PayloadKind::Payment, true) => {
                let known = row.reason.clone().filter(|_| row.status == Status::Reverted);
                ("reverted", Model { reason: reason.or(known), ..ended(Status::Reverted) })
            }
            // Not ours to execute any more: whoever sent its cancel has taken its nonce.
            (PayloadKind::Cancel, false) if row.status == Status::Authorized => {
                let cancelling = Some(CancelCause::Asked);
                ("cancelling", Model { status: Status::Submitted, cancelling, ..row.clone() })
            }
            (PayloadKind::Cancel, true) if matches!(row.status, Status::Confirmed | Status::Reverted) => {
                (VIOLATION, ended(Status::Cancelled))
            }
            (PayloadKind::Cancel, true) if !row.status.is_final() => match row.cancelling {
                Some(CancelCause::Refused) => ("failed", ended(Status::Failed)),
                _ => ("cancelled", ended(Status::Cancelled)),
            },
            (PayloadKind::Cancel, _) => return None,
        };
        let contradicts = was_final && row.status != after.status;
        (after != *row).then_some((if contradicts { VIOLATION } else { event }, after))
    }
}

async fn reorganise(state: &State, outline: &Outline) -> Result<()> {
    let (change, row) = begin_for(state, outline.user_id, outline.transaction_id).await?;
    if row.version != outline.version {
        return Ok(());
    }
    // Ended before it was sent, and mined all the same: nothing is left to send of it but its cancel.
    let forms = payloads::list_for_transactions(&change.write, &[row.transaction_id]).await?;
    let mut is_withdrawn = true;
    for form in forms.iter().filter(|form| form.kind == PayloadKind::Payment) {
        let payload = payloads::find(&change.write, form.transaction_id, form.hash).await?;
        is_withdrawn &= payload.is_none_or(|payload| payload.bytes.is_none());
    }
    let cancelling = row.cancelling.or(is_withdrawn.then_some(CancelCause::Asked));
    // Nothing is left to send of one that has lost its nonce to another one: it is what it was before.
    let has_nonce = nonce_slots::find_for_transaction(&change.write, row.transaction_id).await?.is_some();
    let (status, cancelling) = if has_nonce { (Status::Submitted, cancelling) } else { (Status::Cancelled, None) };
    let after = Model { status, block: None, cancelling, ..row.clone() };
    change.save(Actor::Server, "reorganised", &row, after).await?;
    change.commit().await
}

async fn supersede(
    state: &State,
    slot: &nonce_slots::Model,
    outline: &Outline,
    by: Option<TransactionHash>,
    block: BlockRef,
    evidence: Evidence,
) -> Result<()> {
    let (change, row) = begin_for(state, outline.user_id, outline.transaction_id).await?;
    // Another server may have found it in a block since.
    if row.version != outline.version {
        return Ok(());
    }
    let (to, used_at_height) = (SlotState::Used, Some(Height(block.number)));
    let after = nonce_slots::Model { state: to, used_by: None, used_at_height, changed_at: change.at, ..slot.clone() };
    if !nonce_slots::save(&change.write, slot, &after).await? {
        return Ok(());
    }
    let reason = match by {
        Some(hash) => format!("its nonce was used by {hash}, which is not from here"),
        None => "its nonce was used by something that is not from here".to_owned(),
    };
    end_superseded(&change, row, Some(evidence), &reason).await?;
    end_others(&change, slot, slot.transaction_id, Some(evidence)).await?;
    let mark = chain_marks::Model { chain_id: slot.chain_id, height: Height(block.number), hash: block.hash };
    chain_marks::save(&change.write, mark).await?;
    change.commit().await
}

/// A final nonce ends every transaction that was signed for it, and that is not over, but the one it belongs to.
async fn end_others(
    change: &Change,
    slot: &nonce_slots::Model,
    but: TransactionId,
    evidence: Option<Evidence>,
) -> Result<()> {
    let (chain_id, address, nonce) = (slot.chain_id, slot.address, slot.nonce);
    let signed = payloads::list_for_nonces(&change.write, chain_id, address, nonce, nonce).await?;
    let others = signed.iter().filter(|form| form.transaction_id != but);
    let ids: BTreeSet<TransactionId> = others.map(|form| form.transaction_id).collect();
    for id in ids {
        let row = find(&change.write, id).await?;
        // What was final on a chain that began anew has nothing to do with this nonce.
        let was_here = signed.iter().any(|form| form.transaction_id == id && Some(form.hash) == slot.used_by);
        if was_here || !matches!(row.status, Status::Confirmed | Status::Reverted) {
            let reason = "its nonce was used by other bytes of the same wallet";
            end_superseded(change, row, evidence, reason).await?;
        }
    }
    Ok(())
}

/// Ends a transaction whose nonce is gone. Its payment is never sent again.
pub(super) async fn end_superseded(
    change: &Change,
    row: Model,
    evidence: Option<Evidence>,
    reason: &str,
) -> Result<()> {
    payloads::delete_bytes(&change.write, row.transaction_id, PayloadKind::Payment).await?;
    let event = match row.status {
        Status::Authorized | Status::Submitted | Status::Mined => "superseded",
        // The chain took its block back, and has made something else final in its place.
        Status::Confirmed | Status::Reverted => VIOLATION,
        _ => return Ok(()),
    };
    let (status, reason) = (Status::Superseded, reason.parse().ok());
    let after = Model { status, cancelling: None, reason, block: None, evidence, ..row.clone() };
    change.save(Actor::Server, event, &row, after).await?;
    Ok(())
}

async fn give_way(state: &State, outline: &Outline) -> Result<()> {
    let (change, row) = begin_for(state, outline.user_id, outline.transaction_id).await?;
    if row.status != Status::Authorized || row.gives_way_at.is_some() {
        return Ok(());
    }
    let after = Model { gives_way_at: Some(change.at + state.policy.give_way_after), ..row.clone() };
    change.save(Actor::Server, "gives_way", &row, after).await?;
    change.commit().await
}

async fn gave_way(state: &State, outline: &Outline) -> Result<()> {
    let (change, row) = begin_for(state, outline.user_id, outline.transaction_id).await?;
    if row.status != Status::Authorized {
        return Ok(());
    }
    let reason = "it was not executed while others waited for its nonce";
    rules::expire(&change, &row, "gave_way", reason).await?;
    change.commit().await
}

async fn fill(state: &State, cancel: &payloads::Form) -> Result<Option<payloads::Form>> {
    let (change, row) = begin(state, cancel.transaction_id).await?;
    let slot = nonce_slots::find_for_transaction(&change.write, row.transaction_id).await?;
    let Some(slot) = slot.filter(|slot| slot.state == SlotState::Void) else { return Ok(None) };
    let after = nonce_slots::Model { state: SlotState::Sent, changed_at: change.at, ..slot.clone() };
    if !nonce_slots::save(&change.write, &slot, &after).await? {
        return Ok(None);
    }
    payloads::mark_sent(&change.write, cancel.transaction_id, cancel.hash, change.at).await?;
    change.commit().await?;
    Ok(Some(cancel.clone()))
}

/// Sending again needs no commit; sending for the first time does, before the first byte leaves.
async fn send(state: &State, form: &payloads::Form) -> Result<Option<payloads::Form>> {
    if form.sent_at.is_some() {
        return Ok(Some(form.clone()));
    }
    let (change, row) = begin(state, form.transaction_id).await?;
    let slot = nonce_slots::find_for_transaction(&change.write, row.transaction_id).await?;
    let is_sent = slot.is_some_and(|slot| slot.state == SlotState::Sent);
    let is_cancelling = row.cancelling.is_some() || !matches!(row.status, Status::Submitted | Status::Mined);
    // Asked to cancel since the look: then the payment is neither sent nor bumped any more.
    if !is_sent || is_cancelling != (form.kind == PayloadKind::Cancel) {
        return Ok(None);
    }
    payloads::mark_sent(&change.write, form.transaction_id, form.hash, change.at).await?;
    let event = if form.kind == PayloadKind::Cancel { "cancel_sent" } else { "sped_up" };
    if row.status == Status::Submitted {
        change.save(Actor::Server, event, &row, row.clone()).await?;
    }
    change.commit().await?;
    Ok(Some(form.clone()))
}

async fn wait(state: &State, outline: &Outline, waiting: &Waiting, accepted: Option<TransactionHash>) -> Result<()> {
    let (change, row) = begin_for(state, outline.user_id, outline.transaction_id).await?;
    if let Some(hash) = accepted {
        payloads::mark_accepted(&change.write, row.transaction_id, hash, change.at).await?;
    }
    // What has gone on since is told by whoever made it go on.
    let waits = matches!(row.status, Status::Authorized | Status::Submitted | Status::Mined);
    if row.status == outline.status && waits {
        let is_same = row.waiting_reason == Some(waiting.reason);
        let after = Model {
            waiting_reason: Some(waiting.reason),
            waiting_since: if is_same { row.waiting_since } else { Some(change.at) },
            waiting_detail: waiting.text(),
            blocked_by: waiting.blocked_by,
            ..row.clone()
        };
        if after != row {
            change.save(Actor::Server, "waiting", &row, after).await?;
        }
    }
    change.commit().await
}

/// Nodes refuse a payment for good: its cancel is to take the nonce.
async fn refuse(state: &State, form: &payloads::Form, reason: &str) -> Result<()> {
    let (change, row) = begin(state, form.transaction_id).await?;
    if row.status != Status::Submitted || row.cancelling.is_some() {
        return Ok(());
    }
    let reason = reason.chars().take(280).collect::<String>().parse().ok();
    let after = Model { cancelling: Some(CancelCause::Refused), reason, ..row.clone() };
    change.save(Actor::Server, "refused", &row, after).await?;
    change.commit().await
}
