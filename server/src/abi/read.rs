//! Reading calls, and the calls inside them.

use alloy::{dyn_abi::DynSolValue, json_abi::Function, primitives::U256};

use super::{
    Contract, Meaning,
    contract::Entry,
    decode,
    meaning::{self, Values},
    standards, text,
};
use crate::value::{Address, DecodingSource, Wei};

/// How deep calls inside calls are followed.
const DEEPEST: u8 = 4;
/// How many calls are read in all.
const MOST_CALLS: usize = 64;

/// One call, read as far as its bytes allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// 0 for the transaction itself, 1 for a call that its data carries, and so on.
    pub depth: u8,
    /// Who is called; none: a deployment.
    pub to: Option<Address>,
    /// Native currency sent along.
    pub value: Wei,
    /// The input, or the init code.
    pub data: Vec<u8>,
    /// The first 4 bytes of the input, where it has as many.
    pub selector: Option<[u8; 4]>,
    /// The function's canonical signature; none: it is not known.
    pub signature: Option<String>,
    /// Where the names come from.
    pub source: Option<DecodingSource>,
    /// The standard the function belongs to.
    pub standard: Option<&'static str>,
    /// The arguments in order.
    pub arguments: Vec<Argument>,
    /// What it does to what people own, as far as a standard says so.
    pub meanings: Vec<Meaning>,
    /// Whether it carries more calls than are read.
    pub truncated: bool,
}

/// One argument, exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Its name; its number, from 0, where it has none.
    pub name: String,
    /// Its canonical ABI type.
    pub kind: String,
    /// Its value: decimal digits, a checksummed address, `0x` bytes, `true`, text; arrays and tuples as JSON of those.
    pub value: String,
}

/// A call that another one carries.
struct Inner<'a> {
    to: Option<Address>,
    value: U256,
    data: &'a [u8],
}

/// Reads a transaction: the call itself, then the calls inside it, each before those inside it. At most 64 calls, 4 levels
/// deep.
pub fn read(to: Option<Address>, value: Wei, data: &[u8], given: Option<&Contract>) -> Vec<Call> {
    let mut calls = Vec::new();
    follow(&mut calls, 0, Inner { to, value: value.0, data }, given);
    calls
}

fn follow(calls: &mut Vec<Call>, depth: u8, inner: Inner<'_>, given: Option<&Contract>) {
    let Inner { to, value, data } = inner;
    let selector = to.and_then(|_| data.first_chunk::<4>().copied());
    let index = calls.len();
    calls.push(Call {
        depth,
        to,
        value: Wei(value),
        data: data.to_vec(),
        selector,
        signature: None,
        source: None,
        standard: None,
        arguments: Vec::new(),
        meanings: Vec::new(),
        truncated: false,
    });
    let (Some(to), Some(selector)) = (to, selector) else { return };
    let arguments = &data[4..];
    let known = standards::by_selector(selector)
        .and_then(|known| Some((known, decode::decode(&known.entry.types, arguments)?)));
    if let Some((known, values)) = known {
        let signature = known.entry.item.signature();
        let carried = carried(&signature, to, Values(&values));
        let call = &mut calls[index];
        call.meanings = meaning::of(&signature, to, Values(&values));
        call.standard = Some(known.standard);
        name(call, &known.entry, &values, DecodingSource::Standard);
        match carried {
            Some(carried) => follow_all(calls, index, carried, given),
            // What it carries cannot be told apart.
            None => calls[index].truncated = true,
        }
        return;
    }
    let fits = |entry: &&Entry<Function>| entry.item.selector().0 == selector;
    let mut entries = given.into_iter().flat_map(|contract| &contract.functions).filter(fits);
    if let Some((entry, values)) = entries.find_map(|entry| Some((entry, decode::decode(&entry.types, arguments)?))) {
        name(&mut calls[index], entry, &values, DecodingSource::GivenAbi);
    }
}

fn follow_all(calls: &mut Vec<Call>, index: usize, carried: Vec<Inner<'_>>, given: Option<&Contract>) {
    let depth = calls[index].depth;
    for inner in carried {
        if depth + 1 >= DEEPEST || calls.len() >= MOST_CALLS {
            calls[index].truncated = true;
            return;
        }
        follow(calls, depth + 1, inner, given);
    }
}

