//! Nodes that are silent, slow, busy or gone.

use std::time::{Duration, Instant};

use agent_sdk::{AgentClient, PrepareTransaction, Status, WaitingReason};
use alloy::primitives::{Address, U256};
use futures_util::future::join_all;
use wallet_server::{
    chain::Finality,
    config::{ChainSource, Config},
    value::Secret,
};

use super::{SOON, quick, quick_world, scenarios};
use crate::harness::{Calls, Database, Fault, Gate, Human, Oracle, Pass, SEND, World, eventually, stranger, until};

scenarios!(
    a_silent_node_is_known_and_requests_fail_at_once,
    a_node_that_is_down_is_named_as_the_reason,
    a_node_that_comes_and_goes_loses_nothing,
    requests_of_clients_that_hang_up_are_bounded,
    a_payment_asks_the_node_a_bounded_number_of_times,
    sixteen_wallets_on_a_slow_node_are_sent_in_parallel,
    a_server_that_does_not_know_its_chain_starts_while_the_node_is_down,
    every_method_may_fail_once,
);

fn request_timeout(config: &mut Config, timeout: Duration) {
    let ChainSource::Known(chains) = &mut config.chains else { panic!("tests name their chain") };
    chains[0].request_timeout = timeout;
}

/// A client that asks once.
fn once(world: &World, human: &Human) -> AgentClient {
    let builder = AgentClient::builder(world.url.as_str(), human.api_key.as_str()).attempts(1);
    builder.build().expect("a loopback URL and a good key")
}

