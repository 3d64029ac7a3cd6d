//! What the database has of one account.

use std::collections::{BTreeSet, HashMap};

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
    /// Signed forms of this and earlier owners, cheapest first; none where it is too far ahead for any to be sent.
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
    // Forms further ahead are not sent yet.
    let furthest = Nonce(latest.0.saturating_add(state.policy.window_ahead));
    complete(&state.store, account, slots, furthest).await
}

async fn complete(
    read: &impl Read,
    account: Account,
    slots: Vec<nonce_slots::Model>,
    furthest: Nonce,
) -> Result<Vec<Tracked>> {
    let (Some(first), Some(last)) = (slots.first(), slots.last()) else { return Ok(Vec::new()) };
    let Account { chain_id, address } = account;
    let mut forms: HashMap<Nonce, Vec<payloads::Form>> = HashMap::new();
    for form in payloads::list_for_nonces(read, chain_id, address, first.nonce, last.nonce.min(furthest)).await? {
        forms.entry(form.nonce).or_default().push(form);
    }
    let signed = forms.values().flatten().map(|form| form.transaction_id);
    let ids: BTreeSet<TransactionId> = slots.iter().map(|slot| slot.transaction_id).chain(signed).collect();
    let rows = transactions::list_outlines(read, &ids.into_iter().collect::<Vec<_>>()).await?;
    let rows: HashMap<TransactionId, Outline> = rows.into_iter().map(|row| (row.transaction_id, row)).collect();
    let mut tracked = Vec::with_capacity(slots.len());
    for slot in slots {
        let here = forms.remove(&slot.nonce).unwrap_or_default();
        let owners: BTreeSet<TransactionId> = here.iter().map(|form| form.transaction_id).collect();
        let earlier = owners.into_iter().filter(|id| *id != slot.transaction_id);
        tracked.push(Tracked {
            transaction: rows.get(&slot.transaction_id).cloned().ok_or(Error::Integrity("nonce slot"))?,
            earlier: earlier.filter_map(|id| rows.get(&id).cloned()).collect(),
            slot,
            forms: here,
        });
    }
    Ok(tracked)
}
