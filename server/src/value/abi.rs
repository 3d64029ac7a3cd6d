//! What callers say about a contract: its ABI and the arguments of a call, as JSON, bounded but not yet understood.

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;

use super::Invalid;

/// How deep JSON may nest, in an ABI and in arguments: far deeper than contracts do, far from any stack's end.
const DEEPEST: usize = 16;

/// A contract's interface as its caller gives it: a JSON ABI (an array of entries, or one entry), or a string that
/// holds such JSON or a human-readable signature like `function stake(uint256 amount)`. At most 256 KiB as JSON, 16
/// levels deep. `abi` reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ContractAbi(pub Value);

impl ContractAbi {
    /// The most bytes it may have, written as JSON: the largest published ABIs have about half of it.
    pub const LARGEST: usize = 262_144;
}

impl TryFrom<Value> for ContractAbi {
    type Error = Invalid;

    fn try_from(value: Value) -> Result<Self, Invalid> {
        if !matches!(value, Value::String(_) | Value::Array(_) | Value::Object(_)) {
            return Err(Invalid("expected a JSON ABI or a function signature"));
        }
        bounded(&value, Self::LARGEST)
            .map_err(|_| Invalid("expected an ABI of at most 262144 bytes, 16 levels deep"))?;
        Ok(Self(value))
    }
}

impl<'de> Deserialize<'de> for ContractAbi {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

/// The arguments of a call, in order: numbers as decimal or `0x` strings (small ones also as JSON numbers), tuples as
/// arrays or objects, bytes and addresses as `0x` strings. At most 256 KiB as JSON, 16 levels deep. `abi` reads them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
#[serde(transparent)]
pub struct Arguments(pub Vec<Value>);

impl Arguments {
    /// The most bytes they may have, written as JSON: call data of 128 KiB in hexadecimal.
    pub const LARGEST: usize = 262_144;
}

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let arguments = Value::deserialize(deserializer)?;
        bounded(&arguments, Self::LARGEST)
            .map_err(|_| D::Error::custom("expected arguments of at most 262144 bytes, 16 levels deep"))?;
        match arguments {
            Value::Array(arguments) => Ok(Self(arguments)),
            _ => Err(D::Error::custom("expected an array of arguments")),
        }
    }
}

struct TooMuch;

fn bounded(value: &Value, largest: usize) -> Result<(), TooMuch> {
    if depth(value) > DEEPEST {
        return Err(TooMuch);
    }
    // A JSON value can always be written.
    let length = serde_json::to_vec(value).map_or(usize::MAX, |bytes| bytes.len());
    if length > largest { Err(TooMuch) } else { Ok(()) }
}

/// serde_json refuses to read what is deeper than 128, so this ends.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_too_deep_too_large_or_no_abi_at_all_is_refused() {
        let nested = |levels: usize| (0..levels).fold(json!("x"), |inner, _| json!([inner]));
        assert!(ContractAbi::try_from(nested(DEEPEST)).is_ok());
        assert!(ContractAbi::try_from(nested(DEEPEST + 1)).is_err());
        assert!(ContractAbi::try_from(json!("a".repeat(ContractAbi::LARGEST))).is_err());
        for value in [json!(null), json!(7), json!(true)] {
            assert!(ContractAbi::try_from(value).is_err());
        }
        assert!(serde_json::from_value::<Arguments>(nested(DEEPEST + 1)).is_err());
        assert!(serde_json::from_value::<Arguments>(json!({ "amount": "1" })).is_err());
    }
}
