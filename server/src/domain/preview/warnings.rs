//! What a human should look at twice. Each warning has a stable code; those of high severity must be acknowledged.

use alloy::primitives::U256;

use super::{
    Sight,
    assets::Assets,
    fees,
    history::{Past, UnderClock},
};
use crate::{
    abi::{Call, Event, Meaning},
    store::transactions::Model,
    value::{
        Address, AssetChange, AssetKind, ChangeDirection, Preview, Severity, SimulationOutcome, TokenStandard, Warning,
        Wei,
    },
};

/// What the warnings are drawn from, beside the user's past.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) sight: &'a Sight,
    pub(super) events: &'a [Event],
    pub(super) assets: &'a Assets,
    pub(super) preview: &'a Preview,
    /// Whether more changes than the preview shows.
    pub(super) cut: bool,
    /// Whether something else leaves, or less arrives, an hour later or in somebody else's block.
    pub(super) depends: bool,
}

/// Collects warnings, each code once for each thing that it is about.
#[derive(Default)]
struct Warnings(Vec<Warning>);

impl Warnings {
    fn add(&mut self, code: &str, severity: Severity, detail: impl Into<String>) {
        self.push(Warning { code: code.to_owned(), subject: None, severity, detail: detail.into() });
    }

    /// The same about something.
    fn about(&mut self, code: &str, subject: impl ToString, severity: Severity, detail: impl Into<String>) {
        let subject = Some(subject.to_string());
        self.push(Warning { code: code.to_owned(), subject, severity, detail: detail.into() });
    }

    fn push(&mut self, warning: Warning) {
        if self.0.iter().all(|known| known.name() != warning.name()) {
            self.0.push(warning);
        }
    }
}

/// Everything that is worth a warning, the gravest first.
pub(super) fn list(seen: &Seen<'_>, past: &Past, row: &Model, free: Wei) -> Vec<Warning> {
    let mut warnings = Warnings::default();
    about_outcome(&mut warnings, seen, row, free);
    about_calls(&mut warnings, seen, past, row);
    about_recipients(&mut warnings, seen, past, row);
    about_events(&mut warnings, seen, row.address);
    about_changes(&mut warnings, seen, past, row);
    about_amounts(&mut warnings, seen);
    about_past(&mut warnings, past);
    about_nonces(&mut warnings, past);
    if past.has_twin {
        let detail = "exactly this was asked for within the last 24 hours";
        warnings.add("identical_to_recent", Severity::Medium, detail);
    }
    let rank = |severity| Severity::ALL.iter().rev().position(|&known| known == severity);
    warnings.0.sort_by_key(|warning| rank(warning.severity));
    warnings.0
}

fn about_outcome(warnings: &mut Warnings, seen: &Seen<'_>, row: &Model, free: Wei) {
    let simulation = &seen.preview.simulation;
    if simulation.outcome == SimulationOutcome::Reverted {
        let reason = simulation.revert_reason.as_deref().unwrap_or("no reason given");
        warnings.add("would_revert", Severity::High, format!("it would fail and cost its fee: {reason}"));
    }
    let is_tried = simulation.outcome == SimulationOutcome::Success;
    if is_tried && !seen.sight.is_seen() && !seen.sight.is_understood(seen.assets) {
        let detail = "what it does could not be seen: anything that the wallet holds may leave";
        warnings.add("effects_unknown", Severity::High, detail);
    }
    if seen.depends {
        let detail = "it does something else in another block: what is shown here need not be what happens";
        warnings.add("effects_depend", Severity::High, detail);
    }
    let data_fee = seen.preview.data_fee.unwrap_or_default();
    if free < row.value.saturating_add(row.worst_case_fee()).saturating_add(data_fee) {
        let detail = "the wallet does not hold the amount and its worst-case fee now";
        warnings.add("insufficient_balance", Severity::High, detail);
    }
    let balance = seen.sight.facts.account.balance.0;
    if let Some(detail) = fees::excess(fees::Offer::of(row), balance, seen.sight.recent_price) {
        warnings.add("excessive_fee", Severity::High, detail);
    }
}

/// What waits before something that its owner sends now.
fn about_nonces(warnings: &mut Warnings, past: &Past) {
    let UnderClock { count, cost, within } = past.put_under_clock;
    if count == 0 {
        return;
    }
    let waits = if count == 1 {
        "an approved transaction waits".to_owned()
    } else {
        format!("{count} approved transactions wait")
    };
    let detail = format!(
        "{waits} before it, and will be withdrawn if not executed within {} s; filling their nonces costs at most {cost} wei",
        within.as_secs()
    );
    warnings.add("gives_way", Severity::Medium, detail);
}

fn about_past(warnings: &mut Warnings, past: &Past) {
    if let Some(hash) = past.paid_elsewhere {
        let detail = format!("the wallet has done exactly this without this server, in {hash}: this would do it again");
        warnings.add("already_paid", Severity::High, detail);
    }
    if past.unknown {
        let detail = "the wallet was used elsewhere and what it did cannot be read: this may have been done already";
        warnings.add("unknown_history", Severity::High, detail);
    }
    if past.restored {
        let detail = "the server's database was restored from a backup: what was done since is not in it";
        warnings.add("database_restored", Severity::High, detail);
    }
}

