//! From the moment bytes may leave until the chain has made up its mind: one look at a chain, what follows from it,
//! and the sending.
//!
//! Everything here can be repeated: what was sent is sent again byte for byte, what was recorded is recorded once.
//! Several servers may track the same rows.

use std::collections::BTreeSet;

use super::{Error, Result};
use crate::{
    chain::{Account, Chain, Round, SendOutcome},
    keys::{PayloadBinding, payload},
    state::State,
    store::{
        Read, nonce_slots, payloads,
        transactions::{self, Model},
    },
    value::{Nonce, Secret, SlotState, Status, TransactionId, Wei},
};

mod plan;
mod settle;
#[cfg(test)]
mod tests;

pub use plan::{Memory, Sight, Step, Tracked};

/// Looks at a chain once and takes every step that follows. True when a step was taken, so that another look is worth
/// it at once.
///
/// Fails with [`Error::ChainUnavailable`] and [`Error::StorageUnavailable`]; nothing is lost by either.
pub async fn tick(state: &State, chain: &Chain, memory: &mut Memory) -> Result<bool> {
    let open = nonce_slots::list_open(&state.store, chain.id()).await?;
    if open.is_empty() {
        return Ok(false);
    }
    let round = chain.round().await?;
    let mut progressed = false;
    for slots in open.chunk_by(|one, next| one.address == next.address) {
        let account = gather(state, slots).await?;
        let sight = look(chain, &round, &account).await?;
        for step in plan::plan(&account, &sight, memory, state.clock.now(), &state.policy) {
            progressed |= take(state, chain, memory, step).await?;
        }
    }
    Ok(progressed)
}

/// An account's open nonces with all that was ever signed for them.
pub(super) async fn gather(state: &State, slots: &[nonce_slots::Model]) -> Result<Vec<Tracked>> {
    let Some(first) = slots.first() else { return Ok(Vec::new()) };
    let payloads = payloads::list_from_nonce(&state.store, first.chain_id, first.address, first.nonce).await?;
    let owners = slots.iter().map(|slot| slot.transaction_id);
    let ids: BTreeSet<TransactionId> = owners.chain(payloads.iter().map(|payload| payload.transaction_id)).collect();
    let ids: Vec<TransactionId> = ids.into_iter().collect();
    let rows = transactions::list_by_id(&state.store, &ids).await?;
    slots
        .iter()
        .map(|slot| {
            let payloads: Vec<_> = payloads.iter().filter(|payload| payload.nonce == slot.nonce).cloned().collect();
            let signed = |row: &&Model| payloads.iter().any(|payload| payload.transaction_id == row.transaction_id);
            let is_owner = |row: &&Model| row.transaction_id == slot.transaction_id;
            Ok(Tracked {
                slot: slot.clone(),
                transaction: rows.iter().find(is_owner).cloned().ok_or(Error::Integrity("nonce slot"))?,
                earlier: rows.iter().filter(signed).filter(|row| !is_owner(row)).cloned().collect(),
                payloads,
            })
        })
        .collect()
}

/// What the chain says of an account. The receipts are asked for last: a nonce that counts as used before then has
/// left its receipt, unless it is not ours.
async fn look(chain: &Chain, round: &Round, account: &[Tracked]) -> Result<Sight> {
    let address = account.first().map(|tracked| tracked.slot.address).ok_or(Error::Integrity("nonce slot"))?;
    let nonces = chain.nonces(address, round.final_height).await?;
    let hashes: Vec<_> = account.iter().flat_map(|tracked| &tracked.payloads).map(|payload| payload.hash).collect();
    let receipts = round.receipts(&hashes).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Sight {
        latest: Nonce(nonces.latest),
        finalized: Nonce(nonces.finalized),
        finalized_block: round.final_height,
        receipts: hashes.into_iter().zip(receipts).filter_map(|(hash, receipt)| Some((hash, receipt?))).collect(),
    })
}

/// Takes one step: first the commit, then, where there is one, the sending. True when another look is worth it.
async fn take(state: &State, chain: &Chain, memory: &mut Memory, step: Step) -> Result<bool> {
    match record(state, &step).await? {
        None => Ok(!matches!(step, Step::Send(_))),
        Some(parcel) => {
            let outcome = chain.send(parcel.bytes.expose()).await;
            hear(state, memory, &parcel.payload, outcome).await?;
            Ok(matches!(step, Step::Fill(_)))
        }
    }
}

/// Signed bytes in hand, and the form they are of.
struct Parcel {
    payload: payloads::Model,
    bytes: Secret<Vec<u8>>,
}

/// Commits a step. What may be sent after it is given back, unsealed.
async fn record(state: &State, step: &Step) -> Result<Option<Parcel>> {
    let Some(payload) = settle::settle(state, step).await? else { return Ok(None) };
    let Some(sealed) = &payload.bytes else { return Ok(None) };
    let binding = PayloadBinding {
        transaction_id: payload.transaction_id,
        address: payload.address,
        chain_id: payload.chain_id,
        nonce: payload.nonce.0,
        hash: payload.hash,
    };
    let bytes = payload::open(&state.keys.master, &binding, sealed).map_err(|_| Error::Integrity("payload"))?;
    Ok(Some(Parcel { payload, bytes }))
}

/// Takes note of what a node said to some bytes.
async fn hear(state: &State, memory: &mut Memory, payload: &payloads::Model, outcome: SendOutcome) -> Result<()> {
    tracing::info!(
        transaction.id = %payload.transaction_id, transaction.hash = %payload.hash, payload.kind = %payload.kind,
        payload.rung = payload.rung, outcome = ?outcome, "sent"
    );
    let refused = memory.remember(payload, outcome, state.clock.now());
    match refused {
        Some(reason) => settle::refuse(state, payload, &reason).await,
        None => Ok(()),
    }
}

/// What an account holds beside everything that is approved and not yet in its balance.
pub(super) async fn free_balance(read: &impl Read, of: &Model, account: &Account) -> Result<Wei> {
    let slots = nonce_slots::list_for_account(read, of.chain_id, of.address).await?;
    let unused = |slot: &&nonce_slots::Model| slot.state != SlotState::Used && slot.nonce.0 >= account.nonce;
    let ids: Vec<_> = slots.iter().filter(unused).map(|slot| slot.transaction_id).collect();
    let mut reserved = Wei::ZERO;
    for row in transactions::list_by_id(read, &ids).await? {
        let pays = matches!(row.status, Status::Authorized | Status::Submitted | Status::Mined);
        let value = if pays { row.value } else { Wei::ZERO };
        reserved = reserved.saturating_add(value).saturating_add(row.worst_case_fee());
    }
    Ok(Wei(account.balance.0.saturating_sub(reserved.0)))
}

/// Whether nothing on a chain waits for it.
pub async fn is_idle(state: &State, chain: &Chain) -> Result<bool> {
    Ok(nonce_slots::list_open(&state.store, chain.id()).await?.is_empty())
}
