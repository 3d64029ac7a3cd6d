//! A server on SQLite, a node, and a user with a funded wallet, an agent and the program at hand.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use agent_sdk::{AgentClient, CreateAgent, Secret, UserClient};
use alloy::primitives::{Address, Bytes, U256};
use alloy::sol_types::SolCall;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::watch};
use wallet_server::chain::local::{LocalNode, LocalNodeSettings};
use wallet_server::config::{Config, Settings};
use wallet_server::state::State;
use wallet_server::value::{self, ChainId, Wei};

pub(crate) const PASSWORD: &str = "correct horse battery staple";
const CHAIN: u64 = 31_337;
/// Any 64 hex digits.
const MASTER: &str = "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1";
/// The length of a TOTP step, RFC 6238.
const STEP: Duration = Duration::from_secs(30);
/// What `scripts/contracts` has compiled.
const BYTECODE: &str = include_str!("../../../server/tests/contracts/bytecode.json");

/// How a run ended.
pub(crate) struct Run {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) struct Stage {
    pub(crate) agent: AgentClient,
    pub(crate) address: Address,
    pub(crate) config_dir: TempDir,
    url: String,
    node: LocalNode,
    state: State,
    totp_secret: Secret,
    bytecode: Value,
    _stop: watch::Sender<bool>,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let config_dir = TempDir::new().expect("a directory");
        let chain_id = ChainId::new(CHAIN).expect("in range");
        let node = LocalNode::start(LocalNodeSettings { program: None, port: None, state_file: None, chain_id });
        let node = node.await.expect("a node; `npm ci` installs it");
        let (state, url, stop) = serve(&config_dir, node.url()).await;

        let (client, password) = (UserClient::new(url.as_str()).expect("a loopback URL"), Secret::from(PASSWORD));
        client.register("ada", &password).await.expect("a new name");
        client.login("ada", &password).await.expect("the right password");
        let setup = client.setup_mfa(&password, None).await.expect("a first factor");
        client.confirm_mfa(&code(&state, &setup.secret).into()).await.expect("the right code");
        let address = client.create_wallet(&password, Some("spending")).await.expect("the right password").address;
        let created = client.create_agent(CreateAgent::new("payer", code(&state, &setup.secret))).await;
        let api_key = created.expect("the right code").api_key.expect("shown once");
        let agent = AgentClient::builder(url.as_str(), api_key).wait_limit(Duration::from_secs(60)).build();
        let amount = Wei(U256::from(10_u128.pow(19)));
        node.fund(value::Address(address), amount).await.expect("the node has accounts");

        let agent = agent.expect("a loopback URL and a good key");
        let bytecode = serde_json::from_str(BYTECODE).expect("JSON");
        let totp_secret = setup.secret;
        let stage = Self { agent, address, config_dir, url, node, state, totp_secret, bytecode, _stop: stop };
        let login = stage.run(&["login", "ada", "--password-stdin"], &format!("{PASSWORD}\n"));
        assert_eq!(login.exit, 0, "{}", login.stderr);
        stage
    }

    /// A code that was never used: the clock goes on to the next step first.
    pub(crate) fn code(&self) -> String {
        code(&self.state, &self.totp_secret)
    }

    /// Runs the program with this standard input.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Run {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wallet-cli"))
            .env_clear()
            .args(["--server", &self.url, "--config-dir"])
            .arg(self.config_dir.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("piped");
        // It may end without reading.
        drop(stdin.write_all(input.as_bytes()));
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Run {
            exit: output.status.code().expect("it exits"),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Asks the node directly.
    pub(crate) async fn rpc(&self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = reqwest::Client::new().post(self.node.url()).json(&body).send().await.expect("the node answers");
        let answer: Value = answer.json().await.expect("JSON");
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    pub(crate) async fn balance(&self, address: Address) -> U256 {
        let balance = self.rpc("eth_getBalance", json!([address, "latest"])).await;
        serde_json::from_value(balance).expect("a quantity")
    }

    pub(crate) async fn token_balance(&self, token: Address, owner: Address) -> U256 {
        alloy::sol! { function balanceOf(address owner) view returns (uint256); }
        self.ask(token, balanceOfCall { owner }).await
    }

    /// What a contract answers.
    pub(crate) async fn ask<C: SolCall>(&self, contract: Address, call: C) -> C::Return {
        let call = json!({ "to": contract, "data": Bytes::from(call.abi_encode()) });
        let answer = self.rpc("eth_call", json!([call, "latest"])).await;
        let answer: Bytes = serde_json::from_value(answer).expect("bytes");
        C::abi_decode_returns(&answer).expect("its own type")
    }

    /// The creation code of one of the tests' contracts.
    pub(crate) fn bytecode(&self, name: &str) -> &str {
        self.bytecode[name]["creation"].as_str().expect("a known contract")
    }

    /// Deploys one from the node's own account.
    pub(crate) async fn deploy(&self, name: &str, arguments: Vec<u8>) -> Address {
        let accounts = self.rpc("eth_accounts", json!([])).await;
        let data = format!("{}{}", self.bytecode(name), alloy::primitives::hex::encode(arguments));
        let hash = self.rpc("eth_sendTransaction", json!([{ "from": accounts[0], "data": data }])).await;
        let receipt = self.rpc("eth_getTransactionReceipt", json!([hash])).await;
        receipt["contractAddress"].as_str().and_then(|text| text.parse().ok()).expect("a contract")
    }
}

/// Serves until the sender goes.
async fn serve(directory: &TempDir, node: &str) -> (State, String, watch::Sender<bool>) {
    let database = format!("sqlite:{}", directory.path().join("wallet.sqlite").display());
    let chains = format!("{CHAIN}={node}");
    let settings = Settings::from(|name| match name {
        "DATABASE_URL" => Some(database.clone()),
        "CHAINS" => Some(chains.clone()),
        "API_SECRET" => Some(MASTER.to_owned()),
        "POLL_INTERVAL" => Some("50ms".to_owned()),
        "LISTEN" => Some("127.0.0.1:0".to_owned()),
        _ => None,
    });
    let config = Config::read(&settings.expect("no doubles")).expect("complete");
    let state = wallet_server::open(&config).await.expect("a fresh database opens");
    let socket = TcpListener::bind(&config.listen).await.expect("a free port");
    let url = format!("http://{}", socket.local_addr().expect("it is bound"));
    let (stop, stopped) = watch::channel(false);
    let running = state.clone();
    tokio::spawn(async move { wallet_server::run(running, &config, socket, stopped).await });
    (state, url, stop)
}

fn code(state: &State, secret: &Secret) -> String {
    state.clock.advance(STEP);
    let now = u64::try_from(state.clock.now().unix_seconds()).expect("after 1970");
    let secret = totp_rs::Secret::try_from_base32(secret.expose()).expect("the server's own form");
    let totp = totp_rs::Builder::new()
        .with_algorithm(totp_rs::Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(STEP.as_secs())
        .with_secret(secret)
        .build()
        .expect("RFC 6238 parameters");
    totp.generate(now).to_string()
}
