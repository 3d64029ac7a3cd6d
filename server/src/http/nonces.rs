//! The open nonces of an account, and clearing one that everything behind it waits for.

use poem_openapi::{Object, OpenApi, param::Query, payload::Json};
use serde::Deserialize;

use super::{
    Tag,
    auth::{CallerAuth, UserAuth},
    body::{Body, present},
    problem::Problem,
    transactions::{Transaction, Waiting},
};
use crate::{
    domain::{
        digest::Clearing,
        nonces,
        transactions::{self, Clearance, ClearancePreview},
    },
    state::{State, Trouble},
    value::{Address, ChainId, Digest, Gas, Nonce, Status, Time, TotpCode, TransactionId, Wei},
};

/// Operations on nonces.
pub struct NoncesApi(pub State);

/// The open nonces of an account on one chain. The chain takes them strictly in this order.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Nonces {
    /// The account.
    address: Address,
    /// The chain.
    chain_id: ChainId,
    /// The lowest nonce that the chain has not used; absent when its node does not answer.
    latest: Option<Nonce>,
    /// Those that are not final, lowest first, and those that nothing uses although something above them waits.
    nonces: Vec<OpenNonce>,
    /// Why the server cannot follow this account now.
    trouble: Option<NonceTrouble>,
}

/// One open nonce.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct OpenNonce {
    /// The number.
    nonce: Nonce,
    /// `held`: signed for and nothing sent; `void`: its transaction ended unsent; `sent`: something was sent; `hole`:
    /// nothing of this wallet uses it. New words may be added.
    state: String,
    /// The transaction that was signed for it.
    transaction_id: Option<TransactionId>,
    /// Where that stands.
    status: Option<Status>,
    /// What it waits for.
    waiting: Option<Waiting>,
}

/// Why an account cannot be followed.
#[derive(Debug, Object)]
struct NonceTrouble {
    /// In words.
    detail: String,
    /// Since when.
    since: Time,
}

impl From<nonces::OpenNonces> for Nonces {
    fn from(open: nonces::OpenNonces) -> Self {
        let nonces::OpenNonces { address, chain_id, latest, nonces, trouble } = open;
        let trouble = trouble.map(|Trouble { detail, since }| NonceTrouble { detail, since });
        Self { address, chain_id, latest, nonces: nonces.into_iter().map(OpenNonce::from).collect(), trouble }
    }
}

impl From<nonces::OpenNonce> for OpenNonce {
    fn from(open: nonces::OpenNonce) -> Self {
        let nonces::OpenNonce { nonce, state, transaction } = open;
        let state = state.map_or("hole", |state| state.as_str()).to_owned();
        let waiting = transaction.as_ref().and_then(|row| {
            let (reason, since) = row.waiting_reason.zip(row.waiting_since)?;
            Some(Waiting::new(reason, since, row.waiting_detail.clone(), row.blocked_by))
        });
        let (transaction_id, status) =
            transaction.map_or((None, None), |row| (Some(row.transaction_id), Some(row.status)));
        Self { nonce, state, transaction_id, status, waiting }
    }
}

/// A nonce to look at before it is cleared.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
struct PreviewClearNonce {
    /// The account.
    address: Address,
    /// The chain. May be left out when there is only one.
    #[serde(default, deserialize_with = "present")]
    chain_id: Option<ChainId>,
    /// The nonce; when absent the lowest that nothing goes on at by itself.
    #[serde(default, deserialize_with = "present")]
    nonce: Option<u64>,
}

