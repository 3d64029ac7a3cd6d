//! What one node shows of an account in one round. What could not be asked is not in it: absence of an answer is never
//! taken for an answer.

use std::collections::HashMap;

use super::{
    account::Tracked,
    memory::Memory,
    witness::{self, Wait},
};
use crate::{
    chain::{Call, Receipt, Round, Use},
    domain::{Result, nonces::Account, preview},
    state::State,
    store::transactions,
    value::{BlockHash, CallData, Evidence, Nonce, PayloadKind, SlotState, Status, TransactionHash},
};

/// What a chain shows of one account.
#[derive(Debug, Clone, Default)]
pub(super) struct Sight {
    /// The account's nonce at the newest block.
    pub(super) latest: Nonce,
    /// The height of the newest block.
    pub(super) head: u64,
    /// The height of the newest block that will stay.
    pub(super) final_height: u64,
    /// What people should know of what is final here.
    pub(super) finality_warning: Option<&'static str>,
    /// What was answered about receipts: none: the node has none. A hash that is not here was not asked for, or not
    /// answered.
    pub(super) receipts: HashMap<TransactionHash, Option<Receipt>>,
    /// The hashes of some blocks of the chain.
    pub(super) blocks: HashMap<u64, BlockHash>,
    /// Who used nonces that show nothing of ours.
    pub(super) uses: HashMap<Nonce, Use>,
    /// On whose word what uses a nonce is final, where the chain has several endpoints; none: it has one.
    pub(super) agreed: Option<HashMap<Nonce, Evidence>>,
    /// Why calls were reverted.
    pub(super) reasons: HashMap<TransactionHash, String>,
    /// What went wrong with single questions, in words.
    pub(super) trouble: Option<String>,
}

impl Sight {
    /// The receipt of a form that is in a block of the chain.
    pub(super) fn included(&self, hash: TransactionHash) -> Option<&Receipt> {
        let receipt = self.receipts.get(&hash)?.as_ref()?;
        (self.blocks.get(&receipt.block_number) == Some(&receipt.block_hash)).then_some(receipt)
    }

    /// Whether the node said that it has no receipt of it.
    pub(super) fn is_absent(&self, hash: TransactionHash) -> bool {
        self.receipts.get(&hash) == Some(&None)
    }

    /// On whose word what uses a nonce is final; none while it waits for another one.
    pub(super) fn evidence(&self, nonce: Nonce) -> Option<Evidence> {
        self.agreed.as_ref().map_or(Some(Evidence::Single), |agreed| agreed.get(&nonce).copied())
    }

    /// Whether it shows a nonce as used and nothing of ours that used it.
    pub(super) fn is_blind(&self, tracked: &[Tracked]) -> bool {
        tracked.iter().any(|open| {
            let is_used = open.slot.state != SlotState::Used && open.slot.nonce < self.latest;
            is_used && open.forms.iter().all(|form| self.is_absent(form.hash))
        })
    }

    /// Whether the chain has another block at this height.
    pub(super) fn is_gone(&self, height: u64, hash: BlockHash) -> bool {
        self.blocks.get(&height).is_some_and(|known| *known != hash)
    }
}

/// Looks at an account through one node. Receipts are fetched after the nonce, so a nonce that one of our transactions used
/// always comes with its receipt, unless the node hides it.
pub(super) async fn look(
    state: &State,
    round: &Round,
    account: Account,
    latest: Nonce,
    tracked: &[Tracked],
    memory: &mut Memory,
) -> Result<Sight> {
    let mut sight = Sight {
        latest,
        head: round.head.number,
        final_height: round.final_height,
        finality_warning: round.final_by.warning(),
        ..Sight::default()
    };
    let mut looking = Looking { state, round, sight: &mut sight };
    looking.known_blocks(tracked).await;
    let now = state.clock.elapsed();
    let asked = tracked.iter().filter(|open| !memory.is_at_rest(open.slot.nonce, now));
    let passed: Vec<&Tracked> = asked.filter(|open| looking.is_open_question(open)).collect();
    // The form that was sent last first: mostly it is the one.
    looking.receipts(passed.iter().filter_map(|open| likeliest(open))).await;
    let rest = passed.iter().filter(|open| !looking.is_answered(open));
    let rest: Vec<TransactionHash> = rest.flat_map(|open| open.forms.iter().map(|form| form.hash)).collect();
    looking.receipts(rest.into_iter()).await;
    for open in &passed {
        let is_absent = open.forms.iter().all(|form| looking.sight.is_absent(form.hash));
        if open.slot.nonce < latest && is_absent {
            looking.search(account, open, memory).await;
        }
        looking.reasons(open).await;
    }
    if !round.is_alone() {
        looking.hear_others(account, &passed, memory).await;
    }
    Ok(sight)
}

/// Where it was mined, when that is known, else the form that was sent last, else the payment at its lowest price.
fn likeliest(open: &Tracked) -> Option<TransactionHash> {
    let known = open.rows().find_map(|row| row.block.as_ref().map(|block| block.0.transaction_hash));
    let sent = || open.owned().filter(|form| form.sent_at.is_some()).max_by_key(|form| (form.sent_at, form.rung));
    known.or_else(|| sent().map(|form| form.hash)).or_else(|| open.forms.first().map(|form| form.hash))
}

struct Looking<'look> {
    state: &'look State,
    round: &'look Round,
    sight: &'look mut Sight,
}

