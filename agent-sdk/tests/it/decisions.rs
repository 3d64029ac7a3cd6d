//! What a human's decisions look like on the wire.

use agent_sdk::{Authorize, Status};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::scripted::{Scripted, transaction};

/// The path and the body of a request, as recorded.
fn sent(request: &str) -> (&str, Value) {
    let (head, body) = request.split_once("\r\n\r\n").expect("a whole request");
    let path = head.split(' ').nth(1).expect("a request line");
    (path, serde_json::from_str(body).expect("json"))
}

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
