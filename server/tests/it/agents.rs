//! Programs with an API key.

use agent_sdk::{CreateAgent, Paging, PrepareTransaction, Status};
use alloy::primitives::U256;
use wallet_server::{
    chain::{
        ChainSettings, EndpointSettings,
        local::{LocalNode, LocalNodeSettings},
    },
    config::ChainSource,
    keys::ApiKey,
    value::{self, AgentId, ChainId},
};

use crate::harness::{CHAIN, Human, World, code, on_both_databases, stranger};

on_both_databases!(
    a_revoked_agent_can_do_nothing_more_and_its_open_requests_are_withdrawn,
    a_repeated_creation_makes_one_agent_and_shows_its_key_once,
    an_agent_stays_on_its_chains,
    a_key_with_the_right_id_and_a_wrong_secret_is_no_key,
    one_agent_cannot_flood_its_owner,
);

async fn a_revoked_agent_can_do_nothing_more_and_its_open_requests_are_withdrawn(world: World) {
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let pending = human.ask(to, 1).await;
    let approved = human.approved(to, 2).await;
    let agent = human.client.revoke_agent(human.agent_id).await.expect("its owner");
    assert!(agent.revoked_at.is_some());
    assert_eq!(code(human.agent.execute(approved.transaction_id).await), "unauthenticated");
    for id in [pending.transaction_id, approved.transaction_id] {
        let withdrawn = human.client.status(id).await.expect("its owner");
        assert_eq!(withdrawn.status, Status::Cancelled);
        assert!(withdrawn.transaction_hashes.is_empty());
    }
    human.client.revoke_agent(human.agent_id).await.expect("a repeat is no error");
    assert_eq!(world.balance(to).await, U256::ZERO);
}

async fn a_repeated_creation_makes_one_agent_and_shows_its_key_once(world: World) {
    let human = Human::without_funds(&world).await;
    let request = |code| CreateAgent::new("twin", code).idempotency_key("twin-1");
    let first = human.client.create_agent(request(human.code())).await.expect("a fresh code");
    // The answer to a repeat comes before its code is looked at.
    let again = human.client.create_agent(request("000000".into())).await.expect("a repeat");
    assert_eq!(first.agent.agent_id, again.agent.agent_id);
    assert!(first.api_key.is_some() && again.api_key.is_none());
    let other = CreateAgent::new("other", human.code()).idempotency_key("twin-1");
    assert_eq!(code(human.client.create_agent(other).await), "idempotency_mismatch");
    assert_eq!(human.client.agents(Paging::new()).await.expect("a session").items.len(), 2);
}

async fn an_agent_stays_on_its_chains(mut world: World) {
    // A second chain that the server serves.
    let other = ChainId::new(CHAIN + 1).expect("in range");
    let settings = LocalNodeSettings { program: None, port: None, state_file: None, chain_id: other };
    let node = LocalNode::start(settings).await.expect("a node; `npm ci` installs it");
    let url = value::Secret::new(node.url().to_owned());
    let ChainSource::Known(chains) = &mut world.config.chains else { panic!("the chains are set") };
    let first = chains.first().expect("one chain").clone();
    let endpoints = vec![EndpointSettings::new("other", url)];
    chains.push(ChainSettings { id: other, endpoints, ..first });
    world.restart().await;
    let human = Human::with_everything(&world).await;
    let unknown = CreateAgent::new("lost", human.code()).chains([1]);
    assert_eq!(code(human.client.create_agent(unknown).await), "unknown_chain");
    let bound = CreateAgent::new("bound", human.code()).chains([CHAIN]);
    let bound = human.client.create_agent(bound).await.expect("a fresh code");
    let bound = world.agent_client(bound.api_key.expect("shown once").expose());
    // Each request has an idempotency key of its own.
    let unnamed = || PrepareTransaction::transfer(stranger(), U256::from(1));
    let on = |chain| unnamed().chain_id(chain);
    assert_eq!(code(bound.prepare(on(1)).await), "unknown_chain");
    assert_eq!(code(bound.prepare(on(other.get())).await), "unknown_chain");
    bound.prepare(on(CHAIN)).await.expect("its own chain");
    // It has one chain, so it need not name it; an agent that is not bound has two.
    assert_eq!(bound.prepare(unnamed()).await.expect("its own chain").chain_id, CHAIN);
    assert_eq!(code(human.agent.prepare(unnamed()).await), "invalid_request");
    human.agent.prepare(on(other.get())).await.expect("an agent that is not bound");
}

async fn a_key_with_the_right_id_and_a_wrong_secret_is_no_key(world: World) {
    let human = Human::with_everything(&world).await;
    let approved = human.approved(stranger(), 1).await;
    let forged = ApiKey::generate(AgentId(human.agent_id)).text();
    let thief = world.agent_client(forged.expose());
    let asked = thief.prepare(PrepareTransaction::transfer(stranger(), U256::from(1))).await;
    assert_eq!(code(asked), "unauthenticated");
    assert_eq!(code(thief.execute(approved.transaction_id).await), "unauthenticated");
    assert_eq!(code(thief.status(approved.transaction_id).await), "unauthenticated");
}

async fn one_agent_cannot_flood_its_owner(world: World) {
    // The server's own limit, lowered where every request reads it.
    let mut world = world;
    world.config.policy.pending_per_agent = 3;
    world.restart().await;
    let human = Human::with_everything(&world).await;
    for _ in 0..3 {
        human.ask(stranger(), 1).await;
    }
    let client = agent_sdk::AgentClient::builder(world.url.as_str(), human.api_key.as_str()).attempts(1);
    let client = client.build().expect("a loopback URL and a good key");
    let refused = client.prepare(PrepareTransaction::transfer(stranger(), U256::from(1))).await;
    assert_eq!(code(refused), "too_many_pending");
}
