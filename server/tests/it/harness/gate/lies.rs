//! What nodes are known to say that is not so.

use alloy::primitives::{Address, B256};
use serde_json::{Value, json};

use super::{Call, Calls, Fault, Gate, Rule};

const RECEIPT: &str = "eth_getTransactionReceipt";

pub(crate) fn number(value: &Value) -> u64 {
    let text = value.as_str().unwrap_or("0x0");
    u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap_or(0)
}

impl Gate {
    /// Says of every transaction that it is in no block.
    pub(crate) fn hide_receipts(&self) -> Rule {
        self.when(Calls::of(RECEIPT), Fault::Answer(Value::Null))
    }

    /// Changes every receipt there is.
    pub(crate) fn change_receipts(&self, change: impl Fn(&mut Value) + Send + Sync + 'static) -> Rule {
        let change = move |_: &Call, mut receipt: Value| {
            if receipt.is_object() {
                change(&mut receipt);
            }
            receipt
        };
        self.when(Calls::of(RECEIPT), Fault::lie(change))
    }

    /// Shows this receipt for its transaction, whatever became of its block.
    pub(crate) fn show_receipt(&self, receipt: &Value) -> Rule {
        let hash = receipt["transactionHash"].as_str().expect("a receipt").to_owned();
        self.when(Calls::of(RECEIPT).holding(hash), Fault::Answer(receipt.clone()))
    }

    /// Says another nonce of an account at the latest block.
    pub(crate) fn say_nonce(&self, wallet: Address, nonce: u64) -> Rule {
        let latest = |call: &Call| matches!(call.text(1), "latest" | "pending");
        let calls = Calls::of("eth_getTransactionCount").wallet(wallet).only(latest);
        self.when(calls, Fault::Answer(json!(format!("0x{nonce:x}"))))
    }

    pub(crate) fn say_estimate(&self, gas: u64) -> Rule {
        self.when(Calls::of("eth_estimateGas"), Fault::Answer(json!(format!("0x{gas:x}"))))
    }

    /// Advises another tip, by every method that advises one.
    pub(crate) fn say_tip(&self, wei: u128) -> Rule {
        let say = move |call: &Call, mut answer: Value| match call.method.as_str() {
            "eth_maxPriorityFeePerGas" => json!(format!("0x{wei:x}")),
            "eth_gasPrice" => {
                let price = u128::from(number(&answer)).saturating_add(wei);
                json!(format!("0x{price:x}"))
            }
            _ => {
                let rewards = answer.get_mut("reward").and_then(Value::as_array_mut);
                for reward in rewards.into_iter().flatten().filter_map(Value::as_array_mut).flatten() {
                    *reward = json!(format!("0x{wei:x}"));
                }
                answer
            }
        };
        let methods = ["eth_maxPriorityFeePerGas", "eth_gasPrice", "eth_feeHistory"];
        self.when(Calls::of_all(&methods), Fault::lie(say))
    }

    /// Calls itself something else than the development node that it is: `Geth/v1.16.0`.
    pub(crate) fn say_client(&self, version: &str) -> Rule {
        self.when(Calls::of("web3_clientVersion"), Fault::Answer(json!(version)))
    }

    pub(crate) fn say_chain(&self, id: u64) -> Rule {
        let say = move |call: &Call, _: Value| match call.method.as_str() {
            "net_version" => json!(id.to_string()),
            _ => json!(format!("0x{id:x}")),
        };
        self.when(Calls::of_all(&["eth_chainId", "net_version"]), Fault::lie(say))
    }

    /// Shows another first block.
    pub(crate) fn say_first_block(&self, hash: B256) -> Rule {
        let first = |call: &Call| matches!(call.text(0), "0x0" | "earliest");
        let say = move |_: &Call, mut block: Value| {
            block["hash"] = json!(hash);
            block
        };
        self.when(Calls::of("eth_getBlockByNumber").only(first), Fault::lie(say))
    }

    /// Answers as it would have done `blocks` ago, as a node does that lags. `head` is the chain's head now: it stays.
    pub(crate) fn lag(&self, head: u64, blocks: u64) -> Vec<Rule> {
        let at = head.saturating_sub(blocks);
        let tag = format!("0x{at:x}");
        let rewrite = move |mut call: Call| {
            let place = match call.method.as_str() {
                "eth_getBlockByNumber" => 0,
                _ => 1,
            };
            let said = call.text(place);
            let beyond = said.starts_with("0x") && number(&call.params[place]) > at;
            if let Some(Value::String(param)) = call.params.get_mut(place) {
                if matches!(param.as_str(), "latest" | "pending" | "safe") {
                    param.clone_from(&tag);
                } else if beyond {
                    // A block that such a node does not have yet.
                    "0xffffffffff".clone_into(param);
                }
            }
            call
        };
        let tagged = ["eth_getBlockByNumber", "eth_getTransactionCount", "eth_getBalance", "eth_getCode", "eth_call"];
        let too_new = move |_: &Call, answer: Value| {
            if number(&answer["blockNumber"]) > at { Value::Null } else { answer }
        };
        vec![
            self.when(Calls::of_all(&tagged), Fault::ask(rewrite)),
            self.when(Calls::of("eth_blockNumber"), Fault::Answer(json!(format!("0x{at:x}")))),
            self.when(Calls::of_all(&[RECEIPT, "eth_getTransactionByHash"]), Fault::lie(too_new)),
        ]
    }
}
