//! Servers that are killed, and several at once.

use std::time::Duration;

use agent_sdk::Status;
use alloy::primitives::U256;
use futures_util::future::join_all;

use super::{SOON, quick_world, scenarios};
use crate::harness::{Calls, Database, Fault, Human, Oracle, SEND, stranger, until};

scenarios!(
    a_server_that_dies_at_any_answer_pays_once,
    a_server_that_dies_while_it_cancels_keeps_its_word,
    a_server_that_dies_again_and_again_pays_once,
);

/// Questions at which a server is killed: before the node hears them, and after it has answered.
fn deadly() -> Vec<(&'static str, Fault)> {
    let methods = ["eth_blockNumber", "eth_getTransactionCount", "eth_getTransactionReceipt", SEND];
    methods.into_iter().flat_map(|method| [(method, Fault::Drop), (method, Fault::Swallow)]).collect()
}

async fn a_server_that_dies_at_any_answer_pays_once(database: Database) {
    let mut world = quick_world(database).await;
    let mut human = Human::with_everything(&world).await;
    let to = stranger();
    let mut paid = 0_u64;
    for (method, fault) in deadly() {
        let approved = human.approved(to, 1).await;
        let rule = world.gate.next(1, Calls::of(method), fault);
        human.agent.execute(approved.transaction_id).await.expect("it is approved");
        // Not every server asks everything for every payment.
        let _ = tokio::time::timeout(Duration::from_secs(3), rule.hit(1)).await;
        world.crash().await;
        world.gate.heal();
        human = human.at(&world).await;
        paid += 1;
        let ended = until(&human, &approved, |now| now.status.is_final()).await;
        assert_eq!((ended.status, world.balance(to).await), (Status::Confirmed, U256::from(paid)), "{method}");
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn a_server_that_dies_while_it_cancels_keeps_its_word(database: Database) {
    let mut world = quick_world(database).await;
    let mut human = Human::with_everything(&world).await;
    let to = stranger();
    world.mine_by_itself(false).await;
    for fault in [Fault::Drop, Fault::Swallow] {
        let executed = human.executed(to, 1).await;
        world.gate.reached().await;
        let rule = world.gate.next(1, Calls::of(SEND), fault);
        human.client.cancel(executed.transaction_id).await.expect("its owner");
        rule.hit(1).await;
        world.crash().await;
        world.gate.heal();
        human = human.at(&world).await;
        let now = human.client.status(executed.transaction_id).await.expect("its owner");
        assert!(now.cancelling, "a cancel outlives its server");
        world.let_blocks_come(Duration::from_secs(1)).await;
        let ended = until(&human, &executed, |now| now.status.is_final()).await;
        assert!(matches!(ended.status, Status::Cancelled | Status::Confirmed), "{}", ended.status);
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn a_server_that_dies_again_and_again_pays_once(database: Database) {
    let mut world = quick_world(database).await;
    let mut human = Human::with_everything(&world).await;
    let to = stranger();
    let asked = human.ask_often(to, 8).await;
    let approved = human.approve_all(&asked).await.expect("the owner with a fresh code");
    for (turn, one) in approved.iter().enumerate() {
        human.agent.execute(one.transaction_id).await.expect("it is approved");
        tokio::time::sleep(Duration::from_millis(17 * turn as u64)).await;
        world.crash().await;
        human = human.at(&world).await;
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!((world.balance(to).await, world.account(human.address).await.nonce), (U256::from(8), 8));
}

// Servers only ever share a PostgreSQL.
scenarios!(
    two servers:
    both_execute_everything_and_each_is_paid_once,
    one_sees_nothing_and_the_other_ends_everything_truly,
    one_dies_and_the_other_takes_over,
);

async fn both_execute_everything_and_each_is_paid_once(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let second = world.second().await;
    let there = second.agent_client(&human.api_key);
    let to = stranger();
    let asked = human.ask_often(to, 20).await;
    let approved = human.approve_all(&asked).await.expect("the owner with a fresh code");
    for few in approved.chunks(5) {
        let both = few.iter().map(async |one| {
            let id = one.transaction_id;
            let (here, there) = tokio::join!(human.agent.execute(id), there.execute(id));
            here.expect("it is approved");
            there.expect("it is approved");
        });
        join_all(both).await;
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!((world.balance(to).await, world.account(human.address).await.nonce), (U256::from(20), 20));
}

async fn one_sees_nothing_and_the_other_ends_everything_truly(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let second = world.second().await;
    second.gate.hide_receipts();
    second.gate.when(Calls::of(SEND), Fault::refuse("invalid sender"));
    let to = stranger();
    for turn in 0..6 {
        let executed = human.executed(to, 1).await;
        if turn % 2 == 1 {
            human.client.cancel(executed.transaction_id).await.ok();
        }
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn one_dies_and_the_other_takes_over(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let second = world.second().await;
    let there = second.agent_client(&human.api_key);
    let (to, approved) = (stranger(), human.approved(stranger(), 1).await);
    world.gate.when(Calls::any(), Fault::Status(503));
    let dying = second.gate.when(Calls::of(SEND), Fault::Drop);
    there.execute(approved.transaction_id).await.expect("it is approved");
    dying.hit(1).await;
    second.kill();
    world.gate.heal();
    human.executed(to, 2).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(world.balance(to).await, U256::from(2));
}
