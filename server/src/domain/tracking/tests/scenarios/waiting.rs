//! What a payment that cannot go on waits for, and for how long.

use std::time::Duration;

use super::{
    super::{chain::Answer, event::Shows, node::Via, world::CALM},
    world,
};
use crate::{
    domain::transactions::{self, Release},
    value::{CancelCause, Execute, Nonce, SlotState, Status, WaitingReason},
};

#[tokio::test]
async fn one_refusal_ends_nothing_three_over_a_minute_do() {
    let mut world = world(1).await;
    let id = world.sent().await;
    world.tick(0, Via::default(), Answer::Refuse).await;
    world.tick(0, Via::default(), Answer::Refuse).await;
    let row = world.find(id).await;
    assert_eq!((row.waiting_reason, row.cancelling), (Some(WaitingReason::Refused), None));
    for _ in 0..5 {
        world.pass(Duration::from_secs(21));
        world.tick(0, Via::default(), Answer::Refuse).await;
        world.tick(0, Via::default(), Answer::Refuse).await;
        world.check().await;
    }
    assert_eq!(world.find(id).await.cancelling, Some(CancelCause::Refused));
    world.sees().await;
    world.blocks(1);
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Failed);
}

#[tokio::test]
async fn what_a_node_has_taken_is_never_ended_by_another_one_s_refusals() {
    let mut world = world(1).await;
    let id = world.sent().await;
    world.sees().await;
    world.chain.evict();
    for _ in 0..40 {
        world.pass(Duration::from_secs(31));
        world.tick(0, Via::default(), Answer::Refuse).await;
        world.tick(0, Via::default(), Answer::Refuse).await;
        world.check().await;
        assert_eq!(world.find(id).await.cancelling, None);
    }
    assert_eq!(world.find(id).await.waiting_reason, Some(WaitingReason::NeedsOwner));
    world.pass(Duration::from_secs(31));
    world.sees().await;
    world.blocks(1);
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Confirmed);
}

#[tokio::test]
async fn whoever_stands_before_a_sent_one_has_a_minute_and_is_filled() {
    let mut world = world(1).await;
    let (held, above) = (world.approved().await, world.sent().await);
    world.sees().await;
    assert!(world.find(held.transaction_id).await.gives_way_at.is_some());
    world.pass(Duration::from_secs(59));
    world.sees().await;
    assert_eq!(world.find(held.transaction_id).await.status, Status::Authorized);
    world.pass(Duration::from_secs(2));
    world.sees().await;
    assert_eq!(world.find(held.transaction_id).await.status, Status::Expired);
    assert!(world.events(held.transaction_id).await.contains(&"gave_way".to_owned()));
    world.blocks(1);
    world.sees().await;
    assert_eq!(world.find(above).await.status, Status::Confirmed);
    assert_eq!(world.find(held.transaction_id).await.status, Status::Expired);
}

#[tokio::test]
async fn nobody_gives_way_where_nobody_waits() {
    let mut world = world(1).await;
    let (sent, held) = (world.sent().await, world.approved().await);
    for _ in 0..5 {
        world.sees().await;
        world.pass(Duration::from_secs(61));
    }
    assert_eq!(world.find(held.transaction_id).await.status, Status::Authorized);
    world.blocks(1);
    world.sees().await;
    assert_eq!(world.find(sent).await.status, Status::Confirmed);
}

#[tokio::test]
async fn a_restart_leaves_at_least_half_a_minute_to_give_way() {
    let mut world = world(1).await;
    let (held, _) = (world.approved().await, world.sent().await);
    world.sees().await;
    world.restart(0);
    world.pass(Duration::from_secs(3_000).min(world.state.policy.execution_window / 2));
    world.sees().await;
    assert_eq!(world.find(held.transaction_id).await.status, Status::Authorized);
    world.pass(Duration::from_secs(31));
    world.sees().await;
    assert_eq!(world.find(held.transaction_id).await.status, Status::Expired);
}

#[tokio::test]
async fn bytes_are_sent_again_whatever_the_wall_clock_is_set_to() {
    let mut world = world(1).await;
    let id = world.sent().await;
    world.tick(0, Via::default(), Answer::Lost).await;
    world.state.clock.set_back(Duration::from_secs(3_600));
    world.pass(Duration::from_secs(31));
    world.sees().await;
    world.blocks(1);
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Confirmed);
}

#[tokio::test]
async fn a_payment_that_waits_is_sped_up_and_no_price_is_skipped_above_it() {
    let mut world = world(1).await;
    let (id, behind) = (world.sent().await, world.sent().await);
    world.chain.market = CALM * 2;
    for _ in 0..12 {
        world.sees().await;
        world.pass(Duration::from_secs(61));
    }
    let forms = world.payloads(world.wallets[0].1).await;
    let sent = |id| forms.iter().filter(move |form| form.transaction_id == id && form.sent_at.is_some()).count();
    assert!(sent(id) > 3, "it waits at the lowest nonce");
    assert_eq!(sent(behind), 1, "it waits for the other one, not for a price");
    world.settle().await;
    assert_eq!(world.find(behind).await.status, Status::Confirmed);
}

#[tokio::test]
async fn at_most_sixteen_are_sent_ahead() {
    let mut world = world(1).await;
    for _ in 0..18 {
        world.sent().await;
    }
    world.sees().await;
    assert_eq!(world.chain.pooled(), 16);
    world.settle().await;
    world.check_ended().await;
}

#[tokio::test]
async fn a_withdrawn_nonce_that_is_burnt_is_used_up_at_once() {
    let mut world = world(1).await;
    let row = world.approved().await;
    let caller = world.caller(&row, false).await;
    let ended = transactions::cancel(&world.state, &caller, row.transaction_id, Release::Burn).await;
    let ended = ended.expect("it is theirs");
    assert!(ended.row.status == Status::Cancelled && ended.valid_until_nonce_used);
    world.sees().await;
    world.blocks(1);
    world.sees().await;
    assert_eq!(world.slots(row.address).await[0].state, SlotState::Used);
    world.check_payments().await;
}

#[tokio::test]
async fn an_absurd_nonce_is_cleared_and_the_wallet_goes_on() {
    let mut world = world(1).await;
    let id = world.prepare(0, false, Execute::OnApproval).await;
    let row = world.find(id).await;
    assert!(world.approve(row, Shows::Absurd, true).await);
    world.sees().await;
    let row = world.find(id).await;
    assert_eq!((row.nonce, row.waiting_reason), (Some(Nonce(1_000)), Some(WaitingReason::NeedsOwner)));
    world.give_up(&row).await;
    assert_eq!(world.find(id).await.status, Status::Cancelled);
    world.settle().await;
    world.check_ended().await;
    world.check_alive().await;
}
