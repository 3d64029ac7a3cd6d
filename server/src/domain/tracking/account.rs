//! What the database has of one account.

use std::collections::BTreeSet;

use crate::{
    domain::{Error, Result, nonces::Account},
    state::State,
    store::{
        Read,
        nonce_slots::{self, Model as Slot},
        payloads,
        transactions::{self, Outline},
    },
    value::{Nonce, SlotState, TransactionId, WaitingReason},
};

/// One nonce and everything that was ever signed for it, whoever's it is.
#[derive(Debug, Clone)]
pub(super) struct Tracked {
    /// The nonce.
    pub(super) slot: nonce_slots::Model,
    /// The transaction that has it now.
    pub(super) transaction: Outline,
    /// Those that had it before and ended unsent.
    pub(super) earlier: Vec<Outline>,
    /// Signed forms of this and earlier owners, cheapest first.
    pub(super) forms: Vec<payloads::Form>,
}

impl Tracked {
    /// Every transaction that was ever signed for the nonce, the present owner first.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Outline> {
        std::iter::once(&self.transaction).chain(&self.earlier)
    }

    /// The forms of the present owner.
    pub(super) fn owned(&self) -> impl Iterator<Item = &payloads::Form> {
        self.forms.iter().filter(|form| form.transaction_id == self.slot.transaction_id)
    }
}

/// What there is to follow of an account, in the order of its nonces: those that are not final, and final ones that the
/// chain says are free (a node that lags). What waits above everything that was sent is left out: nothing happens to it.
pub(super) async fn load(state: &State, account: Account, latest: Nonce) -> Result<Vec<Tracked>> {
    let Account { chain_id, address } = account;
    let mut slots = nonce_slots::list_open(&state.store, chain_id, address).await?;
    let from = nonce_slots::list_from(&state.store, chain_id, address, latest).await?;
    slots.extend(from.into_iter().filter(|slot| slot.state == SlotState::Used));
    slots.sort_by_key(|slot| slot.nonce);
    let highest = slots.iter().filter(|slot| slot.state == SlotState::Sent).map(|slot| slot.nonce).max();
    let is_reached = |slot: &Slot| slot.nonce < latest || highest.is_some_and(|highest| slot.nonce <= highest);
    if !slots.iter().all(is_reached) {
        // What was said of a nonce while a node showed it as used has to be taken back.
        let reason = WaitingReason::NonceUsedElsewhere;
        let told = transactions::list_unsent_waiting(&state.store, chain_id, address, latest, reason).await?;
        slots.retain(|slot| is_reached(slot) || told.contains(&slot.transaction_id));
    }
    complete(&state.store, account, slots).await
}

async fn complete(read: &impl Read, account: Account, slots: Vec<nonce_slots::Model>) -> Result<Vec<Tracked>> {
    let (Some(first), Some(last)) = (slots.first(), slots.last()) else { return Ok(Vec::new()) };
    let Account { chain_id, address } = account;
    let mut forms = payloads::list_for_nonces(read, chain_id, address, first.nonce, last.nonce).await?;
    let owners = slots.iter().map(|slot| slot.transaction_id);
    let ids: BTreeSet<TransactionId> = owners.chain(forms.iter().map(|form| form.transaction_id)).collect();
    let rows = transactions::list_outlines(read, &ids.into_iter().collect::<Vec<_>>()).await?;
    let mut tracked = Vec::with_capacity(slots.len());
    for slot in slots {
        let (here, others): (Vec<_>, Vec<_>) = forms.into_iter().partition(|form| form.nonce == slot.nonce);
        forms = others;
        let is_signed = |row: &&Outline| here.iter().any(|form| form.transaction_id == row.transaction_id);
        let is_owner = |row: &&Outline| row.transaction_id == slot.transaction_id;
        tracked.push(Tracked {
            transaction: rows.iter().find(is_owner).cloned().ok_or(Error::Integrity("nonce slot"))?,
            earlier: rows.iter().filter(is_signed).filter(|row| !is_owner(row)).cloned().collect(),
            slot,
            forms: here,
        });
    }
    Ok(tracked)
}
