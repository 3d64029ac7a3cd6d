//! A chain in a few lines: its blocks, everything its nodes ever heard, a node that lags, and what nodes say.

use std::collections::HashSet;

use alloy::{
    consensus::{Transaction, TxEnvelope},
    eips::eip2718::Decodable2718,
    primitives::{U256, keccak256},
};

use crate::{
    chain::{Receipt, SendOutcome},
    value::{Address, BlockHash, TransactionHash},
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
pub(super) struct Block {
    pub(super) hash: BlockHash,
    /// Each with whether it did what it should.
    pub(super) transactions: Vec<(Heard, bool)>,
}

/// What a node says to bytes beside the truth about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Fair,
    /// The bytes get lost, and so does the answer.
    Lost,
    /// The bytes arrive, the answer does not.
    Mute,
    /// It refuses payments, as if they could never be included.
    Refuse,
    /// It refuses everything.
    RefuseAll,
    /// It says that the wallet cannot pay, unless it is asked for the least.
    Poor,
}

/// The chain, as seen by somebody who knows everything.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) blocks: Vec<Block>,
    /// Everything that any node ever heard: whatever was sent can be mined as long as its nonce is free.
    heard: Vec<Heard>,
    /// What one node still believes, for as long as it likes.
    stale: Option<Vec<Block>>,
    /// Blocks that were reorganised away.
    pub(super) orphans: Vec<(u64, Block)>,
    /// What had happened for good on chains that are no more.
    pub(super) past: Vec<(Heard, bool)>,
    /// How many blocks at the end can still go.
    unsettled: usize,
    pub(super) market: u128,
    pub(super) refuses_gaps: bool,
    /// Whether it is a development chain, whose one node never lags.
    pub(super) is_development: bool,
    resets: usize,
    forged: u64,
}

impl Chain {
    /// `depth` 1 makes every block final at once.
    pub(super) fn new(depth: usize, market: u128, refuses_gaps: bool, is_development: bool) -> Self {
        let mut chain = Self {
            blocks: Vec::new(),
            heard: Vec::new(),
            stale: None,
            orphans: Vec::new(),
            past: Vec::new(),
            unsettled: depth - 1,
            market,
            refuses_gaps,
            is_development,
            resets: 0,
            forged: 0,
        };
        chain.push(Vec::new());
        chain
    }

    pub(super) fn forge(&mut self) -> [u8; 32] {
        self.forged += 1;
        keccak256(self.forged.to_be_bytes()).0
    }

    fn push(&mut self, transactions: Vec<(Heard, bool)>) {
        let hash = BlockHash(self.forge().into());
        self.blocks.push(Block { hash, transactions });
    }

    /// How many blocks are final.
    fn settled(&self) -> usize {
        self.blocks.len().saturating_sub(self.unsettled)
    }

    /// What a node has, the one that lags or another one.
    pub(super) fn view(&self, stale: bool) -> &[Block] {
        self.stale.as_ref().filter(|_| stale).unwrap_or(&self.blocks)
    }

    /// The height up to which a node calls its blocks final.
    pub(super) fn final_height(&self, view: &[Block]) -> u64 {
        height(view.len().saturating_sub(self.unsettled + 1))
    }

    /// The account's nonce at a node's newest block.
    pub(super) fn latest(&self, from: Address, stale: bool) -> u64 {
        count(self.view(stale), from)
    }

    /// The account's nonce at the newest final block.
    pub(super) fn final_count(&self, from: Address) -> u64 {
        count(&self.blocks[..self.settled()], from)
    }

    /// All that happened and stays, with whether it succeeded.
    pub(super) fn final_transactions(&self) -> impl Iterator<Item = &(Heard, bool)> {
        self.blocks[..self.settled()].iter().flat_map(|block| &block.transactions).chain(&self.past)
    }

    pub(super) fn transactions(&self) -> impl Iterator<Item = &(Heard, bool)> {
        self.blocks.iter().flat_map(|block| &block.transactions)
    }

