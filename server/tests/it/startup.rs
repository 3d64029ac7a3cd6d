//! Starting: what a server needs, and what it does without.

use std::time::Duration;

use agent_sdk::Paging;
use wallet_server::{OpenError, config::MasterSource, value::Secret};

use crate::harness::{Database, Human, Pass, World, on_both_databases, stranger};

on_both_databases!(
    a_wrong_master_secret_is_refused,
    a_server_starts_and_serves_while_its_node_is_down,
    a_restart_keeps_everything,
);

async fn a_wrong_master_secret_is_refused(world: World) {
    let mut world = world;
    world.stop().await;
    let mut config = world.config.clone();
    config.master = MasterSource::Given(Secret::new("00".repeat(32)));
    let refused = wallet_server::open(&config).await.expect_err("it is another one");
    assert!(matches!(refused, OpenError::WrongMaster), "{refused:?}");
    assert!(!format!("{refused:?} {refused}").contains("0000"));
    wallet_server::open(&world.config).await.expect("the right one still opens");
}

async fn a_server_starts_and_serves_while_its_node_is_down(world: World) {
    let mut world = world;
    let human = Human::with_everything(&world).await;
    world.gate.let_pass(Pass::Down);
    world.restart().await;
    let ready: serde_json::Value = reqwest::get(format!("{}/health/ready", world.url))
        .await
        .expect("the server answers")
        .json()
        .await
        .expect("JSON");
    assert_eq!((&ready["status"], &ready["chains"][0]["reachable"]), (&"ready".into(), &false.into()));
    let agent = world.agent_client(&human.api_key);
    let loaded = agent.load_wallet(None).await.expect("the database is there");
    assert!(!loaded.balances[0].available && loaded.balances[0].balance.is_none());
    world.gate.let_pass(Pass::Through);
    let answers = async {
        while !agent.load_wallet(None).await.expect("the database is there").balances[0].available {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    // Requests read what the watcher found last.
    tokio::time::timeout(Duration::from_secs(30), answers).await.expect("the node is found again");
}

async fn a_restart_keeps_everything(world: World) {
    let mut world = world;
    let human = Human::with_everything(&world).await;
    let approved = human.approved(stranger(), 1).await;
    world.restart().await;
    let agent = world.agent_client(&human.api_key);
    assert_eq!(agent.status(approved.transaction_id).await.expect("its agent"), approved);
    agent.execute(approved.transaction_id).await.expect("it is approved");
    let confirmed = agent.wait_until_confirmed(approved.transaction_id).await.expect("the node mines");
    assert_eq!(confirmed.status, agent_sdk::Status::Confirmed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_share_one_postgresql_database() {
    let world = World::start(Database::postgres().await).await;
    let human = Human::with_everything(&world).await;
    let other = crate::harness::Process::start(&world.database, &world.gate.url).await;
    let there = agent_sdk::AgentClient::new(other.url.as_str(), human.api_key.as_str()).expect("a loopback URL");
    assert_eq!(there.wallets(Paging::new()).await.expect("the same key").items.len(), 1);
    let to = stranger();
    let approved = human.approved(to, 9).await;
    // Prepared and approved here, executed there, followed by both.
    let waiting = human.agent.wait_until_confirmed(approved.transaction_id);
    let (executed, confirmed) = tokio::join!(there.execute(approved.transaction_id), waiting);
    executed.expect("it is approved");
    assert_eq!(confirmed.expect("the node mines").status, agent_sdk::Status::Confirmed);
    assert_eq!(world.balance(to).await, alloy::primitives::U256::from(9));
}
