//! What a wallet waits for, using a nonce up, and withdrawing with and without that.

use std::fs;

use serde_json::{Value, json};

use crate::examples;
use crate::program::{Program, Run};
use crate::server::{Answer, Server, USER_ID};

const ADDRESS: &str = "0x52908400098527886E0F7030069857D2E4169EE7";
const AGENT_ID: &str = "019ab5f1-0000-7000-8000-000000000002";

fn me() -> Value {
    json!({
        "user_id": USER_ID, "username": "ada", "mfa_enabled": true, "created_at": "2026-11-23T10:00:00Z",
        "session_expires_at": "2999-01-01T00:00:00Z", "backup_codes_left": 10,
    })
}

/// What would be signed, with the digest that this user's fields give.
fn clearing(max_fee_per_gas: &str) -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/clear-nonce-vectors.json");
    let vectors: Value = serde_json::from_str(&fs::read_to_string(path).expect("a file")).expect("JSON");
    let mut clearing = vectors[0].clone();
    clearing.as_object_mut().expect("an object").retain(|field, _| field != "name" && field != "user_id");
    clearing["max_fee_per_gas"] = json!(max_fee_per_gas);
    clearing
}

/// The user of the published vectors, whose digests another program computed.
fn vectors_user() -> Value {
    let mut me = me();
    me["user_id"] = json!("0197a3c1-0000-7000-8000-000000000001");
    me
}

fn withdrawn(transaction: &agent_sdk::Transaction) -> Value {
    let mut cancelled = json!(transaction);
    cancelled["status"] = json!("cancelled");
    cancelled["nonce"] = json!(7);
    cancelled["valid_until_nonce_used"] = json!(true);
    cancelled
}

fn run(server: &Server, command: &[&str], input: &str) -> Run {
    Program::log_in(server).run(command, input)
}

#[test]
fn a_wallet_says_what_it_waits_for_and_what_frees_it() {
    let transaction = examples::transfer();
    let id = transaction.transaction_id;
    let mut authorized = json!(transaction);
    authorized["status"] = json!("authorized");
    authorized["execute_by"] = json!("2026-11-26T14:05:00Z");
    let nonces = json!({ "address": ADDRESS, "chain_id": 31337, "latest": 5, "nonces": [
        { "nonce": 7, "state": "held", "transaction_id": id, "status": "authorized" },
    ] });
    let server = Server::start(vec![
        ("/api/nonces", Answer::Say(200, nonces.clone())),
        ("/api/transactions", Answer::Say(200, json!({ "items": [authorized] }))),
    ]);
    let told = run(&server, &["wallet", "why", ADDRESS], "");
    assert_eq!(told.exit, 0, "{}", told.stderr);
    let lines: Vec<&str> = told.stdout.lines().collect();
    let hole = format!(
        "nonces 5 to 6: nothing of yours uses them, everything behind waits; the first: \
         wallet-cli wallet clear-nonce {ADDRESS} --nonce 5"
    );
    assert_eq!(lines[0], hole);
    assert!(
        lines[1].starts_with("nonce 7: approved, waits for its agent until 2026-11-26 14:05:00 UTC"),
        "{}",
        lines[1]
    );

    let json = run(&server, &["wallet", "why", ADDRESS, "--json"], "");
    assert_eq!(json.results(), [nonces]);
}

#[test]
fn a_nonce_is_shown_with_its_cost_and_used_up_by_its_digest() {
    let server = Server::start(vec![
        ("/api/me", Answer::Say(200, vectors_user())),
        ("/api/preview_clear_nonce", Answer::Say(200, clearing("40000000000"))),
        ("/api/clear_nonce", Answer::Say(200, json!(examples::transfer()))),
    ]);
    let address = clearing("0")["address"].as_str().expect("text").to_owned();
    let command = ["wallet", "clear-nonce", &address, "--nonce", "5", "--yes", "--mfa-code-stdin", "--json"];
    let cleared = run(&server, &command, "123456\n");
    assert_eq!((cleared.exit, cleared.results().len()), (0, 1), "{}", cleared.stderr);
    for line in [
        "Nothing is sent yet: this would use up nonce 5\n",
        "To          the same address\n",
        "Fee         at most 0.00084 coins leaves the wallet\n            840000000000000 wei\n",
    ] {
        assert!(cleared.stderr.contains(line), "{}", cleared.stderr);
    }
    let body = &server.asked("/api/clear_nonce")[0].body;
    assert_eq!((&body["nonce"], &body["mfa_code"]), (&json!(5), &json!("123456")));
    assert_eq!(body["digest"], clearing("0")["digest"]);
}

