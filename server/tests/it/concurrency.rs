//! The same thing, many times at once.

use std::collections::HashSet;

use agent_sdk::{Authorize, Error, Status, Transaction};
use alloy::primitives::U256;
use futures_util::future::join_all;

use crate::harness::{Human, World, on_both_databases, stranger};

on_both_databases!(
    fifty_executes_give_one_transaction_and_one_hash,
    fifty_approvals_with_one_code_give_one_approval,
    fifty_approvals_of_one_transaction_sign_once,
    parallel_payments_each_get_their_own_nonce,
);

const MANY: usize = 50;

async fn fifty_executes_give_one_transaction_and_one_hash(world: World) {
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let id = human.approved(to, 3).await.transaction_id;
    let executed = join_all((0..MANY).map(|_| human.agent.execute(id))).await;
    let hashes: HashSet<_> = executed.into_iter().map(|one| one.expect("it is approved").transaction_hash).collect();
    assert_eq!(hashes.len(), 1);
    let confirmed = human.agent.wait_until_confirmed(id).await.expect("the node mines");
    assert!(hashes.contains(&confirmed.transaction_hash));
    assert_eq!(world.balance(to).await, U256::from(3));
    assert_eq!(world.account(human.address).await.nonce, 1);
}

async fn fifty_approvals_with_one_code_give_one_approval(world: World) {
    let human = Human::with_everything(&world).await;
    let asked = join_all((0..MANY).map(|_| human.ask(stranger(), 1))).await;
    let code = human.code();
    let approvals = asked.iter().map(|one| Authorize::new(one.transaction_id, code.clone()).digest(one.digest));
    let outcomes = join_all(approvals.map(|approval| human.client.authorize(approval))).await;
    assert_eq!(approved(&outcomes), 1);
    let refused = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()?.code());
    for code in refused {
        assert!(["mfa_replayed", "rate_limited"].contains(&code.as_str()), "{code}");
    }
    let mut listed = 0;
    for one in &asked {
        let now = human.client.status(one.transaction_id).await.expect("its owner");
        listed += usize::from(now.status == Status::Authorized);
    }
    assert_eq!(listed, 1);
    // Replays are no guesses: the owner is not locked out by them.
    let open = asked[0].transaction_id;
    let last = human.client.authorize(Authorize::new(open, human.code())).await.expect("a fresh code");
    assert_eq!(last.status, Status::Authorized);
}

async fn fifty_approvals_of_one_transaction_sign_once(world: World) {
    let human = Human::with_everything(&world).await;
    let asked = human.ask(stranger(), 1).await;
    let code = human.code();
    let approvals = (0..MANY).map(|_| Authorize::new(asked.transaction_id, code.clone()).digest(asked.digest));
    let outcomes = join_all(approvals.map(|approval| human.client.authorize(approval))).await;
    assert!(approved(&outcomes) >= 1);
    let versions: HashSet<_> = outcomes.iter().filter_map(|outcome| Some(outcome.as_ref().ok()?.version)).collect();
    assert_eq!(versions, HashSet::from([asked.version + 1]), "there was one change");
}

async fn parallel_payments_each_get_their_own_nonce(world: World) {
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let mut approved = Vec::new();
    for _ in 0..8 {
        approved.push(human.approved(to, 1).await);
    }
    let nonces: Vec<_> = approved.iter().map(|one| one.nonce.expect("it is signed")).collect();
    assert_eq!(nonces, (0..8).collect::<Vec<u64>>());
    // In whatever order they are executed, all of them arrive.
    let all = approved.iter().rev().map(|one| async {
        human.agent.execute(one.transaction_id).await.expect("it is approved");
        human.agent.wait_until_confirmed(one.transaction_id).await.expect("the node mines").status
    });
    assert!(join_all(all).await.iter().all(|status| *status == Status::Confirmed));
    assert_eq!(world.balance(to).await, U256::from(8));
}

fn approved(outcomes: &[Result<Transaction, Error>]) -> usize {
    outcomes.iter().filter(|outcome| outcome.is_ok()).count()
}
