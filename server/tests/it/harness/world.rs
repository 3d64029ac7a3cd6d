use std::{sync::LazyLock, time::Duration};

use agent_sdk::{AgentClient, UserClient};
use alloy::primitives::{Address, U256};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use wallet_server::{
    chain::{
        Account, Chain, ChainSettings, EndpointSettings,
        local::{LocalNode, LocalNodeSettings},
    },
    config::{ChainSource, Config, Settings},
    state::State,
    value::{ChainId, Clock, Secret},
};

use super::{Database, Gate};

/// The id of the test node's chain.
pub(crate) const CHAIN: u64 = 31_337;

/// Any 64 hex digits.
pub(crate) const MASTER: &str = "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1";

/// A server in this process, its node and its database.
pub(crate) struct World {
    pub(crate) url: String,
    pub(crate) state: State,
    pub(crate) node: LocalNode,
    /// Everything between the server and its node passes here; with several endpoints, what goes to the first.
    pub(crate) gate: Gate,
    /// The other endpoints, each before the same node.
    pub(crate) others: Vec<Gate>,
    pub(crate) database: Database,
    pub(crate) config: Config,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl World {
    pub(crate) async fn start(database: Database) -> Self {
        Self::start_on(database, &[], |_| {}).await
    }

    /// The same with more arguments for the node and other settings.
    pub(crate) async fn start_on(database: Database, node: &[&str], change: impl FnOnce(&mut Config)) -> Self {
        Self::start_behind(1, database, node, change).await
    }

    /// The same with so many endpoints before one node, asked in their order.
    pub(crate) async fn start_behind(
        endpoints: usize,
        database: Database,
        node: &[&str],
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let settings = LocalNodeSettings {
            program: None,
            port: None,
            state_file: None,
            chain_id: ChainId::new(CHAIN).expect("in range"),
        };
        let node = LocalNode::start_with(settings, node).await.expect("a node; `npm ci` installs it");
        let gate = Gate::before(node.url()).await;
        let mut config = config(&database, &gate.url);
        let mut others = Vec::new();
        for number in 1..endpoints {
            let other = Gate::before(node.url()).await;
            let ChainSource::Known(chains) = &mut config.chains else { panic!("tests name their chain") };
            let mut endpoint = EndpointSettings::new(format!("node {number}"), Secret::new(other.url.clone()));
            endpoint.order = u32::try_from(number).expect("a few");
            chains[0].endpoints.push(endpoint);
            others.push(other);
        }
        change(&mut config);
        let (state, url, stop, serving) = serve(&config, Clock::system()).await;
        Self { url, state, node, gate, others, database, config, stop, serving }
    }

    /// Stops the server as SIGTERM does, and starts another on the same database and node.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Stops the server as SIGTERM does.
    pub(crate) async fn stop(&mut self) {
        self.stop.send_replace(true);
        (&mut self.serving).await.expect("it stops by itself");
    }

    /// Ends the server wherever it is, as far as a part of this process can be killed, and starts another.
    pub(crate) async fn crash(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
        // As the end of a process does: its connections break, and the lock of its file is free.
        self.state.store.close().await.expect("it is open");
        self.start_again().await;
    }

    /// Starts another server on the same database and node after a stop, with the clock of the one before.
    pub(crate) async fn start_again(&mut self) {
        let (state, url, stop, serving) = serve(&self.config, self.state.clock.clone()).await;
        (self.state, self.url, self.stop, self.serving) = (state, url, stop, serving);
    }

    /// A second server on the same database and node, with the same clock and a gate and a mark of its own.
    pub(crate) async fn second(&self) -> Second {
        let gate = Gate::before(self.node.url()).await;
        let mut config = self.config.clone();
        config.mark_file = self.database.directory().join("second.mark");
        let ChainSource::Known(chains) = &mut config.chains else { panic!("tests name their chain") };
        chains[0].endpoints[0].url = Secret::new(gate.url.clone());
        let (_, url, stop, serving) = serve(&config, self.state.clock.clone()).await;
        Second { url, gate, _stop: stop, serving }
    }

    /// The endpoints in their order.
    pub(crate) fn gates(&self) -> impl Iterator<Item = &Gate> {
        std::iter::once(&self.gate).chain(&self.others)
    }

    /// Puts the server's clock forward.
    pub(crate) fn pass(&self, time: Duration) {
        self.state.clock.advance(time);
    }

    pub(crate) fn user_client(&self) -> UserClient {
        UserClient::new(self.url.as_str()).expect("a loopback URL")
    }

    pub(crate) fn agent_client(&self, api_key: &str) -> AgentClient {
        AgentClient::builder(self.url.as_str(), api_key)
            .wait_limit(Duration::from_secs(60))
            .build()
            .expect("a loopback URL and a good key")
    }

    /// The node's own view of an account.
    pub(crate) async fn account(&self, address: Address) -> Account {
        let url = Secret::new(self.node.url().to_owned());
        account(url, address).await
    }

    pub(crate) async fn balance(&self, address: Address) -> U256 {
        let balance = self.rpc("eth_getBalance", serde_json::json!([address, "latest"])).await;
        serde_json::from_value(balance).expect("a quantity")
    }

    /// Asks the node directly.
    pub(crate) async fn rpc(&self, method: &str, params: serde_json::Value) -> serde_json::Value {
        rpc(self.node.url(), method, params).await
    }
}

/// Another server on a world's database. It ends when this is dropped.
pub(crate) struct Second {
    pub(crate) url: String,
    pub(crate) gate: Gate,
    _stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Second {
    /// A client of this server for an agent.
    pub(crate) fn agent_client(&self, api_key: &str) -> AgentClient {
        AgentClient::builder(self.url.as_str(), api_key)
            .wait_limit(Duration::from_secs(60))
            .build()
            .expect("a loopback URL and a good key")
    }

    /// Ends it wherever it is.
    pub(crate) fn kill(self) {
        self.serving.abort();
    }
}

/// Made once, since that reads every root certificate of the machine. It keeps no connection: each test has a runtime of its
/// own, with which its connections end.
static CLIENT: LazyLock<reqwest::Client> =
    LazyLock::new(|| reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client"));

/// Asks a node directly.
pub(crate) async fn rpc(url: &str, method: &str, params: serde_json::Value) -> serde_json::Value {
    let body = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let answer = CLIENT.post(url).json(&body).send().await.expect("the node answers");
    let answer: serde_json::Value = answer.json().await.expect("JSON");
    assert!(answer.get("error").is_none(), "{method}: {answer}");
    answer["result"].clone()
}

/// A node's view of an account.
pub(crate) async fn account(url: Secret<String>, address: Address) -> Account {
    let id = ChainId::new(CHAIN).expect("in range");
    let chain = Chain::new(ChainSettings::new(id, url)).expect("an http URL");
    chain.account(wallet_server::value::Address(address)).await.expect("the node answers")
}

fn config(database: &Database, node: &str) -> Config {
    let chains = format!("{CHAIN}={node}");
    let settings = Settings::from(|name| match name {
        "DATABASE_URL" => Some(database.url.clone()),
        "CHAINS" => Some(chains.clone()),
        "API_SECRET" => Some(MASTER.to_owned()),
        "POLL_INTERVAL" => Some("50ms".to_owned()),
        "MARK_FILE" => Some(database.mark_file()),
        "LISTEN" => Some("127.0.0.1:0".to_owned()),
        _ => None,
    });
    let config = Config::read(&settings.expect("no doubles")).expect("complete");
    assert!(matches!(config.chains, ChainSource::Known(_)));
    config
}

async fn serve(config: &Config, clock: Clock) -> (State, String, watch::Sender<bool>, JoinHandle<()>) {
    let mut state = wallet_server::open(config).await.expect("a fresh database opens");
    state.clock = clock;
    let socket = TcpListener::bind(&config.listen).await.expect("a free port");
    let url = format!("http://{}", socket.local_addr().expect("it is bound"));
    let (stop, stopped) = watch::channel(false);
    let (config, running) = (config.clone(), state.clone());
    let serving = tokio::spawn(async move {
        wallet_server::run(running, &config, socket, stopped).await.expect("settings are good");
    });
    (state, url, stop, serving)
}
