//! What became of transactions.

use alloy::transports::{TransportErrorKind, TransportResult};
use serde::Deserialize;

use super::{
    Chain, ChainError,
    answer::{Count, Quantity},
    rpc::{Fault, Rpc},
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
    status: Quantity,
    gas_used: Count,
    effective_gas_price: Option<Quantity>,
}

impl Chain {
    /// The receipts of these transactions, in their order; none for one that is in no block. Fails as a whole when
    /// one of them cannot be told: absence is said by the node, never guessed.
    pub async fn receipts(&self, hashes: &[TransactionHash]) -> Result<Vec<Option<Receipt>>, ChainError> {
        let rpc = self.rpc().await?;
        let mut receipts = Vec::with_capacity(hashes.len());
        // The next part last. A part whose answer is too large is asked for in halves.
        let mut parts: Vec<&[TransactionHash]> = hashes.chunks(BATCH).rev().collect();
        while let Some(part) = parts.pop() {
            match ask_receipts(rpc, part).await {
                Ok(found) => receipts.extend(found),
                Err(error) if part.len() > 1 && matches!(Fault::of(&error), Some(Fault::TooLarge(_))) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(error) => return Err(rpc.unavailable(error)),
            }
        }
        Ok(receipts)
    }
}

async fn ask_receipts(rpc: &Rpc, hashes: &[TransactionHash]) -> TransportResult<Vec<Option<Receipt>>> {
    let mut batch = rpc.receipts.new_batch();
    let mut waiters = Vec::with_capacity(hashes.len());
    for hash in hashes {
        waiters.push(batch.add_call::<_, Option<Answer>>("eth_getTransactionReceipt", &(hash,))?);
    }
    batch.send().await?;
    let mut receipts = Vec::with_capacity(hashes.len());
    for (hash, waiter) in hashes.iter().zip(waiters) {
        let receipt = match waiter.await? {
            None => None,
            Some(answer) => checked(*hash, answer).ok_or_else(|| TransportErrorKind::custom(Fault::OtherRequest))?,
        };
        receipts.push(receipt);
    }
    Ok(receipts)
}

/// The receipt, when it is the one that was asked for. Old clients answer for transactions that still wait, without a
/// block: those are in none.
fn checked(hash: TransactionHash, answer: Answer) -> Option<Option<Receipt>> {
    let Answer { transaction_hash, block_number, block_hash, status, gas_used, effective_gas_price } = answer;
    if transaction_hash != hash {
        return None;
    }
    let (Some(Count(block_number)), Some(block_hash)) = (block_number, block_hash) else { return Some(None) };
    Some(Some(Receipt {
        transaction_hash,
        block_number,
        block_hash,
        // EIP-658: 1 or 0.
        succeeded: match u8::try_from(status.0) {
            Ok(1) => true,
            Ok(0) => false,
            _ => return None,
        },
        gas_used: gas_used.0,
        effective_gas_price: effective_gas_price.map_or(Some(0), |price| u128::try_from(price.0).ok())?,
    }))
}
