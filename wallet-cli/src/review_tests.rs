//! The review screen, whole, as a person sees it.

use agent_sdk::Transaction;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;

use super::{Objection, check, screen};
use crate::changes;
use crate::paint::Paint;
use crate::surroundings::Surroundings;
use crate::text::{columns, deceives};

const NOW: OffsetDateTime = datetime!(2026-11-23 10:00:30 UTC);
const RECIPIENT: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

/// A pending transfer of 0.05 coins, with `changes` made to its JSON and the digest put right.
fn transaction(changes: Value) -> Transaction {
    let mut object = json!({
        "transaction_id": "019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55",
        "version": 1,
        "status": "pending",
        "cancelling": false,
        "user_id": "019ab5f0-0000-7000-8000-000000000001",
        "agent_id": "019ab5f1-0000-7000-8000-000000000002",
        "wallet_id": "019ab5f1-0000-7000-8000-000000000003",
        "address": "0x52908400098527886E0F7030069857D2E4169EE7",
        "chain_id": 31337,
        "action": { "type": "transfer", "to_address": RECIPIENT, "amount": "50000000000000000" },
        "memo": "Invoice 4711 from the print shop, due on Friday; the second reminder came today.",
        "to": RECIPIENT,
        "value": "50000000000000000",
        "data": "0x",
        "gas_limit": 21000,
        "max_fee_per_gas": "12000000000",
        "max_priority_fee_per_gas": "1500000000",
        "worst_case_fee": "252000000000000",
        "digest": format!("0x{:064}", 0),
        "warnings": [],
        "transaction_hashes": [],
        "created_at": "2026-11-23T10:00:00Z",
        "expires_at": "2026-11-24T10:00:00.123456Z",
    });
    if let (Some(fields), Value::Object(changes)) = (object.as_object_mut(), changes) {
        fields.extend(changes);
        fields.retain(|_, value| !value.is_null());
    }
    let mut transaction: Transaction = serde_json::from_value(object).expect("a transaction");
    transaction.digest = transaction.computed_digest();
    transaction
}

fn surroundings() -> Surroundings {
    Surroundings {
        chain: "anvil".to_owned(),
        symbol: "ETH".to_owned(),
        wallet_label: Some("treasury".to_owned()),
        agent_name: Some("shopper".to_owned()),
    }
}

fn shown(transaction: &Transaction) -> String {
    let screen = screen(transaction, &surroundings(), NOW, Paint::new(false));
    assert!(screen.lines().all(|line| columns(line) <= 80), "{screen}");
    screen
}

#[test]
fn a_transfer_is_shown_whole() {
    let expected = "\
Transaction 019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55
Status      pending

From        0x52908400098527886E0F7030069857D2E4169EE7
            \"treasury\"
Chain       anvil, id 31337
To          0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed
Action      Send 0.05 ETH to 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed
Value       0.05 ETH
            50000000000000000 wei
Data        none
Gas limit   21000
Fee cap     12 gwei per gas
Tip cap     1.5 gwei per gas
Fee         at most 0.000252 ETH
            252000000000000 wei
Total       at most 0.050252 ETH leaves the wallet
            50252000000000000 wei

Asked by    agent \"shopper\"
            019ab5f1-0000-7000-8000-000000000002
Memo        the agent's own words, not checked by anyone:
            | Invoice 4711 from the print shop, due on Friday; the second
            | reminder came today.
Warnings    none
Expires     2026-11-24 10:00:00 UTC (23 h 59 min left)

Digest      0x150130372e026a771fd3bbab221f0a7deebb9c9a17662e3da547e20d32330f0d
Short form  15013037
";
    assert_eq!(shown(&transaction(json!({}))), expected);
}

