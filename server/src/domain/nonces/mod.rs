//! Which nonce an approval may sign with.
//!
//! A nonce is the only thing that keeps two payments from both happening, so it is given out under one rule: the
//! lowest one the chain has not used that no live bytes of ours use either.

use super::{Error, Result};
use crate::{
    store::{
        Read, Write, account_marks,
        nonce_slots::{self, Model},
    },
    value::{Address, ChainId, Nonce, SlotState},
};

mod open;

pub use open::{OpenNonce, OpenNonces, open_nonces};

/// The nonce for an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// One that no bytes of ours have used.
    Fresh(Nonce),
    /// One whose transaction ended unsent.
    Reused(Box<Model>),
}

impl Choice {
    /// The number.
    pub fn nonce(&self) -> Nonce {
        match self {
            Self::Fresh(nonce) => *nonce,
            Self::Reused(slot) => slot.nonce,
        }
    }
}

/// The chain has used nonces of the account that we did not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedElsewhere;

/// An account on a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Account {
    /// The chain.
    pub chain_id: ChainId,
    /// The account.
    pub address: Address,
}

/// The nonce for an approval of an account, whose next free one is `latest` as far as the chain says. `taken` are chosen
/// already, by others of the same batch.
///
/// Fails with [`Error::NonceUsedElsewhere`] unless the owner has acknowledged that.
pub(super) async fn choose(
    read: &impl Read,
    account: Account,
    latest: Nonce,
    acknowledged: bool,
    taken: &[Nonce],
) -> Result<Choice> {
    let Account { chain_id, address } = account;
    let mark = account_marks::explained_below(read, chain_id, address).await?;
    let mark = if acknowledged { mark.max(latest) } else { mark };
    let slots = nonce_slots::list_from(read, chain_id, address, mark.min(latest)).await?;
    pick(&slots, latest, mark, taken).map_err(|UsedElsewhere| Error::NonceUsedElsewhere)
}

/// The lowest nonce not below the chain's `latest` that has no slot, or a void one. `slots` are all of the account's from
/// the lower of `latest` and `mark` on, in order.
///
/// Fails when `latest` is ahead of what our own sending explains from `mark` on, which is explained: then somebody
/// else holds this key, or the node lies, and a human should know before more is signed.
fn pick(slots: &[Model], latest: Nonce, mark: Nonce, taken: &[Nonce]) -> Result<Choice, UsedElsewhere> {
    if !unexplained(slots, latest, mark).is_empty() {
        return Err(UsedElsewhere);
    }
    let mut nonce = latest;
    for slot in slots.iter().filter(|slot| slot.nonce >= latest) {
        while nonce < slot.nonce && taken.contains(&nonce) {
            nonce = nonce.next();
        }
        if slot.nonce > nonce {
            break;
        }
        if slot.state == SlotState::Void && !taken.contains(&slot.nonce) {
            return Ok(Choice::Reused(Box::new(slot.clone())));
        }
        nonce = nonce.next();
    }
    while taken.contains(&nonce) {
        nonce = nonce.next();
    }
    Ok(Choice::Fresh(nonce))
}

/// The most nonces that are told as unexplained: an absurd answer must not become an absurd list.
const MOST_UNEXPLAINED: u64 = 256;

/// The nonces from `mark` to `latest` that our own sending does not explain; of very many the newest.
fn unexplained(slots: &[Model], latest: Nonce, mark: Nonce) -> Vec<Nonce> {
    let explained = slots.iter().filter(|slot| slot.explains_use()).map(|slot| slot.nonce.0);
    let explained: std::collections::BTreeSet<u64> = explained.collect();
    let from = mark.0.max(latest.0.saturating_sub(MOST_UNEXPLAINED));
    (from..latest.0).filter(|nonce| !explained.contains(nonce)).map(Nonce).collect()
}

/// The nonces of an account that the chain has used, as far as `latest` says, and nothing of ours explains; of very many
/// the newest.
pub(super) async fn list_unexplained(read: &impl Read, account: Account, latest: Nonce) -> Result<Vec<Nonce>> {
    let Account { chain_id, address } = account;
    let mark = account_marks::explained_below(read, chain_id, address).await?;
    if latest <= mark {
        return Ok(Vec::new());
    }
    let slots = nonce_slots::list_from(read, chain_id, address, mark).await?;
    Ok(unexplained(&slots, latest, mark))
}

