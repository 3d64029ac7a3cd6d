//! Development chains start anew; other chains never do.

use agent_sdk::Status;
use alloy::primitives::U256;
use serde_json::json;
use wallet_server::{
    chain::local::{LocalNode, LocalNodeSettings},
    value::{self, ChainId, Wei},
};

use super::{SOON, quick_world, scenarios};
use crate::harness::{Database, ETHER, Human, Oracle, eventually, rpc, stranger, told, until};

scenarios!(
    a_development_chain_that_starts_anew_leaves_no_wallet_stuck,
    a_snapshot_that_is_restored_leaves_no_wallet_stuck,
    a_snapshot_that_is_restored_while_something_is_under_way_ends_it,
    earlier_bytes_are_not_sent_to_a_new_chain,
    a_node_that_is_behind_for_a_moment_ends_nothing,
);

async fn new_chain() -> LocalNode {
    let chain_id = ChainId::new(31_337).expect("in range");
    let settings = LocalNodeSettings { program: None, port: None, state_file: None, chain_id };
    LocalNode::start_with(settings, &["--timestamp", "1700000000"]).await.expect("a node; `npm ci` installs it")
}

/// A new payment of an old wallet arrives on the chain as it is now. What was approved before the server had noticed that
/// the chain is another one ends with what was of the old one, and is asked for again.
async fn a_payment_arrives(node: &str, human: &Human) {
    let to = stranger();
    let arrived = async || {
        let request = agent_sdk::PrepareTransaction::transfer(to, U256::from(3));
        let Ok(asked) = human.agent.prepare(request).await else { return false };
        let warned = asked.warnings.iter().map(|warning| warning.code.clone());
        let approval = agent_sdk::Authorize::new(asked.transaction_id, human.code()).digest(asked.digest);
        let approval = approval.acknowledge(warned).acknowledge(["nonce_used_elsewhere"]);
        if human.client.authorize(approval).await.is_err() || human.agent.execute(asked.transaction_id).await.is_err() {
            return false;
        }
        let ended = until(human, &asked, |now| now.status.is_final()).await;
        assert!(matches!(ended.status, Status::Confirmed | Status::Superseded), "{}", told(&ended));
        ended.status == Status::Confirmed
    };
    eventually("a payment arrives", SOON, arrived).await;
    assert_eq!(rpc(node, "eth_getBalance", json!([to, "latest"])).await, "0x3");
}

async fn fund(node: &LocalNode, human: &Human) {
    node.fund(value::Address(human.address), Wei(U256::from(10 * ETHER))).await.expect("the node has accounts");
}

async fn a_development_chain_that_starts_anew_leaves_no_wallet_stuck(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    for _ in 0..3 {
        human.executed(stranger(), 1).await;
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
    world.mine_by_itself(false).await;
    let open = human.executed(stranger(), 1).await;
    let node = new_chain().await;
    fund(&node, &human).await;
    world.gate.point_to(node.url());
    let ended = until(&human, &open, |now| now.status.is_final()).await;
    assert_eq!(ended.status, Status::Superseded);
    a_payment_arrives(node.url(), &human).await;
}

async fn a_snapshot_that_is_restored_leaves_no_wallet_stuck(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    human.executed(stranger(), 1).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    let snapshot = world.snapshot().await;
    for _ in 0..3 {
        let executed = human.executed(stranger(), 1).await;
        until(&human, &executed, |now| now.status.is_final()).await;
    }
    world.revert_to(snapshot).await;
    a_payment_arrives(world.node.url(), &human).await;
}

async fn a_snapshot_that_is_restored_while_something_is_under_way_ends_it(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let snapshot = world.snapshot().await;
    for _ in 0..2 {
        let executed = human.executed(stranger(), 1).await;
        until(&human, &executed, |now| now.status.is_final()).await;
    }
    world.mine_by_itself(false).await;
    let open = human.executed(stranger(), 1).await;
    world.gate.reached().await;
    world.revert_to(snapshot).await;
    world.mine_by_itself(true).await;
    until(&human, &open, |now| now.status.is_final()).await;
    a_payment_arrives(world.node.url(), &human).await;
}

async fn earlier_bytes_are_not_sent_to_a_new_chain(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let approved = human.approved(to, 5).await;
    world.mine_by_itself(false).await;
    let executed = human.executed(to, 5).await;
    world.mine_by_itself(true).await;
    let node = new_chain().await;
    fund(&node, &human).await;
    world.gate.point_to(node.url());
    until(&human, &executed, |now| now.status.is_final()).await;
    let refused = human.agent.execute(approved.transaction_id).await;
    assert!(refused.is_err() || refused.is_ok_and(|now| now.status == Status::Superseded), "it was of the old chain");
    a_payment_arrives(node.url(), &human).await;
    assert_eq!(rpc(node.url(), "eth_getBalance", json!([to, "latest"])).await, "0x0");
}

/// As one is in the middle of a reorganisation.
async fn a_node_that_is_behind_for_a_moment_ends_nothing(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let before = human.executed(stranger(), 1).await;
    until(&human, &before, |now| now.status == Status::Confirmed).await;
    let waits = human.approved(stranger(), 1).await;
    let rules = world.gate.lag(world.head().await, 1);
    rules[0].hit(1).await;
    rules.iter().for_each(|rule| rule.end());
    let calls = world.gate.calls_of("eth_getBlockByNumber");
    eventually("it is asked again", SOON, async || world.gate.calls_of("eth_getBlockByNumber") > calls + 2).await;
    let still = human.client.status(waits.transaction_id).await.expect("its owner");
    assert_eq!(still.status, Status::Authorized, "{}", told(&still));
    human.agent.execute(waits.transaction_id).await.expect("it is approved");
    Oracle::of(&world).all_ends_truly(SOON).await;
}
