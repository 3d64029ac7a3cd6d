//! What a transaction does to the wallet: in one line, asset by asset, and whether it would succeed.

use agent_sdk::{
    AssetChange, AssetKind, ChangeDirection, Preview, Simulation, SimulationMethod, SimulationOutcome, Token,
    TokenStandard, Transaction,
};

use alloy::primitives::U256;

use super::data::Detail;
use crate::amount::in_full;
use crate::paint::Paint;
use crate::sheet::Sheet;
use crate::text::{quoted, words};

/// The most assets shown under one label; a contract decides how many there are. Of what leaves all that a server tells.
const MOST_CHANGES: usize = 20;
const MOST_LOST: usize = 64;

/// What it does, before anything else.
pub(super) fn effects(sheet: Sheet, transaction: &Transaction, preview: &Preview, detail: Detail) -> Sheet {
    let sheet = sheet.styled("In short", [words(&preview.intent)], Paint::strong);
    let sheet = DIRECTIONS.iter().fold(sheet, |sheet, (direction, label)| {
        let changes = preview.changes.iter().filter(|change| change.direction == *direction);
        going(sheet, label, &changes.collect::<Vec<_>>(), detail)
    });
    let sheet = match sight(transaction, preview) {
        Sight::Unseen => sheet.styled("Unseen", [UNSEEN.to_owned()], Paint::danger),
        Sight::Seen if preview.changes.is_empty() => sheet.row("Leaves", "nothing but the fee, as a trial has shown"),
        Sight::Read if preview.changes.is_empty() && failed(&preview.simulation) => {
            sheet.row("Leaves", "nothing but the fee, for it would fail")
        }
        Sight::Read if preview.changes.is_empty() => sheet.styled("Unseen", [UNTRIED.to_owned()], Paint::danger),
        Sight::Seen | Sight::Read => sheet,
    };
    let sheet = going(sheet, "Moves", &unknown_directions(preview), detail);
    let style = if failed(&preview.simulation) { Paint::danger } else { |_: Paint, line: &str| line.to_owned() };
    let mut trial = trial(&preview.simulation);
    let is_read = sight(transaction, preview) == Sight::Read && preview.simulation.method == SimulationMethod::EthCall;
    if is_read && !transaction.data.is_empty() {
        trial.push("  what moves is read from the call, not from a trial".to_owned());
    }
    sheet.styled("Trial", trial, style)
}

/// What is known of what a transaction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// A trial has shown it.
    Seen,
    /// Its bytes say it.
    Read,
    /// Neither.
    Unseen,
}

/// Nothing says that nothing leaves.
const UNSEEN: &str = "what it does could not be seen: anything the wallet holds may leave";

/// The same of one that its wallet cannot pay yet.
const UNTRIED: &str = "what it does was not tried yet: it is when the wallet can pay for it";

fn sight(transaction: &Transaction, preview: &Preview) -> Sight {
    let is_warned = transaction.warnings.iter().any(|warning| warning.code == "effects_unknown");
    let is_tried = preview.simulation.outcome == SimulationOutcome::Success;
    match preview.simulation.method {
        _ if is_warned => Sight::Unseen,
        SimulationMethod::EthSimulateV1 | SimulationMethod::DebugTraceCall if is_tried => Sight::Seen,
        // What fails does nothing, and what was not tried is tried again before it is approved.
        _ if preview.changes.is_empty() && is_tried => Sight::Unseen,
        _ => Sight::Read,
    }
}

/// What matters most comes first: what is lost, what can be lost, what is gained.
const DIRECTIONS: [(ChangeDirection, &str); 3] = [
    (ChangeDirection::Sends, "Leaves"),
    (ChangeDirection::Allows, "May leave"),
    (ChangeDirection::Receives, "Arrives"),
];

fn unknown_directions(preview: &Preview) -> Vec<&AssetChange> {
    preview.changes.iter().filter(|change| DIRECTIONS.iter().all(|(known, _)| *known != change.direction)).collect()
}

/// The assets that go one way.
fn going(sheet: Sheet, label: &str, changes: &[&AssetChange], detail: Detail) -> Sheet {
    let is_lost = changes.iter().any(|change| change.direction == ChangeDirection::Sends);
    let most = detail.most(if is_lost { MOST_LOST } else { MOST_CHANGES });
    let shown = changes.iter().take(most).flat_map(|change| change_lines(change));
    sheet.rows(label, shown.chain(and_more(changes.len(), most)))
}

