use alloy::{
    consensus::{TxEnvelope, transaction::SignerRecoverable},
    eips::Decodable2718,
    primitives::{Address, hex},
};
use serde_json::{Value, json};

use super::SEND;

/// One JSON-RPC call, alone or out of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) id: Value,
    pub(crate) method: String,
    pub(crate) params: Value,
}

impl Call {
    pub(super) fn read(value: &Value) -> Option<Self> {
        let params = value.get("params").cloned().unwrap_or(Value::Null);
        Some(Self { id: value.get("id")?.clone(), method: value.get("method")?.as_str()?.to_owned(), params })
    }

    pub(super) fn to_json(&self) -> Value {
        let Self { id, method, params } = self;
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
    }

    /// A parameter as text; empty when it is none.
    pub(crate) fn text(&self, place: usize) -> &str {
        self.params[place].as_str().unwrap_or_default()
    }

    /// The signed transaction in it.
    pub(crate) fn signed(&self) -> Option<TxEnvelope> {
        let bytes = (self.method == SEND).then(|| hex::decode(self.text(0)).ok()).flatten()?;
        TxEnvelope::decode_2718(&mut bytes.as_slice()).ok()
    }

    /// The wallet it is about: who signed, or the account that is asked about.
    pub(crate) fn wallet(&self) -> Option<Address> {
        match self.signed() {
            Some(signed) => signed.recover_signer().ok(),
            None => self.text(0).parse().ok(),
        }
    }
}
