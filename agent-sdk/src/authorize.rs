//! The human's approval.

use alloy::primitives::B256;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Secret, Transaction, secret};

/// An approval of one transaction.
#[derive(Clone, Debug, Serialize)]
pub struct Authorize {
    transaction_id: Uuid,
    #[serde(serialize_with = "secret::reveal")]
    mfa_code: Secret,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<B256>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    acknowledge: Vec<String>,
}

impl Authorize {
    /// Approves this transaction with the user's current six-digit code. One code is good for one
    /// decision.
    pub fn new(transaction_id: Uuid, mfa_code: impl Into<Secret>) -> Self {
        Self { transaction_id, mfa_code: mfa_code.into(), digest: None, acknowledge: Vec::new() }
    }

    /// Approve only the version with this digest: the one the human was shown.
    ///
    /// The server answers `digest_mismatch` when the transaction has changed since.
    #[must_use]
    pub fn digest(mut self, digest: B256) -> Self {
        self.digest = Some(digest);
        self
    }

    /// Say that the human has seen these warnings: by [`Warning::acknowledgement`](crate::Warning::acknowledgement), or by
    /// the code alone where no other grave warning has it.
    ///
    /// The server answers `acknowledgement_required` when one that matters is missing.
    #[must_use]
    pub fn acknowledge(mut self, codes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.acknowledge.extend(codes.into_iter().map(Into::into));
        self
    }
}

/// An approval of 1 to 20 transactions with one code: of all, or of none.
#[derive(Clone, Debug, Serialize)]
pub struct AuthorizeBatch {
    transactions: Vec<Approved>,
    #[serde(serialize_with = "secret::reveal")]
    mfa_code: Secret,
}

/// One transaction of a batch.
#[derive(Clone, Debug, Serialize)]
struct Approved {
    transaction_id: Uuid,
    digest: B256,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    acknowledge: Vec<String>,
}

impl AuthorizeBatch {
    /// An approval with the user's current six-digit code, of nothing yet.
    pub fn new(mfa_code: impl Into<Secret>) -> Self {
        Self { transactions: Vec::new(), mfa_code: mfa_code.into() }
    }

    /// Approve this transaction as well, as it is here: one that has changed since is refused.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "a batch is no number, and `+` would hide what is approved")]
    pub fn add(self, transaction: &Transaction) -> Self {
        self.add_acknowledging(transaction, [""; 0])
    }

    /// The same, and say that the human has seen its warnings with these codes.
    #[must_use]
    pub fn add_acknowledging(
        mut self,
        transaction: &Transaction,
        codes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.transactions.push(Approved {
            transaction_id: transaction.transaction_id,
            digest: transaction.digest,
            acknowledge: codes.into_iter().map(Into::into).collect(),
        });
        self
    }
}

/// The server's answer to a batch.
#[derive(Deserialize)]
pub(crate) struct Authorized {
    pub(crate) transactions: Vec<Transaction>,
}
