//! `tx approve` without a terminal.

use agent_sdk::Transaction;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::examples;
use crate::program::{Program, Run};
use crate::server::{Answer, Server};

/// A second transaction beside the first.
fn other() -> Transaction {
    let mut other = examples::transfer();
    other.transaction_id = Uuid::from_u128(other.transaction_id.as_u128() + 1);
    other.digest = other.computed_digest();
    other
}

/// The transaction once it was approved.
fn approved(transaction: &Transaction) -> Value {
    let mut approved = json!(transaction);
    approved["status"] = json!("authorized");
    approved
}

/// A server that has these transactions and approves them.
fn server(transactions: &[Transaction]) -> Server {
    let mut answers = Vec::new();
    let paths = transactions.iter().map(|transaction| {
        let id = transaction.transaction_id;
        (format!("/api/transaction_status?transaction_id={id}"), Answer::Say(200, json!(transaction)))
    });
    let paths: Vec<_> = paths.collect();
    answers.extend(paths.iter().map(|(path, answer)| (path.as_str(), answer.clone())));
    answers.push(("/api/authorize_transaction", Answer::Say(200, approved(&transactions[0]))));
    let all: Vec<Value> = transactions.iter().map(approved).collect();
    answers.push(("/api/authorize_transactions", Answer::Say(200, json!({ "transactions": all }))));
    Server::start(answers)
}

/// Approves them all unattended, with one code.
fn approve(server: &Server, transactions: &[Transaction], flags: &[&str]) -> Run {
    let ids: Vec<String> = transactions.iter().map(|transaction| transaction.transaction_id.to_string()).collect();
    let mut arguments = vec!["tx", "approve", "--yes", "--mfa-code-stdin", "--json"];
    arguments.extend(ids.iter().map(String::as_str));
    arguments.extend(flags);
    Program::log_in(server).run(&arguments, "123456\n")
}

#[test]
fn a_grave_warning_needs_its_own_flag() {
    let transactions = [examples::allowance()];
    let server = server(&transactions);
    let run = approve(&server, &transactions, &[]);
    assert_eq!(run.exit, 1, "{}", run.stderr);
    assert!(run.stderr.contains("--acknowledge unlimited_allowance"), "{}", run.stderr);
    assert!(run.stderr.contains("May leave   unlimited USDC"), "{}", run.stderr);
    assert!(server.asked("/api/authorize_transaction").is_empty());

    let run = approve(&server, &transactions, &["--acknowledge", "unlimited_allowance"]);
    assert_eq!((run.exit, run.results().len()), (0, 1), "{}", run.stderr);
    let body = &server.asked("/api/authorize_transaction")[0].body;
    assert_eq!(body["acknowledge"], json!(["unlimited_allowance"]));
    assert_eq!(body["digest"], json!(transactions[0].computed_digest()));
}

#[test]
fn several_are_shown_whole_and_take_one_code() {
    let transactions = [examples::token_transfer(), other()];
    let server = server(&transactions);
    let run = approve(&server, &transactions, &[]);
    assert_eq!(run.exit, 0, "{}", run.stderr);
    assert_eq!(run.results().len(), 2);
    assert!(run.stderr.contains("\n1 of 2\n") && run.stderr.contains("\n2 of 2\n"), "{}", run.stderr);
    assert!(
        run.stderr.contains("Leaves      25 USDC") && run.stderr.contains("Leaves      0.05 ETH"),
        "{}",
        run.stderr
    );
    let asked = server.asked("/api/authorize_transactions");
    let [request] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(request.body["mfa_code"], "123456");
    for (number, transaction) in transactions.iter().enumerate() {
        let one = &request.body["transactions"][number];
        assert_eq!(one["transaction_id"], json!(transaction.transaction_id));
        assert_eq!(one["digest"], json!(transaction.computed_digest()));
    }
    assert!(server.asked("/api/authorize_transaction").is_empty());
}

#[test]
fn none_is_approved_when_one_cannot_be() {
    let mut rejected = other();
    rejected.status = "rejected".into();
    let transactions = [examples::transfer(), rejected];
    let server = server(&transactions);
    let run = approve(&server, &transactions, &[]);
    assert_eq!(run.exit, 1, "{}", run.stderr);
    assert!(run.stderr.contains("is rejected"), "{}", run.stderr);
    assert!(server.asked("/api/authorize_transactions").is_empty());
}

#[test]
fn a_preview_of_other_bytes_is_refused_before_the_code() {
    let mut lie = examples::allowance();
    lie.preview = examples::token_transfer().preview;
    let transactions = [lie];
    let server = server(&transactions);
    let run = approve(&server, &transactions, &["--acknowledge", "unlimited_allowance"]);
    assert_eq!(run.exit, 1, "{}", run.stderr);
    assert!(run.stderr.contains("the preview does not belong to the bytes"), "{}", run.stderr);
    assert!(server.asked("/api/authorize_transaction").is_empty());
}
