//! A chain in a few lines: blocks, everything its nodes ever heard, and a node that lags.

use std::collections::HashMap;

use alloy::{
    consensus::{Transaction, TxEnvelope},
    eips::eip2718::Decodable2718,
    primitives::{U256, keccak256},
};

use super::super::plan::{Sight, Tracked};
use crate::{
    chain::{Receipt, SendOutcome},
    value::{Address, BlockHash, Nonce, TransactionHash},
};

/// A transaction as nodes hear it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) hash: TransactionHash,
    pub(super) from: Address,
    pub(super) nonce: u64,
    pub(super) to: Option<Address>,
    pub(super) value: U256,
    pub(super) gas_limit: u64,
    pub(super) max_fee: u128,
}

impl Heard {
    pub(super) fn read(from: Address, bytes: &[u8]) -> Self {
        let read = TxEnvelope::decode_2718_exact(bytes).expect("signed bytes are a transaction");
        Self {
            hash: TransactionHash(keccak256(bytes)),
            from,
            nonce: read.nonce(),
            to: read.to().map(Address),
            value: read.value(),
            gas_limit: read.gas_limit(),
            max_fee: read.max_fee_per_gas(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    hash: BlockHash,
    /// Each with whether it did what it should.
    transactions: Vec<(Heard, bool)>,
}

/// Which of a look's three questions the lagging node answers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Via {
    pub(super) head: bool,
    pub(super) nonces: bool,
    pub(super) receipts: bool,
}

/// What a node does with bytes beside telling the truth about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Fair,
    /// The bytes get lost, and so does the answer.
    Lost,
    /// The bytes arrive, the answer does not.
    Mute,
    /// It refuses payments for good.
    Refuse,
}

/// The chain, as seen by somebody who knows everything.
#[derive(Debug)]
pub(super) struct Chain {
    blocks: Vec<Block>,
    /// Everything that any node ever heard: whatever was sent can be mined as long as its nonce is free.
    heard: Vec<Heard>,
    /// What one node still believes.
    stale: Option<Vec<Block>>,
    /// How many blocks at the end can still go.
    unsettled: usize,
    pub(super) market: u128,
    pub(super) refuses_gaps: bool,
    forged: u64,
}

impl Chain {
    /// `depth` 1 makes every block final at once.
    pub(super) fn new(depth: usize, market: u128, refuses_gaps: bool) -> Self {
        let (blocks, heard) = (Vec::new(), Vec::new());
        let mut chain = Self { blocks, heard, stale: None, unsettled: depth - 1, market, refuses_gaps, forged: 0 };
        chain.push(Vec::new());
        chain
    }

    fn forge(&mut self) -> [u8; 32] {
        self.forged += 1;
        keccak256(self.forged.to_be_bytes()).0
    }

    fn push(&mut self, transactions: Vec<(Heard, bool)>) {
        let hash = BlockHash(self.forge().into());
        self.blocks.push(Block { hash, transactions });
        // A node of another fork does not stay there until the fork is final: nothing could be final otherwise.
        let settled = &self.blocks[..self.settled()];
        if self.stale.as_ref().is_some_and(|stale| stale.iter().zip(settled).any(|(theirs, ours)| theirs != ours)) {
            self.stale = None;
        }
    }

    /// How many blocks are final.
    fn settled(&self) -> usize {
        self.blocks.len().saturating_sub(self.unsettled)
    }

    /// The account's nonce at the newest block.
    pub(super) fn latest(&self, from: Address) -> u64 {
        count(&self.blocks, from)
    }

    /// The account's nonce at the newest block, as the lagging node has it.
    pub(super) fn latest_stale(&self, from: Address) -> u64 {
        count(self.stale.as_ref().unwrap_or(&self.blocks), from)
    }

    /// The account's nonce at the newest final block.
    pub(super) fn final_count(&self, from: Address) -> u64 {
        count(&self.blocks[..self.settled()], from)
    }

    /// All that happened and stays, with whether it succeeded.
    pub(super) fn final_transactions(&self) -> impl Iterator<Item = &(Heard, bool)> {
        self.blocks[..self.settled()].iter().flat_map(|block| &block.transactions)
    }

    pub(super) fn transactions(&self) -> impl Iterator<Item = &(Heard, bool)> {
        self.blocks.iter().flat_map(|block| &block.transactions)
    }

    /// What a look gives: none when the node that is asked does not know the block.
    pub(super) fn look(&self, account: &[Tracked], via: Via) -> Option<Sight> {
        let view = |stale: bool| self.stale.as_ref().filter(|_| stale).unwrap_or(&self.blocks);
        let finalized_block = view(via.head).len().saturating_sub(self.unsettled + 1);
        let address = account.first()?.slot.address;
        let nonces = view(via.nonces);
        let finalized = count(nonces.get(..=finalized_block)?, address);
        let mut receipts = HashMap::new();
        for payload in account.iter().flat_map(|tracked| &tracked.payloads) {
            if let Some(receipt) = receipt(view(via.receipts), payload.hash) {
                receipts.insert(payload.hash, receipt);
            }
        }
        Some(Sight {
            latest: Nonce(count(nonces, address).max(finalized)),
            finalized: Nonce(finalized),
            finalized_block: u64::try_from(finalized_block).expect("a short chain"),
            receipts,
        })
    }

