use std::time::Duration;

use agent_sdk::{AgentClient, Error, Execute, PrepareTransaction, Status};
use alloy::primitives::{Address, U256};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::scripted::{API_KEY, Answer, Scripted, problem, transaction, wire};

fn payment() -> PrepareTransaction {
    PrepareTransaction::transfer(Address::ZERO, U256::from(1))
}

#[tokio::test]
async fn a_payment_survives_a_restart_in_every_wait() {
    let server = Scripted::new(vec![
        transaction("pending", 1),
        transaction("pending", 1),
        Answer::HangUp,
        transaction("authorized", 2),
        problem(503, "storage_unavailable", true),
        transaction("submitted", 3),
        transaction("submitted", 3),
        Answer::Say(502, "", "<html>bad gateway</html>".into()),
        transaction("confirmed", 4),
    ])
    .await;
    let paid = server.agent().pay(payment()).await.expect("paid");
    assert_eq!(paid.status, Status::Confirmed);

    let requests = server.requests();
    let first_lines: Vec<_> = requests.iter().filter_map(|request| request.lines().next()).collect();
    assert!(first_lines[0].starts_with("POST /api/prepare_transaction "));
    assert!(!first_lines[1].contains("known_version"));
    assert!(first_lines[2].contains("known_version=1&wait=50"), "{}", first_lines[2]);
    assert!(first_lines[4].starts_with("POST /api/execute_transaction "));
    assert!(first_lines[8].contains("known_version=3&wait=50"), "{}", first_lines[8]);
}

#[tokio::test]
async fn what_the_approval_sends_is_not_executed_and_no_wait_for_anything_is_an_error() {
    let waiting = |reason: &str, version: u64| {
        let mut body = sent_by_its_approval("submitted", version);
        body["waiting"] = json!({ "reason": reason, "since": "2026-11-26T10:00:00Z", "detail": "in words" });
        Answer::Say(200, "", body.to_string())
    };
    let server = Scripted::new(vec![
        Answer::Say(201, "", sent_by_its_approval("pending", 1).to_string()),
        waiting("in_pool", 2),
        waiting("refused", 3),
        waiting("needs_owner", 4),
        waiting("inspiration", 5),
        Answer::Say(200, "", sent_by_its_approval("confirmed", 6).to_string()),
    ])
    .await;
    let paid = server.agent().pay(payment().execute(Execute::OnApproval)).await.expect("paid");
    assert_eq!((paid.status, paid.version), (Status::Confirmed, 6));
    assert!(server.requests().iter().all(|request| !request.contains("/api/execute_transaction")));
}

/// A transaction that its approval sends; its digest is a published one.
fn sent_by_its_approval(status: &str, version: u64) -> Value {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../../../docs/digest-vectors.json")).expect("a list of objects");
    let vector =
        vectors.into_iter().find(|vector| vector["agent_id"].is_string() && vector["execute"] == "on_approval");
    let vector = vector.expect("a published one");
    let mut body = wire(status, version);
    for field in ["execute", "digest"] {
        body[field] = vector[field].clone();
    }
    body
}

#[tokio::test]
async fn a_no_is_told_with_the_transaction_and_nothing_is_executed() {
    let server = Scripted::new(vec![transaction("pending", 1), transaction("rejected", 2)]).await;
    let client = server.agent();
    // Spawned, as agents do: the future must be able to move between threads.
    let payment = tokio::spawn(async move { client.pay(payment()).await });
    let error = payment.await.expect("no panic").expect_err("rejected");
    assert!(matches!(error, Error::NotApproved { .. }), "{error:?}");
    assert_eq!(error.transaction().map(|transaction| transaction.version), Some(2));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_wait_ends_at_its_limit_with_what_was_last_seen() {
    let server = Scripted::new(vec![transaction("pending", 1), Answer::Silence]).await;
    let builder = AgentClient::builder(&server.url, API_KEY).wait_limit(Duration::from_millis(300));
    let client = builder.build().expect("a client");
    let error = client.wait_until_decided(Uuid::nil()).await.expect_err("nobody decides");
    assert!(matches!(error, Error::StillWaiting { .. }), "{error:?}");
    assert_eq!(error.transaction().map(|transaction| &transaction.status), Some(&Status::Pending));
}

#[tokio::test]
async fn a_transaction_that_is_not_there_ends_the_wait() {
    let server = Scripted::new(vec![problem(404, "not_found", false)]).await;
    let error = server.agent().wait_until_confirmed(Uuid::nil()).await.expect_err("not there");
    assert_eq!(error.status(), Some(404));
}

#[tokio::test]
async fn a_transaction_whose_digest_is_not_its_own_is_refused() {
    let mut body = wire("authorized", 2);
    body["gas_limit"] = 21001.into();
    let server = Scripted::new(vec![Answer::Say(200, "", body.to_string())]).await;
    let error = server.agent().execute(Uuid::nil()).await.expect_err("changed on the way");
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error:?}");
}
