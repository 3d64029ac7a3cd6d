//! Chains on which gas is free, has a minimum that hardly shows, or is scarce; and wallets with code of their own.

use std::time::Duration;

use agent_sdk::{Authorize, PrepareTransaction, Status};
use alloy::{
    consensus::Transaction as _,
    primitives::{Bytes, U256, hex},
};
use serde_json::json;

use crate::harness::{Calls, Database, Fault, Human, Oracle, SEND, World, eventually, stranger, told, until};

const SOON: Duration = Duration::from_secs(20);

async fn world(node: &[&str]) -> World {
    World::start_on(Database::sqlite(), node, |config| {
        config.policy.session_lifetime = Duration::from_secs(24 * 3_600);
        config.policy.resend_after = Duration::from_millis(200);
        config.policy.bump_after = Duration::from_millis(400);
    })
    .await
}

/// What a node says of prices where there are none.
fn is_free(world: &World) {
    let methods = ["eth_gasPrice", "eth_maxPriorityFeePerGas"];
    world.gate.when(Calls::of_all(&methods), Fault::Answer(json!("0x0")));
    let nothing = json!({ "oldestBlock": "0x1", "baseFeePerGas": ["0x0"], "gasUsedRatio": [], "reward": null });
    world.gate.when(Calls::of("eth_feeHistory"), Fault::Answer(nothing));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_gas_is_free_a_wallet_pays_all_it_has() {
    let world = world(&["--base-fee", "0", "--gas-price", "0", "--disable-min-priority-fee"]).await;
    is_free(&world);
    let human = Human::without_funds(&world).await;
    let all = wallet_server::value::Wei(U256::from(1_000));
    world.node.fund(wallet_server::value::Address(human.address), all).await.expect("the node has accounts");
    let to = stranger();
    let asked = human.ask(to, 1_000).await;
    assert_eq!((asked.max_fee_per_gas, asked.worst_case_fee), (U256::ZERO, U256::ZERO));
    human.approve(&asked).await.expect("the owner with a fresh code");
    human.agent.execute(asked.transaction_id).await.expect("it is approved");
    until(&human, &asked, |now| now.status == Status::Confirmed).await;
    assert_eq!(world.balance(to).await, U256::from(1_000));
    Oracle::of(&world).all_ends_truly(SOON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minimum_that_only_the_gas_price_shows_is_met() {
    const LEAST: u128 = 5_000_000_000;
    let world = world(&["--base-fee", "0"]).await;
    is_free(&world);
    world.gate.when(Calls::of("eth_gasPrice"), Fault::Answer(json!(format!("0x{LEAST:x}"))));
    let is_cheap = |call: &crate::harness::Call| call.signed().is_some_and(|sent| sent.max_fee_per_gas() < LEAST);
    let refused = world.gate.when(
        Calls::of(SEND).only(is_cheap),
        Fault::refuse("transaction underpriced: gas tip cap 1, minimum needed 5000000000"),
    );
    let human = Human::with_everything(&world).await;
    let executed = human.executed(stranger(), 5).await;
    until(&human, &executed, |now| now.status == Status::Confirmed).await;
    assert_eq!(refused.hits(), 0);
    Oracle::of(&world).all_ends_truly(SOON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_margin_of_gas_never_exceeds_what_a_block_holds() {
    let world = world(&["--gas-limit", "65000"]).await;
    let human = Human::with_everything(&world).await;
    // 21000 gas, and 40 for each byte that is not zero (EIP-7623).
    let request = PrepareTransaction::raw(Some(stranger()), U256::ZERO, Bytes::from(vec![1; 1_000]));
    let asked = human.agent.prepare(request).await.expect("it fits into a block");
    assert!((61_000..=65_000).contains(&asked.gas_limit), "{}", asked.gas_limit);
    let authorize = Authorize::new(asked.transaction_id, human.code()).digest(asked.digest);
    let authorize = authorize.acknowledge(asked.warnings.iter().map(|warning| warning.code.clone()));
    human.client.authorize(authorize).await.expect("the owner with a fresh code");
    human.agent.execute(asked.transaction_id).await.expect("it is approved");
    until(&human, &asked, |now| now.status == Status::Confirmed).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
}

/// Code that refuses every call, with an instruction that halts: INVALID (EIP-141).
const HALTS: &str = "0xfe";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wallet_whose_code_refuses_plain_calls_pays_and_cancels() {
    let world = world(&["--hardfork", "prague"]).await;
    let human = Human::with_everything(&world).await;
    let halts = stranger();
    world.rpc("anvil_setCode", json!([halts, HALTS])).await;
    // As an EIP-7702 authorisation of the wallet leaves it.
    let delegation = format!("0xef0100{}", hex::encode(halts));
    world.rpc("anvil_setCode", json!([human.address, delegation])).await;
    let to = stranger();
    let executed = human.executed(to, 5).await;
    until(&human, &executed, |now| now.status == Status::Confirmed).await;
    assert_eq!(world.balance(to).await, U256::from(5));
    // Its cancel, a call of itself, fails and uses its nonce all the same.
    world.mine_by_itself(false).await;
    let executed = human.executed(to, 7).await;
    let known = async || {
        let now = human.client.status(executed.transaction_id).await.expect("its owner");
        let Some(hash) = now.transaction_hash else { return false };
        world.knows(hash).await
    };
    eventually("the node has it", SOON, known).await;
    human.client.cancel(executed.transaction_id).await.expect("its owner");
    until(&human, &executed, |now| now.transaction_hashes.len() > 1).await;
    eventually("the node has the cancel", SOON, known).await;
    world.mine_by_itself(true).await;
    world.mine(1).await;
    let ended = until(&human, &executed, |now| now.status.is_final()).await;
    assert_eq!(ended.status, Status::Cancelled, "{}", told(&ended));
    assert_eq!(world.balance(to).await, U256::from(5));
    Oracle::of(&world).all_ends_truly(SOON).await;
}
