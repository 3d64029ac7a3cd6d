//! Using up a nonce that holds others up: what would be signed, shown before it is.

use alloy::primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::call::{Call, Repeat};
use crate::digest::{of_parts, unix_microseconds};
use crate::{Error, Secret, address, amount};

const TAG: &[u8] = b"wallet-server clear nonce v1";
const PREVIEW: &str = "api/preview_clear_nonce";

/// What would be signed to use up a nonce: a transaction of nothing from an account to itself, at
/// today's price.
///
/// [`UserClient::preview_clear_nonce`](crate::UserClient::preview_clear_nonce) gives it, and
/// [`UserClient::clear_nonce`](crate::UserClient::clear_nonce) sends exactly it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NonceClearing {
    /// Whose account it is: who is logged in. No part of the server's answer, but of the digest.
    #[serde(skip)]
    pub user_id: Uuid,
    /// The account that signs, pays and receives nothing.
    #[serde(with = "address")]
    pub address: Address,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// The nonce that is used up.
    pub nonce: u64,
    /// Most gas it may use; 0 where nothing is signed: then the nonce is given up on the user's word,
    /// since no transaction can be sent for it any more.
    pub gas_limit: u64,
    /// Most wei per gas it may cost (EIP-1559; the gas price on chains without).
    #[serde(with = "amount")]
    pub max_fee_per_gas: U256,
    /// Most wei per gas that may go to the block's builder (EIP-1559).
    #[serde(with = "amount")]
    pub max_priority_fee_per_gas: U256,
    /// `gas_limit` × `max_fee_per_gas`, in wei.
    #[serde(with = "amount")]
    pub worst_case_fee: U256,
    /// SHA-256 over every field that changes the meaning: see
    /// [`computed_digest`](Self::computed_digest).
    pub digest: B256,
    /// Until when it can be approved as it is.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// The transaction that has the nonce; none where nothing of the user's uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<Uuid>,
}

/// The account, and the nonce where one is chosen.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct PreviewBody {
    #[serde(with = "address")]
    pub(crate) address: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) chain_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<u64>,
}

impl PreviewBody {
    pub(crate) fn call(&self) -> Result<Call, Error> {
        Call::post(PREVIEW, self)
    }

    /// The answer for this user. Fails when it is about another account, chain or nonce, and when
    /// its digest is not its own.
    pub(crate) fn checked(self, answer: NonceClearing, user_id: Uuid) -> Result<NonceClearing, Error> {
        let Self { address, chain_id, nonce } = self;
        let as_asked = answer.address == address
            && chain_id.is_none_or(|chain_id| answer.chain_id == chain_id)
            && nonce.is_none_or(|nonce| answer.nonce == nonce);
        if !as_asked {
            return Err(Error::AnotherAnswer { path: PREVIEW });
        }
        let clearing = NonceClearing { user_id, ..answer };
        clearing.check()?;
        Ok(clearing)
    }
}

impl NonceClearing {
    /// The digest of the fields as they are here: SHA-256 over a tag, user, account, chain, nonce,
    /// gas, fees and `expires_at`, each preceded by its length (4 bytes, big endian).
    #[must_use]
    pub fn computed_digest(&self) -> B256 {
        of_parts(&[
            TAG,
            self.user_id.as_bytes(),
            self.address.as_slice(),
            &self.chain_id.to_be_bytes(),
            &self.nonce.to_be_bytes(),
            &self.gas_limit.to_be_bytes(),
            &self.max_fee_per_gas.to_be_bytes::<32>(),
            &self.max_priority_fee_per_gas.to_be_bytes::<32>(),
            &unix_microseconds(self.expires_at).to_be_bytes(),
        ])
    }

    /// Fails when the digest is not the digest of the fields.
    fn check(&self) -> Result<(), Error> {
        let computed = self.computed_digest();
        if self.digest == computed {
            return Ok(());
        }
        Err(Error::ClearingMismatch { nonce: self.nonce, claimed: self.digest, computed })
    }

    /// The call that signs and sends it. Fails when the digest is not the digest of the fields.
    pub(crate) fn call(&self, mfa_code: &Secret) -> Result<Call, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(with = "address")]
            address: Address,
            chain_id: u64,
            nonce: u64,
            mfa_code: &'a str,
            digest: B256,
        }
        self.check()?;
        let Self { address, chain_id, nonce, digest, .. } = *self;
        let body = Body { address, chain_id, nonce, mfa_code: mfa_code.expose(), digest };
        Ok(Call::post("api/clear_nonce", &body)?.repeat(Repeat::Unprocessed))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use time::Duration;

    use super::*;

    /// The published vectors; their digests were computed by another program.
    fn vectors() -> Vec<(NonceClearing, Value)> {
        let vectors: Vec<Value> =
            serde_json::from_str(include_str!("../../docs/clear-nonce-vectors.json")).expect("a list of objects");
        let read = |mut wire: Value| {
            let fields = wire.as_object_mut().expect("an object");
            fields.remove("name");
            let user_id = fields.remove("user_id").and_then(|id| id.as_str()?.parse().ok()).expect("an id");
            let answer: NonceClearing = serde_json::from_value(wire.clone()).expect("a clearing");
            (NonceClearing { user_id, ..answer }, wire)
        };
        vectors.into_iter().map(read).collect()
    }

    #[test]
    fn every_published_vector_has_the_digest_another_program_computed() {
        assert!(vectors().len() >= 2);
        for (clearing, _) in vectors() {
            assert_eq!(clearing.computed_digest(), clearing.digest);
        }
    }

    #[test]
    fn a_clearing_is_written_as_it_was_read() {
        for (clearing, wire) in vectors() {
            assert_eq!(serde_json::to_value(&clearing).expect("json"), wire);
        }
        let (clearing, mut wire) = vectors().swap_remove(0);
        wire["transaction_id"] = "0197a3c1-7b1e-7c3a-9f00-0123456789ab".into();
        let read: NonceClearing = serde_json::from_value(wire.clone()).expect("a clearing");
        assert_eq!(read.computed_digest(), NonceClearing { user_id: Uuid::nil(), ..clearing }.computed_digest());
        assert_eq!(serde_json::to_value(&read).expect("json"), wire);
    }

    #[test]
    fn every_field_that_is_signed_changes_the_digest_and_is_then_not_sent() {
        let changes: [fn(&mut NonceClearing); 8] = [
            |clearing| clearing.user_id = Uuid::nil(),
            |clearing| clearing.address = Address::ZERO,
            |clearing| clearing.chain_id += 1,
            |clearing| clearing.nonce += 1,
            |clearing| clearing.gas_limit += 1,
            |clearing| clearing.max_fee_per_gas += U256::ONE,
            |clearing| clearing.max_priority_fee_per_gas += U256::ONE,
            |clearing| clearing.expires_at += Duration::MICROSECOND,
        ];
        for (index, change) in changes.iter().enumerate() {
            let (mut clearing, _) = vectors().swap_remove(0);
            assert!(clearing.call(&Secret::from("123456")).is_ok());
            change(&mut clearing);
            let refused = clearing.call(&Secret::from("123456")).err();
            assert!(matches!(refused, Some(Error::ClearingMismatch { .. })), "change {index}");
        }
    }
}
