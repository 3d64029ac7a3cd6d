//! Databases that come back from a backup.

use agent_sdk::{Authorize, Severity, Status, Transaction};
use alloy::primitives::U256;

use super::{SOON, quick_world, scenarios};
use crate::harness::{Database, Human, Oracle, code, stranger, until};

scenarios!(
    what_was_paid_after_a_backup_is_not_paid_again_unwarned,
    what_was_withdrawn_after_a_backup_is_never_executed,
);

fn warns(transaction: &Transaction, code: &str) -> bool {
    transaction.warnings.iter().any(|warning| warning.code == code && warning.severity == Severity::High)
}

async fn what_was_paid_after_a_backup_is_not_paid_again_unwarned(database: Database) {
    let mut world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let asked = human.ask(to, 5).await;
    world.stop().await;
    let backup = world.database.back_up().await;
    world.start_again().await;
    let human = human.at(&world).await;
    human.approve(&asked).await.expect("the owner with a fresh code");
    human.agent.execute(asked.transaction_id).await.expect("it is approved");
    until(&human, &asked, |now| now.status == Status::Confirmed).await;
    let hash =
        human.client.status(asked.transaction_id).await.expect("its owner").transaction_hash.expect("it is mined");

    world.stop().await;
    world.database.restore(&backup).await;
    world.start_again().await;
    let human = human.at(&world).await;
    let pending = human.client.status(asked.transaction_id).await.expect("its owner");
    assert_eq!(pending.status, Status::Pending, "the backup knows of no payment");
    assert_eq!(code(human.approve(&pending).await), "preview_changed");
    let shown = human.client.status(asked.transaction_id).await.expect("its owner");
    assert!(warns(&shown, "already_paid"), "{:?}", shown.warnings);
    let words = shown.warnings.iter().find(|warning| warning.code == "already_paid").expect("it is there");
    assert!(words.detail.contains(&hash.to_string()), "the payment is named: {}", words.detail);
    for acknowledged in [vec![], vec!["nonce_used_elsewhere"], vec!["nonce_used_elsewhere", "database_restored"]] {
        let approval = Authorize::new(shown.transaction_id, human.code()).digest(shown.digest);
        assert!(human.client.authorize(approval.acknowledge(acknowledged)).await.is_err());
    }
    // Also what is asked for only now.
    assert!(warns(&human.ask(to, 5).await, "already_paid"));
    assert!(!warns(&human.ask(to, 6).await, "already_paid"));
    Oracle::of(&world).foreign(hash).all_ends_truly(SOON).await;
    assert_eq!(world.balance(to).await, U256::from(5), "paid once");
}

async fn what_was_withdrawn_after_a_backup_is_never_executed(database: Database) {
    let mut world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let withdrawn = human.approved(to, 5).await;
    world.stop().await;
    let backup = world.database.back_up().await;
    world.start_again().await;
    let human = human.at(&world).await;
    human.client.cancel(withdrawn.transaction_id).await.expect("its owner");
    world.stop().await;
    world.database.restore(&backup).await;
    world.start_again().await;
    let human = human.at(&world).await;
    let refused = human.agent.execute(withdrawn.transaction_id).await.expect_err("it was withdrawn");
    assert_eq!(refused.status(), Some(410), "{refused:?}");
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!((world.balance(to).await, world.account(human.address).await.nonce), (U256::ZERO, 0));
}