/// What clearing a nonce would sign: nothing, to oneself, at this price. Where nothing can be sent for the nonce any more,
/// nothing is signed: then gas and fees are 0, and what waits for the nonce ends on its owner's word.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct NonceClearing {
    /// The account.
    address: Address,
    /// The chain.
    chain_id: ChainId,
    /// The nonce.
    nonce: Nonce,
    /// The most gas it may use.
    gas_limit: Gas,
    /// The most it may pay for one unit of gas, in wei.
    max_fee_per_gas: Wei,
    /// The most of that for the block's producer, in wei.
    max_priority_fee_per_gas: Wei,
    /// The most its gas can cost, in wei.
    worst_case_fee: Wei,
    /// What the user approves: computed from these fields and their user_id.
    digest: Digest,
    /// Until when it can be approved.
    expires_at: Time,
    /// The transaction that has the nonce; absent when nothing of this wallet does.
    transaction_id: Option<TransactionId>,
}

impl From<ClearancePreview> for NonceClearing {
    fn from(shown: ClearancePreview) -> Self {
        let ClearancePreview { clearing, digest, transaction_id } = shown;
        let Clearing { user_id: _, address, chain_id, nonce, gas_limit, fees, expires_at } = clearing;
        Self {
            address,
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas: fees.max_fee_per_gas.into(),
            max_priority_fee_per_gas: fees.max_priority_fee_per_gas.into(),
            worst_case_fee: gas_limit.cost(fees.max_fee_per_gas),
            digest,
            expires_at,
            transaction_id,
        }
    }
}

/// A nonce to clear.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
struct ClearNonce {
    /// The account.
    address: Address,
    /// The chain. May be left out when there is only one.
    #[serde(default, deserialize_with = "present")]
    chain_id: Option<ChainId>,
    /// The nonce.
    nonce: u64,
    /// The code of the user's authenticator app. One code is good for one decision.
    #[oai(write_only)]
    mfa_code: TotpCode,
    /// The digest of what the user was shown.
    digest: Digest,
}

#[OpenApi(prefix_path = "/api", tag = "Tag::Transactions")]
impl NoncesApi {
    /// Look at an account's open nonces
    ///
    /// Every nonce that is signed for and not final, and what each waits for: why nothing goes on, and what frees it.
    #[oai(path = "/nonces", method = "get", operation_id = "nonces")]
    async fn nonces(
        &self,
        CallerAuth(caller): CallerAuth,
        /// The account.
        Query(address): Query<Address>,
        /// The chain. May be left out when there is only one.
        Query(chain_id): Query<Option<ChainId>>,
    ) -> Result<Json<Nonces>, Problem> {
        Ok(Json(nonces::open_nonces(&self.0, &caller, address, chain_id).await?.into()))
    }

    /// Look at what clearing a nonce would sign
    ///
    /// Nothing is signed. The answer can be approved with `clear_nonce` for 15 minutes.
    #[oai(path = "/preview_clear_nonce", method = "post", operation_id = "preview_clear_nonce")]
    async fn preview_clear_nonce(
        &self,
        UserAuth(user): UserAuth,
        Body(request): Body<PreviewClearNonce>,
    ) -> Result<Json<NonceClearing>, Problem> {
        let PreviewClearNonce { address, chain_id, nonce } = request;
        let clearance = Clearance { address, chain_id, nonce: nonce.map(Nonce) };
        Ok(Json(transactions::preview_clearing(&self.0, &user, clearance).await?.into()))
    }

    /// Clear a nonce
    ///
    /// Uses up a nonce that everything behind it waits for, and of which no payment is wanted any more: signs nothing to
    /// oneself at the price that was shown, and sends it at once. Where the chain has used the nonce already, the
    /// transaction that waits for it ends on its owner's word.
    #[oai(path = "/clear_nonce", method = "post", operation_id = "clear_nonce")]
    async fn clear_nonce(
        &self,
        UserAuth(user): UserAuth,
        Body(request): Body<ClearNonce>,
    ) -> Result<Json<Transaction>, Problem> {
        let ClearNonce { address, chain_id, nonce, mfa_code, digest } = request;
        let clearance = Clearance { address, chain_id, nonce: Some(Nonce(nonce)) };
        Ok(Json(transactions::clear_nonce(&self.0, &user, clearance, digest, mfa_code).await?.into()))
    }
}
