//! Two nodes that share no code give the same results.

use agent_sdk::{AbiCall, PrepareTransaction, SimulationMethod, SimulationOutcome, Status};
use alloy::{
    primitives::{Address, U256},
    sol_types::{SolCall, SolValue},
};
use serde_json::json;
use wallet_server::{
    chain::{Account, Call, Chain, ChainSettings, EstimateError, TokenFacts},
    config::ChainSource,
    value::{self, CallData, ChainId, Fees, Gas, Secret, TokenAmount, TokenStandard, Wei},
};

use crate::harness::{
    Database, ETHER, HardhatNode, Human, World,
    contracts::{abi, deploy_at},
    rpc, stranger,
};

fn chain(url: &str) -> Chain {
    let id = ChainId::new(31_337).expect("in range");
    let url = Secret::new(url.to_owned());
    Chain::new(ChainSettings::new(id, url)).expect("an http URL")
}

/// How a trial of a call went: whether it succeeds, and why not.
#[derive(Debug, PartialEq)]
struct Trial {
    succeeded: bool,
    reason: Option<Vec<u8>>,
    estimate: Result<bool, Option<Vec<u8>>>,
}

/// Everything that a node was asked, as far as two nodes can agree on it.
#[derive(Debug, PartialEq)]
struct Answers {
    account: Account,
    tokens: Vec<TokenFacts>,
    balances: Vec<Option<TokenAmount>>,
    trials: Vec<Trial>,
    data_fee: Option<Wei>,
}

async fn ask(url: &str) -> Answers {
    let (holder, to) = (Address::repeat_byte(0xaa), Address::repeat_byte(0xbb));
    let balance = format!("0x{ETHER:x}");
    let set_balance = if url_is_hardhat(url).await { "hardhat_setBalance" } else { "anvil_setBalance" };
    rpc(url, set_balance, json!([holder, balance])).await;
    let supply = U256::from(1_000);
    let mut contracts = Vec::new();
    for name in ["Token", "TokenWithoutReturn", "TokenBytes32", "TokenOdd"] {
        contracts.push(deploy_at(url, name, (holder, supply).abi_encode_params()).await);
    }
    contracts.push(deploy_at(url, "Nft", holder.abi_encode()).await);
    contracts.push(deploy_at(url, "Multi", holder.abi_encode()).await);
    let reverter = deploy_at(url, "Reverter", Vec::new()).await;
    contracts.push(stranger());

    let chain = chain(url);
    let (mut tokens, mut balances, mut trials) = (Vec::new(), Vec::new(), Vec::new());
    for contract in contracts.iter().copied().map(value::Address) {
        tokens.push(chain.token(contract).await.expect("the node answers"));
        balances.push(chain.token_balance(contract, value::Address(holder)).await.expect("the node answers"));
    }
    let transfer = |amount: u64| abi::Token::transferCall { to, amount: U256::from(amount) }.abi_encode();
    let mut calls = vec![(contracts[0], transfer(7)), (contracts[0], transfer(1_001)), (to, Vec::new())];
    for function in ["work()", "withText()", "withPanic()", "withError()"] {
        calls.push((reverter, alloy::primitives::keccak256(function)[..4].to_vec()));
    }
    let from = value::Address(holder);
    for (to, data) in calls {
        let call = Call { from, to: Some(value::Address(to)), value: Wei::ZERO, data: CallData(data) };
        let simulated = chain.simulate(&call.clone().into()).await.expect("the node answers");
        let estimate = match chain.estimate_gas(&call).await {
            Ok(gas) => Ok((21_000..100_000).contains(&gas)),
            Err(EstimateError::Reverted { data, .. }) => Err(data),
            Err(other) => panic!("{other}"),
        };
        trials.push(Trial { succeeded: simulated.succeeded, reason: simulated.revert_data, estimate });
    }
    let call = Call { from, to: Some(value::Address(to)), value: Wei::ZERO, data: CallData::default() };
    let fees = Fees { max_fee_per_gas: 1, max_priority_fee_per_gas: 1 };
    Answers {
        account: chain.account(from).await.expect("the node answers"),
        tokens,
        balances,
        trials,
        data_fee: chain.data_fee(&call, Gas(21_000), fees).await.expect("the node answers"),
    }
}

async fn url_is_hardhat(url: &str) -> bool {
    rpc(url, "web3_clientVersion", json!([])).await.as_str().expect("a name").starts_with("Hardhat")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anvil_and_hardhat_say_the_same_of_tokens_calls_and_reasons() {
    let world = World::start(Database::sqlite()).await;
    let hardhat = HardhatNode::start().await;
    let (one, other) = tokio::join!(ask(world.node.url()), ask(&hardhat.url));
    assert_eq!(one, other);
    let standards: Vec<_> = one.tokens.iter().map(|token| token.standard).collect();
    use TokenStandard::{Erc20, Erc721, Erc1155, Unknown};
    assert_eq!(standards, [Erc20, Erc20, Erc20, Erc20, Erc721, Erc1155, Unknown]);
    let succeeded: Vec<_> = one.trials.iter().map(|trial| trial.succeeded).collect();
    assert_eq!(succeeded, [true, false, true, true, false, false, false]);
    assert!(one.trials.iter().all(|trial| trial.succeeded == trial.reason.is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_works_on_a_node_that_cannot_simulate() {
    let hardhat = HardhatNode::start().await;
    let url = hardhat.url.clone();
    let world = World::start_on(Database::sqlite(), &[], |config| {
        let ChainSource::Known(chains) = &mut config.chains else { panic!("it is listed") };
        chains[0].endpoints[0].url = Secret::new(url);
    })
    .await;
    let human = Human::without_funds(&world).await;
    rpc(&hardhat.url, "hardhat_setBalance", json!([human.address, format!("0x{:x}", 10 * ETHER)])).await;
    let to = stranger();
    let token = deploy_at(&hardhat.url, "Token", (human.address, U256::from(1_000_000)).abi_encode_params()).await;

    let asked = human.agent.prepare(PrepareTransaction::transfer_erc20(token, to, U256::from(250_000))).await;
    let asked = asked.expect("it holds as much");
    let preview = asked.preview.clone().expect("what it does");
    assert_eq!(preview.simulation.method, SimulationMethod::EthCall);
    assert_eq!(preview.simulation.outcome, SimulationOutcome::Success);
    assert_eq!(preview.changes[0].text, "0.25 TOK");
    human.approve(&asked).await.expect("the owner");
    human.agent.execute(asked.transaction_id).await.expect("it is approved");
    let confirmed = human.agent.wait_until_confirmed(asked.transaction_id).await.expect("the node mines");
    assert_eq!(confirmed.status, Status::Confirmed);
    let held = chain(&hardhat.url).token_balance(value::Address(token), value::Address(to)).await;
    assert_eq!(held, Ok(Some(TokenAmount(U256::from(250_000)))));

    let reverter = deploy_at(&hardhat.url, "Reverter", Vec::new()).await;
    let call = AbiCall::new(reverter, abi::REVERTER, "withError", []);
    let refused = human.agent.prepare(PrepareTransaction::contract_call(call)).await.expect_err("it fails");
    assert_eq!(refused.revert_reason(), Some("TooLittle(available: 3, required: 5)"));
    let poor = human.ask(to, 11 * ETHER).await;
    assert!(poor.warnings.iter().any(|warning| warning.code == "insufficient_balance"));
}
