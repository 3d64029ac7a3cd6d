//! From submission to the end, on a chain that does not always go along.

use std::time::{Duration, Instant};

use agent_sdk::{Authorize, Status, Transaction, WaitingReason};
use alloy::primitives::U256;
use serde_json::json;
use wallet_server::{
    chain::Finality,
    config::{ChainSource, Config},
    value::Secret,
};

use crate::harness::{Database, Human, World, code, on_both_databases, stranger};

on_both_databases!(
    in_its_own_world:
    what_is_not_mined_is_sped_up_within_the_approved_caps,
    a_cancel_outbids_every_rung,
    a_hole_below_a_sent_nonce_is_filled,
    a_reorganised_transaction_is_mined_again,
    a_use_of_the_wallet_elsewhere_is_noticed,
    a_taken_nonce_ends_its_transaction,
    a_chain_without_eip_1559_works,
    a_node_that_loses_the_transaction_gets_it_again,
    a_new_block_is_looked_at_at_once_where_it_is_subscribed_to,
);

fn finality(config: &mut Config, depth: u64) {
    let ChainSource::Known(chains) = &mut config.chains else { panic!("tests name their chain") };
    chains[0].finality = Finality::Depth(depth);
}

/// Waits for a change until the transaction is as asked.
async fn until(human: &Human, transaction: &Transaction, is_so: impl Fn(&Transaction) -> bool) -> Transaction {
    let waiting = async {
        let mut now = human.client.status(transaction.transaction_id).await.expect("its owner");
        while !is_so(&now) {
            let wait = Duration::from_secs(5);
            now = human.client.wait_for_change(now.transaction_id, now.version, wait).await.expect("its owner");
        }
        now
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("it comes to that")
}

async fn a_new_block_is_looked_at_at_once_where_it_is_subscribed_to(database: Database) {
    let mut world = World::start_on(database, &[], |config| {
        config.policy.session_lifetime = Duration::from_secs(24 * 3_600);
        // Nobody asks by themselves before this test is over.
        config.poll_interval = Duration::from_secs(60);
        finality(config, 3);
    })
    .await;
    let socket = Secret::new(world.node.url().replace("http://", "ws://"));
    let ChainSource::Known(chains) = &mut world.config.chains else { panic!("tests name their chain") };
    chains[0].endpoints[0].ws_url = Some(socket);
    world.restart().await;
    let human = Human::with_everything(&world).await;
    let executed = human.executed(stranger(), 5).await;
    until(&human, &executed, |now| now.status == Status::Mined).await;
    let began = Instant::now();
    world.rpc("anvil_mine", json!(["0x3"])).await;
    until(&human, &executed, |now| now.status == Status::Confirmed).await;
    assert!(began.elapsed() < Duration::from_secs(10), "it took {:?}", began.elapsed());
}

async fn what_is_not_mined_is_sped_up_within_the_approved_caps(database: Database) {
    let world = World::start_on(database, &[], |config| {
        config.policy.bump_after = Duration::from_millis(300);
    })
    .await;
    let human = Human::with_everything(&world).await;
    world.rpc("evm_setAutomine", json!([false])).await;
    let to = stranger();
    let approved = human.approved(to, 5).await;
    human.agent.execute(approved.transaction_id).await.expect("it is approved");
    let sped_up = until(&human, &approved, |now| now.transaction_hashes.len() >= 3).await;
    assert_eq!(sped_up.status, Status::Submitted);
    world.rpc("evm_mine", json!([])).await;
    let confirmed = until(&human, &approved, |now| now.status.is_final()).await;
    assert_eq!(confirmed.status, Status::Confirmed);
    let block = confirmed.block.clone().expect("it is mined");
    assert!(block.effective_gas_price <= confirmed.max_fee_per_gas);
    assert!(confirmed.transaction_hashes.contains(&confirmed.transaction_hash.expect("it is mined")));
    assert_eq!(world.balance(to).await, U256::from(5));
}

async fn a_cancel_outbids_every_rung(database: Database) {
    let world = World::start_on(database, &[], |config| {
        config.policy.bump_after = Duration::from_millis(200);
    })
    .await;
    let human = Human::with_everything(&world).await;
    world.rpc("evm_setAutomine", json!([false])).await;
    let to = stranger();
    let approved = human.approved(to, 5).await;
    human.agent.execute(approved.transaction_id).await.expect("it is approved");
    until(&human, &approved, |now| now.transaction_hashes.len() >= 2).await;
    assert_eq!(code(human.agent.cancel(approved.transaction_id).await), "forbidden");
    let cancelling = human.client.cancel(approved.transaction_id).await.expect("its owner");
    assert!(cancelling.cancelling && cancelling.status == Status::Submitted);
    let sent = until(&human, &approved, |now| now.transaction_hashes.len() > cancelling.transaction_hashes.len()).await;
    // A hash is recorded before the first byte leaves: the node may not have the cancel yet.
    let hash = sent.transaction_hashes.last().copied().expect("the cancel's");
    while world.rpc("eth_getTransactionByHash", json!([hash])).await.is_null() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.rpc("evm_mine", json!([])).await;
    let cancelled = until(&human, &approved, |now| now.status.is_final()).await;
    assert_eq!((cancelled.status.clone(), cancelled.cancelling), (Status::Cancelled, false));
    assert_eq!(cancelled.transaction_hash, sent.transaction_hashes.last().copied());
    assert_eq!(world.balance(to).await, U256::ZERO);
    assert_eq!(world.account(human.address).await.nonce, 1);
}

async fn a_hole_below_a_sent_nonce_is_filled(database: Database) {
    let world = World::start(database).await;
    let human = Human::with_everything(&world).await;
    let (first, second) = (stranger(), stranger());
    let blocking = human.approved(first, 1).await;
    let blocked = human.approved(second, 2).await;
    assert_eq!((blocking.nonce, blocked.nonce), (Some(0), Some(1)));
    human.agent.execute(blocked.transaction_id).await.expect("it is approved");
    let waiting = until(&human, &blocked, |now| {
        now.waiting.as_ref().is_some_and(|waiting| waiting.reason == WaitingReason::BehindNonce)
    })
    .await;
    assert_eq!(waiting.waiting.expect("it waits").blocked_by, Some(blocking.transaction_id));
    let cancelled = human.client.cancel(blocking.transaction_id).await.expect("its owner");
    assert_eq!(cancelled.status, Status::Cancelled);
    let confirmed = until(&human, &blocked, |now| now.status.is_final()).await;
    assert_eq!(confirmed.status, Status::Confirmed);
    assert_eq!((world.balance(first).await, world.balance(second).await), (U256::ZERO, U256::from(2)));
    assert_eq!(world.account(human.address).await.nonce, 2);
}

async fn a_reorganised_transaction_is_mined_again(database: Database) {
    let world = World::start_on(database, &[], |config| {
        finality(config, 4);
        config.policy.resend_after = Duration::from_millis(200);
    })
    .await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let approved = human.approved(to, 5).await;
    human.agent.execute(approved.transaction_id).await.expect("it is approved");
    let mined = until(&human, &approved, |now| now.status == Status::Mined).await;
    world.rpc("evm_setAutomine", json!([false])).await;
    world.rpc("anvil_reorg", json!([1, []])).await;
    world.rpc("anvil_dropAllTransactions", json!([])).await;
    let back = until(&human, &approved, |now| now.status == Status::Submitted).await;
    assert!(back.block.is_none() && back.version > mined.version);
    world.rpc("evm_setAutomine", json!([true])).await;
    let again = until(&human, &approved, |now| now.status == Status::Mined).await;
    assert_eq!(again.transaction_hash, mined.transaction_hash, "the same bytes");
    world.rpc("anvil_mine", json!(["0x4"])).await;
    let confirmed = until(&human, &approved, |now| now.status.is_final()).await;
    assert_eq!(confirmed.status, Status::Confirmed);
    assert_eq!(world.balance(to).await, U256::from(5));
}

/// Sends from the wallet without this server, as somebody with its key could.
async fn use_elsewhere(world: &World, human: &Human) {
    world.rpc("anvil_impersonateAccount", json!([human.address])).await;
    let payment = json!({ "from": human.address, "to": stranger(), "value": "0x1" });
    world.rpc("eth_sendTransaction", json!([payment])).await;
    world.rpc("evm_mine", json!([])).await;
}

async fn a_use_of_the_wallet_elsewhere_is_noticed(database: Database) {
    let world = World::start(database).await;
    let human = Human::with_everything(&world).await;
    let asked = human.ask(stranger(), 1).await;
    use_elsewhere(&world, &human).await;
    let fresh = human.code();
    let approval = Authorize::new(asked.transaction_id, fresh.clone()).digest(asked.digest);
    assert_eq!(code(human.client.authorize(approval.clone()).await), "nonce_used_elsewhere");
    let approved = human.client.authorize(approval.acknowledge(["nonce_used_elsewhere"])).await;
    assert_eq!(approved.expect("the same code").nonce, Some(1));
    human.agent.execute(asked.transaction_id).await.expect("it is approved");
    let confirmed = human.agent.wait_until_confirmed(asked.transaction_id).await.expect("the node mines");
    assert_eq!(confirmed.status, Status::Confirmed);
    // Once acknowledged, it is not asked again.
    human.approved(stranger(), 1).await;
}

async fn a_taken_nonce_ends_its_transaction(database: Database) {
    let world = World::start_on(database, &[], |config| {
        config.policy.search_after = Duration::from_millis(200);
    })
    .await;
    let human = Human::with_everything(&world).await;
    let approved = human.approved(stranger(), 1).await;
    use_elsewhere(&world, &human).await;
    let superseded = until(&human, &approved, |now| now.status.is_final()).await;
    assert_eq!(superseded.status, Status::Superseded);
    assert_eq!(code(human.agent.execute(approved.transaction_id).await), "invalid_state");
}

async fn a_chain_without_eip_1559_works(database: Database) {
    let world = World::start_on(database, &["--hardfork", "berlin"], |_| {}).await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let approved = human.approved(to, 5).await;
    assert_eq!(approved.max_fee_per_gas, approved.max_priority_fee_per_gas);
    human.agent.execute(approved.transaction_id).await.expect("it is approved");
    let confirmed = human.agent.wait_until_confirmed(approved.transaction_id).await.expect("the node mines");
    assert_eq!(confirmed.status, Status::Confirmed);
    let mined = world.rpc("eth_getTransactionByHash", json!([confirmed.transaction_hash])).await;
    assert_eq!(mined["type"], "0x0");
    assert_eq!(world.balance(to).await, U256::from(5));
}

async fn a_node_that_loses_the_transaction_gets_it_again(database: Database) {
    let world = World::start_on(database, &[], |config| {
        config.policy.resend_after = Duration::from_millis(200);
    })
    .await;
    let human = Human::with_everything(&world).await;
    world.rpc("evm_setAutomine", json!([false])).await;
    let approved = human.approved(stranger(), 5).await;
    let submitted = human.agent.execute(approved.transaction_id).await.expect("it is approved");
    world.gate.reached().await;
    world.rpc("anvil_dropAllTransactions", json!([])).await;
    world.gate.reached().await;
    world.gate.reached().await;
    world.rpc("evm_mine", json!([])).await;
    let confirmed = until(&human, &approved, |now| now.status.is_final()).await;
    assert_eq!((confirmed.status.clone(), confirmed.transaction_hash), (Status::Confirmed, submitted.transaction_hash));
    let sent = world.gate.sent();
    assert!(sent.len() >= 2 && sent.iter().all(|bytes| *bytes == sent[0]), "the same bytes each time");
}
