//! The review screen: everything a transaction will do, taken from the fields that its digest covers,
//! and the reasons not even to offer it for approval.

use agent_sdk::{Action, Severity, Status, Transaction, Warning};
use alloy::primitives::hex;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::amount::{coins, fee_at_most, gwei, total_at_most};
use crate::paint::Paint;
use crate::sheet::{Sheet, VALUE_WIDTH};
use crate::surroundings::Surroundings;
use crate::text::{clean, wrap};
use crate::when;

/// Bytes of data on one line: a word of the contract ABI.
const BYTES_A_LINE: usize = 32;

/// Why a transaction must not be approved as the server shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Objection {
    /// Some field is not the one that would be approved.
    #[error("its digest does not match its fields")]
    Digest,
    /// The server answered with another transaction.
    #[error("the server answered with another transaction")]
    AnotherTransaction,
    /// It belongs to somebody else.
    #[error("it belongs to another user")]
    AnotherUser,
    /// The request and the bytes to be signed are two different things.
    #[error("what the agent asked for is not what would be signed")]
    AnotherAction,
    /// Something other than its cost changed after it was shown.
    #[error("more than its cost has changed since it was shown")]
    AnotherPayment,
}

/// Checks that what the screen shows is what an approval would sign, and for whom.
///
/// Fails with the first thing that is wrong.
pub(crate) fn check(transaction: &Transaction, transaction_id: Uuid, user_id: Uuid) -> Result<(), Objection> {
    if transaction.transaction_id != transaction_id {
        return Err(Objection::AnotherTransaction);
    }
    if !transaction.digest_matches() {
        return Err(Objection::Digest);
    }
    if transaction.user_id != user_id {
        return Err(Objection::AnotherUser);
    }
    if !signs_what_was_asked(transaction) {
        return Err(Objection::AnotherAction);
    }
    Ok(())
}

/// Whether the request, which the digest does not cover, agrees with the bytes, which it does. A kind of
/// request that this version does not know cannot be compared; the screen describes the bytes alone.
fn signs_what_was_asked(transaction: &Transaction) -> bool {
    let Transaction { to, value, data, .. } = transaction;
    match &transaction.action {
        Action::Transfer { to_address, amount } => *to == Some(*to_address) && value == amount && data.is_empty(),
        Action::Raw { to_address, amount, data: asked, .. } => to == to_address && value == amount && data == asked,
        _ => true,
    }
}

/// The whole transaction, 80 columns wide.
pub(crate) fn screen(transaction: &Transaction, around: &Surroundings, now: OffsetDateTime, paint: Paint) -> String {
    let sheet = Sheet::new(paint)
        .title(&format!("Transaction {}", transaction.transaction_id))
        .row("Status", &status_in_words(transaction))
        .gap();
    let sheet = payment(sheet, transaction, around).gap();
    let sheet = request(sheet, transaction, around);
    let sheet = outcome(sheet.rows("Expires", [expiry(transaction, now)]), transaction);
    identity(sheet.gap(), transaction).finish()
}

/// What is sent, and what it costs at most.
fn payment(sheet: Sheet, transaction: &Transaction, around: &Surroundings) -> Sheet {
    let Transaction { to, value, data, gas_limit, .. } = transaction;
    let symbol = &around.symbol;
    let tip = gwei(transaction.max_priority_fee_per_gas);
    let fee = fee_at_most(*gas_limit, transaction.max_fee_per_gas);
    let total = total_at_most(*value, *gas_limit, transaction.max_fee_per_gas);
    let label = around.wallet_label.as_deref().map(|label| format!("{label:?}"));
    sheet
        .rows("From", [transaction.address.to_checksum(None)].into_iter().chain(label))
        .row("Chain", &format!("{}, id {}", around.chain, transaction.chain_id))
        .row("To", &to.map_or("nobody: this creates a contract".into(), |to| to.to_checksum(None)))
        .row("Action", &action_in_words(transaction, symbol))
        .rows("Value", [format!("{} {symbol}", coins(*value)), format!("{value} wei")])
        .rows("Data", data_lines(data))
        .row("Gas limit", &gas_limit.to_string())
        .row("Fee cap", &format!("{} gwei per gas", gwei(transaction.max_fee_per_gas)))
        .row("Tip cap", &format!("{tip} gwei per gas"))
        .rows("Fee", [format!("at most {} {symbol}", coins(fee)), format!("{fee} wei")])
        .styled(
            "Total",
            [format!("at most {} {symbol} leaves the wallet", coins(total)), format!("{total} wei")],
            Paint::strong,
        )
}

