//! Wallet keys: the ones that move money.

use alloy::signers::local::PrivateKeySigner;

use super::{
    master::Master,
    seal::{self, Purpose, SealError},
    user::UserKey,
};
use crate::value::{Address, Secret, UserId, WalletId};

/// Why a wallet key stays closed. Either is damage or an attack, never a user's mistake: by then the user key is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The record was changed, or belongs to another wallet, address or user.
    #[error("the wallet key's record is damaged")]
    Sealed(#[from] SealError),
    /// The bytes are no private key, or one of another address.
    #[error("the wallet key does not belong to the wallet's address")]
    WrongAddress,
}

/// The row that a wallet key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalletBinding {
    /// The owner.
    pub user_id: UserId,
    /// The wallet.
    pub wallet_id: WalletId,
    /// The address that the key must derive.
    pub address: Address,
}

/// A secp256k1 private key in hand: open only while its owner is present, and wiped when dropped.
#[derive(Debug)]
pub struct WalletKey {
    secret: Secret<[u8; 32]>,
    address: Address,
}

impl WalletKey {
    /// A new wallet's key, from the operating system's randomness.
    pub fn generate() -> Self {
        loop {
            // All but one in 2^128 of the 32-byte strings are private keys.
            if let Some(key) = Self::from_secret(Secret::random()) {
                return key;
            }
        }
    }

    /// Takes 32 bytes over, or gives nothing when they are zero or not below the curve's order.
    pub(super) fn from_secret(secret: Secret<[u8; 32]>) -> Option<Self> {
        let address = Address(PrivateKeySigner::from_slice(secret.expose()).ok()?.address());
        Some(Self { secret, address })
    }

    /// The account it controls.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Seals it under the user key, bound to the owner, the wallet and the address.
    pub fn seal(&self, master: &Master, user_id: UserId, wallet_id: WalletId, key: &UserKey) -> Vec<u8> {
        let purpose = Purpose::WalletKey(WalletBinding { user_id, wallet_id, address: self.address });
        master.seal_under(&key.0, &purpose, self.secret.expose())
    }

    /// Opens what [`seal`](Self::seal) gave. Fails when the record was changed or moved, and when the key does not
    /// derive the row's address: a human approved that address and no other.
    pub fn open(master: &Master, row: &WalletBinding, key: &UserKey, blob: &[u8]) -> Result<Self, OpenError> {
        let plain = master.open_under(&key.0, &Purpose::WalletKey(*row), blob)?;
        let opened = Self::from_secret(seal::exactly(&plain)?).ok_or(OpenError::WrongAddress)?;
        if opened.address == row.address { Ok(opened) } else { Err(OpenError::WrongAddress) }
    }

    /// The 32 bytes, for [`keystore`](super::keystore) alone: they leave only encrypted.
    pub(super) fn secret(&self) -> &Secret<[u8; 32]> {
        &self.secret
    }

    /// The key in the form that signs. It is made for one signature and wiped after it (k256's `SigningKey` zeroizes
    /// its scalar on drop), so that between signatures there is one copy to wipe.
    pub(super) fn signer(&self) -> PrivateKeySigner {
        PrivateKeySigner::from_slice(self.secret.expose()).expect("it was read once before, in from_secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: &WalletKey) -> WalletBinding {
        WalletBinding { user_id: UserId::new(), wallet_id: WalletId::new(), address: key.address() }
    }

    #[test]
    fn a_published_key_has_its_published_address() {
        // The key of EIP-155's example, and the first account of the test mnemonic that every development node uses.
        let key = WalletKey::from_secret(Secret::new([0x46; 32])).expect("a key");
        assert_eq!(key.address().to_string(), "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F");
        let bytes = alloy::primitives::hex!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
        let key = WalletKey::from_secret(Secret::new(bytes)).expect("a key");
        assert_eq!(key.address().to_string(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    }

    #[test]
    fn zero_and_the_curves_order_are_no_keys() {
        let order = alloy::primitives::hex!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
        for bytes in [[0; 32], order, [0xff; 32]] {
            assert!(WalletKey::from_secret(Secret::new(bytes)).is_none());
        }
    }

    #[test]
    fn a_wallet_key_opens_in_its_own_row_only() {
        let (master, user_key, key) = (Master::new(Secret::random()), UserKey::generate(), WalletKey::generate());
        let row = row(&key);
        let blob = key.seal(&master, row.user_id, row.wallet_id, &user_key);
        let opened = WalletKey::open(&master, &row, &user_key, &blob).expect("its own");
        assert_eq!(opened.secret.expose(), key.secret.expose());
        for other in [
            WalletBinding { user_id: UserId::new(), ..row },
            WalletBinding { wallet_id: WalletId::new(), ..row },
            WalletBinding { address: WalletKey::generate().address(), ..row },
            WalletBinding { user_id: UserId(row.wallet_id.0), wallet_id: WalletId(row.user_id.0), ..row },
        ] {
            assert!(matches!(WalletKey::open(&master, &other, &user_key, &blob), Err(OpenError::Sealed(_))));
        }
        assert!(WalletKey::open(&master, &row, &UserKey::generate(), &blob).is_err());
        assert!(WalletKey::open(&Master::new(Secret::random()), &row, &user_key, &blob).is_err());
    }

    #[test]
    fn a_key_of_another_address_is_refused_even_when_its_record_is_sound() {
        let (master, user_key, key) = (Master::new(Secret::random()), UserKey::generate(), WalletKey::generate());
        let row = row(&key);
        let sealed = |bytes: &[u8]| master.seal_under(&user_key.0, &Purpose::WalletKey(row), bytes);
        let open = |blob: &[u8]| WalletKey::open(&master, &row, &user_key, blob).err();
        assert_eq!(open(&sealed(WalletKey::generate().secret.expose())), Some(OpenError::WrongAddress));
        assert_eq!(open(&sealed(&[0; 32])), Some(OpenError::WrongAddress));
        assert_eq!(open(&sealed(&[1; 31])), Some(OpenError::Sealed(SealError::WrongContent)));
    }
}