impl Looking<'_> {
    /// Whether the blocks in which transactions are known to be are still there.
    async fn known_blocks(&mut self, tracked: &[Tracked]) {
        let rows = tracked.iter().flat_map(Tracked::rows).filter(|row| row.status == Status::Mined);
        let heights: Vec<u64> = rows.filter_map(|row| row.block.as_ref()).map(|block| block.0.number).collect();
        for height in heights {
            self.block(height).await;
        }
    }

    async fn block(&mut self, height: u64) {
        if height > self.sight.head || self.sight.blocks.contains_key(&height) {
            return;
        }
        match self.round.block_hash(height).await {
            Ok(Some(hash)) => {
                self.sight.blocks.insert(height, hash);
            }
            Ok(None) => {}
            Err(error) => self.sight.trouble = Some(error.to_string()),
        }
    }

    /// Whether the chain has used the nonce, and what used it has to be asked (again): a transaction whose block is still
    /// there and not final yet needs no question.
    fn is_open_question(&self, open: &Tracked) -> bool {
        let rests = open.rows().any(|row| {
            row.status == Status::Mined
                && row.block.as_ref().is_some_and(|block| {
                    self.sight.blocks.get(&block.0.number) == Some(&block.0.hash)
                        && block.0.number > self.sight.final_height
                })
        });
        let is_mined = open.rows().any(|row| row.status == Status::Mined);
        open.slot.state != SlotState::Used && !rests && (open.slot.nonce < self.sight.latest || is_mined)
    }

    /// Whether it is known which form was mined, or that this happened after the round began: then the next one tells.
    fn is_answered(&self, open: &Tracked) -> bool {
        open.forms.iter().any(|form| {
            let receipt = self.sight.receipts.get(&form.hash).and_then(Option::as_ref);
            let is_newer = receipt.is_some_and(|receipt| receipt.block_number > self.sight.head);
            is_newer || self.sight.included(form.hash).is_some()
        })
    }

    async fn receipts(&mut self, hashes: impl Iterator<Item = TransactionHash>) {
        let hashes: Vec<_> = hashes.filter(|hash| !self.sight.receipts.contains_key(hash)).collect();
        if hashes.is_empty() {
            return;
        }
        for (hash, answer) in hashes.iter().zip(self.round.receipts(&hashes).await) {
            match answer {
                Ok(receipt) => {
                    let height = receipt.as_ref().map(|receipt| receipt.block_number);
                    self.sight.receipts.insert(*hash, receipt);
                    if let Some(height) = height {
                        self.block(height).await;
                    }
                }
                Err(error) => self.sight.trouble = Some(error.to_string()),
            }
        }
    }

    /// Who used a nonce that shows nothing of ours.
    async fn search(&mut self, account: Account, open: &Tracked, memory: &mut Memory) {
        let (now, policy, nonce) = (self.state.clock.elapsed(), &self.state.policy, open.slot.nonce);
        let from = open.slot.taken_at_height.map_or(0, |height| height.0);
        let Some(search) = memory.due_search(nonce, now, policy) else { return };
        match self.round.find_use(account.address, nonce.0, from, search).await {
            Ok(found) => {
                if found != Use::Searching {
                    memory.searched(nonce, found == Use::Gone, now, policy);
                }
                self.sight.uses.insert(nonce, found);
            }
            Err(error) => {
                memory.searched(nonce, false, now, policy);
                self.sight.trouble = Some(error.to_string());
            }
        }
    }

    /// What the other endpoints say about what this one calls final.
    async fn hear_others(&mut self, account: Account, passed: &[&Tracked], memory: &mut Memory) {
        let now = self.state.clock.elapsed();
        let mut agreed = HashMap::new();
        for open in passed {
            let nonce = open.slot.nonce;
            let included = open.forms.iter().find_map(|form| self.sight.included(form.hash));
            let included = included.filter(|receipt| receipt.block_number <= self.sight.final_height);
            let mut wait =
                || Wait { waited: memory.claimed_for(nonce, now), alone_after: self.state.policy.alone_after };
            let evidence = match (included, self.sight.uses.get(&nonce)) {
                (Some(receipt), _) => witness::of_inclusion(self.round, receipt, wait()).await,
                (None, Some(Use::Found { block, .. })) => {
                    witness::of_use(self.round, account, open, *block, wait()).await
                }
                _ => None,
            };
            if let Some(evidence) = evidence {
                agreed.insert(nonce, evidence);
            }
        }
        self.sight.agreed = Some(agreed);
    }

    /// Why a payment failed on the chain, as far as the node can still tell.
    async fn reasons(&mut self, open: &Tracked) {
        for form in open.forms.iter().filter(|form| form.kind == PayloadKind::Payment) {
            let Some(receipt) = self.sight.included(form.hash) else { continue };
            let is_known = open.rows().any(|row| row.block.is_some());
            if receipt.succeeded || is_known {
                continue;
            }
            let height = receipt.block_number;
            let Ok(Some(row)) = transactions::find(&self.state.store, form.transaction_id).await else { continue };
            let (to, value, data) = (row.to_address, row.value, CallData(row.data));
            let call = Call { from: row.address, to, value, data };
            if let Some(revert) = self.round.replay(&call, height).await {
                let reason = preview::revert_reason(revert.data.as_deref(), revert.message);
                self.sight.reasons.insert(form.hash, reason);
            }
        }
    }
}
