//! The fee ladder: the same payment signed at several prices, so that it can be sped up without its owner.

use crate::value::Fees;

/// How many rungs a ladder has at most.
pub const RUNGS: usize = 8;

/// Room that the caps leave above today's fee.
const HEADROOM: u128 = 4;

/// The caps that are shown for approval: today's fee, four times.
pub fn caps(now: Fees) -> Fees {
    Fees {
        max_fee_per_gas: now.max_fee_per_gas.saturating_mul(HEADROOM),
        max_priority_fee_per_gas: now.max_priority_fee_per_gas.saturating_mul(HEADROOM),
    }
}

/// The rungs below the approved caps, cheapest first; none when the caps no longer cover today's fee.
///
/// Each rung is the next one divided by 1.125 in both fields (nodes replace a pooled transaction only for 10 % more in
/// both), the top one is the caps divided by 1.125, so that the cancel, which is signed at exactly the caps, outbids
/// it; none is below today's fee.
pub fn rungs(caps: Fees, now: Fees) -> Vec<Fees> {
    let mut rungs: Vec<Fees> = std::iter::successors(Some(step_down(caps)), |&rung| Some(step_down(rung)))
        .take_while(|rung| rung.covers(now) && rung.max_fee_per_gas > 0)
        .take(RUNGS)
        .collect();
    rungs.reverse();
    rungs
}

fn step_down(fees: Fees) -> Fees {
    Fees {
        max_fee_per_gas: eight_ninths(fees.max_fee_per_gas),
        max_priority_fee_per_gas: eight_ninths(fees.max_priority_fee_per_gas),
    }
}

/// The largest price that is at most the given one divided by 1.125.
fn eight_ninths(price: u128) -> u128 {
    (price / 9) * 8 + (price % 9) * 8 / 9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fees(max_fee_per_gas: u128, max_priority_fee_per_gas: u128) -> Fees {
        Fees { max_fee_per_gas, max_priority_fee_per_gas }
    }

    /// Whether a node with geth's default price bump of 10 % takes `higher` in place of `lower`.
    fn replaces(higher: u128, lower: u128) -> bool {
        higher * 100 >= lower * 110
    }

    #[test]
    fn every_rung_and_the_cancel_replace_the_one_below_in_both_fields() {
        for now in [fees(3_000_000_000, 1_000_000_000), fees(7, 3), fees(1_000_003, 1_000_000), fees(u128::MAX / 5, 9)]
        {
            let caps = caps(now);
            let mut ladder = rungs(caps, now);
            assert!(!ladder.is_empty());
            assert!(ladder.len() <= RUNGS && ladder.iter().all(|rung| rung.covers(now)));
            ladder.push(caps);
            for pair in ladder.windows(2) {
                assert!(
                    replaces(pair[1].max_fee_per_gas / 1_000, pair[0].max_fee_per_gas / 1_000)
                        || pair[0].max_fee_per_gas < 1_000_000
                );
                assert!(pair[1].max_fee_per_gas >= pair[0].max_fee_per_gas + pair[0].max_fee_per_gas / 8);
                assert!(
                    pair[1].max_priority_fee_per_gas
                        >= pair[0].max_priority_fee_per_gas + pair[0].max_priority_fee_per_gas / 8
                );
            }
        }
    }

    #[test]
    fn a_market_above_the_caps_leaves_no_rung() {
        let shown = caps(fees(100, 10));
        assert_eq!(rungs(shown, fees(360, 10)), Vec::new());
        assert_eq!(rungs(shown, fees(355, 10)).len(), 1);
    }

    #[test]
    fn the_tip_never_exceeds_the_price() {
        for rung in rungs(fees(4_001, 4_000), fees(1, 1)) {
            assert!(rung.max_priority_fee_per_gas <= rung.max_fee_per_gas);
        }
    }
}
