//! One account, looked at through one endpoint or another until nothing follows from it any more.

use super::{account, deliver, memory::Memory, plan, sight, step::Step};
use crate::{
    chain::{Chain, ChainError, Round, Use},
    domain::{Error, Result, nonces::Account},
    state::{Policy, State},
    value::{Address, Evidence, Nonce, SlotState},
};

/// How many looks at one account may follow each other at once.
const LOOKS: usize = 8;

/// Looks at one account, and takes every step that follows, until nothing does.
pub(super) async fn look(
    state: &State,
    chain: &Chain,
    mut round: Round,
    address: Address,
    memory: &mut Memory,
) -> Result<()> {
    let account = Account { chain_id: chain.id(), address };
    let bump_after = chain.settings().bump_after.unwrap_or(state.policy.bump_after);
    let policy = Policy { bump_after, ..(*state.policy).clone() };
    for number in 0..LOOKS {
        let mut latest = next_nonce(&round, address).await?;
        let mut tracked = account::load(state, account, latest).await?;
        if let Some(other) = elsewhere(state, &round, latest, &tracked, memory).await {
            (latest, round) = (next_nonce(&other, address).await?, other);
            tracked = account::load(state, account, latest).await?;
        }
        prune(memory, &tracked);
        let mut seen = sight::look(state, &round, account, latest, &tracked, memory).await?;
        if seen.is_blind(&tracked) && !round.is_alone() {
            // What one endpoint does not show another one may.
            for other in round.others().await {
                let Ok(latest) = next_nonce(other, address).await else { continue };
                let again = sight::look(state, other, account, latest, &tracked, memory).await?;
                if !again.is_blind(&tracked) {
                    seen = again;
                    break;
                }
            }
        }
        let steps = plan::plan(&tracked, &seen, memory, state.clock.elapsed(), &policy);
        if let Some(trouble) = seen.trouble.as_ref().filter(|_| steps.is_empty()) {
            return Err(ChainError::Unavailable(trouble.clone()).into());
        }
        let ends = steps.iter().any(|step| matches!(step, Step::Supersede { evidence: Evidence::Single, .. }));
        if ends && !stands(chain, &seen).await? {
            return Err(ChainError::Unavailable("it showed another chain meanwhile".to_owned()).into());
        }
        let mut goes_on = false;
        for step in &steps {
            goes_on |= take(state, chain, memory, step).await?;
        }
        if !goes_on {
            return Ok(());
        }
        // What was mined since the round began is above its head.
        if number == 0 {
            round = chain.round().await?;
        }
    }
    Ok(())
}

/// Another endpoint to look through when nothing moves for long: each time another one, and from time to time none of
/// them.
async fn elsewhere(
    state: &State,
    round: &Round,
    latest: Nonce,
    tracked: &[account::Tracked],
    memory: &mut Memory,
) -> Option<Round> {
    let is_awaited = |open: &account::Tracked| open.slot.state == SlotState::Sent && open.slot.nonce >= latest;
    if round.is_alone() || !tracked.iter().any(is_awaited) {
        memory.rests();
        return None;
    }
    let turn = usize::try_from(memory.stands_at(latest, state.clock.elapsed(), &state.policy)).ok()?;
    let others = round.others().await;
    others.get(turn.checked_sub(1)? % (others.len() + 1)).cloned()
}

/// The account's next nonce, as one endpoint has it.
async fn next_nonce(round: &Round, address: Address) -> Result<Nonce> {
    match round.latest_nonces(&[address]).await?.pop() {
        Some(latest) => Ok(Nonce(latest?)),
        None => Err(Error::Integrity("a node's answer")),
    }
}

/// Whether the blocks that used nonces elsewhere are still there once the node has said again which chain it is of: a node
/// that changed its chain in the middle of a look must end nothing.
async fn stands(chain: &Chain, seen: &sight::Sight) -> Result<bool> {
    let round = chain.round().await?;
    for found in seen.uses.values() {
        if let Use::Found { block, .. } = found
            && round.block_hash(block.number).await? != Some(block.hash)
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes one step: first the commit, then, where there is one, the sending. True when another look is worth it.
async fn take(state: &State, chain: &Chain, memory: &mut Memory, step: &Step) -> Result<bool> {
    match deliver::record(state, step).await? {
        None => Ok(!matches!(step, Step::Send(_) | Step::Wait { .. } | Step::GiveWay(_))),
        Some(payload) => {
            let outcome = deliver::send(chain, &payload).await;
            memory.note(payload.form.hash, outcome, state.clock.elapsed());
            Ok(true)
        }
    }
}

/// Forgets what is over of an account.
pub(super) fn prune(memory: &mut Memory, tracked: &[account::Tracked]) {
    let hashes = tracked.iter().flat_map(|open| open.forms.iter().map(|form| form.hash)).collect();
    let nonces = tracked.iter().map(|open| open.slot.nonce).collect();
    let ids = tracked.iter().map(|open| open.transaction.transaction_id).collect();
    memory.keep_only(&hashes, &nonces, &ids);
}
