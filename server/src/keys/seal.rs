//! The seal: how a secret becomes a record that opens in one place only.
//!
//! XSalsa20-Poly1305 takes no associated data, so each record has its own key: HKDF over what the record is for and
//! whose it is. A record moved to another row, column or user does not open.

use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use xsalsa20poly1305::{AeadInPlace, KeyInit, Nonce, Tag, XSalsa20Poly1305};

use super::{payload::PayloadBinding, wallet::WalletBinding};
use crate::value::{AgentId, Secret, SessionId, UserId};

/// The first byte of every record. It selects the cipher, the layout, the key derivation and the scrypt parameters;
/// there is no other place that does, so nothing in a row can ask for weaker ones.
const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;
const HEAD: usize = 1 + NONCE + TAG;

/// Why a record does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Shorter than an empty record.
    #[error("the sealed record is too short")]
    TooShort,
    /// Sealed by a version of the server that this one does not know.
    #[error("the sealed record has an unknown version")]
    UnknownVersion,
    /// Changed, moved from elsewhere, or sealed under another key.
    #[error("the sealed record does not open with this key")]
    DoesNotOpen,
    /// It opens, and what is inside is not what belongs there.
    #[error("the sealed record holds something else")]
    WrongContent,
}

/// What a key is for. Every variant has a label of its own and names all that its record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Proves at start that the master secret is the right one.
    Canary,
    /// Signs access tokens when the operator gives no key of their own.
    TokenKey,
    /// A user key behind a password.
    UserKeyByPassword(UserId),
    /// A user key behind a recovery key.
    UserKeyByRecovery(UserId),
    /// Recognises a session's secret.
    SessionVerifier(SessionId),
    /// A user key for as long as a session lasts.
    SessionUserKey(SessionId, UserId),
    /// Recognises an API key.
    ApiKeyVerifier(AgentId),
    /// A user's authenticator secret.
    TotpSecret(UserId),
    /// Recognises a user's backup codes.
    BackupCode(UserId),
    /// A wallet's private key.
    WalletKey(WalletBinding),
    /// A signed transaction.
    Payload(PayloadBinding),
    /// Recognises a repeated request.
    Fingerprint,
}

impl Purpose {
    /// HKDF's `info`: the label and each part, each preceded by its length as 4 bytes big endian, so that no two
    /// purposes can run into the same bytes.
    fn info(&self) -> Vec<u8> {
        let mut info = Vec::with_capacity(192);
        let mut write = |label: &str, parts: &[&[u8]]| {
            for part in std::iter::once(&label.as_bytes()).chain(parts) {
                let length = u32::try_from(part.len()).expect("a label or an id is short");
                info.extend_from_slice(&length.to_be_bytes());
                info.extend_from_slice(part);
            }
        };
        match self {
            Self::Canary => write("wallet-server/canary", &[]),
            Self::TokenKey => write("wallet-server/token-key", &[]),
            Self::UserKeyByPassword(user) => write("wallet-server/user-key-by-password", &[user.as_bytes()]),
            Self::UserKeyByRecovery(user) => write("wallet-server/user-key-by-recovery", &[user.as_bytes()]),
            Self::SessionVerifier(session) => write("wallet-server/session-verifier", &[session.as_bytes()]),
            Self::SessionUserKey(session, user) => {
                write("wallet-server/session-user-key", &[session.as_bytes(), user.as_bytes()]);
            }
            Self::ApiKeyVerifier(agent) => write("wallet-server/api-key-verifier", &[agent.as_bytes()]),
            Self::TotpSecret(user) => write("wallet-server/totp-secret", &[user.as_bytes()]),
            Self::BackupCode(user) => write("wallet-server/backup-code", &[user.as_bytes()]),
            Self::WalletKey(WalletBinding { user_id, wallet_id, address }) => {
                write("wallet-server/wallet-key", &[user_id.as_bytes(), wallet_id.as_bytes(), address.as_bytes()]);
            }
            Self::Payload(PayloadBinding { transaction_id, address, chain_id, nonce, hash, kind, rung }) => write(
                "wallet-server/payload",
                &[
                    transaction_id.as_bytes(),
                    address.as_bytes(),
                    &chain_id.get().to_be_bytes(),
                    &nonce.to_be_bytes(),
                    hash.0.as_slice(),
                    kind.as_str().as_bytes(),
                    &rung.to_be_bytes(),
                ],
            ),
            Self::Fingerprint => write("wallet-server/fingerprint", &[]),
        }
        info
    }
}

/// A symmetric key: 32 bytes that are random or derived, never a password.
#[derive(Debug, Clone)]
pub struct Key(Secret<[u8; 32]>);

