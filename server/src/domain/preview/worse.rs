//! Whether what would happen now is worse than what a human was shown.

use alloy::primitives::U256;

use crate::{
    store::transactions::Model,
    value::{AssetChange, ChangeDirection, Preview, SimulationOutcome, Warning},
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
    let known = shown.iter().find(|known| known.code == warning.code);
    let rank =
        |warning: &Warning| crate::value::Severity::ALL.iter().position(|&severity| severity == warning.severity);
    warning.code != "insufficient_balance" && known.is_none_or(|known| rank(known) < rank(warning))
}

fn is_worse_preview(shown: &Preview, now: &Preview) -> bool {
    let fails = |preview: &Preview| preview.simulation.outcome == SimulationOutcome::Reverted;
    if fails(now) && !fails(shown) {
        return true;
    }
    // Two methods see different things; a trial that failed saw nothing.
    let comparable = shown.simulation.method == now.simulation.method && !fails(now) && !fails(shown);
    let funded = |preview: &Preview| preview.simulation.outcome == SimulationOutcome::Success;
    if !comparable || !funded(shown) || !funded(now) {
        return false;
    }
    let amount = |changes: &[AssetChange], like: &AssetChange| {
        changes.iter().filter(|change| is_same(change, like)).map(|change| change.amount.0).max().unwrap_or(U256::ZERO)
    };
    let leaves_more = now.changes.iter().filter(|change| change.direction != ChangeDirection::Receives).any(|change| {
        let before = amount(&shown.changes, change);
        change.amount.0 > before.saturating_add(before / U256::from(100 / TOLERANCE))
    });
    let brings_less =
        shown.changes.iter().filter(|change| change.direction == ChangeDirection::Receives).any(|change| {
            amount(&now.changes, change) < change.amount.0 - change.amount.0 / U256::from(100 / TOLERANCE)
        });
    leaves_more || brings_less
}

/// Whether two changes are about the same asset and way; who is on the other side matters only where it gains.
fn is_same(one: &AssetChange, other: &AssetChange) -> bool {
    let same = (one.direction, one.asset, one.token_address, one.token_id)
        == (other.direction, other.asset, other.token_address, other.token_id);
    same && (one.direction == ChangeDirection::Receives || one.counterparty == other.counterparty)
}
