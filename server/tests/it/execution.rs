//! An agent executes what a human approved.

use std::time::{Duration, Instant};

use agent_sdk::{PrepareTransaction, Status};
use alloy::primitives::{Address, B256, Bytes, U256};
use serde_json::json;
use wallet_server::{store::users, value::UserId};

use crate::harness::{ETHER, Human, World, code, on_both_databases, stranger};

on_both_databases!(
    an_approved_payment_moves_the_money,
    an_agent_cannot_execute_before_approval,
    an_agent_cannot_execute_after_rejection,
    an_agent_cannot_execute_after_the_window,
    the_window_may_end_while_an_execution_waits,
    an_agent_cannot_execute_for_another,
    executing_twice_pays_once,
    a_deployment_deploys,
    a_long_poll_answers_at_the_change,
    an_agent_may_withdraw_until_it_has_executed,
);

async fn an_approved_payment_moves_the_money(world: World) {
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let before = world.balance(human.address).await;
    let asked = human.agent.prepare(PrepareTransaction::transfer(to, U256::from(ETHER)).memo("rent")).await;
    let asked = asked.expect("a plain payment");
    assert_eq!(asked.status, Status::Pending);
    assert!(asked.transaction_hash.is_none() && asked.nonce.is_none());
    let approved = human.approve(&asked).await.expect("the owner");
    assert_eq!((approved.status.clone(), approved.nonce), (Status::Authorized, Some(0)));
    assert_eq!(world.account(human.address).await.nonce, 0, "approval sends nothing");
    let submitted = human.agent.execute(asked.transaction_id).await.expect("it is approved");
    assert!(submitted.transaction_hash.is_some());
    let confirmed = human.agent.wait_until_confirmed(asked.transaction_id).await.expect("the node mines");
    assert_eq!(confirmed.status, Status::Confirmed);
    let block = confirmed.block.expect("it is mined");
    let fee = U256::from(block.gas_used) * block.effective_gas_price;
    assert_eq!(world.balance(to).await, U256::from(ETHER));
    assert_eq!(world.balance(human.address).await, before - U256::from(ETHER) - fee);
    assert!(fee <= confirmed.worst_case_fee);
    let hash = confirmed.transaction_hash.expect("it is mined");
    let receipt = world.rpc("eth_getTransactionReceipt", json!([hash])).await;
    assert_eq!(receipt["status"], "0x1");
}

async fn an_agent_cannot_execute_before_approval(world: World) {
    let human = Human::with_everything(&world).await;
    let id = human.ask(stranger(), 1).await.transaction_id;
    assert_eq!(code(human.agent.execute(id).await), "invalid_state");
    assert_eq!(world.account(human.address).await.nonce, 0);
}

async fn an_agent_cannot_execute_after_rejection(world: World) {
    let human = Human::with_everything(&world).await;
    let id = human.ask(stranger(), 1).await.transaction_id;
    human.client.reject(id, None).await.expect("its owner");
    assert_eq!(code(human.agent.execute(id).await), "invalid_state");
}

async fn an_agent_cannot_execute_after_the_window(world: World) {
    let human = Human::with_everything(&world).await;
    let approved = human.approved(stranger(), 1).await;
    world.pass(world.state.policy.execution_window);
    assert_eq!(code(human.agent.execute(approved.transaction_id).await), "expired");
    assert_eq!(human.agent.status(approved.transaction_id).await.expect("its agent").status, Status::Expired);
    // The nonce is free again: the next approval takes it, and nothing has left.
    assert_eq!(human.approved(stranger(), 2).await.nonce, approved.nonce);
    assert_eq!(world.account(human.address).await.nonce, 0);
}

async fn the_window_may_end_while_an_execution_waits(world: World) {
    let human = Human::with_everything(&world).await;
    let approved = human.approved(stranger(), 1).await;
    let user_id = UserId(human.client_user_id().await);
    human.agent.status(approved.transaction_id).await.expect("its agent");
    // Somebody else changes something of this user.
    let write = world.state.store.write().await.expect("the database");
    users::lock(&write, user_id).await.expect("nobody else has it");
    let let_time_pass = async {
        // Until the execution waits. Where that takes longer it finds the window closed at its first look instead.
        tokio::time::sleep(Duration::from_millis(500)).await;
        world.pass(world.state.policy.execution_window);
        drop(write);
    };
    let (executed, ()) = tokio::join!(human.agent.execute(approved.transaction_id), let_time_pass);
    assert_eq!(code(executed), "expired");
    assert!(human.agent.status(approved.transaction_id).await.expect("its agent").transaction_hash.is_none());
}

