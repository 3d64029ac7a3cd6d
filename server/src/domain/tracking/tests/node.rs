//! What one node shows of an account, the truth as far as it has it, or something else for a while.

use std::collections::HashMap;

use super::{
    super::{account::Tracked, sight::Sight},
    chain::{Block, Chain, count, height, receipt_in},
};
use crate::{
    chain::{BlockRef, BlockTransaction, Receipt, Use},
    value::{Address, BlockHash, CallData, Nonce, TransactionHash, Wei},
};

/// How a look is answered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Via {
    /// Whether the lagging node answers.
    pub(super) is_stale: bool,
    /// Whether the account's nonce comes from the other node: of two looks in a row the one did not see the other's.
    pub(super) other_nonce: bool,
    /// What is wrong with the answers.
    pub(super) fault: Fault,
}

/// What can be wrong with a node's answers without its forging everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Fault {
    /// Nothing.
    #[default]
    None,
    /// It has no receipts, and says so.
    NoReceipts,
    /// It has lost some receipts.
    SomeReceipts,
    /// It does not answer about receipts, nor about blocks.
    Silent,
    /// It has neither receipts nor blocks nor state that would tell who used a nonce.
    NoBlocks,
    /// It gives receipts of blocks that were reorganised away.
    Orphans,
    /// Another chain answers behind the same URL, in the middle of a look.
    OtherChain,
}

impl Fault {
    pub(super) const ALL: [Self; 7] = [
        Self::None,
        Self::NoReceipts,
        Self::SomeReceipts,
        Self::Silent,
        Self::NoBlocks,
        Self::Orphans,
        Self::OtherChain,
    ];
}

impl Chain {
    /// The account's nonce as a look has it.
    pub(super) fn shown_nonce(&self, address: Address, via: Via) -> Nonce {
        let truth = self.latest(address, via.is_stale != via.other_nonce);
        match via.fault {
            Fault::OtherChain => Nonce(if truth.is_multiple_of(2) { 0 } else { 1_000 }),
            _ => Nonce(truth),
        }
    }

    /// What a node shows of an account whose nonce is `latest`.
    pub(super) fn look(&self, address: Address, latest: Nonce, account: &[Tracked], via: Via) -> Sight {
        let view = self.view(via.is_stale);
        let blocks = view.iter().enumerate().map(|(number, block)| match via.fault {
            Fault::OtherChain => (height(number), BlockHash(alloy::primitives::keccak256(block.hash.0))),
            _ => (height(number), block.hash),
        });
        let mut sight = Sight {
            latest,
            head: height(view.len() - 1),
            final_height: self.final_height(view),
            blocks: blocks.collect(),
            ..Sight::default()
        };
        if via.fault == Fault::Silent {
            (sight.blocks, sight.trouble) = (HashMap::new(), Some("it does not answer".to_owned()));
            return sight;
        }
        for form in account.iter().flat_map(|open| &open.forms) {
            let receipt = self.receipt(view, form.hash, via.fault);
            if receipt.as_ref().is_some_and(|receipt| !receipt.succeeded) {
                sight.reasons.insert(form.hash, "it has a reason".to_owned());
            }
            sight.receipts.insert(form.hash, receipt);
        }
        for open in account.iter().filter(|open| open.slot.nonce < latest) {
            if open.forms.iter().all(|form| sight.is_absent(form.hash)) {
                let used = self.find_use(view, address, open.slot.nonce, via.fault);
                sight.uses.insert(open.slot.nonce, used);
            }
        }
        sight
    }

    fn receipt(&self, view: &[Block], hash: TransactionHash, fault: Fault) -> Option<Receipt> {
        let orphaned = || self.orphans.iter().rev().find_map(|(number, block)| receipt_in(*number, block, hash));
        let true_one = || view.iter().enumerate().find_map(|(number, block)| receipt_in(height(number), block, hash));
        match fault {
            Fault::None | Fault::Silent => true_one(),
            Fault::SomeReceipts if hash.0[31].is_multiple_of(2) => true_one(),
            Fault::Orphans => orphaned().or_else(true_one),
            Fault::SomeReceipts | Fault::NoReceipts | Fault::NoBlocks | Fault::OtherChain => None,
        }
    }

    /// Who used a nonce, in blocks that are final for the node.
    fn find_use(&self, view: &[Block], address: Address, nonce: Nonce, fault: Fault) -> Use {
        if matches!(fault, Fault::NoBlocks | Fault::OtherChain) {
            return Use::Gone;
        }
        let end = usize::try_from(self.final_height(view)).expect("a short chain");
        let Some(number) = (0..=end).find(|&number| count(&view[..=number], address) > nonce.0) else {
            return Use::NotFinal;
        };
        let block = &view[number];
        let transactions = block.transactions.iter().map(|(heard, _)| BlockTransaction {
            hash: heard.hash,
            from: Some(heard.from),
            nonce: Some(heard.nonce),
            to: heard.to,
            value: Wei(heard.value),
            data: CallData::default(),
            authorizations: Vec::new(),
        });
        let transactions: Vec<_> = transactions.collect();
        Use::Found {
            block: BlockRef { number: height(number), hash: block.hash },
            hashes: transactions.iter().map(|transaction| transaction.hash).collect(),
            by: transactions.into_iter().find(|transaction| transaction.uses(address, nonce.0)).map(Box::new),
        }
    }
}
