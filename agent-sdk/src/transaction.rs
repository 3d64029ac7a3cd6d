//! A transaction, as the server shows it.

use alloy::primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Action, Evidence, Execute, Preview, Status, Waiting, address, amount, open_text::open_text};

/// A transaction: what was asked, the exact bytes to be signed, and how far it has come.
///
/// `to`, `value` and `data` are the bytes the wallet signs; `action` is what the agent asked for.
/// Every transaction the SDK returns has a [`digest`](Self::digest) that was recomputed and found
/// right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Transaction {
    /// UUIDv7, in order of preparation.
    pub transaction_id: Uuid,
    /// From 1, raised by every change. Hand it to `wait_for_change` to be told of the next one.
    pub version: u64,
    /// How far it has come.
    pub status: Status,
    /// What it waits for, when it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// Whether its cancel is on the way: in its own place, which it may still be mined before, or,
    /// once it has ended unsent, to use the nonce that it left.
    pub cancelling: bool,
    /// Who sets it going once it is approved: the agent, or the approval itself. Part of what is
    /// approved.
    pub execute: Execute,
    /// The human who decides.
    pub user_id: Uuid,
    /// The agent that prepared it; none for a user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Uuid>,
    /// The wallet that signs.
    pub wallet_id: Uuid,
    /// That wallet's address: the sender.
    #[serde(with = "address")]
    pub address: Address,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// What was asked for.
    pub action: Action,
    /// The agent's own words, at most 280 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memo: Option<String>,
    /// Who is called; none deploys a contract.
    #[serde(with = "address::optional", default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Address>,
    /// Native coin sent along, in wei.
    #[serde(with = "amount")]
    pub value: U256,
    /// Call data or creation code.
    pub data: Bytes,
    /// Most gas it may use.
    pub gas_limit: u64,
    /// Most wei per gas it may cost (EIP-1559; the gas price on chains without).
    #[serde(with = "amount")]
    pub max_fee_per_gas: U256,
    /// Most wei per gas that may go to the block's builder (EIP-1559).
    #[serde(with = "amount")]
    pub max_priority_fee_per_gas: U256,
    /// `gas_limit` × `max_fee_per_gas`, in wei.
    #[serde(with = "amount")]
    pub worst_case_fee: U256,
    /// SHA-256 over every field that changes the meaning: see
    /// [`computed_digest`](Self::computed_digest).
    pub digest: B256,
    /// What it does, for the human; none when it was prepared by a server that made none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
    /// What the human should look at twice.
    pub warnings: Vec<Warning>,
    /// The sender's nonce, once approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<u64>,
    /// The mined hash, else the last one sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_hash: Option<B256>,
    /// Every hash sent so far: one for each fee it was offered at.
    pub transaction_hashes: Vec<B256>,
    /// The block it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<Block>,
    /// Why it ended as it did: the human's words, or the chain's. A reverted one carries the
    /// contract's own reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What its end rests on, where the chain decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// Whether it has ended and could be mined all the same: its payment was signed, and whoever
    /// holds a copy can send it until its nonce is used. `UserClient::cancel_and_burn` uses the
    /// nonce at once.
    #[serde(default)]
    pub valid_until_nonce_used: bool,
    /// When it was prepared.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Until when a human can decide.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// When a human decided.
    #[serde(with = "time::serde::rfc3339::option", default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<OffsetDateTime>,
    /// Until when the agent can execute it, once approved.
    #[serde(with = "time::serde::rfc3339::option", default, skip_serializing_if = "Option::is_none")]
    pub execute_by: Option<OffsetDateTime>,
}

/// The block a transaction is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Block {
    /// Height.
    pub number: u64,
    /// Block hash.
    pub hash: B256,
    /// Gas the transaction used.
    pub gas_used: u64,
    /// What was paid, in wei per gas.
    #[serde(with = "amount")]
    pub effective_gas_price: U256,
}