#[test]
fn a_nonce_that_nothing_can_be_sent_for_is_given_up_without_a_word_of_signing() {
    let mut given_up = clearing("0");
    given_up["gas_limit"] = json!(0);
    given_up["max_priority_fee_per_gas"] = json!("0");
    given_up["worst_case_fee"] = json!("0");
    let mut fields: agent_sdk::NonceClearing = serde_json::from_value(given_up.clone()).expect("a clearing");
    fields.user_id = vectors_user()["user_id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    given_up["digest"] = json!(fields.computed_digest());
    let server = Server::start(vec![
        ("/api/me", Answer::Say(200, vectors_user())),
        ("/api/preview_clear_nonce", Answer::Say(200, given_up.clone())),
        ("/api/clear_nonce", Answer::Say(200, json!(examples::transfer()))),
    ]);
    let address = given_up["address"].as_str().expect("text").to_owned();
    let command = ["wallet", "clear-nonce", &address, "--nonce", "5", "--yes", "--mfa-code-stdin", "--json"];
    let ended = run(&server, &command, "123456\n");
    assert_eq!(ended.exit, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("Nothing is signed: this would give up nonce 5 on your word\n"), "{}", ended.stderr);
    assert!(ended.stderr.contains("Fee         none\n") && !ended.stderr.contains("Gas limit"), "{}", ended.stderr);
    assert_eq!(server.asked("/api/clear_nonce")[0].body["digest"], given_up["digest"]);
}

#[test]
fn a_nonce_that_would_cost_more_than_its_digest_says_is_not_offered() {
    let server = Server::start(vec![
        ("/api/me", Answer::Say(200, vectors_user())),
        ("/api/preview_clear_nonce", Answer::Say(200, clearing("40000000001"))),
        ("/api/clear_nonce", Answer::Say(200, json!(examples::transfer()))),
    ]);
    let address = clearing("0")["address"].as_str().expect("text").to_owned();
    let command = ["wallet", "clear-nonce", &address, "--yes", "--mfa-code-stdin"];
    let refused = run(&server, &command, "123456\n");
    assert_eq!(refused.exit, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("does not belong to its fields"), "{}", refused.stderr);
    assert!(server.asked("/api/clear_nonce").is_empty());
}

#[test]
fn without_a_yes_no_nonce_is_used_up() {
    let server = Server::start(vec![
        ("/api/me", Answer::Say(200, vectors_user())),
        ("/api/preview_clear_nonce", Answer::Say(200, clearing("40000000000"))),
        ("/api/clear_nonce", Answer::Say(200, json!(examples::transfer()))),
    ]);
    let address = clearing("0")["address"].as_str().expect("text").to_owned();
    let asked = run(&server, &["wallet", "clear-nonce", &address, "--mfa-code-stdin"], "123456\n");
    assert_eq!(asked.exit, 5, "{}", asked.stderr);
    assert!(asked.stderr.contains("--yes"), "{}", asked.stderr);
    assert!(server.asked("/api/clear_nonce").is_empty());
}

#[test]
fn a_withdrawal_says_what_stays_valid_and_burns_only_when_told_to() {
    let transaction = examples::transfer();
    let id = transaction.transaction_id.to_string();
    let server = Server::start(vec![("/api/cancel_transaction", Answer::Say(200, withdrawn(&transaction)))]);
    let cancelled = run(&server, &["tx", "cancel", &id], "");
    assert_eq!(cancelled.exit, 0, "{}", cancelled.stderr);
    assert!(cancelled.stdout.contains("stay valid until nonce 7 is used"), "{}", cancelled.stdout);
    assert!(
        cancelled.stdout.contains(&format!("\n              wallet-cli tx cancel {id} --burn\n")),
        "{}",
        cancelled.stdout
    );
    assert_eq!(run(&server, &["tx", "cancel", &id, "--burn"], "").exit, 0);

    let asked = server.asked("/api/cancel_transaction");
    assert_eq!(asked[0].body, json!({ "transaction_id": id }));
    assert_eq!(asked[1].body, json!({ "transaction_id": id, "burn": true }));
}

#[test]
fn an_agent_is_revoked_by_name_and_what_stays_valid_is_told() {
    let agent = |id: &str, name: &str| json!({ "agent_id": id, "name": name, "created_at": "2026-11-23T10:00:00Z" });
    let agents = json!({ "items": [
        agent(AGENT_ID, "shopper"),
        agent("019ab5f1-0000-7000-8000-000000000008", "twin"),
        agent("019ab5f1-0000-7000-8000-000000000009", "twin"),
    ] });
    let server = Server::start(vec![
        ("/api/agents", Answer::Say(200, agents)),
        ("/api/revoke_agent", Answer::Say(200, agent(AGENT_ID, "shopper"))),
        ("/api/transactions", Answer::Say(200, json!({ "items": [withdrawn(&examples::transfer())] }))),
    ]);
    let revoked = run(&server, &["agent", "revoke", "shopper"], "");
    assert_eq!(revoked.exit, 0, "{}", revoked.stderr);
    assert!(revoked.stderr.contains("stay valid until nonce 7 is used"), "{}", revoked.stderr);
    assert_eq!(run(&server, &["agent", "revoke", AGENT_ID, "--burn"], "").exit, 0);
    let asked = server.asked("/api/revoke_agent");
    assert_eq!(asked[0].body, json!({ "agent_id": AGENT_ID }));
    assert_eq!(asked[1].body, json!({ "agent_id": AGENT_ID, "burn": true }));

    for (name, words) in [("twin", "several agents"), ("nobody", "no agent with this name")] {
        let refused = run(&server, &["agent", "revoke", name], "");
        assert_eq!(refused.exit, 1);
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
    assert_eq!(server.asked("/api/revoke_agent").len(), 2);
}

#[test]
fn a_list_and_a_screen_say_what_is_waited_for() {
    let mut sent = json!(examples::on_approval());
    sent["status"] = json!("submitted");
    sent["waiting"] = json!({
        "reason": "fee_too_low", "since": "2026-11-26T10:00:00Z", "detail": "blocks ask for 52 gwei, it pays 48",
    });
    let id = sent["transaction_id"].as_str().expect("text").to_owned();
    let server = Server::start(vec![
        ("/api/transactions", Answer::Say(200, json!({ "items": [sent] }))),
        ("/api/transaction_status", Answer::Say(200, sent)),
    ]);
    let list = run(&server, &["tx", "list"], "");
    assert!(list.stdout.contains("fee_too_low: blocks ask for 52 gwei, it pays 48"), "{}", list.stdout);
    let shown = run(&server, &["tx", "show", &id], "");
    assert!(
        shown.stdout.contains("Waiting     for fees to come down: blocks ask for more than it may"),
        "{}",
        shown.stdout
    );
    assert!(shown.stdout.contains("            blocks ask for 52 gwei, it pays 48\n"), "{}", shown.stdout);
}
