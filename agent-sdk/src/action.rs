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
    /// Send these bytes.
    Raw {
        /// The contract or account called; none deploys a contract.
        to_address: Option<Address>,
        /// How much of the native coin goes with it, in wei.
        amount: U256,
        /// Call data, or the creation code of a deployment: at most 131072 bytes, not empty when
        /// deploying.
        data: Bytes,
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
    Raw {
        #[serde(with = "address::optional", default, skip_serializing_if = "Option::is_none")]
        to_address: Option<Address>,
        #[serde(with = "amount")]
        amount: U256,
        data: Bytes,
    },
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let known = match self.clone() {
            Self::Transfer { to_address, amount } => Known::Transfer { to_address, amount },
            Self::Raw { to_address, amount, data } => Known::Raw { to_address, amount, data },
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
        if !matches!(value["type"].as_str(), Some("transfer" | "raw")) {
            return Ok(Self::Other(value));
        }
        Ok(match Known::deserialize(value).map_err(de::Error::custom)? {
            Known::Transfer { to_address, amount } => Self::Transfer { to_address, amount },
            Known::Raw { to_address, amount, data } => Self::Raw { to_address, amount, data },
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
        let action = Action::Raw { to_address: None, amount: U256::ZERO, data };
        let wire = json!({"type": "raw", "amount": "0", "data": "0x6000"});
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
