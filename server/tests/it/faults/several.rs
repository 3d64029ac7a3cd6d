//! Chains behind several endpoints, of which one fails, lags, forgets or lies.

use std::time::{Duration, Instant};

use agent_sdk::{Evidence, SimulationMethod, Status, Transaction};
use alloy::primitives::{B256, keccak256};
use serde_json::{Value, json};
use wallet_server::config::{ChainSource, Config};

use super::{SOON, events_of, finality, quick, scenarios};
use crate::harness::{
    Call, Calls, Database, Fault, Gate, Human, Oracle, Pass, SEND, World, eventually, stranger, told, until,
};

scenarios!(
    what_three_endpoints_agree_on_is_final_at_once,
    the_loss_of_the_best_endpoint_is_hardly_felt,
    a_payment_that_the_best_endpoint_swallows_is_made_through_another,
    a_payment_that_one_endpoint_refuses_is_made_and_never_failed,
    whoever_forges_a_receipt_is_outvoted,
    whoever_hides_receipts_makes_nothing_superseded,
    whoever_says_a_wrong_nonce_stops_nobody,
    whoever_lags_stops_nobody,
    a_development_node_that_lags_forgets_nothing,
    while_no_other_endpoint_answers_one_counts_after_a_time,
    two_endpoints_that_contradict_each_other_make_nothing_final,
    a_fork_that_only_one_endpoint_is_on_takes_nothing_back,
    a_use_elsewhere_that_two_endpoints_show_ends_a_payment,
    what_can_be_seen_is_seen_while_one_endpoint_simulates,
    people_see_how_each_endpoint_is_and_agents_do_not,
);

async fn world_behind(endpoints: usize, database: Database, change: impl FnOnce(&mut Config)) -> World {
    World::start_behind(endpoints, database, &[], |config| {
        quick(config);
        finality(config, 2);
        let ChainSource::Known(chains) = &mut config.chains else { panic!("tests name their chain") };
        chains[0].request_timeout = Duration::from_secs(2);
        change(config);
    })
    .await
}

/// Blocks come while something is under way.
async fn all_ends_truly(world: &World) {
    world.let_blocks_come(Duration::from_millis(600)).await;
    Oracle::of(world).all_ends_truly(Duration::from_millis(1)).await;
}

