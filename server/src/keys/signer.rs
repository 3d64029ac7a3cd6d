//! Signing: the one place where a wallet key is used.

use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope, TxLegacy, transaction::SignerRecoverable},
    eips::{eip2718::Encodable2718, eip2930::AccessList},
    primitives::TxKind,
    signers::SignerSync,
};

use super::wallet::WalletKey;
use crate::value::{Address, CallData, ChainId, Fees, TransactionHash, Wei};

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The tip is above the whole price of gas, which no node accepts (EIP-1559).
    #[error("the priority fee is above the fee cap")]
    Fees,
    /// A deployment without code, which a mistake can make and nobody means.
    #[error("a deployment needs data")]
    EmptyDeployment,
    /// The curve arithmetic gave no signature.
    #[error("signing failed")]
    Signature(#[from] alloy::signers::Error),
    /// The signature does not come from the wallet's address: broken hardware or worse, so it is thrown away.
    #[error("the signature does not check")]
    Faulty,
}

/// All that is signed. Nothing has a default: each field was shown to a human or follows from what was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// The only chain that the signature is good on.
    pub chain_id: ChainId,
    /// The account's transaction number.
    pub nonce: u64,
    /// The account that is called; none deploys `data`.
    pub to: Option<Address>,
    /// Native currency sent along.
    pub value: Wei,
    /// The call's input, or the init code.
    pub data: CallData,
    /// The most gas that it may use.
    pub gas_limit: u64,
    /// What a unit of gas may cost.
    pub fees: Fees,
    /// Whether to sign a gas price (EIP-155; `fees.max_fee_per_gas` is it) instead of the two fees of EIP-1559.
    pub legacy: bool,
}

/// A signed transaction, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Keccak-256 of the bytes: its name on the chain.
    pub hash: TransactionHash,
    /// EIP-2718 encoding, as `eth_sendRawTransaction` takes it.
    pub bytes: Vec<u8>,
}

impl WalletKey {
    /// Signs. The same input always gives the same bytes (RFC 6979). Fails when the fees contradict each other, when
    /// there is nothing to deploy, and when the signature does not check.
    pub fn sign(&self, unsigned: &Unsigned) -> Result<Signed, SignError> {
        let Unsigned { chain_id, nonce, to, value, data, gas_limit, fees, legacy } = unsigned;
        let to = match to {
            Some(address) => TxKind::Call(address.0),
            None if data.0.is_empty() => return Err(SignError::EmptyDeployment),
            None => TxKind::Create,
        };
        let (chain_id, nonce, gas_limit, value, input) =
            (chain_id.get(), *nonce, *gas_limit, value.0, data.0.clone().into());
        let Fees { max_fee_per_gas, max_priority_fee_per_gas } = *fees;
        let envelope = if *legacy {
            let gas_price = max_fee_per_gas;
            self.signed(TxLegacy { chain_id: Some(chain_id), nonce, gas_price, gas_limit, to, value, input })?
        } else if max_priority_fee_per_gas > max_fee_per_gas {
            return Err(SignError::Fees);
        } else {
            let access_list = AccessList::default();
            self.signed(TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                value,
                access_list,
                input,
            })?
        };
        // A wrong signature over the right fields can leak the key or pay from elsewhere; checking costs 0.2 ms.
        if envelope.recover_signer().ok() != Some(self.address().0) {
            return Err(SignError::Faulty);
        }
        Ok(Signed { hash: TransactionHash(*envelope.tx_hash()), bytes: envelope.encoded_2718() })
    }

    fn signed<T>(&self, transaction: T) -> Result<TxEnvelope, SignError>
    where
        T: SignableTransaction<alloy::primitives::Signature>,
        TxEnvelope: From<alloy::consensus::Signed<T>>,
    {
        let signature = self.signer().sign_hash_sync(&transaction.signature_hash())?;
        Ok(transaction.into_signed(signature).into())
    }
}

#[cfg(test)]
mod tests {
    use alloy::{
        consensus::Transaction,
        eips::eip2718::Decodable2718,
        primitives::{U256, hex, keccak256},
    };

    use super::*;
    use crate::value::Secret;

