//! Requests to move something.

use sea_orm::{
    DerivePartialModel, ExprTrait, IntoActiveModel, Iterable, QueryOrder, QuerySelect, Select, entity::prelude::*,
};

use super::{Json, Read, Result, Write, nonce_slots};
use crate::value::{
    Action, Address, AgentId, Block, CancelCause, ChainId, Digest, Evidence, Execute, Fees, Gas, Nonce, Preview,
    SessionId, Status, Text, Time, TransactionId, UserId, WaitingReason, WalletId, Warning, Wei,
};

/// A request to move something.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "transactions")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub transaction_id: TransactionId,
    /// Raised by every change, from 1.
    pub version: i64,
    /// Where it stands.
    pub status: Status,
    /// What it waits for.
    pub waiting_reason: Option<WaitingReason>,
    /// Since when.
    pub waiting_since: Option<Time>,
    /// More of that, in words.
    pub waiting_detail: Option<Text>,
    /// Which transaction has to go first.
    pub blocked_by: Option<TransactionId>,
    /// Why its cancel is on the way; none: it is not.
    pub cancelling: Option<CancelCause>,
    /// Whose money.
    pub user_id: UserId,
    /// Who asked; none: the user.
    pub agent_id: Option<AgentId>,
    /// From which wallet.
    pub wallet_id: WalletId,
    /// That wallet's account.
    pub address: Address,
    /// On which chain.
    pub chain_id: ChainId,
    /// What was asked.
    pub action: Json<Action>,
    /// What the agent says about it.
    pub memo: Option<Text>,
    /// Who is called; none: a deployment.
    pub to_address: Option<Address>,
    /// Native currency sent.
    pub value: Wei,
    /// Input of the call, or init code.
    pub data: Vec<u8>,
    /// The most gas it may use.
    pub gas_limit: Gas,
    /// The most it may pay for one unit of gas.
    pub max_fee_per_gas: Wei,
    /// The most of that for the block's producer.
    pub max_priority_fee_per_gas: Wei,
    /// What a human approves.
    pub digest: Digest,
    /// What a human should know.
    pub warnings: Json<Vec<Warning>>,
    /// What it does, as it was shown; none: it is older than previews.
    pub preview: Option<Json<Preview>>,
    /// The nonce it was signed with.
    pub nonce: Option<Nonce>,
    /// Where it was mined.
    pub block: Option<Json<Block>>,
    /// Why it ended.
    pub reason: Option<Text>,
    /// When it was prepared.
    pub created_at: Time,
    /// Until when it can be decided.
    pub expires_at: Time,
    /// When it was decided.
    pub decided_at: Option<Time>,
    /// Until when it can be executed.
    pub execute_by: Option<Time>,
    /// Who sets it going once it is approved.
    pub execute: Execute,
    /// Until when it may keep a nonce that others wait for; none: nobody does.
    pub gives_way_at: Option<Time>,
    /// What its final state rests on, where the chain has one.
    pub evidence: Option<Evidence>,
    /// The session that was last shown the price it was given after it was prepared; none: it has its first price.
    pub repriced_for: Option<SessionId>,
}

/// A transaction without what it says and does: all that following it takes.
#[derive(Debug, Clone, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Outline {
    /// Which.
    pub transaction_id: TransactionId,
    /// Raised by every change, from 1.
    pub version: i64,
    /// Where it stands.
    pub status: Status,
    /// What it waits for.
    pub waiting_reason: Option<WaitingReason>,
    /// Since when.
    pub waiting_since: Option<Time>,
    /// More of that, in words.
    pub waiting_detail: Option<Text>,
    /// Which transaction has to go first.
    pub blocked_by: Option<TransactionId>,
    /// Why its cancel is on the way; none: it is not.
    pub cancelling: Option<CancelCause>,
    /// Whose money.
    pub user_id: UserId,
    /// The nonce it was signed with.
    pub nonce: Option<Nonce>,
    /// Where it was mined.
    pub block: Option<Json<Block>>,
    /// Until when it may keep a nonce that others wait for; none: nobody does.
    pub gives_way_at: Option<Time>,
}

/// What a transaction may still take out of its account.
#[derive(Debug, Clone, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Reserve {
    /// Where it stands.
    pub status: Status,
    /// Native currency sent.
    pub value: Wei,
    /// The most gas it may use.
    pub gas_limit: Gas,
    /// The most it may pay for one unit of gas.
    pub max_fee_per_gas: Wei,
}

impl Reserve {
    /// The most that its gas can cost.
    pub fn worst_case_fee(&self) -> Wei {
        self.gas_limit.cost(self.max_fee_per_gas.0.saturating_to())
    }
}

