//! The agent's side.

use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::Address;
use serde::Serialize;
use uuid::Uuid;

use crate::call::{Call, Repeat};
use crate::http::{Credential, Http};
use crate::shared::TransactionId;
use crate::{
    AgentClientBuilder, Chain, Error, LoadedWallet, Nonces, Page, Paging, PrepareTransaction, Secret, Status, Token,
    Transaction, TransactionFilter, Wallet, address, api_key,
};

/// An agent's connection to the wallet server: it prepares transactions, and executes those a human
/// approved.
///
/// Cheap to clone. Every call fails with [`Error`] as its documentation says; calls are repeated by
/// themselves when the cause may pass and repeating does no harm.
#[derive(Clone, Debug)]
pub struct AgentClient {
    http: Arc<Http>,
    agent_id: Uuid,
}

impl AgentClient {
    /// A client of the server at `base_url` (such as `https://wallet.example.com`).
    ///
    /// Fails when the URL is no absolute http(s) URL, when it is plain http to another machine, or
    /// when the API key is incomplete or mistyped. Nothing is sent.
    pub fn new(base_url: impl Into<String>, api_key: impl Into<Secret>) -> Result<Self, Error> {
        Self::builder(base_url, api_key).build()
    }

    /// A client with settings other than the defaults.
    pub fn builder(base_url: impl Into<String>, api_key: impl Into<Secret>) -> AgentClientBuilder {
        AgentClientBuilder::new(base_url, api_key.into())
    }

    /// The agent this client's API key belongs to.
    #[must_use]
    pub fn agent_id(&self) -> Uuid {
        self.agent_id
    }

    /// The wallets the agent may use.
    pub async fn wallets(&self, paging: Paging) -> Result<Page<Wallet>, Error> {
        self.http.wallets(paging).await
    }

    /// A wallet with its balances. Without an address: the agent's only wallet.
    ///
    /// Fails with `invalid_request` when the agent has several wallets and no address was given,
    /// and with `not_found` when it may not use that one.
    pub async fn load_wallet(&self, address: Option<Address>) -> Result<LoadedWallet, Error> {
        #[derive(Serialize)]
        struct Body {
            #[serde(with = "address::optional", skip_serializing_if = "Option::is_none")]
            address: Option<Address>,
        }
        self.http.send(Call::post("api/load_wallet", &Body { address })?).await
    }

    /// The chains the server is connected to.
    pub async fn chains(&self) -> Result<Vec<Chain>, Error> {
        self.http.chains().await
    }

    /// What a token contract says of itself. The chain, by EIP-155 id, may be left out when the
    /// server has one.
    ///
    /// Fails with `unknown_chain` or `chain_unavailable`.
    pub async fn token(&self, chain_id: Option<u64>, address: Address) -> Result<Token, Error> {
        self.http.token(chain_id, address).await
    }

    /// Asks for a transaction. The answer is [`Status::Pending`]: now a human has to decide.
    ///
    /// Sent twice, the same request is one transaction: see [`PrepareTransaction`].
    ///
    /// Fails with `unknown_chain`, `simulation_failed` when it would revert, `too_many_pending`,
    /// and `idempotency_mismatch` when the idempotency key was used for something else.
    pub async fn prepare(&self, request: PrepareTransaction) -> Result<Transaction, Error> {
        let call = Call::post("api/prepare_transaction", &request)?;
        self.http.send_for_transaction(call.idempotency_key(&request.idempotency_key)?).await
    }

    /// The transaction as it is now. Fails with `not_found` when it is not this agent's.
    pub async fn status(&self, transaction_id: Uuid) -> Result<Transaction, Error> {
        self.http.status(transaction_id, None, Duration::ZERO).await
    }

    /// The transaction as soon as its version differs from `known_version`, or as it is after
    /// `wait` (whole seconds, at most 50).
    pub async fn wait_for_change(
        &self,
        transaction_id: Uuid,
        known_version: u64,
        wait: Duration,
    ) -> Result<Transaction, Error> {
        self.http.status(transaction_id, Some(known_version), wait).await
    }

