//! `send`, `send-token` and `call` without a terminal.

use agent_sdk::{Execute, Transaction};
use alloy::primitives::U256;
use serde_json::{Value, json};

use crate::examples::{self, RECIPIENT};
use crate::program::{Program, Run};
use crate::server::{Answer, Server};

/// Password and code on standard input.
const SECRETS: &str = "correct horse battery\n123456\n";
const HASH: &str = "0xabababababababababababababababababababababababababababababababab";

/// What would be sent: nothing is stored yet, and no agent has asked.
fn preview(mut transaction: Transaction) -> Transaction {
    transaction.version = 0;
    transaction.agent_id = None;
    transaction.execute = Execute::OnApproval;
    transaction.memo = None;
    transaction.digest = transaction.computed_digest();
    transaction
}

/// The transaction once it was sent.
fn sent(transaction: &Transaction) -> Value {
    let mut sent = json!(transaction);
    sent["version"] = json!(1);
    sent["status"] = json!("submitted");
    sent["transaction_hash"] = json!(HASH);
    sent["transaction_hashes"] = json!([HASH]);
    sent
}

/// A server that previews this transaction and sends it by this path.
fn server(transaction: &Transaction, path: &str) -> Server {
    Server::start(vec![
        ("/api/preview_transaction", Answer::Say(200, json!(transaction))),
        (path, Answer::Say(201, sent(transaction))),
    ])
}

fn run(server: &Server, command: &[&str]) -> Run {
    let flags = ["--yes", "--password-stdin", "--mfa-code-stdin", "--json"];
    Program::log_in(server).run(&[command, &flags].concat(), SECRETS)
}

#[test]
fn coins_are_shown_and_sent() {
    let shown = preview(examples::transfer());
    let server = server(&shown, "/api/transfer");
    let run = run(&server, &["send", "--to", RECIPIENT, "--amount", "0.05"]);
    assert_eq!(run.exit, 0, "{}", run.stderr);
    assert!(run.stderr.contains("Not sent yet: this is what you are about to send\n"), "{}", run.stderr);
    let results = run.results();
    assert_eq!((&results[0]["status"], &results[0]["transaction_hash"]), (&json!("submitted"), &json!(HASH)));

    let asked = server.asked("/api/preview_transaction").remove(0).body;
    let action = json!({ "type": "transfer", "to_address": RECIPIENT, "amount": "50000000000000000" });
    assert_eq!(asked["action"], action);
    let request = server.asked("/api/transfer").remove(0);
    assert!(request.idempotency_key.is_some());
    for (field, value) in [
        ("address", "0x52908400098527886E0F7030069857D2E4169EE7"),
        ("to_address", RECIPIENT),
        ("amount", "50000000000000000"),
        ("digest", &shown.computed_digest().to_string()),
        ("password", "correct horse battery"),
        ("mfa_code", "123456"),
    ] {
        assert_eq!(request.body[field], value, "{field}");
    }
}

#[test]
fn what_the_preview_shows_is_what_was_typed_or_nothing_is_sent() {
    let server = server(&preview(examples::transfer()), "/api/transfer");
    let run = run(&server, &["send", "--to", RECIPIENT, "--amount", "0.06"]);
    assert_eq!(run.exit, 1, "{}", run.stderr);
    assert!(run.stderr.contains("another transaction"), "{}", run.stderr);
    assert!(server.asked("/api/transfer").is_empty());
}

#[test]
fn what_became_dearer_since_it_was_shown_is_not_sent_by_a_script() {
    let shown = preview(examples::transfer());
    let mut dearer = shown.clone();
    dearer.max_fee_per_gas += U256::ONE;
    dearer.digest = dearer.computed_digest();
    let problem = json!({
        "code": "preview_changed", "status": 409, "title": "changed", "detail": "it costs more than was shown",
        "transaction": dearer,
    });
    let server = Server::start(vec![
        ("/api/preview_transaction", Answer::Say(200, json!(shown))),
        ("/api/transfer", Answer::Say(409, problem)),
    ]);
    let refused = run(&server, &["send", "--to", RECIPIENT, "--amount", "0.05"]);
    assert_eq!(refused.exit, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("it costs more than was shown"), "{}", refused.stderr);
    assert_eq!(server.asked("/api/transfer").len(), 1);
}

#[test]
fn a_send_that_costs_more_than_was_shown_is_told() {
    let shown = preview(examples::transfer());
    let mut dearer = shown.clone();
    dearer.gas_limit += 1;
    dearer.digest = dearer.computed_digest();
    let server = Server::start(vec![
        ("/api/preview_transaction", Answer::Say(200, json!(shown))),
        ("/api/transfer", Answer::Say(201, sent(&dearer))),
    ]);
    let command = ["send", "--to", RECIPIENT, "--amount", "0.05"];
    let told = run(&server, &command);
    assert_eq!(told.exit, 1, "{}", told.stderr);
    assert!(told.stderr.contains("is not what was shown and confirmed"), "{}", told.stderr);
    // Under a key of an earlier run it is what that one showed.
    let known = run(&server, &[&command[..], &["--idempotency-key", "rent-11"]].concat());
    assert_eq!(known.exit, 0, "{}", known.stderr);
}

