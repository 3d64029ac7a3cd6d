//! An owner clears a nonce that everything behind it waits for: nothing to themselves is signed at today's price.
//!
//! A fresh cancel belongs to a nonce, not to a status: it can be signed for any open nonce of which no payment is wanted
//! any more, and for one that nothing of ours has ever used.

use std::sync::Arc;

use super::{
    Actor, Change, Transaction,
    draft::{self, Origin, Terms, row_of},
    sign::{self, Accepted, Form, Signing, sign_form},
    view,
};
use crate::{
    chain::{Chain, ChainError, REQUEST_BUDGET, Use, UseSearch, budget},
    domain::{
        Error, Result, User, chains,
        digest::{self, Clearing},
        mfa,
        nonces::Choice,
        preview::{Effect, Facts},
        users,
    },
    keys::Unsigned,
    state::State,
    store::{
        Json, drafts, nonce_slots, payloads,
        transactions::{self, Model},
        wallets,
    },
    value::{
        Action, Address, CallData, CancelCause, ChainId, Digest, Evidence, Execute, Fees, Gas, Nonce, PayloadKind,
        Preview, RawAction, Simulation, SimulationMethod, SimulationOutcome, SlotState, Status, Time, TotpCode,
        TransactionId, WaitingReason, Wei,
    },
};

/// Which nonce is to be cleared.
#[derive(Debug, Clone, Copy)]
pub struct Clearance {
    /// Of which account.
    pub address: Address,
    /// On which chain; none: the only one.
    pub chain_id: Option<ChainId>,
    /// Which nonce; none: the lowest that nothing goes on at by itself.
    pub nonce: Option<Nonce>,
}

/// What clearing a nonce would sign.
#[derive(Debug)]
pub struct ClearancePreview {
    /// What is approved.
    pub clearing: Clearing,
    /// Of that.
    pub digest: Digest,
    /// The transaction that has the nonce; none: nothing of ours does.
    pub transaction_id: Option<TransactionId>,
}

/// What clearing a nonce would sign. It can be approved for as long as a send that was looked at can be sent.
///
/// Fails with [`Error::NotFound`], [`Error::UnknownChain`], [`Error::ChainUnavailable`], [`Error::Invalid`] when there is
/// nothing to clear, and [`Error::InvalidState`] when a payment is still wanted of the nonce.
pub async fn preview_clearing(state: &State, user: &User, clearance: Clearance) -> Result<ClearancePreview> {
    let target = Target::find(state, user, clearance).await?;
    show(state, user, &target).await
}

/// Uses a nonce up: signs nothing to oneself for it, and sends that at once. Where the nonce can no longer be used, its
/// transaction ends on its owner's word instead. The code is looked at last.
///
/// Fails as [`preview_clearing`] does, with [`Error::DigestMismatch`] when this was not shown in the last 15 minutes,
/// [`Error::ClearingChanged`] when it costs more now, [`Error::InsufficientFunds`], and the errors of a code.
pub async fn clear_nonce(
    state: &State,
    user: &User,
    clearance: Clearance,
    digest: Digest,
    code: TotpCode,
) -> Result<Transaction> {
    let person = users::load(state, user).await?;
    if person.totp_secret.is_none() {
        return Err(Error::MfaRequired);
    }
    let now = state.clock.now();
    let shown = drafts::find_for_user(&state.store, user.user_id, digest, now).await?.ok_or(Error::DigestMismatch)?;
    let target = Target::find(state, user, clearance).await?;
    target.approve(state, user, &shown, code).await
}

/// Both at once, of an account as it is known already: how tests clear a nonce of a chain without a node.
#[cfg(test)]
pub(in crate::domain) async fn clear_known(
    state: &State,
    user: &User,
    account: (&Chain, wallets::Model, Facts),
    nonce: Option<Nonce>,
    code: TotpCode,
) -> Result<Transaction> {
    let (chain, wallet, facts) = account;
    let target = Target::of(state, chain, wallet, facts, nonce).await?;
    let ClearancePreview { digest, .. } = show(state, user, &target).await?;
    let shown = drafts::find_for_user(&state.store, user.user_id, digest, state.clock.now()).await?;
    target.approve(state, user, &shown.ok_or(Error::DigestMismatch)?, code).await
}