    /// Waits until a human has decided, or nobody has in time: until [`Status::is_decided`].
    ///
    /// Survives restarts of the server and lost connections. Fails with [`Error::StillWaiting`]
    /// when the [wait limit](AgentClientBuilder::wait_limit) passes first.
    pub async fn wait_until_decided(&self, transaction_id: Uuid) -> Result<Transaction, Error> {
        self.http.wait_until(transaction_id, Status::is_decided).await
    }

    /// Sends an approved transaction to the chain. Repeating it gives the same transaction, and so
    /// does calling it for one that the approval has sent.
    ///
    /// Fails with `invalid_state` before the approval or when it will never be executed, and with
    /// `expired` after [`Transaction::execute_by`].
    pub async fn execute(&self, transaction_id: Uuid) -> Result<Transaction, Error> {
        self.http.send_for_transaction(execute(transaction_id)?).await
    }

    /// Waits until the chain has decided for good: until [`Status::is_final`].
    ///
    /// Look at the status: a final transaction may be [`Confirmed`](Status::Confirmed), and it may
    /// not. Survives restarts of the server and lost connections. Fails with
    /// [`Error::StillWaiting`] when the [wait limit](AgentClientBuilder::wait_limit) passes first.
    pub async fn wait_until_confirmed(&self, transaction_id: Uuid) -> Result<Transaction, Error> {
        self.http.wait_until(transaction_id, Status::is_final).await
    }

    /// Withdraws a transaction that was not yet executed. Repeating it gives the same transaction.
    ///
    /// Fails with `invalid_state` once it was executed or has ended otherwise.
    pub async fn cancel(&self, transaction_id: Uuid) -> Result<Transaction, Error> {
        self.http.cancel(transaction_id, false).await
    }

    /// The open nonces of an account the agent may use, and what each waits for. The chain, by
    /// EIP-155 id, may be left out when there is one.
    ///
    /// Fails with `unknown_chain`, and `not_found` when the agent may not use the wallet.
    pub async fn nonces(&self, address: Address, chain_id: Option<u64>) -> Result<Nonces, Error> {
        self.http.nonces(address, chain_id).await
    }

    /// The agent's transactions, newest first.
    pub async fn transactions(&self, filter: TransactionFilter) -> Result<Page<Transaction>, Error> {
        self.http.transactions(filter).await
    }

    /// All of it in one call: prepares, waits for the human, executes what the approval has not
    /// sent, waits for the chain.
    ///
    /// The answer is final; look at its status. Fails with [`Error::NotApproved`] when the
    /// transaction was rejected, expired or cancelled before it was executed, and otherwise as the
    /// four calls do. The wait limit applies to each of the two waits. Dropping the future abandons
    /// the wait, not the transaction; the same request continues it.
    pub async fn pay(&self, request: PrepareTransaction) -> Result<Transaction, Error> {
        let transaction_id = self.prepare(request).await?.transaction_id;
        let decided = self.wait_until_decided(transaction_id).await?;
        match &decided.status {
            Status::Rejected | Status::Expired | Status::Cancelled => {
                return Err(Error::NotApproved { transaction: Box::new(decided) });
            }
            // The request is an old one, and all is done.
            status if status.is_final() => return Ok(decided),
            _ => {}
        }
        // One that the approval itself sends is past this state.
        if decided.status == Status::Authorized {
            // The human has done their part: a server that restarts now must not undo it.
            let call = execute(transaction_id)?.repeat(Repeat::UntilAnswered);
            self.http.send_for_transaction(call).await?;
        }
        self.wait_until_confirmed(transaction_id).await
    }
}

impl AgentClientBuilder {
    /// The client. Fails as [`AgentClient::new`] does, and when a root certificate is malformed.
    pub fn build(self) -> Result<AgentClient, Error> {
        // Keys are read from files and variables, which like to end with a line break.
        let api_key = Secret::from(self.credential.expose().trim());
        let agent_id = api_key::agent_id(&api_key)?;
        let http = self.connect(Some(Credential::ApiKey(api_key)))?;
        Ok(AgentClient { http: Arc::new(http), agent_id })
    }
}

fn execute(transaction_id: Uuid) -> Result<Call, Error> {
    Call::post("api/execute_transaction", &TransactionId { transaction_id })
}
