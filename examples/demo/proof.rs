//! Did the money really move? Decided from what the node says, never from what the server says.

use alloy::primitives::{U256, utils::format_ether};

/// What both sides hold, in wei, as the node says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Balances {
    /// The wallet that pays.
    pub(crate) payer: U256,
    /// The address that is paid.
    pub(crate) payee: U256,
}

/// How the balances are not what they should be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Mismatch {
    /// The recipient holds something else.
    #[error("the recipient should hold {expected} wei and holds {actual} wei")]
    Payee {
        /// What it should hold.
        expected: U256,
        /// What it holds.
        actual: U256,
    },
    /// The sender holds something else.
    #[error("the wallet should hold {expected} wei and holds {actual} wei")]
    Payer {
        /// What it should hold.
        expected: U256,
        /// What it holds.
        actual: U256,
    },
}

/// Checks that exactly `amount` arrived, and that exactly `amount` and `fee` left; all in wei.
///
/// Fails with the first balance that says otherwise. With an amount and a fee of nothing it checks that
/// nothing moved.
pub(crate) fn check(before: Balances, after: Balances, amount: U256, fee: U256) -> Result<(), Mismatch> {
    // Wrapping would need more money than there is; should it happen, the comparison fails.
    let payee = before.payee.wrapping_add(amount);
    if after.payee != payee {
        return Err(Mismatch::Payee { expected: payee, actual: after.payee });
    }
    let payer = before.payer.wrapping_sub(amount).wrapping_sub(fee);
    if after.payer != payer {
        return Err(Mismatch::Payer { expected: payer, actual: after.payer });
    }
    Ok(())
}

/// An amount of wei as whole coins, exactly and without needless zeros, e.g. `0.25`.
pub(crate) fn coins(wei: U256) -> String {
    let text = format_ether(wei);
    let text = text.trim_end_matches('0');
    text.strip_suffix('.').unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balances(payer: u64, payee: u64) -> Balances {
        Balances { payer: U256::from(payer), payee: U256::from(payee) }
    }

    #[test]
    fn exactly_the_amount_arrives_and_exactly_amount_and_fee_leave() {
        let (amount, fee) = (U256::from(25), U256::from(2));
        let before = balances(100, 7);
        assert_eq!(check(before, balances(73, 32), amount, fee), Ok(()));

        let expected = U256::from(32);
        let too_much = Mismatch::Payee { expected, actual: U256::from(33) };
        assert_eq!(check(before, balances(73, 33), amount, fee), Err(too_much));
        let nothing = Mismatch::Payee { expected, actual: U256::from(7) };
        assert_eq!(check(before, before, amount, fee), Err(nothing));

        let expected = U256::from(73);
        for payer in [72, 74, 75, 100] {
            let mismatch = Mismatch::Payer { expected, actual: U256::from(payer) };
            assert_eq!(check(before, balances(payer, 32), amount, fee), Err(mismatch));
        }
    }

    #[test]
    fn more_than_there_was_cannot_have_left() {
        assert!(check(balances(10, 0), balances(0, 25), U256::from(25), U256::ZERO).is_err());
    }

    #[test]
    fn without_amount_and_fee_nothing_may_move() {
        let before = balances(100, 7);
        assert_eq!(check(before, before, U256::ZERO, U256::ZERO), Ok(()));
        assert!(check(before, balances(99, 7), U256::ZERO, U256::ZERO).is_err());
        assert!(check(before, balances(100, 8), U256::ZERO, U256::ZERO).is_err());
    }

    #[test]
    fn coins_are_written_as_people_write_them() {
        for (wei, text) in [
            (0_u64, "0"),
            (1, "0.000000000000000001"),
            (250_000_000_000_000_000, "0.25"),
            (10_000_000_000_000_000_000, "10"),
        ] {
            assert_eq!(coins(U256::from(wei)), text);
        }
    }
}
