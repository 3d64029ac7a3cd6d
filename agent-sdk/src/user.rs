//! The human's side.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use alloy::primitives::Address;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::authorize::Authorized;
use crate::call::Call;
use crate::clear_nonce::PreviewBody;
use crate::http::{Credential, Http};
use crate::keystore::Exported;
use crate::proof::{Proof, once};
use crate::{
    Agent, Authorize, AuthorizeBatch, Chain, CreateAgent, CreatedAgent, Error, ImportWallet, LoadedWallet,
    NonceClearing, Nonces, Page, Paging, Secret, Send, Status, Token, Transaction, TransactionFilter,
    UserClientBuilder, Wallet, address,
};

/// A human's connection to the wallet server: accounts, wallets, agents, and decisions on
/// transactions.
///
/// Cheap to clone; clones share the session. Calls are repeated by themselves when the cause may
/// pass and repeating does no harm. Those that spend a code or a password attempt are repeated only
/// when the server has certainly not acted; after any other failure, look at the transaction first.
#[derive(Clone, Debug)]
pub struct UserClient {
    pub(crate) http: Arc<Http>,
}

impl UserClient {
    /// A client of the server at `base_url`, not logged in.
    ///
    /// Fails when the URL is no absolute http(s) URL, or when it is plain http to another machine.
    pub fn new(base_url: impl Into<String>) -> Result<Self, Error> {
        Self::builder(base_url).build()
    }

    /// A client with the token of an earlier [`login`](Self::login). Fails as [`new`](Self::new)
    /// does.
    pub fn with_token(base_url: impl Into<String>, token: impl Into<Secret>) -> Result<Self, Error> {
        Self::builder(base_url).token(token).build()
    }

    /// A client with settings other than the defaults.
    pub fn builder(base_url: impl Into<String>) -> UserClientBuilder {
        UserClientBuilder::new(base_url, None)
    }

    /// Creates a wallet. `label`: 1 to 64 characters.
    ///
    /// Fails with `invalid_credentials`.
    pub async fn create_wallet(&self, password: &Secret, label: Option<&str>) -> Result<Wallet, Error> {
        let body = Proof { password: Some(password.expose()), label, ..Proof::default() };
        let key = Uuid::now_v7().to_string();
        self.http.send(Call::post("api/create_wallet", &body)?.idempotency_key(&key)?).await
    }

