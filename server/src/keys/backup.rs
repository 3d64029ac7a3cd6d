//! Backup codes: what stands in for a lost authenticator app.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{master::Master, seal::Purpose};
use crate::value::{BackupCode, UserId};

/// What the database keeps of a backup code: HMAC-SHA256 under a master subkey of the user. The same code always gives
/// the same bytes, so that spending it is one conditional update; 100 random bits need no slow hash. It depends on the
/// master secret for ever: replacing that makes new codes necessary.
pub fn verifier(master: &Master, user: UserId, code: &BackupCode) -> [u8; 32] {
    let key = master.subkey(&Purpose::BackupCode(user));
    Hmac::<Sha256>::new_from_slice(key.expose())
        .expect("HMAC takes a key of any length")
        .chain_update(code.expose())
        .finalize()
        .into_bytes()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Secret;

    #[test]
    fn a_verifier_is_the_same_for_every_spelling_and_for_nobody_else() {
        let (master, user, code) = (Master::new(Secret::random()), UserId::new(), BackupCode::random());
        let kept = verifier(&master, user, &code);
        let typed = code.grouped().to_uppercase().parse().expect("its own form");
        assert_eq!(verifier(&master, user, &typed), kept);
        assert_ne!(verifier(&master, user, &BackupCode::random()), kept);
        assert_ne!(verifier(&master, UserId::new(), &code), kept);
        assert_ne!(verifier(&Master::new(Secret::random()), user, &code), kept);
    }
}
