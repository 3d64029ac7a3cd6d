//! Wallet keys under a passphrase: Web3 Secret Storage, version 3, as geth, cast, ethers and eth-account read and write
//! it (ethereum.org, "Web3 secret storage definition").
//!
//! A file that somebody else made says how much work it takes to open it. It is believed only up to what this server
//! spends on a password of its own, and a little more.

use aes::cipher::{KeyIvInit, StreamCipher};
use alloy::primitives::{hex, keccak256};
use scrypt::Params;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    password::{Busy, Kdf},
    wallet::WalletKey,
};
use crate::value::{Password, Secret};

/// log2 of scrypt's cost in the files made here, with r = 8 and p = 1: what ethers writes, and what passwords cost here.
const LOG_N: u8 = 17;
const R: u32 = 8;
const P: u32 = 1;

/// The most memory that a file may make scrypt take, 128 * r * (N + p) bytes: that of geth's standard files, 256 MiB and a
/// little.
const MOST_MEMORY: u64 = 257 << 20;
/// The most work, N * r * p: twice that of geth's standard files; about two seconds.
const MOST_WORK: u64 = 1 << 22;
/// The most rounds of PBKDF2; files have 262144.
const MOST_ROUNDS: u32 = 2_000_000;

/// Why a file gives no key. Never holds any part of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeystoreError {
    /// It is no such file, or of another version, cipher or function.
    #[error("expected a Web3 Secret Storage file of version 3, with aes-128-ctr and scrypt or pbkdf2")]
    Malformed,
    /// To open it would cost too much.
    #[error("expected at most 256 MiB and 2^22 steps of scrypt, or 2000000 rounds of pbkdf2")]
    TooExpensive,
    /// The passphrase is another one, or the file was changed.
    #[error("the passphrase does not open it")]
    WrongPassphrase,
    /// It opens, and holds no private key, or not that of the address it names.
    #[error("it does not hold the key of the address it names")]
    WrongKey,
}

#[derive(Deserialize)]
struct File {
    version: u8,
    #[serde(default)]
    address: Option<String>,
    #[serde(alias = "Crypto")]
    crypto: Crypto,
}

#[derive(Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParams,
    ciphertext: String,
    #[serde(flatten)]
    function: Function,
    mac: String,
}

#[derive(Deserialize)]
struct CipherParams {
    iv: String,
}

#[derive(Deserialize)]
#[serde(tag = "kdf", content = "kdfparams", rename_all = "lowercase")]
enum Function {
    Scrypt { dklen: u32, n: u64, r: u32, p: u32, salt: String },
    Pbkdf2 { dklen: u32, c: u32, prf: String, salt: String },
}

/// What turns a passphrase into a key, within bounds.
enum Stretch {
    Scrypt(Params, Vec<u8>),
    Pbkdf2(u32, Vec<u8>),
}

/// A file that was read, within bounds, and not opened yet.
struct Sealed {
    stretch: Stretch,
    iv: [u8; 16],
    ciphertext: [u8; 32],
    mac: [u8; 32],
    address: Option<[u8; 20]>,
}

/// Writes a wallet's key under a passphrase.
///
/// Fails with [`Busy`] when too many passwords are being checked.
pub async fn export(kdf: &Kdf, key: &WalletKey, passphrase: &Password) -> Result<Value, Busy> {
    let (salt, iv) = (*Secret::<[u8; 32]>::random().expose(), *Secret::<[u8; 16]>::random().expose());
    let (secret, passphrase) = (key.secret().clone(), passphrase.clone());
    let address = hex::encode(key.address().as_bytes());
    let sealed = kdf.run(move || {
        let params = Params::new(LOG_N, R, P).expect("the parameters are constants within scrypt's limits");
        let derived = Stretch::Scrypt(params, salt.to_vec()).derive(&passphrase);
        let mut ciphertext = *secret.expose();
        apply(&derived, &iv, &mut ciphertext);
        (ciphertext, mac(&derived, &ciphertext))
    });
    let (ciphertext, mac) = sealed.await?;
    Ok(json!({
        "version": 3,
        "id": Uuid::from_bytes(*Secret::random().expose()),
        "address": address,
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": { "iv": hex::encode(iv) },
            "ciphertext": hex::encode(ciphertext),
            "kdf": "scrypt",
            "kdfparams": { "dklen": 32, "n": 1_u64 << LOG_N, "r": R, "p": P, "salt": hex::encode(salt) },
            "mac": hex::encode(mac),
        },
    }))
}

/// Opens a file that anybody may have made.
///
/// Fails with [`KeystoreError`], or with [`Busy`] when too many passwords are being checked.
pub async fn import(kdf: &Kdf, file: &Value, passphrase: &Password) -> Result<Result<WalletKey, KeystoreError>, Busy> {
    let sealed = match Sealed::read(file) {
        Ok(sealed) => sealed,
        Err(error) => return Ok(Err(error)),
    };
    let passphrase = passphrase.clone();
    kdf.run(move || sealed.open(&passphrase)).await
}

