//! Trying a transaction on the latest state, without sending it.
//!
//! Three ways, each seeing less than the one before: `eth_simulateV1` (execution-apis), which runs it in a block as real
//! ones are, and tells what it emits and what the wallet holds before and after; `debug_traceCall`, which tells what it
//! emits; and `eth_call`, which tells only whether it succeeds.

use std::collections::BTreeMap;

use alloy::{
    primitives::{B256, U256},
    rpc::json_rpc::ErrorPayload,
    transports::TransportError,
};
use serde::{Deserialize, Serialize};

use super::{
    Call, Chain, ChainError, EstimateError,
    answer::Bytes,
    estimate::{Request, failure, params},
    refusal::{Blame, blame},
    rpc::{Fault, Rpc},
};
use crate::value::{Address, Fees, Gas, SimulationMethod};

mod blocks;
mod frames;

/// A transaction to try.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What it does.
    pub call: Call,
    /// How it is sent; none: not known yet, so that it is tried without a price.
    pub terms: Option<Terms>,
    /// Tokens of which the sender's balance is read before and after.
    pub tokens: Vec<Address>,
}

/// How a transaction is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Its gas limit.
    pub gas_limit: Gas,
    /// Its fee caps.
    pub fees: Fees,
    /// Whether it carries a gas price instead.
    pub legacy: bool,
}

impl From<Call> for Trial {
    fn from(call: Call) -> Self {
        Self { call, terms: None, tokens: Vec::new() }
    }
}

/// How a trial went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulated {
    /// How it was tried.
    pub method: SimulationMethod,
    /// Whether it would succeed.
    pub succeeded: bool,
    /// What the contract gave as the reason when it would not, ABI-encoded.
    pub revert_data: Option<Vec<u8>>,
    /// What the node says then: at most 280 characters on one line, perhaps nothing.
    pub message: String,
    /// Whether the node did not try, because the sender holds too little.
    pub poor: bool,
    /// What it does; none: that was not seen, or it would fail.
    pub effects: Option<Effects>,
    /// What it does an hour later, in a block of somebody else; none: not tried, or it would fail then.
    pub later: Option<Effects>,
    /// On the state after which block; none: the node does not say.
    pub block_number: Option<u64>,
}

/// What a transaction does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// What it emits. Transfers of native currency are logs of the address `0xEeee…EEeE`, as `eth_simulateV1` has it.
    pub logs: Vec<Log>,
    /// What the sender holds of native currency before and after, the fee left out; none: not read.
    pub native: Option<Balance>,
    /// The same of each token that says so.
    pub tokens: BTreeMap<Address, Balance>,
    /// How many decimals each token says that it has, in this very trial.
    pub decimals: BTreeMap<Address, u8>,
}

/// What somebody holds before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Before.
    pub before: U256,
    /// After.
    pub after: U256,
}

/// An event of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Log {
    /// The contract.
    #[serde(deserialize_with = "address")]
    pub address: Address,
    /// Its kind, and what of it can be searched: at most 4.
    pub topics: Vec<B256>,
    /// The rest.
    #[serde(deserialize_with = "bytes")]
    pub data: Vec<u8>,
}

fn address<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
    alloy::primitives::Address::deserialize(deserializer).map(Address)
}

fn bytes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    Bytes::deserialize(deserializer).map(|bytes| bytes.0)
}

/// A call with its terms, as nodes take it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent<'a> {
    #[serde(flatten)]
    call: Request<'a>,
    #[serde(flatten)]
    price: Option<Price>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Price {
    gas: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    gas_price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_fee_per_gas: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_priority_fee_per_gas: Option<String>,
}

impl From<Terms> for Price {
    fn from(terms: Terms) -> Self {
        let Terms { gas_limit, fees, legacy } = terms;
        let quantity = |number: u128| format!("0x{number:x}");
        Self {
            gas: quantity(gas_limit.0.into()),
            gas_price: legacy.then(|| quantity(fees.max_fee_per_gas)),
            max_fee_per_gas: (!legacy).then(|| quantity(fees.max_fee_per_gas)),
            max_priority_fee_per_gas: (!legacy).then(|| quantity(fees.max_priority_fee_per_gas)),
        }
    }
}

