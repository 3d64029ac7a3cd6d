//! What became of transactions.

use alloy::{primitives::U256, rpc::json_rpc::ErrorPayload};
use serde::Deserialize;
use serde_json::Value;

use super::{
    ChainError,
    answer::{Count, Quantity},
    each::{self, Failed},
    rpc::Rpc,
};
use crate::value::{BlockHash, TransactionHash};

/// How many receipts are asked for at once; providers refuse batches beyond a few hundred.
const BATCH: usize = 100;

/// A transaction that is in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Which transaction.
    pub transaction_hash: TransactionHash,
    /// The block's number.
    pub block_number: u64,
    /// The block's hash; another one after a reorganisation.
    pub block_hash: BlockHash,
    /// Whether it did what it should; otherwise only the fee was paid.
    pub succeeded: bool,
    /// Gas used; 0 when the node does not say.
    pub gas_used: u64,
    /// What a unit of gas cost in the end, in wei; 0 when the node does not say.
    pub effective_gas_price: u128,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    transaction_hash: TransactionHash,
    block_number: Option<Count>,
    block_hash: Option<BlockHash>,
    status: Option<Status>,
    gas_used: Option<Count>,
    effective_gas_price: Option<Quantity>,
}

/// 1 or 0 (EIP-658), or what some nodes write instead.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Status {
    Flag(bool),
    Number(Quantity),
}

/// Whether an answer holds nothing: some nodes give `{}`, `[]` or an empty text for null.
fn is_nothing(answer: &Value) -> bool {
    match answer {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// Each receipt by itself, in their order; none for a transaction that is in no block.
pub(super) async fn ask(rpc: &Rpc, hashes: &[TransactionHash]) -> Vec<Result<Option<Receipt>, ChainError>> {
    let questions: Vec<_> = hashes.iter().map(|hash| (*hash,)).collect();
    let asked = each::ask::<_, Option<Value>>(rpc, &rpc.large, "eth_getTransactionReceipt", &questions, BATCH).await;
    let answers = match asked {
        Ok(answers) => answers,
        Err(error) => return vec![Err(error); hashes.len()],
    };
    let receipts = hashes.iter().zip(answers).map(|(hash, answer)| match answer {
        Ok(Some(answer)) if !is_nothing(&answer) => checked(*hash, answer),
        Ok(_) => Ok(None),
        Err(Failed { refusal: Some(refusal), .. }) if is_unknown(&refusal) => Ok(None),
        Err(failed) => Err(failed.error),
    });
    receipts.collect()
}

/// Whether a refusal says that there is no such transaction. One whose index is not complete cannot say.
fn is_unknown(refusal: &ErrorPayload) -> bool {
    const WORDS: [&str; 6] = [
        "transaction not found",
        "receipt not found",
        "tx not found",
        "unknown transaction",
        "no such transaction",
        "transaction does not exist",
    ];
    let message = refusal.message.to_lowercase();
    message.trim().trim_end_matches('.') == "not found" || WORDS.iter().any(|words| message.contains(words))
}

/// The receipt, when it is the one that was asked for and says how it went. Old clients answer for transactions that
/// still wait, without a block: those are in none.
fn checked(hash: TransactionHash, answer: Value) -> Result<Option<Receipt>, ChainError> {
    let wrong = |what: &str| Err(ChainError::Unavailable(what.to_owned()));
    let Ok(answer) = Answer::deserialize(answer) else { return wrong("its receipt makes no sense") };
    let Answer { transaction_hash, block_number, block_hash, status, gas_used, effective_gas_price } = answer;
    if transaction_hash != hash {
        return wrong("its receipt is of another transaction");
    }
    let (Some(Count(block_number)), Some(block_hash)) = (block_number, block_hash) else { return Ok(None) };
    let succeeded = match status {
        Some(Status::Flag(succeeded)) => succeeded,
        Some(Status::Number(Quantity(status))) if status <= U256::ONE => status == U256::ONE,
        _ => return wrong("its receipt does not say how the transaction went"),
    };
    let price = effective_gas_price.map_or(Ok(0), |price| u128::try_from(price.0));
    let Ok(effective_gas_price) = price else { return wrong("its receipt makes no sense") };
    let gas_used = gas_used.map_or(0, |Count(gas)| gas);
    Ok(Some(Receipt { transaction_hash, block_number, block_hash, succeeded, gas_used, effective_gas_price }))
}
