//! Execution clients of others: geth from before London, and Ganache. A whole payment through each.

use std::time::{Duration, Instant};

use agent_sdk::{PrepareTransaction, Status};
use alloy::primitives::{Bytes, U256};
use wallet_server::{
    chain::{ChainSettings, Finality},
    config::ChainSource,
    value::{ChainId, Secret},
};

use crate::harness::{Client, Database, Human, World, code, stranger, told};

/// Init code that deploys `code`: of at most 255 bytes.
fn deploying(code: &[u8]) -> Bytes {
    let length = u8::try_from(code.len()).expect("a short contract");
    // PUSH1 length, DUP1, PUSH1 9, RETURNDATASIZE would be newer; CODECOPY from byte 11; RETURN.
    let mut init = vec![0x60, length, 0x80, 0x60, 0x0b, 0x60, 0x00, 0x39, 0x60, 0x00, 0xf3];
    init.extend_from_slice(code);
    init.into()
}

async fn pays(client: Client, finality: Finality) {
    let (url, id) = (Secret::new(client.url.clone()), ChainId::new(client.chain_id).expect("in range"));
    let world = World::start_on(Database::sqlite(), &[], |config| {
        config.policy.session_lifetime = Duration::from_secs(24 * 3_600);
        let ChainSource::Known(chains) = &mut config.chains else { panic!("tests name their chain") };
        chains[0] = ChainSettings { finality, ..ChainSettings::new(id, url) };
    })
    .await;
    let human = Human::without_funds(&world).await;
    client.fund(human.address).await;
    let ends = async |transaction: agent_sdk::Transaction, status: Status| {
        let (began, mut now) = (Instant::now(), transaction);
        while !now.status.is_final() {
            assert!(began.elapsed() < Duration::from_secs(30), "{}", told(&now));
            tokio::time::sleep(Duration::from_millis(200)).await;
            now = human.client.status(now.transaction_id).await.expect("its owner");
        }
        assert_eq!(now.status, status, "{}", told(&now));
        now
    };
    let to = stranger();
    let paid = ends(human.executed(to, 7).await, Status::Confirmed).await;
    assert_eq!(client.balance(to).await, U256::from(7));
    assert!(paid.block.is_some_and(|block| block.gas_used == 21_000));
    // A contract that halts at once: INVALID (EIP-141).
    let asked = human.agent.prepare(PrepareTransaction::raw(None, U256::ZERO, deploying(&[0xfe]))).await;
    let asked = asked.expect("a deployment");
    let codes: Vec<_> = asked.warnings.iter().map(|warning| warning.code.clone()).collect();
    let authorize =
        agent_sdk::Authorize::new(asked.transaction_id, human.code()).digest(asked.digest).acknowledge(codes);
    human.client.authorize(authorize).await.expect("the owner with a fresh code");
    let executed = human.agent.execute(asked.transaction_id).await.expect("it is approved");
    let deployed = ends(executed, Status::Confirmed).await;
    let contract = human.address.create(deployed.nonce.expect("it was sent"));
    let call = PrepareTransaction::raw(Some(contract), U256::ZERO, Bytes::from(vec![1, 2, 3, 4]));
    assert_eq!(code(human.agent.prepare(call).await), "simulation_failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_made_through_geth() {
    // One validator makes blocks that nobody takes back; this client does not know the tag.
    pays(Client::geth().await, Finality::Depth(2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_made_through_ganache() {
    pays(Client::ganache().await, Finality::Tag).await;
}