/// Something the human should look at twice before approving.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Warning {
    /// Machine-readable name, for instance `first_time_recipient`. New ones may appear.
    pub code: String,
    /// What it is about, where one code can be about several things: addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How much it matters.
    pub severity: Severity,
    /// A sentence for people.
    pub detail: String,
}

impl Warning {
    /// What acknowledges this warning and no other one: its code, and its subject where it has one.
    #[must_use]
    pub fn acknowledgement(&self) -> String {
        match &self.subject {
            Some(subject) => format!("{}:{subject}", self.code),
            None => self.code.clone(),
        }
    }
}

open_text! {
    /// How much a warning matters.
    pub enum Severity {
        /// Worth knowing.
        Low = "low",
        /// Worth checking.
        Medium = "medium",
        /// Dangerous unless intended.
        High = "high",
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;

    use super::*;

    /// A pending transfer as the contract writes it; its digest was computed by another program.
    pub(crate) const WIRE: &str = include_str!("../tests/transaction.json");

    /// That transfer.
    pub(crate) fn transfer() -> Transaction {
        serde_json::from_str(WIRE).expect("written as the contract says")
    }

    #[test]
    fn a_transaction_is_written_as_it_was_read() {
        let wire: Value = serde_json::from_str(WIRE).expect("json");
        assert_eq!(serde_json::to_value(transfer()).expect("json"), wire);
    }

    #[test]
    fn fields_and_words_of_a_newer_server_do_not_matter() {
        let mut wire: Value = serde_json::from_str(WIRE).expect("json");
        wire["colour"] = "blue".into();
        wire["status"] = "dreaming".into();
        wire["waiting"]["reason"] = "inspiration".into();
        wire["warnings"][0]["severity"] = "extreme".into();

        let transaction: Transaction = serde_json::from_value(wire).expect("still a transaction");
        assert_eq!(transaction.status, Status::Other("dreaming".into()));
        assert_eq!(transaction.warnings[0].severity, Severity::Other("extreme".into()));
        assert!(transaction.digest_matches());
    }

    #[test]
    fn what_became_of_it_is_written_as_it_was_read() {
        let mut wire: Value = serde_json::from_str(WIRE).expect("json");
        wire["status"] = "superseded".into();
        wire["evidence"] = "owner".into();
        wire["valid_until_nonce_used"] = true.into();
        wire["execute"] = "on_approval".into();
        wire["waiting"] = serde_json::json!({
            "reason": "behind_nonce", "since": "2026-11-23T10:00:00Z", "detail": "nonce 5 goes first",
            "blocked_by": "0197a3c1-7b1e-7c3a-9f00-0123456789ac",
        });
        let transaction: Transaction = serde_json::from_value(wire.clone()).expect("a transaction");
        assert_eq!(transaction.evidence, Some(Evidence::Owner));
        assert_eq!(transaction.execute, Execute::OnApproval);
        assert_eq!(serde_json::to_value(transaction).expect("json"), wire);
    }

    #[test]
    fn who_executes_is_never_guessed() {
        for word in [Value::from("at_dawn"), Value::Null] {
            let mut wire: Value = serde_json::from_str(WIRE).expect("json");
            wire["execute"] = word;
            assert!(serde_json::from_value::<Transaction>(wire).is_err());
        }
        let mut wire: Value = serde_json::from_str(WIRE).expect("json");
        wire.as_object_mut().expect("an object").remove("execute");
        assert!(serde_json::from_value::<Transaction>(wire).is_err());
    }

    #[test]
    fn an_address_or_amount_that_breaks_the_contract_is_refused() {
        for (field, text) in [
            ("address", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"),
            ("to", "fb6916095ca1df60bb79ce92ce3ea74c37c5d359"),
            ("value", "0x38d7ea4c68000"),
            ("max_fee_per_gas", "040000000000"),
        ] {
            let mut wire: Value = serde_json::from_str(WIRE).expect("json");
            wire[field] = text.into();
            assert!(serde_json::from_value::<Transaction>(wire).is_err(), "{field}: {text}");
        }
    }
}