    /// A node gets bytes.
    pub(super) fn send(&mut self, sent: Heard, answer: Answer, is_payment: bool) -> SendOutcome {
        match answer {
            Answer::Lost => return SendOutcome::Unavailable { why: String::new() },
            Answer::Refuse if is_payment => {
                return SendOutcome::Refused { reason: "it does not like it".to_owned(), counts: true };
            }
            Answer::RefuseAll => return SendOutcome::Refused { reason: "it likes nothing".to_owned(), counts: true },
            Answer::Poor if sent.max_fee > self.market * 2 => return SendOutcome::InsufficientFunds,
            _ => {}
        }
        let outcome = self.judge(&sent);
        if outcome == SendOutcome::Accepted {
            self.heard.push(sent);
        }
        if answer == Answer::Mute { SendOutcome::Unavailable { why: String::new() } } else { outcome }
    }

    fn judge(&self, sent: &Heard) -> SendOutcome {
        let latest = self.latest(sent.from, false);
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
        let (hash, nonce) = (TransactionHash(self.forge().into()), self.latest(from, false) + ahead);
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
            let mut nonce = self.latest(from, false);
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

    /// The last `depth` blocks go, as far as they can, and as many and one more come: the nodes choose again, `pick` and
    /// `most` as for [`Chain::mine`]. False when nothing could go.
    pub(super) fn reorganise(&mut self, depth: usize, pick: Option<usize>, most: usize) -> bool {
        let depth = depth.min(self.unsettled).min(self.blocks.len() - 1);
        if depth > 0 {
            self.drop_last(depth, true);
            self.mine(pick, most, false);
            for _ in 0..depth {
                self.push(Vec::new());
            }
        }
        depth > 0
    }

    /// The same below what is final; every node follows. What was in the blocks is heard again, or forgotten.
    pub(super) fn reorganise_deep(&mut self, depth: usize, forgets: bool, pick: Option<usize>, most: usize) {
        let depth = (self.unsettled + depth).min(self.blocks.len() - 1);
        self.stale = None;
        if forgets {
            self.heard.clear();
        }
        self.drop_last(depth, !forgets);
        self.mine(pick, most, false);
        for _ in 0..depth {
            self.push(Vec::new());
        }
    }

    fn drop_last(&mut self, depth: usize, are_heard: bool) {
        let kept = self.blocks.len() - depth;
        for (number, block) in self.blocks.split_off(kept).into_iter().enumerate() {
            if are_heard {
                block.transactions.iter().for_each(|(transaction, _)| self.leak(transaction.clone()));
            }
            self.orphans.push((height(kept + number), block));
        }
    }

    /// A development chain begins anew. What was known of the old one stays true.
    pub(super) fn reset(&mut self, known: &HashSet<TransactionHash>) {
        let past = self.blocks.iter().flat_map(|block| &block.transactions);
        self.past.extend(past.filter(|(heard, _)| known.contains(&heard.hash)).cloned());
        self.resets += 1;
        self.blocks.clear();
        self.orphans.clear();
        self.heard.clear();
        self.stale = None;
        self.push(Vec::new());
    }

    pub(super) fn was_reset(&self) -> bool {
        self.resets > 0
    }

    /// How many transactions wait in the pools.
    pub(super) fn pooled(&self) -> usize {
        self.heard.len()
    }

    /// Pools are emptied.
    pub(super) fn evict(&mut self) {
        self.heard.clear();
    }

    /// One node stays where it is.
    pub(super) fn stall(&mut self) {
        self.stale = (!self.is_development).then(|| self.blocks.clone());
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.stale.is_some()
    }

    /// It catches up.
    pub(super) fn catch_up(&mut self) {
        self.stale = None;
    }
}

/// A number of blocks or transactions.
pub(super) fn height(number: usize) -> u64 {
    u64::try_from(number).expect("a short chain")
}

pub(super) fn count(blocks: &[Block], from: Address) -> u64 {
    let of = blocks.iter().flat_map(|block| &block.transactions).filter(|(heard, _)| heard.from == from);
    height(of.count())
}

/// What one block says of a transaction that is in it.
pub(super) fn receipt_in(number: u64, block: &Block, hash: TransactionHash) -> Option<Receipt> {
    let (heard, succeeded) = block.transactions.iter().find(|(heard, _)| heard.hash == hash)?;
    Some(Receipt {
        transaction_hash: hash,
        block_number: number,
        block_hash: block.hash,
        succeeded: *succeeded,
        gas_used: heard.gas_limit,
        effective_gas_price: heard.max_fee,
    })
}
