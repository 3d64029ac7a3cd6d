//! What an agent asks for.

use alloy::primitives::{Address, Bytes, U256};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::{address, amount};

/// What an agent asks the wallet to do. New kinds may appear: match with a wildcard arm.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Send the chain's native coin.
    Transfer {
        /// Who receives it.
        to_address: Address,
        /// How much, in wei.
        amount: U256,
    },
    /// Send an ERC-20 token.
    TransferErc20 {
        /// The token's contract.
        token_address: Address,
        /// Who receives it.
        to_address: Address,
        /// How much, in the token's smallest unit.
        amount: U256,
    },
    /// Call a function of a contract; the server encodes the arguments.
    ContractCall {
        /// The contract called.
        contract_address: Address,
        /// Its interface: a JSON ABI (an array of entries, or one entry), or a text that holds such
        /// JSON or a signature like `function stake(uint256 amount, address to)`.
        contract_abi: Value,
        /// The function: its name, or its whole signature where several share the name.
        function_name: String,
        /// The arguments in order: numbers as decimal or `0x` strings, tuples as arrays or objects,
        /// bytes and addresses as `0x` strings.
        function_args: Vec<Value>,
        /// How much of the native coin goes with it, in wei; none is 0.
        amount: Option<U256>,
    },
    /// Send these bytes.
    Raw {
        /// The contract or account called; none deploys a contract.
        to_address: Option<Address>,
        /// How much of the native coin goes with it, in wei.
        amount: U256,
        /// Call data, or the creation code of a deployment: at most 131072 bytes, not empty when
        /// deploying.
        data: Bytes,
        /// The contract's interface, so that the human can read the call: believed only where it
        /// fits the bytes. In the forms of [`ContractCall`](Self::ContractCall)'s.
        contract_abi: Option<Value>,
    },
    /// A kind this version of the SDK does not know: the whole JSON object.
    Other(Value),
}

/// The kinds this version knows, in their wire form.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Known {
    Transfer {
        #[serde(with = "address")]
        to_address: Address,
        #[serde(with = "amount")]
        amount: U256,
    },
    TransferErc20 {
        #[serde(with = "address")]
        token_address: Address,
        #[serde(with = "address")]
        to_address: Address,
        #[serde(with = "amount")]
        amount: U256,
    },
    ContractCall {
        #[serde(with = "address")]
        contract_address: Address,
        contract_abi: Value,
        function_name: String,
        function_args: Vec<Value>,
        #[serde(with = "amount::optional", default, skip_serializing_if = "Option::is_none")]
        amount: Option<U256>,
    },
    Raw {
        #[serde(with = "address::optional", default, skip_serializing_if = "Option::is_none")]
        to_address: Option<Address>,
        #[serde(with = "amount")]
        amount: U256,
        data: Bytes,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contract_abi: Option<Value>,
    },
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let known = match self.clone() {
            Self::Transfer { to_address, amount } => Known::Transfer { to_address, amount },
            Self::TransferErc20 { token_address, to_address, amount } => {
                Known::TransferErc20 { token_address, to_address, amount }
            }
            Self::ContractCall { contract_address, contract_abi, function_name, function_args, amount } => {
                Known::ContractCall { contract_address, contract_abi, function_name, function_args, amount }
            }
            Self::Raw { to_address, amount, data, contract_abi } => {
                Known::Raw { to_address, amount, data, contract_abi }
            }
            Self::Other(value) => return value.serialize(serializer),
        };
        known.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        // A known kind that does not parse is an error, never `Other`: it must not slip past a
        // match.
        if !matches!(value["type"].as_str(), Some("transfer" | "transfer_erc20" | "contract_call" | "raw")) {
            return Ok(Self::Other(value));
        }
        Ok(match Known::deserialize(value).map_err(de::Error::custom)? {
            Known::Transfer { to_address, amount } => Self::Transfer { to_address, amount },
            Known::TransferErc20 { token_address, to_address, amount } => {
                Self::TransferErc20 { token_address, to_address, amount }
            }
            Known::ContractCall { contract_address, contract_abi, function_name, function_args, amount } => {
                Self::ContractCall { contract_address, contract_abi, function_name, function_args, amount }
            }
            Known::Raw { to_address, amount, data, contract_abi } => {
                Self::Raw { to_address, amount, data, contract_abi }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::address;
    use serde_json::json;

    use super::*;

    const TO: Address = address!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");

    #[test]
    fn a_transfer_has_the_contracts_wire_form() {
        let action = Action::Transfer { to_address: TO, amount: U256::from(5) };
        let wire = json!({"type": "transfer", "to_address": TO.to_checksum(None), "amount": "5"});
        assert_eq!(serde_json::to_value(&action).expect("json"), wire);
        assert_eq!(serde_json::from_value::<Action>(wire).expect("action"), action);
    }

    #[test]
    fn a_deployment_has_no_to_address_key() {
        let data = Bytes::from_static(&[0x60, 0x00]);
        let action = Action::Raw { to_address: None, amount: U256::ZERO, data, contract_abi: None };
        let wire = json!({"type": "raw", "amount": "0", "data": "0x6000"});
        assert_eq!(serde_json::to_value(&action).expect("json"), wire);
        assert_eq!(serde_json::from_value::<Action>(wire).expect("action"), action);
    }

    #[test]
    fn a_token_transfer_has_the_contracts_wire_form() {
        let action = Action::TransferErc20 { token_address: TO, to_address: Address::ZERO, amount: U256::MAX };
        let wire = json!({
            "type": "transfer_erc20", "token_address": TO.to_checksum(None),
            "to_address": "0x0000000000000000000000000000000000000000", "amount": U256::MAX.to_string(),
        });
        assert_eq!(serde_json::to_value(&action).expect("json"), wire);
        assert_eq!(serde_json::from_value::<Action>(wire).expect("action"), action);
    }

    #[test]
    fn an_unknown_kind_is_kept_whole_and_a_malformed_known_one_is_an_error() {
        let wire = json!({"type": "stake", "validator": 7});
        let action: Action = serde_json::from_value(wire.clone()).expect("any kind");
        assert_eq!(action, Action::Other(wire));

        let malformed = json!({"type": "transfer", "to_address": TO.to_checksum(None), "amount": "05"});
        assert!(serde_json::from_value::<Action>(malformed).is_err());
    }
}
