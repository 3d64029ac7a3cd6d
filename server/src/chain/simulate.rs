//! Trying a call on the latest state, without sending it.

use alloy::{
    primitives::B256,
    rpc::json_rpc::ErrorPayload,
    transports::{TransportError, TransportResult},
};
use serde::{Deserialize, Serialize};

use super::{
    Call, Chain, ChainError, EstimateError,
    answer::{Bytes, Count},
    estimate::{Request, failure, params},
    refusal::{Blame, blame},
    revert,
    rpc::{Fault, NO_PARAMS, Rpc},
};
use crate::value::{Address, SimulationMethod};

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
    /// What it emits; with [`SimulationMethod::EthSimulateV1`] only. Transfers of native currency are logs of the
    /// address `0xEeee…EEeE`, as the method has it.
    pub logs: Vec<Log>,
    /// On the state after which block; none: the node does not say.
    pub block_number: Option<u64>,
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plan<'a> {
    block_state_calls: [Block<'a>; 1],
    trace_transfers: bool,
    validation: bool,
}

#[derive(Serialize)]
struct Block<'a> {
    calls: [Request<'a>; 1],
}

#[derive(Debug, Deserialize)]
struct SimulatedBlock {
    calls: Vec<SimulatedCall>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SimulatedCall {
    status: Count,
    #[serde(default)]
    return_data: Option<Bytes>,
    #[serde(default)]
    logs: Vec<Log>,
    #[serde(default)]
    error: Option<ErrorPayload>,
}

impl Chain {
    /// Tries a call on the latest state: with everything it emits where an endpoint that is believed has `eth_simulateV1`
    /// (execution-apis), else only whether it succeeds. Fails when no endpoint can be asked.
    pub async fn simulate(&self, call: &Call) -> Result<Simulated, ChainError> {
        let rpc = self.rpc().await?;
        // Nodes differ in whether they simulate deployments, and those of a wallet move nothing else.
        if call.to.is_none() {
            return by_call(rpc, call).await;
        }
        let mut sighted = self.0.pool.usable();
        sighted.retain(|endpoint| endpoint.rpc.habits().simulates != Some(false));
        for endpoint in sighted {
            if let Some(simulated) = see(&endpoint.rpc, call).await {
                return Ok(simulated);
            }
        }
        by_call(rpc, call).await
    }
}

/// What one endpoint sees of a call; none when it cannot see, this time or at all.
async fn see(rpc: &Rpc, call: &Call) -> Option<Simulated> {
    let error = match by_simulation(rpc, call).await {
        Ok(simulated) => {
            rpc.learning().simulates(true);
            return Some(simulated);
        }
        Err(error) => error,
    };
    // More events than fit into an answer say nothing of what it can do, and neither does silence.
    let Some(refusal) = error.as_error_resp() else {
        let is_odd =
            !matches!(Fault::of(&error), Some(fault) if !matches!(fault, Fault::Status(_) | Fault::NotJsonRpc));
        if is_odd {
            rpc.learning().simulates(false);
        }
        return None;
    };
    if is_unknown_method(refusal) {
        rpc.learning().simulates(false);
        return None;
    }
    // Nodes have many words for what they do not offer. Whatever else they say of the call, they say it to a plain one too.
    match blame(refusal) {
        Blame::Question => refused(rpc, error, SimulationMethod::EthSimulateV1).ok(),
        Blame::Node | Blame::Unclear => None,
    }
}

async fn by_simulation(rpc: &Rpc, call: &Call) -> TransportResult<Simulated> {
    let plan = Plan { block_state_calls: [Block { calls: [call.into()] }], trace_transfers: true, validation: false };
    // Nodes do not agree on the number of a simulated block.
    let mut batch = rpc.client.new_batch();
    let latest = batch.add_call::<_, Count>("eth_blockNumber", &NO_PARAMS)?;
    let blocks = batch.add_call::<_, Vec<SimulatedBlock>>("eth_simulateV1", &params(&(plan, "latest"))?)?;
    batch.send().await?;
    let block_number = latest.await.ok().map(|latest| latest.0);
    let mut calls = blocks.await?.into_iter().flat_map(|block| block.calls);
    let (Some(call), None) = (calls.next(), calls.next()) else { return Err(TransportError::NullResp) };
    let SimulatedCall { status, return_data, logs, error } = call;
    let succeeded = status.0 == 1;
    let given = error.as_ref().and_then(|error| revert::data_of(error.data.as_ref()?.get()));
    let returned = return_data.map(|data| data.0);
    let message = error.map(|error| error.message.into_owned()).unwrap_or_default();
    Ok(Simulated {
        method: SimulationMethod::EthSimulateV1,
        succeeded,
        revert_data: given.or(returned).filter(|data| !succeeded && !data.is_empty()),
        message: rpc.quote(&message),
        poor: false,
        logs,
        block_number,
    })
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
            logs: Vec::new(),
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
    Ok(Simulated { method, succeeded: false, revert_data, message, poor, logs: Vec::new(), block_number: None })
}

/// Whether a node does not have the method. -32601: method not found (JSON-RPC 2.0 §5.1).
fn is_unknown_method(refusal: &ErrorPayload) -> bool {
    const UNKNOWN: [&str; 6] =
        ["not supported", "unsupported", "not found", "does not exist", "not available", "unknown method"];
    let message = refusal.message.to_lowercase();
    refusal.code == -32601
        || (message.contains("method") || message.contains("simulate"))
            && UNKNOWN.iter().any(|words| message.contains(words))
}