    fn key() -> WalletKey {
        WalletKey::from_secret(Secret::new([0x46; 32])).expect("a key")
    }

    fn unsigned() -> Unsigned {
        Unsigned {
            chain_id: ChainId::new(11_155_111).expect("in range"),
            nonce: 7,
            to: Some("0x3535353535353535353535353535353535353535".parse().expect("an address")),
            value: Wei(U256::from(10_u64.pow(18))),
            data: CallData(hex!("a9059cbb").to_vec()),
            gas_limit: 60_000,
            fees: Fees { max_fee_per_gas: 30_000_000_000, max_priority_fee_per_gas: 1_000_000_000 },
            legacy: false,
        }
    }

    #[test]
    fn the_example_of_eip_155_is_signed_byte_for_byte() {
        let signed = key().sign(&Unsigned {
            chain_id: ChainId::new(1).expect("in range"),
            nonce: 9,
            data: CallData::default(),
            gas_limit: 21_000,
            fees: Fees { max_fee_per_gas: 20_000_000_000, max_priority_fee_per_gas: 20_000_000_000 },
            legacy: true,
            ..unsigned()
        });
        let signed = signed.expect("sound");
        assert_eq!(
            hex::encode(&signed.bytes),
            "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc\
             2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb196\
             6a3b6d83"
        );
        assert_eq!(signed.hash.to_string(), "0x33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788");
    }

    #[test]
    fn two_fee_calls_and_deployments_are_what_another_implementation_signs() {
        // The Ethereum Foundation's eth-account, with the same key and fields.
        let call = key().sign(&unsigned()).expect("sound");
        assert_eq!(
            hex::encode(&call.bytes),
            "02f87a83aa36a707843b9aca008506fc23ac0082ea60943535353535353535353535353535353535353535880de0b6b3a764000084\
             a9059cbbc001a05080e0b6cff1c27b878f96efd220e272576af0da902e325fec0826e723fce85fa053190b43a57a7cc6539b2db80e\
             5cde2f16f996fed68b3a562adaf866294508ca"
        );
        assert_eq!(call.hash.to_string(), "0xb895390ac9ff772b5bcac8d466065037c45049c44cdb1b9069adafb1b7ebf527");
        let deployment = Unsigned { nonce: 0, to: None, value: Wei::ZERO, data: CallData(vec![0x60, 0]), ..unsigned() };
        assert_eq!(
            key().sign(&deployment).expect("sound").hash.to_string(),
            "0xafe4b63897e6809229fb38d7cbc0d35e774dd1f697df89ae9dba56c3bc9026fd"
        );
    }

    #[test]
    fn the_bytes_say_what_was_asked_and_who_signed() {
        for legacy in [false, true] {
            let (key, unsigned) = (WalletKey::generate(), Unsigned { legacy, ..unsigned() });
            let signed = key.sign(&unsigned).expect("sound");
            let read = TxEnvelope::decode_2718_exact(&signed.bytes).expect("its own encoding");
            assert_eq!(read.recover_signer().expect("signed"), key.address().0);
            assert_eq!((read.chain_id(), read.nonce()), (Some(unsigned.chain_id.get()), unsigned.nonce));
            assert_eq!((read.to(), read.value()), (unsigned.to.map(|to| to.0), unsigned.value.0));
            assert_eq!((read.input().as_ref(), read.gas_limit()), (unsigned.data.0.as_slice(), unsigned.gas_limit));
            assert_eq!(read.max_fee_per_gas(), unsigned.fees.max_fee_per_gas);
            assert_eq!(read.is_legacy(), legacy);
            assert_eq!(signed.hash.0, keccak256(&signed.bytes));
            assert_eq!(key.sign(&unsigned).expect("sound"), signed, "signing is deterministic");
        }
    }

    #[test]
    fn contradictions_are_not_signed() {
        let fees = Fees { max_fee_per_gas: 1, max_priority_fee_per_gas: 2 };
        assert!(matches!(key().sign(&Unsigned { fees, ..unsigned() }), Err(SignError::Fees)));
        let empty = Unsigned { to: None, data: CallData::default(), ..unsigned() };
        assert!(matches!(key().sign(&empty), Err(SignError::EmptyDeployment)));
    }
}
