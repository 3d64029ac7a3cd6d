//! The user key: the one key that opens all that is a user's, and the two lasting ways to it.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    master::Master,
    password::PasswordKey,
    seal::{self, Key, Purpose, SealError},
};
use crate::value::{Invalid, Secret, UserId};

/// Why a user key stays closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// The record is ours and unchanged, so the password or recovery key is not the right one.
    #[error("the password or recovery key does not open the user key")]
    WrongKey,
    /// The record itself was changed, moved, or belongs to another master secret.
    #[error("the user key's record is damaged")]
    Integrity(#[source] SealError),
}

/// 32 random bytes made at registration. Wallet keys and the authenticator secret are sealed under it; it is never
/// stored but wrapped, and a changed password wraps the same one again.
#[derive(Debug, Clone)]
pub struct UserKey(pub(super) Key);

impl UserKey {
    /// A new user's key.
    pub fn generate() -> Self {
        Self(Key::random())
    }

    /// Wraps it for the database: master layer, then the password's.
    pub fn wrap(&self, master: &Master, user: UserId, password: &PasswordKey) -> Vec<u8> {
        master.seal_under(&password.0, &Purpose::UserKeyByPassword(user), self.0.expose())
    }

    /// Opens what [`wrap`](Self::wrap) gave; this is the password check. Fails when the password is wrong or the
    /// record damaged, and says which.
    pub fn unwrap(master: &Master, user: UserId, password: &PasswordKey, blob: &[u8]) -> Result<Self, UnwrapError> {
        Self::open(master, &password.0, &Purpose::UserKeyByPassword(user), blob)
    }

    /// Wraps it a second time, for the day the password is lost.
    pub fn wrap_for_recovery(&self, master: &Master, user: UserId, recovery: &RecoveryKey) -> Vec<u8> {
        master.seal_under(&recovery.0, &Purpose::UserKeyByRecovery(user), self.0.expose())
    }

    /// Opens what [`wrap_for_recovery`](Self::wrap_for_recovery) gave. Fails like [`unwrap`](Self::unwrap).
    pub fn unwrap_recovery(
        master: &Master,
        user: UserId,
        recovery: &RecoveryKey,
        blob: &[u8],
    ) -> Result<Self, UnwrapError> {
        Self::open(master, &recovery.0, &Purpose::UserKeyByRecovery(user), blob)
    }

    fn open(master: &Master, key: &Key, purpose: &Purpose, blob: &[u8]) -> Result<Self, UnwrapError> {
        let inner = master.open(purpose, blob).map_err(UnwrapError::Integrity)?;
        let plain = seal::open(&key.derive(purpose), inner.expose()).map_err(|error| match error {
            SealError::DoesNotOpen => UnwrapError::WrongKey,
            damage => UnwrapError::Integrity(damage),
        })?;
        seal::exactly(&plain).map(|bytes| Self(Key::new(bytes))).map_err(UnwrapError::Integrity)
    }
}

/// What a user keeps on paper: 256 random bits, shown once.
#[derive(Debug, Clone)]
pub struct RecoveryKey(Key);

impl RecoveryKey {
    /// Crockford's base32: no I, L, O or U, so that nothing on paper can be read in two ways.
    const ALPHABET: &'static [u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    /// 32 bytes of key and 3 of checksum are exactly 56 characters of 5 bits.
    const LENGTH: usize = 56;
    const CHECKSUM: usize = 3;

    /// A new key.
    pub fn generate() -> Self {
        Self(Key::random())
    }

    /// The form to show: 14 groups of four characters, the last of them a checksum.
    pub fn text(&self) -> Secret<String> {
        let mut bytes = Zeroizing::new([0; 35]);
        bytes[..32].copy_from_slice(self.0.expose());
        bytes[32..].copy_from_slice(&Self::checksum(self.0.expose()));
        let mut text = String::with_capacity(Self::LENGTH + Self::LENGTH / 4);
        for index in 0..Self::LENGTH {
            if index > 0 && index % 4 == 0 {
                text.push('-');
            }
            let value = (0..5).fold(0, |value, bit| {
                let at = index * 5 + bit;
                value << 1 | usize::from(bytes[at / 8] >> (7 - at % 8) & 1)
            });
            text.push(char::from(Self::ALPHABET[value]));
        }
        Secret::new(text)
    }

