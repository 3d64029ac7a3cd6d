//! What a transaction is said to wait for is what it waits for.

use agent_sdk::{Status, WaitingReason};
use alloy::primitives::U256;

use super::{SOON, quick_world, scenarios, world_with_finality};
use crate::harness::{Calls, Database, Fault, Human, Oracle, SEND, stranger, until};

scenarios!(
    each_answer_to_a_send_has_its_word,
    what_stands_behind_another_names_it,
    what_is_mined_and_not_final_says_so,
    an_approved_one_waits_for_its_execution,
);

async fn each_answer_to_a_send_has_its_word(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let answers = [
        (Fault::refuse("transaction underpriced"), WaitingReason::FeeTooLow),
        (Fault::refuse("insufficient funds for gas * price + value"), WaitingReason::InsufficientFunds),
        (Fault::refuse("txpool is full"), WaitingReason::NotSent),
        (Fault::Lose, WaitingReason::InPool),
    ];
    let mut paid = 0_u64;
    for (answer, word) in answers {
        let approved = human.approved(to, 1).await;
        let rule = world.gate.when(Calls::of(SEND), answer);
        human.agent.execute(approved.transaction_id).await.expect("it is approved");
        // What could not be sent says so in the node's words; before it is tried there are none.
        let has_words =
            |detail: &Option<String>| detail.as_ref().is_some_and(|detail| detail.contains("txpool is full"));
        let now = until(&human, &approved, |now| {
            let is_said = |waiting: &agent_sdk::Waiting| waiting.reason == word;
            let waiting = now.waiting.as_ref().filter(|waiting| is_said(waiting));
            waiting.is_some_and(|waiting| word != WaitingReason::NotSent || has_words(&waiting.detail))
        })
        .await;
        assert_eq!(now.status, Status::Submitted, "{word}");
        rule.end();
        until(&human, &approved, |now| now.status == Status::Confirmed).await;
        paid += 1;
    }
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(world.balance(to).await, U256::from(paid));
}

async fn what_stands_behind_another_names_it(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    world.mine_by_itself(false).await;
    let first = human.executed(stranger(), 1).await;
    let second = human.executed(stranger(), 1).await;
    let in_pool = |now: &agent_sdk::Transaction| {
        now.waiting.as_ref().is_some_and(|waiting| waiting.reason == WaitingReason::InPool)
    };
    until(&human, &first, in_pool).await;
    let waits = until(&human, &second, |now| {
        now.waiting.as_ref().is_some_and(|waiting| waiting.reason == WaitingReason::BehindNonce)
    })
    .await;
    assert_eq!(waits.waiting.and_then(|waiting| waiting.blocked_by), Some(first.transaction_id));
    world.mine_by_itself(true).await;
    world.mine(1).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn what_is_mined_and_not_final_says_so(database: Database) {
    let world = world_with_finality(database, 4).await;
    let human = Human::with_everything(&world).await;
    let executed = human.executed(stranger(), 1).await;
    let mined = until(&human, &executed, |now| now.status == Status::Mined).await;
    assert_eq!(mined.waiting.map(|waiting| waiting.reason), Some(WaitingReason::Finality));
    world.mine(4).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    let ended = human.client.status(executed.transaction_id).await.expect("its owner");
    assert_eq!((ended.status, ended.waiting), (Status::Confirmed, None));
}

async fn an_approved_one_waits_for_its_execution(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let asked = human.ask(stranger(), 1).await;
    let reason =
        |transaction: &agent_sdk::Transaction| transaction.waiting.as_ref().map(|waiting| waiting.reason.clone());
    assert_eq!(reason(&asked), Some(WaitingReason::Decision));
    let approved = human.approve(&asked).await.expect("the owner with a fresh code");
    assert_eq!(reason(&approved), Some(WaitingReason::Execution));
    human.client.cancel(approved.transaction_id).await.expect("its owner");
    Oracle::of(&world).is_true().await;
}