#[test]
fn a_call_is_shown_with_all_of_its_data_and_warnings() {
    let expected = "\
Transaction 019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55
Status      pending

From        0x52908400098527886E0F7030069857D2E4169EE7
            \"treasury\"
Chain       anvil, id 31337
To          0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed
Action      Call function 0xa9059cbb of the address above, sending no ETH
Value       0 ETH
            0 wei
Data        68 bytes
            0xa9059cbb
              0000000000000000000000005aaeb6053f3e94c9b9a09f33669435e7ef1beaed
              0000000000000000000000000000000000000000000000000de0b6b3a7640000
Gas limit   65000
Fee cap     12 gwei per gas
Tip cap     1.5 gwei per gas
Fee         at most 0.00078 ETH
            780000000000000 wei
Total       at most 0.00078 ETH leaves the wallet
            780000000000000 wei

Asked by    agent \"shopper\"
            019ab5f1-0000-7000-8000-000000000002
Memo        none
Warnings    HIGH: The server cannot tell what this data makes the contract do.
            (unknown_calldata)
            LOW: This wallet has never sent to this address.
            (first_time_recipient)
Expires     2026-11-24 10:00:00 UTC (23 h 59 min left)

Digest      0x34769d4ec5c85968861553de72280d93dc1041b23656b1772420b58be565b31d
Short form  34769d4e
";
    assert_eq!(shown(&token_transfer()), expected);
}

/// A call of an ERC-20 token's `transfer`, given as raw bytes.
fn token_transfer() -> Transaction {
    let recipient = RECIPIENT[2..].to_lowercase();
    let data = format!("0xa9059cbb{recipient:0>64}{:0>64}", "de0b6b3a7640000");
    transaction(json!({
        "action": { "type": "raw", "to_address": RECIPIENT, "amount": "0", "data": data },
        "memo": null,
        "value": "0",
        "data": data,
        "gas_limit": 65000,
        "warnings": [
            { "code": "unknown_calldata", "severity": "high",
              "detail": "The server cannot tell what this data makes the contract do." },
            { "code": "first_time_recipient", "severity": "low",
              "detail": "This wallet has never sent to this address." },
        ],
    }))
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

#[test]
fn only_what_the_screen_shows_truly_may_be_approved() {
    let good = transaction(json!({}));
    let (id, user) = (good.transaction_id, good.user_id);
    assert_eq!(check(&good, id, user), Ok(()));
    assert_eq!(check(&good, Uuid::nil(), user), Err(Objection::AnotherTransaction));
    assert_eq!(check(&good, id, Uuid::nil()), Err(Objection::AnotherUser));

    let mut altered = good.clone();
    altered.gas_limit += 1;
    assert_eq!(check(&altered, id, user), Err(Objection::Digest));
    assert!(shown(&altered).contains("the server names another digest"));

    let other_sum = transaction(json!({ "value": "50000000000000001" }));
    assert_eq!(check(&other_sum, id, user), Err(Objection::AnotherAction));
    let hidden_call = transaction(json!({ "data": "0xa9059cbb" }));
    assert_eq!(check(&hidden_call, id, user), Err(Objection::AnotherAction));
    let unknown = transaction(json!({ "action": { "type": "stake" } }));
    assert_eq!(check(&unknown, id, user), Ok(()));
    assert!(shown(&unknown).contains("Request     of a kind this program does not know"));
}

#[test]
fn what_became_dearer_is_shown_and_another_payment_is_refused() {
    let shown = transaction(json!({}));
    let dearer = transaction(json!({ "max_fee_per_gas": "24000000000" }));
    let changes = changes::between(&shown, &dearer, "ETH", Paint::new(false));
    let expected = "
This has changed since it was shown:
Fee cap     was 12 gwei per gas
            now 24 gwei per gas
Fee         was at most 0.000252 ETH
            now at most 0.000504 ETH
Total       was at most 0.050252 ETH
            now at most 0.050504 ETH
";
    assert_eq!(changes.as_deref(), Ok(expected));

    for other in [json!({ "value": "1" }), json!({ "chain_id": 1 }), json!({ "data": "0x00" })] {
        let changes = changes::between(&shown, &transaction(other), "ETH", Paint::new(false));
        assert_eq!(changes, Err(Objection::AnotherPayment));
    }
}
