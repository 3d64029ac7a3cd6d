//! A transaction as it would be: priced, tried and described, but not stored.

use std::time::Duration;

use super::change::waiting_for;
use crate::{
    chain::{Chain, ChainError},
    domain::{
        Result, digest,
        preview::{Effect, Facts, Sight},
        tracking,
    },
    state::State,
    store::{Json, transactions::Model, wallets},
    value::{Action, AgentId, Digest, Status, Text, TransactionId},
};

/// What a transaction is made of.
#[derive(Debug)]
pub(super) struct Origin<'state> {
    pub(super) chain: &'state Chain,
    pub(super) wallet: wallets::Model,
    /// Who asks; none: the user.
    pub(super) agent_id: Option<AgentId>,
    pub(super) action: Action,
    pub(super) memo: Option<Text>,
    /// How long a human has to decide.
    pub(super) expires_in: Duration,
}

/// Asks the chain, and makes the row of it: `pending`, version 1.
///
/// Fails with [`Error::Abi`], [`Error::Invalid`], [`Error::ChainUnavailable`], [`Error::SimulationFailed`], and
/// [`Error::InsufficientFunds`] when it cannot be tried.
pub(super) async fn draft(state: &State, origin: Origin<'_>) -> Result<(Model, Facts)> {
    let Origin { chain, wallet, agent_id, action, memo, expires_in } = origin;
    let effect = Effect::of(&action)?;
    let sight = Sight::ask(chain, wallet.address, &action, &effect).await?;
    let sight = sight.or_unfunded(chain, wallet.address, &effect).await?;
    let (created_at, caps) = (state.clock.now(), sight.facts.caps());
    let gas_limit =
        sight.facts.gas_limit(&effect).ok_or_else(|| ChainError::Unavailable("it gave no estimate".to_owned()))?;
    let mut row = Model {
        transaction_id: TransactionId::new(),
        version: 1,
        status: Status::Pending,
        waiting_reason: waiting_for(Status::Pending),
        waiting_since: Some(created_at),
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
        expires_at: created_at + expires_in,
        decided_at: None,
        execute_by: None,
    };
    let free = tracking::free_balance(&state.store, &row, &sight.facts.account).await?;
    sight.describe(state, chain, &mut row, free).await?;
    row.digest = digest::digest(&row);
    Ok((row, sight.facts))
}