impl Key {
    /// Takes the bytes over.
    pub fn new(bytes: Secret<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// A random key.
    pub fn random() -> Self {
        Self(Secret::random())
    }

    /// The bytes, for a cipher or a MAC.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The key for one purpose: HKDF-SHA256 (RFC 5869) without salt.
    pub fn derive(&self, purpose: &Purpose) -> Self {
        self.expand(None, purpose)
    }

    /// The key for one purpose that needs both keys: HKDF-SHA256 with the other one as the salt.
    pub fn derive_with(&self, other: &Self, purpose: &Purpose) -> Self {
        self.expand(Some(other.expose()), purpose)
    }

    fn expand(&self, salt: Option<&[u8]>, purpose: &Purpose) -> Self {
        let mut bytes = zeroize::Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(salt, self.expose())
            .expand(&purpose.info(), &mut *bytes)
            .expect("HKDF-SHA256 gives up to 8160 bytes");
        Self(Secret::new(*bytes))
    }

    /// Whether both are the same key, in constant time.
    pub fn is(&self, other: &Self) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

/// Encrypts: version byte, 24 random bytes of nonce, then what libsodium's `crypto_secretbox_easy` gives (tag, text).
pub fn seal(key: &Key, plain: &[u8]) -> Vec<u8> {
    seal_with_nonce(key, Secret::<[u8; NONCE]>::random().expose(), plain)
}

fn seal_with_nonce(key: &Key, nonce: &[u8; NONCE], plain: &[u8]) -> Vec<u8> {
    // Room for everything at once: growing would leave a copy of the plain text behind.
    let mut blob = Vec::with_capacity(HEAD + plain.len());
    blob.push(VERSION);
    blob.extend_from_slice(nonce);
    blob.extend_from_slice(&[0; TAG]);
    blob.extend_from_slice(plain);
    let tag = XSalsa20Poly1305::new(key.expose().into())
        .encrypt_in_place_detached(nonce.into(), b"", &mut blob[HEAD..])
        .expect("only associated data is refused, and there is none");
    blob[1 + NONCE..HEAD].copy_from_slice(&tag);
    blob
}

/// Decrypts what [`seal`] gave. Fails when the record is too short, of an unknown version, changed, or another key's.
pub fn open(key: &Key, blob: &[u8]) -> Result<Secret<Vec<u8>>, SealError> {
    // The version is looked at first: what another version holds need not be as long as ours.
    let (&version, rest) = blob.split_first().ok_or(SealError::TooShort)?;
    if version != VERSION {
        return Err(SealError::UnknownVersion);
    }
    let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or(SealError::TooShort)?;
    let (tag, text) = rest.split_first_chunk::<TAG>().ok_or(SealError::TooShort)?;
    let (nonce, tag): (&Nonce, &Tag) = (nonce.into(), tag.into());
    let mut text = text.to_vec();
    // The tag is checked first, so `text` becomes plain only where it is handed out wrapped.
    XSalsa20Poly1305::new(key.expose().into())
        .decrypt_in_place_detached(nonce, b"", &mut text, tag)
        .map_err(|_| SealError::DoesNotOpen)?;
    Ok(Secret::new(text))
}

/// Reads an opened record that is exactly `N` bytes long. Fails when it is not.
pub(super) fn exactly<const N: usize>(plain: &Secret<Vec<u8>>) -> Result<Secret<[u8; N]>, SealError> {
    Secret::from_slice(plain.expose()).ok_or(SealError::WrongContent)
}

#[cfg(test)]
mod tests {
    use alloy::primitives::hex;
    use uuid::Uuid;

    use super::*;

    fn key(bytes: [u8; 32]) -> Key {
        Key::new(Secret::new(bytes))
    }

    fn counting() -> Key {
        key(std::array::from_fn(|index| index as u8))
    }

    #[test]
    fn the_nacl_secretbox_vector_is_sealed_and_opened() {
        // D. J. Bernstein, "Cryptography in NaCl", the secretbox example; libsodium gives the same bytes.
        let key = key(hex!("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389"));
        let nonce = hex!("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
        let plain = hex!(
            "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c6129"
            "6cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde"
            "048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705"
        );
        let boxed = hex!(
            "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186a"
            "c0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae"
            "90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74"
            "e355a5"
        );
        let blob = [&[1][..], &nonce, &boxed].concat();
        assert_eq!(seal_with_nonce(&key, &nonce, &plain), blob);
        assert_eq!(open(&key, &blob).expect("the published box").expose(), &plain);
    }

    #[test]
    fn a_derived_key_is_hkdf_over_the_length_prefixed_label_and_ids() {
        // Computed with an independent RFC 5869 implementation over HMAC-SHA256.
        let user = UserId(Uuid::from_bytes(hex!("0190000000007000800000000000000a")));
        assert_eq!(
            counting().derive(&Purpose::TotpSecret(user)).expose(),
            &hex!("fd0353ac5c826ac160c3bcee86f00526aeb174256720649634835665ffa76113")
        );
        assert_eq!(
            counting().derive(&Purpose::Canary).expose(),
            &hex!("177c0de5658c990dfd5702d7814e3bd7b140ec9d0f1a89f9ba9cb26a4c3013eb")
        );
    }

    #[test]
    fn no_changed_byte_goes_unnoticed() {
        let blob = seal(&counting(), b"approved by a human");
        for index in 0..blob.len() {
            for bit in 0..8 {
                let mut changed = blob.clone();
                changed[index] ^= 1 << bit;
                let expected = if index == 0 { SealError::UnknownVersion } else { SealError::DoesNotOpen };
                assert_eq!(open(&counting(), &changed).err(), Some(expected), "byte {index} bit {bit}");
            }
        }
    }

    #[test]
    fn a_cut_or_lengthened_record_does_not_open() {
        let blob = seal(&counting(), b"");
        assert_eq!(blob.len(), HEAD);
        for length in 0..HEAD {
            assert_eq!(open(&counting(), &blob[..length]).err(), Some(SealError::TooShort), "{length} bytes");
        }
        assert_eq!(open(&counting(), &[blob, vec![0]].concat()).err(), Some(SealError::DoesNotOpen));
    }

    #[test]
    fn another_key_opens_nothing_and_two_seals_never_look_alike() {
        let blob = seal(&counting(), b"secret");
        assert_eq!(open(&Key::random(), &blob).err(), Some(SealError::DoesNotOpen));
        assert_ne!(seal(&counting(), b"secret"), blob);
    }
}