/// Who asked for it and why, and what the server thinks of it.
fn request(sheet: Sheet, transaction: &Transaction, around: &Surroundings) -> Sheet {
    let asked_by = match transaction.agent_id {
        Some(id) => {
            let name = around.agent_name.as_deref().map(|name| format!("agent {name:?}"));
            [name.unwrap_or_else(|| "an agent".to_owned()), id.to_string()].to_vec()
        }
        None => vec!["yourself".to_owned()],
    };
    let sheet = sheet.rows("Asked by", asked_by);
    let sheet = match &transaction.memo {
        Some(memo) => {
            let words = wrap(&clean(memo), VALUE_WIDTH - 2);
            let quoted = words.iter().map(|line| format!("| {line}"));
            sheet.row("Memo", "the agent's own words, not checked by anyone:").rows("", quoted)
        }
        None => sheet.row("Memo", "none"),
    };
    let sheet = match &transaction.action {
        Action::Transfer { .. } | Action::Raw { .. } => sheet,
        _ => sheet.row("Request", "of a kind this program does not know; judge by the data above"),
    };
    if transaction.warnings.is_empty() {
        return sheet.row("Warnings", "none");
    }
    let labels = ["Warnings"].into_iter().chain(std::iter::repeat(""));
    transaction.warnings.iter().zip(labels).fold(sheet, |sheet, (warning, label)| {
        let Warning { code, severity, detail, .. } = warning;
        let style = match severity {
            Severity::Low => |_: Paint, line: &str| line.to_owned(),
            Severity::Medium => Paint::caution,
            _ => Paint::danger,
        };
        let severity = severity.as_str().to_uppercase();
        sheet.styled(label, [format!("{severity}: {detail} ({code})")], style)
    })
}

/// How it went after the decision, as far as it has gone.
fn outcome(sheet: Sheet, transaction: &Transaction) -> Sheet {
    let block = transaction.block.as_ref();
    let waiting = transaction.waiting.as_ref().map(|waiting| {
        let blocked = waiting.blocked_by.map(|id| format!(", behind {id}")).unwrap_or_default();
        format!("for {} since {}{blocked}", waiting.reason, when::for_people(waiting.since))
    });
    sheet
        .optional("Decided", transaction.decided_at.map(when::for_people))
        .optional("Execute by", transaction.execute_by.map(when::for_people))
        .optional("Waiting", waiting)
        .optional("Nonce", transaction.nonce.map(|nonce| nonce.to_string()))
        .optional("Hash", transaction.transaction_hash.map(|hash| hash.to_string()))
        .optional("Block", block.map(|block| format!("{}, {} gas used", block.number, block.gas_used)))
        .optional("Gas price", block.map(|block| format!("{} gwei", gwei(block.effective_gas_price))))
        .optional("Reason", transaction.reason.as_deref())
}

/// The digest that an approval names, recomputed from the fields above it.
fn identity(sheet: Sheet, transaction: &Transaction) -> Sheet {
    let digest = transaction.computed_digest();
    let sheet =
        sheet.row("Digest", &digest.to_string()).styled("Short form", [hex::encode(&digest[..4])], Paint::strong);
    if transaction.digest_matches() {
        return sheet;
    }
    sheet.styled("", ["the server names another digest: do not approve this"], Paint::danger)
}

/// What the signed bytes do, whatever the request called it.
fn action_in_words(transaction: &Transaction, symbol: &str) -> String {
    let Transaction { to, value, data, .. } = transaction;
    let sending = match value.is_zero() {
        true => format!("sending no {symbol}"),
        false => format!("sending {} {symbol}", coins(*value)),
    };
    match to {
        None => format!("Create a contract from {} bytes of code, {sending}", data.len()),
        Some(to) if data.is_empty() => {
            format!("Send {} {symbol} to {}", coins(*value), to.to_checksum(None))
        }
        Some(_) => match data.get(..4).map(hex::encode_prefixed) {
            Some(function) => format!("Call function {function} of the address above, {sending}"),
            None => format!("Call the address above, {sending}"),
        },
    }
}

/// The data's length and all of its bytes. Call data puts the 4-byte selector first, and words after it.
fn data_lines(data: &[u8]) -> Vec<String> {
    if data.is_empty() {
        return vec!["none".to_owned()];
    }
    let selector = if data.len() % BYTES_A_LINE == 4 { 4 } else { 0 };
    let (first, words) = data.split_at(selector);
    let length = format!("{} bytes", data.len());
    let pieces = Some(first).filter(|first| !first.is_empty()).into_iter().chain(words.chunks(BYTES_A_LINE));
    let digits = pieces.map(hex::encode).enumerate().map(|(number, digits)| {
        let prefix = if number == 0 { "0x" } else { "  " };
        format!("{prefix}{digits}")
    });
    std::iter::once(length).chain(digits).collect()
}

/// The status, and whether a cancellation is on its way.
fn status_in_words(transaction: &Transaction) -> String {
    let cancelling = if transaction.cancelling { ", being cancelled" } else { "" };
    format!("{}{cancelling}", transaction.status)
}

/// Until when it can be decided, and how long that is while it matters.
fn expiry(transaction: &Transaction, now: OffsetDateTime) -> String {
    match transaction.status {
        Status::Pending => when::deadline(transaction.expires_at, now),
        _ => when::for_people(transaction.expires_at),
    }
}

#[cfg(test)]
#[path = "review_tests.rs"]
mod tests;
