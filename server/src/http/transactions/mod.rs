//! Transactions: prepared by agents, decided by users, executed by agents.

mod preview;
mod requests;
mod sends;
mod view;

use std::time::Duration;

use poem_openapi::{Object, OpenApi, param::Query, payload::Json};

pub(in crate::http) use self::preview::Token;
pub use self::view::{Transaction, Waiting};
use self::{
    requests::{
        AuthorizeTransaction, AuthorizeTransactions, CancelTransaction, ExecuteTransaction, PrepareTransaction,
        RejectTransaction, Version, Wait,
    },
    sends::{ContractCall, PreviewTransaction, Transfer, TransferErc20},
};
use super::{
    Tag,
    answers::{Creation, Cursor, Limit, List, page},
    auth::{AgentAuth, CallerAuth, UserAuth},
    body::Body,
    idempotency::Idempotency,
    problem::Problem,
};
use crate::{
    domain::transactions,
    state::State,
    value::{Address, AgentId, Status, TransactionId},
};

/// What a batch has approved.
#[derive(Debug, Object)]
struct AuthorizedTransactions {
    /// In the order of the request.
    transactions: Vec<Transaction>,
}

/// Operations on transactions.
pub struct TransactionsApi(pub State);

#[OpenApi(prefix_path = "/api", tag = "Tag::Transactions")]
impl TransactionsApi {
    /// Prepare a transaction
    ///
    /// An agent asks for something. Nothing is signed: the transaction waits as `pending` for its user's decision.
    #[oai(path = "/prepare_transaction", method = "post", operation_id = "prepare_transaction")]
    async fn prepare_transaction(
        &self,
        AgentAuth(agent): AgentAuth,
        /// Repeats of a request with the same key make nothing twice. Always send one: a lost answer then never pays
        /// twice.
        #[oai(name = "Idempotency-Key")]
        Idempotency(idempotency_key): Idempotency,
        Body(request): Body<PrepareTransaction>,
    ) -> Result<Creation<Transaction>, Problem> {
        let preparation = request.into_preparation(idempotency_key);
        Ok(Creation::of(transactions::prepare(&self.0, &agent, preparation).await?, Transaction::from))
    }

    /// List transactions
    ///
    /// All of a user's, or those that an agent prepared, newest first.
    #[oai(path = "/transactions", method = "get", operation_id = "transactions")]
    async fn transactions(
        &self,
        CallerAuth(caller): CallerAuth,
        /// How many at most; 20 when absent.
        Query(limit): Query<Option<Limit>>,
        /// `next_cursor` of the part before.
        Query(cursor): Query<Option<Cursor>>,
        /// Only those in this status.
        Query(status): Query<Option<Status>>,
        /// Only those that this agent prepared.
        Query(agent_id): Query<Option<AgentId>>,
        /// Only those that this account pays.
        Query(address): Query<Option<Address>>,
    ) -> Result<Json<List<Transaction>>, Problem> {
        let filter = transactions::Filter { status, agent_id, address };
        let page = page(limit, cursor, TransactionId);
        let transactions = transactions::list(&self.0, &caller, filter, page).await?;
        Ok(Json(List::of(transactions, Transaction::from, |id| id.0)))
    }

    /// Look at a transaction, or wait for it to change
    ///
    /// Answers at once when the transaction's version differs from `known_version`, or either is absent; otherwise as
    /// soon as it changes, or at the end of the wait.
    #[oai(path = "/transaction_status", method = "get", operation_id = "transaction_status")]
    async fn transaction_status(
        &self,
        CallerAuth(caller): CallerAuth,
        /// Which.
        Query(transaction_id): Query<TransactionId>,
        /// The version the caller knows.
        Query(known_version): Query<Option<Version>>,
        /// How long to wait for a change, in seconds; 0 when absent.
        Query(wait): Query<Option<Wait>>,
    ) -> Result<Json<Transaction>, Problem> {
        let known_version = known_version.map(|version| version.get().cast_signed());
        let wait = Duration::from_secs(wait.map_or(0, Wait::get));
        Ok(Json(transactions::status(&self.0, &caller, transaction_id, known_version, wait).await?.into()))
    }

    /// Approve a transaction
    ///
    /// Signs it. Nothing is sent before its agent executes it. Repeating it changes nothing.
    #[oai(path = "/authorize_transaction", method = "post", operation_id = "authorize_transaction")]
    async fn authorize_transaction(
        &self,
        UserAuth(user): UserAuth,
        Body(request): Body<AuthorizeTransaction>,
    ) -> Result<Json<Transaction>, Problem> {
        let (approval, code) = request.into_approval();
        Ok(Json(transactions::authorize(&self.0, &user, approval, code).await?.into()))
    }