fn about_calls(warnings: &mut Warnings, seen: &Seen<'_>, past: &Past, row: &Model) {
    match row.to_address {
        None => warnings.add("contract_creation", Severity::Medium, "it deploys a new contract"),
        Some(to) if !row.data.is_empty() && !seen.sight.has_code => {
            let detail = format!("there is no contract at {to}: the call does nothing, and what is sent may be lost");
            warnings.about("no_code_at_target", to, Severity::High, detail);
        }
        Some(_) => {}
    }
    for call in &seen.sight.calls {
        let undecoded = call.to.is_some() && !call.data.is_empty() && call.signature.is_none();
        if undecoded || call.truncated {
            let detail = "a part of the data cannot be read: what it makes the contract do is not known";
            warnings.add("unknown_calldata", Severity::High, detail);
        }
        if let Some(to) = call.to.filter(|_| call.extra > 0) {
            let detail = format!("{} bytes follow what {to} is told to do: they may mean something to it", call.extra);
            // Whoever is no token need not mean by these bytes what a token does, unless it was seen what it does.
            let is_token = seen.assets.standard(to) != TokenStandard::Unknown;
            let severity = if is_token || seen.sight.is_seen() { Severity::Medium } else { Severity::High };
            warnings.about("extra_bytes", to, severity, detail);
        }
        for meaning in &call.meanings {
            about_meaning(warnings, seen.assets, meaning);
            if let Meaning::Payout { to, .. } = *meaning
                && to != row.address
            {
                let severity = if past.strangers.contains(&to) { Severity::High } else { Severity::Medium };
                let detail = format!("what it yields goes to {to}, and not to this wallet");
                warnings.about("recipient_is_not_you", to, severity, detail);
            }
        }
    }
}

fn about_meaning(warnings: &mut Warnings, assets: &Assets, meaning: &Meaning) {
    match *meaning {
        Meaning::Allowance { token, spender, amount, largest, .. } => {
            let is_item = assets.standard(token) == TokenStandard::Erc721;
            if !is_item && !amount.is_zero() && (amount == largest || assets.is_unlimited(token, amount)) {
                unlimited(warnings, token, spender);
            }
        }
        Meaning::Operator { token, operator, approved: true } => operates(warnings, token, operator),
        Meaning::Operator { .. } => {}
        Meaning::Ownership { contract, .. } => {
            let detail = format!("it changes who controls {contract}");
            warnings.about("ownership_change", contract, Severity::High, detail);
        }
        Meaning::Consent { contract } => {
            let detail = format!("it agrees, through {contract}, to something that somebody else carries out later");
            warnings.about("later_consent", contract, Severity::High, detail);
        }
        Meaning::Payout { .. } => {}
        Meaning::Upgrade { contract, .. } => {
            warnings.about("proxy_upgrade", contract, Severity::High, format!("it replaces the code of {contract}"));
        }
        Meaning::TokenTransfer { token, to, .. } | Meaning::NftTransfer { token, to, .. } => {
            if to == token || assets.is_token_contract(to) {
                let detail = format!("{to} is a token contract: tokens sent there are usually lost");
                warnings.about("token_contract_as_recipient", to, Severity::High, detail);
            }
        }
    }
}

fn unlimited(warnings: &mut Warnings, token: Address, spender: Address) {
    let detail = format!("{spender} could take all of the token {token} that this wallet ever holds");
    warnings.about("unlimited_allowance", format!("{token}/{spender}"), Severity::High, detail);
}

fn operates(warnings: &mut Warnings, token: Address, operator: Address) {
    let detail = format!("{operator} could take every token of {token} that this wallet ever holds");
    warnings.about("operator_approval", format!("{token}/{operator}"), Severity::High, detail);
}

fn about_recipients(warnings: &mut Warnings, seen: &Seen<'_>, past: &Past, row: &Model) {
    let recipients = super::recipients(&seen.sight.calls);
    if recipients.iter().any(|recipient| recipient.0.is_zero()) {
        let detail = "the zero address belongs to nobody: what is sent there is lost";
        warnings.add("zero_address", Severity::High, detail);
    }
    let pays_itself = seen.sight.calls.iter().any(|call| {
        let is_payout = call.meanings.iter().any(|meaning| matches!(meaning, Meaning::Payout { .. }));
        !is_payout && super::recipients(std::slice::from_ref(call)).contains(&row.address)
    });
    if pays_itself {
        warnings.add("self_transfer", Severity::Low, "the wallet sends to itself");
    }
    for (address, like) in &past.lookalikes {
        let detail = format!("{address} is a stranger that looks like {like}, which you know: compare every digit");
        warnings.about("lookalike_address", address, Severity::High, detail);
    }
    let strangers: Vec<_> = past.strangers.iter().filter(|address| !address.0.is_zero()).collect();
    if let Some(first) = strangers.first() {
        let others = match strangers.len() {
            1 => String::new(),
            several => format!(" and {} others", several - 1),
        };
        let detail = format!("you have approved nothing to {first}{others} before");
        warnings.add("first_time_recipient", Severity::Medium, detail);
    }
}

