//! The fee ladder: the same payment signed at several prices, so that it can be sped up without its owner.

use crate::value::Fees;

/// How many rungs a ladder has at most.
pub const RUNGS: usize = 8;

/// Room that the caps leave above today's fee, unless the chain is set otherwise.
pub const HEADROOM: u32 = 4;

/// The caps that are shown for approval: today's fee, so many times.
pub fn caps(now: Fees, times: u32) -> Fees {
    Fees {
        max_fee_per_gas: now.max_fee_per_gas.saturating_mul(times.into()),
        max_priority_fee_per_gas: now.max_priority_fee_per_gas.saturating_mul(times.into()),
    }
}

/// The rungs below the approved caps, cheapest first; none when the caps no longer cover today's fee.
///
/// The first is today's fee: what is paid is what others are advised to pay next, so a first rung above the market
/// would drive a quiet market up. Each rung is at least 1.125 times the one before in both fields (nodes replace a
/// pooled transaction only for 10 % more in both), the steps are alike, and the last is the caps divided by 1.125, so
/// that the cancel, which is signed at exactly the caps, outbids it. Where that leaves room for fewer steps there are
/// fewer rungs; a single one is today's fee.
pub fn rungs(caps: Fees, now: Fees) -> Vec<Fees> {
    let top = Fees {
        max_fee_per_gas: eight_ninths(caps.max_fee_per_gas),
        max_priority_fee_per_gas: eight_ninths(caps.max_priority_fee_per_gas),
    };
    if !top.covers(now) {
        return Vec::new();
    }
    if now.max_fee_per_gas == 0 {
        // Gas is free now. Should it cost something later, the caps say how much.
        let later = Fees {
            max_fee_per_gas: top.max_fee_per_gas.div_ceil(4),
            max_priority_fee_per_gas: top.max_priority_fee_per_gas.div_ceil(4),
        };
        return if top.max_fee_per_gas == 0 { vec![now] } else { [vec![now], rungs(caps, later)].concat() };
    }
    (2..=RUNGS).rev().find_map(|count| climb(now, top, count)).unwrap_or_else(|| vec![now])
}

/// So many rungs from `now` to `top`; none when a step would be too small.
fn climb(now: Fees, top: Fees, count: usize) -> Option<Vec<Fees>> {
    let fees = steps(now.max_fee_per_gas, top.max_fee_per_gas, count)?;
    let tips = steps(now.max_priority_fee_per_gas, top.max_priority_fee_per_gas, count)?;
    fees.into_iter()
        .zip(tips)
        .map(|(max_fee_per_gas, max_priority_fee_per_gas)| {
            let rung = Fees { max_fee_per_gas, max_priority_fee_per_gas };
            (max_priority_fee_per_gas <= max_fee_per_gas).then_some(rung)
        })
        .collect()
}

/// So many prices from `low` to `high`, each about the same factor above the one before; none when that factor would
/// be less than 1.125 somewhere.
fn steps(low: u128, high: u128, count: usize) -> Option<Vec<u128>> {
    let last = count.checked_sub(1)?;
    // A few wei more or less in the middle of a ladder do not matter; what must hold is checked below.
    #[expect(clippy::cast_precision_loss, reason = "a factor needs no more digits than a double has")]
    let factor = |rung: usize| (high as f64 / low as f64).powf(rung as f64 / last as f64);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "prices are positive, and rounded like every price"
    )]
    let price = |rung: usize| match rung {
        0 => low,
        rung if rung == last => high,
        rung => (low as f64 * factor(rung)) as u128,
    };
    let prices: Vec<u128> = (0..count).map(price).collect();
    let is_enough = |pair: &[u128]| pair[0] <= eight_ninths(pair[1]);
    prices.windows(2).all(is_enough).then_some(prices)
}

/// The largest price that is at most the given one divided by 1.125.
fn eight_ninths(price: u128) -> u128 {
    (price / 9) * 8 + (price % 9) * 8 / 9
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fees(max_fee_per_gas: u128, max_priority_fee_per_gas: u128) -> Fees {
        Fees { max_fee_per_gas, max_priority_fee_per_gas }
    }

    /// What must hold of every ladder.
    fn check(caps: Fees, now: Fees) {
        let mut ladder = rungs(caps, now);
        assert!(ladder.len() <= RUNGS);
        if let Some(first) = ladder.first() {
            assert_eq!(*first, now, "the first rung is the market's price");
        }
        assert!(ladder.iter().all(|rung| rung.max_priority_fee_per_gas <= rung.max_fee_per_gas));
        if !ladder.is_empty() {
            ladder.push(caps);
        }
        for pair in ladder.windows(2) {
            // A node with geth's default price bump of 10 % takes the higher one in place of the lower.
            let replaces = |higher: u128, lower: u128| higher >= lower.saturating_add(lower / 8);
            assert!(replaces(pair[1].max_fee_per_gas, pair[0].max_fee_per_gas), "{ladder:?}");
            assert!(replaces(pair[1].max_priority_fee_per_gas, pair[0].max_priority_fee_per_gas), "{ladder:?}");
        }
    }

    #[test]
    fn free_gas_is_one_rung_and_what_it_may_cost_later_more() {
        assert_eq!(rungs(fees(0, 0), fees(0, 0)), [fees(0, 0)]);
        assert_eq!(rungs(fees(0, 0), fees(1, 1)), [], "it is free no more");
        let ladder = rungs(caps(fees(1_000, 1_000), HEADROOM), fees(0, 0));
        assert_eq!(ladder[0], fees(0, 0));
        assert!(ladder.len() > 4 && ladder.windows(2).all(|pair| pair[0].max_fee_per_gas < pair[1].max_fee_per_gas));
    }

    #[test]
    fn eight_rungs_lead_from_the_market_to_below_the_caps() {
        for now in [fees(3_000_000_000, 1_000_000_000), fees(1_000_003, 1_000_000), fees(u128::MAX / 5, 9_000)] {
            check(caps(now, HEADROOM), now);
            let ladder = rungs(caps(now, HEADROOM), now);
            assert_eq!((ladder.len(), ladder[0]), (RUNGS, now));
            assert_eq!(ladder[RUNGS - 1].max_fee_per_gas, eight_ninths(caps(now, HEADROOM).max_fee_per_gas));
        }
        check(caps(fees(7, 3), HEADROOM), fees(7, 3));
        assert!(rungs(caps(fees(7, 3), HEADROOM), fees(7, 3)).len() > 1);
    }

    #[test]
    fn a_market_above_the_caps_leaves_no_rung() {
        let shown = caps(fees(100, 10), HEADROOM);
        assert_eq!(rungs(shown, fees(360, 10)), Vec::new());
        assert_eq!(rungs(shown, fees(355, 10)), [fees(355, 10)]);
        assert_eq!(rungs(shown, fees(300, 10)), [fees(300, 10), fees(355, 35)]);
    }

    proptest! {
        #[test]
        fn every_rung_and_the_cancel_replace_the_one_below_in_both_fields(
            base in 0u128..1 << 60, tip in 1u128..1 << 40, moved_base in 0u128..1 << 61, moved_tip in 1u128..1 << 41,
        ) {
            let (shown, now) = (fees(2 * base + tip, tip), fees(2 * moved_base + moved_tip, moved_tip));
            check(caps(shown, HEADROOM), shown);
            check(caps(shown, HEADROOM), now);
        }
    }
}
