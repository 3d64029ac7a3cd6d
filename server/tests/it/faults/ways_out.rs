//! What waits always has a way out, and it never pays what was not wanted.

use std::time::Duration;

use agent_sdk::{Authorize, Evidence, Execute, PrepareTransaction, Status, Transaction, WaitingReason};
use alloy::primitives::{Address, U256};
use serde_json::{Value, json};

use super::{SOON, events_of, quick, quick_world, scenarios, world_with_finality};
use crate::harness::{
    Calls, Database, Fault, Human, Oracle, SEND, World, code, eventually, number, stranger, told, until,
};

scenarios!(
    an_approved_payment_gives_way_to_a_sent_one,
    giving_way_is_not_counted_while_the_server_is_down,
    what_is_sent_on_approval_waits_for_no_agent,
    a_burnt_approval_uses_its_nonce_at_once,
    a_revoked_agents_approvals_can_be_burnt,
    a_void_nonce_can_be_cleared,
    a_nonce_above_every_cap_can_be_cleared,
    a_hole_can_be_cleared,
    an_absurd_nonce_that_was_accepted_stops_nothing_for_ever,
    a_use_whose_block_is_gone_is_ended_by_its_owner,
);

/// Approved ones give way soon, and a little less soon after a start.
async fn hasty_world(database: Database, after: Duration, at_least: Duration) -> World {
    World::start_on(database, &[], |config| {
        quick(config);
        config.policy.give_way_after = after;
        config.policy.give_way_at_least = at_least;
    })
    .await
}

async fn status(human: &Human, transaction: &Transaction) -> Transaction {
    human.client.status(transaction.transaction_id).await.expect("its owner")
}

async fn waits_for(human: &Human, transaction: &Transaction, reason: WaitingReason) -> Transaction {
    until(human, transaction, |now| now.waiting.as_ref().is_some_and(|waiting| waiting.reason == reason)).await
}

/// Shows and clears a nonce; gives the transaction that has it.
async fn clear(human: &Human, nonce: Option<u64>) -> Transaction {
    let shown = human.client.preview_clear_nonce(human.address, None, nonce).await.expect("there is one to clear");
    human.client.clear_nonce(&shown, &human.code()).await.expect("its owner with a fresh code")
}

async fn an_approved_payment_gives_way_to_a_sent_one(database: Database) {
    let world = hasty_world(database, Duration::from_secs(1), Duration::from_secs(1)).await;
    let human = Human::with_everything(&world).await;
    let (never, to) = (stranger(), stranger());
    let idle = human.approved(never, 5).await;
    let executed = human.executed(to, 7).await;
    let ended = until(&human, &idle, |now| now.status.is_final()).await;
    assert_eq!(ended.status, Status::Expired, "{}", told(&ended));
    assert!(events_of(&world, idle.transaction_id).await.contains(&"gives_way".to_owned()), "its owner is told first");
    assert_eq!(code(human.agent.execute(idle.transaction_id).await), "expired");
    let ended = until(&human, &executed, |now| now.status.is_final()).await;
    assert_eq!(ended.status, Status::Confirmed);
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!((world.balance(never).await, world.balance(to).await), (U256::ZERO, U256::from(7)));
    assert!(!status(&human, &idle).await.valid_until_nonce_used, "its cancel has used its nonce");
}

async fn giving_way_is_not_counted_while_the_server_is_down(database: Database) {
    let mut world = hasty_world(database, Duration::from_secs(6), Duration::from_secs(5)).await;
    let human = Human::with_everything(&world).await;
    let (first, second) = (stranger(), stranger());
    let idle = human.approved(first, 5).await;
    human.executed(second, 7).await;
    let is_told = async || events_of(&world, idle.transaction_id).await.contains(&"gives_way".to_owned());
    eventually("its owner is told", SOON, is_told).await;
    world.stop().await;
    tokio::time::sleep(Duration::from_secs(7)).await;
    world.start_again().await;
    let agent = world.agent_client(&human.api_key);
    agent.execute(idle.transaction_id).await.expect("the time that the server was down does not count");
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!((world.balance(first).await, world.balance(second).await), (U256::from(5), U256::from(7)));
}

