//! A human decides.

use std::time::Duration;

use agent_sdk::{Authorize, PrepareTransaction, Status};
use alloy::primitives::{B256, Bytes, U256};
use serde_json::json;
use wallet_server::{store::transactions, value::TransactionId};

use crate::harness::{ETHER, Human, Pass, World, code, on_both_databases, stranger};

on_both_databases!(
    a_wrong_digest_is_refused_and_the_code_stays_good,
    a_node_that_is_down_leaves_the_code_good,
    fees_above_what_was_shown_need_a_new_look,
    a_poor_wallet_is_warned_of_and_not_approved,
    a_payment_counts_what_is_approved_already,
    a_call_that_would_fail_is_refused_at_once,
    a_decision_is_made_once,
    nobody_decides_for_another_user,
    undecided_means_expired,
    a_repeated_preparation_is_one_transaction,
    what_changes_while_it_is_approved_is_not_approved,
    time_may_run_out_while_the_chain_is_asked,
);

async fn a_wrong_digest_is_refused_and_the_code_stays_good(world: World) {
    let human = Human::with_everything(&world).await;
    let transaction = human.ask(stranger(), 1).await;
    assert!(transaction.digest_matches());
    let fresh = human.code();
    let wrong = Authorize::new(transaction.transaction_id, fresh.clone()).digest(B256::repeat_byte(1));
    assert_eq!(code(human.client.authorize(wrong).await), "digest_mismatch");
    let right = Authorize::new(transaction.transaction_id, fresh).digest(transaction.digest);
    assert_eq!(human.client.authorize(right).await.expect("the same code").status, Status::Authorized);
}

async fn a_node_that_is_down_leaves_the_code_good(world: World) {
    let human = Human::with_everything(&world).await;
    let transaction = human.ask(stranger(), 1).await;
    world.gate.let_pass(Pass::Down);
    let patient = agent_sdk::AgentClient::builder(world.url.as_str(), human.api_key.as_str()).attempts(1);
    let patient = patient.build().expect("a loopback URL and a good key");
    let asked = patient.prepare(PrepareTransaction::transfer(stranger(), U256::from(1))).await;
    assert_eq!(code(asked), "chain_unavailable");
    let approval = Authorize::new(transaction.transaction_id, human.code()).digest(transaction.digest);
    assert_eq!(code(human.client.authorize(approval.clone()).await), "chain_unavailable");
    world.gate.let_pass(Pass::Through);
    assert_eq!(human.client.authorize(approval).await.expect("the same code").status, Status::Authorized);
}

async fn fees_above_what_was_shown_need_a_new_look(world: World) {
    let human = Human::with_everything(&world).await;
    let shown = human.ask(stranger(), 1).await;
    world.rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x2540be400"])).await;
    world.rpc("evm_mine", json!([])).await;
    let fresh = human.code();
    let approval = Authorize::new(shown.transaction_id, fresh.clone()).digest(shown.digest);
    let refused = human.client.authorize(approval).await.expect_err("10 gwei are above the caps");
    assert_eq!(refused.code().expect("a problem").as_str(), "preview_changed");
    let refreshed = refused.transaction().expect("what would be signed now").clone();
    assert_eq!((refreshed.status.clone(), refreshed.version), (Status::Pending, shown.version + 1));
    assert!(refreshed.max_fee_per_gas > shown.max_fee_per_gas && refreshed.digest != shown.digest);
    let approval = Authorize::new(shown.transaction_id, fresh).digest(refreshed.digest);
    human.client.authorize(approval).await.expect("the same code");
}

async fn a_poor_wallet_is_warned_of_and_not_approved(world: World) {
    let human = Human::with_everything(&world).await;
    let transaction = human.ask(stranger(), 11 * ETHER).await;
    assert!(transaction.warnings.iter().any(|warning| warning.code == "insufficient_balance"));
    let approval = Authorize::new(transaction.transaction_id, human.code());
    assert_eq!(code(human.client.authorize(approval.clone()).await), "insufficient_funds");
    let more = wallet_server::value::Wei(U256::from(2 * ETHER));
    world.node.fund(wallet_server::value::Address(human.address), more).await.expect("the node has accounts");
    human.client.authorize(approval).await.expect("the same code");
}

async fn a_payment_counts_what_is_approved_already(world: World) {
    let human = Human::with_everything(&world).await;
    human.approved(stranger(), 6 * ETHER).await;
    let second = human.ask(stranger(), 6 * ETHER).await;
    assert!(second.warnings.iter().any(|warning| warning.code == "insufficient_balance"));
    assert_eq!(code(human.approve(&second).await), "insufficient_funds");
}

async fn a_call_that_would_fail_is_refused_at_once(world: World) {
    let human = Human::with_everything(&world).await;
    // Init code that reverts: PUSH1 0, PUSH1 0, REVERT.
    let reverts = Bytes::from_static(&[0x60, 0x00, 0x60, 0x00, 0xfd]);
    let asked = human.agent.prepare(PrepareTransaction::raw(None, U256::ZERO, reverts)).await;
    assert_eq!(code(asked), "simulation_failed");
}

