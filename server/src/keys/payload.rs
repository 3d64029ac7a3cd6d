//! Signed transactions that wait to be sent. No user is present when they are, so they are sealed under the master
//! secret alone: what they do was approved, and they can do nothing else.

use alloy::{
    consensus::{Transaction, TxEnvelope, transaction::SignerRecoverable},
    eips::eip2718::Decodable2718,
    primitives::keccak256,
};

use super::{
    master::Master,
    seal::{Purpose, SealError},
};
use crate::value::{Address, CallData, ChainId, Fees, PayloadKind, Secret, TransactionHash, TransactionId, Wei};

/// Why signed bytes cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The record was changed or belongs to another transaction, sender, chain, nonce or hash.
    #[error("the signed transaction's record is damaged")]
    Sealed(#[from] SealError),
    /// The bytes are not the ones that have the hash.
    #[error("the signed transaction does not have its hash")]
    WrongHash,
}

/// The row that signed bytes belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadBinding {
    /// The transaction that a human approved.
    pub transaction_id: TransactionId,
    /// The sender.
    pub address: Address,
    /// The chain.
    pub chain_id: ChainId,
    /// The sender's transaction number.
    pub nonce: u64,
    /// Keccak-256 of the bytes.
    pub hash: TransactionHash,
    /// What they do: whoever can write the database must not make a payment of a cancel.
    pub kind: PayloadKind,
    /// Their place on the fee ladder.
    pub rung: i32,
}

/// Seals signed bytes for their row.
pub fn seal(master: &Master, row: &PayloadBinding, bytes: &[u8]) -> Vec<u8> {
    master.seal(&Purpose::Payload(*row), bytes)
}

/// Opens what [`seal`] gave. Fails when the record was changed or moved, and when the bytes do not have the row's hash,
/// which is the one that is watched.
pub fn open(master: &Master, row: &PayloadBinding, blob: &[u8]) -> Result<Secret<Vec<u8>>, PayloadError> {
    let bytes = master.open(&Purpose::Payload(*row), blob)?;
    if keccak256(bytes.expose()) == row.hash.0 { Ok(bytes) } else { Err(PayloadError::WrongHash) }
}

/// What signed bytes would do, read from the bytes themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCall {
    /// Who signed: recovered from the signature.
    pub from: Address,
    /// The only chain they are good on.
    pub chain_id: Option<u64>,
    /// The sender's transaction number.
    pub nonce: u64,
    /// Who is called; none: a deployment.
    pub to: Option<Address>,
    /// Native currency sent along.
    pub value: Wei,
    /// The call's input, or the init code.
    pub data: CallData,
    /// The most gas it may use.
    pub gas_limit: u64,
    /// What a unit of gas may cost.
    pub fees: Fees,
}

/// Reads signed bytes. None when they are no transaction, or nobody's.
pub fn read(bytes: &Secret<Vec<u8>>) -> Option<SignedCall> {
    let envelope = TxEnvelope::decode_2718_exact(bytes.expose()).ok()?;
    let max_fee_per_gas = envelope.max_fee_per_gas();
    Some(SignedCall {
        from: Address(envelope.recover_signer().ok()?),
        chain_id: envelope.chain_id(),
        nonce: envelope.nonce(),
        to: envelope.to().map(Address),
        value: Wei(envelope.value()),
        data: CallData(envelope.input().to_vec()),
        gas_limit: envelope.gas_limit(),
        fees: Fees {
            max_fee_per_gas,
            max_priority_fee_per_gas: envelope.max_priority_fee_per_gas().unwrap_or(max_fee_per_gas),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_bytes_open_in_their_own_row_only() {
        let master = Master::new(Secret::random());
        let row = PayloadBinding {
            transaction_id: TransactionId::new(),
            address: Address([1; 20].into()),
            chain_id: ChainId::new(1).expect("in range"),
            nonce: 7,
            hash: TransactionHash(keccak256(b"signed")),
            kind: PayloadKind::Payment,
            rung: 0,
        };
        let blob = seal(&master, &row, b"signed");
        assert_eq!(open(&master, &row, &blob).expect("its own").expose(), b"signed");
        for other in [
            PayloadBinding { transaction_id: TransactionId::new(), ..row },
            PayloadBinding { address: Address([2; 20].into()), ..row },
            PayloadBinding { chain_id: ChainId::new(10).expect("in range"), ..row },
            PayloadBinding { nonce: 8, ..row },
            PayloadBinding { hash: TransactionHash(keccak256(b"other")), ..row },
            PayloadBinding { kind: PayloadKind::Cancel, ..row },
            PayloadBinding { rung: 1, ..row },
        ] {
            assert_eq!(open(&master, &other, &blob).err(), Some(PayloadError::Sealed(SealError::DoesNotOpen)));
        }
        assert_eq!(open(&master, &row, &seal(&master, &row, b"other")).err(), Some(PayloadError::WrongHash));
        assert!(open(&Master::new(Secret::random()), &row, &blob).is_err());
    }
}