async fn an_agent_cannot_execute_for_another(world: World) {
    let (ada, eve) = (Human::with_everything(&world).await, Human::without_funds(&world).await);
    let approved = ada.approved(stranger(), 1).await;
    assert_eq!(code(eve.agent.execute(approved.transaction_id).await), "not_found");
    let second = agent_sdk::CreateAgent::new("second", ada.code());
    let key = ada.client.create_agent(second).await.expect("a fresh code").api_key.expect("shown once");
    assert_eq!(code(world.agent_client(key.expose()).execute(approved.transaction_id).await), "not_found");
}

async fn executing_twice_pays_once(world: World) {
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let id = human.approved(to, 7).await.transaction_id;
    let first = human.agent.execute(id).await.expect("it is approved");
    let confirmed = human.agent.wait_until_confirmed(id).await.expect("the node mines");
    let again = human.agent.execute(id).await.expect("a repeat");
    assert_eq!(again, confirmed);
    assert_eq!(first.transaction_hash, again.transaction_hash);
    assert_eq!(world.balance(to).await, U256::from(7));
    assert_eq!(world.account(human.address).await.nonce, 1);
}

async fn a_deployment_deploys(world: World) {
    let human = Human::with_everything(&world).await;
    // Init code whose contract is the one byte STOP: PUSH1 1, PUSH1 0, RETURN gives one zero byte.
    let init = Bytes::from_static(&[0x60, 0x01, 0x60, 0x00, 0xf3]);
    let asked = human.agent.prepare(PrepareTransaction::raw(None, U256::ZERO, init)).await.expect("it deploys");
    assert_eq!(asked.to, None);
    human.approve(&asked).await.expect("the owner");
    human.agent.execute(asked.transaction_id).await.expect("it is approved");
    let confirmed = human.agent.wait_until_confirmed(asked.transaction_id).await.expect("the node mines");
    let receipt = world.rpc("eth_getTransactionReceipt", json!([confirmed.transaction_hash])).await;
    let contract: Address = receipt["contractAddress"].as_str().expect("a contract").parse().expect("an address");
    assert_eq!(world.rpc("eth_getCode", json!([contract, "latest"])).await, "0x00");
}

async fn a_long_poll_answers_at_the_change(world: World) {
    let human = Human::with_everything(&world).await;
    let asked = human.ask(stranger(), 1).await;
    let (began, id) = (Instant::now(), asked.transaction_id);
    let unchanged = human.agent.wait_for_change(id, asked.version, Duration::from_secs(1)).await.expect("a key");
    assert_eq!(unchanged.version, asked.version);
    assert!(began.elapsed() >= Duration::from_secs(1));
    let waiting = human.agent.wait_for_change(id, asked.version, Duration::from_secs(50));
    let (changed, rejected) = tokio::join!(waiting, human.client.reject(id, None));
    assert_eq!(changed.expect("a key").version, rejected.expect("its owner").version);
    assert!(began.elapsed() < Duration::from_secs(40), "the change ended the wait, not the time");
}

async fn an_agent_may_withdraw_until_it_has_executed(world: World) {
    let human = Human::with_everything(&world).await;
    let pending = human.ask(stranger(), 1).await.transaction_id;
    assert_eq!(human.agent.cancel(pending).await.expect("its agent").status, Status::Cancelled);
    let approved = human.approved(stranger(), 1).await.transaction_id;
    assert_eq!(human.agent.cancel(approved).await.expect("its agent").status, Status::Cancelled);
    assert_eq!(code(human.agent.execute(approved).await), "invalid_state");
    let executed = human.approved(stranger(), 1).await.transaction_id;
    human.agent.execute(executed).await.expect("it is approved");
    let refused = code(human.agent.cancel(executed).await);
    assert!(["forbidden", "invalid_state"].contains(&refused.as_str()), "{refused}");
    let hashes: Vec<B256> = human.client.status(approved).await.expect("its owner").transaction_hashes;
    assert!(hashes.is_empty());
}
