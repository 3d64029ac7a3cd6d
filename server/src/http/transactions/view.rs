//! A transaction as the wire has it: the answer of most operations.

use poem_openapi::Object;

use super::preview::Preview;
use crate::{
    domain::{self, transactions::Row},
    http::actions::Action,
    value::{
        self, Address, AgentId, BlockHash, CallData, ChainId, Digest, Evidence, Execute, Gas, Nonce, Severity, Status,
        Text, Time, TransactionHash, TransactionId, UserId, WaitingReason, WalletId, Wei,
    },
};

/// A request to move something, with everything that is known about it.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Transaction {
    /// Which.
    transaction_id: TransactionId,
    /// Raised by every change, from 1; 0: a preview, which is not stored.
    #[oai(validator(minimum(value = "0")))]
    version: i64,
    /// Where it stands: `pending`, `authorized`, `submitted` and `mined` go on; `confirmed`, `reverted`, `rejected`,
    /// `expired`, `cancelled`, `superseded` and `failed` are final. New words may be added.
    status: Status,
    /// What it waits for.
    waiting: Option<Waiting>,
    /// Whether its cancel is on the way.
    cancelling: bool,
    /// Whose money it moves.
    user_id: UserId,
    /// The agent that asked; absent when the user did.
    agent_id: Option<AgentId>,
    /// The wallet that pays.
    wallet_id: WalletId,
    /// The account that pays.
    address: Address,
    /// The chain it is for.
    chain_id: ChainId,
    /// What was asked.
    action: Action,
    /// What the agent says about it. Its words, not the server's.
    memo: Option<Text>,
    /// To be signed: the account that is called; absent for a deployment.
    to: Option<Address>,
    /// To be signed: the native currency sent, in wei.
    value: Wei,
    /// To be signed: the call's input, or init code.
    data: CallData,
    /// The most gas it may use.
    gas_limit: Gas,
    /// The most it may pay for one unit of gas, in wei.
    max_fee_per_gas: Wei,
    /// The most of that for the block's producer, in wei.
    max_priority_fee_per_gas: Wei,
    /// The most its gas can cost, in wei: `gas_limit` times `max_fee_per_gas`.
    worst_case_fee: Wei,
    /// What a user approves: computed from the fields above, so that it can be checked against what was shown.
    digest: Digest,
    /// What a user should know before approving.
    warnings: Vec<Warning>,
    /// What it does; absent in transactions older than previews.
    preview: Option<Preview>,
    /// The nonce it was signed with.
    nonce: Option<Nonce>,
    /// The mined form, else the one sent last.
    transaction_hash: Option<TransactionHash>,
    /// Every signed form that was sent.
    transaction_hashes: Vec<TransactionHash>,
    /// Where it was mined.
    block: Option<Block>,
    /// Why it ended.
    reason: Option<Text>,
    /// When it was prepared.
    created_at: Time,
    /// Until when it can be decided.
    expires_at: Time,
    /// When it was decided.
    decided_at: Option<Time>,
    /// Until when it can be executed: less than it was given, once another transaction waits for its nonce.
    execute_by: Option<Time>,
    /// Who sets it going once it is approved: `agent`, its agent; `on_approval`, the approval itself.
    execute: Execute,
    /// What its final state rests on, where the chain has one. `single`: one node has shown it; `agreed`: several have,
    /// and none anything else; `owner`: its owner said so. New words may be added.
    evidence: Option<Evidence>,
    /// True when it ended after it was signed, and nothing has used its nonce yet: copies of its payment, should there be
    /// any, could still be mined. This server has deleted its own.
    valid_until_nonce_used: bool,
}

/// What a transaction waits for.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Waiting {
    /// For what: `decision`, `execution`, `in_pool`, `not_sent`, `fee_too_low`, `insufficient_funds`, `behind_nonce`,
    /// `node_unreachable`, `refused`, `finality`, `nonce_used_elsewhere` or `needs_owner`. New words may be added.
    reason: WaitingReason,
    /// Since when.
    since: Time,
    /// More of that, in words; a node's words among them.
    detail: Option<Text>,
    /// The transaction that has to go first.
    blocked_by: Option<TransactionId>,
}

impl Waiting {
    /// What something waits for.
    pub fn new(reason: WaitingReason, since: Time, detail: Option<Text>, blocked_by: Option<TransactionId>) -> Self {
        Self { reason, since, detail, blocked_by }
    }
}

/// Something a user should know before approving.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
struct Warning {
    /// A stable name. New ones may be added.
    code: String,
    /// What it is about, where one code can be about several things: addresses. `code:subject` acknowledges it; the code
    /// alone does where no other warning of high severity has it.
    subject: Option<String>,
    /// How much it matters.
    severity: Severity,
    /// In words.
    detail: String,
}

/// Where a transaction was mined.
#[derive(Debug, Clone, Object)]
struct Block {
    /// The block's height.
    number: u64,
    /// The block's hash.
    hash: BlockHash,
    /// Gas it used.
    gas_used: Gas,
    /// What one unit of gas cost, in wei.
    effective_gas_price: Wei,
}

impl From<domain::transactions::Transaction> for Transaction {
    fn from(transaction: domain::transactions::Transaction) -> Self {
        let execute_by = transaction.execute_by();
        let domain::transactions::Transaction { row, hashes, hash, valid_until_nonce_used, cancelling } = transaction;
        let worst_case_fee = row.worst_case_fee();
        let Row {
            transaction_id,
            version,
            status,
            waiting_reason,
            waiting_since,
            waiting_detail: detail,
            blocked_by,
            cancelling: _,
            user_id,
            agent_id,
            wallet_id,
            address,
            chain_id,
            action,
            memo,
            to_address,
            value,
            data,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            digest,
            warnings,
            preview,
            nonce,
            block,
            reason,
            created_at,
            expires_at,
            decided_at,
            execute_by: _,
            execute,
            gives_way_at: _,
            evidence,
            repriced_for: _,
        } = row;
        let waiting =
            waiting_reason.zip(waiting_since).map(|(reason, since)| Waiting { reason, since, detail, blocked_by });
        Self {
            transaction_id,
            version,
            status,
            waiting,
            cancelling,
            user_id,
            agent_id,
            wallet_id,
            address,
            chain_id,
            action: Action(action.0),
            memo,
            to: to_address,
            value,
            data: CallData(data),
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            worst_case_fee,
            digest,
            warnings: warnings.0.into_iter().map(Warning::from).collect(),
            preview: preview.map(|preview| preview.0.into()),
            nonce,
            transaction_hash: hash,
            transaction_hashes: hashes,
            block: block.map(|block| block.0.into()),
            reason,
            created_at,
            expires_at,
            decided_at,
            execute_by,
            execute,
            evidence,
            valid_until_nonce_used,
        }
    }
}

impl From<value::Warning> for Warning {
    fn from(warning: value::Warning) -> Self {
        let value::Warning { code, subject, severity, detail } = warning;
        Self { code, subject, severity, detail }
    }
}

impl From<value::Block> for Block {
    fn from(block: value::Block) -> Self {
        // Whether it succeeded is the transaction's status, and which form it was its hash.
        let value::Block { number, hash, transaction_hash: _, succeeded: _, gas_used, effective_gas_price } = block;
        Self { number, hash, gas_used, effective_gas_price }
    }
}
