//! Clearing a nonce: signed, then committed to under the owner's lock.

use std::sync::Arc;

use super::{NOTHING, Signed, Target};
use crate::{
    domain::{
        Error, Result, User,
        digest::{self, Clearing},
        mfa,
        nonces::Choice,
        transactions::{
            Actor, Change, Transaction, find_for_user,
            sign::{self, Accepted, Form, Signing, sign_form},
            view,
        },
        users,
    },
    keys::Unsigned,
    state::State,
    store::{
        drafts, nonce_slots, payloads,
        transactions::{self, Model},
    },
    value::{
        CallData, CancelCause, Evidence, Fees, Gas, PayloadKind, SlotState, Status, TotpCode, TransactionId,
        WaitingReason, Wei,
    },
};

impl Target<'_> {
    /// What was shown is approved with a code, and happens.
    pub(super) async fn approve(
        &self,
        state: &State,
        user: &User,
        shown: &drafts::Model,
        code: TotpCode,
    ) -> Result<Transaction> {
        let fees = Fees {
            max_fee_per_gas: shown.max_fee_per_gas.0.saturating_to(),
            max_priority_fee_per_gas: shown.max_priority_fee_per_gas.0.saturating_to(),
        };
        let clearing = self.clearing(user, shown.gas_limit, fees, shown.expires_at);
        if digest::clearing(&clearing) != shown.digest {
            return Err(Error::DigestMismatch);
        }
        let covers = fees.covers(self.facts.market.now) && self.facts.cancel_gas <= shown.gas_limit;
        if self.is_lost != (clearing.gas_limit == Gas(0)) || !self.is_lost && !covers {
            return Err(Error::ClearingChanged);
        }
        let row = self.row(state, &clearing, shown.transaction_id);
        let user_key = user.open_key(state)?;
        let step = mfa::check(state, &users::load(state, user).await?, &user_key, &code).await?;
        let key = Arc::new(sign::open_wallet(state, &row, &user_key).await?);
        let signing = Signing { row, facts: self.facts.clone(), key, accepted: Accepted::of(&[]) };
        let signed = self.sign(state, &signing, &clearing).await?;
        let change = Change::begin(state, user.user_id).await?;
        let change = Change { write: step.spend(change.write).await?, ..change };
        let id = self.clear(&change, &signing, signed).await?;
        change.commit().await?;
        state.nudges.ring(self.chain.id(), self.address);
        view(state, find_for_user(state, user, id).await?).await
    }

    /// Signs what it takes, away from the threads that answer requests.
    async fn sign(&self, state: &State, signing: &Signing, clearing: &Clearing) -> Result<Signed> {
        if self.is_lost {
            return Ok(Signed::Nothing);
        }
        let Some(owner) = &self.owner else {
            let choice = Choice::Fresh(self.nonce);
            let signed = sign::sign(state, std::slice::from_ref(signing), vec![choice]).await?;
            let signed = signed.into_iter().next().ok_or(Error::Integrity("signing"))?;
            return Ok(Signed::Transaction(Box::new(signed)));
        };
        let forms = payloads::list_for_transactions(&state.store, &[owner.transaction_id]).await?;
        let rung = forms.iter().map(|form| form.rung).max().unwrap_or(0).saturating_add(1);
        let unsigned = Unsigned {
            chain_id: owner.chain_id,
            nonce: self.nonce.0,
            to: Some(owner.address),
            value: Wei::ZERO,
            data: CallData::default(),
            gas_limit: clearing.gas_limit.0,
            fees: clearing.fees,
            legacy: self.facts.market.legacy,
        };
        let form = Form { kind: PayloadKind::Cancel, rung, fees: clearing.fees };
        let (master, key, row) = (state.keys.master.clone(), signing.key.clone(), owner.clone());
        let payload = tokio::task::spawn_blocking(move || sign_form(&master, &key, &unsigned, &row, &form));
        Ok(Signed::Cancel(Box::new(payload.await.map_err(|_| Error::Integrity("signing"))??)))
    }

    /// Commits to it, under the owner's lock. Gives the transaction that tells of it.
    async fn clear(&self, change: &Change, signing: &Signing, signed: Signed) -> Result<TransactionId> {
        if let Signed::Transaction(signed) = signed {
            return self.fill_hole(change, signing, &signed).await;
        }
        let (slot, owner) = self.slot.as_ref().zip(self.owner.as_ref()).ok_or(NOTHING)?;
        let row = transactions::find(&change.write, owner.transaction_id).await?;
        let row = row.filter(|row| row.version == owner.version).ok_or(Error::Busy)?;
        payloads::delete_bytes(&change.write, row.transaction_id, PayloadKind::Payment).await?;
        let Signed::Cancel(mut payload) = signed else { return self.end_by_owner(change, slot, row).await };
        payload.sent_at = Some(change.at);
        let forms = payloads::list_for_transactions(&change.write, &[row.transaction_id]).await?;
        // The same price gives the same bytes: then there is nothing new to keep, but that they leave now.
        if forms.iter().any(|form| form.hash == payload.hash) {
            payloads::mark_sent(&change.write, row.transaction_id, payload.hash, change.at).await?;
        } else {
            payloads::insert_all(&change.write, vec![*payload]).await?;
        }
        let sent = nonce_slots::Model { state: SlotState::Sent, changed_at: change.at, ..slot.clone() };
        if !nonce_slots::save(&change.write, slot, &sent).await? {
            return Err(Error::Busy);
        }
        let is_open = row.status == Status::Submitted;
        let cancelling = if is_open { row.cancelling.or(Some(CancelCause::Asked)) } else { row.cancelling };
        let after = Model { cancelling, ..row.clone() };
        change.save(Actor::User, "nonce_cleared", &row, after).await?;
        Ok(row.transaction_id)
    }

    async fn fill_hole(&self, change: &Change, signing: &Signing, signed: &sign::Signed) -> Result<TransactionId> {
        let row = Model {
            status: Status::Submitted,
            waiting_reason: Some(WaitingReason::NotSent),
            waiting_since: Some(change.at),
            decided_at: Some(change.at),
            nonce: Some(self.nonce),
            ..signing.row.clone()
        };
        change.insert(Actor::User, "nonce_cleared", row).await?;
        if !signing.keep(change, signed, &[], SlotState::Sent).await? {
            return Err(Error::Busy);
        }
        Ok(signing.row.transaction_id)
    }

    /// Nothing that is signed can help: what waits for the nonce ends on its owner's word. The nonce stays open, so that
    /// everything that was signed for it is watched on.
    async fn end_by_owner(&self, change: &Change, slot: &nonce_slots::Model, row: Model) -> Result<TransactionId> {
        if slot.state == SlotState::Held {
            let void = nonce_slots::Model { state: SlotState::Void, changed_at: change.at, ..slot.clone() };
            if !nonce_slots::save(&change.write, slot, &void).await? {
                return Err(Error::Busy);
            }
        }
        if row.status.is_final() {
            return Ok(row.transaction_id);
        }
        let is_used = self.nonce.0 < self.facts.account.nonce;
        let status = if is_used { Status::Superseded } else { Status::Cancelled };
        let reason = "its owner ended it".parse().ok();
        let ended = Model { status, cancelling: None, evidence: Some(Evidence::Owner), reason, ..row.clone() };
        change.save(Actor::User, "ended_by_owner", &row, ended).await?;
        Ok(row.transaction_id)
    }
}
