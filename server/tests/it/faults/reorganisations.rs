//! Chains turn back, sometimes further than they said they would.

use std::time::Duration;

use agent_sdk::Status;
use alloy::primitives::U256;

use super::{SOON, events_of, scenarios, world_with_finality};
use crate::harness::{Calls, Database, Fault, Human, Oracle, SEND, World, eventually, stranger, told, until};

scenarios!(
    a_payment_that_left_its_block_is_mined_again,
    five_payments_that_left_their_blocks_are_mined_again_in_order,
    a_payment_whose_nonce_a_node_shows_as_free_is_not_cancelled,
    the_receipt_of_an_orphaned_block_confirms_nothing,
    a_reorganisation_below_finality_sends_what_was_confirmed_again,
    a_cancel_that_was_final_and_is_gone_is_sent_again_and_never_the_payment,
    a_withdrawn_payment_is_not_sent_when_the_chain_turns_back,
    a_hole_that_a_reorganisation_left_is_told_and_filled,
);

/// Somebody whose money lies deep enough to stay whatever the chain does.
async fn settled(world: &World) -> Human {
    let human = Human::with_everything(world).await;
    world.mine(16).await;
    human
}

async fn a_payment_that_left_its_block_is_mined_again(database: Database) {
    let world = world_with_finality(database, 6).await;
    let human = settled(&world).await;
    let to = stranger();
    let executed = human.executed(to, 5).await;
    until(&human, &executed, |now| now.status == Status::Mined).await;
    world.reorganise(1).await;
    until(&human, &executed, |now| now.status == Status::Submitted).await;
    assert!(events_of(&world, executed.transaction_id).await.contains(&"reorganised".to_owned()));
    world.mine_by_itself(true).await;
    until(&human, &executed, |now| now.status == Status::Mined).await;
    world.mine(6).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(world.balance(to).await, U256::from(5));
}

async fn five_payments_that_left_their_blocks_are_mined_again_in_order(database: Database) {
    let world = world_with_finality(database, 20).await;
    let human = settled(&world).await;
    let to = stranger();
    let mut executed = Vec::new();
    for _ in 0..5 {
        executed.push(human.executed(to, 2).await);
        until(&human, &executed[executed.len() - 1], |now| now.status == Status::Mined).await;
    }
    world.reorganise(4).await;
    for one in &executed[1..] {
        until(&human, one, |now| now.status == Status::Submitted).await;
    }
    world.mine_by_itself(true).await;
    for one in &executed {
        until(&human, one, |now| now.status == Status::Mined).await;
    }
    world.mine(20).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(world.balance(to).await, U256::from(10));
}