/// Mines until a transaction has ended.
async fn ended(world: &World, human: &Human, transaction: &Transaction) -> Transaction {
    let deadline = Instant::now() + SOON * 2;
    loop {
        world.mine(1).await;
        let now = human.client.status(transaction.transaction_id).await.expect("its owner");
        if now.status.is_final() {
            return now;
        }
        assert!(Instant::now() < deadline, "it does not end: {}", told(&now));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn what_three_endpoints_agree_on_is_final_at_once(database: Database) {
    let world = world_behind(3, database, |_| {}).await;
    let human = Human::with_everything(&world).await;
    let executed = human.executed(stranger(), 5).await;
    let ended = ended(&world, &human, &executed).await;
    assert_eq!((ended.status, ended.evidence), (Status::Confirmed, Some(Evidence::Agreed)));
    all_ends_truly(&world).await;
}

async fn the_loss_of_the_best_endpoint_is_hardly_felt(database: Database) {
    let faults = [Fault::Drop, Fault::Status(502), Fault::Cut, Fault::Corrupt, Fault::refuse("internal error")];
    let world = world_behind(3, database, |_| {}).await;
    let human = Human::with_everything(&world).await;
    for fault in faults {
        world.gate.when(Calls::any(), fault);
        let began = Instant::now();
        let to = stranger();
        let executed = human.executed(to, 5).await;
        let ended = ended(&world, &human, &executed).await;
        assert_eq!(ended.status, Status::Confirmed, "{}", told(&ended));
        let took = began.elapsed();
        assert!(took < Duration::from_secs(15), "a payment took {took:?}");
        world.gate.heal();
    }
    all_ends_truly(&world).await;
}

async fn a_payment_that_the_best_endpoint_swallows_is_made_through_another(database: Database) {
    let world = world_behind(2, database, |_| {}).await;
    let human = Human::with_everything(&world).await;
    world.gate.when(Calls::of(SEND), Fault::Lose);
    let executed = human.executed(stranger(), 5).await;
    assert_eq!(ended(&world, &human, &executed).await.status, Status::Confirmed);
    all_ends_truly(&world).await;
}

async fn a_payment_that_one_endpoint_refuses_is_made_and_never_failed(database: Database) {
    let world = world_behind(3, database, |_| {}).await;
    let human = Human::with_everything(&world).await;
    world.mine_by_itself(false).await;
    for gate in [&world.gate, &world.others[0]] {
        gate.when(Calls::of(SEND), Fault::refuse("nobody knows why"));
    }
    world.others[1].when(Calls::of(SEND), Fault::refuse("invalid sender"));
    let executed = human.executed(stranger(), 5).await;
    // Long enough for the refusals of one node to count, were it the only one.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let waits = human.client.status(executed.transaction_id).await.expect("its owner");
    assert!(!waits.cancelling && waits.status == Status::Submitted, "{}", told(&waits));
    world.gate.heal();
    world.mine_by_itself(true).await;
    assert_eq!(ended(&world, &human, &executed).await.status, Status::Confirmed);
    all_ends_truly(&world).await;
}

async fn whoever_forges_a_receipt_is_outvoted(database: Database) {
    let world = world_behind(3, database, |_| {}).await;
    let human = Human::with_everything(&world).await;
    for liar in world.gates() {
        // It succeeded, and the liar says that it failed.
        liar.change_receipts(|receipt| receipt["status"] = json!("0x0"));
        let executed = human.executed(stranger(), 5).await;
        let ended = ended(&world, &human, &executed).await;
        assert_eq!(ended.status, Status::Confirmed, "{}", told(&ended));
        liar.heal();
    }
    // It never was mined, and the best endpoint shows a receipt in a block that nobody else has.
    world.mine_by_itself(false).await;
    let executed = human.executed(stranger(), 5).await;
    until(&human, &executed, |now| now.transaction_hash.is_some()).await;
    forge(&world.others[1], executed_hash(&human, &executed).await);
    world.let_blocks_come(Duration::from_secs(3)).await;
    world.others[1].heal();
    world.mine_by_itself(true).await;
    assert_eq!(ended(&world, &human, &executed).await.status, Status::Confirmed);
    all_ends_truly(&world).await;
}

async fn executed_hash(human: &Human, transaction: &Transaction) -> B256 {
    let now = human.client.status(transaction.transaction_id).await.expect("its owner");
    now.transaction_hash.expect("it was sent")
}

/// A whole block of its own with a receipt of its own, and a nonce that goes with them.
fn forge(gate: &Gate, hash: B256) {
    let block = B256::repeat_byte(0x77);
    let receipt = json!({
        "transactionHash": hash, "blockNumber": "0x2", "blockHash": block, "status": "0x1", "gasUsed": "0x5208",
        "effectiveGasPrice": "0x1",
    });
    gate.when(Calls::of("eth_getTransactionReceipt").holding(hash), Fault::Answer(receipt));
    let second = |call: &Call| call.text(0) == "0x2";
    let say = move |_: &Call, mut shown: Value| {
        shown["hash"] = json!(block);
        shown
    };
    gate.when(Calls::of("eth_getBlockByNumber").only(second), Fault::lie(say));
    let latest = |call: &Call| call.text(1) == "latest";
    gate.when(Calls::of("eth_getTransactionCount").only(latest), Fault::Answer(json!("0x20")));
}

async fn whoever_hides_receipts_makes_nothing_superseded(database: Database) {
    let world = world_behind(3, database, |_| {}).await;
    let human = Human::with_everything(&world).await;
    for liar in world.gates() {
        let rule = liar.hide_receipts();
        let executed = human.executed(stranger(), 5).await;
        let ended = ended(&world, &human, &executed).await;
        assert_eq!(ended.status, Status::Confirmed, "{}", told(&ended));
        rule.end();
    }
    all_ends_truly(&world).await;
}

async fn whoever_says_a_wrong_nonce_stops_nobody(database: Database) {
    let world = world_behind(3, database, |_| {}).await;
    let human = Human::with_everything(&world).await;
    for (number, liar) in world.gates().enumerate() {
        for nonce in [0, 1_000] {
            let rule = liar.say_nonce(human.address, nonce);
            let executed = human.executed(stranger(), 5).await;
            let ended = ended(&world, &human, &executed).await;
            assert_eq!(ended.status, Status::Confirmed, "{number} says {nonce}: {}", told(&ended));
            rule.end();
        }
    }
    all_ends_truly(&world).await;
}

async fn whoever_lags_stops_nobody(database: Database) {
    let world = world_behind(3, database, |_| {}).await;
    let human = Human::with_everything(&world).await;
    for liar in world.gates() {
        let rules = liar.lag(world.head().await, 4);
        let executed = human.executed(stranger(), 5).await;
        let ended = ended(&world, &human, &executed).await;
        assert_eq!(ended.status, Status::Confirmed, "{}", told(&ended));
        rules.iter().for_each(|rule| rule.end());
    }
    all_ends_truly(&world).await;
}

/// The node that is asked first lacks the newest block that is remembered, and is not so far behind that another one is
/// asked instead.
async fn a_development_node_that_lags_forgets_nothing(database: Database) {
    let world = world_behind(3, database, |_| {}).await;
    let human = Human::with_everything(&world).await;
    let executed = human.executed(stranger(), 5).await;
    until(&human, &executed, |now| now.status == Status::Mined).await;
    world.mine(1).await;
    until(&human, &executed, |now| now.status == Status::Confirmed).await;
    world.gate.lag(world.head().await, 2);
    let asked = human.ask(stranger(), 5).await;
    let waits = human.approved(stranger(), 5).await;
    let calls = world.gate.calls_of("eth_getBlockByNumber");
    let asks = async || world.gate.calls_of("eth_getBlockByNumber") > calls + 4;
    eventually("the node that lags is asked again", SOON, asks).await;
    let still = human.client.status(waits.transaction_id).await.expect("its owner");
    assert_eq!(still.status, Status::Authorized, "{}", told(&still));
    human.approve(&asked).await.expect("nothing was used elsewhere");
    world.gate.heal();
    for one in [waits, asked] {
        human.agent.execute(one.transaction_id).await.expect("it is approved");
    }
    all_ends_truly(&world).await;
}

async fn while_no_other_endpoint_answers_one_counts_after_a_time(database: Database) {
    let world = world_behind(2, database, |config| config.policy.alone_after = Duration::from_secs(4)).await;
    let human = Human::with_everything(&world).await;
    world.others[0].let_pass(Pass::Down);
    let began = Instant::now();
    let executed = human.executed(stranger(), 5).await;
    let ended = ended(&world, &human, &executed).await;
    assert_eq!((ended.status, ended.evidence), (Status::Confirmed, Some(Evidence::Single)));
    assert!(began.elapsed() >= Duration::from_secs(4));
    all_ends_truly(&world).await;
}

async fn two_endpoints_that_contradict_each_other_make_nothing_final(database: Database) {
    let world = world_behind(2, database, |config| config.policy.alone_after = Duration::from_secs(1)).await;
    let human = Human::with_everything(&world).await;
    world.others[0].change_receipts(|receipt| receipt["status"] = json!("0x0"));
    let executed = human.executed(stranger(), 5).await;
    world.let_blocks_come(Duration::from_secs(4)).await;
    let waits = human.client.status(executed.transaction_id).await.expect("its owner");
    assert!(!waits.status.is_final(), "{}", told(&waits));
    world.others[0].heal();
    assert_eq!(ended(&world, &human, &executed).await.status, Status::Confirmed);
    all_ends_truly(&world).await;
}

async fn a_fork_that_only_one_endpoint_is_on_takes_nothing_back(database: Database) {
    let world = world_behind(3, database, |_| {}).await;
    let human = Human::with_everything(&world).await;
    let executed = human.executed(stranger(), 5).await;
    assert_eq!(ended(&world, &human, &executed).await.status, Status::Confirmed);
    // Every block but the first one is another one here.
    let say = |call: &Call, mut shown: Value| {
        if call.text(0) != "0x0" && shown.is_object() {
            let hash = shown["hash"].as_str().unwrap_or_default();
            shown["hash"] = json!(keccak256(hash));
        }
        shown
    };
    world.gate.when(Calls::of("eth_getBlockByNumber"), Fault::lie(say));
    let later = human.executed(stranger(), 5).await;
    assert_eq!(ended(&world, &human, &later).await.status, Status::Confirmed);
    let events = events_of(&world, executed.transaction_id).await;
    assert!(!events.iter().any(|event| event == "finality_violation"), "{events:?}");
    world.gate.heal();
    all_ends_truly(&world).await;
}

async fn a_use_elsewhere_that_two_endpoints_show_ends_a_payment(database: Database) {
    let world = world_behind(2, database, |_| {}).await;
    let human = Human::with_everything(&world).await;
    world.gates().for_each(|gate| gate.let_pass(Pass::NotAtAll));
    let executed = human.executed(stranger(), 5).await;
    let foreign = world.use_elsewhere(human.address).await;
    let ended = ended(&world, &human, &executed).await;
    assert_eq!(ended.status, Status::Superseded, "{}", told(&ended));
    assert_eq!(ended.evidence, Some(Evidence::Agreed));
    Oracle::of(&world).foreign(foreign).all_ends_truly(SOON).await;
}

async fn what_can_be_seen_is_seen_while_one_endpoint_simulates(database: Database) {
    let world = world_behind(3, database, |_| {}).await;
    let human = Human::with_everything(&world).await;
    let sees = async || {
        let asked = human.ask(stranger(), 5).await;
        let preview = asked.preview.expect("it is pending");
        preview.simulation.method == SimulationMethod::EthSimulateV1
    };
    let simulate = "eth_simulateV1";
    world.gate.when(Calls::of(simulate), Fault::Refuse(-32_601, "the method does not exist".to_owned()));
    world.others[0].when(Calls::of(simulate), Fault::Status(500));
    assert!(sees().await, "the third endpoint does");
    let rule = world.others[1].when(Calls::of(simulate), Fault::Refuse(-32_601, "no such method".to_owned()));
    assert!(!sees().await && rule.hits() > 0);
}

async fn people_see_how_each_endpoint_is_and_agents_do_not(database: Database) {
    let world = world_behind(2, database, |_| {}).await;
    let human = Human::with_everything(&world).await;
    let seen = async || human.client.chains().await.expect("a user").remove(0);
    let heads = async || seen().await.endpoints.expect("for a user").into_iter().map(|endpoint| endpoint.head);
    let newest = Some(world.head().await);
    eventually("both show the newest block", SOON, async || heads().await.all(|head| head == newest)).await;
    let before = seen().await;
    world.others[0].let_pass(Pass::Down);
    let verdicts = async || -> Vec<String> {
        let endpoints = seen().await.endpoints.expect("for a user");
        endpoints.into_iter().map(|endpoint| endpoint.verdict).collect()
    };
    eventually("the second is told to be down", SOON, async || verdicts().await == ["good", "unreachable"]).await;
    world.mine(1).await;
    eventually("a new block shows", SOON, async || seen().await.head > before.head).await;
    let after = seen().await;
    assert!(after.head_since > before.head_since, "{after:?}");
    let down = &after.endpoints.as_ref().expect("for a user")[1];
    assert_eq!((down.name.as_str(), down.head), ("node 1", before.head));
    assert!(down.last_error.is_some() && down.last_failure > down.head_since, "{down:?}");
    let all = serde_json::to_string(&after).expect("JSON");
    assert!(!all.contains("127.0.0.1"), "{all}");
    let shown = human.agent.chains().await.expect("an agent").remove(0);
    assert_eq!((shown.endpoints, shown.head), (None, after.head));
}
