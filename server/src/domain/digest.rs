//! What a human approves, as 32 bytes.

use sha2::{Digest as _, Sha256};

use crate::{store::transactions::Model, value::Digest};

/// Tells this digest from every other SHA-256; the number is that of the encoding.
const TAG: &[u8] = b"wallet-server transaction v1";

/// The digest of everything that can change what a transaction means. docs/API-DESIGN.md gives the encoding, so that
/// every client can compute it from what it shows.
pub fn digest(transaction: &Model) -> Digest {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).expect("call data is at most 128 KiB");
        hash.update(length.to_be_bytes());
        hash.update(bytes);
    };
    let caps = transaction.fee_caps();
    part(TAG);
    part(transaction.transaction_id.as_bytes());
    part(transaction.user_id.as_bytes());
    part(transaction.agent_id.as_ref().map_or(&[][..], |id| id.as_bytes()));
    part(transaction.address.as_bytes());
    part(&transaction.chain_id.get().to_be_bytes());
    part(transaction.to_address.as_ref().map_or(&[][..], |to| to.as_bytes()));
    part(&transaction.value.0.to_be_bytes::<32>());
    part(&transaction.data);
    part(&transaction.gas_limit.0.to_be_bytes());
    part(&word(caps.max_fee_per_gas));
    part(&word(caps.max_priority_fee_per_gas));
    part(&transaction.expires_at.unix_microseconds().to_be_bytes());
    Digest(<[u8; 32]>::from(hash.finalize()).into())
}

fn word(number: u128) -> [u8; 32] {
    let mut word = [0; 32];
    word[16..].copy_from_slice(&number.to_be_bytes());
    word
}
