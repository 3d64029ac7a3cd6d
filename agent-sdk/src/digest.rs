//! The digest: one hash over everything that can change what is signed.

use alloy::primitives::{B256, hex};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::Transaction;

const TAG: &[u8] = b"wallet-server transaction v2";

impl Transaction {
    /// The digest of the fields as they are here: SHA-256 over a tag, the ids, sender, chain, call,
    /// gas, fees, `expires_at` and `execute`, each preceded by its length (4 bytes, big endian).
    ///
    /// Show a human the fields and this digest, and approve by this digest: then nothing but what
    /// was shown can be signed, whatever the server said.
    #[must_use]
    pub fn computed_digest(&self) -> B256 {
        let agent_id = self.agent_id.as_ref().map_or(&[][..], |id| id.as_bytes());
        let to = self.to.as_ref().map_or(&[][..], |to| to.as_slice());
        of_parts(&[
            TAG,
            self.transaction_id.as_bytes(),
            self.user_id.as_bytes(),
            agent_id,
            self.address.as_slice(),
            &self.chain_id.to_be_bytes(),
            to,
            &self.value.to_be_bytes::<32>(),
            &self.data,
            &self.gas_limit.to_be_bytes(),
            &self.max_fee_per_gas.to_be_bytes::<32>(),
            &self.max_priority_fee_per_gas.to_be_bytes::<32>(),
            &unix_microseconds(self.expires_at).to_be_bytes(),
            self.execute.as_str().as_bytes(),
        ])
    }

    /// The first 8 hex digits of [`computed_digest`](Self::computed_digest).
    ///
    /// An agent prints it, and the human's terminal shows it too: so people see that two screens
    /// mean the same transaction. Too short to approve by.
    #[must_use]
    pub fn short_digest(&self) -> String {
        hex::encode(&self.computed_digest()[..4])
    }

    /// Whether the digest the server gave is the digest of the fields it gave.
    #[must_use]
    pub fn digest_matches(&self) -> bool {
        self.digest == self.computed_digest()
    }
}

/// SHA-256 over parts, each preceded by its length (4 bytes, big endian), so that no byte can move
/// from one part into the next.
pub(crate) fn of_parts(parts: &[&[u8]]) -> B256 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u32).to_be_bytes());
        hash.update(part);
    }
    B256::from_slice(&hash.finalize())
}

/// Microseconds since 1970. Fits: the years `OffsetDateTime` can hold are below 10000.
pub(crate) fn unix_microseconds(at: OffsetDateTime) -> i64 {
    (at.unix_timestamp_nanos() / 1000) as i64
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, Bytes, U256, b256, bytes};
    use serde_json::{Map, Value};
    use time::Duration;
    use uuid::Uuid;

    use super::*;
    use crate::Execute;
    use crate::transaction::tests::{WIRE, transfer};

    #[test]
    fn an_agents_transfer_has_the_digest_another_program_computed() {
        let expected = b256!("978d807a9b0d3afd03e6ebf971b756d63887a6f9a90aa6ce6fc944f2d0ce42ec");
        assert_eq!(transfer().computed_digest(), expected);
        assert!(transfer().digest_matches());
    }

    #[test]
    fn every_published_vector_has_the_digest_another_program_computed() {
        let vectors: Vec<Map<String, Value>> =
            serde_json::from_str(include_str!("../../docs/digest-vectors.json")).expect("a list of objects");
        assert!(vectors.len() >= 4);
        for vector in vectors {
            // What a vector leaves out, its transaction does not have.
            let mut fields: Map<String, Value> = serde_json::from_str(WIRE).expect("an object");
            fields.retain(|field, _| field != "agent_id" && field != "to");
            fields.extend(vector.clone());
            let transaction: Transaction = serde_json::from_value(fields.into()).expect("a transaction");
            assert!(transaction.digest_matches(), "{}", vector["name"]);
        }
    }

    #[test]
    fn a_short_digest_is_the_beginning_of_the_recomputed_one() {
        let mut transaction = transfer();
        transaction.digest = B256::ZERO;
        assert_eq!(transaction.short_digest(), "978d807a");
    }

    #[test]
    fn a_users_deployment_has_the_digest_another_program_computed() {
        let mut transaction = transfer();
        transaction.agent_id = None;
        transaction.execute = Execute::OnApproval;
        transaction.to = None;
        transaction.data = bytes!("600160005500");
        let expected = b256!("9eec69e80bdbf499b542cd64921ec753b6fad2df3919f690f4a30acd02a2a8aa");
        assert_eq!(transaction.computed_digest(), expected);
    }

    #[test]
    fn every_field_that_changes_the_meaning_changes_the_digest() {
        let changes: [fn(&mut Transaction); 13] = [
            |transaction| transaction.transaction_id = Uuid::nil(),
            |transaction| transaction.user_id = Uuid::nil(),
            |transaction| transaction.agent_id = None,
            |transaction| transaction.address = Address::ZERO,
            |transaction| transaction.chain_id += 1,
            |transaction| transaction.to = None,
            |transaction| transaction.value += U256::ONE,
            |transaction| transaction.data = Bytes::from_static(&[0]),
            |transaction| transaction.gas_limit += 1,
            |transaction| transaction.max_fee_per_gas += U256::ONE,
            |transaction| transaction.max_priority_fee_per_gas += U256::ONE,
            |transaction| transaction.expires_at += Duration::MICROSECOND,
            |transaction| transaction.execute = Execute::OnApproval,
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut transaction = transfer();
            change(&mut transaction);
            assert!(!transaction.digest_matches(), "change {index}");
        }
    }
}