impl Sealed {
    fn read(file: &Value) -> Result<Self, KeystoreError> {
        let File { version, address, crypto } = File::deserialize(file).map_err(|_| KeystoreError::Malformed)?;
        let Crypto { cipher, cipherparams, ciphertext, function, mac } = crypto;
        if version != 3 || cipher != "aes-128-ctr" {
            return Err(KeystoreError::Malformed);
        }
        let address = address.filter(|address| !address.is_empty());
        Ok(Self {
            stretch: Stretch::bounded(function)?,
            iv: exactly(&cipherparams.iv)?,
            ciphertext: exactly(&ciphertext)?,
            mac: exactly(&mac)?,
            address: address.map(|address| exactly(&address)).transpose()?,
        })
    }

    fn open(self, passphrase: &Password) -> Result<WalletKey, KeystoreError> {
        let derived = self.stretch.derive(passphrase);
        if !bool::from(mac(&derived, &self.ciphertext).ct_eq(&self.mac)) {
            return Err(KeystoreError::WrongPassphrase);
        }
        let mut plain = Zeroizing::new(self.ciphertext);
        apply(&derived, &self.iv, &mut *plain);
        let key = WalletKey::from_secret(Secret::new(*plain)).ok_or(KeystoreError::WrongKey)?;
        let named = self.address.is_none_or(|address| key.address().as_bytes() == address);
        if named { Ok(key) } else { Err(KeystoreError::WrongKey) }
    }
}

impl Stretch {
    fn bounded(function: Function) -> Result<Self, KeystoreError> {
        let (stretch, length) = match function {
            Function::Scrypt { dklen, n, r, p, salt } => {
                let (block, lanes) = (u64::from(r), u64::from(p));
                let memory = n.checked_add(lanes).and_then(|rows| rows.checked_mul(block)?.checked_mul(128));
                let work = n.checked_mul(block).and_then(|cells| cells.checked_mul(lanes));
                let fits =
                    memory.is_some_and(|memory| memory <= MOST_MEMORY) && work.is_some_and(|work| work <= MOST_WORK);
                if !fits {
                    return Err(KeystoreError::TooExpensive);
                }
                if !n.is_power_of_two() || n < 2 {
                    return Err(KeystoreError::Malformed);
                }
                let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| KeystoreError::Malformed)?;
                let params = Params::new(log_n, r, p).map_err(|_| KeystoreError::Malformed)?;
                (Self::Scrypt(params, salted(&salt)?), dklen)
            }
            Function::Pbkdf2 { dklen, c, prf, salt } => {
                if c > MOST_ROUNDS {
                    return Err(KeystoreError::TooExpensive);
                }
                if c == 0 || prf != "hmac-sha256" {
                    return Err(KeystoreError::Malformed);
                }
                (Self::Pbkdf2(c, salted(&salt)?), dklen)
            }
        };
        if length == 32 { Ok(stretch) } else { Err(KeystoreError::Malformed) }
    }

    fn derive(&self, passphrase: &Password) -> Zeroizing<[u8; 32]> {
        let mut derived = Zeroizing::new([0; 32]);
        match self {
            Self::Scrypt(params, salt) => {
                scrypt::scrypt(passphrase.expose(), salt, params, &mut *derived)
                    .expect("32 bytes are a length scrypt can give");
            }
            Self::Pbkdf2(rounds, salt) => {
                pbkdf2::pbkdf2_hmac::<Sha256>(passphrase.expose(), salt, *rounds, &mut *derived);
            }
        }
        derived
    }
}

/// AES-128-CTR with the first half of the derived key: encrypts and decrypts.
fn apply(derived: &[u8; 32], iv: &[u8; 16], bytes: &mut [u8]) {
    let mut key = Zeroizing::new([0; 16]);
    key.copy_from_slice(&derived[..16]);
    ctr::Ctr128BE::<aes::Aes128>::new((&*key).into(), iv.into()).apply_keystream(bytes);
}

/// Keccak-256 over the second half of the derived key and the ciphertext.
fn mac(derived: &[u8; 32], ciphertext: &[u8; 32]) -> [u8; 32] {
    let mut input = Zeroizing::new([0; 48]);
    input[..16].copy_from_slice(&derived[16..]);
    input[16..].copy_from_slice(ciphertext);
    keccak256(*input).0
}

fn salted(text: &str) -> Result<Vec<u8>, KeystoreError> {
    let salt = bytes(text)?;
    if (1..=64).contains(&salt.len()) { Ok(salt) } else { Err(KeystoreError::Malformed) }
}

fn exactly<const N: usize>(text: &str) -> Result<[u8; N], KeystoreError> {
    bytes(text)?.try_into().map_err(|_| KeystoreError::Malformed)
}

fn bytes(text: &str) -> Result<Vec<u8>, KeystoreError> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let short = digits.len() <= 128 && !digits.starts_with("0x");
    if short { hex::decode(digits).map_err(|_| KeystoreError::Malformed) } else { Err(KeystoreError::Malformed) }
}

#[cfg(test)]
#[path = "keystore_tests.rs"]
mod tests;
