//! The decoded call and the calls inside it, with their arguments, for who wants to know how it is done.

use agent_sdk::{DecodedArgument, DecodedCall, DecodingSource, Preview, Transaction};

use super::data::Detail;
use crate::amount::in_full;
use crate::sheet::Sheet;
use crate::text::{columns, quoted, shorten, words};

/// The most arguments shown of one call, and the most characters of one argument.
const MOST_ARGUMENTS: usize = 24;
const LONGEST_VALUE: usize = 200;
/// The longest bytes shown of a call whose inner calls are shown.
const BRIEF_BYTES: usize = 66;
/// The longest name of an argument that is believed to be one.
const LONGEST_NAME: usize = 40;
/// How much further in a call is than the call it is inside of, and how far at most.
const STEP: usize = 2;
const DEEPEST: usize = 4;

/// The calls; a payment without data has nothing more to say.
pub(super) fn calls(sheet: Sheet, transaction: &Transaction, preview: &Preview, detail: Detail) -> Sheet {
    let [top, inner @ ..] = &preview.calls[..] else {
        return sheet;
    };
    if inner.is_empty() && (transaction.data.is_empty() || transaction.to.is_none()) {
        return sheet;
    }
    let repeated = words(&top.intent) == words(&preview.intent);
    let intent = (!repeated).then(|| words(&top.intent));
    let whose = if transaction.agent_id.is_some() { "the agent's" } else { "your" };
    let of = Of { whose, detail, carries: false };
    let top_of = Of { carries: !inner.is_empty(), ..of };
    let sheet = sheet.rows("Call", intent.into_iter().chain(body(top, 0, top_of)));
    let mut numbers = Vec::new();
    let labels = ["Inside it"].into_iter().chain(std::iter::repeat(""));
    let next = inner.iter().skip(1).map(|call| call.depth).chain([0]);
    inner.iter().zip(next).zip(labels).fold(sheet, |sheet, ((call, next), label)| {
        let number = next_number(&mut numbers, call.depth);
        let indent = STEP * numbers.len().saturating_sub(1);
        let heading = format!("{:indent$}{number} {}", "", words(&call.intent));
        let of = Of { carries: next > call.depth, ..of };
        sheet.rows(label, std::iter::once(heading).chain(body(call, indent + STEP, of)))
    })
}

/// How a call is to be shown.
#[derive(Clone, Copy)]
struct Of {
    /// Who gave the ABI that is of no public standard.
    whose: &'static str,
    /// How much of what is long is shown.
    detail: Detail,
    /// Whether calls inside it are shown, so that the bytes that hold them need not be.
    carries: bool,
}

/// The number of the next call at this depth: 1., 2., 2.1.
fn next_number(numbers: &mut Vec<usize>, depth: u32) -> String {
    let depth = usize::try_from(depth).map_or(DEEPEST, |depth| depth.clamp(1, DEEPEST));
    numbers.resize(depth, 0);
    if let Some(last) = numbers.last_mut() {
        *last += 1;
    }
    numbers.iter().map(|number| format!("{number}.")).collect()
}

/// The function, where its name comes from, whom it is called on, and with what.
fn body(call: &DecodedCall, indent: usize, of: Of) -> Vec<String> {
    let DecodedCall { to, value, selector, signature, arguments, .. } = call;
    let function = match (signature, selector) {
        (Some(signature), _) => format!("function {}", words(signature)),
        (None, Some(selector)) => format!("function {selector}, which is not decoded"),
        (None, None) => "no function".to_owned(),
    };
    let whom = match to {
        Some(to) => format!("  of {}", to.to_checksum(None)),
        None => "  of a new contract".to_owned(),
    };
    let value = (!value.is_zero()).then(|| format!("  with {value} wei"));
    let most = of.detail.most(MOST_ARGUMENTS);
    let lines = arguments.iter().enumerate().take(most).map(|(number, one)| argument(number, one, of));
    let left_out = arguments.len().saturating_sub(most);
    let rest = (left_out > 0).then(|| format!("  and {left_out} more arguments, shown with --data"));
    let names = call.signature.is_some().then(|| format!("  names: {}", source(call, of.whose)));
    let heading = std::iter::once(function).chain([whom]).chain(value).chain(names);
    heading.chain(lines).chain(rest).map(|line| format!("{:indent$}{line}", "")).collect()
}

/// Where the names come from, and so how far they can be believed.
fn source(call: &DecodedCall, whose: &str) -> String {
    let standard = call.standard.as_deref().map(words);
    match (&call.source, standard) {
        (Some(DecodingSource::Standard), Some(standard)) => format!("publicly known, {standard}"),
        (Some(DecodingSource::Standard), None) => "publicly known".to_owned(),
        (Some(DecodingSource::GivenAbi), _) => format!("{whose} own, not checked by anyone"),
        _ => "from nobody knows where, not checked by anyone".to_owned(),
    }
}

/// An argument by its name: for people first, then exactly.
fn argument(number: usize, argument: &DecodedArgument, of: Of) -> String {
    let name = name(number, &argument.name);
    let value = words(&argument.value);
    if of.carries && of.detail == Detail::Brief && argument.kind.contains("bytes") && columns(&value) > BRIEF_BYTES {
        return format!("  {name}: {} characters, shown with --data", value.chars().count());
    }
    let (value, left_out) = shorten(&value, of.detail.most(LONGEST_VALUE));
    let value = match argument.kind.as_str() {
        "string" => quoted(&value),
        "uint256" => in_full(&value),
        _ => value,
    };
    let rest = if left_out > 0 { format!(" and {left_out} more characters, shown with --data") } else { String::new() };
    match argument.text.as_deref().map(words).filter(|text| *text != value) {
        Some(text) => format!("  {name}: {text} ({value}{rest})"),
        None => format!("  {name}: {value}{rest}"),
    }
}

/// The name of an argument where it can be one, so that no other words pass for a name.
fn name(number: usize, name: &str) -> String {
    let is_name = name.len() <= LONGEST_NAME
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_$".contains(&byte))
        && !name.bytes().all(|byte| byte.is_ascii_digit());
    if is_name { name.to_owned() } else { format!("argument {}", number + 1) }
}