/// Remembers that the owner knows of every use below a nonce. A node that lags takes nothing back.
pub(super) async fn acknowledge(write: &Write, account: Account, below: Nonce) -> Result<()> {
    let Account { chain_id, address } = account;
    if account_marks::explained_below(write, chain_id, address).await? < below {
        account_marks::save(write, account_marks::Model { chain_id, address, explained_below: below }).await?;
    }
    Ok(())
}

/// Moves an account's mark past the final transactions of ours that follow it.
pub(super) async fn advance_mark(write: &Write, account: Account) -> Result<()> {
    let Account { chain_id, address } = account;
    let before = account_marks::explained_below(write, chain_id, address).await?;
    let mut mark = before;
    for slot in nonce_slots::list_from(write, chain_id, address, before).await? {
        if slot.nonce != mark || slot.state != SlotState::Used || slot.used_by.is_none() {
            break;
        }
        mark = mark.next();
    }
    if mark > before {
        account_marks::save(write, account_marks::Model { chain_id, address, explained_below: mark }).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Time, TransactionHash, TransactionId};

    fn slots(states: &[(u64, SlotState)]) -> Vec<Model> {
        let slot = |&(nonce, state): &(u64, SlotState)| Model {
            chain_id: ChainId::new(1).expect("in range"),
            address: Address(alloy::primitives::Address::ZERO),
            nonce: Nonce(nonce),
            state,
            transaction_id: TransactionId::new(),
            changed_at: Time::from_unix_microseconds(0),
            taken_at_height: None,
            used_by: (state == SlotState::Used).then(|| TransactionHash([7; 32].into())),
            used_at_height: None,
        };
        states.iter().map(slot).collect()
    }

    fn chosen(states: &[(u64, SlotState)], latest: u64, mark: u64) -> Result<u64, UsedElsewhere> {
        pick(&slots(states), Nonce(latest), Nonce(mark), &[]).map(|choice| choice.nonce().0)
    }

    #[test]
    fn the_lowest_nonce_without_live_bytes_is_chosen() {
        use SlotState::{Held, Sent, Used, Void};
        assert_eq!(chosen(&[], 0, 0), Ok(0));
        assert_eq!(chosen(&[(0, Held), (1, Held)], 0, 0), Ok(2));
        assert_eq!(chosen(&[(0, Sent), (1, Void), (2, Held)], 0, 0), Ok(1));
        assert_eq!(chosen(&[(0, Used), (1, Sent)], 1, 0), Ok(2));
        assert_eq!(chosen(&[(1, Held)], 0, 0), Ok(0));
    }

    #[test]
    fn a_batch_chooses_each_nonce_once() {
        use SlotState::{Held, Void};
        let states = slots(&[(0, Held), (1, Void), (4, Held)]);
        let mut taken = Vec::new();
        for expected in [1, 2, 3, 5, 6] {
            let choice = pick(&states, Nonce(0), Nonce(0), &taken).expect("nothing was used elsewhere");
            assert_eq!(choice.nonce(), Nonce(expected));
            taken.push(choice.nonce());
        }
    }

    #[test]
    fn a_used_nonce_is_not_chosen_again_when_a_lagging_node_reports_less() {
        use SlotState::{Sent, Used};
        assert_eq!(chosen(&[(0, Used), (1, Sent)], 0, 0), Ok(2));
        assert_eq!(chosen(&[(0, Used), (1, Sent)], 0, 1), Ok(2));
    }

    #[test]
    fn foreign_uses_need_an_acknowledgement() {
        use SlotState::{Held, Used, Void};
        assert_eq!(chosen(&[], 1, 0), Err(UsedElsewhere));
        assert_eq!(chosen(&[(0, Held)], 1, 0), Err(UsedElsewhere));
        assert_eq!(chosen(&[(0, Void)], 1, 0), Err(UsedElsewhere));
        assert_eq!(chosen(&[(0, Used)], 2, 0), Err(UsedElsewhere));
        assert_eq!(chosen(&[(0, Used)], 2, 2), Ok(2));
        let mut others = slots(&[(0, Used)]);
        others[0].used_by = None;
        assert_eq!(pick(&others, Nonce(1), Nonce(0), &[]), Err(UsedElsewhere), "one of our nonces, used by others");
        assert_eq!(chosen(&[], 1 << 53, 0), Err(UsedElsewhere), "an absurd answer is no absurd list");
    }
}
