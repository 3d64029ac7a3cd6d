//! Several transactions of one wallet: none gets lost, and none stops the others for long.

use agent_sdk::{Authorize, Status};
use alloy::primitives::U256;

use super::{SOON, quick_world, scenarios};
use crate::harness::{Database, Human, Oracle, Pass, code, stranger, until};

scenarios!(
    twenty_payments_executed_in_any_order_arrive_once,
    withdrawals_in_the_middle_of_a_queue_leave_no_hole,
    expiries_in_the_middle_of_a_queue_leave_no_hole,
    an_absurd_nonce_is_not_signed,
    void_nonces_are_used_again,
    cancels_of_everything_under_way_end_everything,
);

async fn twenty_payments_executed_in_any_order_arrive_once(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let asked = human.ask_often(to, 20).await;
    let approved = human.approve_all(&asked).await.expect("the owner with a fresh code");
    let mut order: Vec<_> = approved.iter().map(|one| one.transaction_id).collect();
    order.sort_by_key(|id| alloy::primitives::keccak256(id.as_bytes()));
    for id in order {
        // Twice, as agents do whose answer was lost.
        let (first, second) = tokio::join!(human.agent.execute(id), human.agent.execute(id));
        first.expect("it is approved");
        second.expect("it is approved");
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!((world.balance(to).await, world.account(human.address).await.nonce), (U256::from(20), 20));
}

async fn withdrawals_in_the_middle_of_a_queue_leave_no_hole(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let (paid, withdrawn) = (stranger(), stranger());
    let mut asked = Vec::new();
    for place in 0..9 {
        asked.push(human.ask(if place % 3 == 1 { withdrawn } else { paid }, 1).await);
    }
    let approved = human.approve_all(&asked).await.expect("the owner with a fresh code");
    for (place, one) in approved.iter().enumerate().rev() {
        if place % 3 == 1 {
            human.agent.cancel(one.transaction_id).await.expect("its agent");
        } else {
            human.agent.execute(one.transaction_id).await.expect("it is approved");
        }
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!((world.balance(paid).await, world.balance(withdrawn).await), (U256::from(6), U256::ZERO));
}

async fn expiries_in_the_middle_of_a_queue_leave_no_hole(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let (paid, expired) = (stranger(), stranger());
    let mut ids = Vec::new();
    for place in 0..4 {
        ids.push(human.approved(if place % 2 == 0 { expired } else { paid }, 1).await.transaction_id);
    }
    human.agent.execute(ids[1]).await.expect("it is approved");
    human.agent.execute(ids[3]).await.expect("it is approved");
    world.pass(world.state.policy.execution_window);
    Oracle::of(&world).all_ends_truly(SOON).await;
    for id in [ids[0], ids[2]] {
        assert_eq!(human.agent.status(id).await.expect("its agent").status, Status::Expired);
        assert!(["expired", "invalid_state"].contains(&code(human.agent.execute(id).await).as_str()));
    }
    assert_eq!((world.balance(paid).await, world.balance(expired).await), (U256::from(2), U256::ZERO));
}

async fn an_absurd_nonce_is_not_signed(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let asked = human.ask(to, 5).await;
    let lie = world.gate.say_nonce(human.address, 1_000);
    let fresh = human.code();
    let approval = Authorize::new(asked.transaction_id, fresh.clone()).digest(asked.digest);
    // What used a thousand nonces cannot be read: that is shown first.
    assert_eq!(code(human.client.authorize(approval).await), "preview_changed");
    let shown = human.client.status(asked.transaction_id).await.expect("its owner");
    let warned: Vec<String> = shown.warnings.iter().map(|warning| warning.code.clone()).collect();
    let approval = Authorize::new(shown.transaction_id, fresh).digest(shown.digest).acknowledge(warned);
    assert_eq!(code(human.client.authorize(approval.clone()).await), "nonce_used_elsewhere");
    lie.end();
    let approved = human.client.authorize(approval).await.expect("the same code");
    assert_eq!(approved.nonce, Some(0));
    human.agent.execute(approved.transaction_id).await.expect("it is approved");
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(world.balance(to).await, U256::from(5));
}

async fn void_nonces_are_used_again(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let (to, never) = (stranger(), stranger());
    for round in 0..4 {
        let withdrawn = human.approved(never, 1).await;
        assert_eq!(withdrawn.nonce, Some(round));
        human.client.cancel(withdrawn.transaction_id).await.expect("its owner");
        // The very same bytes as those that were withdrawn, when the price is the same.
        let asked = human.ask(if round % 2 == 0 { to } else { never }, 1).await;
        let approved = human.approve(&asked).await.expect("the owner");
        assert_eq!(approved.nonce, Some(round));
        human.agent.execute(approved.transaction_id).await.expect("it is approved");
        until(&human, &approved, |now| now.status == Status::Confirmed).await;
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!((world.balance(to).await, world.balance(never).await), (U256::from(2), U256::from(2)));
}

async fn cancels_of_everything_under_way_end_everything(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    world.mine_by_itself(false).await;
    let to = stranger();
    let mut executed = Vec::new();
    for _ in 0..6 {
        executed.push(human.executed(to, 1).await);
    }
    world.gate.let_pass(Pass::OneWay);
    for one in executed.iter().rev() {
        human.client.cancel(one.transaction_id).await.expect("its owner");
    }
    world.gate.let_pass(Pass::Through);
    world.let_blocks_come(std::time::Duration::from_secs(3)).await;
    world.mine_by_itself(true).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    let mut paid = 0_u64;
    for one in &executed {
        let ended = human.client.status(one.transaction_id).await.expect("its owner").status;
        assert!(matches!(ended, Status::Cancelled | Status::Confirmed), "{ended}");
        paid += u64::from(ended == Status::Confirmed);
    }
    assert_eq!(world.balance(to).await, U256::from(paid));
}
