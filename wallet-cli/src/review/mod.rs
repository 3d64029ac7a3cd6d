//! The review screen: what a transaction does, as the server explains it, and below that everything that would
//! be signed, taken from the fields that its digest covers. `check` holds the two together.

mod calls;
mod check;
mod data;
mod effects;
mod warnings;
mod words;

use agent_sdk::{Action, Execute, Preview, Status, Transaction, WaitingReason};
use alloy::primitives::hex;
use time::OffsetDateTime;

use crate::amount::{coins, fee_at_most, gwei, total_at_most};
use crate::paint::Paint;
use crate::sheet::{Sheet, VALUE_WIDTH};
use crate::surroundings::Surroundings;
use crate::text::{clean, quoted, wrap};
use crate::waiting;
use crate::when;

pub(crate) use check::{Objection, check};
pub(crate) use data::Detail;
pub(crate) use effects::{change_in_words, verdict};
pub(crate) use warnings::{in_words, must_be_accepted};
pub(crate) use words::parameters;

/// How to look at a transaction.
#[derive(Clone, Copy)]
pub(crate) struct View {
    /// How much of what is long is shown.
    pub(crate) detail: Detail,
    /// When it is looked at.
    pub(crate) now: OffsetDateTime,
    /// The styles.
    pub(crate) paint: Paint,
}

/// The whole transaction, 80 columns wide: what it does, how, what exactly is signed, and who asked for it.
pub(crate) fn screen(transaction: &Transaction, around: &Surroundings, view: View) -> String {
    let sheet = heading(Sheet::new(view.paint), transaction).gap();
    let sheet = match &transaction.preview {
        Some(preview) => effects::effects(sheet, transaction, preview, view.detail),
        None => sheet.row("In short", "no preview was made of it; judge by the action and the data below"),
    };
    let sheet = warnings::warnings(sheet, transaction).gap();
    let sheet = match &transaction.preview {
        Some(preview) => explanation(sheet, transaction, preview, view.detail),
        None => sheet,
    };
    let sheet = payment(sheet, transaction, around, view.detail);
    let sheet = cost(sheet, transaction, around).gap();
    let sheet = request(sheet, transaction, around);
    if is_stored(transaction) {
        let sheet = outcome(sheet.row("Expires", &expiry(transaction, view.now)), transaction);
        return identity(sheet.gap(), transaction).finish();
    }
    sheet.finish()
}

/// Whether the server keeps it; a preview of a send is nothing but a preview.
fn is_stored(transaction: &Transaction) -> bool {
    transaction.version > 0
}

/// Which transaction it is, and how far it has come.
fn heading(sheet: Sheet, transaction: &Transaction) -> Sheet {
    if !is_stored(transaction) {
        return sheet.title("Not sent yet: this is what you are about to send");
    }
    let title = format!("Transaction {}", transaction.transaction_id);
    sheet.title(&title).row("Status", &status_in_words(transaction))
}

/// The decoded calls and the tokens in them, followed by an empty line where there are any.
fn explanation(sheet: Sheet, transaction: &Transaction, preview: &Preview, detail: Detail) -> Sheet {
    let explained = Sheet::new(sheet.paint());
    let explained = calls::calls(explained, transaction, preview, detail);
    let explained = effects::tokens(explained, preview, detail).finish();
    if explained.is_empty() { sheet } else { sheet.append(&explained).gap() }
}

/// What exactly is signed.
fn payment(sheet: Sheet, transaction: &Transaction, around: &Surroundings, detail: Detail) -> Sheet {
    let Transaction { to, value, data, .. } = transaction;
    let symbol = &around.symbol;
    let label = around.wallet_label.as_deref().map(quoted);
    // Without an explanation the bytes are all there is to judge by.
    let detail = if transaction.preview.is_some() { detail } else { Detail::Full };
    sheet
        .rows("From", [transaction.address.to_checksum(None)].into_iter().chain(label))
        .row("Chain", &format!("{}, id {}", around.chain, transaction.chain_id))
        .row("To", &to.map_or("nobody: this creates a contract".into(), |to| to.to_checksum(None)))
        .row("Action", &action_in_words(transaction, symbol))
        .rows("Value", [format!("{} {symbol}", coins(*value)), format!("{value} wei")])
        .rows("Data", data::data_lines(data, detail))
}

