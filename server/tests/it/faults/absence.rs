//! What a node does not show is not proof of anything.

use std::time::Duration;

use agent_sdk::Status;
use alloy::primitives::{B256, U256};
use serde_json::{Value, json};
use wallet_server::{
    chain::local::{LocalNode, LocalNodeSettings},
    value::ChainId,
};

use super::{SOON, events_of, quick_world, scenarios, world_with_finality};
use crate::harness::{Calls, Database, Fault, Human, Oracle, World, eventually, rpc, stranger, told, until, use_at};

scenarios!(
    receipts_that_are_hidden_for_a_while_end_nothing,
    receipts_left_out_of_batches_end_nothing,
    a_node_that_forgot_our_block_ends_nothing,
    a_node_of_another_chain_ends_nothing,
    a_node_of_another_chain_with_the_same_id_ends_nothing,
    a_node_that_lags_takes_nothing_back,
    a_node_whose_nonce_is_ahead_of_its_blocks_ends_nothing,
    a_node_whose_nonce_falls_back_ends_nothing,
    a_transaction_that_ended_by_a_foreign_use_is_superseded_and_stays_so,
    a_cancel_whose_receipt_is_hidden_is_not_taken_for_a_foreign_use,
);

/// Longer than any look, and longer than absence counted for once.
const A_WHILE: Duration = Duration::from_secs(2);

/// Something is hidden after a payment was mined; later it is shown again. Whatever the server says in between, it says
/// nothing final, and the agent that asks again is told of the same payment.
async fn hidden_for_a_while(world: &World, hide: impl AsyncFnOnce(&World, &Human, B256)) {
    let human = Human::with_everything(world).await;
    world.mine_by_itself(false).await;
    let to = stranger();
    let executed = human.executed(to, 5).await;
    world.gate.reached().await;
    let hash = executed.transaction_hash.expect("it is sent");
    hide(world, &human, hash).await;
    world.let_blocks_come(A_WHILE).await;
    let meanwhile = human.client.status(executed.transaction_id).await.expect("its owner");
    assert!(!meanwhile.status.is_final(), "said {} while nothing is known", meanwhile.status);
    world.mine_by_itself(true).await;
    world.gate.point_to(world.node.url());
    world.gate.heal();
    let confirmed = until(&human, &executed, |now| now.status.is_final()).await;
    assert_eq!(confirmed.status, Status::Confirmed);
    assert_eq!(world.balance(to).await, U256::from(5));
    Oracle::of(world).all_ends_truly(SOON).await;
}

async fn receipts_that_are_hidden_for_a_while_end_nothing(database: Database) {
    let world = quick_world(database).await;
    hidden_for_a_while(&world, async |world, _, _| {
        world.gate.hide_receipts();
    })
    .await;
}

async fn receipts_left_out_of_batches_end_nothing(database: Database) {
    let world = quick_world(database).await;
    hidden_for_a_while(&world, async |world, _, hash| {
        // Each look gets one imperfect answer.
        world.gate.when(Calls::of("eth_getTransactionReceipt").holding(hash), Fault::refuse("header not found"));
    })
    .await;
}

async fn a_node_that_forgot_our_block_ends_nothing(database: Database) {
    let world = quick_world(database).await;
    hidden_for_a_while(&world, async |world, _, _| {
        world.gate.hide_receipts();
        world.gate.when(Calls::of("eth_getTransactionByHash"), Fault::Answer(Value::Null));
        let without = |_: &crate::harness::Call, mut block: Value| {
            if block.is_object() {
                block["transactions"] = json!([]);
            }
            block
        };
        // It shows our block empty, and has no state of the past.
        world.gate.when(Calls::of("eth_getBlockByNumber"), Fault::lie(without));
        world.gate.when(Calls::of("eth_getBlockReceipts"), Fault::Answer(json!([])));
    })
    .await;
}

async fn node_of(chain: u64, arguments: &[&str]) -> LocalNode {
    let chain_id = ChainId::new(chain).expect("in range");
    let settings = LocalNodeSettings { program: None, port: None, state_file: None, chain_id };
    LocalNode::start_with(settings, arguments).await.expect("a node; `npm ci` installs it")
}

/// The same wallet is used on the other chain, too, further than on ours.
async fn used_at(other: &LocalNode, human: &Human) {
    rpc(other.url(), "anvil_setBalance", json!([human.address, "0xde0b6b3a7640000"])).await;
    for _ in 0..3 {
        use_at(other.url(), human.address).await;
    }
}

/// Blocks come there as well, until the node is gone.
fn keep_mining(node: &str) {
    let node = node.to_owned();
    tokio::spawn(async move {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "anvil_mine", "params": ["0x1"] });
        while reqwest::Client::new().post(&node).json(&body).send().await.is_ok() {
            tokio::time::sleep(A_WHILE / 20).await;
        }
    });
}

async fn a_node_of_another_chain_ends_nothing(database: Database) {
    let world = quick_world(database).await;
    let other = node_of(5, &[]).await;
    hidden_for_a_while(&world, async |world, human, _| {
        used_at(&other, human).await;
        world.gate.point_to(other.url());
        keep_mining(other.url());
    })
    .await;
}

