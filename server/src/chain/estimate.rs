//! How much gas a call needs.

use alloy::{
    rpc::json_rpc::ErrorPayload,
    transports::{TransportError, TransportResult},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Chain, ChainError,
    answer::Count,
    intrinsic_gas,
    refusal::{Blame, blame},
    revert,
    rpc::Rpc,
};
use crate::value::{Address, CallData, Wei};

/// A call or, without `to`, a deployment.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who sends it.
    pub from: Address,
    /// The account that is called; none deploys `data`.
    pub to: Option<Address>,
    /// Native currency sent along.
    pub value: Wei,
    /// The call's input, or the init code.
    pub data: CallData,
}

/// Why there is no estimate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EstimateError {
    /// The node cannot be asked.
    #[error(transparent)]
    Unavailable(#[from] ChainError),
    /// Sent now, it would fail.
    #[error("the call would fail: {message}")]
    Reverted {
        /// What the contract gave as the reason, ABI-encoded.
        data: Option<Vec<u8>>,
        /// What the node says, for humans: at most 280 characters on one line, perhaps nothing.
        message: String,
    },
    /// The sender does not hold the value.
    #[error("the sender's balance is too low")]
    InsufficientFunds,
}

/// A call as nodes take it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Request<'a> {
    from: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Address>,
    value: String,
    data: &'a CallData,
}

impl<'a> From<&'a Call> for Request<'a> {
    fn from(call: &'a Call) -> Self {
        let Call { from, to, value, data } = call;
        Self { from: *from, to: *to, value: format!("0x{:x}", value.0), data }
    }
}

impl Chain {
    /// The least gas limit with which the call succeeds on the latest state, without any margin. An estimate below what
    /// every such call costs ([`intrinsic_gas`]) is raised to that.
    ///
    /// Fails when the call would fail, when the sender holds too little, when the node cannot be asked, or when it
    /// names more than a whole block holds.
    pub async fn estimate_gas(&self, call: &Call) -> Result<u64, EstimateError> {
        let rpc = self.rpc().await?;
        let (estimate, block_limit) = ask_estimate(rpc, call).await.map_err(|error| failure(rpc, error))?;
        if block_limit.is_some_and(|limit| estimate > limit) {
            return Err(ChainError::Unavailable("it estimates more gas than a block holds".to_owned()).into());
        }
        Ok(estimate.max(intrinsic_gas(call)))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    gas_limit: Count,
}

/// The estimate, and the latest block's gas limit where the node says one.
async fn ask_estimate(rpc: &Rpc, call: &Call) -> TransportResult<(u64, Option<u64>)> {
    let mut batch = rpc.client.new_batch();
    let estimate = batch.add_call::<_, Count>("eth_estimateGas", &params(&[Request::from(call)])?)?;
    let latest = batch.add_call::<_, Header>("eth_getBlockByNumber", &("latest", false))?;
    batch.send().await?;
    let Count(estimate) = estimate.await?;
    let limit = latest.await.ok().map(|header| header.gas_limit.0);
    Ok((estimate, limit.filter(|&limit| limit > 0)))
}

/// Parameters, written out: requests borrow their data, and calls outlive what they borrow.
pub(super) fn params(params: &impl Serialize) -> Result<Box<RawValue>, TransportError> {
    serde_json::value::to_raw_value(params).map_err(TransportError::ser_err)
}

/// Messages of a node whose virtual machine stopped, in lower case.
const STOPPED: [&str; 14] = [
    "evm error",
    "vm execution error",
    "vm exception",
    "invalid opcode",
    "opcode not",
    "bad instruction",
    "badinstruction",
    "invalid jump",
    "stack underflow",
    "out of gas",
    "outofgas",
    "gas required exceeds",
    "initcode size",
    "max code size",
];

/// Messages of a node that counted the sender's money, in lower case.
pub(super) const POOR: [&str; 12] = [
    "insufficient funds",
    "insufficientfunds",
    "insufficient balance",
    "insufficient sender balance",
    "outoffund",
    "out of fund",
    "lack of funds",
    "have enough funds",
    "enough balance",
    "exceeds account balance",
    "exceeds transaction sender account balance",
    "overdraft",
];

/// What a node's refusal to try a call means.
pub(super) fn failure(rpc: &Rpc, error: TransportError) -> EstimateError {
    let Some(ErrorPayload { code, message, data }) = error.as_error_resp() else {
        return rpc.unavailable(error).into();
    };
    let data = data.as_ref().and_then(|data| revert::data_of(data.get())).filter(|data| !data.is_empty());
    let lower = message.to_lowercase();
    let says = |fragments: &[&str]| fragments.iter().any(|fragment| lower.contains(fragment));
    // 3 is the code of a revert (execution-apis). A contract may well say that a token balance is insufficient.
    if data.is_some() || *code == 3 || says(&["revert"]) {
        return EstimateError::Reverted { data, message: rpc.quote(message) };
    }
    if says(&POOR) {
        EstimateError::InsufficientFunds
    } else if says(&STOPPED) || error.as_error_resp().is_some_and(|refusal| blame(refusal) != Blame::Node) {
        // An answer to a call is about the call, unless it is known to be about the node.
        EstimateError::Reverted { data, message: rpc.quote(message) }
    } else {
        rpc.unavailable(error).into()
    }
}
