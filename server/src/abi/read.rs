//! Reading calls, and the calls inside them.

use alloy::{dyn_abi::DynSolValue, json_abi::Function};

use super::{
    Contract, Meaning,
    carry::{self, Inner, MOST_CALLS},
    contract::Entry,
    decode,
    meaning::{self, Values},
    standards, text,
};
use crate::value::{Address, DecodingSource, Wei};

/// How deep calls inside calls are followed.
const DEEPEST: u8 = 4;

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
    /// How many bytes follow those that a standard's function takes. It does not see them; a contract may.
    pub extra: usize,
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

/// Reads a transaction: the call itself, then the calls inside it, each before those inside it. At most 64 calls, 4 levels
/// deep. The given interface is that of `to`, and names nothing elsewhere.
pub fn read(to: Option<Address>, value: Wei, data: &[u8], given: Option<&Contract>) -> Vec<Call> {
    let mut reader = Reader { calls: Vec::new(), root: to, given };
    reader.follow(0, &Inner { caller: None, to, acting: to, value: value.0, data: data.into() });
    reader.calls
}

struct Reader<'a> {
    calls: Vec<Call>,
    /// The contract that `given` is of.
    root: Option<Address>,
    given: Option<&'a Contract>,
}

impl Reader<'_> {
    fn follow(&mut self, depth: u8, inner: &Inner<'_>) {
        let selector = inner.to.and_then(|_| inner.data.first_chunk::<4>().copied());
        let index = self.calls.len();
        self.calls.push(Call {
            depth,
            to: inner.to,
            value: Wei(inner.value),
            data: inner.data.to_vec(),
            selector,
            signature: None,
            source: None,
            standard: None,
            arguments: Vec::new(),
            meanings: Vec::new(),
            truncated: false,
            extra: 0,
        });
        let Some(selector) = selector else { return };
        // A contract may take bytes that no encoder makes, with dirty bits or parts elsewhere. So a selector that a standard
        // has is read as the standard's or not at all; another name with the same one was made to deceive. What follows is
        // counted: people append marks to calls, of where they come from.
        match standards::by_selector(selector) {
            Some(known) => self.follow_known(index, inner, known),
            None => self.name_given(index, inner, selector),
        }
    }

    fn follow_known(&mut self, index: usize, inner: &Inner<'_>, known: &standards::Known) {
        let Some(to) = inner.to else { return };
        let Some((values, used)) = decode::prefix(&known.entry.types, &inner.data[4..]) else { return };
        let signature = known.entry.item.signature();
        let carried = carry::carried(&signature, inner, Values(&values));
        let call = &mut self.calls[index];
        call.standard = Some(known.standard);
        call.extra = inner.data.len() - 4 - used;
        call.meanings = meaning::of(&signature, inner.caller, to, Values(&values));
        call.meanings.extend(carried.iter().flatten().filter_map(|one| one.lent_to(inner)).take(MOST_CALLS));
        name(call, &known.entry, &values, DecodingSource::Standard);
        match carried {
            Some(carried) => self.follow_all(index, &carried),
            // What it carries cannot be told apart.
            None => call.truncated = true,
        }
    }

    fn follow_all(&mut self, index: usize, carried: &[Inner<'_>]) {
        let depth = self.calls[index].depth;
        for inner in carried {
            if depth + 1 >= DEEPEST || self.calls.len() >= MOST_CALLS {
                self.calls[index].truncated = true;
                return;
            }
            self.follow(depth + 1, inner);
        }
    }

    fn name_given(&mut self, index: usize, inner: &Inner<'_>, selector: [u8; 4]) {
        let given = self.given.filter(|_| inner.to == self.root);
        let fits = |entry: &&Entry<Function>| entry.item.selector().0 == selector;
        let mut entries = given.into_iter().flat_map(|contract| &contract.functions).filter(fits);
        let read = entries.find_map(|entry| Some((entry, decode::decode(&entry.types, &inner.data[4..])?)));
        if let Some((entry, values)) = read {
            name(&mut self.calls[index], entry, &values, DecodingSource::GivenAbi);
        }
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
