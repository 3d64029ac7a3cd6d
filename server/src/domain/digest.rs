//! What a human approves, as 32 bytes.

use sha2::{Digest as _, Sha256};

use crate::{
    store::transactions::Model,
    value::{Address, ChainId, Digest, Fees, Gas, Nonce, Time, UserId},
};

/// Tells this digest from every other SHA-256; the number is that of the encoding.
const TAG: &[u8] = b"wallet-server transaction v2";

/// The same for what clearing a nonce would sign.
const CLEARING_TAG: &[u8] = b"wallet-server clear nonce v1";

/// The digest of everything that can change what a transaction means. docs/API-DESIGN.md gives the encoding, so that
/// every client can compute it from what it shows.
pub fn digest(transaction: &Model) -> Digest {
    let caps = transaction.fee_caps();
    let mut parts = Parts::default();
    let mut part = |bytes: &[u8]| parts.add(bytes);
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
    part(transaction.execute.as_str().as_bytes());
    parts.digest()
}

/// What clearing a nonce would sign: nothing to oneself, at this price.
#[derive(Debug, Clone, Copy)]
pub struct Clearing {
    /// Whose account.
    pub user_id: UserId,
    /// Which.
    pub address: Address,
    /// On which chain.
    pub chain_id: ChainId,
    /// The nonce.
    pub nonce: Nonce,
    /// The most gas it may use.
    pub gas_limit: Gas,
    /// What it may cost.
    pub fees: Fees,
    /// Until when it can be decided.
    pub expires_at: Time,
}

/// The digest of a clearing, computed likewise.
pub fn clearing(clearing: &Clearing) -> Digest {
    let Clearing { user_id, address, chain_id, nonce, gas_limit, fees, expires_at } = clearing;
    let mut parts = Parts::default();
    parts.add(CLEARING_TAG);
    parts.add(user_id.as_bytes());
    parts.add(address.as_bytes());
    parts.add(&chain_id.get().to_be_bytes());
    parts.add(&nonce.0.to_be_bytes());
    parts.add(&gas_limit.0.to_be_bytes());
    parts.add(&word(fees.max_fee_per_gas));
    parts.add(&word(fees.max_priority_fee_per_gas));
    parts.add(&expires_at.unix_microseconds().to_be_bytes());
    parts.digest()
}

/// Parts, each preceded by its length.
#[derive(Default)]
struct Parts(Sha256);

impl Parts {
    fn add(&mut self, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).expect("call data is at most 128 KiB");
        self.0.update(length.to_be_bytes());
        self.0.update(bytes);
    }

    fn digest(self) -> Digest {
        Digest(<[u8; 32]>::from(self.0.finalize()).into())
    }
}

fn word(number: u128) -> [u8; 32] {
    let mut word = [0; 32];
    word[16..].copy_from_slice(&number.to_be_bytes());
    word
}