impl<'a> Sent<'a> {
    fn new(call: &'a Call, terms: Option<Terms>) -> Self {
        Self { call: call.into(), price: terms.map(Price::from) }
    }
}

impl Chain {
    /// Tries a transaction on the latest state: with what it does where an endpoint that is believed can show that, else only
    /// whether it succeeds. Fails when no endpoint can be asked.
    pub async fn simulate(&self, trial: &Trial) -> Result<Simulated, ChainError> {
        let rpc = self.rpc().await?;
        let usable = self.0.pool.usable();
        for endpoint in usable.iter().filter(|endpoint| endpoint.rpc.habits().simulates != Some(false)) {
            if let Some(simulated) = see(&endpoint.rpc, trial).await {
                return Ok(simulated);
            }
        }
        for endpoint in usable.iter().filter(|endpoint| endpoint.rpc.habits().traces != Some(false)) {
            if let Some(simulated) = frames::trace(&endpoint.rpc, trial).await {
                return Ok(simulated);
            }
        }
        by_call(rpc, &trial.call).await
    }
}

/// What one endpoint sees by `eth_simulateV1`; none when it cannot see, this time or at all.
async fn see(rpc: &Rpc, trial: &Trial) -> Option<Simulated> {
    let header = blocks::header(rpc).await?;
    let error = match blocks::simulate(rpc, trial, &header).await {
        Ok(simulated) => {
            rpc.learning().simulates(true);
            return Some(simulated);
        }
        Err(error) => error,
    };
    match judge(&error, "simulate") {
        Cannot::Ever => rpc.learning().simulates(false),
        Cannot::Now => {}
        // Nodes have many words for what they do not offer. Whatever else they say of the call, they say it to a plain one
        // too. What they do not deploy they may call.
        Cannot::Tell => return refused(rpc, error, SimulationMethod::EthSimulateV1).ok(),
    }
    None
}

/// What it means that an endpoint did not show what a transaction does.
enum Cannot {
    /// It does not have the method.
    Ever,
    /// It did not manage this time, or with this transaction.
    Now,
    /// The transaction would fail, and this says why.
    Tell,
}

fn judge(error: &TransportError, method: &str) -> Cannot {
    // More than fits into an answer says nothing of what it can do, and neither do silence and trouble on the way.
    let Some(refusal) = error.as_error_resp() else {
        return if Fault::of(error).is_some() { Cannot::Now } else { Cannot::Ever };
    };
    if is_unknown_method(refusal, method) {
        return Cannot::Ever;
    }
    match blame(refusal) {
        Blame::Question => Cannot::Tell,
        Blame::Node | Blame::Unclear => Cannot::Now,
    }
}

async fn by_call(rpc: &Rpc, call: &Call) -> Result<Simulated, ChainError> {
    let method = SimulationMethod::EthCall;
    let answer = match params(&(Request::from(call), "latest")) {
        Ok(params) => rpc.ask::<_, Bytes>("eth_call", params).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(_) => Ok(Simulated {
            method,
            succeeded: true,
            revert_data: None,
            message: String::new(),
            poor: false,
            effects: None,
            later: None,
            block_number: None,
        }),
        Err(error) => refused(rpc, error, method),
    }
}

/// A trial that the node broke off.
fn refused(rpc: &Rpc, error: TransportError, method: SimulationMethod) -> Result<Simulated, ChainError> {
    let (revert_data, message, poor) = match failure(rpc, error) {
        EstimateError::Reverted { data, message } => (data, message, false),
        EstimateError::InsufficientFunds => (None, String::new(), true),
        EstimateError::Unavailable(unavailable) => return Err(unavailable),
    };
    let (effects, later, block_number) = (None, None, None);
    Ok(Simulated { method, succeeded: false, revert_data, message, poor, effects, later, block_number })
}

/// Whether a node does not have the method. -32601: method not found (JSON-RPC 2.0 §5.1).
fn is_unknown_method(refusal: &ErrorPayload, method: &str) -> bool {
    const UNKNOWN: [&str; 6] =
        ["not supported", "unsupported", "not found", "does not exist", "not available", "unknown method"];
    let message = refusal.message.to_lowercase();
    refusal.code == -32601
        || (message.contains("method") || message.contains(method))
            && UNKNOWN.iter().any(|words| message.contains(words))
}
