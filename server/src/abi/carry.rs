//! The calls that calls of standards' functions carry.

use std::borrow::Cow;

use alloy::{
    dyn_abi::DynSolType,
    primitives::{self, U256},
};

use super::{
    decode,
    meaning::{Meaning, Values},
};
use crate::value::Address;

/// How many calls are read in all.
pub(super) const MOST_CALLS: usize = 64;

/// A call that another one carries.
#[derive(Debug)]
pub(super) struct Inner<'a> {
    /// Who calls; none: the wallet.
    pub(super) caller: Option<Address>,
    /// Whose code is called; none: a deployment.
    pub(super) to: Option<Address>,
    /// Whose storage and money the code works on, and who calls further: another one than `to` in a delegate call.
    pub(super) acting: Option<Address>,
    pub(super) value: U256,
    pub(super) data: Cow<'a, [u8]>,
}

impl Inner<'_> {
    fn into_owned(self) -> Inner<'static> {
        let Self { caller, to, acting, value, data } = self;
        Inner { caller, to, acting, value, data: data.into_owned().into() }
    }

    /// In a delegate call a contract lends itself to another one's code, which may do with it whatever it likes,
    /// whatever the function's name: as grave as an upgrade.
    pub(super) fn lent_to(&self, outer: &Inner<'_>) -> Option<Meaning> {
        let is_lent = self.to != self.acting && self.to != outer.to;
        let contract = self.acting.filter(|_| is_lent)?;
        Some(Meaning::Upgrade { contract, implementation: self.to })
    }
}

/// The calls that a call of a standard's function carries: an empty list for most, none when they are malformed.
pub(super) fn carried<'a>(signature: &str, outer: &Inner<'_>, values: Values<'a>) -> Option<Vec<Inner<'a>>> {
    let from = Frame { caller: outer.caller, to: outer.to, acting: outer.acting };
    match signature {
        "multicall(bytes[])" | "batch(bytes[],bool)" => from.own(values.inner(0)?),
        "multicall(uint256,bytes[])" | "multicall(bytes32,bytes[])" => from.own(values.inner(1)?),
        "aggregate((address,bytes)[])" | "blockAndAggregate((address,bytes)[])" => from.each(values.inner(0)?, None),
        "tryAggregate(bool,(address,bytes)[])" | "tryBlockAndAggregate(bool,(address,bytes)[])" => {
            from.each(values.inner(1)?, None)
        }
        "aggregate3((address,bool,bytes)[])" => from.each(values.inner(0)?, None),
        "aggregate3Value((address,bool,uint256,bytes)[])" => from.each(values.inner(0)?, Some(2)),
        "executeBatch((address,uint256,bytes)[])" => from.each(values.inner(0)?, Some(1)),
        "executeBatch(address[],bytes[])" => from.columns(values.inner(0)?, None, values.inner(1)?),
        "executeBatch(address[],uint256[],bytes[])"
        | "executeBatch(address[],uint256[],bytes[],bytes32,bytes32)"
        | "scheduleBatch(address[],uint256[],bytes[],bytes32,bytes32,uint256)" => {
            from.columns(values.inner(0)?, values.inner(1), values.inner(2)?)
        }
        "execute(address,uint256,bytes)"
        | "execute(address,uint256,bytes,bytes32,bytes32)"
        | "schedule(address,uint256,bytes,bytes32,bytes32,uint256)" => {
            from.out(values.address(0), values.number(1), values.bytes(2)).map(|one| vec![one])
        }
        "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)"
        | "execTransactionFromModule(address,uint256,bytes,uint8)"
        | "execTransactionFromModuleReturnData(address,uint256,bytes,uint8)" => {
            let is_plain = values.number(3)?.is_zero();
            let one = from.out(values.address(0), values.number(1), values.bytes(2))?;
            Some(vec![if is_plain { one } else { from.lent(one) }])
        }
        "execute(bytes32,bytes)" => from.by_mode(values.word(0)?[0], values.bytes(1)?),
        "upgradeToAndCall(address,bytes)" => Some(from.after_upgrade(outer.to, values.bytes(1)?)),
        "upgradeAndCall(address,address,bytes)" => Some(from.after_upgrade(values.address(0), values.bytes(2)?)),
        "multiSend(bytes)" => from.packed(values.bytes(0)?),
        _ => Some(Vec::new()),
    }
}

/// Where the carried calls come from.
#[derive(Debug, Clone, Copy)]
struct Frame {
    caller: Option<Address>,
    to: Option<Address>,
    acting: Option<Address>,
}

