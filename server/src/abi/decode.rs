//! Reading ABI-encoded values (Solidity, "Contract ABI Specification"), in their one canonical form only: nothing left
//! over, no dirty bits, every part where the encoder puts it. So encoding again always gives the same bytes, and the
//! time it takes grows with their length, whatever the offsets say.

use alloy::{
    dyn_abi::{DynSolType, DynSolValue},
    primitives::{Address, Function, I256, U256},
};

/// The size of everything in the ABI.
const WORD: usize = 32;

/// The values of a sequence of types that are encoded in all of `data`; none when they are not.
pub(super) fn decode(types: &[DynSolType], data: &[u8]) -> Option<Vec<DynSolValue>> {
    let (values, used) = prefix(types, data)?;
    (used == data.len()).then_some(values)
}

/// The values of a sequence of types with which `data` begins, and how many bytes they take; none when it does not.
pub(super) fn prefix(types: &[DynSolType], data: &[u8]) -> Option<(Vec<DynSolValue>, usize)> {
    sequence(types.iter(), types.len(), data)
}

/// Decodes heads and tails. Gives how many bytes they take.
fn sequence<'a>(
    types: impl Iterator<Item = &'a DynSolType> + Clone,
    length: usize,
    data: &[u8],
) -> Option<(Vec<DynSolValue>, usize)> {
    let mut tail = types.clone().try_fold(0_usize, |sum, ty| sum.checked_add(head_size(ty)?))?;
    if tail > data.len() {
        return None;
    }
    let mut values = Vec::with_capacity(length);
    let mut head = 0;
    for ty in types {
        if is_dynamic(ty) {
            if number(data, head)? != tail {
                return None;
            }
            let (value, used) = one(ty, data.get(tail..)?)?;
            values.push(value);
            tail = tail.checked_add(used)?;
            head += WORD;
        } else {
            let (value, used) = one(ty, data.get(head..)?)?;
            values.push(value);
            head += used;
        }
    }
    Some((values, tail))
}

fn one(ty: &DynSolType, data: &[u8]) -> Option<(DynSolValue, usize)> {
    match ty {
        DynSolType::Array(inner) => {
            let length = number(data, 0)?;
            let rest = data.get(WORD..)?;
            // Every element takes a word or more.
            if length > rest.len() / WORD {
                return None;
            }
            let (values, used) = sequence(std::iter::repeat_n(&**inner, length), length, rest)?;
            Some((DynSolValue::Array(values), WORD + used))
        }
        DynSolType::FixedArray(inner, length) => {
            let (values, used) = sequence(std::iter::repeat_n(&**inner, *length), *length, data)?;
            Some((DynSolValue::FixedArray(values), used))
        }
        DynSolType::Tuple(types) => {
            let (values, used) = sequence(types.iter(), types.len(), data)?;
            Some((DynSolValue::Tuple(values), used))
        }
        DynSolType::Bytes => bytes(data).map(|(bytes, used)| (DynSolValue::Bytes(bytes.to_vec()), used)),
        DynSolType::String => {
            let (bytes, used) = bytes(data)?;
            Some((DynSolValue::String(std::str::from_utf8(bytes).ok()?.to_owned()), used))
        }
        _ => word(ty, data.first_chunk()?).map(|value| (value, WORD)),
    }
}

/// A value of one word.
fn word(ty: &DynSolType, word: &[u8; WORD]) -> Option<DynSolValue> {
    let number = U256::from_be_bytes(*word);
    match ty {
        DynSolType::Bool => (number <= U256::ONE).then(|| DynSolValue::Bool(!number.is_zero())),
        DynSolType::Uint(bits) => (number.bit_len() <= *bits).then_some(DynSolValue::Uint(number, *bits)),
        DynSolType::Int(bits) => {
            let number = I256::from_raw(number);
            let fits = number.bits() as usize <= *bits;
            fits.then_some(DynSolValue::Int(number, *bits))
        }
        DynSolType::Address => {
            let (zeros, address) = word.split_at(WORD - 20);
            zeros.iter().all(|&byte| byte == 0).then(|| DynSolValue::Address(Address::from_slice(address)))
        }
        DynSolType::FixedBytes(length) => {
            let is_padded = word[*length..].iter().all(|&byte| byte == 0);
            is_padded.then(|| DynSolValue::FixedBytes((*word).into(), *length))
        }
        DynSolType::Function => {
            let (function, zeros) = word.split_at(24);
            zeros.iter().all(|&byte| byte == 0).then(|| DynSolValue::Function(Function::from_slice(function)))
        }
        _ => None,
    }
}

/// A length and as many bytes, padded with zeros.
fn bytes(data: &[u8]) -> Option<(&[u8], usize)> {
    let length = number(data, 0)?;
    let rest = data.get(WORD..)?;
    let padded = length.checked_next_multiple_of(WORD)?;
    let (bytes, padding) = rest.get(..padded)?.split_at(length);
    padding.iter().all(|&byte| byte == 0).then_some((bytes, WORD + padded))
}

/// A small number: an offset or a length.
fn number(data: &[u8], at: usize) -> Option<usize> {
    let word: &[u8; WORD] = data.get(at..)?.first_chunk()?;
    usize::try_from(U256::from_be_bytes(*word)).ok()
}

fn head_size(ty: &DynSolType) -> Option<usize> {
    if is_dynamic(ty) {
        return Some(WORD);
    }
    match ty {
        DynSolType::FixedArray(inner, length) => head_size(inner)?.checked_mul(*length),
        DynSolType::Tuple(types) => types.iter().try_fold(0_usize, |sum, ty| sum.checked_add(head_size(ty)?)),
        _ => Some(WORD),
    }
}

fn is_dynamic(ty: &DynSolType) -> bool {
    match ty {
        DynSolType::Bytes | DynSolType::String | DynSolType::Array(_) => true,
        DynSolType::FixedArray(inner, _) => is_dynamic(inner),
        DynSolType::Tuple(types) => types.iter().any(is_dynamic),
        _ => false,
    }
}
