//! How the latest nonces of an account were used, final or not: what its owner should know before they do it again.

use std::collections::BTreeMap;

use super::{
    BlockTransaction, ChainError,
    round::{NonceAt, Round},
};
use crate::value::{Address, Nonce};

/// How a nonce of an account was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NonceUse {
    /// The nonce.
    pub nonce: Nonce,
    /// The block in which the account's count passed it.
    pub block_number: u64,
    /// The transaction whose sender's nonce it was, or which carried the EIP-7702 authorisation that used it, where
    /// there is one.
    pub by: Option<BlockTransaction>,
}

/// A search for uses of one account's nonces, up to the head of a round. What it has learnt of the account's counts is
/// kept, so that the next nonce takes fewer questions. [`Round::find_use`] is for nonces that must be final.
#[derive(Debug)]
pub struct NonceUses {
    address: Address,
    /// The account's count after a block, where it was asked for; counts only rise.
    counts: BTreeMap<u64, u64>,
}

impl NonceUses {
    /// `latest` is the account's count at the round's head.
    pub fn new(round: &Round, address: Address, latest: Nonce) -> Self {
        Self { address, counts: BTreeMap::from([(round.head.number, latest.0)]) }
    }

    /// How a nonce was used. None when no block up to the head used it, and where the node no longer has the state or
    /// the block that tells.
    ///
    /// Fails when the node cannot be asked.
    pub async fn find(&mut self, round: &Round, nonce: Nonce) -> Result<Option<NonceUse>, ChainError> {
        let Some(mut high) = self.first_above(nonce) else { return Ok(None) };
        let mut low = self.last_up_to(nonce);
        let mut step = 1;
        while low.is_none_or(|low| low + 1 < high) {
            // Recent uses are the likely ones: from the head back in growing steps, then by halves.
            let middle = match low {
                Some(low) => low + (high - low) / 2,
                None if high == 0 => break,
                None => high.saturating_sub(step),
            };
            step *= 8;
            let NonceAt::Nonce(count) = round.nonce_at(self.address, middle).await? else { return Ok(None) };
            self.counts.insert(middle, count);
            if count > nonce.0 { high = middle } else { low = Some(middle) }
        }
        let Some(block) = round.block(high).await? else { return Ok(None) };
        let by = block.transactions.into_iter().find(|transaction| transaction.uses(self.address, nonce.0));
        Ok(Some(NonceUse { nonce, block_number: high, by }))
    }

    fn first_above(&self, nonce: Nonce) -> Option<u64> {
        self.counts.iter().find(|(_, count)| **count > nonce.0).map(|(block, _)| *block)
    }

    fn last_up_to(&self, nonce: Nonce) -> Option<u64> {
        self.counts.iter().rev().find(|(_, count)| **count <= nonce.0).map(|(block, _)| *block)
    }
}
