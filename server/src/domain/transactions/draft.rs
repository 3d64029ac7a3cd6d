//! A transaction as it would be: priced, tried and described, but not stored.

use std::time::Duration;

use uuid::Uuid;

use super::{change::waiting_for, sign::account_of};
use crate::{
    chain::{Chain, ChainError, REQUEST_BUDGET, budget},
    domain::{
        Result, digest,
        preview::{Effect, Facts, Sight},
        tracking,
    },
    state::State,
    store::{Json, drafts, transactions::Model, wallets},
    value::{Action, AgentId, ChainId, Digest, Execute, Fees, Gas, Status, Text, Time, TransactionId},
};

/// What a transaction is made of.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) chain: Chain,
    pub(super) wallet: wallets::Model,
    /// Who asks; none: the user.
    pub(super) agent_id: Option<AgentId>,
    pub(super) action: Action,
    pub(super) memo: Option<Text>,
    /// How long a human has to decide.
    pub(super) expires_in: Duration,
    pub(super) execute: Execute,
}

/// Asks the chain, and makes the row of it: `pending`, version 1.
///
/// Fails with [`Error::Abi`], [`Error::Invalid`], [`Error::ChainUnavailable`], [`Error::SimulationFailed`], and
/// [`Error::InsufficientFunds`] when it cannot be tried.
pub(super) async fn draft(state: &State, origin: Origin) -> Result<(Model, Facts)> {
    let owner = origin.agent_id.map_or(origin.wallet.user_id.0, |agent_id| agent_id.0);
    with_nodes(state, origin.chain.id(), owner, Box::pin(draft_now(state.clone(), origin))).await
}

async fn draft_now(state: State, origin: Origin) -> Result<(Model, Facts)> {
    let (chain, address, effect) = (origin.chain.clone(), origin.wallet.address, Effect::of(&origin.action)?);
    let sight = Sight::ask(&chain, address, &origin.action, &effect, None).await?;
    let sight = sight.or_unfunded(&chain, address, &effect).await?;
    let created_at = state.clock.now();
    let terms = Terms {
        transaction_id: TransactionId::new(),
        gas_limit: sight
            .facts
            .gas_limit(&effect)
            .ok_or_else(|| ChainError::Unavailable("it gave no estimate".to_owned()))?,
        caps: sight.facts.caps(),
        created_at,
        expires_at: created_at + origin.expires_in,
    };
    let mut row = row_of(origin, effect, terms);
    let free = tracking::free_balance(&state.store, account_of(&row), &sight.facts.account).await?;
    sight.describe(&state, &chain, &mut row, free).await?;
    row.digest = digest::digest(&row);
    Ok((row, sight.facts))
}

/// The transaction that its user was shown, from what they ask for now and what the server chose then. Its digest is
/// computed anew: only then is it what was shown.
pub(super) fn rebuild(origin: Origin, shown: drafts::Model) -> Result<Model> {
    let effect = Effect::of(&origin.action)?;
    let terms = Terms {
        transaction_id: shown.transaction_id,
        gas_limit: shown.gas_limit,
        caps: Fees {
            max_fee_per_gas: shown.max_fee_per_gas.0.saturating_to(),
            max_priority_fee_per_gas: shown.max_priority_fee_per_gas.0.saturating_to(),
        },
        created_at: shown.created_at,
        expires_at: shown.expires_at,
    };
    let row = row_of(origin, effect, terms);
    let digest = digest::digest(&row);
    Ok(Model { digest, warnings: shown.warnings, preview: Some(shown.preview), ..row })
}

/// Asks the chain about a transaction that was drafted before, and describes it as it would be now, at the price that
/// was shown.
///
/// Fails with [`Error::ChainUnavailable`], [`Error::SimulationFailed`], [`Error::InsufficientFunds`].
pub(super) async fn look_again(state: &State, chain: &Chain, shown: &Model) -> Result<(Model, Facts)> {
    let (asked, chain, mut now) = (state.clone(), chain.clone(), shown.clone());
    let look = async move {
        let effect = Effect::stored(&now);
        let sight = Sight::ask(&chain, now.address, &now.action.0, &effect, Some(&now)).await?;
        let sight = sight.or_unfunded(&chain, now.address, &effect).await?;
        let free = tracking::free_balance(&asked.store, account_of(&now), &sight.facts.account).await?;
        sight.describe(&asked, &chain, &mut now, free).await?;
        Ok((now, sight.facts))
    };
    with_nodes(state, shown.chain_id, shown.user_id.0, Box::pin(look)).await
}

/// Does work with nodes when it is its owner's turn, within the time that one request may take of them.
///
/// Fails as the work does, with [`Error::Busy`] when its turn does not come, and with [`Error::ChainUnavailable`] when it
/// takes too long.
pub(super) async fn with_nodes<T: Send + 'static>(
    state: &State,
    chain_id: ChainId,
    owner: Uuid,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    // Boxed: what asks nodes is large, and is moved from hand to hand.
    state.permits.run(chain_id, owner, Box::pin(budget(REQUEST_BUDGET, work))).await
}

/// What the server chooses for a transaction.
pub(super) struct Terms {
    pub(super) transaction_id: TransactionId,
    pub(super) gas_limit: Gas,
    pub(super) caps: Fees,
    pub(super) created_at: Time,
    pub(super) expires_at: Time,
}

/// A transaction that waits for its decision, without what is known of it.
pub(super) fn row_of(origin: Origin, effect: Effect, terms: Terms) -> Model {
    let Origin { chain, wallet, agent_id, action, memo, expires_in: _, execute } = origin;
    let Terms { transaction_id, gas_limit, caps, created_at, expires_at } = terms;
    Model {
        transaction_id,
        version: 1,
        status: Status::Pending,
        waiting_reason: waiting_for(Status::Pending),
        waiting_since: Some(created_at),
        waiting_detail: None,
        blocked_by: None,
        cancelling: None,
        user_id: wallet.user_id,
        agent_id,
        wallet_id: wallet.wallet_id,
        address: wallet.address,
        chain_id: chain.id(),
        action: Json(action),
        memo,
        to_address: effect.to,
        value: effect.value,
        gas_limit,
        data: effect.data.0,
        max_fee_per_gas: caps.max_fee_per_gas.into(),
        max_priority_fee_per_gas: caps.max_priority_fee_per_gas.into(),
        digest: Digest(Default::default()),
        warnings: Json(Vec::new()),
        preview: None,
        nonce: None,
        block: None,
        reason: None,
        created_at,
        expires_at,
        decided_at: None,
        execute_by: None,
        execute,
        gives_way_at: None,
        evidence: None,
        repriced_for: None,
    }
}
