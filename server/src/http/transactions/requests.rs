//! What callers send about transactions.

use std::time::Duration;

use poem_openapi::Object;
use serde::Deserialize;

use crate::{
    domain::transactions::{Approval, Preparation},
    http::{actions::Action, body::present, bounded::Bounded},
    value::{Address, ChainId, Digest, Execute, IdempotencyKey, Text, TotpCode, TransactionId, UserId},
};

/// The version of a transaction, from 1; 0 is before every version.
pub(super) type Version = Bounded<0, { 1 << 53 }>;

/// Seconds of a long poll. Proxies commonly give up after 60.
pub(super) type Wait = Bounded<0, 50>;

/// Seconds a user has to decide: 5 minutes to 7 days.
type ExpiresIn = Bounded<300, 604_800>;

/// A day, when the agent does not say.
const DECISION_TIME: Duration = Duration::from_secs(86_400);

/// What an agent asks for.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub(super) struct PrepareTransaction {
    /// The user the agent believes it works for, as a check.
    #[serde(default, deserialize_with = "present")]
    user_id: Option<UserId>,
    /// The account that pays. May be left out when there is only one the agent may use.
    #[serde(default, deserialize_with = "present")]
    address: Option<Address>,
    /// The chain. May be left out when there is only one the agent may use.
    #[serde(default, deserialize_with = "present")]
    chain_id: Option<ChainId>,
    /// What to do.
    action: Action,
    /// What to tell the user about it.
    #[serde(default, deserialize_with = "present")]
    memo: Option<Text>,
    /// How long the user has to decide, in seconds; 86400, a day, when absent.
    #[serde(default, deserialize_with = "present")]
    expires_in: Option<ExpiresIn>,
    /// Who sets it going once it is approved: `agent`, its agent, by `execute_transaction`; `on_approval`, the approval
    /// itself. Part of what is approved. `agent` when absent.
    #[serde(default, deserialize_with = "present")]
    execute: Option<Execute>,
}

impl PrepareTransaction {
    /// The domain's form.
    pub(super) fn into_preparation(self, idempotency_key: Option<IdempotencyKey>) -> Preparation {
        let Self { user_id, address, chain_id, action: Action(action), memo, expires_in, execute } = self;
        let execute = execute.unwrap_or(Execute::Agent);
        let expires_in = expires_in.map_or(DECISION_TIME, |seconds| Duration::from_secs(seconds.get()));
        Preparation { user_id, address, chain_id, action, memo, expires_in, execute, idempotency_key }
    }
}

/// A user's approval.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthorizeTransaction {
    /// Which.
    transaction_id: TransactionId,
    /// The code of the user's authenticator app. One code is good for one decision.
    #[oai(write_only)]
    mfa_code: TotpCode,
    /// The digest of what the user was shown; refused when it is of anything else. Always send it.
    #[serde(default, deserialize_with = "present")]
    digest: Option<Digest>,
    /// Problems and warnings the user was told of and accepts: the code of each, or `code:subject`.
    #[oai(validator(max_items = 128))]
    #[serde(default, deserialize_with = "present")]
    acknowledge: Option<Vec<String>>,
}

impl AuthorizeTransaction {
    /// The domain's form.
    pub(super) fn into_approval(self) -> (Approval, TotpCode) {
        let Self { transaction_id, mfa_code, digest, acknowledge } = self;
        (Approval { transaction_id, digest, acknowledge: acknowledge.unwrap_or_default() }, mfa_code)
    }
}

/// A user's approval of several transactions: of all or none.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthorizeTransactions {
    /// Which, 1 to 20, each once.
    #[oai(validator(min_items = 1, max_items = 20))]
    transactions: Vec<AuthorizedTransaction>,
    /// The code of the user's authenticator app. One code is good for the one batch.
    #[oai(write_only)]
    mfa_code: TotpCode,
}

/// One transaction of a batch.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
struct AuthorizedTransaction {
    /// Which.
    transaction_id: TransactionId,
    /// The digest of what the user was shown; refused when it is of anything else.
    digest: Digest,
    /// Problems and warnings the user was told of and accepts: the code of each, or `code:subject`.
    #[oai(validator(max_items = 128))]
    #[serde(default, deserialize_with = "present")]
    acknowledge: Option<Vec<String>>,
}

impl AuthorizeTransactions {
    /// The domain's form.
    pub(super) fn into_approvals(self) -> (Vec<Approval>, TotpCode) {
        let approval = |transaction| {
            let AuthorizedTransaction { transaction_id, digest, acknowledge } = transaction;
            Approval { transaction_id, digest: Some(digest), acknowledge: acknowledge.unwrap_or_default() }
        };
        (self.transactions.into_iter().map(approval).collect(), self.mfa_code)
    }
}

/// A user's refusal.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub(super) struct RejectTransaction {
    /// Which.
    pub(super) transaction_id: TransactionId,
    /// What to tell the agent.
    #[serde(default, deserialize_with = "present")]
    pub(super) reason: Option<Text>,
}

/// Which transaction to cancel.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelTransaction {
    /// Its id.
    pub(super) transaction_id: TransactionId,
    /// Whether to send the cancel of one that was approved and not executed at once, so that no copy of its signed payment
    /// can be used any more. That costs its fee.
    #[serde(default, deserialize_with = "present")]
    pub(super) burn: Option<bool>,
}

/// Which transaction to execute.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub(super) struct ExecuteTransaction {
    /// Its id.
    pub(super) transaction_id: TransactionId,
}