    /// A node gets bytes.
    pub(super) fn send(&mut self, sent: Heard, answer: Answer, is_payment: bool) -> SendOutcome {
        match answer {
            Answer::Lost => return SendOutcome::Unavailable { why: String::new() },
            Answer::Refuse if is_payment => return SendOutcome::Refused { reason: "it does not like it".to_owned() },
            _ => {}
        }
        let outcome = self.judge(&sent);
        if outcome == SendOutcome::Accepted {
            self.heard.push(sent);
        }
        if answer == Answer::Mute { SendOutcome::Unavailable { why: String::new() } } else { outcome }
    }

    fn judge(&self, sent: &Heard) -> SendOutcome {
        let latest = self.latest(sent.from);
        if self.heard.iter().any(|heard| heard.hash == sent.hash) && sent.nonce >= latest {
            return SendOutcome::AlreadyKnown;
        }
        if sent.nonce < latest {
            return SendOutcome::NonceTooLow;
        }
        if self.refuses_gaps && sent.nonce > latest {
            return SendOutcome::NonceGap;
        }
        let rival = self.heard.iter().filter(|heard| (heard.from, heard.nonce) == (sent.from, sent.nonce));
        let outbid = rival.map(|rival| rival.max_fee).max().is_some_and(|fee| sent.max_fee * 10 < fee * 11);
        if outbid || sent.max_fee < self.market { SendOutcome::Underpriced } else { SendOutcome::Accepted }
    }

    /// Bytes reach a node by a way that is not ours.
    pub(super) fn leak(&mut self, leaked: Heard) {
        if !self.heard.contains(&leaked) {
            self.heard.push(leaked);
        }
    }

    /// Somebody else with the same key pays somebody, `ahead` nonces after the next one.
    pub(super) fn foreign(&mut self, from: Address, ahead: u64) {
        let (hash, nonce) = (TransactionHash(self.forge().into()), self.latest(from) + ahead);
        let max_fee = self.market.saturating_mul(1 + u128::from(self.forged % 8));
        let to = Some(Address(alloy::primitives::Address::repeat_byte(0xee)));
        self.heard.push(Heard { hash, from, nonce, to, value: U256::from(1), gas_limit: 21_000, max_fee });
    }

    /// A block comes with at most `most` transactions: for each nonce the one that pays most, or, when the producer
    /// heard another one only, the `pick`th.
    pub(super) fn mine(&mut self, pick: Option<usize>, most: usize, fails: bool) {
        let mut accounts: Vec<Address> = self.heard.iter().map(|heard| heard.from).collect();
        accounts.sort_by_key(|address| address.0);
        accounts.dedup();
        let mut included: Vec<(Heard, bool)> = Vec::new();
        for from in accounts {
            let mut nonce = self.latest(from);
            while included.len() < most {
                let mut forms: Vec<&Heard> = self.heard.iter().filter(|heard| heard.from == from).collect();
                forms.retain(|heard| heard.nonce == nonce && heard.max_fee >= self.market);
                forms.sort_by_key(|heard| heard.max_fee);
                let form = match pick {
                    Some(pick) if !forms.is_empty() => forms.get(pick % forms.len()),
                    _ => forms.last(),
                };
                let Some(form) = form else { break };
                included.push(((*form).clone(), !fails));
                nonce += 1;
            }
        }
        self.push(included);
    }

    /// The last `depth` blocks go, as far as they can, and as many and one more come, with the same transactions when
    /// `keep`, else the nodes choose again; `pick` as for [`Chain::mine`].
    pub(super) fn reorganise(&mut self, depth: usize, pick: Option<usize>, most: usize) -> bool {
        let depth = depth.min(self.unsettled).min(self.blocks.len() - 1);
        if depth == 0 {
            return false;
        }
        let kept = self.blocks.len() - depth;
        let gone = self.blocks.split_off(kept);
        for (transaction, _) in gone.into_iter().flat_map(|block| block.transactions) {
            self.leak(transaction);
        }
        self.mine(pick, most, false);
        for _ in 0..depth {
            self.push(Vec::new());
        }
        true
    }

    /// Pools are emptied.
    pub(super) fn evict(&mut self) {
        self.heard.clear();
    }

    /// One node stays where it is.
    pub(super) fn stall(&mut self) {
        self.stale = Some(self.blocks.clone());
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.stale.is_some()
    }

    /// It catches up.
    pub(super) fn catch_up(&mut self) {
        self.stale = None;
    }
}

fn count(blocks: &[Block], from: Address) -> u64 {
    let of = blocks.iter().flat_map(|block| &block.transactions).filter(|(heard, _)| heard.from == from);
    u64::try_from(of.count()).expect("a short chain")
}

fn receipt(blocks: &[Block], hash: TransactionHash) -> Option<Receipt> {
    let (number, block) =
        blocks.iter().enumerate().find(|(_, block)| block.transactions.iter().any(|(heard, _)| heard.hash == hash))?;
    let (heard, succeeded) = block.transactions.iter().find(|(heard, _)| heard.hash == hash)?;
    Some(Receipt {
        transaction_hash: hash,
        block_number: u64::try_from(number).expect("a short chain"),
        block_hash: block.hash,
        succeeded: *succeeded,
        gas_used: heard.gas_limit,
        effective_gas_price: heard.max_fee,
    })
}