/// What it costs at most.
fn cost(sheet: Sheet, transaction: &Transaction, around: &Surroundings) -> Sheet {
    let Transaction { value, gas_limit, max_fee_per_gas, .. } = transaction;
    let symbol = &around.symbol;
    let fee = fee_at_most(*gas_limit, *max_fee_per_gas);
    let total = total_at_most(*value, *gas_limit, *max_fee_per_gas);
    let data_fee = transaction.preview.as_ref().and_then(|preview| preview.data_fee);
    let besides = data_fee.map(|_| "besides the data fee, which nothing limits".to_owned());
    let data_fee = data_fee.map(|fee| {
        [
            format!("about {} {symbol} more: an estimate of what this chain charges for data", coins(fee)),
            format!("{fee} wei"),
        ]
    });
    let total = [format!("at most {} {symbol} leaves the wallet", coins(total)), format!("{total} wei")];
    sheet
        .row("Gas limit", &gas_limit.to_string())
        .row("Fee cap", &format!("{} gwei per gas", gwei(*max_fee_per_gas)))
        .row("Tip cap", &format!("{} gwei per gas", gwei(transaction.max_priority_fee_per_gas)))
        .rows("Fee", [format!("at most {} {symbol}", coins(fee)), format!("{fee} wei")])
        .rows("Data fee", data_fee.into_iter().flatten())
        .styled("Total", total.into_iter().chain(besides), Paint::strong)
}

/// Who asked for it and why, and what the server thinks of it.
fn request(sheet: Sheet, transaction: &Transaction, around: &Surroundings) -> Sheet {
    let asked_by = match transaction.agent_id {
        Some(id) => {
            let name = around.agent_name.as_deref().map(|name| format!("agent {}", quoted(name)));
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
        Action::Other(_) => sheet.row("Request", "of a kind this program does not know; judge by the data above"),
        _ => sheet,
    };
    // A send of one's own goes out at once anyway.
    sheet.optional("Runs", transaction.agent_id.map(|_| execution_in_words(transaction.execute)))
}

/// How it went after the decision, as far as it has gone.
fn outcome(sheet: Sheet, transaction: &Transaction) -> Sheet {
    let block = transaction.block.as_ref();
    // That it waits for a decision is what the screen is shown for.
    let waiting = transaction.waiting.as_ref().filter(|waiting| waiting.reason != WaitingReason::Decision);
    sheet
        .optional("Decided", transaction.decided_at.map(when::for_people))
        .optional("Execute by", transaction.execute_by.map(when::for_people))
        .rows("Waiting", waiting.map(waiting::lines).unwrap_or_default())
        .optional("Nonce", transaction.nonce.map(|nonce| nonce.to_string()))
        .optional("Hash", transaction.transaction_hash.map(|hash| hash.to_string()))
        .optional("Block", block.map(|block| format!("{}, {} gas used", block.number, block.gas_used)))
        .optional("Gas price", block.map(|block| format!("{} gwei", gwei(block.effective_gas_price))))
        .optional("Reason", transaction.reason.as_deref())
        .optional("Evidence", transaction.evidence.as_ref().and_then(waiting::evidence))
        .styled("Copies", waiting::copies(transaction), Paint::caution)
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

/// What sets it going.
fn execution_in_words(execute: Execute) -> String {
    match execute {
        Execute::Agent => "when its agent executes it".to_owned(),
        Execute::OnApproval => "as soon as you approve".to_owned(),
        other => format!("by a way this program does not know: {}", other.as_str()),
    }
}

/// The status, and whether a cancellation is on its way.
fn status_in_words(transaction: &Transaction) -> String {
    let cancelling = match (transaction.cancelling, transaction.status.is_final()) {
        (true, false) => ", being cancelled",
        (true, true) => ", its cancellation is on its way",
        (false, _) => "",
    };
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
pub(crate) mod examples;
#[cfg(test)]
mod tests;