async fn what_is_sent_on_approval_waits_for_no_agent(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let (later, at_once) = (stranger(), stranger());
    let mut asked = vec![human.ask(later, 1).await, human.ask(later, 1).await];
    let request = PrepareTransaction::transfer(at_once, U256::from(5)).execute(Execute::OnApproval);
    asked.push(human.agent.prepare(request).await.expect("a plain payment"));
    let approved = human.approve_all(&asked).await.expect("the owner with a fresh code");
    assert_eq!(approved[2].status, Status::Submitted);
    assert_eq!(approved[2].nonce, Some(0), "nothing of the same decision stands before it");
    let ended = until(&human, &approved[2], |now| now.status.is_final()).await;
    assert_eq!((ended.status, world.balance(at_once).await), (Status::Confirmed, U256::from(5)));
    for one in &approved[..2] {
        assert_eq!(status(&human, one).await.status, Status::Authorized);
        human.agent.execute(one.transaction_id).await.expect("it is approved");
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(world.balance(later).await, U256::from(2));
}

async fn a_burnt_approval_uses_its_nonce_at_once(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    for round in 1..=2 {
        let approved = human.approved(to, 5).await;
        let id = approved.transaction_id;
        if round == 2 {
            let withdrawn = human.client.cancel(id).await.expect("its owner");
            assert!(withdrawn.valid_until_nonce_used, "copies could still be mined");
        }
        let burnt = human.client.cancel_and_burn(id).await.expect("its owner");
        assert_eq!(burnt.status, Status::Cancelled, "{}", told(&burnt));
        eventually("its nonce is used", SOON, async || world.account(human.address).await.nonce == round).await;
        let is_over = async || !status(&human, &approved).await.valid_until_nonce_used;
        eventually("it is told that no copy counts any more", SOON, is_over).await;
    }
    human.executed(stranger(), 1).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(world.balance(to).await, U256::ZERO);
}

async fn a_revoked_agents_approvals_can_be_burnt(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let asked = human.ask_often(to, 3).await;
    let approved = human.approve_all(&asked).await.expect("the owner with a fresh code");
    human.client.revoke_agent_and_burn(human.agent_id).await.expect("its owner");
    eventually("the nonces are used", SOON, async || world.account(human.address).await.nonce == 3).await;
    for one in &approved {
        let ended = until(&human, one, |now| !now.valid_until_nonce_used).await;
        assert_eq!(ended.status, Status::Cancelled);
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(world.balance(to).await, U256::ZERO);
}

async fn a_void_nonce_can_be_cleared(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let withdrawn = human.approved(to, 5).await;
    human.client.cancel(withdrawn.transaction_id).await.expect("its owner");
    let cleared = clear(&human, None).await;
    assert_eq!(cleared.transaction_id, withdrawn.transaction_id);
    eventually("its nonce is used", SOON, async || world.account(human.address).await.nonce == 1).await;
    human.executed(stranger(), 1).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(world.balance(to).await, U256::ZERO);
}

/// Puts the base fee where nothing that was signed before can pay it, in a block.
async fn raise_the_base_fee(world: &World, wei: u128) {
    world.rpc("anvil_setNextBlockBaseFeePerGas", json!([format!("0x{wei:x}")])).await;
    world.mine(1).await;
}

async fn a_nonce_above_every_cap_can_be_cleared(database: Database) {
    const GWEI: u128 = 1_000_000_000;
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    world.mine_by_itself(false).await;
    let to = stranger();
    let executed = human.executed(to, 5).await;
    world.gate.reached().await;
    world.empty_the_pool().await;
    raise_the_base_fee(&world, 500 * GWEI).await;
    human.client.cancel(executed.transaction_id).await.expect("its owner");
    let waits = waits_for(&human, &executed, WaitingReason::NeedsOwner).await;
    assert!(waits.cancelling, "{}", told(&waits));
    let cleared = clear(&human, None).await;
    assert_eq!(cleared.transaction_id, executed.transaction_id);
    let cancel = async || {
        let sent = world.gate.sent_by(human.address);
        sent.last().is_some_and(|bytes| !bytes.is_empty()) && {
            world.mine(1).await;
            world.account(human.address).await.nonce == 1
        }
    };
    eventually("the new cancel is mined", SOON, cancel).await;
    world.mine_by_itself(true).await;
    let ended = until(&human, &executed, |now| now.status.is_final()).await;
    assert_eq!((ended.status, world.balance(to).await), (Status::Cancelled, U256::ZERO));
    let findings = Oracle::of(&world).findings().await;
    // The cancel that its owner saw and approved by itself is dearer than the payment was allowed to be.
    assert!(findings.iter().all(|finding| format!("{finding:?}").starts_with("TooDear")), "{findings:?}");
}

async fn a_hole_can_be_cleared(database: Database) {
    let world = world_with_finality(database, 12).await;
    let human = Human::with_everything(&world).await;
    world.mine(16).await;
    let foreign = world.use_elsewhere(human.address).await;
    let asked = human.ask(stranger(), 5).await;
    let approval = Authorize::new(asked.transaction_id, human.code()).digest(asked.digest);
    let approval = approval.acknowledge(["nonce_used_elsewhere"]);
    let approved = human.client.authorize(approval).await.expect("its owner");
    human.agent.execute(approved.transaction_id).await.expect("it is approved");
    until(&human, &approved, |now| now.status == Status::Mined).await;
    let block = number(&world.receipt(foreign).await["blockNumber"]);
    world.reorganise(world.head().await + 1 - block).await;
    world.mine(2).await;
    waits_for(&human, &approved, WaitingReason::NeedsOwner).await;
    let cleared = clear(&human, None).await;
    assert_eq!(cleared.nonce, Some(0));
    world.mine_by_itself(true).await;
    eventually("both are mined", SOON, async || {
        world.mine(1).await;
        world.account(human.address).await.nonce == 2
    })
    .await;
    world.mine(12).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(status(&human, &approved).await.status, Status::Confirmed);
}

async fn an_absurd_nonce_that_was_accepted_stops_nothing_for_ever(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let never = stranger();
    let lie = world.gate.say_nonce(human.address, 1_000);
    let asked = human.ask(never, 5).await;
    let warned: Vec<String> = asked.warnings.iter().map(|warning| warning.code.clone()).collect();
    let approval = Authorize::new(asked.transaction_id, human.code()).digest(asked.digest);
    let approval = approval.acknowledge(warned).acknowledge(["nonce_used_elsewhere"]);
    let approved = human.client.authorize(approval).await.expect("its owner says yes to everything");
    assert_eq!(approved.nonce, Some(1_000));
    lie.end();
    human.agent.execute(approved.transaction_id).await.expect("it is approved");
    waits_for(&human, &approved, WaitingReason::NeedsOwner).await;
    // Later payments do not wait for it.
    let to = stranger();
    let later = human.executed(to, 7).await;
    assert_eq!(later.nonce, Some(0));
    let ended = until(&human, &later, |now| now.status.is_final()).await;
    assert_eq!((ended.status, world.balance(to).await), (Status::Confirmed, U256::from(7)));
    human.client.cancel(approved.transaction_id).await.expect("its owner");
    clear(&human, Some(1_000)).await;
    let ended = until(&human, &approved, |now| now.status.is_final()).await;
    assert_eq!(
        (ended.status.clone(), ended.evidence.clone()),
        (Status::Cancelled, Some(Evidence::Owner)),
        "{}",
        told(&ended)
    );
    human.executed(to, 1).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!((world.balance(to).await, world.balance(never).await), (U256::from(8), U256::ZERO));
}

async fn a_use_whose_block_is_gone_is_ended_by_its_owner(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    world.mine_by_itself(false).await;
    let never = stranger();
    let executed = human.executed(never, 5).await;
    world.gate.reached().await;
    world.empty_the_pool().await;
    let lost = world.gate.when(Calls::of(SEND), Fault::Lose);
    let foreign = world.use_elsewhere(human.address).await;
    // The node keeps neither old blocks nor old states.
    let whole = |call: &crate::harness::Call| call.params[1] == Value::Bool(true);
    world.gate.when(Calls::of("eth_getBlockByNumber").only(whole), Fault::Answer(Value::Null));
    let past = |call: &crate::harness::Call| !matches!(call.text(1), "latest" | "pending");
    world.gate.when(Calls::of("eth_getTransactionCount").only(past), Fault::refuse("missing trie node"));
    lost.end();
    let waits = waits_for(&human, &executed, WaitingReason::NonceUsedElsewhere).await;
    assert_eq!(waits.status, Status::Submitted, "absence ends nothing");
    world.mine_by_itself(true).await;
    // It blocks nothing, and reserves nothing.
    let to: Address = stranger();
    let asked = human.ask(to, 7).await;
    let warned: Vec<String> = asked.warnings.iter().map(|warning| warning.code.clone()).collect();
    let approval = Authorize::new(asked.transaction_id, human.code()).digest(asked.digest);
    let approval = approval.acknowledge(warned).acknowledge(["nonce_used_elsewhere"]);
    let approved = human.client.authorize(approval).await.expect("its owner");
    human.agent.execute(approved.transaction_id).await.expect("it is approved");
    let ended = until(&human, &approved, |now| now.status.is_final()).await;
    assert_eq!((ended.status, world.balance(to).await), (Status::Confirmed, U256::from(7)));
    clear(&human, Some(0)).await;
    let ended = until(&human, &executed, |now| now.status.is_final()).await;
    assert_eq!(
        (ended.status.clone(), ended.evidence.clone()),
        (Status::Superseded, Some(Evidence::Owner)),
        "{}",
        told(&ended)
    );
    world.gate.heal();
    Oracle::of(&world).foreign(foreign).all_ends_truly(SOON).await;
    assert_eq!(world.balance(never).await, U256::ZERO);
}
