//! What became of transactions.

use serde::Deserialize;

use super::{
    ChainError,
    answer::{Count, Quantity},
    each,
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
    /// Gas used.
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
    status: Option<Quantity>,
    gas_used: Option<Count>,
    effective_gas_price: Option<Quantity>,
}

/// Each receipt by itself, in their order; none for a transaction that is in no block.
pub(super) async fn ask(rpc: &Rpc, hashes: &[TransactionHash]) -> Vec<Result<Option<Receipt>, ChainError>> {
    let questions: Vec<_> = hashes.iter().map(|hash| (*hash,)).collect();
    let asked = each::ask::<_, Option<Answer>>(rpc, &rpc.large, "eth_getTransactionReceipt", &questions, BATCH).await;
    let answers = match asked {
        Ok(answers) => answers,
        Err(error) => return vec![Err(error); hashes.len()],
    };
    let receipts = hashes.iter().zip(answers).map(|(hash, answer)| match answer? {
        None => Ok(None),
        Some(answer) => checked(*hash, answer),
    });
    receipts.collect()
}

/// The receipt, when it is the one that was asked for and says how it went. Old clients answer for transactions that
/// still wait, without a block: those are in none.
fn checked(hash: TransactionHash, answer: Answer) -> Result<Option<Receipt>, ChainError> {
    let wrong = |what: &str| Err(ChainError::Unavailable(what.to_owned()));
    let Answer { transaction_hash, block_number, block_hash, status, gas_used, effective_gas_price } = answer;
    if transaction_hash != hash {
        return wrong("its receipt is of another transaction");
    }
    let (Some(Count(block_number)), Some(block_hash)) = (block_number, block_hash) else { return Ok(None) };
    // EIP-658: 1 or 0.
    let succeeded = match status.map(|status| u8::try_from(status.0)) {
        Some(Ok(1)) => true,
        Some(Ok(0)) => false,
        _ => return wrong("its receipt does not say how the transaction went"),
    };
    let price = effective_gas_price.map_or(Ok(0), |price| u128::try_from(price.0));
    let (Some(Count(gas_used)), Ok(effective_gas_price)) = (gas_used, price) else {
        return wrong("its receipt makes no sense");
    };
    Ok(Some(Receipt { transaction_hash, block_number, block_hash, succeeded, gas_used, effective_gas_price }))
}
