//! Where a transaction was mined, and what a human should know before it is.

use serde::{Deserialize, Serialize};

use super::{BlockHash, Gas, Severity, TransactionHash, Wei};

/// Where and how a transaction was mined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The block's height.
    pub number: u64,
    /// The block's hash.
    pub hash: BlockHash,
    /// Which of the signed forms it was.
    pub transaction_hash: TransactionHash,
    /// Whether it did what it was to do; false when it was reverted.
    pub succeeded: bool,
    /// Gas it used.
    pub gas_used: Gas,
    /// What one unit of gas cost.
    pub effective_gas_price: Wei,
}

/// What a human should know before approving.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// A stable name.
    pub code: String,
    /// What it is about, of several things that one code can be about: addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How much it matters.
    pub severity: Severity,
    /// In words.
    pub detail: String,
}

impl Warning {
    /// What acknowledges it and nothing else: its code, and its subject where it has one.
    pub fn name(&self) -> String {
        match &self.subject {
            Some(subject) => format!("{}:{subject}", self.code),
            None => self.code.clone(),
        }
    }
}
