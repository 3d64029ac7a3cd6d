//! What a human's decisions look like on the wire.

use agent_sdk::{Authorize, AuthorizeBatch, Error, Status, Transaction};
use serde_json::json;
use uuid::Uuid;

use crate::scripted::{Answer, Scripted, problem, sent, transaction, wire};

#[tokio::test]
async fn a_rejection_names_the_transaction_and_gives_a_reason_only_when_there_is_one() {
    let server = Scripted::new(vec![transaction("rejected", 2), transaction("rejected", 2)]).await;
    let (user, id) = (server.user(), Uuid::from_u128(7));
    let rejected = user.reject(id, Some("already paid")).await.expect("rejected");
    assert_eq!(rejected.status, Status::Rejected);
    user.reject(id, None).await.expect("rejected");

    let requests = server.requests();
    let with_reason = json!({ "transaction_id": id, "reason": "already paid" });
    assert_eq!(sent(&requests[0]), ("/api/reject_transaction", with_reason));
    assert_eq!(sent(&requests[1]), ("/api/reject_transaction", json!({ "transaction_id": id })));
}

#[tokio::test]
async fn an_approval_names_the_transaction_and_the_code_and_a_cancel_the_transaction() {
    let server = Scripted::new(vec![transaction("authorized", 2), transaction("cancelled", 3)]).await;
    let (user, id) = (server.user(), Uuid::from_u128(7));
    user.authorize(Authorize::new(id, "123456")).await.expect("authorized");
    user.cancel(id).await.expect("cancelled");

    let requests = server.requests();
    let approval = json!({ "transaction_id": id, "mfa_code": "123456" });
    assert_eq!(sent(&requests[0]), ("/api/authorize_transaction", approval));
    assert_eq!(sent(&requests[1]), ("/api/cancel_transaction", json!({ "transaction_id": id })));
}

fn pending() -> Transaction {
    serde_json::from_value(wire("pending", 1)).expect("a transaction")
}

#[tokio::test]
async fn a_batch_approves_each_transaction_by_its_digest_with_one_code() {
    let body = json!({ "transactions": [wire("authorized", 2), wire("authorized", 2)] });
    let server = Scripted::new(vec![Answer::Say(200, "", body.to_string())]).await;
    let (first, mut second) = (pending(), pending());
    second.transaction_id = Uuid::from_u128(7);
    let batch = AuthorizeBatch::new("123456").add(&first).add_acknowledging(&second, ["unknown_calldata"]);
    let authorized = server.user().authorize_all(batch).await.expect("authorized");
    assert!(authorized.len() == 2 && authorized.iter().all(|transaction| transaction.status == Status::Authorized));

    let transactions = json!([
        { "transaction_id": first.transaction_id, "digest": first.digest },
        { "transaction_id": Uuid::from_u128(7), "digest": second.digest, "acknowledge": ["unknown_calldata"] },
    ]);
    let expected = json!({ "transactions": transactions, "mfa_code": "123456" });
    assert_eq!(sent(&server.requests()[0]), ("/api/authorize_transactions", expected));
}

#[tokio::test]
async fn a_batch_with_a_digest_that_is_not_its_own_is_refused() {
    let mut changed = wire("authorized", 2);
    changed["gas_limit"] = 21001.into();
    let body = json!({ "transactions": [wire("authorized", 2), changed] });
    let server = Scripted::new(vec![Answer::Say(200, "", body.to_string())]).await;
    let error = server.user().authorize_all(AuthorizeBatch::new("123456").add(&pending())).await;
    assert!(matches!(error, Err(Error::DigestMismatch { .. })), "{error:?}");
}

#[tokio::test]
async fn a_batch_is_sent_again_only_when_the_server_has_not_acted() {
    let body = json!({ "transactions": [wire("authorized", 2)] });
    let answers = vec![problem(503, "busy", true), Answer::Say(200, "", body.to_string()), Answer::HangUp];
    let server = Scripted::new(answers).await;
    let batch = AuthorizeBatch::new("123456").add(&pending());
    server.user().authorize_all(batch.clone()).await.expect("the second attempt");
    let error = server.user().authorize_all(batch).await.expect_err("the answer was lost");
    assert!(matches!(error, Error::ConnectionLost(_)), "{error:?}");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_nonce_is_burned_only_where_that_was_said() {
    let agent = json!({ "agent_id": Uuid::from_u128(9), "name": "shopper", "created_at": "2026-11-23T10:00:00Z" });
    let agent = || Answer::Say(200, "", agent.to_string());
    let server = Scripted::new(vec![transaction("cancelled", 3), transaction("cancelled", 3), agent(), agent()]).await;
    let (user, id) = (server.user(), Uuid::from_u128(7));
    user.cancel(id).await.expect("cancelled");
    user.cancel_and_burn(id).await.expect("cancelled");
    user.revoke_agent(Uuid::from_u128(9)).await.expect("revoked");
    user.revoke_agent_and_burn(Uuid::from_u128(9)).await.expect("revoked");

    let requests = server.requests();
    let bodies: Vec<_> = requests.iter().map(|request| sent(request)).collect();
    assert_eq!(bodies[0], ("/api/cancel_transaction", json!({ "transaction_id": id })));
    assert_eq!(bodies[1], ("/api/cancel_transaction", json!({ "transaction_id": id, "burn": true })));
    assert_eq!(bodies[2], ("/api/revoke_agent", json!({ "agent_id": Uuid::from_u128(9) })));
    assert_eq!(bodies[3], ("/api/revoke_agent", json!({ "agent_id": Uuid::from_u128(9), "burn": true })));
}