/// No relation is queried through the entity: joins would hide the scope.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The most it may pay for one unit of gas.
    pub fn fee_caps(&self) -> Fees {
        Fees {
            max_fee_per_gas: self.max_fee_per_gas.0.saturating_to(),
            max_priority_fee_per_gas: self.max_priority_fee_per_gas.0.saturating_to(),
        }
    }

    /// The most that its gas can cost.
    pub fn worst_case_fee(&self) -> Wei {
        self.gas_limit.cost(self.fee_caps().max_fee_per_gas)
    }
}

/// Narrows a list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only in this status.
    pub status: Option<Status>,
    /// Only what this agent prepared.
    pub agent_id: Option<AgentId>,
    /// Only from this account.
    pub address: Option<Address>,
    /// Only those prepared before this one.
    pub before: Option<TransactionId>,
}

/// Adds a transaction.
pub async fn insert(write: &Write, transaction: Model) -> Result<()> {
    write.note_change(transaction.transaction_id);
    Entity::insert(ActiveModel::from(transaction)).exec_without_returning(write.connection()).await?;
    Ok(())
}

/// Replaces `before` by `after`, one version higher: false, and nothing changed, when somebody was faster.
///
/// Every edge of the state machine is this one conditional update. Only columns that differ are written.
pub async fn save(write: &Write, before: &Model, after: &Model) -> Result<bool> {
    write.note_change(before.transaction_id);
    let mut changed = after.clone().into_active_model().reset_all();
    for column in Column::iter() {
        if before.get(column) == after.get(column) {
            changed.not_set(column);
        }
    }
    let updated = Entity::update_many()
        .set(changed)
        .filter(Column::TransactionId.eq(before.transaction_id))
        .filter(Column::Version.eq(before.version))
        .filter(Column::Status.eq(before.status))
        .exec(write.connection())
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Any transaction: for the server's own work, never for a request.
pub async fn find(store: &impl Read, id: TransactionId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).one(store.connection()).await?)
}

/// A person's transaction.
pub async fn find_for_user(store: &impl Read, user_id: UserId, id: TransactionId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).filter(Column::UserId.eq(user_id)).one(store.connection()).await?)
}

/// A transaction that an agent prepared.
pub async fn find_for_agent(store: &impl Read, agent_id: AgentId, id: TransactionId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).filter(Column::AgentId.eq(agent_id)).one(store.connection()).await?)
}

/// At most `limit` of a person's transactions, newest first.
pub async fn list_for_user(store: &impl Read, user_id: UserId, filter: Filter, limit: u64) -> Result<Vec<Model>> {
    let query = narrow(Entity::find().filter(Column::UserId.eq(user_id)), filter);
    Ok(query.order_by_desc(Column::TransactionId).limit(limit).all(store.connection()).await?)
}

/// Some transactions in outline, for the server's own work.
pub async fn list_outlines(store: &impl Read, ids: &[TransactionId]) -> Result<Vec<Outline>> {
    let query = Entity::find().filter(Column::TransactionId.is_in(ids.iter().copied()));
    Ok(query.into_partial_model().all(store.connection()).await?)
}

/// What an account's open nonces from `from` on may still take out of it. One that cannot be read is told and left out: it
/// must not keep its wallet from everything else, and none of it is sent.
pub async fn list_reserves(
    store: &impl Read,
    chain_id: ChainId,
    address: Address,
    from: Nonce,
) -> Result<Vec<Reserve>> {
    let holders = nonce_slots::holders(chain_id, address, from);
    let columns = [Column::Status, Column::Value, Column::GasLimit, Column::MaxFeePerGas];
    let query = Entity::find().select_only().columns(columns).filter(Column::TransactionId.in_subquery(holders));
    let rows: Vec<(String, String, i64, String)> = query.into_tuple().all(store.connection()).await?;
    let count = rows.len();
    let read = rows.into_iter().filter_map(|(status, value, gas_limit, max_fee_per_gas)| {
        Some(Reserve {
            status: status.parse().ok()?,
            value: value.parse().ok()?,
            gas_limit: Gas(gas_limit.try_into().ok()?),
            max_fee_per_gas: max_fee_per_gas.parse().ok()?,
        })
    });
    let reserves: Vec<Reserve> = read.collect();
    if reserves.len() < count {
        tracing::error!(chain.id = %chain_id, account.address = %address, "a transaction's amounts cannot be read");
    }
    Ok(reserves)
}

/// Whose transactions hold a chain's nonces that are not final.
pub async fn list_owners_of_open(store: &impl Read, chain_id: ChainId) -> Result<Vec<UserId>> {
    let holders = nonce_slots::holders_on(chain_id);
    let query = Entity::find().select_only().column(Column::UserId).distinct();
    let query = query.filter(Column::TransactionId.in_subquery(holders));
    Ok(query.into_tuple().all(store.connection()).await?)
}

