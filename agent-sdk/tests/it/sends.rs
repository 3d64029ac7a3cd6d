//! What a human sends on their own looks like on the wire, and how it is repeated.

use agent_sdk::{AbiCall, Error, ErrorCode, Secret, Send, Status, UserClient};
use alloy::primitives::{Address, U256, address};
use serde_json::json;

use crate::scripted::{Answer, Scripted, header, problem, sent, transaction, wire};

const FROM: Address = address!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
const TO: Address = address!("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359");
const TOKEN: Address = address!("0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB");

async fn send(user: &UserClient, send: &Send) -> Result<agent_sdk::Transaction, Error> {
    user.send(send, &Secret::from("a long password"), &Secret::from("123456")).await
}

#[tokio::test]
async fn each_kind_of_send_has_its_path_and_its_fields() {
    let submitted = || transaction("submitted", 2);
    let server = Scripted::new(vec![submitted(), submitted(), submitted()]).await;
    let user = server.user();
    let sends = [
        Send::transfer(FROM, TO, U256::from(5)),
        Send::transfer_erc20(FROM, TOKEN, TO, U256::from(6)).chain_id(1).acknowledge(["first_time_recipient"]),
        Send::contract_call(FROM, AbiCall::new(TO, "function stake(uint256 amount)", "stake", [json!("7")])),
    ];
    for request in &sends {
        assert_eq!(send(&user, request).await.expect("sent").status, Status::Submitted);
    }

    let requests = server.requests();
    let transfer = json!({
        "password": "a long password", "mfa_code": "123456", "address": FROM.to_checksum(None),
        "to_address": TO.to_checksum(None), "amount": "5",
    });
    assert_eq!(sent(&requests[0]), ("/api/transfer", transfer));
    let transfer_erc20 = json!({
        "password": "a long password", "mfa_code": "123456", "address": FROM.to_checksum(None),
        "token_address": TOKEN.to_checksum(None), "to_address": TO.to_checksum(None), "amount": "6",
        "chain_id": 1, "acknowledge": ["first_time_recipient"],
    });
    assert_eq!(sent(&requests[1]), ("/api/transfer_erc20", transfer_erc20));
    let contract_call = json!({
        "password": "a long password", "mfa_code": "123456", "address": FROM.to_checksum(None),
        "contract_address": TO.to_checksum(None), "contract_abi": "function stake(uint256 amount)",
        "function_name": "stake", "function_args": ["7"],
    });
    assert_eq!(sent(&requests[2]), ("/api/contract_call", contract_call));
}

#[tokio::test]
async fn a_send_made_of_a_preview_is_bound_to_what_it_showed() {
    let server = Scripted::new(vec![transaction("pending", 0), transaction("submitted", 1)]).await;
    let shown = server.user().preview(&Send::transfer(FROM, TO, U256::from(1))).await.expect("a preview");
    let bound = Send::of_preview(&shown).expect("a transfer").acknowledge(["self_transfer"]);
    send(&server.user(), &bound).await.expect("sent");

    let requests = server.requests();
    let (path, body) = sent(&requests[1]);
    let preview = wire("pending", 0);
    assert_eq!(path, "/api/transfer");
    for (field, expected) in [
        ("address", &preview["address"]),
        ("chain_id", &preview["chain_id"]),
        ("to_address", &preview["action"]["to_address"]),
        ("amount", &preview["action"]["amount"]),
        ("digest", &preview["digest"]),
        ("acknowledge", &json!(["self_transfer"])),
    ] {
        assert_eq!(&body[field], expected, "{field}");
    }
}

#[tokio::test]
async fn what_users_do_not_send_makes_no_send() {
    let mut raw = wire("pending", 0);
    raw["action"] = json!({ "type": "raw", "to_address": TO, "amount": "1", "data": "0x" });
    let raw = serde_json::from_value(raw).expect("a transaction");
    assert!(matches!(Send::of_preview(&raw), Err(Error::InvalidRequest(_))));
}