/// How much of what, with whom, and exactly which.
fn change_lines(change: &AssetChange) -> Vec<String> {
    let AssetChange { asset, token_address, token_id, amount, .. } = change;
    let token = token_address.map(|token| format!("  token {}", token.to_checksum(None)));
    let number = token_id.map(|id| format!("  number {id}"));
    let exactly = match asset {
        AssetKind::Native => Some(format!("  exactly {amount} wei")),
        AssetKind::Erc721 => None,
        _ if *amount == U256::MAX => Some(format!("  exactly {}", in_full(&amount.to_string()))),
        _ => Some(format!("  exactly {amount} of its smallest unit")),
    };
    let parts = [counterparty(change), token, number, exactly];
    std::iter::once(words(&change.text)).chain(parts.into_iter().flatten()).collect()
}

/// The other side of a change.
fn counterparty(change: &AssetChange) -> Option<String> {
    let Some(address) = change.counterparty else {
        let is_token = change.token_address.is_some();
        return is_token.then(|| "  without a word of who is on the other side".to_owned());
    };
    let address = address.to_checksum(None);
    Some(match change.direction {
        ChangeDirection::Sends => format!("  to {address}"),
        ChangeDirection::Receives => format!("  from {address}"),
        ChangeDirection::Allows => format!("  whenever {address} takes it"),
        _ => format!("  with {address}"),
    })
}

/// A change in one line, to compare two of them.
pub(crate) fn change_in_words(change: &AssetChange) -> String {
    let label =
        DIRECTIONS.iter().find(|(direction, _)| *direction == change.direction).map_or("Moves", |known| known.1);
    let parts: Vec<String> = change_lines(change).iter().map(|line| line.trim().to_owned()).collect();
    format!("{}: {}", label.to_lowercase(), parts.join(", "))
}

/// Whether it was tried and would fail.
fn failed(simulation: &Simulation) -> bool {
    !matches!(simulation.outcome, SimulationOutcome::Success | SimulationOutcome::Unknown)
}

/// How and when it was tried, and how that went.
fn trial(simulation: &Simulation) -> Vec<String> {
    let mut lines = verdict(simulation);
    if simulation.outcome == SimulationOutcome::Unknown {
        return lines;
    }
    if let [first, rest @ ..] = &mut lines[..] {
        let block = simulation.block_number.map_or("the latest block".to_owned(), |number| format!("block {number}"));
        *first = format!("tried on {block}: {first}");
        rest.iter_mut().for_each(|line| *line = format!("  {line}"));
    }
    lines
}

/// How the trial went, and why.
pub(crate) fn verdict(simulation: &Simulation) -> Vec<String> {
    let verdict = match &simulation.outcome {
        SimulationOutcome::Success => "it would succeed".to_owned(),
        SimulationOutcome::Reverted => "it would FAIL and cost its fee".to_owned(),
        SimulationOutcome::Unknown => "not tried: the wallet does not hold the amount".to_owned(),
        other => format!("{}, which this program does not know", words(other.as_str())),
    };
    let reason = simulation.revert_reason.as_deref();
    let reason = reason.map(|reason| format!("the contract says: {}", quoted(reason)));
    std::iter::once(verdict).chain(reason).collect()
}

/// What the tokens say of themselves.
pub(super) fn tokens(sheet: Sheet, preview: &Preview, detail: Detail) -> Sheet {
    if preview.tokens.is_empty() {
        return sheet;
    }
    let most = detail.most(MOST_CHANGES);
    let lines = preview.tokens.iter().take(most).flat_map(token_lines);
    sheet
        .row("Tokens", "what they say of themselves; anybody can make one that says the")
        .row("", "same, so compare the address:")
        .rows("", lines.chain(and_more(preview.tokens.len(), most)))
}

/// How many more there are than are shown.
fn and_more(count: usize, most: usize) -> Option<String> {
    let left_out = count.saturating_sub(most);
    (left_out > 0).then(|| format!("and {left_out} more, shown with --data"))
}

/// A token's address and its own claims.
fn token_lines(token: &Token) -> Vec<String> {
    let Token { address, standard, symbol, name, decimals, .. } = token;
    let names = [symbol, name].into_iter().flatten().map(|name| quoted(name));
    let decimals = decimals.map_or("no decimals".to_owned(), |decimals| format!("{decimals} decimals"));
    let kind = match standard {
        TokenStandard::Erc20 => "ERC-20".to_owned(),
        TokenStandard::Erc721 => "ERC-721".to_owned(),
        TokenStandard::Erc1155 => "ERC-1155".to_owned(),
        TokenStandard::Unknown => "of no known kind".to_owned(),
        other => words(other.as_str()),
    };
    let decimals = matches!(standard, TokenStandard::Erc20 | TokenStandard::Unknown).then_some(decimals);
    let claims: Vec<String> = names.chain(decimals).chain([kind]).collect();
    vec![address.to_checksum(None), format!("  {}", claims.join(", "))]
}