/// In the middle of a reorganisation a node may give back the nonce before it gives up the block.
async fn a_payment_whose_nonce_a_node_shows_as_free_is_not_cancelled(database: Database) {
    // Deeper than the blocks that come while it is waited for.
    let finality = 1_000;
    let world = world_with_finality(database, finality).await;
    let human = settled(&world).await;
    let executed = human.executed(stranger(), 5).await;
    let mined = until(&human, &executed, |now| now.status == Status::Mined).await;
    let before = world.gate.sent_by(human.address).len();
    world.gate.say_nonce(human.address, 0);
    let sends_again = async || {
        world.mine(1).await;
        world.gate.sent_by(human.address).len() > before
    };
    eventually("something is sent", SOON, sends_again).await;
    let sent = world.gate.sent_by(human.address);
    assert!(sent[before..].iter().all(|bytes| sent[..before].contains(bytes)), "and that is the payment");
    world.gate.heal();
    world.mine(finality).await;
    let ended = until(&human, &mined, |now| now.status.is_final()).await;
    assert_eq!((ended.status, ended.transaction_hash), (Status::Confirmed, mined.transaction_hash));
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn the_receipt_of_an_orphaned_block_confirms_nothing(database: Database) {
    let world = world_with_finality(database, 3).await;
    let human = settled(&world).await;
    let to = stranger();
    let executed = human.executed(to, 5).await;
    let mined = until(&human, &executed, |now| now.status == Status::Mined).await;
    let orphan = world.receipt(mined.transaction_hash.expect("it is mined")).await;
    // The node behind the balancer that answers for receipts has not heard of the reorganisation.
    world.gate.show_receipt(&orphan);
    world.gate.when(Calls::of(SEND), Fault::Lose);
    world.reorganise(1).await;
    world.let_blocks_come(Duration::from_secs(2)).await;
    let meanwhile = human.client.status(executed.transaction_id).await.expect("its owner");
    assert!(!meanwhile.status.is_final(), "{}", told(&meanwhile));
    world.gate.heal();
    world.mine_by_itself(true).await;
    eventually("it is mined again", SOON, async || world.balance(to).await == U256::from(5)).await;
    world.mine(3).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn a_reorganisation_below_finality_sends_what_was_confirmed_again(database: Database) {
    let world = world_with_finality(database, 2).await;
    let human = settled(&world).await;
    let to = stranger();
    let executed = human.executed(to, 5).await;
    until(&human, &executed, |now| now.status == Status::Mined).await;
    world.mine(1).await;
    let confirmed = until(&human, &executed, |now| now.status.is_final()).await;
    world.reorganise(3).await;
    world.mine(4).await;
    world.mine_by_itself(true).await;
    // A later payment of the same wallet is not stuck behind the one that is gone.
    let later = human.executed(stranger(), 1).await;
    eventually("it is paid again", SOON, async || {
        world.mine(1).await;
        world.balance(to).await == U256::from(5)
    })
    .await;
    until(&human, &later, |now| now.status == Status::Mined).await;
    world.mine(3).await;
    let ended = until(&human, &later, |now| now.status.is_final()).await;
    assert_eq!(ended.status, Status::Confirmed);
    Oracle::of(&world).all_ends_truly(SOON).await;
    let again = human.client.status(executed.transaction_id).await.expect("its owner");
    assert_eq!(again.transaction_hash, confirmed.transaction_hash, "exactly the bytes that were final");
    let events = events_of(&world, executed.transaction_id).await;
    assert!(events.iter().any(|event| event == "finality_violation"), "it is told: {events:?}");
}

async fn a_cancel_that_was_final_and_is_gone_is_sent_again_and_never_the_payment(database: Database) {
    let world = world_with_finality(database, 2).await;
    let human = settled(&world).await;
    world.mine_by_itself(false).await;
    let to = stranger();
    let executed = human.executed(to, 5).await;
    world.gate.reached().await;
    human.client.cancel(executed.transaction_id).await.expect("its owner");
    let sent = until(&human, &executed, |now| now.transaction_hashes.len() > 1).await;
    let cancel = *sent.transaction_hashes.last().expect("the cancel's");
    eventually("the node has the cancel", SOON, async || world.knows(cancel).await).await;
    world.mine(3).await;
    let ended = until(&human, &executed, |now| now.status.is_final()).await;
    assert_eq!(ended.status, Status::Cancelled);
    world.reorganise(4).await;
    world.mine(4).await;
    world.mine_by_itself(true).await;
    let later = human.executed(stranger(), 1).await;
    let ended = async || {
        world.mine(1).await;
        human.client.status(later.transaction_id).await.expect("its owner").status == Status::Confirmed
    };
    eventually("the later payment arrives", SOON, ended).await;
    assert_eq!(world.balance(to).await, U256::ZERO, "what was cancelled is not paid");
    world.mine(3).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn a_withdrawn_payment_is_not_sent_when_the_chain_turns_back(database: Database) {
    let world = world_with_finality(database, 4).await;
    let human = settled(&world).await;
    let (first, withdrawn_to) = (human.executed(stranger(), 1).await, stranger());
    let withdrawn = human.approved(withdrawn_to, 5).await;
    let third = human.executed(stranger(), 2).await;
    human.client.cancel(withdrawn.transaction_id).await.expect("its owner");
    until(&human, &third, |now| now.status == Status::Mined).await;
    world.reorganise(3).await;
    world.let_blocks_come(Duration::from_secs(1)).await;
    world.mine_by_itself(true).await;
    world.let_blocks_come(Duration::from_secs(2)).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    for one in [&first, &third] {
        assert_eq!(until(&human, one, |now| now.status.is_final()).await.status, Status::Confirmed);
    }
    assert_eq!(world.balance(withdrawn_to).await, U256::ZERO);
}

async fn a_hole_that_a_reorganisation_left_is_told_and_filled(database: Database) {
    let world = world_with_finality(database, 12).await;
    let human = settled(&world).await;
    // Somebody else's use of the wallet, acknowledged, lies below ours and is gone after the reorganisation.
    let foreign = world.use_elsewhere(human.address).await;
    let asked = human.ask(stranger(), 5).await;
    let approval = agent_sdk::Authorize::new(asked.transaction_id, human.code()).digest(asked.digest);
    let approved = human.client.authorize(approval.acknowledge(["nonce_used_elsewhere"])).await.expect("its owner");
    assert_eq!(approved.nonce, Some(1));
    human.agent.execute(approved.transaction_id).await.expect("it is approved");
    until(&human, &approved, |now| now.status == Status::Mined).await;
    let foreign_block = world.receipt(foreign).await["blockNumber"].clone();
    let depth = world.head().await + 1 - crate::harness::number(&foreign_block);
    world.reorganise(depth).await;
    world.mine(2).await;
    let waits = until(&human, &approved, |now| {
        let reason = now.waiting.as_ref().map(|waiting| waiting.reason.to_string());
        ["behind_nonce", "needs_owner"].contains(&reason.unwrap_or_default().as_str())
    })
    .await;
    assert_eq!(waits.status, Status::Submitted);
    Oracle::of(&world).foreign(foreign).open(approved.transaction_id).findings().await;
}
