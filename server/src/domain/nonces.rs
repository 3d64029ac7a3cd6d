//! Which nonce an approval may sign with.
//!
//! A nonce is the only thing that keeps two payments from both happening, so it is given out under one rule: the
//! lowest one the chain has not used that no live bytes of ours use either.

use crate::{
    store::nonce_slots::Model,
    value::{Nonce, SlotState},
};

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

/// The lowest nonce not below the chain's `latest` that has no slot, or a void one. `slots` are all of the account's,
/// in order.
///
/// Fails with [`UsedElsewhere`] when `latest` is ahead of what our own sending and the owner's acknowledgement explain:
/// then somebody else holds this key, or the node lies, and a human should know before more is signed.
pub fn choose(slots: &[Model], latest: Nonce, acknowledged: Nonce) -> Result<Choice, UsedElsewhere> {
    let ours = slots.iter().filter(|slot| {
        (acknowledged..latest).contains(&slot.nonce) && matches!(slot.state, SlotState::Sent | SlotState::Used)
    });
    let unexplained = latest.0.saturating_sub(acknowledged.0);
    if u64::try_from(ours.count()).unwrap_or(u64::MAX) < unexplained {
        return Err(UsedElsewhere);
    }
    let mut nonce = latest;
    for slot in slots.iter().filter(|slot| slot.nonce >= latest) {
        if slot.nonce > nonce {
            break;
        }
        if slot.state == SlotState::Void {
            return Ok(Choice::Reused(Box::new(slot.clone())));
        }
        nonce = nonce.next();
    }
    Ok(Choice::Fresh(nonce))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Address, ChainId, Time, TransactionId};

    fn slots(states: &[(u64, SlotState)]) -> Vec<Model> {
        let slot = |&(nonce, state): &(u64, SlotState)| Model {
            chain_id: ChainId::new(1).expect("in range"),
            address: Address(alloy::primitives::Address::ZERO),
            nonce: Nonce(nonce),
            state,
            transaction_id: TransactionId::new(),
            changed_at: Time::from_unix_microseconds(0),
        };
        states.iter().map(slot).collect()
    }

    fn chosen(states: &[(u64, SlotState)], latest: u64, acknowledged: u64) -> Result<u64, UsedElsewhere> {
        choose(&slots(states), Nonce(latest), Nonce(acknowledged)).map(|choice| choice.nonce().0)
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
    fn a_used_nonce_is_not_chosen_again_when_a_lagging_node_reports_less() {
        use SlotState::{Sent, Used};
        assert_eq!(chosen(&[(0, Used), (1, Sent)], 0, 0), Ok(2));
    }

    #[test]
    fn foreign_uses_need_an_acknowledgement() {
        use SlotState::{Held, Used, Void};
        assert_eq!(chosen(&[], 1, 0), Err(UsedElsewhere));
        assert_eq!(chosen(&[(0, Held)], 1, 0), Err(UsedElsewhere));
        assert_eq!(chosen(&[(0, Void)], 1, 0), Err(UsedElsewhere));
        assert_eq!(chosen(&[(0, Used)], 2, 0), Err(UsedElsewhere));
        assert_eq!(chosen(&[(0, Used)], 2, 2), Ok(2));
    }
}
