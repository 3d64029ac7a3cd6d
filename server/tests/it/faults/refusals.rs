//! One node's no is not the chain's.

use std::time::Duration;

use agent_sdk::{Status, WaitingReason};
use alloy::primitives::U256;
use serde_json::json;

use super::{SOON, quick_world, scenarios};
use crate::harness::{Calls, Database, Fault, Human, Oracle, SEND, eventually, stranger, told, until};

scenarios!(
    a_refusal_that_is_said_once_ends_nothing,
    words_that_are_not_understood_end_nothing,
    answers_of_what_stands_before_a_node_end_nothing,
    bytes_that_were_lost_on_the_way_are_sent_again,
    a_nonce_too_low_without_a_block_ends_nothing,
    a_refusal_after_an_acceptance_ends_nothing,
    a_refusal_that_lasts_ends_as_failed,
    what_one_node_took_and_another_refuses_needs_its_owner,
    a_wallet_that_is_too_poor_waits_and_pays_when_it_is_not,
    an_in_flight_limit_of_one_wallet_slows_no_other,
    a_node_that_refuses_gaps_once_is_tried_again,
);

/// What each client says of bytes that it takes for bad.
const REFUSALS: [&str; 12] = [
    "invalid chain id",
    "invalid sender: invalid chain id for signer: have 1 want 31337",
    "transaction type not supported",
    "transaction type not supported: type 2 rejected, pool not yet in London",
    "invalid sender",
    "exceeds block gas limit",
    "failed to decode transaction",
    "sender not an eoa: address 0xA, codehash: 0xB",
    "intrinsic gas too low: gas 21000, minimum needed 53000",
    "only replay-protected (EIP-155) transactions allowed over RPC",
    "Transaction gas limit is 21000 and exceeds block gas limit of 20000",
    "max initcode size exceeded: code size 50000, limit 49152",
];

/// What says nothing about the bytes.
const CLOUDS: [(i64, &str); 6] = [
    (-32_000, "txpool is full"),
    (-32_005, "limit exceeded"),
    (-32_603, "Internal error"),
    (-32_601, "the method eth_sendRawTransaction does not exist/is not available"),
    (-32_000, "tx fee (1.50 ether) exceeds the configured cap (1.00 ether)"),
    (-32_016, "we are syncing, come back later"),
];