#[test]
fn a_send_of_unknown_outcome_names_the_key_too() {
    let problem = json!({
        "code": "storage_unavailable", "status": 503, "title": "", "detail": "the database did not say",
        "retryable": true, "may_have_happened": true,
    });
    let server = Server::start(vec![
        ("/api/preview_transaction", Answer::Say(200, json!(preview(examples::transfer())))),
        ("/api/transfer", Answer::Say(503, problem)),
    ]);
    let run = run(&server, &["send", "--to", RECIPIENT, "--amount", "0.05", "--idempotency-key", "rent-11"]);
    assert_eq!(run.exit, 3, "{}", run.stderr);
    assert!(run.stderr.contains("--idempotency-key rent-11"), "{}", run.stderr);
}

#[test]
fn a_lost_answer_names_the_key_under_which_nothing_is_sent_twice() {
    let transaction = preview(examples::transfer());
    let server = Server::start(vec![
        ("/api/preview_transaction", Answer::Say(200, json!(transaction))),
        ("/api/transfer", Answer::HangUp),
    ]);
    let run = run(&server, &["send", "--to", RECIPIENT, "--wei", "50000000000000000", "--idempotency-key", "rent-11"]);
    assert_eq!(run.exit, 3, "{}", run.stderr);
    assert!(run.stderr.contains("--idempotency-key rent-11"), "{}", run.stderr);
    assert!(server.asked("/api/transfer").iter().all(|request| request.idempotency_key.as_deref() == Some("rent-11")));
}

#[test]
fn a_grave_warning_keeps_a_script_from_sending() {
    let server = server(&preview(examples::failing()), "/api/transfer_erc20");
    let token = examples::token_transfer().to.expect("a token").to_checksum(None);
    let command = ["send-token", &token, "--to", RECIPIENT, "--units", "25000000"];
    let refused = run(&server, &command);
    assert_eq!(refused.exit, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("--acknowledge would_revert"), "{}", refused.stderr);
    assert!(server.asked("/api/transfer_erc20").is_empty());

    let accepted = run(&server, &[&command[..], &["--acknowledge", "would_revert"]].concat());
    assert_eq!(accepted.exit, 0, "{}", accepted.stderr);
    assert_eq!(server.asked("/api/transfer_erc20")[0].body["acknowledge"], json!(["would_revert"]));
}

#[test]
fn tokens_are_counted_with_their_own_decimals() {
    let transaction = preview(examples::token_transfer());
    let token = transaction.to.expect("a token").to_checksum(None);
    let with = |claims: Value| {
        Server::start(vec![
            ("/api/preview_transaction", Answer::Say(200, json!(transaction))),
            ("/api/transfer_erc20", Answer::Say(201, sent(&transaction))),
            ("/api/token", Answer::Say(200, claims)),
        ])
    };
    let six = with(json!({ "address": token, "standard": "erc20", "decimals": 6 }));
    let sent = run(&six, &["send-token", &token, "--to", RECIPIENT, "--amount", "25"]);
    assert_eq!(sent.exit, 0, "{}", sent.stderr);
    assert_eq!(six.asked("/api/transfer_erc20")[0].body["amount"], "25000000");
    let fine = run(&six, &["send-token", &token, "--to", RECIPIENT, "--amount", "25.0000001"]);
    assert_eq!(fine.exit, 1);
    assert!(fine.stderr.contains("more than 6 decimals"), "{}", fine.stderr);

    let none = with(json!({ "address": token, "standard": "unknown" }));
    let refused = run(&none, &["send-token", &token, "--to", RECIPIENT, "--amount", "25"]);
    assert_eq!(refused.exit, 1);
    assert!(refused.stderr.contains("give --units"), "{}", refused.stderr);
}

#[test]
fn a_function_is_called_by_its_signature_and_typed_arguments() {
    let transaction = preview(examples::staking());
    let server = server(&transaction, "/api/contract_call");
    let contract = transaction.to.expect("a contract").to_checksum(None);
    let signature = "function stake(uint256 amount, address beneficiary)";
    let beneficiary = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    let run = run(&server, &["call", &contract, signature, "25000000", beneficiary]);
    assert_eq!(run.exit, 0, "{}", run.stderr);
    assert!(run.stderr.contains("names: your own, not checked by anyone"), "{}", run.stderr);
    let body = &server.asked("/api/contract_call")[0].body;
    assert_eq!(body["contract_address"], contract.as_str());
    assert_eq!(body["contract_abi"], signature);
    assert_eq!(body["function_name"], "stake");
    assert_eq!(body["function_args"], json!(["25000000", beneficiary]));
}