#[tokio::test]
async fn a_send_whose_answer_was_lost_is_sent_again_under_the_same_key() {
    let server = Scripted::new(vec![Answer::HangUp, transaction("submitted", 2)]).await;
    let request = Send::transfer(FROM, TO, U256::from(5)).idempotency_key("rent-2026-11");
    send(&server.user(), &request).await.expect("the second attempt");

    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| header(request, "idempotency-key") == Some("rent-2026-11")));
    assert_eq!(sent(&requests[0]), sent(&requests[1]));
}

#[tokio::test]
async fn a_clone_of_a_send_is_the_same_request_and_a_new_one_is_not() {
    let submitted = || transaction("submitted", 2);
    let server = Scripted::new(vec![submitted(), submitted(), submitted()]).await;
    let request = Send::transfer(FROM, TO, U256::from(5));
    for request in [&request, &request.clone(), &Send::transfer(FROM, TO, U256::from(5))] {
        send(&server.user(), request).await.expect("sent");
    }
    let requests = server.requests();
    let keys: Vec<_> = requests.iter().map(|request| header(request, "idempotency-key").expect("a key")).collect();
    assert!(keys[0] == keys[1] && keys[1] != keys[2], "{keys:?}");
}

#[tokio::test]
async fn a_spent_code_is_not_tried_again() {
    let server = Scripted::new(vec![problem(401, "mfa_replayed", false)]).await;
    let error = send(&server.user(), &Send::transfer(FROM, TO, U256::from(5))).await.expect_err("refused");
    assert_eq!(error.code(), Some(ErrorCode::MfaReplayed));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_preview_asks_with_the_action_and_without_credentials_and_its_digest_is_checked() {
    let mut wrong = wire("pending", 0);
    wrong["value"] = "2".into();
    let server = Scripted::new(vec![preview(), Answer::Say(200, "", wrong.to_string())]).await;
    let request = Send::transfer_erc20(FROM, TOKEN, TO, U256::from(6)).chain_id(1).acknowledge(["self_transfer"]);
    let shown = server.user().preview(&request).await.expect("a preview");
    assert_eq!(shown.preview.expect("what it does").intent, "Send 6 USDC");
    let error = server.user().preview(&request).await.expect_err("another value than the digest's");
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error:?}");

    let action = json!({
        "type": "transfer_erc20", "token_address": TOKEN.to_checksum(None), "to_address": TO.to_checksum(None),
        "amount": "6",
    });
    let expected = json!({ "address": FROM.to_checksum(None), "chain_id": 1, "action": action });
    assert_eq!(sent(&server.requests()[0]), ("/api/preview_transaction", expected));
}

/// A transaction that is not stored, with what it does.
fn preview() -> Answer {
    let mut body = wire("pending", 0);
    body["preview"] = json!({
        "intent": "Send 6 USDC", "calls": [], "tokens": [], "changes": [],
        "simulation": { "method": "eth_call", "outcome": "success" },
    });
    Answer::Say(200, "", body.to_string())
}

#[tokio::test]
async fn a_token_is_asked_for_by_address_and_on_a_chain_only_when_one_was_named() {
    let body = json!({ "address": TOKEN.to_checksum(None), "standard": "erc20", "symbol": "USDC", "decimals": 6 });
    let token = || Answer::Say(200, "", body.to_string());
    let server = Scripted::new(vec![token(), token()]).await;
    let usdc = server.user().token(None, TOKEN).await.expect("a token");
    assert_eq!((usdc.symbol.as_deref(), usdc.decimals), (Some("USDC"), Some(6)));
    server.agent().token(Some(1), TOKEN).await.expect("a token");

    let address = TOKEN.to_checksum(None);
    let requests = server.requests();
    assert!(requests[0].starts_with(&format!("GET /api/token?address={address} ")), "{}", requests[0]);
    assert!(requests[1].starts_with(&format!("GET /api/token?address={address}&chain_id=1 ")), "{}", requests[1]);
}