    /// Approve several transactions
    ///
    /// Signs them all with one code, or none. Repeating it changes nothing. A refusal names the transaction it is for.
    #[oai(path = "/authorize_transactions", method = "post", operation_id = "authorize_transactions")]
    async fn authorize_transactions(
        &self,
        UserAuth(user): UserAuth,
        Body(request): Body<AuthorizeTransactions>,
    ) -> Result<Json<AuthorizedTransactions>, Problem> {
        let (approvals, code) = request.into_approvals();
        let approved = transactions::authorize_all(&self.0, &user, approvals, code).await?;
        Ok(Json(AuthorizedTransactions { transactions: approved.into_iter().map(Transaction::from).collect() }))
    }

    /// Reject a transaction
    ///
    /// It can never be approved afterwards. Repeating it changes nothing.
    #[oai(path = "/reject_transaction", method = "post", operation_id = "reject_transaction")]
    async fn reject_transaction(
        &self,
        UserAuth(user): UserAuth,
        Body(request): Body<RejectTransaction>,
    ) -> Result<Json<Transaction>, Problem> {
        let RejectTransaction { transaction_id, reason } = request;
        Ok(Json(transactions::reject(&self.0, &user, transaction_id, reason).await?.into()))
    }

    /// Cancel a transaction
    ///
    /// Withdraws one that was not executed. For one that was, the user (not the agent) may ask: then nothing is paid if
    /// its cancel is mined first.
    #[oai(path = "/cancel_transaction", method = "post", operation_id = "cancel_transaction")]
    async fn cancel_transaction(
        &self,
        CallerAuth(caller): CallerAuth,
        Body(request): Body<CancelTransaction>,
    ) -> Result<Json<Transaction>, Problem> {
        let CancelTransaction { transaction_id, burn } = request;
        let release = transactions::Release::from_burn(burn);
        Ok(Json(transactions::cancel(&self.0, &caller, transaction_id, release).await?.into()))
    }

    /// Execute a transaction
    ///
    /// Sends what was approved, and keeps at it until it is final. Repeating it changes nothing.
    #[oai(path = "/execute_transaction", method = "post", operation_id = "execute_transaction")]
    async fn execute_transaction(
        &self,
        AgentAuth(agent): AgentAuth,
        Body(request): Body<ExecuteTransaction>,
    ) -> Result<Json<Transaction>, Problem> {
        let ExecuteTransaction { transaction_id } = request;
        Ok(Json(transactions::execute(&self.0, &agent, transaction_id).await?.into()))
    }

    /// Look at what a send would do
    ///
    /// Answers with the transaction as it would be, its preview and its warnings; its version is 0. Nothing is signed
    /// or sent. For 15 minutes its digest, given to the send, makes sure that what was shown is what is sent.
    #[oai(path = "/preview_transaction", method = "post", operation_id = "preview_transaction")]
    async fn preview_transaction(
        &self,
        UserAuth(user): UserAuth,
        Body(request): Body<PreviewTransaction>,
    ) -> Result<Json<Transaction>, Problem> {
        Ok(Json(transactions::preview(&self.0, &user, request.into()).await?.into()))
    }

    /// Send native currency
    ///
    /// The user sends on their own: it is signed and submitted at once.
    #[oai(path = "/transfer", method = "post", operation_id = "transfer")]
    async fn transfer(
        &self,
        UserAuth(user): UserAuth,
        /// Repeats of a request with the same key make nothing twice. Always send one: a lost answer then never pays
        /// twice.
        #[oai(name = "Idempotency-Key")]
        Idempotency(idempotency_key): Idempotency,
        Body(request): Body<Transfer>,
    ) -> Result<Creation<Transaction>, Problem> {
        let send = request.into_send(idempotency_key);
        Ok(Creation::of(transactions::send(&self.0, &user, send).await?, Transaction::from))
    }

    /// Send an ERC-20 token
    ///
    /// The user sends on their own: it is signed and submitted at once.
    #[oai(path = "/transfer_erc20", method = "post", operation_id = "transfer_erc20")]
    async fn transfer_erc20(
        &self,
        UserAuth(user): UserAuth,
        /// Repeats of a request with the same key make nothing twice. Always send one: a lost answer then never pays
        /// twice.
        #[oai(name = "Idempotency-Key")]
        Idempotency(idempotency_key): Idempotency,
        Body(request): Body<TransferErc20>,
    ) -> Result<Creation<Transaction>, Problem> {
        let send = request.into_send(idempotency_key);
        Ok(Creation::of(transactions::send(&self.0, &user, send).await?, Transaction::from))
    }

    /// Call a contract
    ///
    /// The user sends on their own: it is signed and submitted at once.
    #[oai(path = "/contract_call", method = "post", operation_id = "contract_call")]
    async fn contract_call(
        &self,
        UserAuth(user): UserAuth,
        /// Repeats of a request with the same key make nothing twice. Always send one: a lost answer then never pays
        /// twice.
        #[oai(name = "Idempotency-Key")]
        Idempotency(idempotency_key): Idempotency,
        Body(request): Body<ContractCall>,
    ) -> Result<Creation<Transaction>, Problem> {
        let send = request.into_send(idempotency_key);
        Ok(Creation::of(transactions::send(&self.0, &user, send).await?, Transaction::from))
    }
}
