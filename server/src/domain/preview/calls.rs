//! Decoded calls, in the form that is kept and shown.

use super::words::Words;
use crate::{
    abi::{Call, Meaning},
    value::{CallData, DecodedArgument, DecodedCall, TokenStandard},
};

/// The calls as they are shown: each before those inside it.
pub(super) fn decoded(words: &Words<'_>, calls: &[Call]) -> Vec<DecodedCall> {
    let inner = |index: usize| {
        let depth = calls[index].depth;
        calls[index + 1..].iter().take_while(|call| call.depth > depth).filter(|call| call.depth == depth + 1).count()
    };
    calls.iter().enumerate().map(|(index, call)| one(words, call, inner(index))).collect()
}

fn one(words: &Words<'_>, call: &Call, inner: usize) -> DecodedCall {
    let mut intent = words.intent(call, inner);
    if call.truncated {
        intent.push_str(" (and more calls than are shown)");
    }
    if call.extra > 0 {
        intent.push_str(&format!(" (and {} bytes that the function does not take)", call.extra));
    }
    let argument = |argument: &crate::abi::Argument| DecodedArgument {
        name: argument.name.clone(),
        kind: argument.kind.clone(),
        value: argument.value.clone(),
        text: text(words, call, &argument.value),
    };
    DecodedCall {
        depth: call.depth.into(),
        to: call.to,
        value: call.value,
        selector: call.selector.map(|selector| CallData(selector.to_vec())),
        signature: call.signature.clone(),
        source: call.source,
        standard: call.standard.map(ToOwned::to_owned),
        arguments: call.arguments.iter().map(argument).collect(),
        intent,
    }
}

/// The amount of a token in words, where an argument is exactly that amount.
fn text(words: &Words<'_>, call: &Call, value: &str) -> Option<String> {
    let is = |amount: alloy::primitives::U256| amount.to_string() == value;
    call.meanings.iter().find_map(|meaning| match *meaning {
        Meaning::TokenTransfer { token, amount, .. } if is(amount) => Some(match words.assets.standard(token) {
            TokenStandard::Erc721 => words.item(token, amount),
            _ => words.token(token, amount),
        }),
        Meaning::NftTransfer { token, token_id, .. } if is(token_id) => Some(words.item(token, token_id)),
        Meaning::Allowance { token, amount, .. } if is(amount) => Some(match words.assets.standard(token) {
            TokenStandard::Erc721 => words.item(token, amount),
            _ => words.allowance(token, amount),
        }),
        _ => None,
    })
}
