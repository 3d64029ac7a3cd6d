//! A contract's interface, as its caller gives it.

use alloy::{
    dyn_abi::{DynSolType, Specifier},
    json_abi::{Error, Function, Param},
};
use serde_json::{Map, Value, json};

use super::AbiError;
use crate::value::ContractAbi;

/// How many entries an interface may have; the largest published ones have a few hundred.
const MOST_ENTRIES: usize = 1_000;
/// How many inputs one entry may have: the EVM's stack ends at 16, structs allow more.
const MOST_INPUTS: usize = 64;
/// How deep types may nest.
const DEEPEST: usize = 8;
/// How many words a type of fixed size may have: what is larger than all call data has no use.
const MOST_WORDS: usize = 4_096;
/// The longest name of a function, an error or an input; people read them.
const LONGEST_NAME: usize = 64;
/// The longest type, written out.
const LONGEST_TYPE: usize = 256;

/// A contract's functions and errors. Everything in it has a type that exists, a size within bounds and a plain name.
#[derive(Debug, Clone, Default)]
pub struct Contract {
    pub(super) functions: Vec<Entry<Function>>,
    pub(super) errors: Vec<Entry<Error>>,
}

/// A function or an error, and the types of its inputs.
#[derive(Debug, Clone)]
pub(super) struct Entry<T> {
    pub(super) item: T,
    pub(super) types: Vec<DynSolType>,
}

impl Contract {
    /// Reads an interface: JSON, one entry of it, a string of either, a signature, or an array of signatures. Events and
    /// constructors are passed over.
    ///
    /// Fails when it is none of these, when a type does not exist, and when there is nothing in it to call.
    pub fn parse(abi: &ContractAbi) -> Result<Self, AbiError> {
        let mut contract = Self::default();
        match &abi.0 {
            Value::String(text) if text.trim_start().starts_with(['[', '{']) => {
                let value: Value =
                    serde_json::from_str(text).map_err(|_| AbiError::interface("expected JSON in the string"))?;
                let inner = ContractAbi::try_from(value).map_err(|invalid| AbiError::interface(invalid.to_string()))?;
                match &inner.0 {
                    Value::Array(entries) => contract.add_all(entries)?,
                    entry => contract.add(entry)?,
                }
            }
            Value::Array(entries) => contract.add_all(entries)?,
            entry => contract.add(entry)?,
        }
        if contract.functions.is_empty() && contract.errors.is_empty() {
            return Err(AbiError::interface("expected at least one function"));
        }
        Ok(contract)
    }

    /// One function, from this program's own tables.
    pub(super) fn known(signature: &str) -> Entry<Function> {
        let function = Function::parse(signature).expect("the tables hold signatures");
        entry(function.clone(), &function.name, &function.inputs).expect("the tables hold plain signatures")
    }

    /// One error, from this program's own tables.
    pub(super) fn known_error(signature: &str) -> Entry<Error> {
        let error = Error::parse(signature).expect("the tables hold signatures");
        entry(error.clone(), &error.name, &error.inputs).expect("the tables hold plain signatures")
    }

    fn add_all(&mut self, entries: &[Value]) -> Result<(), AbiError> {
        if entries.len() > MOST_ENTRIES {
            return Err(AbiError::interface("expected at most 1000 entries"));
        }
        entries.iter().try_for_each(|entry| self.add(entry))
    }

    fn add(&mut self, value: &Value) -> Result<(), AbiError> {
        match value {
            Value::String(signature) => self.add_signature(signature.trim()),
            Value::Object(fields) => match fields.get("type").and_then(Value::as_str).unwrap_or("function") {
                "function" => self.add_function(read_entry(fields)?),
                "error" => self.add_error(read_entry(fields)?),
                "event" | "constructor" | "fallback" | "receive" => Ok(()),
                _ => Err(AbiError::interface("there is an entry of an unknown type")),
            },
            _ => Err(AbiError::interface("expected entries or signatures")),
        }
    }

