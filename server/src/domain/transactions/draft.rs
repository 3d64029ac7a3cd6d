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
    store::{Json, drafts, transactions::Model, wallets},
    value::{Action, AgentId, Digest, Fees, Gas, Status, Text, Time, TransactionId},
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
    let (chain, address, effect) = (origin.chain, origin.wallet.address, Effect::of(&origin.action)?);
    let sight = Sight::ask(chain, address, &origin.action, &effect).await?;
    let sight = sight.or_unfunded(chain, address, &effect).await?;
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
    let free = tracking::free_balance(&state.store, &row, &sight.facts.account).await?;
    sight.describe(state, chain, &mut row, free).await?;
    row.digest = digest::digest(&row);
    Ok((row, sight.facts))
}

/// The transaction that its user was shown, from what they ask for now and what the server chose then. Its digest is
/// computed anew: only then is it what was shown.
pub(super) fn rebuild(origin: Origin<'_>, shown: drafts::Model) -> Result<Model> {
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
    let effect = Effect::stored(shown);
    let sight = Sight::ask(chain, shown.address, &shown.action.0, &effect).await?;
    let sight = sight.or_unfunded(chain, shown.address, &effect).await?;
    let free = tracking::free_balance(&state.store, shown, &sight.facts.account).await?;
    let mut now = shown.clone();
    sight.describe(state, chain, &mut now, free).await?;
    Ok((now, sight.facts))
}

/// What the server chooses for a transaction.
struct Terms {
    transaction_id: TransactionId,
    gas_limit: Gas,
    caps: Fees,
    created_at: Time,
    expires_at: Time,
}

fn row_of(origin: Origin<'_>, effect: Effect, terms: Terms) -> Model {
    let Origin { chain, wallet, agent_id, action, memo, expires_in: _ } = origin;
    let Terms { transaction_id, gas_limit, caps, created_at, expires_at } = terms;
    Model {
        transaction_id,
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
        expires_at,
        decided_at: None,
        execute_by: None,
    }
}
