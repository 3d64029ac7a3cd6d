//! The program against a real server and a real node: whatever it is told to do is done, and the node says so.

mod nonces;
mod stage;

use agent_sdk::{AbiCall, AgentClient, ContractCall, Deployment, PrepareTransaction, Status, Transaction};
use alloy::{
    primitives::{Address, U256, hex},
    sol,
    sol_types::SolValue,
};
use serde_json::{Value, json};

use crate::stage::{PASSWORD, Stage};

sol! {
    function deposit() payable;
    function number() view returns (uint256);
}

/// Password and code, as scripts give them.
const SECRETS: [&str; 4] = ["--yes", "--password-stdin", "--mfa-code-stdin", "--json"];
const WAIT: [&str; 1] = ["--wait"];

/// Sends something of the user's own, and waits until the chain has it for good.
async fn sent(stage: &Stage, command: &[&str]) -> Value {
    let run = stage.run(&[command, &SECRETS, &WAIT].concat(), &format!("{PASSWORD}\n{}\n", stage.code()));
    assert_eq!(run.exit, 0, "{command:?}: {}", run.stderr);
    let last: Value = serde_json::from_str(run.stdout.lines().last().expect("a result")).expect("JSON");
    assert_eq!(last["status"], "confirmed", "{last}");
    let receipt = stage.rpc("eth_getTransactionReceipt", json!([last["transaction_hash"]])).await;
    assert_eq!(receipt["status"], "0x1");
    last
}

fn stranger(last: u8) -> Address {
    Address::from_word(alloy::primitives::keccak256([last]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_user_sends_moves() {
    let stage = Stage::set().await;
    let to = stranger(1);
    let text = to.to_checksum(None);
    sent(&stage, &["send", "--to", &text, "--amount", "0.05"]).await;
    assert_eq!(stage.balance(to).await, U256::from(50_000_000_000_000_000_u64));

    let token = stage.deploy("Token", (stage.address, U256::from(1_000_000_000)).abi_encode_params()).await;
    sent(&stage, &["send-token", &token.to_checksum(None), "--to", &text, "--amount", "25.5"]).await;
    assert_eq!(stage.token_balance(token, to).await, U256::from(25_500_000));

    let counter = stage.deploy("Counter", Address::ZERO.abi_encode()).await;
    sent(&stage, &["call", &counter.to_checksum(None), "function set(uint256 number)", "42"]).await;
    assert_eq!(stage.ask(counter, numberCall {}).await, U256::from(42));
    sent(&stage, &["call", &counter.to_checksum(None), "function deposit() payable", "--amount", "0.25"]).await;
    assert_eq!(stage.balance(counter).await, U256::from(250_000_000_000_000_000_u64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_agent_asks_for_is_approved_in_one_go_and_moves() {
    let stage = Stage::set().await;
    let (agent, to) = (&stage.agent, stranger(2));
    let token = stage.deploy("Token", (stage.address, U256::from(1_000_000_000)).abi_encode_params()).await;
    let counter = stage.deploy("Counter", Address::ZERO.abi_encode()).await;
    let mut code = hex::decode(stage.bytecode("Counter")).expect("hex");
    code.extend(Address::ZERO.abi_encode());
    let set = AbiCall::new(counter, "function set(uint256 number)", "set", [json!("42")]);
    let asked = [
        ask(agent, PrepareTransaction::transfer(to, U256::from(5))).await,
        ask(agent, PrepareTransaction::transfer_erc20(token, to, U256::from(7))).await,
        ask(agent, PrepareTransaction::contract_call(set)).await,
        ask(agent, PrepareTransaction::contract_call(ContractCall::new(counter, depositCall {}).amount(U256::from(9))))
            .await,
        ask(agent, PrepareTransaction::deploy(Deployment::new(code))).await,
    ];
    let ids: Vec<String> = asked.iter().map(|transaction| transaction.transaction_id.to_string()).collect();
    let command: Vec<&str> = ["tx", "approve"].into_iter().chain(ids.iter().map(String::as_str)).collect();
    // A deposit into a contract that nobody knows brings nothing back.
    let approve = ["--yes", "--acknowledge", "nothing_arrives", "--mfa-code-stdin", "--json"];
    let run = stage.run(&[&command[..], &approve].concat(), &format!("{}\n", stage.code()));
    assert_eq!(run.exit, 0, "{}", run.stderr);
    for transaction in &asked {
        assert!(run.stderr.contains(&transaction.short_digest()), "each is shown whole: {}", run.stderr);
    }
    let mut ended = Vec::new();
    for transaction in &asked {
        agent.execute(transaction.transaction_id).await.expect("it is approved");
    }
    for transaction in &asked {
        let confirmed = agent.wait_until_confirmed(transaction.transaction_id).await.expect("the node mines");
        assert_eq!(confirmed.status, Status::Confirmed);
        ended.push(stage.rpc("eth_getTransactionReceipt", json!([confirmed.transaction_hash])).await);
    }
    assert!(ended.iter().all(|receipt| receipt["status"] == "0x1"));
    assert_eq!(stage.balance(to).await, U256::from(5));
    assert_eq!(stage.token_balance(token, to).await, U256::from(7));
    assert_eq!(stage.ask(counter, numberCall {}).await, U256::from(42));
    assert_eq!(stage.balance(counter).await, U256::from(9));
    let deployed = ended[4]["contractAddress"].as_str().and_then(|text| text.parse().ok()).expect("a contract");
    assert_eq!(stage.ask(deployed, numberCall {}).await, U256::ZERO);
}

async fn ask(agent: &AgentClient, request: PrepareTransaction) -> Transaction {
    agent.prepare(request).await.expect("it can be done")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grave_warning_takes_its_own_yes() {
    let stage = Stage::set().await;
    let zero = Address::ZERO.to_checksum(None);
    let command = ["send", "--to", &zero, "--wei", "1"];
    let run = stage.run(&[&command[..], &SECRETS].concat(), &format!("{PASSWORD}\n{}\n", stage.code()));
    assert_eq!(run.exit, 1, "{}", run.stdout);
    assert!(run.stderr.contains("--acknowledge zero_address"), "{}", run.stderr);
    let count = json!([stage.address, "latest"]);
    assert_eq!(stage.rpc("eth_getTransactionCount", count.clone()).await, "0x0");
    sent(&stage, &[&command[..], &["--acknowledge", "zero_address"]].concat()).await;
    assert_eq!(stage.rpc("eth_getTransactionCount", count).await, "0x1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_goes_out_and_comes_back() {
    let (one, other) = (Stage::set().await, Stage::set().await);
    let file = one.config_dir.path().join("key.json");
    let (file, address) = (file.to_str().expect("plain"), one.address.to_checksum(None));
    let secrets = ["--password-stdin", "--passphrase-stdin", "--mfa-code-stdin", "--json"];
    let input = |stage: &Stage| format!("{PASSWORD}\na phrase of its own\n{}\n", stage.code());
    let run = one.run(&[&["wallet", "export", &address, "--out", file][..], &secrets].concat(), &input(&one));
    assert_eq!((run.exit, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    let again = one.run(&[&["wallet", "export", &address, "--out", file][..], &secrets].concat(), &input(&one));
    assert_eq!(again.exit, 1, "it overwrites nothing");
    let run = other.run(&[&["wallet", "import", file, "--label", "moved"][..], &secrets].concat(), &input(&other));
    assert_eq!(run.exit, 0, "{}", run.stderr);
    let wallet: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!((&wallet["address"], &wallet["label"]), (&json!(address), &json!("moved")));
}
