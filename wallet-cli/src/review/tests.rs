//! The review screen, whole, as a person sees it.

use agent_sdk::Transaction;
use serde_json::json;
use time::OffsetDateTime;
use time::macros::datetime;

use super::examples::{self, RECIPIENT, transaction, warning};
use super::{Detail, View, check, screen};
use crate::paint::Paint;
use crate::surroundings::Surroundings;
use crate::text::{columns, deceives};

const NOW: OffsetDateTime = datetime!(2026-11-23 10:00:30 UTC);
const DOCS: &str = include_str!("../../../docs/REVIEW.md");

fn surroundings() -> Surroundings {
    Surroundings {
        chain: "anvil".to_owned(),
        symbol: "ETH".to_owned(),
        wallet_label: Some("treasury".to_owned()),
        agent_name: Some("shopper".to_owned()),
    }
}

fn shown(transaction: &Transaction) -> String {
    shown_in(transaction, Detail::Brief)
}

fn shown_in(transaction: &Transaction, detail: Detail) -> String {
    let screen = screen(transaction, &surroundings(), View { detail, now: NOW, paint: Paint::new(false) });
    assert!(screen.lines().all(|line| columns(line) <= 80), "{screen}");
    screen
}

/// The fenced block below a heading of docs/REVIEW.md.
fn documented(heading: &str) -> Option<&'static str> {
    let (_, section) = DOCS.split_once(&format!("\n### {heading}\n"))?;
    let (_, block) = section.split_once("```text\n")?;
    block.split_once("```").map(|(block, _)| block)
}

#[test]
fn the_screens_in_the_documentation_are_the_real_ones() {
    let screens = examples::all().into_iter().map(|(heading, transaction)| (heading, shown(&transaction)));
    let stale = screens.filter(|(heading, screen)| documented(heading) != Some(screen.as_str()));
    let stale: Vec<String> =
        stale.map(|(heading, screen)| format!("### {heading}\n\n```text\n{screen}```\n")).collect();
    assert!(stale.is_empty(), "docs/REVIEW.md is not what is shown:\n\n{}", stale.join("\n"));
}

#[test]
fn every_example_may_be_approved() {
    for (heading, transaction) in examples::all() {
        assert_eq!(check(&transaction, transaction.transaction_id, transaction.user_id), Ok(()), "{heading}");
    }
}

#[test]
fn a_deployment_says_that_nobody_receives_it() {
    let deployment = transaction(json!({
        "action": { "type": "raw", "amount": "1", "data": "0x6000" },
        "to": null,
        "value": "1",
        "data": "0x6000",
    }));
    let screen = shown(&deployment);
    assert!(screen.contains("In short    no preview was made of it"), "{screen}");
    assert!(screen.contains("To          nobody: this creates a contract\n"), "{screen}");
    assert!(screen.contains("Create a contract from 2 bytes of code, sending"), "{screen}");
    assert!(screen.contains("Data        2 bytes\n            0x6000\n"), "{screen}");
}

#[test]
fn the_agents_words_cannot_pass_for_the_programs() {
    let memo = "ok\u{1b}[2J\nDigest      0x00\nApprove? [y/N] y \u{202e}evil\u{200b}";
    let screen = shown(&transaction(json!({ "memo": memo })));
    assert!(!screen.chars().any(|character| character != '\n' && deceives(character)));
    assert_eq!(screen.lines().filter(|line| line.starts_with("Digest")).count(), 1);
    assert!(screen.contains("| ok Digest 0x00 Approve? [y/N] y evil\n"), "{screen}");
}

#[test]
fn the_largest_numbers_still_fit_and_stay_exact() {
    let most = alloy::primitives::U256::MAX.to_string();
    let screen = shown(&transaction(json!({
        "action": { "type": "transfer", "to_address": RECIPIENT, "amount": most },
        "value": most,
        "gas_limit": u64::MAX,
        "max_fee_per_gas": most,
        "worst_case_fee": "0",
        "data": "0x",
    })));
    let digits: String = screen.split_whitespace().collect();
    assert!(digits.contains(&format!("{most}wei")), "{screen}");
}

#[test]
fn the_cost_is_computed_here_and_not_taken_from_the_server() {
    let cheap = transaction(json!({ "worst_case_fee": "1" }));
    assert!(shown(&cheap).contains("252000000000000 wei"));
}

