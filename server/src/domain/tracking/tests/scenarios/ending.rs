//! What ends a payment, what does not, and what a chain takes back.

use std::time::Duration;

use super::{
    super::{
        super::settle::VIOLATION,
        chain::Answer,
        event::Shows,
        node::{Fault, Via},
    },
    DEPTH, faulty, world,
};
use crate::{
    store::transactions::Model,
    value::{Evidence, Execute, Nonce, SlotState, Status, WaitingReason},
};

#[tokio::test]
async fn absence_ends_nothing_however_long_it_lasts() {
    for fault in [Fault::NoReceipts, Fault::NoBlocks, Fault::Silent, Fault::OtherChain] {
        let mut world = world(1).await;
        let id = world.sent().await;
        world.sees().await;
        world.blocks(5);
        for _ in 0..20 {
            world.sees_via(faulty(fault)).await;
            world.pass(Duration::from_secs(61));
            assert_eq!(world.find(id).await.status, Status::Submitted, "{fault:?}");
        }
        world.sees().await;
        assert_eq!(world.find(id).await.status, Status::Confirmed);
    }
}

#[tokio::test]
async fn a_foreign_use_ends_a_payment_once_its_block_is_final_and_is_named() {
    let mut world = world(DEPTH).await;
    let id = world.sent().await;
    world.chain.foreign(world.wallets[0].1, 0);
    world.was_foreign = true;
    world.blocks(1);
    world.sees().await;
    let row = world.find(id).await;
    assert_eq!((row.status, row.waiting_reason), (Status::Submitted, Some(WaitingReason::NonceUsedElsewhere)));
    world.blocks(DEPTH);
    world.sees().await;
    let row = world.find(id).await;
    assert_eq!((row.status, row.evidence), (Status::Superseded, Some(Evidence::Single)));
    assert!(row.reason.expect("it ended").to_string().contains("0x"));
}

#[tokio::test]
async fn where_blocks_are_gone_the_owner_may_end_it_and_it_is_watched_on() {
    let mut world = world(1).await;
    let id = world.sent().await;
    world.sees().await;
    world.blocks(2);
    world.sees_via(faulty(Fault::NoBlocks)).await;
    assert_eq!(world.find(id).await.waiting_reason, Some(WaitingReason::NonceUsedElsewhere));
    world.clear(0, Some(Nonce(0)), Shows::Truth).await;
    world.check().await;
    let row = world.find(id).await;
    assert_eq!((row.status, row.evidence), (Status::Superseded, Some(Evidence::Owner)));
    // It was paid after all.
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Confirmed);
    assert!(world.events(id).await.contains(&VIOLATION.to_owned()));
}

#[tokio::test]
async fn what_was_final_and_is_taken_back_is_told_and_the_very_same_bytes_are_sent_again() {
    let mut world = world(DEPTH).await;
    let id = world.sent().await;
    world.sees().await;
    world.blocks(DEPTH);
    world.sees().await;
    let before = world.find(id).await;
    assert_eq!(before.status, Status::Confirmed);
    (world.was_reorganised, world.was_deep, world.contradicts) = (true, true, true);
    world.chain.reorganise_deep(2, true, None, 0);
    world.blocks(DEPTH);
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Confirmed, "a final word is not taken back");
    assert!(world.events(id).await.contains(&VIOLATION.to_owned()));
    world.blocks(1);
    world.sees().await;
    let versions = world.events(id).await.len();
    world.sees().await;
    assert_eq!(world.events(id).await.len(), versions, "nothing is new");
    assert!(!world.tick(0, Via::default(), Answer::Fair).await, "nothing is to be done until it is final");
    world.blocks(DEPTH);
    world.sees().await;
    let after = world.find(id).await;
    let hash = |row: &Model| row.block.as_ref().map(|block| block.0.transaction_hash);
    assert_eq!(hash(&after), hash(&before));
    assert_eq!(world.slots(after.address).await[0].state, SlotState::Used);
    world.check_payments().await;
}

#[tokio::test]
async fn a_payment_that_somebody_else_s_chain_history_replaces_is_told_as_superseded() {
    let mut world = world(DEPTH).await;
    let id = world.sent().await;
    world.sees().await;
    world.blocks(DEPTH);
    world.sees().await;
    (world.was_reorganised, world.was_deep, world.contradicts) = (true, true, true);
    world.chain.reorganise_deep(3, true, None, 0);
    world.was_foreign = true;
    world.chain.foreign(world.wallets[0].1, 0);
    world.blocks(DEPTH + 1);
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Superseded);
    world.check_payments().await;
}

#[tokio::test]
async fn what_superseded_a_payment_can_be_taken_back_and_no_payment_follows() {
    let mut world = world(DEPTH).await;
    let id = world.sent().await;
    world.chain.foreign(world.wallets[0].1, 0);
    world.was_foreign = true;
    world.blocks(DEPTH);
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Superseded);
    (world.was_reorganised, world.was_deep, world.contradicts) = (true, true, true);
    world.chain.reorganise_deep(2, true, None, 0);
    world.blocks(DEPTH);
    world.sees().await;
    world.blocks(DEPTH);
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Superseded);
    assert_eq!(world.slots(world.wallets[0].1).await[0].state, SlotState::Used);
    world.check_alive().await;
    world.check_payments().await;
}

#[tokio::test]
async fn an_orphan_s_receipt_is_no_evidence() {
    let mut world = world(2).await;
    let id = world.sent().await;
    world.sees().await;
    world.blocks(1);
    world.was_reorganised = world.chain.reorganise(1, None, 0);
    world.chain.evict();
    world.blocks(4);
    world.sees_via(faulty(Fault::Orphans)).await;
    assert_eq!(world.find(id).await.status, Status::Submitted);
}

#[tokio::test]
async fn a_node_that_lags_takes_nothing_back_and_gives_no_used_nonce_out_again() {
    let mut world = world(DEPTH).await;
    let lagging = Via { is_stale: true, ..Via::default() };
    let id = world.sent().await;
    world.chain.stall();
    world.sees().await;
    world.blocks(1);
    world.sees().await;
    world.sees_via(lagging).await;
    assert_eq!(world.find(id).await.status, Status::Mined);
    assert!(!world.events(id).await.contains(&"reorganised".to_owned()));
    world.blocks(DEPTH);
    world.sees().await;
    world.sees_via(lagging).await;
    assert_eq!(world.find(id).await.status, Status::Confirmed);
    let next = world.prepare(0, false, Execute::Agent).await;
    let row = world.find(next).await;
    assert!(world.approve(row, Shows::Stale, false).await);
    assert_eq!(world.find(next).await.nonce, Some(Nonce(1)));
}

#[tokio::test]
async fn a_node_on_a_fork_that_is_not_final_for_it_is_no_alarm() {
    let mut world = world(2).await;
    world.blocks(1);
    world.chain.stall();
    let id = world.sent().await;
    world.tick(0, Via::default(), Answer::Fair).await;
    world.was_reorganised = world.chain.reorganise(1, None, 1);
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Confirmed);
    world.sees_via(Via { is_stale: true, ..Via::default() }).await;
    assert!(!world.events(id).await.contains(&VIOLATION.to_owned()));
    assert_eq!(world.slots(world.wallets[0].1).await[0].state, SlotState::Used);
}