async fn show(state: &State, user: &User, target: &Target<'_>) -> Result<ClearancePreview> {
    let created_at = state.clock.now();
    let expires_at = created_at + super::send::SHOWN_FOR;
    let (gas_limit, fees) = target.price(state).await?;
    let clearing = target.clearing(user, gas_limit, fees, expires_at);
    let digest = digest::clearing(&clearing);
    let simulation = Simulation {
        method: SimulationMethod::EthCall,
        outcome: SimulationOutcome::Unknown,
        revert_reason: None,
        block_number: None,
    };
    let preview = Preview {
        intent: format!("Clear nonce {}", clearing.nonce),
        calls: Vec::new(),
        tokens: Vec::new(),
        changes: Vec::new(),
        simulation,
        data_fee: None,
    };
    let kept = drafts::Model {
        user_id: user.user_id,
        digest,
        transaction_id: TransactionId::new(),
        gas_limit: clearing.gas_limit,
        max_fee_per_gas: fees.max_fee_per_gas.into(),
        max_priority_fee_per_gas: fees.max_priority_fee_per_gas.into(),
        warnings: Json(Vec::new()),
        preview: Json(preview),
        created_at,
        expires_at,
    };
    let write = state.store.write().await?;
    drafts::insert(&write, kept).await?;
    write.commit().await?;
    Ok(ClearancePreview { clearing, digest, transaction_id: target.owner.as_ref().map(|row| row.transaction_id) })
}

/// A nonce that can be cleared.
struct Target<'state> {
    chain: &'state Chain,
    address: Address,
    wallet: wallets::Model,
    nonce: Nonce,
    facts: Facts,
    /// The nonce's slot, and the transaction that has it; none: a hole.
    slot: Option<nonce_slots::Model>,
    owner: Option<Model>,
    /// Whether nothing that is signed can help: the chain has used the nonce and nobody has the block any more, or it is so
    /// far ahead that it will not be reached. Then only the owner's word ends what waits for it.
    is_lost: bool,
}

/// What clearing a nonce takes.
enum Signed {
    /// Nothing but its owner's word.
    Nothing,
    /// One more cancel.
    Cancel(Box<payloads::Model>),
    /// A transaction of its own, for a hole.
    Transaction(Box<sign::Signed>),
}

/// The distance from which a nonce behind holes counts as out of reach: no ordinary use fills so many.
const OUT_OF_REACH: u64 = 64;

impl<'state> Target<'state> {
    async fn find(state: &'state State, user: &User, clearance: Clearance) -> Result<Self> {
        let Clearance { address, chain_id, nonce } = clearance;
        let chain = chains::find_among(state, None, chain_id)?;
        let wallet = wallets::find_by_address(&state.store, user.user_id, address).await?;
        let wallet = wallet.ok_or(Error::NotFound("wallet"))?;
        let asked = chain.clone();
        let facts = async move { Facts::ask(&asked, address, &clears(address), None).await };
        let facts = draft::with_nodes(state, user.user_id.0, facts).await?;
        let target = Self::of(state, chain, wallet, facts, nonce).await?;
        if target.nonce.0 < target.facts.account.nonce && !target.is_gone().await? {
            return Err(Error::Invalid("nonce: the chain has used it, and will tell by what; it ends by itself"));
        }
        Ok(target)
    }

    async fn of(
        state: &State,
        chain: &'state Chain,
        wallet: wallets::Model,
        facts: Facts,
        nonce: Option<Nonce>,
    ) -> Result<Self> {
        let address = wallet.address;
        let latest = Nonce(facts.account.nonce);
        let slots = nonce_slots::list_open(&state.store, chain.id(), address).await?;
        let used = nonce_slots::list_from(&state.store, chain.id(), address, latest).await?;
        let has_row = |nonce: Nonce| used.iter().any(|slot| slot.nonce == nonce);
        let highest = slots.iter().map(|slot| slot.nonce).max();
        let hole = (latest.0..highest.map_or(0, |highest| highest.0)).map(Nonce).find(|&nonce| !has_row(nonce));
        let wanted = |slot: &&nonce_slots::Model| slot.state != SlotState::Held;
        let lowest = || hole.or_else(|| slots.iter().filter(wanted).map(|slot| slot.nonce).find(|&n| n >= latest));
        let nonce = nonce.or_else(lowest).ok_or(NOTHING)?;
        let slot = slots.into_iter().find(|slot| slot.nonce == nonce);
        let owner = match &slot {
            Some(slot) => transactions::find(&state.store, slot.transaction_id).await?,
            None => None,
        };
        let mut target = Self { chain, address, wallet, nonce, facts, slot, owner, is_lost: false };
        target.check(latest, hole)?;
        if hole.is_some_and(|hole| hole < nonce) {
            if nonce.0 - latest.0 < OUT_OF_REACH {
                return Err(Error::Invalid("nonce: a lower one is free; clear that first"));
            }
            target.is_lost = true;
        }
        target.is_lost |= nonce < latest;
        Ok(target)
    }

