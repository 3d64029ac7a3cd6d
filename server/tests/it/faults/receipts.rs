//! One imperfect answer spoils one look at one account, and nothing else.

use std::time::{Duration, Instant};

use agent_sdk::Status;
use alloy::primitives::{B256, U256};
use serde_json::{Value, json};

use super::{SOON, quick_world, scenarios};
use crate::harness::{Calls, Database, Fault, Human, Oracle, SEND, stranger, until};

scenarios!(
    a_receipt_that_makes_no_sense_stops_only_its_own,
    a_question_that_hangs_stops_only_its_own,
    a_send_that_hangs_stops_no_other_wallet,
    a_nonce_that_makes_no_sense_stops_only_its_own,
);

/// Makes nonsense of a receipt.
type Spoil = fn(&mut Value);

/// Receipts as broken nodes and balancers give them.
fn shapes() -> Vec<(&'static str, Spoil)> {
    vec![
        ("no status", |receipt| {
            receipt.as_object_mut().expect("an object").remove("status");
        }),
        ("status null", |receipt| receipt["status"] = Value::Null),
        ("status 2", |receipt| receipt["status"] = json!("0x2")),
        ("another hash", |receipt| receipt["transactionHash"] = json!(B256::repeat_byte(4))),
        ("a number in decimal", |receipt| receipt["blockNumber"] = json!(7)),
        ("gas in words", |receipt| receipt["gasUsed"] = json!("much")),
        ("a list", |receipt| *receipt = json!([])),
        ("a word", |receipt| *receipt = json!("pending")),
        ("a block of another height", |receipt| receipt["blockNumber"] = json!("0xffffff")),
    ]
}

/// Less than a node gets for an answer, and enough for a busy machine.
const IN_GOOD_TIME: Duration = Duration::from_secs(8);

/// While something is wrong with one wallet, another's payments arrive in good time.
async fn others_go_on(world: &crate::harness::World, other: &Human, what: &str) {
    let began = Instant::now();
    let to = stranger();
    let executed = other.executed(to, 3).await;
    let ended = until(other, &executed, |now| now.status.is_final()).await;
    assert_eq!((ended.status, world.balance(to).await), (Status::Confirmed, U256::from(3)), "{what}");
    assert!(began.elapsed() < IN_GOOD_TIME, "{what}: it took {:?}", began.elapsed());
}

async fn a_receipt_that_makes_no_sense_stops_only_its_own(database: Database) {
    let world = quick_world(database).await;
    let (victim, other) = (Human::with_everything(&world).await, Human::with_everything(&world).await);
    for (name, shape) in shapes() {
        let to = stranger();
        let approved = victim.approved(to, 5).await;
        world.mine_by_itself(false).await;
        let executed = victim.agent.execute(approved.transaction_id).await.expect("it is approved");
        let hash = executed.transaction_hash.expect("it is sent");
        crate::harness::eventually("the node has it", SOON, async || world.knows(hash).await).await;
        let spoilt = move |call: &crate::harness::Call, mut receipt: Value| {
            if receipt.is_object() && call.text(0) == hash.to_string() {
                shape(&mut receipt);
            }
            receipt
        };
        world.gate.when(Calls::of("eth_getTransactionReceipt"), Fault::lie(spoilt));
        world.mine(1).await;
        world.mine_by_itself(true).await;
        others_go_on(&world, &other, name).await;
        let meanwhile = victim.client.status(executed.transaction_id).await.expect("its owner");
        assert!(!meanwhile.status.is_final(), "{name}: said {}", meanwhile.status);
        world.gate.heal();
        let ended = until(&victim, &executed, |now| now.status.is_final()).await;
        assert_eq!((ended.status, world.balance(to).await), (Status::Confirmed, U256::from(5)), "{name}");
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn a_question_that_hangs_stops_only_its_own(database: Database) {
    let world = quick_world(database).await;
    let (victim, other) = (Human::with_everything(&world).await, Human::with_everything(&world).await);
    let approved = victim.approved(stranger(), 5).await;
    let nonces = Calls::of("eth_getTransactionCount").wallet(victim.address);
    let hanging = world.gate.when(nonces, Fault::Drop);
    victim.agent.execute(approved.transaction_id).await.expect("it is approved");
    hanging.hit(1).await;
    others_go_on(&world, &other, "a hanging nonce").await;
    world.gate.heal();
    until(&victim, &approved, |now| now.status.is_final()).await;
    world.mine_by_itself(false).await;
    let executed = victim.executed(stranger(), 5).await;
    let hash = executed.transaction_hash.expect("it is sent");
    crate::harness::eventually("the node has it", SOON, async || world.knows(hash).await).await;
    let hanging = world.gate.when(Calls::of("eth_getTransactionReceipt").holding(hash), Fault::Drop);
    world.mine(1).await;
    world.mine_by_itself(true).await;
    hanging.hit(1).await;
    others_go_on(&world, &other, "a hanging receipt").await;
    world.gate.heal();
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn a_send_that_hangs_stops_no_other_wallet(database: Database) {
    let world = quick_world(database).await;
    let (victim, other) = (Human::with_everything(&world).await, Human::with_everything(&world).await);
    let hanging = world.gate.when(Calls::of(SEND).wallet(victim.address), Fault::Drop);
    let executed = victim.executed(stranger(), 5).await;
    hanging.hit(1).await;
    others_go_on(&world, &other, "a hanging send").await;
    world.gate.heal();
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(until(&victim, &executed, |now| now.status.is_final()).await.status, Status::Confirmed);
}

async fn a_nonce_that_makes_no_sense_stops_only_its_own(database: Database) {
    let world = quick_world(database).await;
    let (victim, other) = (Human::with_everything(&world).await, Human::with_everything(&world).await);
    let approved = victim.approved(stranger(), 5).await;
    for nonsense in [json!(null), json!("0x"), json!("many"), json!({}), json!("0xffffffffffffffffff")] {
        let nonces = Calls::of("eth_getTransactionCount").wallet(victim.address);
        let rule = world.gate.when(nonces, Fault::Answer(nonsense.clone()));
        victim.agent.execute(approved.transaction_id).await.expect("it is approved");
        rule.hit(1).await;
        others_go_on(&world, &other, &nonsense.to_string()).await;
        world.gate.heal();
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
}