/// What a simulation shows beyond what the bytes say.
fn about_events(warnings: &mut Warnings, seen: &Seen<'_>, wallet: Address) {
    if seen.cut {
        let detail = "it moves more assets than can be shown: something may hide among them";
        warnings.add("too_many_changes", Severity::High, detail);
    }
    for event in seen.events {
        match *event {
            Event::Approval { token, owner, spender, amount }
                if owner == wallet && seen.assets.is_unlimited(token, amount) =>
            {
                unlimited(warnings, token, spender);
            }
            Event::ApprovalForAll { token, owner, operator, approved: true } if owner == wallet => {
                operates(warnings, token, operator);
            }
            // Made and given to nobody but the wallet, it changes nothing for anybody.
            Event::OwnershipTransferred { contract, previous, new }
                if previous == wallet || new != wallet && !previous.0.is_zero() =>
            {
                let detail = format!("it changes who controls {contract}");
                warnings.about("ownership_change", contract, Severity::High, detail);
            }
            Event::Upgraded { contract, .. } if seen.sight.calls.first().and_then(|call| call.to) == Some(contract) => {
                warnings.about(
                    "proxy_upgrade",
                    contract,
                    Severity::High,
                    format!("it replaces the code of {contract}"),
                );
            }
            _ => {}
        }
    }
}

/// What happens to what the wallet holds, whatever the functions are called.
fn about_changes(warnings: &mut Warnings, seen: &Seen<'_>, past: &Past, row: &Model) {
    for spender in seen.assets.codeless() {
        let detail = format!("{spender} has no code: a person or a contract that does not exist yet could take it");
        warnings.about("spender_without_code", spender, Severity::High, detail);
    }
    let changes = &seen.preview.changes;
    let leaves = || changes.iter().filter(|change| change.direction == ChangeDirection::Sends);
    let is_more = |change: &AssetChange| is_item(change) || change.amount.0 > U256::ONE;
    // One unit is what a swap brings that was told to be content with nothing; for one unit it is enough.
    let arrives = changes
        .iter()
        .any(|change| change.direction == ChangeDirection::Receives && (is_more(change) || !leaves().any(is_more)));
    if seen.sight.is_seen()
        && (seen.sight.has_code || row.to_address.is_none())
        && leaves().next().is_some()
        && !arrives
    {
        let called = seen.sight.calls.first().and_then(|call| call.to);
        // Who is paid by a call that says so, and by that alone, is told of as a recipient.
        let is_said = leaves().all(|change| is_said(&seen.sight.calls, change, row.address));
        if !is_said {
            let is_stranger = called.is_none_or(|called| past.strangers.contains(&called));
            let severity = if is_stranger { Severity::High } else { Severity::Medium };
            warnings.add("nothing_arrives", severity, "assets leave to a contract, and nothing comes back");
        }
    }
}

fn is_item(change: &AssetChange) -> bool {
    matches!(change.asset, AssetKind::Erc721 | AssetKind::Erc1155)
}

/// Whether a decoded call of a standard says that this leaves the wallet.
fn is_said(calls: &[Call], change: &AssetChange, wallet: Address) -> bool {
    // What is called within another call is somebody else's doing.
    let said = calls.iter().take(1).flat_map(|call| &call.meanings);
    let mut tokens = said.filter_map(|meaning| match *meaning {
        Meaning::TokenTransfer { token, from, to, .. } if from.is_none_or(|from| from == wallet) => Some((token, to)),
        Meaning::NftTransfer { token, from, to, .. } if from == wallet => Some((token, to)),
        _ => None,
    });
    match change.token_address {
        Some(token) => tokens.any(|(known, to)| known == token && change.counterparty == Some(to)),
        // A plain payment to somebody who has code, or what a new contract is given.
        None => {
            matches!(calls, [call] if call.to.is_none() || call.data.is_empty() && call.to == change.counterparty)
        }
    }
}

fn about_amounts(warnings: &mut Warnings, seen: &Seen<'_>) {
    let held = |change: &AssetChange| match (change.asset, change.token_address) {
        (AssetKind::Native, _) => Some(seen.sight.facts.account.balance.0),
        (AssetKind::Erc20, Some(token)) => seen.assets.held(token),
        _ => None,
    };
    let is_large = |change: &&AssetChange| {
        change.direction == ChangeDirection::Sends
            && held(change).is_some_and(|held| change.amount.0 > held / U256::from(2))
    };
    for large in seen.preview.changes.iter().filter(is_large) {
        let detail = format!("it sends {}, more than half of what the wallet holds of it", large.text);
        let asset = large.token_address.map_or_else(|| "native".to_owned(), |token| token.to_string());
        warnings.about("large_share_of_balance", asset, Severity::Medium, detail);
    }
}