    /// Reads the shown form in any case, with or without dashes and spaces, and O, I and L for 0, 1 and 1. Fails when
    /// a character is wrong or missing, or the checksum tells of a slip.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const SHAPE: Invalid = Invalid("expected a recovery key: 14 groups of four letters and digits");
        let mut bytes = Zeroizing::new([0_u8; 35]);
        let mut length = 0;
        for character in text.chars().filter(|character| !matches!(character, '-' | ' ' | '\n')) {
            let plain = match character.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let value = Self::ALPHABET.iter().position(|&letter| char::from(letter) == plain).ok_or(SHAPE)?;
            if length == Self::LENGTH {
                return Err(SHAPE);
            }
            for bit in 0..5 {
                let at = length * 5 + bit;
                bytes[at / 8] |= u8::from(value >> (4 - bit) & 1 == 1) << (7 - at % 8);
            }
            length += 1;
        }
        if length != Self::LENGTH {
            return Err(SHAPE);
        }
        let key = Secret::from_slice(&bytes[..32]).ok_or(SHAPE)?;
        if bytes[32..] != Self::checksum(key.expose()) {
            return Err(Invalid("the recovery key has a typing error"));
        }
        Ok(Self(Key::new(key)))
    }

    fn checksum(key: &[u8; 32]) -> [u8; Self::CHECKSUM] {
        let hash = Sha256::new().chain_update(b"wallet-server/recovery-key").chain_update(key).finalize();
        [hash[0], hash[1], hash[2]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password_key() -> PasswordKey {
        PasswordKey(Key::random())
    }

    fn master() -> Master {
        Master::new(Secret::random())
    }

    #[test]
    fn a_user_key_comes_back_by_password_and_by_recovery_key() {
        let (master, user, key) = (master(), UserId::new(), UserKey::generate());
        let (password, recovery) = (password_key(), RecoveryKey::generate());
        let by_password = key.wrap(&master, user, &password);
        let by_recovery = key.wrap_for_recovery(&master, user, &recovery);
        assert!(UserKey::unwrap(&master, user, &password, &by_password).expect("right").0.is(&key.0));
        assert!(UserKey::unwrap_recovery(&master, user, &recovery, &by_recovery).expect("right").0.is(&key.0));
    }

    #[test]
    fn a_wrong_password_is_told_from_a_damaged_record() {
        let (master, user, key, password) = (master(), UserId::new(), UserKey::generate(), password_key());
        let blob = key.wrap(&master, user, &password);
        let unwrap = |master: &Master, user, password: &PasswordKey, blob: &[u8]| {
            UserKey::unwrap(master, user, password, blob).err()
        };
        assert_eq!(unwrap(&master, user, &password_key(), &blob), Some(UnwrapError::WrongKey));
        let damaged = Some(UnwrapError::Integrity(SealError::DoesNotOpen));
        assert_eq!(unwrap(&self::master(), user, &password, &blob), damaged);
        assert_eq!(unwrap(&master, UserId::new(), &password, &blob), damaged);
        for index in 1..blob.len() {
            let mut changed = blob.clone();
            changed[index] ^= 1;
            assert_eq!(unwrap(&master, user, &password, &changed), damaged, "byte {index}");
        }
        // Whoever has the master secret alone can make an outer layer, but not one that opens.
        let bare = master.seal(&Purpose::UserKeyByPassword(user), key.0.expose());
        assert!(matches!(unwrap(&master, user, &password, &bare), Some(UnwrapError::Integrity(_))));
    }

    #[test]
    fn the_record_for_one_way_does_not_open_the_other_way() {
        let (master, user, key, secret) = (master(), UserId::new(), UserKey::generate(), Key::random());
        let blob = key.wrap(&master, user, &PasswordKey(secret.clone()));
        let other = UserKey::unwrap_recovery(&master, user, &RecoveryKey(secret), &blob);
        assert_eq!(other.err(), Some(UnwrapError::Integrity(SealError::DoesNotOpen)));
    }

    #[test]
    fn a_recovery_key_is_read_as_people_type_it() {
        for _ in 0..64 {
            let key = RecoveryKey::generate();
            let text = key.text().expose().clone();
            assert_eq!(text.len(), 69);
            let typed = text.to_lowercase().replace('0', "o").replace('1', "l").replace('-', " ");
            for form in [text.clone(), text.replace('-', ""), typed, format!("{text}\n")] {
                assert!(RecoveryKey::parse(&form).expect("its own form").0.is(&key.0), "{form}");
            }
        }
    }

    #[test]
    fn a_recovery_key_with_a_slip_is_refused() {
        let text = RecoveryKey(Key::new(Secret::new([7; 32]))).text().expose().clone();
        for index in (0..text.len()).filter(|index| index % 5 != 4) {
            for letter in RecoveryKey::ALPHABET {
                let mut changed = text.clone().into_bytes();
                if changed[index] != *letter {
                    changed[index] = *letter;
                    let changed = String::from_utf8(changed).expect("ASCII");
                    assert!(RecoveryKey::parse(&changed).is_err(), "{changed}");
                }
            }
        }
        for text in ["", &text[1..], &format!("{text}0"), &text.replace('-', "_"), &text.replacen('0', "U", 1)] {
            assert!(RecoveryKey::parse(text).is_err(), "{text}");
        }
    }
}
