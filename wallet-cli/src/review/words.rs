//! The arguments of a call beside the words of its data (Contract ABI Specification, "Formal Specification of the
//! Encoding"): those that are one word each are compared here, without trusting the server's decoder.

use agent_sdk::DecodedArgument;
use alloy::primitives::{I256, U256, hex};

/// Bytes of a word.
const WORD: usize = 32;

/// Whether the arguments shown for a function are those of the data, as far as they can be compared: an argument
/// of unlimited length takes one word here and lies elsewhere, and from a tuple or an array of fixed length on
/// nothing is compared.
pub(super) fn words_belong(signature: &str, arguments: &[DecodedArgument], data: &[u8]) -> bool {
    let Some(kinds) = parameters(signature).filter(|kinds| kinds.len() == arguments.len()) else {
        return false;
    };
    let words = data.get(4..).unwrap_or_default().chunks(WORD);
    let mut heads = kinds.iter().zip(arguments).zip(words);
    for ((kind, argument), word) in &mut heads {
        match shape(kind) {
            Shape::Word if encode(kind, &argument.value).is_none_or(|expected| expected[..] != *word) => return false,
            Shape::Word | Shape::Elsewhere => {}
            Shape::Unknown => return true,
        }
    }
    // Every argument has at least one word.
    data.len() >= 4 + kinds.len() * WORD || kinds.iter().any(|kind| shape(kind) == Shape::Unknown)
}

/// The types between the parentheses of a canonical signature.
pub(crate) fn parameters(signature: &str) -> Option<Vec<&str>> {
    let (_, inside) = signature.split_once('(')?;
    let inside = inside.strip_suffix(')')?;
    if inside.is_empty() {
        return Some(Vec::new());
    }
    let mut depth = 0_usize;
    let mut start = 0;
    let mut kinds = Vec::new();
    for (position, byte) in inside.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => {
                kinds.push(&inside[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    kinds.push(&inside[start..]);
    (depth == 0).then_some(kinds)
}

/// Where the value of an argument is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// In its one word.
    Word,
    /// Behind the words; its own says where.
    Elsewhere,
    /// In words that are not counted here.
    Unknown,
}

fn shape(kind: &str) -> Shape {
    if kind.ends_with("[]") || matches!(kind, "bytes" | "string") {
        Shape::Elsewhere
    } else if !kind.ends_with(']')
        && ["uint", "int", "address", "bool", "bytes"].iter().any(|word| kind.starts_with(word))
    {
        Shape::Word
    } else {
        Shape::Unknown
    }
}

/// The word that an argument is encoded as; none where the value is not one of that type.
fn encode(kind: &str, value: &str) -> Option<[u8; WORD]> {
    match (kind, value) {
        ("bool", "true") => Some(U256::ONE.to_be_bytes()),
        ("bool", "false") => Some([0; WORD]),
        ("address", _) => Some(agent_sdk::address::parse(value).ok()?.into_word().0),
        _ if kind.starts_with("uint") => Some(agent_sdk::amount::parse(value).ok()?.to_be_bytes()),
        _ if kind.starts_with("int") => Some(I256::from_dec_str(value).ok()?.to_be_bytes()),
        _ if kind.starts_with("bytes") => {
            let bytes = hex::decode(value).ok()?;
            let mut word = [0; WORD];
            word.get_mut(..bytes.len())?.copy_from_slice(&bytes);
            Some(word)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(values: &[&str]) -> Vec<DecodedArgument> {
        let arguments = values.iter().map(|value| serde_json::json!({ "name": "0", "type": "", "value": value }));
        serde_json::from_value(arguments.collect()).expect("arguments")
    }

    /// A selector and words.
    fn data(words: &[[u8; WORD]]) -> Vec<u8> {
        [&[1, 2, 3, 4][..], &words.concat()].concat()
    }

    #[test]
    fn each_argument_of_one_word_is_compared() {
        let address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let kinds = ["address", "uint8", "int256", "bool", "bytes4"];
        let values = [address, "7", "-1", "true", "0x01020304"];
        let words: Vec<_> =
            kinds.iter().zip(values).map(|(kind, value)| encode(kind, value).expect("of that type")).collect();
        assert_eq!(words[2], [0xff; WORD]);
        let signature = format!("f({})", kinds.join(","));
        let shown = arguments(&values);
        assert!(words_belong(&signature, &shown, &data(&words)));
        for changed in 0..words.len() {
            let mut other = words.clone();
            other[changed][31] ^= 1;
            assert!(!words_belong(&signature, &shown, &data(&other)), "{changed}");
        }
        assert!(!words_belong(&signature, &shown, &data(&words[..4])));
        assert!(!words_belong(&signature, &shown[..4], &data(&words)));
    }

    #[test]
    fn what_lies_elsewhere_is_passed_over_and_what_follows_it_is_not() {
        let words = [[9; WORD], encode("uint256", "5").expect("a number")];
        assert!(words_belong("f(bytes,uint256)", &arguments(&["0x", "5"]), &data(&words)));
        assert!(!words_belong("f(bytes,uint256)", &arguments(&["0x", "6"]), &data(&words)));
        assert!(words_belong("f((bytes,bool),uint256)", &arguments(&["[]", "6"]), &data(&words)));
        assert!(words_belong("f()", &[], &data(&[])));
    }

    #[test]
    fn parameters_are_told_apart_at_the_outermost_commas() {
        assert_eq!(
            parameters("f((uint256,(bool,bytes))[],address)"),
            Some(vec!["(uint256,(bool,bytes))[]", "address"])
        );
        assert_eq!(parameters("f()"), Some(vec![]));
        assert_eq!(parameters("f(a))("), None);
        assert_eq!(parameters("f"), None);
    }
}