impl Frame {
    /// A call of another contract.
    fn out<'a>(self, to: Option<Address>, value: Option<U256>, data: Option<&'a [u8]>) -> Option<Inner<'a>> {
        Some(Inner { caller: self.acting, to: Some(to?), acting: to, value: value?, data: data?.into() })
    }

    /// The same as a delegate call.
    fn lent(self, one: Inner<'_>) -> Inner<'_> {
        Inner { caller: self.caller, acting: self.acting, ..one }
    }

    /// Calls of the contract itself, as from the same caller. What was sent along is there once, so it is not told again.
    fn own(self, data: Values<'_>) -> Option<Vec<Inner<'_>>> {
        let Self { caller, to, acting } = self;
        let one = |at| Some(Inner { caller, to, acting, value: U256::ZERO, data: data.bytes(at)?.into() });
        (0..data.0.len()).map(one).collect()
    }

    /// Tuples of an array, each with its target first and its data last.
    fn each<'a>(self, calls: Values<'a>, value: Option<usize>) -> Option<Vec<Inner<'a>>> {
        let one = |call: Values<'a>| {
            let sent = value.map_or(Some(U256::ZERO), |at| call.number(at));
            self.out(call.address(0), sent, call.bytes(call.0.len().checked_sub(1)?))
        };
        calls.each().map(one).collect()
    }

    /// Arrays of the same length. No values at all are zeros (ERC-4337's sample account).
    fn columns<'a>(self, to: Values<'a>, values: Option<Values<'a>>, data: Values<'a>) -> Option<Vec<Inner<'a>>> {
        let values = values.filter(|values| !values.0.is_empty());
        let length = to.0.len();
        if data.0.len() != length || values.is_some_and(|values| values.0.len() != length) {
            return None;
        }
        let sent = |at: usize| values.map_or(Some(U256::ZERO), |values| values.number(at));
        (0..length).map(|at| self.out(to.address(at), sent(at), data.bytes(at))).collect()
    }

    /// The call that an upgrade ends with, if it has one.
    fn after_upgrade(self, proxy: Option<Address>, data: &[u8]) -> Vec<Inner<'_>> {
        let call = self.out(proxy, Some(U256::ZERO), Some(data)).filter(|call| !call.data.is_empty());
        call.into_iter().collect()
    }

    /// ERC-7579: one packed call, an encoded list (ERC-7821 may put more behind it), or a packed delegate call.
    fn by_mode(self, mode: u8, data: &[u8]) -> Option<Vec<Inner<'_>>> {
        match mode {
            0x00 => {
                let (to, rest) = target(data)?;
                let (value, data) = rest.split_first_chunk::<32>()?;
                self.out(Some(to), Some(U256::from_be_bytes(*value)), Some(data)).map(|one| vec![one])
            }
            0x01 => {
                let call = vec![DynSolType::Address, DynSolType::Uint(256), DynSolType::Bytes];
                let list = DynSolType::Array(Box::new(DynSolType::Tuple(call)));
                let decoded = decode::decode(std::slice::from_ref(&list), data)
                    .or_else(|| decode::decode(&[list.clone(), DynSolType::Bytes], data))?;
                let calls = self.each(Values(&decoded).inner(0)?, Some(1))?;
                Some(calls.into_iter().map(Inner::into_owned).collect())
            }
            0xff => {
                let (to, data) = target(data)?;
                self.out(Some(to), Some(U256::ZERO), Some(data)).map(|one| vec![self.lent(one)])
            }
            _ => None,
        }
    }

    /// Safe's `multiSend`: operation (1 byte), target (20), value (32), length (32), data, over and over.
    fn packed(self, mut bytes: &[u8]) -> Option<Vec<Inner<'_>>> {
        let mut calls = Vec::new();
        while !bytes.is_empty() && calls.len() <= MOST_CALLS {
            let (&operation, rest) = bytes.split_first()?;
            let (to, rest) = target(rest)?;
            let (value, rest) = rest.split_first_chunk::<32>()?;
            let (length, rest) = rest.split_first_chunk::<32>()?;
            let length = usize::try_from(U256::from_be_bytes(*length)).ok()?;
            let (data, rest) = rest.split_at_checked(length)?;
            let call = self.out(Some(to), Some(U256::from_be_bytes(*value)), Some(data))?;
            calls.push(if operation == 0 { call } else { self.lent(call) });
            bytes = rest;
        }
        Some(calls)
    }
}

/// An address without padding, and what follows it.
fn target(bytes: &[u8]) -> Option<(Address, &[u8])> {
    let (address, rest) = bytes.split_first_chunk::<20>()?;
    Some((Address(primitives::Address::from(*address)), rest))
}