    /// Whether nobody can tell any more what used the nonce.
    async fn is_gone(&self) -> Result<bool> {
        let from = self.slot.as_ref().and_then(|slot| slot.taken_at_height).map_or(0, |height| height.0);
        let (chain, address, nonce) = (self.chain, self.address, self.nonce.0);
        let search = async {
            let round = chain.round().await?;
            let mut memory = UseSearch::default();
            loop {
                match round.find_use(address, nonce, from, &mut memory).await? {
                    Use::Searching => {}
                    found => return Ok(found == Use::Gone),
                }
            }
        };
        budget::<_, ChainError>(REQUEST_BUDGET, search).await.map_err(Error::from)
    }

    /// What was shown is approved with a code, and happens.
    async fn approve(&self, state: &State, user: &User, shown: &drafts::Model, code: TotpCode) -> Result<Transaction> {
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
        view(state, super::find_for_user(state, user, id).await?).await
    }

    fn check(&self, latest: Nonce, hole: Option<Nonce>) -> Result<()> {
        let Some((slot, row)) = self.slot.as_ref().zip(self.owner.as_ref()) else {
            return if hole == Some(self.nonce) { Ok(()) } else { Err(NOTHING) };
        };
        if slot.nonce < latest && row.waiting_reason != Some(WaitingReason::NonceUsedElsewhere) {
            return Err(NOTHING);
        }
        let wants = match slot.state {
            SlotState::Held => slot.nonce >= latest,
            SlotState::Sent => slot.nonce >= latest && row.status == Status::Submitted && row.cancelling.is_none(),
            SlotState::Void | SlotState::Used => false,
        };
        if wants { Err(Error::InvalidState(row.status)) } else { Ok(()) }
    }

    /// What is signed: a fourth more than today's price, and enough to take the place of what was signed before. Nothing
    /// costs nothing.
    async fn price(&self, state: &State) -> Result<(Gas, Fees)> {
        if self.is_lost {
            return Ok((Gas(0), Fees { max_fee_per_gas: 0, max_priority_fee_per_gas: 0 }));
        }
        let now = self.facts.market.now;
        let mut fees = Fees {
            max_fee_per_gas: now.max_fee_per_gas.saturating_add(now.max_fee_per_gas / 4),
            max_priority_fee_per_gas: now.max_priority_fee_per_gas.saturating_add(now.max_priority_fee_per_gas / 4),
        };
        let ids: Vec<_> = self.owner.iter().map(|row| row.transaction_id).collect();
        let sent = payloads::list_for_transactions(&state.store, &ids).await?;
        for form in sent.iter().filter(|form| form.sent_at.is_some()) {
            let Some(before) = payloads::find(&state.store, form.transaction_id, form.hash).await? else { continue };
            let raised = |price: Wei| {
                let price: u128 = price.0.saturating_to();
                price.saturating_add(price / 8).saturating_add(1)
            };
            fees.max_fee_per_gas = fees.max_fee_per_gas.max(raised(before.max_fee_per_gas));
            fees.max_priority_fee_per_gas = fees.max_priority_fee_per_gas.max(raised(before.max_priority_fee_per_gas));
        }
        Ok((self.facts.cancel_gas, fees))
    }

    fn clearing(&self, user: &User, gas_limit: Gas, fees: Fees, expires_at: Time) -> Clearing {
        let Self { chain, address, nonce, .. } = self;
        let (user_id, chain_id) = (user.user_id, chain.id());
        Clearing { user_id, address: *address, chain_id, nonce: *nonce, gas_limit, fees, expires_at }
    }

    /// The transaction that has the nonce, or, for a hole, one of the owner's own to themselves.
    fn row(&self, state: &State, clearing: &Clearing, transaction_id: TransactionId) -> Model {
        if let Some(owner) = &self.owner {
            return owner.clone();
        }
        let action = Action::Raw(RawAction {
            to_address: Some(self.address),
            amount: Wei::ZERO,
            data: CallData::default(),
            contract_abi: None,
        });
        let origin = Origin {
            chain: self.chain.clone(),
            wallet: self.wallet.clone(),
            agent_id: None,
            action,
            memo: None,
            expires_in: super::send::SHOWN_FOR,
            execute: Execute::OnApproval,
        };
        let Clearing { gas_limit, fees: caps, expires_at, .. } = *clearing;
        let terms = Terms { transaction_id, gas_limit, caps, created_at: state.clock.now(), expires_at };
        let row = row_of(origin, clears(self.address), terms);
        Model { digest: digest::digest(&row), ..row }
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
        if !signing.keep(change, signed, SlotState::Sent).await? {
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

const NOTHING: Error = Error::Invalid("nonce: there is nothing to clear");

/// Nothing, to oneself.
fn clears(address: Address) -> Effect {
    Effect { to: Some(address), value: Wei::ZERO, data: CallData::default() }
}
