//! Calls written down by their signatures alone.

use alloy::{
    dyn_abi::{DynSolType, DynSolValue},
    primitives::{Address, B256, Bytes, I256, U256, keccak256},
};

/// The data of a call.
pub(super) fn call(signature: &str, arguments: &[DynSolValue]) -> Bytes {
    let selector = &keccak256(signature)[..4];
    let arguments = DynSolValue::Tuple(arguments.to_vec()).abi_encode_params();
    [selector, &arguments].concat().into()
}

/// The data of a call in which every address is `who`, every number `amount`, every list has one member, and every yes or no
/// is yes.
pub(super) fn filled(signature: &str, who: Address, amount: U256) -> Bytes {
    let from = signature.find('(').expect("a list of types");
    let kinds = DynSolType::parse(&signature[from..]).expect("types");
    let DynSolType::Tuple(kinds) = kinds else { panic!("{signature} takes arguments") };
    let arguments: Vec<_> = kinds.iter().map(|kind| fill(kind, who, amount)).collect();
    call(signature, &arguments)
}

fn fill(kind: &DynSolType, who: Address, amount: U256) -> DynSolValue {
    match kind {
        DynSolType::Address => DynSolValue::Address(who),
        DynSolType::Bool => DynSolValue::Bool(true),
        DynSolType::Uint(bits) => DynSolValue::Uint(amount & (U256::MAX >> (256 - bits)), *bits),
        DynSolType::Int(bits) => DynSolValue::Int(I256::ONE, *bits),
        DynSolType::FixedBytes(size) => DynSolValue::FixedBytes(B256::repeat_byte(7), *size),
        DynSolType::Bytes => DynSolValue::Bytes(Vec::new()),
        DynSolType::String => DynSolValue::String("name".to_owned()),
        DynSolType::Array(of) => DynSolValue::Array(vec![fill(of, who, amount)]),
        DynSolType::Tuple(of) => DynSolValue::Tuple(of.iter().map(|kind| fill(kind, who, amount)).collect()),
        other => panic!("no case takes {other}"),
    }
}

pub(super) fn address(address: Address) -> DynSolValue {
    DynSolValue::Address(address)
}

pub(super) fn number(number: impl TryInto<U256, Error: std::fmt::Debug>) -> DynSolValue {
    DynSolValue::Uint(number.try_into().expect("256 bits"), 256)
}

pub(super) fn bytes(bytes: impl Into<Vec<u8>>) -> DynSolValue {
    DynSolValue::Bytes(bytes.into())
}

pub(super) fn yes(yes: bool) -> DynSolValue {
    DynSolValue::Bool(yes)
}

pub(super) fn list(members: Vec<DynSolValue>) -> DynSolValue {
    DynSolValue::Array(members)
}

pub(super) fn tuple(members: Vec<DynSolValue>) -> DynSolValue {
    DynSolValue::Tuple(members)
}

/// Several calls in one, each of its target, through Multicall3.
pub(super) fn aggregate(calls: &[(Address, Bytes)]) -> Bytes {
    let one = |(to, data): &(Address, Bytes)| tuple(vec![address(*to), yes(false), bytes(data.to_vec())]);
    call("aggregate3((address,bool,bytes)[])", &[list(calls.iter().map(one).collect())])
}