/// Pays once under each fault; every payment arrives, once.
async fn every_payment_arrives(database: Database, faults: impl IntoIterator<Item = (String, Fault)>) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    for (name, fault) in faults {
        let to = stranger();
        let approved = human.approved(to, 5).await;
        let rule = world.gate.next(1, Calls::of(SEND), fault);
        human.agent.execute(approved.transaction_id).await.expect("it is approved");
        rule.hit(1).await;
        let ended = until(&human, &approved, |now| now.status.is_final()).await;
        assert_eq!((ended.status, world.balance(to).await), (Status::Confirmed, U256::from(5)), "{name}");
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn a_refusal_that_is_said_once_ends_nothing(database: Database) {
    every_payment_arrives(database, REFUSALS.map(|words| (words.to_owned(), Fault::refuse(words)))).await;
}

async fn words_that_are_not_understood_end_nothing(database: Database) {
    let faults = CLOUDS.map(|(code, words)| (words.to_owned(), Fault::Refuse(code, words.to_owned())));
    every_payment_arrives(database, faults).await;
}

async fn answers_of_what_stands_before_a_node_end_nothing(database: Database) {
    let mut faults: Vec<_> =
        [401, 403, 413, 429, 500, 502, 504].map(|status| (status.to_string(), Fault::Status(status))).into();
    faults.push(("cut".to_owned(), Fault::Cut));
    faults.push(("corrupt".to_owned(), Fault::Corrupt));
    faults.push(("another hash".to_owned(), Fault::Answer(json!(alloy::primitives::B256::repeat_byte(9)))));
    faults.push(("null".to_owned(), Fault::Answer(json!(null))));
    every_payment_arrives(database, faults).await;
}

async fn bytes_that_were_lost_on_the_way_are_sent_again(database: Database) {
    every_payment_arrives(database, [("lost".to_owned(), Fault::Lose)]).await;
}

async fn a_nonce_too_low_without_a_block_ends_nothing(database: Database) {
    let words = ["nonce too low: next nonce 7, tx nonce 3", "OldNonce, Current nonce: 1", "already known"];
    every_payment_arrives(database, words.map(|words| (words.to_owned(), Fault::refuse(words)))).await;
}

async fn a_refusal_after_an_acceptance_ends_nothing(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    world.mine_by_itself(false).await;
    let to = stranger();
    let executed = human.executed(to, 5).await;
    world.gate.reached().await;
    let refusing = world.gate.when(Calls::of(SEND), Fault::refuse("invalid sender"));
    refusing.hit(4).await;
    let meanwhile = human.client.status(executed.transaction_id).await.expect("its owner");
    assert!(!meanwhile.status.is_final() && !meanwhile.cancelling, "{}", told(&meanwhile));
    world.mine(1).await;
    world.gate.heal();
    let ended = until(&human, &executed, |now| now.status.is_final()).await;
    assert_eq!((ended.status, world.balance(to).await), (Status::Confirmed, U256::from(5)));
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn a_refusal_that_lasts_ends_as_failed(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let payments = Calls::of(SEND).only(|call| value_of(call) > 0);
    let refusing = world.gate.when(payments, Fault::refuse("sender not an eoa: address 0xA"));
    let began = std::time::Instant::now();
    let executed = human.executed(to, 5).await;
    let ended = until(&human, &executed, |now| now.status.is_final()).await;
    assert_eq!((ended.status.clone(), world.balance(to).await), (Status::Failed, U256::ZERO), "{}", told(&ended));
    assert!(refusing.hits() >= 3 && began.elapsed() >= world.state.policy.refused_after, "one refusal is not enough");
    assert!(ended.reason.clone().unwrap_or_default().contains("sender not an eoa"), "{}", told(&ended));
    world.gate.heal();
    human.executed(stranger(), 1).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(world.balance(to).await, U256::ZERO);
}

async fn what_one_node_took_and_another_refuses_needs_its_owner(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    world.mine_by_itself(false).await;
    let to = stranger();
    let executed = human.executed(to, 5).await;
    until(&human, &executed, |now| now.waiting.as_ref().is_some_and(|waiting| waiting.reason == WaitingReason::InPool))
        .await;
    world.gate.when(Calls::of(SEND), Fault::refuse("invalid sender"));
    let waits = until(&human, &executed, |now| {
        now.waiting.as_ref().is_some_and(|waiting| waiting.reason == WaitingReason::NeedsOwner)
    })
    .await;
    assert!(waits.status == Status::Submitted && !waits.cancelling, "{}", told(&waits));
    world.gate.heal();
    world.mine_by_itself(true).await;
    world.mine(1).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    let ended = human.client.status(executed.transaction_id).await.expect("its owner");
    assert_eq!((ended.status, world.balance(to).await), (Status::Confirmed, U256::from(5)));
}

async fn a_wallet_that_is_too_poor_waits_and_pays_when_it_is_not(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let (to, wallet) = (stranger(), human.address);
    let before = world.balance(wallet).await;
    let approved = human.approved(to, 5).await;
    world.rpc("anvil_setBalance", json!([wallet, "0x1"])).await;
    human.agent.execute(approved.transaction_id).await.expect("it is approved");
    let waiting = until(&human, &approved, |now| {
        now.waiting.as_ref().is_some_and(|waiting| waiting.reason == WaitingReason::InsufficientFunds)
    })
    .await;
    assert_eq!(waiting.status, Status::Submitted);
    world.rpc("anvil_setBalance", json!([wallet, format!("0x{before:x}")])).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(world.balance(to).await, U256::from(5));
}

async fn an_in_flight_limit_of_one_wallet_slows_no_other(database: Database) {
    let world = quick_world(database).await;
    let (limited, free) = (Human::with_everything(&world).await, Human::with_everything(&world).await);
    let words = "in-flight transaction limit reached for delegated accounts";
    let rule = world.gate.next(1, Calls::of(SEND).wallet(limited.address), Fault::refuse(words));
    let held_up = limited.executed(stranger(), 1).await;
    rule.hit(1).await;
    // Without mining, only what may be sent ahead arrives in the pool.
    world.mine_by_itself(false).await;
    let mut asked = Vec::new();
    for _ in 0..8 {
        asked.push(free.ask(stranger(), 1).await);
    }
    for approved in free.approve_all(&asked).await.expect("the owner with a fresh code") {
        free.agent.execute(approved.transaction_id).await.expect("it is approved");
    }
    let all_are_sent = async || {
        let mut sent = world.gate.sent_by(free.address);
        sent.sort();
        sent.dedup();
        sent.len() >= 8
    };
    eventually("all of the other wallet's payments are sent ahead", Duration::from_secs(5), all_are_sent).await;
    world.mine_by_itself(true).await;
    world.mine(1).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(until(&limited, &held_up, |now| now.status.is_final()).await.status, Status::Confirmed);
}

async fn a_node_that_refuses_gaps_once_is_tried_again(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    world.mine_by_itself(false).await;
    let mut asked = Vec::new();
    for _ in 0..4 {
        asked.push(human.ask(stranger(), 1).await);
    }
    let approved = human.approve_all(&asked).await.expect("the owner with a fresh code");
    let rule = world.gate.next(1, Calls::of(SEND).only(|call| nonce_of(call) > 0), Fault::refuse("nonce too high"));
    for one in &approved {
        human.agent.execute(one.transaction_id).await.expect("it is approved");
    }
    rule.hit(1).await;
    world.mine_by_itself(true).await;
    world.mine(1).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(world.account(human.address).await.nonce, 4);
}

fn nonce_of(call: &crate::harness::Call) -> u64 {
    use alloy::consensus::Transaction;
    call.signed().map_or(0, |signed| signed.nonce())
}

fn value_of(call: &crate::harness::Call) -> u64 {
    use alloy::consensus::Transaction;
    call.signed().map_or(0, |signed| signed.value().saturating_to())
}
