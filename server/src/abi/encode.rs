//! Bytes of what was asked: JSON arguments against the types of a function.

use alloy::{
    dyn_abi::{DynSolType, DynSolValue},
    json_abi::{Function, Param},
    primitives::{B256, I256, U256, hex},
};
use serde_json::Value;

use super::{AbiError, Contract, contract::Entry};
use crate::value::{self, Arguments, CallData, TokenAmount};

/// The largest whole number that every JSON reader keeps exactly.
const LARGEST_JSON_NUMBER: u64 = 1 << 53;

/// The longest name or signature that is looked for, in bytes.
const LONGEST_SIGNATURE: usize = 4_096;

/// `transfer(address,uint256)` (ERC-20).
pub fn encode_erc20_transfer(to: value::Address, amount: TokenAmount) -> CallData {
    let mut data = vec![0xa9, 0x05, 0x9c, 0xbb];
    data.extend([0; 12]);
    data.extend(to.as_bytes());
    data.extend(amount.0.to_be_bytes::<32>());
    CallData(data)
}

impl Contract {
    /// The bytes of a call. `function_name` is a name, or a full signature where several functions have the name.
    ///
    /// Fails when there is no such function, or more than one, and when an argument does not fit its type; numbers are
    /// never rounded, cut or guessed.
    pub fn encode(&self, function_name: &str, arguments: &Arguments) -> Result<CallData, AbiError> {
        let Entry { item, types } = self.choose(function_name)?;
        let inputs = &item.inputs;
        if arguments.0.len() != inputs.len() {
            let number = inputs.len();
            return Err(AbiError::new(
                "function_args",
                format!("expected {number} arguments of `{}`", item.signature()),
            ));
        }
        let mut values = Vec::with_capacity(types.len());
        for (index, ((ty, input), json)) in types.iter().zip(inputs).zip(&arguments.0).enumerate() {
            values.push(value(ty, &input.components, json, &format!("function_args[{index}]"))?);
        }
        let mut data = item.selector().to_vec();
        data.extend(DynSolValue::Tuple(values).abi_encode_params());
        if data.len() > CallData::LARGEST {
            return Err(AbiError::new("function_args", "expected call data of at most 131072 bytes"));
        }
        Ok(CallData(data))
    }

    fn choose(&self, name: &str) -> Result<&Entry<Function>, AbiError> {
        if name.len() > LONGEST_SIGNATURE {
            return Err(AbiError::new("function_name", "expected at most 4096 bytes"));
        }
        let plain: String = name.strip_prefix("function ").unwrap_or(name).split_whitespace().collect();
        let fits = |entry: &&Entry<Function>| entry.item.name == plain || entry.item.signature() == plain;
        let found: Vec<_> = self.functions.iter().filter(fits).collect();
        match found.as_slice() {
            [one] => Ok(one),
            [] => Err(AbiError::new("function_name", "expected the name or signature of a function of the ABI")),
            several => {
                let signatures: Vec<_> = several.iter().map(|entry| entry.item.signature()).collect();
                Err(AbiError::new("function_name", format!("expected one of `{}`", signatures.join("`, `"))))
            }
        }
    }
}

/// A JSON value as a value of a type. `components` are the names inside tuples.
fn value(ty: &DynSolType, components: &[Param], json: &Value, path: &str) -> Result<DynSolValue, AbiError> {
    let wrong = |expected: &str| AbiError::new(path, format!("expected {expected}"));
    match ty {
        DynSolType::Bool => json.as_bool().map(DynSolValue::Bool).ok_or_else(|| wrong("true or false")),
        DynSolType::Uint(bits) => {
            let number = unsigned(json).filter(|number| number.bit_len() <= *bits);
            let expected = || wrong(&format!("a whole number from 0 to 2^{bits} - 1, as a string"));
            number.map(|number| DynSolValue::Uint(number, *bits)).ok_or_else(expected)
        }
        DynSolType::Int(bits) => {
            let number = signed(json).filter(|number| number.bits() as usize <= *bits);
            let most = bits - 1;
            let expected = || wrong(&format!("a whole number from -2^{most} to 2^{most} - 1, as a string"));
            number.map(|number| DynSolValue::Int(number, *bits)).ok_or_else(expected)
        }
        DynSolType::Address => {
            let address = json.as_str().ok_or_else(|| wrong("an address: 0x and 40 hex digits"))?;
            let address: value::Address =
                address.parse().map_err(|invalid: value::Invalid| AbiError::new(path, invalid.to_string()))?;
            Ok(DynSolValue::Address(address.0))
        }
        DynSolType::FixedBytes(length) => {
            let bytes = bytes(json).filter(|bytes| bytes.len() == *length);
            let bytes = bytes.ok_or_else(|| wrong(&format!("0x and {} hex digits", length * 2)))?;
            let mut word = B256::ZERO;
            word[..*length].copy_from_slice(&bytes);
            Ok(DynSolValue::FixedBytes(word, *length))
        }
        DynSolType::Function => {
            let bytes: Option<[u8; 24]> = bytes(json).and_then(|bytes| bytes.try_into().ok());
            let bytes = bytes.ok_or_else(|| wrong("0x and 48 hex digits"))?;
            Ok(DynSolValue::Function(bytes.into()))
        }
        DynSolType::Bytes => {
            let expected = || wrong("0x and an even number of hex digits");
            bytes(json).map(DynSolValue::Bytes).ok_or_else(expected)
        }
        DynSolType::String => {
            json.as_str().map(|text| DynSolValue::String(text.to_owned())).ok_or_else(|| wrong("a string"))
        }
        DynSolType::Array(inner) => {
            let items = json.as_array().ok_or_else(|| wrong("an array"))?;
            elements(inner, components, items, path).map(DynSolValue::Array)
        }
        DynSolType::FixedArray(inner, length) => {
            let items = json.as_array().filter(|items| items.len() == *length);
            let items = items.ok_or_else(|| wrong(&format!("an array of {length} values")))?;
            elements(inner, components, items, path).map(DynSolValue::FixedArray)
        }
        DynSolType::Tuple(types) => tuple(types, components, json, path).map(DynSolValue::Tuple),
    }
}