    fn add_signature(&mut self, signature: &str) -> Result<(), AbiError> {
        let wrong = |_| AbiError::interface("expected a signature such as `function stake(uint256 amount)`");
        // Payable addresses are addresses to the ABI, and only there for Solidity's own checks.
        let signature = signature.replace("address payable", "address");
        let signature = signature.trim_end_matches(';');
        match signature.split(|c: char| c.is_whitespace() || c == '(').next() {
            Some("error") => self.add_error(Error::parse(signature).map_err(wrong)?),
            Some("event" | "constructor" | "fallback" | "receive") => Ok(()),
            Some("function") => self.add_function(Function::parse(signature).map_err(wrong)?),
            _ => self.add_function(Function::parse(&format!("function {signature}")).map_err(wrong)?),
        }
    }

    fn add_function(&mut self, function: Function) -> Result<(), AbiError> {
        let entry = entry(function.clone(), &function.name, &function.inputs)?;
        // The same function may stand in an interface twice, of two parents or facets.
        let selector = entry.item.selector();
        let is_new = |known: &Entry<Function>| known.item.selector() != selector || known.types != entry.types;
        if self.functions.iter().all(is_new) {
            self.functions.push(entry);
        }
        Ok(())
    }

    fn add_error(&mut self, error: Error) -> Result<(), AbiError> {
        let entry = entry(error.clone(), &error.name, &error.inputs)?;
        self.errors.push(entry);
        Ok(())
    }
}

/// Only name and inputs matter here, so what else the reader insists on may be missing.
fn read_entry<T: serde::de::DeserializeOwned>(fields: &Map<String, Value>) -> Result<T, AbiError> {
    let mut whole = fields.clone();
    for (field, usual) in [("type", json!("function")), ("outputs", json!([])), ("stateMutability", json!("payable"))] {
        whole.entry(field).or_insert(usual);
    }
    let entry = serde_json::from_value(Value::Object(whole));
    entry.map_err(|_| AbiError::interface("there is an entry without name or inputs"))
}

fn entry<T>(item: T, name: &str, inputs: &[Param]) -> Result<Entry<T>, AbiError> {
    if name.is_empty() || !is_plain(name) {
        return Err(AbiError::interface("expected names of at most 64 letters, digits, `_` and `$`"));
    }
    if inputs.len() > MOST_INPUTS {
        return Err(AbiError::interface("expected at most 64 inputs of one entry"));
    }
    let types = inputs.iter().map(|input| resolve(input, 0)).collect::<Result<Vec<_>, _>>()?;
    Ok(Entry { item, types })
}

/// The type of an input, within bounds.
fn resolve(input: &Param, depth: usize) -> Result<DynSolType, AbiError> {
    if !is_plain(&input.name) {
        return Err(AbiError::interface("expected names of at most 64 letters, digits, `_` and `$`"));
    }
    if depth > DEEPEST || input.ty.len() > LONGEST_TYPE || input.components.len() > MOST_INPUTS {
        return Err(AbiError::interface("there is a type that is too large"));
    }
    for component in &input.components {
        resolve(component, depth + 1)?;
    }
    let ty = input.resolve().map_err(|_| AbiError::interface("there is a type that does not exist"))?;
    if nesting(&ty) > DEEPEST || words(&ty).is_none_or(|words| words == 0 || words > MOST_WORDS) {
        return Err(AbiError::interface("there is a type that is too large, or empty"));
    }
    Ok(ty)
}

fn is_plain(name: &str) -> bool {
    name.len() <= LONGEST_NAME && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_$".contains(&byte))
}

fn nesting(ty: &DynSolType) -> usize {
    match ty {
        DynSolType::Array(inner) | DynSolType::FixedArray(inner, _) => 1 + nesting(inner),
        DynSolType::Tuple(types) => 1 + types.iter().map(nesting).max().unwrap_or(0),
        _ => 0,
    }
}

/// How many words a value of the type has at least; none: too many to count. Zero would let an array of any length fit
/// into nothing.
fn words(ty: &DynSolType) -> Option<usize> {
    match ty {
        DynSolType::FixedArray(inner, length) => words(inner)?.checked_mul(*length),
        DynSolType::Tuple(types) => types.iter().try_fold(0_usize, |sum, ty| sum.checked_add(words(ty)?)),
        DynSolType::Array(inner) => words(inner).filter(|&words| words > 0).map(|_| 1),
        _ => Some(1),
    }
}
