//! Whole blocks.

use alloy::{eips::eip7702::SignedAuthorization, primitives::U256};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::answer::{Bytes, Count, Quantity};
use crate::value::{Address, BlockHash, CallData, TransactionHash, Wei};

/// A block with everything that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullBlock {
    /// Its height.
    pub number: u64,
    /// Its hash.
    pub hash: BlockHash,
    /// What is in it, in order.
    pub transactions: Vec<BlockTransaction>,
}

/// A transaction in a block. Chains have kinds of their own, so all but the hash may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockTransaction {
    /// The hash it is known by.
    pub hash: TransactionHash,
    /// Who sent it.
    pub from: Option<Address>,
    /// The sender's nonce that it used.
    pub nonce: Option<u64>,
    /// Who was called or paid; none for a deployment.
    pub to: Option<Address>,
    /// What was paid; 0 where the kind has no value.
    pub value: Wei,
    /// The call's input.
    pub data: CallData,
    /// The EIP-7702 authorisations in it; each that was valid used a nonce of its authority too.
    pub authorizations: Vec<BlockAuthorization>,
}

/// An EIP-7702 authorisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockAuthorization {
    /// The account that signed it; none when the signature is of nobody.
    pub authority: Option<Address>,
    /// The nonce of that account which it uses, when it is valid.
    pub nonce: u64,
}

impl BlockTransaction {
    /// Whether it used this nonce of the account, as its sender or by an authorisation of it.
    pub fn uses(&self, address: Address, nonce: u64) -> bool {
        let is_sent = self.from == Some(address) && self.nonce == Some(nonce);
        let is_use = |signed: &BlockAuthorization| signed.authority == Some(address) && signed.nonce == nonce;
        is_sent || self.authorizations.iter().any(is_use)
    }

    /// Whether the account's nonce was beyond this one before the transaction ran.
    pub(super) fn is_beyond(&self, address: Address, nonce: u64) -> bool {
        self.from == Some(address) && self.nonce.is_some_and(|used| used > nonce)
    }
}

/// A block as nodes give it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    number: Count,
    hash: BlockHash,
    #[serde(default)]
    gas_used: Option<Count>,
    transactions: Vec<Value>,
}

impl Answer {
    /// The block, when it is the one that was asked for and its transactions are whole, not mere hashes. One that used gas
    /// and shows none of them was not read whole.
    pub(super) fn whole(self, height: u64, chain_id: u64) -> Option<FullBlock> {
        let Self { number: Count(number), hash, gas_used, transactions } = self;
        if transactions.is_empty() && gas_used.is_some_and(|Count(gas)| gas > 0) {
            return None;
        }
        let transactions = transactions.into_iter().map(|answer| transaction(answer, chain_id));
        Some(FullBlock { number, hash, transactions: transactions.collect::<Option<_>>()? })
            .filter(|block| block.number == height)
    }
}

/// Tolerant of kinds that are not known here: a field that does not fit is missing.
fn transaction(answer: Value, chain_id: u64) -> Option<BlockTransaction> {
    let Value::Object(fields) = answer else { return None };
    let address = |name| field::<alloy::primitives::Address>(&fields, name).map(Address);
    Some(BlockTransaction {
        hash: field(&fields, "hash")?,
        from: address("from"),
        nonce: field::<Count>(&fields, "nonce").map(|nonce| nonce.0),
        to: address("to"),
        value: Wei(field::<Quantity>(&fields, "value").map_or(U256::ZERO, |value| value.0)),
        data: CallData(
            field::<Bytes>(&fields, "input").or_else(|| field(&fields, "data")).map_or_else(Vec::new, |data| data.0),
        ),
        authorizations: match fields.get("authorizationList") {
            Some(Value::Array(list)) => list.iter().filter_map(|signed| authorization(signed, chain_id)).collect(),
            _ => Vec::new(),
        },
    })
}

/// An authorisation that holds on this chain: those for another one use no nonce (EIP-7702; 0 stands for all).
fn authorization(answer: &Value, chain_id: u64) -> Option<BlockAuthorization> {
    let signed = SignedAuthorization::deserialize(answer).ok()?;
    let is_ours = signed.chain_id.is_zero() || signed.chain_id == U256::from(chain_id);
    let authority = signed.recover_authority().ok().map(Address);
    is_ours.then_some(BlockAuthorization { authority, nonce: signed.nonce })
}

fn field<T: DeserializeOwned>(fields: &Map<String, Value>, name: &str) -> Option<T> {
    fields.get(name).and_then(|value| T::deserialize(value).ok())
}