fn name(call: &mut Call, entry: &Entry<Function>, values: &[DynSolValue], source: DecodingSource) {
    call.signature = Some(entry.item.signature());
    call.source = Some(source);
    let inputs = entry.item.inputs.iter().zip(values).enumerate();
    call.arguments = inputs
        .map(|(index, (input, value))| Argument {
            name: if input.name.is_empty() { index.to_string() } else { input.name.clone() },
            kind: input.selector_type().into_owned(),
            value: text::exact(value),
        })
        .collect();
}

/// The calls that a call of a standard's function carries: an empty list for most, none when they are malformed.
fn carried<'a>(signature: &str, to: Address, values: Values<'a>) -> Option<Vec<Inner<'a>>> {
    let of = |to: Option<Address>, value: Option<U256>, data: Option<&'a [u8]>| {
        Some(Inner { to: Some(to?), value: value?, data: data? })
    };
    let own = |at: usize| {
        let data = values.inner(at)?;
        (0..data.0.len()).map(|at| of(Some(to), Some(U256::ZERO), data.bytes(at))).collect::<Option<Vec<_>>>()
    };
    // Tuples of an array, each with its target first and its data last.
    let each = |at: usize, value: Option<usize>| {
        let one = |call: Values<'a>| {
            let sent = value.map_or(Some(U256::ZERO), |at| call.number(at));
            of(call.address(0), sent, call.bytes(call.0.len().checked_sub(1)?))
        };
        values.inner(at)?.each().map(one).collect::<Option<Vec<_>>>()
    };
    match signature {
        "multicall(bytes[])" => own(0),
        "multicall(uint256,bytes[])" | "multicall(bytes32,bytes[])" => own(1),
        "aggregate((address,bytes)[])" | "blockAndAggregate((address,bytes)[])" => each(0, None),
        "tryAggregate(bool,(address,bytes)[])" | "tryBlockAndAggregate(bool,(address,bytes)[])" => each(1, None),
        "aggregate3((address,bool,bytes)[])" => each(0, None),
        "aggregate3Value((address,bool,uint256,bytes)[])" => each(0, Some(2)),
        "executeBatch((address,uint256,bytes)[])" => each(0, Some(1)),
        "executeBatch(address[],bytes[])" | "executeBatch(address[],uint256[],bytes[])" => {
            let last = values.0.len() - 1;
            let (targets, data) = (values.inner(0)?, values.inner(last)?);
            let sent = |at: usize| if last == 1 { Some(U256::ZERO) } else { values.inner(1)?.number(at) };
            let length = targets.0.len();
            let same = data.0.len() == length;
            let one = |at: usize| of(targets.address(at), sent(at), data.bytes(at));
            if same { (0..length).map(one).collect() } else { None }
        }
        "execute(address,uint256,bytes)"
        | "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)" => {
            of(values.address(0), values.number(1), values.bytes(2)).map(|one| vec![one])
        }
        "upgradeToAndCall(address,bytes)" => Some(after_upgrade(Some(to), values.bytes(1)?)),
        "upgradeAndCall(address,address,bytes)" => Some(after_upgrade(values.address(0), values.bytes(2)?)),
        "multiSend(bytes)" => packed(values.bytes(0)?),
        _ => Some(Vec::new()),
    }
}

/// The call that an upgrade ends with, if it has one.
fn after_upgrade(proxy: Option<Address>, data: &[u8]) -> Vec<Inner<'_>> {
    if data.is_empty() { Vec::new() } else { vec![Inner { to: proxy, value: U256::ZERO, data }] }
}

/// Safe's `multiSend`: operation (1 byte), target (20), value (32), length (32), data, over and over.
fn packed(mut bytes: &[u8]) -> Option<Vec<Inner<'_>>> {
    let mut calls = Vec::new();
    while !bytes.is_empty() && calls.len() <= MOST_CALLS {
        let (_operation, rest) = bytes.split_at_checked(1)?;
        let (target, rest) = rest.split_at_checked(20)?;
        let (value, rest) = rest.split_first_chunk::<32>()?;
        let (length, rest) = rest.split_first_chunk::<32>()?;
        let length = usize::try_from(U256::from_be_bytes(*length)).ok()?;
        let (data, rest) = rest.split_at_checked(length)?;
        let to = Some(Address(alloy::primitives::Address::from_slice(target)));
        calls.push(Inner { to, value: U256::from_be_bytes(*value), data });
        bytes = rest;
    }
    Some(calls)
}
