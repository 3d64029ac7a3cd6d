//! The server is killed at the worst moments. A restart ends in one mined transaction and the right status.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agent_sdk::{AgentClient, Authorize, CreateAgent, PrepareTransaction, Secret, Status, UserClient};
use alloy::primitives::{Address, U256};
use uuid::Uuid;
use wallet_server::{
    chain::local::{LocalNode, LocalNodeSettings},
    value::{self, ChainId, Wei},
};

use crate::harness::{
    Database, ETHER, Gate, PASSWORD, Pass, Process, account, code_of, on_both_databases, rpc, stranger,
};

on_both_databases!(
    in_its_own_world:
    killed_between_approval_and_execution,
    killed_during_execution_before_a_byte_reached_the_node,
    killed_after_the_node_answered_and_before_that_was_recorded,
);

/// A server process behind a gate, with one approved payment.
struct Scene {
    database: Database,
    node: LocalNode,
    gate: Gate,
    from: Address,
    to: Address,
    api_key: String,
    transaction: Uuid,
}

const AMOUNT: u128 = 5;

impl Scene {
    async fn set(database: Database) -> (Self, Process) {
        let chain_id = ChainId::new(31_337).expect("in range");
        let node = LocalNode::start(LocalNodeSettings { program: None, port: None, state_file: None, chain_id });
        let node = node.await.expect("a node; `npm ci` installs it");
        let gate = Gate::before(node.url()).await;
        let process = Process::start(&database, &gate.url).await;

        let client = UserClient::new(process.url.as_str()).expect("a loopback URL");
        let password = Secret::from(PASSWORD);
        client.register("ada", &password).await.expect("a new name");
        client.login("ada", &password).await.expect("the right password");
        let setup = client.setup_mfa(&password, None).await.expect("a first factor");
        // Three decisions in a row: the codes of the step before, of this one and of the next are good, each once.
        #[expect(clippy::disallowed_methods, reason = "the clock of an authenticator app")]
        let mut now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        // Near the end of a step the code before would be too old on arrival, as on anybody's phone.
        let left = 30 - now % 30;
        if left < 5 {
            tokio::time::sleep(Duration::from_secs(left)).await;
            now += left;
        }
        let code = |at: u64| code_of(setup.secret.expose(), at);
        client.confirm_mfa(&code(now - 30)).await.expect("the code before");
        let wallet = client.create_wallet(&password, None).await.expect("the right password");
        let created = client.create_agent(CreateAgent::new("payer", code(now))).await.expect("this code");
        let api_key = created.api_key.expect("shown once").expose().to_owned();
        node.fund(value::Address(wallet.address), Wei(U256::from(ETHER))).await.expect("the node has accounts");
        let (from, to) = (wallet.address, stranger());
        let agent = AgentClient::new(process.url.as_str(), api_key.as_str()).expect("a loopback URL");
        let asked = agent.prepare(PrepareTransaction::transfer(to, U256::from(AMOUNT))).await.expect("a payment");
        let approval = Authorize::new(asked.transaction_id, code(now + 30)).digest(asked.digest);
        client.authorize(approval).await.expect("the next code");
        let transaction = asked.transaction_id;
        (Self { database, node, gate, from, to, api_key, transaction }, process)
    }

    fn agent(&self, process: &Process) -> AgentClient {
        let builder = AgentClient::builder(process.url.as_str(), self.api_key.as_str());
        builder.wait_limit(Duration::from_secs(60)).build().expect("a loopback URL and a good key")
    }

    async fn restart(&self) -> Process {
        self.gate.let_pass(Pass::Through);
        Process::start(&self.database, &self.gate.url).await
    }

    /// One mined transaction, the right status, and never any other bytes.
    async fn ends_well(self, process: Process) {
        let agent = self.agent(&process);
        let confirmed = agent.wait_until_confirmed(self.transaction).await.expect("the node mines");
        assert_eq!(confirmed.status, Status::Confirmed);
        let url = value::Secret::new(self.node.url().to_owned());
        assert_eq!(account(url.clone(), self.to).await.balance.0, U256::from(AMOUNT));
        assert_eq!(account(url, self.from).await.nonce, 1);
        let hash = serde_json::json!([confirmed.transaction_hash]);
        assert_eq!(rpc(self.node.url(), "eth_getTransactionReceipt", hash).await["status"], "0x1");
        let sent = self.gate.sent();
        assert!(sent.iter().all(|bytes| *bytes == sent[0]), "the same bytes each time");
        assert_eq!(confirmed.transaction_hashes.len(), 1);
    }
}

async fn killed_between_approval_and_execution(database: Database) {
    let (scene, process) = Scene::set(database).await;
    process.kill();
    assert!(scene.gate.sent().is_empty());
    let process = scene.restart().await;
    assert_eq!(scene.agent(&process).status(scene.transaction).await.expect("its agent").status, Status::Authorized);
    scene.agent(&process).execute(scene.transaction).await.expect("it is approved");
    scene.ends_well(process).await;
}

async fn killed_during_execution_before_a_byte_reached_the_node(database: Database) {
    let (scene, process) = Scene::set(database).await;
    scene.gate.let_pass(Pass::NotAtAll);
    scene.agent(&process).execute(scene.transaction).await.expect("it is approved");
    scene.gate.reached().await;
    process.kill();
    let url = value::Secret::new(scene.node.url().to_owned());
    assert_eq!(account(url, scene.from).await.nonce, 0);
    let process = scene.restart().await;
    scene.ends_well(process).await;
}

async fn killed_after_the_node_answered_and_before_that_was_recorded(database: Database) {
    let (scene, process) = Scene::set(database).await;
    scene.gate.let_pass(Pass::OneWay);
    scene.agent(&process).execute(scene.transaction).await.expect("it is approved");
    scene.gate.reached().await;
    process.kill();
    let process = scene.restart().await;
    scene.ends_well(process).await;
}
