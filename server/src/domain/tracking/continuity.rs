//! Whether a chain still is the one that final states rest on.
//!
//! Some blocks that were relied on are remembered. Where the chain has another block in the place of one, it was
//! reorganised below what it had called final: everything that was used above the newest remembered block that is still
//! there is looked at again. Where even the first block is another one, it is another chain: a development chain that
//! began anew is then forgotten, any other waits for its operator. An endpoint that is behind the others proves nothing.

use std::collections::BTreeSet;

use super::settle::{VIOLATION, end_superseded};
use crate::{
    chain::{Chain, ChainError, Round},
    domain::{
        Error, Result,
        transactions::{Actor, Change},
    },
    state::State,
    store::{account_marks, chain_marks, nonce_slots, payloads, transactions, users},
    value::{Address, BlockHash, ChainId, Height, SlotState},
};

/// What a chain that began anew leaves of what was to happen on the old one.
const RESET: &str = "the chain began anew";

/// Makes sure that the chain's node is held to the chain that was followed before this process began.
pub(super) async fn expect(state: &State, chain: &Chain) -> Result<()> {
    let marks = chain_marks::list(&state.store, chain.id()).await?;
    if let Some(first) = marks.iter().find(|mark| mark.height == Height(0)) {
        chain.expect_genesis(first.hash);
    }
    Ok(())
}

/// Where a chain stands, as one node shows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) chain_id: ChainId,
    /// The height of its newest block.
    pub(super) head: u64,
    /// The height up to which it calls its blocks final.
    pub(super) final_height: u64,
    /// Its first block; none when the node does not have that any more.
    pub(super) genesis: Option<BlockHash>,
    /// Whether people develop with it: then it may begin anew.
    pub(super) is_development: bool,
}

impl Standing {
    /// Whether it is a development chain that began anew: with another first block, or from an earlier state.
    pub(super) fn began_anew(&self, marks: &[chain_marks::Model]) -> bool {
        let is_gone = |mark: &chain_marks::Model| mark.height.0 > self.head;
        self.is_development && (self.has_other_genesis(marks) || marks.iter().any(is_gone))
    }

    /// Whether another first block is remembered.
    pub(super) fn has_other_genesis(&self, marks: &[chain_marks::Model]) -> bool {
        let first = marks.iter().find(|mark| mark.height == Height(0));
        first.zip(self.genesis).is_some_and(|(first, shown)| first.hash != shown)
    }
}

/// The blocks of one node.
pub(super) trait Blocks: Sync {
    /// The hash of the block at a height; none when the node has none there. Fails when it cannot say.
    fn block_hash(&self, height: u64) -> impl Future<Output = Result<Option<BlockHash>, ChainError>> + Send;
}

impl Blocks for Round {
    async fn block_hash(&self, height: u64) -> Result<Option<BlockHash>, ChainError> {
        Self::block_hash(self, height).await
    }
}

/// The blocks of a chain that are remembered, the newest first.
pub(super) async fn marks(state: &State, chain_id: ChainId) -> Result<Vec<chain_marks::Model>> {
    Ok(chain_marks::list(&state.store, chain_id).await?)
}

/// Where the chain stands, as the endpoint of a round shows it.
pub(super) fn standing(round: &Round) -> Standing {
    let Round { chain_id, final_height, genesis, is_development, .. } = *round;
    Standing { chain_id, head: round.head.number, final_height, genesis, is_development }
}

/// Compares what a node shows with what is remembered. Where the chain was reorganised deeper than it is final, the
/// nonces that are in question are opened again.
///
/// Fails with [`Error::ChainUnavailable`] and [`Error::StorageUnavailable`].
pub(super) async fn compare(
    state: &State,
    standing: Standing,
    marks: &[chain_marks::Model],
    blocks: &impl Blocks,
) -> Result<()> {
    let Standing { chain_id, final_height, genesis, .. } = standing;
    if standing.began_anew(marks) {
        return reset(state, chain_id, genesis).await;
    }
    if let (None, Some(genesis)) = (marks.iter().find(|mark| mark.height == Height(0)), genesis) {
        remember(state, chain_id, Height(0), genesis).await?;
    }
    let Some(newest) = marks.first().filter(|mark| mark.height > Height(0)) else { return Ok(()) };
    // A node that is behind, or on a fork that is not final for it either, takes nothing back.
    if newest.height.0 > final_height {
        return Ok(());
    }
    for (number, mark) in marks.iter().enumerate() {
        match blocks.block_hash(mark.height.0).await? {
            Some(hash) if hash == mark.hash && number == 0 => return Ok(()),
            Some(hash) if hash == mark.hash => return violated(state, chain_id, mark.height).await,
            Some(_) => {}
            // What the node does not have proves nothing.
            None => return Ok(()),
        }
    }
    violated(state, chain_id, Height(0)).await
}