async fn a_decision_is_made_once(world: World) {
    let human = Human::with_everything(&world).await;
    let approved = human.approved(stranger(), 1).await;
    assert_eq!(code(human.client.reject(approved.transaction_id, None).await), "invalid_state");
    // The code is not looked at when there is nothing to decide.
    let again = human.client.authorize(Authorize::new(approved.transaction_id, "000000")).await;
    assert_eq!(again.expect("a repeat").version, approved.version);

    let rejected = human.ask(stranger(), 1).await.transaction_id;
    let first = human.client.reject(rejected, Some("not today")).await.expect("its owner");
    assert_eq!((first.status.clone(), first.reason.as_deref()), (Status::Rejected, Some("not today")));
    assert_eq!(human.client.reject(rejected, None).await.expect("a repeat"), first);
    assert_eq!(code(human.client.authorize(Authorize::new(rejected, human.code())).await), "invalid_state");
    assert_eq!(code(human.client.cancel(rejected).await), "invalid_state");
}

async fn nobody_decides_for_another_user(world: World) {
    let (ada, eve) = (Human::with_everything(&world).await, Human::without_funds(&world).await);
    let id = ada.ask(stranger(), 1).await.transaction_id;
    assert_eq!(code(eve.client.status(id).await), "not_found");
    assert_eq!(code(eve.client.authorize(Authorize::new(id, eve.code())).await), "not_found");
    assert_eq!(code(eve.client.reject(id, None).await), "not_found");
    assert_eq!(code(eve.client.cancel(id).await), "not_found");
    assert_eq!(code(eve.agent.status(id).await), "not_found");
    assert_eq!(code(eve.agent.cancel(id).await), "not_found");
    assert_eq!(code(eve.client.revoke_agent(ada.agent_id).await), "not_found");
    assert_eq!(ada.client.status(id).await.expect("its owner").status, Status::Pending);
}

async fn undecided_means_expired(world: World) {
    let human = Human::with_everything(&world).await;
    let asked = PrepareTransaction::transfer(stranger(), U256::from(1)).expires_in(Duration::from_secs(300));
    let id = human.agent.prepare(asked).await.expect("a plain payment").transaction_id;
    let fresh = human.code();
    world.pass(Duration::from_secs(300));
    assert_eq!(code(human.client.authorize(Authorize::new(id, fresh)).await), "expired");
    assert_eq!(human.agent.status(id).await.expect("its agent").status, Status::Expired);
    assert_eq!(code(human.client.reject(id, None).await), "expired");
}

async fn a_repeated_preparation_is_one_transaction(world: World) {
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let asked = |wei| PrepareTransaction::transfer(to, U256::from(wei)).idempotency_key("rent-11").memo("rent");
    let first = human.agent.prepare(asked(5)).await.expect("a plain payment");
    let rejected = human.client.reject(first.transaction_id, None).await.expect("its owner");
    assert_eq!(human.agent.prepare(asked(5)).await.expect("a repeat"), rejected);
    assert_eq!(code(human.agent.prepare(asked(6)).await), "idempotency_mismatch");
}

async fn what_changes_while_it_is_approved_is_not_approved(world: World) {
    let human = Human::with_everything(&world).await;
    let shown = human.ask(stranger(), 1).await;
    let id = TransactionId(shown.transaction_id);
    let approval = Authorize::new(shown.transaction_id, human.code()).digest(shown.digest);
    world.gate.let_pass(Pass::Held);
    let change = async {
        // The row has been read by now: the chain is asked about it.
        world.gate.reached().await;
        let row = transactions::find(&world.state.store, id).await.expect("the database").expect("it was prepared");
        let newer = transactions::Model { version: row.version + 1, ..row.clone() };
        let write = world.state.store.write().await.expect("the database");
        assert!(transactions::save(&write, &row, &newer).await.expect("the database"), "nobody is faster");
        write.commit().await.expect("the database");
        world.gate.let_pass(Pass::Through);
    };
    let (approved, ()) = tokio::join!(human.client.authorize(approval.clone()), change);
    assert_eq!(code(approved), "digest_mismatch");
    assert_eq!(human.client.authorize(approval).await.expect("the same code").status, Status::Authorized);
}

async fn time_may_run_out_while_the_chain_is_asked(world: World) {
    let human = Human::with_everything(&world).await;
    let asked = PrepareTransaction::transfer(stranger(), U256::from(1)).expires_in(Duration::from_secs(300));
    let id = human.agent.prepare(asked).await.expect("a plain payment").transaction_id;
    world.pass(Duration::from_secs(250));
    // The code's step begins 20 s before the deadline, and ends after it.
    let approval = Authorize::new(id, human.code());
    world.gate.let_pass(Pass::Held);
    let let_time_pass = async {
        world.gate.reached().await;
        world.pass(Duration::from_secs(25));
        world.gate.let_pass(Pass::Through);
    };
    let (approved, ()) = tokio::join!(human.client.authorize(approval), let_time_pass);
    assert_eq!(code(approved), "expired");
    assert!(human.client.status(id).await.expect("its owner").nonce.is_none());
}
