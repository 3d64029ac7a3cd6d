//! In which block an account's nonce was used: the only proof that somebody else used it.

use futures_util::{StreamExt, stream};

use super::{
    ChainError,
    block::{BlockTransaction, FullBlock},
    endpoint::BlockRef,
    round::{NonceAt, Round},
};
use crate::value::{Address, TransactionHash};

/// The most blocks that one call reads.
const MOST_BLOCKS: u64 = 2_000;

/// How many blocks are asked for at once.
const AT_ONCE: usize = 4;

/// Where a nonce was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    /// Not at or below the final height, as far as this node knows.
    NotFinal,
    /// In this block, which is canonical, final and was read whole.
    Found {
        /// The block.
        block: BlockRef,
        /// The transaction whose sender's nonce it was, or which carried the EIP-7702 authorisation that used it. There
        /// need not be one: a contract that an account delegates to can use its nonces too (EIP-7702, CREATE).
        by: Option<Box<BlockTransaction>>,
        /// All transactions of the block.
        hashes: Vec<TransactionHash>,
    },
    /// Not found yet: the next call goes on from here.
    Searching,
    /// The node has neither the blocks nor the state that would tell.
    Gone,
}

/// How far a search has come. Losing it costs nothing but repeats.
#[derive(Debug, Clone, Default)]
pub struct UseSearch {
    of: Option<(Address, u64)>,
    /// The next block to read; none while the node's state can tell.
    next: Option<u64>,
}

impl Round {
    /// In which block at or below the final height an account's nonce passed `nonce`. `from` is the height of a block
    /// at which it had not. By bisection where the node has state, else by reading blocks, at most 2000 a call.
    ///
    /// Fails when the node cannot be asked, or contradicts itself.
    pub async fn find_use(
        &self,
        account: Address,
        nonce: u64,
        from: u64,
        memory: &mut UseSearch,
    ) -> Result<Use, ChainError> {
        if memory.of != Some((account, nonce)) {
            *memory = UseSearch { of: Some((account, nonce)), next: None };
        }
        let passed = match self.nonce_at(account, self.final_height).await? {
            NonceAt::Nonce(count) if count <= nonce => return Ok(Use::NotFinal),
            NonceAt::Nonce(_) => true,
            NonceAt::NoState => false,
        };
        let last = match (passed, memory.next) {
            (true, None) => match self.first_passed(account, nonce, from).await? {
                Passed::Within(block) => return self.read_use(account, nonce, block).await,
                Passed::AtOrBefore(block) => block,
                Passed::Never => return Ok(Use::Gone),
            },
            _ => self.final_height,
        };
        self.read_on(account, nonce, from, last, passed, memory).await
    }

    /// The first block up to the final one after which the node's state has the nonce as used.
    async fn first_passed(&self, account: Address, nonce: u64, from: u64) -> Result<Passed, ChainError> {
        let (mut below, mut above) = (from.min(self.final_height), self.final_height);
        let mut is_known_below = match self.nonce_at(account, below).await? {
            NonceAt::Nonce(count) if count <= nonce => true,
            // It was used earlier than anybody thought. Block 0 is before every transaction.
            NonceAt::Nonce(_) if below > 0 => {
                (below, above) = (0, below);
                match self.nonce_at(account, 0).await? {
                    NonceAt::Nonce(count) if count <= nonce => true,
                    NonceAt::Nonce(_) => return Ok(Passed::Never),
                    NonceAt::NoState => false,
                }
            }
            NonceAt::Nonce(_) => return Ok(Passed::Never),
            NonceAt::NoState => false,
        };
        // Nodes keep the state of their latest blocks, so what they have none of lies below.
        while above - below > 1 {
            let middle = below + (above - below) / 2;
            match self.nonce_at(account, middle).await? {
                NonceAt::Nonce(count) if count > nonce => above = middle,
                NonceAt::Nonce(_) => (below, is_known_below) = (middle, true),
                NonceAt::NoState => (below, is_known_below) = (middle, false),
            }
        }
        Ok(if is_known_below { Passed::Within(above) } else { Passed::AtOrBefore(above) })
    }

    /// The block in which the nonce was used, read whole.
    async fn read_use(&self, account: Address, nonce: u64, height: u64) -> Result<Use, ChainError> {
        match self.block(height).await? {
            Some(block) => self.found(account, nonce, block).await,
            None => Ok(Use::Gone),
        }
    }

    async fn found(&self, account: Address, nonce: u64, block: FullBlock) -> Result<Use, ChainError> {
        if self.block_hash(block.number).await? != Some(block.hash) {
            return Err(ChainError::Unavailable("it shows two blocks at one height".to_owned()));
        }
        let hashes = block.transactions.iter().map(|transaction| transaction.hash).collect();
        let by = block.transactions.into_iter().find(|transaction| transaction.uses(account, nonce));
        let by = by.map(Box::new);
        Ok(Use::Found { block: BlockRef { number: block.number, hash: block.hash }, by, hashes })
    }

    /// Reads blocks up to `last` for a transaction that used the nonce. `passed` is whether there is one to be found.
    async fn read_on(
        &self,
        account: Address,
        nonce: u64,
        from: u64,
        last: u64,
        passed: bool,
        memory: &mut UseSearch,
    ) -> Result<Use, ChainError> {
        let first = memory.next.unwrap_or_else(|| from.saturating_add(1));
        let end = last.min(first.saturating_add(MOST_BLOCKS - 1));
        memory.next = Some(first);
        let mut blocks = stream::iter(first..=end).map(|height| self.block(height)).buffered(AT_ONCE);
        while let Some(block) = blocks.next().await {
            let Some(block) = block? else { return Ok(Use::Gone) };
            if block.transactions.iter().any(|transaction| transaction.uses(account, nonce)) {
                return self.found(account, nonce, block).await;
            }
            // Passed without a transaction of its own, in some earlier block.
            if block.transactions.iter().any(|transaction| transaction.is_beyond(account, nonce)) {
                return Ok(Use::Gone);
            }
            memory.next = Some(block.number.saturating_add(1));
        }
        Ok(match (end < last, passed) {
            (true, _) => Use::Searching,
            (false, true) => Use::Gone,
            (false, false) => Use::NotFinal,
        })
    }
}

/// What the state of a node tells of where a nonce was passed.
enum Passed {
    /// In this block.
    Within(u64),
    /// In this block or one before it of which there is no state.
    AtOrBefore(u64),
    /// Before the chain's first block.
    Never,
}
