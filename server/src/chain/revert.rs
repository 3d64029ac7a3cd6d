//! Why a contract refused, as nodes pass it on.

use alloy::primitives::hex;
use serde_json::Value;

/// Finds the revert data in the `data` of a JSON-RPC error, in the shapes nodes use: a hex string, the same behind
/// the word `Reverted`, or an object that holds it.
pub(super) fn data_of(data: &str) -> Option<Vec<u8>> {
    let text = match serde_json::from_str(data).ok()? {
        Value::String(text) => text,
        Value::Object(mut fields) => match fields.remove("data")? {
            Value::String(text) => text,
            _ => return None,
        },
        _ => return None,
    };
    hex::decode(text.trim_start_matches("Reverted ").strip_prefix("0x")?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_found_in_every_shape() {
        for data in [r#""0x0102""#, r#""Reverted 0x0102""#, r#"{"message":"x","data":"0x0102"}"#] {
            assert_eq!(data_of(data), Some(vec![1, 2]), "{data}");
        }
        for data in ["null", "7", "[]", r#""0xzz""#, r#"{"data":{}}"#, "{", r#""""#] {
            assert_eq!(data_of(data), None, "{data}");
        }
    }
}