/// What some transactions may still take out of their account.
pub async fn list_reserves_of(store: &impl Read, ids: &[TransactionId]) -> Result<Vec<Reserve>> {
    let query = Entity::find().filter(Column::TransactionId.is_in(ids.iter().copied()));
    Ok(query.into_partial_model().all(store.connection()).await?)
}

/// The approved transactions that hold an account's nonces from `from` on, were not executed, and say that they wait for
/// this.
pub async fn list_unsent_waiting(
    store: &impl Read,
    chain_id: ChainId,
    address: Address,
    from: Nonce,
    reason: WaitingReason,
) -> Result<Vec<TransactionId>> {
    let query = Entity::find()
        .select_only()
        .column(Column::TransactionId)
        .filter(Column::TransactionId.in_subquery(nonce_slots::holders(chain_id, address, from)))
        .filter(Column::Status.eq(Status::Authorized))
        .filter(Column::WaitingReason.eq(reason));
    Ok(query.into_tuple().all(store.connection()).await?)
}

/// What an agent has prepared that is undecided or approved and not executed.
pub async fn list_unsent_for_agent(store: &impl Read, agent_id: AgentId) -> Result<Vec<Model>> {
    let query = Entity::find()
        .filter(Column::AgentId.eq(agent_id))
        .filter(Column::Status.is_in([Status::Pending, Status::Authorized]));
    Ok(query.all(store.connection()).await?)
}

/// How many of an agent's transactions wait for a decision.
pub async fn count_pending_for_agent(store: &impl Read, agent_id: AgentId) -> Result<u64> {
    let query = Entity::find().filter(Column::AgentId.eq(agent_id)).filter(Column::Status.eq(Status::Pending));
    Ok(query.count(store.connection()).await?)
}

/// Whether an account was asked for exactly this since a time by something that was paid or may still be paid: also by
/// what failed or was superseded, and by what expired or was withdrawn once it was signed. A later request counts once
/// it is signed, so that of two the one that is approved second is told apart.
pub async fn has_twin(store: &impl Read, of: &Model, since: Time) -> Result<bool> {
    let unless_signed = [Status::Expired, Status::Cancelled];
    let may_be_paid = Column::Status.is_not_in(unless_signed).or(Column::Nonce.is_not_null());
    let to = match of.to_address {
        Some(to) => Column::ToAddress.eq(to),
        None => Column::ToAddress.is_null(),
    };
    let query = Entity::find()
        .filter(Column::UserId.eq(of.user_id))
        .filter(Column::Address.eq(of.address))
        .filter(Column::ChainId.eq(of.chain_id))
        .filter(to)
        .filter(Column::Value.eq(of.value))
        .filter(Column::Data.eq(of.data.clone()))
        .filter(Column::TransactionId.ne(of.transaction_id))
        .filter(Column::TransactionId.lt(of.transaction_id).or(Column::Nonce.is_not_null()))
        .filter(Column::CreatedAt.gte(since))
        .filter(Column::Status.ne(Status::Rejected))
        .filter(may_be_paid);
    Ok(query.count(store.connection()).await? > 0)
}

/// At most `limit` transactions whose time to be decided or executed is over, from the one after `after` on.
pub async fn list_overdue(
    store: &impl Read,
    now: Time,
    after: Option<TransactionId>,
    limit: u64,
) -> Result<Vec<TransactionId>> {
    let undecided = Column::Status.eq(Status::Pending).and(Column::ExpiresAt.lte(now));
    let unexecuted = Column::Status.eq(Status::Authorized).and(Column::ExecuteBy.lte(now));
    let query = Entity::find().select_only().column(Column::TransactionId).filter(undecided.or(unexecuted));
    let query = match after {
        Some(after) => query.filter(Column::TransactionId.gt(after)),
        None => query,
    };
    let query = query.order_by_asc(Column::TransactionId).limit(limit);
    Ok(query.into_tuple().all(store.connection()).await?)
}

fn narrow(mut query: Select<Entity>, filter: Filter) -> Select<Entity> {
    let Filter { status, agent_id, address, before } = filter;
    if let Some(status) = status {
        query = query.filter(Column::Status.eq(status));
    }
    if let Some(agent_id) = agent_id {
        query = query.filter(Column::AgentId.eq(agent_id));
    }
    if let Some(address) = address {
        query = query.filter(Column::Address.eq(address));
    }
    if let Some(before) = before {
        query = query.filter(Column::TransactionId.lt(before));
    }
    query
}
