//! An owner clears a nonce that everything behind it waits for: nothing to themselves is signed at today's price.
//!
//! A fresh cancel belongs to a nonce, not to a status: it can be signed for any open nonce of which no payment is wanted
//! any more, and for one that nothing of ours has ever used.

mod commit;
mod find;

use super::{Transaction, sign};
use crate::{
    chain::Chain,
    domain::{
        Error, Result, User,
        digest::{self, Clearing},
        preview::{Effect, Facts},
        users,
    },
    state::State,
    store::{Json, drafts, nonce_slots, payloads, transactions::Model, wallets},
    value::{
        Address, CallData, ChainId, Digest, Nonce, Preview, Simulation, SimulationMethod, SimulationOutcome, TotpCode,
        TransactionId, Wei,
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

const NOTHING: Error = Error::Invalid("nonce: there is nothing to clear");

/// Nothing, to oneself.
fn clears(address: Address) -> Effect {
    Effect { to: Some(address), value: Wei::ZERO, data: CallData::default() }
}