fn elements(ty: &DynSolType, components: &[Param], items: &[Value], path: &str) -> Result<Vec<DynSolValue>, AbiError> {
    let element = |(index, item)| value(ty, components, item, &format!("{path}[{index}]"));
    items.iter().enumerate().map(element).collect()
}

/// A tuple: an array in order, or an object with every component by its name and nothing else.
fn tuple(types: &[DynSolType], names: &[Param], json: &Value, path: &str) -> Result<Vec<DynSolValue>, AbiError> {
    let wrong = |expected: String| AbiError::new(path, format!("expected {expected}"));
    let inner = |index: usize| names.get(index).map_or(&[][..], |param| param.components.as_slice());
    let length = types.len();
    match json {
        Value::Array(items) if items.len() == length => {
            let one = |(index, (ty, item))| value(ty, inner(index), item, &format!("{path}[{index}]"));
            types.iter().zip(items).enumerate().map(one).collect()
        }
        Value::Object(fields) if names.len() == length && names.iter().all(|param| !param.name.is_empty()) => {
            let list = || names.iter().map(|param| param.name.as_str()).collect::<Vec<_>>().join("`, `");
            let find = |name: &str| fields.get(name).ok_or_else(|| wrong(format!("the fields `{}`", list())));
            if fields.len() != length {
                return Err(wrong(format!("the fields `{}` and no others", list())));
            }
            let one = |(index, (ty, param)): (usize, (&DynSolType, &Param))| {
                value(ty, inner(index), find(&param.name)?, &format!("{path}.{}", param.name))
            };
            types.iter().zip(names).enumerate().map(one).collect()
        }
        _ => Err(wrong(format!("a tuple: an array of {length} values"))),
    }
}

fn unsigned(json: &Value) -> Option<U256> {
    match json {
        Value::Number(number) => number.as_u64().filter(|&number| number <= LARGEST_JSON_NUMBER).map(U256::from),
        Value::String(text) => match text.strip_prefix("0x") {
            Some(digits) => {
                let plain = (1..=64).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                plain.then(|| U256::from_str_radix(digits, 16).ok()).flatten()
            }
            None => text.parse::<TokenAmount>().ok().map(|amount| amount.0),
        },
        _ => None,
    }
}

fn signed(json: &Value) -> Option<I256> {
    let (negative, magnitude) = match json {
        Value::Number(number) if number.is_i64() => {
            let number = number.as_i64()?;
            (number < 0, Some(number.unsigned_abs()).filter(|&size| size <= LARGEST_JSON_NUMBER).map(U256::from)?)
        }
        Value::String(text) if text.starts_with('-') => {
            let magnitude = text[1..].parse::<TokenAmount>().ok().filter(|amount| !amount.0.is_zero())?;
            (true, magnitude.0)
        }
        other => (false, unsigned(other)?),
    };
    let sign = if negative { alloy::primitives::Sign::Negative } else { alloy::primitives::Sign::Positive };
    I256::checked_from_sign_and_abs(sign, magnitude)
}

fn bytes(json: &Value) -> Option<Vec<u8>> {
    let digits = json.as_str()?.strip_prefix("0x")?;
    // The decoder would take a second prefix.
    if digits.starts_with("0x") { None } else { hex::decode(digits).ok() }
}
