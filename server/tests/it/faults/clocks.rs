//! Clocks are corrected, in both directions.

use std::time::Duration;

use agent_sdk::Status;
use alloy::primitives::U256;

use super::{SOON, quick_world, scenarios};
use crate::harness::{Calls, Database, Fault, Human, Oracle, SEND, eventually, stranger, until};

scenarios!(
    a_clock_that_is_set_back_delays_no_sending,
    a_clock_that_is_set_forward_ends_nothing_that_was_sent,
    an_approval_is_not_executed_after_its_time_whatever_the_clock_did,
);

const HOUR: Duration = Duration::from_secs(3_600);

async fn a_clock_that_is_set_back_delays_no_sending(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let lost = world.gate.when(Calls::of(SEND), Fault::Lose);
    let executed = human.executed(to, 5).await;
    // More often than there are rungs: each of them was sent at a time that now lies ahead.
    eventually("it is sent again and again", SOON, async || {
        world.mine(1).await;
        lost.hits() > 12
    })
    .await;
    world.state.clock.set_back(HOUR);
    lost.end();
    let ended = until(&human, &executed, |now| now.status.is_final()).await;
    assert_eq!((ended.status, world.balance(to).await), (Status::Confirmed, U256::from(5)));
    // Put right again for the codes.
    world.pass(HOUR);
    human.executed(stranger(), 1).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn a_clock_that_is_set_forward_ends_nothing_that_was_sent(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    world.mine_by_itself(false).await;
    let executed = human.executed(stranger(), 5).await;
    world.gate.reached().await;
    world.pass(20 * HOUR);
    world.let_blocks_come(Duration::from_secs(1)).await;
    world.mine_by_itself(true).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    let now = human.agent.status(executed.transaction_id).await.expect("its agent");
    assert_eq!(now.status, Status::Confirmed);
}

async fn an_approval_is_not_executed_after_its_time_whatever_the_clock_did(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let approved = human.approved(to, 5).await;
    world.pass(HOUR);
    let ended =
        async || human.agent.status(approved.transaction_id).await.expect("its agent").status == Status::Expired;
    eventually("it expires", SOON, ended).await;
    world.state.clock.set_back(HOUR);
    assert!(human.agent.execute(approved.transaction_id).await.is_err(), "expired is final");
    assert_eq!(world.balance(to).await, U256::ZERO);
    Oracle::of(&world).is_true().await;
}
