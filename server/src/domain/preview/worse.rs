//! Whether what would happen now is worse than what a human was shown.

use alloy::primitives::U256;

use crate::{
    store::transactions::Model,
    value::{AssetChange, ChangeDirection, Preview, SimulationMethod, SimulationOutcome, Warning},
};

/// What may change without a new look, in parts of a hundred: the result of a swap moves with every block.
const TOLERANCE: u64 = 1;

/// Whether `now` is worse than `shown`: it would fail, it has a warning that is new or graver, or more would leave the
/// wallet, or less reach it, by more than one part in a hundred. Fees and gas are compared elsewhere.
pub(in crate::domain) fn is_worse(shown: &Model, now: &Model) -> bool {
    let outcome = match (&shown.preview, &now.preview) {
        (Some(shown), Some(now)) => is_worse_preview(&shown.0, &now.0),
        // Older than previews: what it does was never shown.
        (None, _) => true,
        (Some(_), None) => false,
    };
    outcome || now.warnings.0.iter().any(|warning| is_new(&shown.warnings.0, warning))
}

/// A balance that is too low is refused by itself.
fn is_new(shown: &[Warning], warning: &Warning) -> bool {
    let known = shown.iter().find(|known| known.name() == warning.name());
    let rank =
        |warning: &Warning| crate::value::Severity::ALL.iter().position(|&severity| severity == warning.severity);
    warning.code != "insufficient_balance" && known.is_none_or(|known| rank(known) < rank(warning))
}

fn is_worse_preview(shown: &Preview, now: &Preview) -> bool {
    let outcome = |preview: &Preview| preview.simulation.outcome;
    let traced = |preview: &Preview| {
        preview.simulation.method != SimulationMethod::EthCall && outcome(preview) == SimulationOutcome::Success
    };
    if outcome(now) == SimulationOutcome::Reverted {
        return outcome(shown) != SimulationOutcome::Reverted;
    }
    // What was seen when it was shown, and is not seen now, may be anything.
    let is_lost = traced(shown) && outcome(now) == SimulationOutcome::Success && !traced(now);
    let known_both = traced(shown) && traced(now);
    is_lost || leaves_more(&shown.changes, &now.changes) || known_both && brings_less(&shown.changes, &now.changes)
}

/// The most of something like this among some changes.
fn amount(changes: &[AssetChange], like: &AssetChange) -> U256 {
    changes.iter().filter(|change| is_same(change, like)).map(|change| change.amount.0).max().unwrap_or(U256::ZERO)
}

/// Whether more leaves or may leave, or to somebody else.
pub(super) fn leaves_more(shown: &[AssetChange], now: &[AssetChange]) -> bool {
    now.iter().filter(|change| change.direction != ChangeDirection::Receives).any(|change| {
        let before = amount(shown, change);
        change.amount.0 > before.saturating_add(before / U256::from(100 / TOLERANCE))
    })
}

/// Whether less arrives.
pub(super) fn brings_less(shown: &[AssetChange], now: &[AssetChange]) -> bool {
    shown
        .iter()
        .filter(|change| change.direction == ChangeDirection::Receives)
        .any(|change| amount(now, change) < change.amount.0 - change.amount.0 / U256::from(100 / TOLERANCE))
}

/// Whether two changes are about the same asset and way; who is on the other side matters only where it gains.
fn is_same(one: &AssetChange, other: &AssetChange) -> bool {
    let same = (one.direction, one.asset, one.token_address, one.token_id)
        == (other.direction, other.asset, other.token_address, other.token_id);
    same && (one.direction == ChangeDirection::Receives || one.counterparty == other.counterparty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{AssetKind, Simulation, TokenAmount};

    fn change(direction: ChangeDirection, amount: u64, counterparty: u8) -> AssetChange {
        AssetChange {
            direction,
            asset: AssetKind::Erc20,
            token_address: Some(crate::value::Address(alloy::primitives::Address::repeat_byte(9))),
            token_id: None,
            amount: TokenAmount(U256::from(amount)),
            text: String::new(),
            counterparty: Some(crate::value::Address(alloy::primitives::Address::repeat_byte(counterparty))),
        }
    }

    fn preview(outcome: SimulationOutcome, changes: Vec<AssetChange>) -> Preview {
        let method = SimulationMethod::EthSimulateV1;
        let simulation = Simulation { method, outcome, revert_reason: None, block_number: None };
        Preview { intent: String::new(), calls: Vec::new(), tokens: Vec::new(), changes, simulation, data_fee: None }
    }

    #[test]
    fn a_swap_may_move_a_little_and_no_more() {
        use ChangeDirection::{Receives, Sends};
        let swap =
            |out, back| preview(SimulationOutcome::Success, vec![change(Sends, out, 1), change(Receives, back, 2)]);
        let shown = swap(1_000, 5_000);
        assert!(!is_worse_preview(&shown, &shown));
        assert!(!is_worse_preview(&shown, &swap(1_010, 4_950)));
        assert!(!is_worse_preview(&shown, &swap(1, 9_000)));
        assert!(is_worse_preview(&shown, &swap(1_011, 5_000)));
        assert!(is_worse_preview(&shown, &swap(1_000, 4_949)));
    }

    #[test]
    fn another_gainer_is_worse_whatever_the_amount() {
        use ChangeDirection::{Allows, Sends};
        let shown = preview(SimulationOutcome::Success, vec![change(Sends, 1_000, 1)]);
        for other in [change(Sends, 1, 2), change(Allows, 1, 1)] {
            let now = preview(SimulationOutcome::Success, vec![change(Sends, 1_000, 1), other]);
            assert!(is_worse_preview(&shown, &now));
        }
    }

    #[test]
    fn what_could_not_be_tried_before_is_compared_once_it_can() {
        use ChangeDirection::Sends;
        let untried = preview(SimulationOutcome::Unknown, vec![change(Sends, 5, 1)]);
        let same = preview(SimulationOutcome::Success, vec![change(Sends, 5, 1)]);
        let drained = preview(SimulationOutcome::Success, vec![change(Sends, 5, 1), change(Sends, 900, 2)]);
        assert!(!is_worse_preview(&untried, &same));
        assert!(is_worse_preview(&untried, &drained));
    }

    #[test]
    fn a_call_that_fails_now_is_worse_only_when_it_did_not_before() {
        let (good, bad) =
            (preview(SimulationOutcome::Success, Vec::new()), preview(SimulationOutcome::Reverted, Vec::new()));
        assert!(is_worse_preview(&good, &bad));
        assert!(!is_worse_preview(&bad, &bad));
        assert!(!is_worse_preview(&bad, &good));
    }
}
