//! Why a contract refused, in its own words.

use serde_json::Value;

use super::answer::clean;
use alloy::primitives::{U256, hex};

/// `Error(string)` (Solidity, "Control structures: revert").
const ERROR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
/// `Panic(uint256)`.
const PANIC: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];

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

/// What revert data says, fit for humans; nothing when there is none.
pub(super) fn explain(data: &[u8]) -> Option<String> {
    let (selector, rest) = data.split_first_chunk::<4>()?;
    let words = match *selector {
        ERROR => string(rest).map(|text| clean(&text)).filter(|text| !text.is_empty()),
        PANIC => word(rest, 0).map(panic),
        _ => None,
    };
    Some(words.unwrap_or_else(|| format!("custom error 0x{}", hex::encode(selector))))
}

/// The word (32 bytes) at an offset.
fn word(data: &[u8], offset: usize) -> Option<U256> {
    data.get(offset..)?.first_chunk::<32>().map(|bytes| U256::from_be_bytes(*bytes))
}

/// One ABI-encoded string: offset, length, bytes.
fn string(data: &[u8]) -> Option<String> {
    let offset = usize::try_from(word(data, 0)?).ok()?;
    let length = usize::try_from(word(data, offset)?).ok()?;
    let text = data.get(offset.checked_add(32)?..)?.get(..length)?;
    Some(String::from_utf8_lossy(text).into_owned())
}

/// Solidity, "Panic via assert and error via require".
fn panic(code: U256) -> String {
    let meaning = match u8::try_from(code).unwrap_or(u8::MAX) {
        0x01 => "an assertion failed",
        0x11 => "arithmetic overflow",
        0x12 => "division by zero",
        0x21 => "a number that is no member of an enum",
        0x22 => "storage bytes encoded wrongly",
        0x31 => "pop from an empty array",
        0x32 => "array index out of bounds",
        0x41 => "too much memory",
        0x51 => "call of an uninitialised function",
        _ => "unknown code",
    };
    format!("panic 0x{code:02x}: {meaning}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(data: &str) -> Option<String> {
        explain(&hex::decode(data).expect("hex"))
    }

    #[test]
    fn the_example_of_the_solidity_documentation_is_read() {
        // docs.soliditylang.org, "revert": Error("Not enough Ether provided.")
        let data = concat!(
            "08c379a0",
            "0000000000000000000000000000000000000000000000000000000000000020",
            "000000000000000000000000000000000000000000000000000000000000001a",
            "4e6f7420656e6f7567682045746865722070726f76696465642e000000000000"
        );
        assert_eq!(explained(data).as_deref(), Some("Not enough Ether provided."));
    }

    #[test]
    fn panics_and_custom_errors_are_named() {
        let panic = format!("4e487b71{:064x}", 0x11);
        assert_eq!(explained(&panic).as_deref(), Some("panic 0x11: arithmetic overflow"));
        assert_eq!(explained("cf479181ffff").as_deref(), Some("custom error 0xcf479181"));
        assert_eq!(explained(""), None);
    }

    #[test]
    fn lies_about_offsets_and_lengths_do_no_harm() {
        for words in [
            "f".repeat(64),
            format!("{:064x}{}", 0x20, "f".repeat(64)),
            format!("{:064x}{:064x}61", 0x20, 2),
            format!("{:064x}", usize::MAX),
            String::new(),
        ] {
            assert_eq!(explained(&format!("08c379a0{words}")).as_deref(), Some("custom error 0x08c379a0"), "{words}");
        }
        assert!(explained(&format!("4e487b71{}", "f".repeat(64))).expect("some").contains("unknown code"));
    }

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
