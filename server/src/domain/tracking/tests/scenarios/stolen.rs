//! Bytes of a payment that ended unsent, sent by a thief.

use super::{DEPTH, world};
use crate::{
    domain::transactions::{self, Release},
    value::{Status, WaitingReason},
};

#[tokio::test]
async fn stolen_bytes_of_one_that_ended_are_told_and_end_whoever_has_its_nonce_now() {
    for is_executed in [false, true] {
        let mut world = world(DEPTH).await;
        let withdrawn = world.approved().await;
        let caller = world.caller(&withdrawn, true).await;
        let ended = transactions::cancel(&world.state, &caller, withdrawn.transaction_id, Release::Keep).await;
        assert_eq!(ended.expect("it is theirs").row.status, Status::Cancelled);
        let stolen = world.signed[0].heard.clone();
        let present = world.approved().await;
        assert_eq!(present.nonce, withdrawn.nonce);
        world.chain.leak(stolen);
        world.blocks(1);
        world.sees().await;
        assert_eq!(world.find(withdrawn.transaction_id).await.status, Status::Mined);
        if is_executed {
            world.execute(&present).await;
        }
        world.blocks(DEPTH);
        world.sees().await;
        assert_eq!(world.find(withdrawn.transaction_id).await.status, Status::Confirmed);
        assert!(world.events(withdrawn.transaction_id).await.contains(&"alarm_unsent_bytes_mined".to_owned()));
        assert_eq!(world.find(present.transaction_id).await.status, Status::Superseded);
        world.check_payments().await;
    }
}

#[tokio::test]
async fn stolen_bytes_whose_block_is_gone_are_over_and_the_present_one_is_executed() {
    let mut world = world(DEPTH).await;
    let withdrawn = world.approved().await;
    let caller = world.caller(&withdrawn, true).await;
    let ended = transactions::cancel(&world.state, &caller, withdrawn.transaction_id, Release::Keep).await;
    assert!(ended.is_ok());
    let stolen = world.signed[0].heard.clone();
    let present = world.approved().await;
    world.chain.leak(stolen);
    world.blocks(1);
    world.sees().await;
    assert_eq!(world.find(present.transaction_id).await.waiting_reason, Some(WaitingReason::NonceUsedElsewhere));
    world.was_reorganised = world.chain.reorganise(1, None, 0);
    world.chain.evict();
    world.sees().await;
    let row = world.find(withdrawn.transaction_id).await;
    assert_eq!((row.status, row.block), (Status::Cancelled, None));
    assert_eq!(world.find(present.transaction_id).await.waiting_reason, Some(WaitingReason::Execution));
    world.execute(&present).await;
    world.sees().await;
    world.blocks(DEPTH);
    world.sees().await;
    assert_eq!(world.find(present.transaction_id).await.status, Status::Confirmed);
    world.check_payments().await;
}
