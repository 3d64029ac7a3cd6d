//! How much gas a transaction costs before anything runs.

use super::Call;

/// What every transaction costs (Yellow Paper, appendix G).
const TRANSACTION: u64 = 21_000;
/// What a deployment costs on top (EIP-2).
const CREATE: u64 = 32_000;
/// What a word of 32 bytes of init code costs (EIP-3860).
const INIT_CODE_WORD: u64 = 2;
/// What a token of data costs: a zero byte is one token, any other four (EIP-2028, in the words of EIP-7623).
const TOKEN: u64 = 4;
/// What a token costs at least in all (EIP-7623).
const TOKEN_AT_LEAST: u64 = 10;

/// The least gas limit with which a call can be in a block at all, whatever it does: a node that estimates less is
/// wrong. On chains without EIP-7623 and EIP-3860 it is a little more than the least.
pub fn intrinsic_gas(call: &Call) -> u64 {
    let Call { from: _, to, value: _, data } = call;
    let count = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
    let zeros = count(data.0.iter().filter(|&&byte| byte == 0).count());
    let others = count(data.0.len()) - zeros;
    let tokens = zeros.saturating_add(others.saturating_mul(4));
    let creation = match to {
        Some(_) => 0,
        None => CREATE + INIT_CODE_WORD.saturating_mul(count(data.0.len().div_ceil(32))),
    };
    let usual = TRANSACTION.saturating_add(tokens.saturating_mul(TOKEN)).saturating_add(creation);
    usual.max(TRANSACTION.saturating_add(tokens.saturating_mul(TOKEN_AT_LEAST)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Address, CallData, Wei};

    fn of(creates: bool, data: Vec<u8>) -> u64 {
        let account = Address(alloy::primitives::Address::ZERO);
        intrinsic_gas(&Call {
            from: account,
            to: (!creates).then_some(account),
            value: Wei::ZERO,
            data: CallData(data),
        })
    }

    #[test]
    fn the_published_figures_are_met() {
        // Yellow Paper, appendix G: 21000 for a transaction, 32000 more for a creation.
        assert_eq!(of(false, vec![]), 21_000);
        assert_eq!(of(true, vec![]), 53_000);
        // EIP-7623: 10 gas a zero byte and 40 any other, at least; EIP-2028: 4 and 16, where that is more with a creation.
        assert_eq!(of(false, vec![0]), 21_010);
        assert_eq!(of(false, vec![1]), 21_040);
        assert_eq!(of(false, vec![1; 1_000]), 61_000);
        assert_eq!(of(true, vec![1]), 53_000 + 16 + 2);
        // EIP-3860: 2 gas a word; the largest init code has 49152 bytes, 1536 words.
        assert_eq!(of(true, vec![0; 32]), 53_000 + 128 + 2);
        assert_eq!(of(true, vec![0; 33]), 53_000 + 132 + 4);
        assert_eq!(of(true, vec![0; 49_152]), 21_000 + 491_520);
        // An ERC-20 transfer of a small amount: 4 + 20 + 1 bytes that are not zero, 43 that are.
        let mut transfer = vec![0xa9, 0x05, 0x9c, 0xbb];
        transfer.extend([0; 12]);
        transfer.extend([0xaa; 20]);
        transfer.extend([0; 31]);
        transfer.push(5);
        assert_eq!(of(false, transfer), 21_000 + 10 * (4 * 25 + 43));
    }
}
