//! `openapi.json`, the server and the SDK say the same.

use agent_sdk::{Authorize, CreateAgent, ErrorCode, PrepareTransaction, Status, WaitingReason};
use alloy::primitives::{Address, B256, Bytes, U256};
use serde_json::{Value, json};
use uuid::Uuid;
use wallet_server::{http::code::Code, value};

const CHECKED_IN: &str = include_str!("../../../openapi.json");

#[test]
fn openapi_json_is_what_the_code_says() {
    assert!(CHECKED_IN == wallet_server::spec(), "openapi.json is out of date: run `make openapi`");
}

#[test]
fn the_sdk_knows_every_word_of_the_server() {
    for code in Code::ALL {
        assert!(!matches!(ErrorCode::from(code.as_str()), ErrorCode::Other(_)), "{}", code.as_str());
    }
    for status in value::Status::ALL {
        let known = Status::from(status.as_str());
        assert!(!matches!(known, Status::Other(_)) && known.is_final() == status.is_final(), "{status}");
    }
    for reason in value::WaitingReason::ALL {
        assert!(!matches!(WaitingReason::from(reason.as_str()), WaitingReason::Other(_)), "{reason}");
    }
}

#[test]
fn the_sdks_requests_have_the_fields_of_openapi_json() {
    let spec: Value = serde_json::from_str(CHECKED_IN).expect("JSON");
    let id = Uuid::now_v7();
    let transfer = PrepareTransaction::transfer(Address::ZERO, U256::from(1))
        .address(Address::ZERO)
        .chain_id(1)
        .memo("rent")
        .user_id(id)
        .expires_in(std::time::Duration::from_secs(600));
    let raw = PrepareTransaction::raw(Some(Address::ZERO), U256::ZERO, Bytes::new());
    let agent = CreateAgent::new("payer", "123456").wallets([Address::ZERO]).chains([1]);
    let approval = Authorize::new(id, "123456").digest(B256::ZERO).acknowledge(["nonce_used_elsewhere"]);
    for (path, body) in [
        ("/api/prepare_transaction", json!(transfer)),
        ("/api/prepare_transaction", json!(raw)),
        ("/api/create_agent", json!(agent)),
        ("/api/authorize_transaction", json!(approval)),
    ] {
        let content = &spec["paths"][path]["post"]["requestBody"]["content"];
        let media = content.as_object().and_then(|content| content.values().next()).expect("a body");
        let name = media["schema"]["$ref"].as_str().and_then(|name| name.rsplit('/').next()).expect("a named schema");
        let schema = &spec["components"]["schemas"][name];
        let given = body.as_object().expect("an object");
        for field in given.keys() {
            assert!(schema["properties"].get(field).is_some(), "{path}: {field}");
        }
        for field in schema["required"].as_array().into_iter().flatten() {
            assert!(given.contains_key(field.as_str().expect("a name")), "{path}: {field}");
        }
    }
}
