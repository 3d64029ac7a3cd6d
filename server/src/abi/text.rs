//! Decoded values as people and programs read them.

use alloy::{
    dyn_abi::DynSolValue,
    primitives::{hex, keccak256},
};
use serde_json::Value;

use crate::value::{Address, text::is_deceptive};

/// The most bytes of one value that are written out.
const LONGEST_BYTES: usize = 1_024;
/// The most characters of one text that are kept.
const LONGEST_TEXT: usize = 1_024;
/// The most characters of one value, written out: a preview is kept with its transaction and listed with it.
const LONGEST_VALUE: usize = 16_384;

/// A value exactly: decimal digits, a checksummed address, `0x` bytes, `true`, text; arrays and tuples as JSON of those.
/// Long bytes are told by their beginning, length and Keccak-256; a long list is cut, and says so.
pub(super) fn exact(value: &DynSolValue) -> String {
    match json(value) {
        Value::String(text) => text,
        // Its strings are clean already; what JSON adds is plain.
        other => cut(other.to_string(), LONGEST_VALUE),
    }
}

fn cut(mut text: String, longest: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(longest) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn json(value: &DynSolValue) -> Value {
    match value {
        DynSolValue::Bool(yes) => yes.to_string().into(),
        DynSolValue::Int(number, _) => number.to_string().into(),
        DynSolValue::Uint(number, _) => number.to_string().into(),
        DynSolValue::Address(address) => Address(*address).to_string().into(),
        DynSolValue::FixedBytes(word, length) => hex::encode_prefixed(&word[..*length]).into(),
        DynSolValue::Function(function) => hex::encode_prefixed(function).into(),
        DynSolValue::Bytes(bytes) if bytes.len() > LONGEST_BYTES => {
            let (begin, length, hash) = (hex::encode_prefixed(&bytes[..32]), bytes.len(), keccak256(bytes));
            format!("{begin}… ({length} bytes, keccak256 {hash})").into()
        }
        DynSolValue::Bytes(bytes) => hex::encode_prefixed(bytes).into(),
        DynSolValue::String(text) => clean(text).into(),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) | DynSolValue::Tuple(values) => {
            values.iter().map(json).collect()
        }
    }
}

/// A text without what could change how the text around it is shown, and not longer than anybody reads.
pub(super) fn clean(text: &str) -> String {
    let shown = text.chars().map(|c| if matches!(c, '\n' | '\t') { ' ' } else { c });
    cut(shown.filter(|&c| !is_deceptive(c)).take(LONGEST_TEXT + 1).collect(), LONGEST_TEXT)
}
