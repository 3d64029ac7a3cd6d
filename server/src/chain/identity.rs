//! Which chain a node is of, beyond what it calls itself: two chains may have one id, their first blocks differ.

use super::{ChainError, endpoint::BlockRef, finality::Tag};
use crate::value::BlockHash;

/// What a node showed of itself so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// Whether it is a node that people develop with; none before it said what program it is.
    pub(super) is_development: Option<bool>,
    /// The block it must have: its first one, or the oldest it showed where it has the first no more.
    pub(super) pin: Option<BlockRef>,
    /// Its head when the pin was last looked at.
    pub(super) proven_at: Option<BlockHash>,
    /// Whether the head moved between the last two rounds, so that it is worth asking for the pin at once.
    pub(super) moves: bool,
    /// How its `finalized` tag has moved.
    pub(super) tag: Tag,
}

impl Identity {
    /// The hash of block 0, when that is known.
    pub(super) fn genesis(&self) -> Option<BlockHash> {
        self.pin.filter(|pin| pin.number == 0).map(|pin| pin.hash)
    }

    pub(super) fn expect_genesis(&mut self, genesis: BlockHash) {
        if self.genesis() != Some(genesis) {
            *self = Self { pin: Some(BlockRef { number: 0, hash: genesis }), ..Self::default() };
        }
    }

    /// Takes note of what the node has at the pin's height, while its head is `head`. `shown` is none when the node
    /// has nothing there, or when the question failed. `is_failure` tells which.
    ///
    /// Fails when the node has another block there.
    pub(super) fn see(
        &mut self,
        head: BlockRef,
        shown: Shown,
        final_block: Option<BlockRef>,
    ) -> Result<(), ChainError> {
        match (self.pin, shown) {
            // People begin development chains anew. What was to happen on the old one is forgotten elsewhere.
            (Some(pin), Shown::Block(block))
                if self.is_development == Some(true) && pin.number == 0 && block.number == 0 =>
            {
                self.pin = Some(block);
            }
            (Some(pin), Shown::Block(block)) if pin.number == block.number && pin.hash != block.hash => {
                return Err(ChainError::OtherGenesis { remembered: pin.hash, shown: block.hash });
            }
            (Some(pin), Shown::Block(block)) if pin.number == block.number => {}
            (Some(_), Shown::Block(_)) => return Ok(()),
            (None, Shown::Block(block)) => self.pin = Some(block),
            // The node has its first block no more: the oldest final one it shows stands for it.
            (None, Shown::Nothing) => self.pin = final_block,
            // It was there once. What a node prunes says nothing of its chain.
            (Some(pin), Shown::Nothing) if pin.number > 0 => self.pin = final_block.or(Some(pin)),
            // A question that failed, or a first block that is gone, keeps what was known. It is asked again.
            (Some(_), Shown::Nothing) | (_, Shown::Failure) => return Ok(()),
        }
        self.proven_at = Some(head.hash);
        Ok(())
    }
}

/// What a node has at some height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// This block.
    Block(BlockRef),
    /// None.
    Nothing,
    /// It did not say.
    Failure,
}