async fn a_silent_node_is_known_and_requests_fail_at_once(database: Database) {
    let world = World::start_on(database, &[], |config| {
        quick(config);
        request_timeout(config, Duration::from_secs(2));
    })
    .await;
    let human = Human::with_everything(&world).await;
    let executed = human.executed(stranger(), 1).await;
    until(&human, &executed, |now| now.status.is_final()).await;
    world.gate.when(Calls::any(), Fault::Drop);
    let agent = once(&world, &human);
    // The first to notice may wait for as long as one request to a node takes.
    let _ = agent.prepare(PrepareTransaction::transfer(stranger(), U256::from(1))).await;
    let began = Instant::now();
    let asked = join_all((0..8).map(|_| agent.prepare(PrepareTransaction::transfer(stranger(), U256::from(1))))).await;
    assert!(asked.iter().all(Result::is_err));
    assert!(began.elapsed() < Duration::from_secs(3), "eight answers took {:?}", began.elapsed());
    let began = Instant::now();
    let ready = reqwest::get(format!("{}/health/ready", world.url)).await.expect("the server answers");
    assert!(ready.status().is_success());
    assert!(began.elapsed() < Duration::from_secs(1), "readiness took {:?}", began.elapsed());
    world.gate.heal();
    let asked = async || agent.prepare(PrepareTransaction::transfer(stranger(), U256::from(1))).await.is_ok();
    eventually("the node is used again", SOON, asked).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn a_node_that_is_down_is_named_as_the_reason(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let approved = human.approved(stranger(), 5).await;
    world.gate.let_pass(Pass::Down);
    human.agent.execute(approved.transaction_id).await.expect("it is approved");
    until(&human, &approved, |now| {
        now.waiting.as_ref().is_some_and(|waiting| waiting.reason == WaitingReason::NodeUnreachable)
    })
    .await;
    world.gate.heal();
    Oracle::of(&world).all_ends_truly(SOON).await;
    let ended = human.client.status(approved.transaction_id).await.expect("its owner");
    assert_eq!((ended.status, ended.waiting), (Status::Confirmed, None));
}

async fn a_node_that_comes_and_goes_loses_nothing(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let mut asked = Vec::new();
    for _ in 0..10 {
        asked.push(human.ask(to, 1).await);
    }
    let approved = human.approve_all(&asked).await.expect("the owner with a fresh code");
    for one in &approved {
        world.gate.let_pass(Pass::Down);
        human.agent.execute(one.transaction_id).await.expect("it is approved");
        tokio::time::sleep(Duration::from_millis(60)).await;
        world.gate.let_pass(Pass::Through);
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(world.balance(to).await, U256::from(10));
}

async fn requests_of_clients_that_hang_up_are_bounded(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    world.gate.when(Calls::any(), Fault::Delay(Duration::from_secs(2)));
    let agent = AgentClient::builder(world.url.as_str(), human.api_key.as_str())
        .attempts(1)
        .timeout(Duration::from_millis(100))
        .build()
        .expect("a loopback URL and a good key");
    let impatient =
        join_all((0..100).map(|_| agent.prepare(PrepareTransaction::transfer(stranger(), U256::from(1))))).await;
    assert!(impatient.iter().all(Result::is_err));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let most = world.gate.most_in_flight();
    assert!(most <= 32, "{most} requests to the node at once for one agent");
    world.gate.heal();
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn a_payment_asks_the_node_a_bounded_number_of_times(database: Database) {
    // With the times that a server has: nothing is sent again every moment.
    let world = World::start_on(database, &[], |config| {
        config.policy.session_lifetime = Duration::from_secs(24 * 3_600);
    })
    .await;
    let human = Human::with_everything(&world).await;
    let mut asked = Vec::new();
    for _ in 0..20 {
        asked.push(human.ask(stranger(), 1).await);
    }
    let approved = human.approve_all(&asked).await.expect("the owner with a fresh code");
    let (before, methods) = (world.gate.calls(), world.gate.calls_by_method());
    for one in &approved {
        human.agent.execute(one.transaction_id).await.expect("it is approved");
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
    let each = (world.gate.calls() - before) / approved.len();
    assert!(each <= 25, "{each} calls a payment: from {methods:?} to {:?}", world.gate.calls_by_method());
    // With nothing under way the node is left alone, but for a glance at its health.
    let before = world.gate.calls();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let idle = world.gate.calls() - before;
    assert!(idle <= 20, "{idle} calls in two idle seconds");
}

async fn sixteen_wallets_on_a_slow_node_are_sent_in_parallel(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let mut wallets: Vec<Address> = vec![human.address];
    for _ in 1..16 {
        wallets.push(human.another_wallet(&world).await);
    }
    let mut asked = Vec::new();
    for wallet in &wallets {
        asked.push(human.ask_from(*wallet, stranger(), 1).await);
    }
    let approved = human.approve_all(&asked).await.expect("the owner with a fresh code");
    world.gate.when(Calls::any(), Fault::Delay(Duration::from_millis(150)));
    let began = Instant::now();
    for one in &approved {
        human.agent.execute(one.transaction_id).await.expect("it is approved");
    }
    let all_are_sent = async || wallets.iter().all(|wallet| !world.gate.sent_by(*wallet).is_empty());
    eventually("each wallet's payment is sent", Duration::from_secs(10), all_are_sent).await;
    assert!(began.elapsed() < Duration::from_secs(6), "the last was sent after {:?}", began.elapsed());
    world.gate.heal();
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn a_server_that_does_not_know_its_chain_starts_while_the_node_is_down(database: Database) {
    let gate = Gate::before("http://127.0.0.1:9").await;
    gate.let_pass(Pass::Down);
    let url = gate.url.clone();
    let began = Instant::now();
    let started = World::start_on(database, &[], move |config| {
        quick(config);
        let request_timeout = wallet_server::chain::DEFAULT_REQUEST_TIMEOUT;
        config.chains = ChainSource::Ask { url: Secret::new(url), request_timeout, finality: Finality::Tag };
    });
    let world = tokio::time::timeout(Duration::from_secs(10), started).await.expect("it starts without its node");
    assert!(began.elapsed() < Duration::from_secs(10));
    gate.point_to(world.node.url());
    gate.let_pass(Pass::Through);
    let human = Human::with_everything(&world).await;
    let asked = async || once(&world, &human).prepare(PrepareTransaction::transfer(stranger(), U256::from(1))).await;
    eventually("the chain is served once its node answers", SOON, async || asked().await.is_ok()).await;
    human.executed(stranger(), 1).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn every_method_may_fail_once(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let methods = [
        "eth_blockNumber",
        "eth_getBlockByNumber",
        "eth_getTransactionCount",
        "eth_getTransactionReceipt",
        "eth_chainId",
        SEND,
    ];
    let faults = [Fault::Status(500), Fault::Corrupt, Fault::refuse("busy"), Fault::Answer(serde_json::Value::Null)];
    let mut paid = 0_u64;
    for method in methods {
        for fault in &faults {
            let approved = human.approved(to, 1).await;
            world.gate.next(1, Calls::of(method), fault.clone());
            human.agent.execute(approved.transaction_id).await.expect("it is approved");
            let ended = until(&human, &approved, |now| now.status.is_final()).await;
            assert_eq!(ended.status, Status::Confirmed, "{method}");
            world.gate.heal();
            paid += 1;
        }
    }
    assert_eq!(world.balance(to).await, U256::from(paid));
    Oracle::of(&world).all_ends_truly(SOON).await;
}
