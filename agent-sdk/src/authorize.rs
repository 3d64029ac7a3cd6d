//! The human's approval.

use alloy::primitives::B256;
use serde::Serialize;
use uuid::Uuid;

use crate::{Secret, secret};

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

    /// Say that the human has seen the warnings with these codes.
    ///
    /// The server answers `acknowledgement_required` when one that matters is missing.
    #[must_use]
    pub fn acknowledge(mut self, codes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.acknowledge.extend(codes.into_iter().map(Into::into));
        self
    }
}