async fn remember(state: &State, chain_id: ChainId, height: Height, hash: BlockHash) -> Result<()> {
    let write = state.store.write().await?;
    chain_marks::save(&write, chain_marks::Model { chain_id, height, hash }).await?;
    Ok(write.commit().await?)
}

/// Opens every nonce again that was used above a height: the chain took the blocks back. What is remembered of them is
/// forgotten once all are open, so that one that cannot be opened is tried again.
async fn violated(state: &State, chain_id: ChainId, height: Height) -> Result<()> {
    tracing::error!(chain.id = %chain_id, chain.height = %height, "{VIOLATION}: the chain has other blocks above this one");
    let mut failed = None;
    for slot in nonce_slots::list_used_above(&state.store, chain_id, height).await? {
        if let Err(error) = reopen(state, &slot).await {
            tracing::error!(
                chain.id = %chain_id, account.address = %slot.address, nonce = %slot.nonce,
                error = &error as &dyn std::error::Error, "a nonce cannot be opened again"
            );
            failed = Some(error);
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    let write = state.store.write().await?;
    chain_marks::delete_above(&write, chain_id, height).await?;
    Ok(write.commit().await?)
}

async fn reopen(state: &State, slot: &nonce_slots::Model) -> Result<()> {
    let row = transactions::find(&state.store, slot.transaction_id).await?;
    let row = row.ok_or(Error::Integrity("transaction row"))?;
    let change = Change::begin(state, row.user_id).await?;
    let row =
        transactions::find(&change.write, row.transaction_id).await?.ok_or(Error::Integrity("transaction row"))?;
    let open =
        nonce_slots::Model { state: SlotState::Sent, used_at_height: None, changed_at: change.at, ..slot.clone() };
    if !nonce_slots::save(&change.write, slot, &open).await? {
        return Ok(());
    }
    let mark = account_marks::explained_below(&change.write, slot.chain_id, slot.address).await?;
    if slot.nonce < mark && slot.used_by.is_some() {
        let (chain_id, address, explained_below) = (slot.chain_id, slot.address, slot.nonce);
        account_marks::save(&change.write, account_marks::Model { chain_id, address, explained_below }).await?;
    }
    // What was said stays said; it is made true again, or, if the chain decides otherwise for good, told once more.
    change.save(Actor::Server, VIOLATION, &row, row.clone()).await?;
    change.commit().await
}

/// Forgets what was to happen on a chain that began anew, in one commit: its nonces are free again, its bytes are good for
/// nothing, and what was open has ended.
pub async fn reset(state: &State, chain_id: ChainId, genesis: Option<BlockHash>) -> Result<()> {
    tracing::warn!(chain.id = %chain_id, "chain_reset: {RESET}; what was open on it has ended");
    let owners = transactions::list_owners_of_open(&state.store, chain_id).await?;
    let change = Change { write: state.store.write().await?, at: state.clock.now() };
    // In one order, so that two servers that do this at once wait for each other.
    for user_id in owners.iter().collect::<BTreeSet<_>>() {
        users::lock(&change.write, *user_id).await?;
    }
    let open = nonce_slots::list_open_for_chain(&change.write, chain_id).await?;
    let ids: BTreeSet<_> = open.iter().map(|slot| slot.transaction_id).collect();
    for id in ids {
        let row = transactions::find(&change.write, id).await?.ok_or(Error::Integrity("transaction row"))?;
        if !owners.contains(&row.user_id) {
            // Approved since; the next look does this again.
            return Err(Error::Busy);
        }
        end_superseded(&change, row, None, &format!("chain_reset: {RESET}")).await?;
    }
    let write = &change.write;
    nonce_slots::delete_for_chain(write, chain_id).await?;
    account_marks::delete_for_chain(write, chain_id).await?;
    payloads::delete_bytes_for_chain(write, chain_id).await?;
    chain_marks::delete_for_chain(write, chain_id).await?;
    if let Some(hash) = genesis {
        chain_marks::save(write, chain_marks::Model { chain_id, height: Height(0), hash }).await?;
    }
    change.commit().await
}

/// The accounts of a chain in some states; one that cannot be read is told and left out.
pub(super) async fn accounts(state: &State, chain_id: ChainId, states: &[SlotState]) -> Result<Vec<Address>> {
    let texts = nonce_slots::list_accounts(&state.store, chain_id, states).await?;
    let mut accounts = Vec::with_capacity(texts.len());
    for text in texts {
        match text.parse() {
            Ok(address) => accounts.push(address),
            Err(_) => tracing::error!(chain.id = %chain_id, "a nonce slot's address cannot be read"),
        }
    }
    Ok(accounts)
}