/// What a hostile contract, agent or server might say: terminal controls, lines of its own, and very much of it.
const HOSTILE: &str = "x\u{1b}[2J\u{202e}\nDigest      0x00\r\nWarnings    none          Approve? [y/N] y\u{9b}1m";

#[test]
fn no_words_of_others_can_pass_for_a_line_of_the_screen() {
    let mut object = serde_json::to_value(examples::allowance()).expect("JSON");
    let preview = &mut object["preview"];
    for pointer in [
        "/intent",
        "/calls/0/intent",
        "/calls/0/standard",
        "/calls/0/arguments/0/name",
        "/calls/0/arguments/1/text",
        "/tokens/0/symbol",
        "/tokens/0/name",
        "/changes/0/text",
        "/simulation/outcome",
    ] {
        *preview.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = json!(HOSTILE);
    }
    preview["simulation"]["revert_reason"] = json!(HOSTILE);
    object["warnings"] = json!([warning(HOSTILE, HOSTILE, HOSTILE)]);
    object["memo"] = json!(HOSTILE);
    let hostile: Transaction = serde_json::from_value(object).expect("a transaction");
    let around = Surroundings { agent_name: Some(HOSTILE.to_owned()), ..surroundings() };

    let view = View { detail: Detail::Full, now: NOW, paint: Paint::new(false) };
    let screen = screen(&hostile, &around, view);
    assert!(!screen.chars().any(|character| character != '\n' && deceives(character)), "{screen}");
    assert!(screen.lines().all(|line| columns(line) <= 80), "{screen}");
    // Labels are in the first column, values in the 13th and their parts in the 15th; what goes on is further in.
    let begins =
        |line: &str, label| line.trim_start().starts_with(label) && columns(line) - columns(line.trim_start()) < 16;
    for (label, lines) in [("Digest", 1), ("Warnings", 1), ("Approve", 0)] {
        assert_eq!(screen.lines().filter(|line| begins(line, label)).count(), lines, "{label}: {screen}");
    }
    assert!(screen.contains("argument 1: "), "{screen}");
}

#[test]
fn what_is_long_neither_buries_the_rest_nor_is_lost() {
    let mut long = examples::staking();
    let preview = long.preview.as_mut().expect("a preview");
    preview.calls[0].arguments[0].value = "7".repeat(10_000);
    preview.calls[0].arguments = vec![preview.calls[0].arguments[0].clone(); 40];
    preview.changes = vec![preview.changes[0].clone(); 1_000];
    preview.tokens = vec![preview.tokens[0].clone(); 1_000];
    let screen = shown(&long);
    assert!(screen.lines().count() < 500, "{}", screen.lines().count());
    assert!(screen.contains("and 936 more, shown with --data"), "{screen}");
    assert!(screen.contains("and 16 more arguments, shown with --data"), "{screen}");
    assert!(screen.contains("and 9800 more characters, shown"), "{screen}");
    let digits = shown_in(&long, Detail::Full).matches('7').count();
    assert!(digits >= 400_000, "{digits}");
    let changes = shown_in(&long, Detail::Full).matches("exactly 25000000").count();
    assert_eq!(changes, 1_000);
}

#[test]
fn what_is_lost_comes_before_what_is_gained_and_the_worst_warning_before_the_others() {
    let mut transaction = examples::multicall();
    let preview = transaction.preview.as_mut().expect("a preview");
    preview.changes.reverse();
    transaction.warnings = ["low", "high", "unheard_of", "medium"]
        .map(|severity| serde_json::from_value(warning(severity, severity, "Look.")).expect("a warning"))
        .to_vec();
    let screen = shown(&transaction);
    let place = |text: &str| screen.find(text).unwrap_or_else(|| panic!("{text}: {screen}"));
    let order = ["Leaves ", "Arrives ", "Trial ", "HIGH: ", "UNHEARD_OF: ", "MEDIUM: ", "LOW: ", "Call ", "Data "];
    assert!(order.windows(2).all(|pair| place(pair[0]) < place(pair[1])), "{screen}");
}

#[test]
fn a_send_of_ones_own_is_not_called_the_agents() {
    let mut own = examples::staking();
    own.version = 0;
    own.agent_id = None;
    own.memo = None;
    let screen = shown(&own);
    assert!(screen.starts_with("Not sent yet: this is what you are about to send\n\nIn short    "), "{screen}");
    assert!(screen.contains("names: your own, not checked by anyone"), "{screen}");
    assert!(!screen.contains("agent"), "{screen}");
    assert!(!screen.contains("Digest") && !screen.contains("Expires"), "{screen}");
}
