//! Fingerprints of requests: whether a repeated `Idempotency-Key` came with the same body.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{master::Master, seal::Purpose};

/// HMAC-SHA256 under a master subkey over the operation and the body in a canonical form. Keyed, because a plain hash
/// of a guessable body would tell what it was to whoever reads the database.
pub fn fingerprint(master: &Master, operation: &str, canonical: &[u8]) -> [u8; 32] {
    let key = master.subkey(&Purpose::Fingerprint);
    Hmac::<Sha256>::new_from_slice(key.expose())
        .expect("HMAC takes a key of any length")
        // The length keeps the two apart: ("ab", "c") is not ("a", "bc").
        .chain_update((operation.len() as u64).to_be_bytes())
        .chain_update(operation)
        .chain_update(canonical)
        .finalize()
        .into_bytes()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Secret;

    #[test]
    fn only_the_same_operation_and_body_have_the_same_fingerprint() {
        let master = Master::new(Secret::random());
        let kept = fingerprint(&master, "create_wallet", b"{}");
        assert_eq!(fingerprint(&master, "create_wallet", b"{}"), kept);
        assert_ne!(fingerprint(&master, "create_wallet", b"{ }"), kept);
        assert_ne!(fingerprint(&master, "create_walle", b"t{}"), kept);
        assert_ne!(fingerprint(&Master::new(Secret::random()), "create_wallet", b"{}"), kept);
    }
}