async fn a_node_of_another_chain_with_the_same_id_ends_nothing(database: Database) {
    let world = world_with_finality(database, 1).await;
    // It calls itself no development node: there, a chain does not start anew.
    world.gate.say_client("Geth/v1.16.0");
    let other = node_of(31_337, &["--timestamp", "1600000000"]).await;
    let human = Human::with_everything(&world).await;
    used_at(&other, &human).await;
    let to = stranger();
    let approved = human.approved(to, 5).await;
    world.gate.point_to(other.url());
    human.agent.execute(approved.transaction_id).await.expect("it is approved");
    keep_mining(other.url());
    tokio::time::sleep(A_WHILE).await;
    let meanwhile = human.client.status(approved.transaction_id).await.expect("its owner");
    assert!(!meanwhile.status.is_final(), "said {} by another chain", meanwhile.status);
    world.gate.point_to(world.node.url());
    world.gate.heal();
    let confirmed = until(&human, &approved, |now| now.status.is_final()).await;
    assert_eq!((confirmed.status, world.balance(to).await), (Status::Confirmed, U256::from(5)));
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn a_node_that_lags_takes_nothing_back(database: Database) {
    let world = world_with_finality(database, 30).await;
    let human = Human::with_everything(&world).await;
    let executed = human.executed(stranger(), 5).await;
    until(&human, &executed, |now| now.status == Status::Mined).await;
    let head = world.head().await;
    for _ in 0..4 {
        let lagging = world.gate.lag(head, 1);
        tokio::time::sleep(Duration::from_millis(300)).await;
        for rule in lagging {
            rule.end();
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let events = events_of(&world, executed.transaction_id).await;
    assert!(!events.iter().any(|event| event == "reorganised"), "nothing was reorganised: {events:?}");
    world.mine(30).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn a_node_whose_nonce_is_ahead_of_its_blocks_ends_nothing(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    world.mine_by_itself(false).await;
    let to = stranger();
    let executed = human.executed(to, 5).await;
    world.gate.reached().await;
    // One answer of many is of a node that is ahead; no block holds anything.
    world.gate.say_nonce(human.address, 1);
    world.empty_the_pool().await;
    world.let_blocks_come(A_WHILE).await;
    let meanwhile = human.client.status(executed.transaction_id).await.expect("its owner");
    assert!(!meanwhile.status.is_final(), "said {}", meanwhile.status);
    world.mine_by_itself(true).await;
    world.gate.heal();
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(world.balance(to).await, U256::from(5));
}

async fn a_node_whose_nonce_falls_back_ends_nothing(database: Database) {
    let world = world_with_finality(database, 8).await;
    let human = Human::with_everything(&world).await;
    let first = human.executed(stranger(), 1).await;
    until(&human, &first, |now| now.status == Status::Mined).await;
    world.gate.say_nonce(human.address, 0);
    let second = human.approved(stranger(), 2).await;
    assert_eq!(second.nonce, Some(1), "a nonce that is held is not given again");
    human.agent.execute(second.transaction_id).await.expect("it is approved");
    world.let_blocks_come(A_WHILE).await;
    world.gate.heal();
    world.mine(8).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(until(&human, &second, |now| now.status.is_final()).await.status, Status::Confirmed);
}

async fn a_transaction_that_ended_by_a_foreign_use_is_superseded_and_stays_so(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    world.mine_by_itself(false).await;
    let to = stranger();
    let executed = human.executed(to, 5).await;
    world.gate.reached().await;
    world.empty_the_pool().await;
    world.gate.when(Calls::of(crate::harness::SEND), Fault::Lose);
    let foreign = world.use_elsewhere(human.address).await;
    world.gate.heal();
    let ended = until(&human, &executed, |now| now.status.is_final()).await;
    assert_eq!(ended.status, Status::Superseded);
    assert!(
        ended.reason.clone().unwrap_or_default().contains(&foreign.to_string()),
        "the use is named: {}",
        told(&ended)
    );
    world.mine_by_itself(true).await;
    world.mine(3).await;
    Oracle::of(&world).foreign(foreign).all_ends_truly(SOON).await;
    assert_eq!(world.balance(to).await, U256::ZERO);
}

async fn a_cancel_whose_receipt_is_hidden_is_not_taken_for_a_foreign_use(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    world.mine_by_itself(false).await;
    let to = stranger();
    let executed = human.executed(to, 5).await;
    world.gate.reached().await;
    world.gate.hide_receipts();
    human.client.cancel(executed.transaction_id).await.expect("its owner");
    let sent = until(&human, &executed, |now| now.transaction_hashes.len() > 1).await;
    let cancel = *sent.transaction_hashes.last().expect("the cancel's");
    eventually("the node has the cancel", SOON, async || world.knows(cancel).await).await;
    world.let_blocks_come(A_WHILE).await;
    let meanwhile = human.client.status(executed.transaction_id).await.expect("its owner");
    assert!(!meanwhile.status.is_final(), "said {}", meanwhile.status);
    world.gate.heal();
    let ended = until(&human, &executed, |now| now.status.is_final()).await;
    assert_eq!((ended.status, world.balance(to).await), (Status::Cancelled, U256::ZERO));
    Oracle::of(&world).all_ends_truly(SOON).await;
}
