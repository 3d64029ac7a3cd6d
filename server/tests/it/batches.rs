//! Several transactions under one code.

use agent_sdk::{AuthorizeBatch, Status};
use alloy::primitives::{Address, B256, U256};
use serde_json::json;

use crate::harness::{ETHER, Human, World, code, on_both_databases, stranger};

on_both_databases!(
    a_batch_is_approved_with_one_code,
    one_bad_transaction_stops_the_batch_and_the_code_stays_good,
    a_batch_counts_the_balance_of_all_of_it,
    a_grave_warning_in_a_batch_must_be_acknowledged_where_it_is,
    an_empty_or_repeating_batch_is_refused,
);

async fn a_batch_is_approved_with_one_code(world: World) {
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let (one, two, three) = (human.ask(to, 1).await, human.ask(to, 2).await, human.ask(to, 3).await);
    human.approve(&two).await.expect("the owner");
    let batch = AuthorizeBatch::new(human.code()).add(&one).add(&two).add(&three);
    let approved = human.client.authorize_all(batch.clone()).await.expect("the owner with a fresh code");
    assert!(approved.iter().all(|transaction| transaction.status == Status::Authorized));
    let ids: Vec<_> = approved.iter().map(|transaction| transaction.transaction_id).collect();
    assert_eq!(ids, [one.transaction_id, two.transaction_id, three.transaction_id]);
    let nonces: Vec<_> = approved.iter().map(|transaction| transaction.nonce).collect();
    assert_eq!(nonces, [Some(1), Some(0), Some(2)]);
    assert_eq!(human.client.authorize_all(batch).await.expect("a repeat"), approved);
    for id in ids {
        human.agent.execute(id).await.expect("it is approved");
    }
    for transaction in &approved {
        let ended = human.agent.wait_until_confirmed(transaction.transaction_id).await.expect("the node mines");
        assert_eq!(ended.status, Status::Confirmed);
    }
    assert_eq!(world.balance(to).await, U256::from(6));
}

async fn one_bad_transaction_stops_the_batch_and_the_code_stays_good(world: World) {
    let human = Human::with_everything(&world).await;
    let (good, bad) = (human.ask(stranger(), 1).await, human.ask(stranger(), 2).await);
    let fresh = human.code();
    let mut altered = bad.clone();
    altered.digest = B256::repeat_byte(7);
    let refused = human.client.authorize_all(AuthorizeBatch::new(fresh.clone()).add(&good).add(&altered)).await;
    let refused = refused.expect_err("the digest is of something else");
    assert_eq!(refused.code().expect("a problem").as_str(), "digest_mismatch");
    assert_eq!(refused.problem().and_then(|problem| problem.transaction_id), Some(bad.transaction_id));
    assert_eq!(human.client.status(good.transaction_id).await.expect("its owner").status, Status::Pending);
    human.client.reject(bad.transaction_id, None).await.expect("its owner");
    let refused = human.client.authorize_all(AuthorizeBatch::new(fresh.clone()).add(&good).add(&bad)).await;
    assert_eq!(code(refused), "invalid_state");
    assert_eq!(human.client.status(good.transaction_id).await.expect("its owner").status, Status::Pending);
    let approved = human.client.authorize_all(AuthorizeBatch::new(fresh).add(&good)).await.expect("the same code");
    assert_eq!(approved[0].status, Status::Authorized);
}

async fn a_batch_counts_the_balance_of_all_of_it(world: World) {
    let human = Human::with_everything(&world).await;
    let (one, two) = (human.ask(stranger(), 6 * ETHER).await, human.ask(stranger(), 6 * ETHER).await);
    let batch = AuthorizeBatch::new(human.code()).add(&one).add(&two);
    assert_eq!(code(human.client.authorize_all(batch).await), "insufficient_funds");
    for transaction in [one, two] {
        let status = human.client.status(transaction.transaction_id).await.expect("its owner").status;
        assert_eq!(status, Status::Pending, "all or none");
    }
    assert_eq!(world.rpc("eth_getTransactionCount", json!([human.address, "pending"])).await, "0x0");
}

async fn a_grave_warning_in_a_batch_must_be_acknowledged_where_it_is(world: World) {
    let human = Human::with_everything(&world).await;
    let (plain, grave) = (human.ask(stranger(), 1).await, human.ask(Address::ZERO, 1).await);
    let fresh = human.code();
    let misplaced = AuthorizeBatch::new(fresh.clone()).add_acknowledging(&plain, ["zero_address"]).add(&grave);
    let refused = human.client.authorize_all(misplaced).await.expect_err("it is the other one that is grave");
    assert_eq!(refused.code().expect("a problem").as_str(), "acknowledgement_required");
    assert_eq!(refused.transaction().expect("what is warned of").transaction_id, grave.transaction_id);
    let batch = AuthorizeBatch::new(fresh).add(&plain).add_acknowledging(&grave, ["zero_address"]);
    assert_eq!(human.client.authorize_all(batch).await.expect("the same code").len(), 2);
}

async fn an_empty_or_repeating_batch_is_refused(world: World) {
    let human = Human::with_everything(&world).await;
    let one = human.ask(stranger(), 1).await;
    assert_eq!(code(human.client.authorize_all(AuthorizeBatch::new(human.code())).await), "invalid_request");
    let twice = AuthorizeBatch::new(human.code()).add(&one).add(&one);
    assert_eq!(code(human.client.authorize_all(twice).await), "invalid_request");
}