    /// A wallet's key as a Web3 Secret Storage file (version 3), encrypted with a passphrase of at
    /// least 12 bytes. With both, anybody can sign without this server.
    ///
    /// Fails with `weak_password` for the passphrase, `not_found`, `invalid_credentials`,
    /// `mfa_invalid`, `mfa_replayed`.
    pub async fn export_wallet(
        &self,
        address: Address,
        password: &Secret,
        mfa_code: &Secret,
        keystore_passphrase: &Secret,
    ) -> Result<Value, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            password: &'a str,
            mfa_code: &'a str,
            #[serde(with = "address")]
            address: Address,
            keystore_passphrase: &'a str,
        }
        let (password, mfa_code) = (password.expose(), mfa_code.expose());
        let body = Body { password, mfa_code, address, keystore_passphrase: keystore_passphrase.expose() };
        let exported: Exported = self.http.send(once("api/export_wallet", &body)?).await?;
        Ok(exported.keystore)
    }

    /// Makes a wallet of a key that was made elsewhere.
    ///
    /// Fails with `invalid_request` when the file does not open, `wallet_exists` when the server
    /// holds the key already, `invalid_credentials`, `mfa_invalid`, `mfa_replayed`.
    pub async fn import_wallet(
        &self,
        import: &ImportWallet,
        password: &Secret,
        mfa_code: &Secret,
    ) -> Result<Wallet, Error> {
        self.http.send(import.call(password, mfa_code)?).await
    }

    /// The user's wallets.
    pub async fn wallets(&self, paging: Paging) -> Result<Page<Wallet>, Error> {
        self.http.wallets(paging).await
    }

    /// A wallet with its balances.
    ///
    /// Fails with `invalid_credentials`, `mfa_invalid` or `not_found`.
    pub async fn load_wallet(
        &self,
        password: &Secret,
        mfa_code: &Secret,
        address: Address,
    ) -> Result<LoadedWallet, Error> {
        let body = Proof {
            password: Some(password.expose()),
            mfa_code: Some(mfa_code.expose()),
            address: Some(address),
            ..Proof::default()
        };
        self.http.send(once("api/load_wallet", &body)?).await
    }

    /// Creates an agent. The answer holds the only copy of its API key.
    ///
    /// Fails with `mfa_required` or `mfa_invalid`.
    pub async fn create_agent(&self, request: CreateAgent) -> Result<CreatedAgent, Error> {
        let call = Call::post("api/create_agent", &request)?;
        self.http.send(call.idempotency_key(&request.idempotency_key)?).await
    }

    /// The user's agents.
    pub async fn agents(&self, paging: Paging) -> Result<Page<Agent>, Error> {
        self.http.send(Call::get("api/agents").query(paging.query())).await
    }

    /// Revokes an agent: its API key is refused from now on, and what it had asked for and not
    /// executed is withdrawn. Repeating it gives the same agent.
    pub async fn revoke_agent(&self, agent_id: Uuid) -> Result<Agent, Error> {
        self.revoke(agent_id, false).await
    }

    /// The same, and uses up the nonces of what was approved already: see
    /// [`cancel_and_burn`](Self::cancel_and_burn). It costs a fee for each.
    pub async fn revoke_agent_and_burn(&self, agent_id: Uuid) -> Result<Agent, Error> {
        self.revoke(agent_id, true).await
    }

    async fn revoke(&self, agent_id: Uuid, burn: bool) -> Result<Agent, Error> {
        #[derive(Serialize)]
        struct Body {
            agent_id: Uuid,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            burn: bool,
        }
        self.http.send(Call::post("api/revoke_agent", &Body { agent_id, burn })?).await
    }

    /// The open nonces of an account, and what each waits for. The chain, by EIP-155 id, may be
    /// left out when the server has one.
    ///
    /// Fails with `unknown_chain`, and `not_found` when the wallet is not this user's.
    pub async fn nonces(&self, address: Address, chain_id: Option<u64>) -> Result<Nonces, Error> {
        self.http.nonces(address, chain_id).await
    }

    /// Shows what would be signed to use up a nonce: without one, the lowest that holds others up.
    /// Nothing is signed or sent.
    ///
    /// Fails with `unknown_chain`, `not_found` when the wallet is not this user's, `invalid_state`
    /// when a payment is still wanted of that nonce, `invalid_request` when there is nothing to
    /// clear, `chain_unavailable`; with [`Error::ClearingMismatch`] and [`Error::AnotherAnswer`]
    /// when the answer is not to be trusted.
    pub async fn preview_clear_nonce(
        &self,
        address: Address,
        chain_id: Option<u64>,
        nonce: Option<u64>,
    ) -> Result<NonceClearing, Error> {
        // The digest names the user, and so that no answer decides for whom, the session does.
        let user_id = self.me().await?.user_id;
        let request = PreviewBody { address, chain_id, nonce };
        request.checked(self.http.send(request.call()?).await?, user_id)
    }

    /// Uses up a nonce as it was shown: signs nothing else, and sends it at once. The answer is the
    /// transaction that has the nonce.
    ///
    /// Fails with [`Error::ClearingMismatch`] before anything is sent when the digest is not the
    /// digest of the fields; with `preview_changed` when it costs more by now, `digest_mismatch`
    /// when it was not shown within the last 15 minutes, `invalid_state` or `invalid_request`
    /// when there is nothing to clear any more, `mfa_invalid`, `mfa_replayed`.
    pub async fn clear_nonce(&self, shown: &NonceClearing, mfa_code: &Secret) -> Result<Transaction, Error> {
        self.http.send_for_transaction(shown.call(mfa_code)?).await
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

    /// The user's transactions, newest first.
    pub async fn transactions(&self, filter: TransactionFilter) -> Result<Page<Transaction>, Error> {
        self.http.transactions(filter).await
    }

    /// The transaction as it is now. Fails with `not_found` when it is not this user's.
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

    /// Waits until the chain has decided for good: until [`Status::is_final`].
    ///
    /// Survives restarts of the server and lost connections. Fails with [`Error::StillWaiting`]
    /// when the [wait limit](UserClientBuilder::wait_limit) passes first.
    pub async fn wait_until_confirmed(&self, transaction_id: Uuid) -> Result<Transaction, Error> {
        self.http.wait_until(transaction_id, Status::is_final).await
    }

    /// Approves a transaction. One already approved is answered as it is.
    ///
    /// One with [`Execute::OnApproval`](crate::Execute::OnApproval) is sent by this: its answer is
    /// [`Status::Submitted`].
    ///
    /// Fails with `preview_changed` when it has become dearer than shown ([`Error::transaction`] is
    /// the new one) or when it was repriced and the approval names no digest, `digest_mismatch`, `acknowledgement_required`, `mfa_invalid`, `mfa_replayed`,
    /// `expired`, or `invalid_state`.
    pub async fn authorize(&self, approval: Authorize) -> Result<Transaction, Error> {
        self.http.send_for_transaction(once("api/authorize_transaction", &approval)?).await
    }

    /// Approves several transactions with one code: all of them, or none.
    ///
    /// Fails as [`authorize`](Self::authorize) does; [`Problem::transaction_id`] says for which of
    /// them.
    ///
    /// [`Problem::transaction_id`]: crate::Problem::transaction_id
    pub async fn authorize_all(&self, batch: AuthorizeBatch) -> Result<Vec<Transaction>, Error> {
        let Authorized { transactions } = self.http.send(once("api/authorize_transactions", &batch)?).await?;
        transactions.into_iter().map(Transaction::checked).collect()
    }

    /// Shows what a send would be: nothing is stored, signed or sent. The transaction has version
    /// 0 and an id that no other call knows.
    ///
    /// Fails with `unknown_chain`, `not_found` when the wallet is not this user's, and
    /// `invalid_request` when the arguments do not fit the ABI.
    pub async fn preview(&self, send: &Send) -> Result<Transaction, Error> {
        self.http.send_for_transaction(send.preview()?).await
    }

    /// Sends a transaction of the user's own. The answer is [`Status::Submitted`]: it is signed and
    /// on its way. Make the request of what was shown: [`Send::of_preview`].
    ///
    /// Sent twice, the same [`Send`] is one transaction. Fails with `preview_changed` when it costs
    /// more or does worse than its digest says ([`Error::transaction`] is the new preview),
    /// `invalid_credentials`, `mfa_invalid`, `mfa_replayed`, `simulation_failed`, `insufficient_funds`, and with
    /// `acknowledgement_required` when it has warnings that were not acknowledged
    /// ([`Error::transaction`] has them).
    pub async fn send(&self, send: &Send, password: &Secret, mfa_code: &Secret) -> Result<Transaction, Error> {
        self.http.send_for_transaction(send.call(password, mfa_code)?).await
    }

    /// Rejects a transaction. `reason`: at most 280 characters, shown to the agent. Repeating it
    /// gives the same transaction.
    ///
    /// Fails with `expired`, or `invalid_state` once it was approved.
    pub async fn reject(&self, transaction_id: Uuid, reason: Option<&str>) -> Result<Transaction, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            transaction_id: Uuid,
            #[serde(skip_serializing_if = "Option::is_none")]
            reason: Option<&'a str>,
        }
        let body = Body { transaction_id, reason };
        self.http.send_for_transaction(Call::post("api/reject_transaction", &body)?).await
    }

    /// Withdraws a transaction, also one already sent: then [`Transaction::cancelling`] is set, and
    /// the chain decides which of the two it takes.
    ///
    /// One that was approved and not sent leaves copies of its signed payment valid until its nonce
    /// is used ([`Transaction::valid_until_nonce_used`]); [`cancel_and_burn`](Self::cancel_and_burn)
    /// uses it. Fails with `invalid_state` once it has ended.
    pub async fn cancel(&self, transaction_id: Uuid) -> Result<Transaction, Error> {
        self.http.cancel(transaction_id, false).await
    }

    /// The same, and of an approved one the cancel is sent at once: it uses up the nonce and costs
    /// its fee, and no copy of the payment is valid after that. Works also on one that was
    /// withdrawn before.
    pub async fn cancel_and_burn(&self, transaction_id: Uuid) -> Result<Transaction, Error> {
        self.http.cancel(transaction_id, true).await
    }

    pub(crate) fn keep(&self, token: Option<Secret>) {
        let mut credential = self.http.credential.write().unwrap_or_else(PoisonError::into_inner);
        *credential = token.map(Credential::Token);
    }
}

impl UserClientBuilder {
    /// Use the token of an earlier [`login`](UserClient::login).
    #[must_use]
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.credential = Some(token.into());
        self
    }

    /// The client. Fails as [`UserClient::new`] does, and when a root certificate is malformed.
    pub fn build(self) -> Result<UserClient, Error> {
        let credential = self.credential.clone().map(Credential::Token);
        Ok(UserClient { http: Arc::new(self.connect(credential)?) })
    }
}
