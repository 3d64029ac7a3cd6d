//! Open nonces, and using one up.

use agent_sdk::{Error, NonceState, Secret, UserClient};
use alloy::primitives::{Address, address};
use serde_json::{Value, json};

use crate::scripted::{Answer, Scripted, problem, sent, transaction};

const ACCOUNT: Address = address!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");

/// Who is logged in.
fn me(user_id: &str) -> Answer {
    let body = json!({
        "user_id": user_id, "username": "ada", "mfa_enabled": true, "created_at": "2026-11-23T10:00:00Z",
        "session_expires_at": "2026-11-26T10:30:00Z", "backup_codes_left": 10,
    });
    Answer::Say(200, "", body.to_string())
}

/// What would be signed; its digest was computed by another program.
fn clearing() -> Value {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../docs/clear-nonce-vectors.json")).expect("a list of objects");
    let mut clearing = vectors[0].clone();
    clearing.as_object_mut().expect("an object").retain(|field, _| field != "name" && field != "user_id");
    clearing
}

const USER_ID: &str = "0197a3c1-0000-7000-8000-000000000001";

fn say(body: &Value) -> Answer {
    Answer::Say(200, "", body.to_string())
}

async fn preview(user: &UserClient, nonce: Option<u64>) -> Result<agent_sdk::NonceClearing, Error> {
    user.preview_clear_nonce(ACCOUNT, Some(11_155_111), nonce).await
}

#[tokio::test]
async fn open_nonces_are_asked_for_by_account_and_on_a_chain_only_when_one_was_named() {
    let body = json!({
        "address": ACCOUNT.to_checksum(None), "chain_id": 1, "latest": 5, "nonces": [{ "nonce": 5, "state": "void" }],
    });
    let server = Scripted::new(vec![say(&body), say(&body), say(&body)]).await;
    let nonces = server.user().nonces(ACCOUNT, None).await.expect("nonces");
    assert_eq!((nonces.latest, &nonces.nonces[0].state), (Some(5), &NonceState::Void));
    server.agent().nonces(ACCOUNT, Some(1)).await.expect("nonces");
    let other = server.user().nonces(ACCOUNT, Some(2)).await.expect_err("another chain's");
    assert!(matches!(other, Error::AnotherAnswer { .. }), "{other:?}");

    let address = ACCOUNT.to_checksum(None);
    let requests = server.requests();
    assert!(requests[0].starts_with(&format!("GET /api/nonces?address={address} ")), "{}", requests[0]);
    assert!(requests[1].starts_with(&format!("GET /api/nonces?address={address}&chain_id=1 ")), "{}", requests[1]);
}

#[tokio::test]
async fn a_nonce_is_shown_and_then_used_up_by_the_digest_that_was_shown() {
    let answers = vec![me(USER_ID), say(&clearing()), transaction("cancelled", 4)];
    let server = Scripted::new(answers).await;
    let user = server.user();
    let shown = preview(&user, None).await.expect("what would be signed");
    user.clear_nonce(&shown, &Secret::from("123456")).await.expect("cleared");

    let requests = server.requests();
    let address = ACCOUNT.to_checksum(None);
    let asked = json!({ "address": address, "chain_id": 11_155_111 });
    assert_eq!(sent(&requests[1]), ("/api/preview_clear_nonce", asked));
    let cleared = json!({
        "address": address, "chain_id": 11_155_111, "nonce": 5, "mfa_code": "123456", "digest": clearing()["digest"],
    });
    assert_eq!(sent(&requests[2]), ("/api/clear_nonce", cleared));
}

#[tokio::test]
async fn what_would_be_signed_is_refused_when_it_is_dearer_than_its_digest_or_for_another() {
    let mut dearer = clearing();
    dearer["max_fee_per_gas"] = "40000000001".into();
    let another_user = "0197a3c1-0000-7000-8000-000000000002";
    for (answer, user_id) in [(dearer, USER_ID), (clearing(), another_user)] {
        let server = Scripted::new(vec![me(user_id), say(&answer)]).await;
        let refused = preview(&server.user(), Some(5)).await.expect_err("not its digest");
        assert!(matches!(refused, Error::ClearingMismatch { nonce: 5, .. }), "{refused:?}");
    }
}

#[tokio::test]
async fn what_was_changed_after_it_was_shown_is_not_sent() {
    let server = Scripted::new(vec![me(USER_ID), say(&clearing())]).await;
    let user = server.user();
    let mut shown = preview(&user, Some(5)).await.expect("what would be signed");
    shown.nonce = 6;
    let refused = user.clear_nonce(&shown, &Secret::from("123456")).await.expect_err("changed");
    assert!(matches!(refused, Error::ClearingMismatch { nonce: 6, .. }), "{refused:?}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn another_nonce_than_was_asked_for_is_refused() {
    let server = Scripted::new(vec![me(USER_ID), say(&clearing())]).await;
    let refused = preview(&server.user(), Some(4)).await.expect_err("nonce 5");
    assert!(matches!(refused, Error::AnotherAnswer { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_code_is_not_spent_twice_on_a_nonce() {
    let server = Scripted::new(vec![me(USER_ID), say(&clearing()), Answer::HangUp]).await;
    let user = server.user();
    let shown = preview(&user, None).await.expect("what would be signed");
    let lost = user.clear_nonce(&shown, &Secret::from("123456")).await.expect_err("the answer was lost");
    assert!(lost.may_have_happened(), "{lost:?}");
    assert_eq!(server.requests().len(), 3);

    let server = Scripted::new(vec![problem(401, "mfa_replayed", false)]).await;
    server.user().clear_nonce(&shown, &Secret::from("123456")).await.expect_err("refused");
    assert_eq!(server.requests().len(), 1);
}
