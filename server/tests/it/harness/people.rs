use std::time::Duration;

use agent_sdk::{
    AgentClient, Authorize, AuthorizeBatch, CreateAgent, Error, PrepareTransaction, Secret, Transaction, UserClient,
};
use alloy::primitives::{Address, U256, keccak256};
use totp_rs::{Algorithm, Builder};
use uuid::Uuid;
use wallet_server::value::{Clock, Wei};

use super::World;

/// The length of a TOTP step, RFC 6238.
pub(crate) const STEP: Duration = Duration::from_secs(30);

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// One ether in wei.
pub(crate) const ETHER: u128 = 1_000_000_000_000_000_000;

/// The code that an authenticator app shows for a secret at a time.
pub(crate) fn code_of(base32: &str, unix_seconds: u64) -> Secret {
    let secret = totp_rs::Secret::try_from_base32(base32).expect("the server's own form");
    let totp = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(STEP.as_secs())
        .with_secret(secret)
        .build()
        .expect("RFC 6238 parameters");
    totp.generate(unix_seconds).to_string().into()
}

/// Someone with a login, an authenticator app, a funded wallet and an agent.
pub(crate) struct Human {
    pub(crate) client: UserClient,
    pub(crate) agent: AgentClient,
    pub(crate) agent_id: Uuid,
    pub(crate) api_key: String,
    pub(crate) username: String,
    pub(crate) address: Address,
    pub(crate) totp_secret: String,
    clock: Clock,
}

impl Human {
    /// Somebody with 10 ether.
    pub(crate) async fn with_everything(world: &World) -> Self {
        let human = Self::without_funds(world).await;
        let amount = Wei(U256::from(10 * ETHER));
        world.node.fund(wallet_server::value::Address(human.address), amount).await.expect("the node has accounts");
        human
    }

    pub(crate) async fn without_funds(world: &World) -> Self {
        let username = format!("user-{}", Uuid::now_v7().simple());
        let password = Secret::from(PASSWORD);
        let client = world.user_client();
        client.register(&username, &password).await.expect("a new name");
        client.login(&username, &password).await.expect("the right password");
        let setup = client.setup_mfa(&password, None).await.expect("a first factor");
        let totp_secret = setup.secret.expose().to_owned();
        let clock = world.state.clock.clone();
        client.confirm_mfa(&fresh_code(&clock, &totp_secret)).await.expect("the right code");
        let wallet = client.create_wallet(&password, Some("spending")).await.expect("the right password");
        let request = CreateAgent::new("payer", fresh_code(&clock, &totp_secret));
        let created = client.create_agent(request).await.expect("the right code");
        let api_key = created.api_key.expect("shown once").expose().to_owned();
        Self {
            agent: world.agent_client(&api_key),
            agent_id: created.agent.agent_id,
            client,
            api_key,
            username,
            address: wallet.address,
            totp_secret,
            clock,
        }
    }

    /// The same person after a restart, logged in at the server's new address. Its clock goes on from the old one.
    pub(crate) async fn at(&self, world: &World) -> Self {
        let clock = world.state.clock.clone();
        clock.advance(self.clock.now().since(clock.now()));
        let client = world.user_client();
        client.login(&self.username, &PASSWORD.into()).await.expect("the right password");
        Self {
            client,
            agent: world.agent_client(&self.api_key),
            agent_id: self.agent_id,
            api_key: self.api_key.clone(),
            username: self.username.clone(),
            address: self.address,
            totp_secret: self.totp_secret.clone(),
            clock,
        }
    }

    /// A code that was never used: the clock goes on to the next step first.
    pub(crate) fn code(&self) -> Secret {
        fresh_code(&self.clock, &self.totp_secret)
    }

    pub(crate) async fn client_user_id(&self) -> Uuid {
        self.client.me().await.expect("a session").user_id
    }

    /// The agent asks for a payment of `wei`.
    pub(crate) async fn ask(&self, to: Address, wei: u128) -> Transaction {
        self.agent.prepare(PrepareTransaction::transfer(to, U256::from(wei))).await.expect("a plain payment")
    }

    pub(crate) async fn approve(&self, transaction: &Transaction) -> Result<Transaction, Error> {
        let approval = Authorize::new(transaction.transaction_id, self.code()).digest(transaction.digest);
        self.client.authorize(approval).await
    }

    /// Another wallet, with 10 ether.
    pub(crate) async fn another_wallet(&self, world: &World) -> Address {
        let wallet = self.client.create_wallet(&Secret::from(PASSWORD), None).await.expect("the right password");
        let amount = Wei(U256::from(10 * ETHER));
        world.node.fund(wallet_server::value::Address(wallet.address), amount).await.expect("the node has accounts");
        wallet.address
    }

    /// The agent asks for a payment from one of several wallets.
    pub(crate) async fn ask_from(&self, wallet: Address, to: Address, wei: u128) -> Transaction {
        let request = PrepareTransaction::transfer(to, U256::from(wei)).address(wallet);
        self.agent.prepare(request).await.expect("a plain payment")
    }

    /// The agent asks for several payments of 1 wei, one after the other: the human is shown each with those before it.
    pub(crate) async fn ask_often(&self, to: Address, times: usize) -> Vec<Transaction> {
        let mut asked = Vec::with_capacity(times);
        for _ in 0..times {
            asked.push(self.ask(to, 1).await);
        }
        asked
    }

    /// Approves several with one code.
    pub(crate) async fn approve_all(&self, transactions: &[Transaction]) -> Result<Vec<Transaction>, Error> {
        let batch = transactions.iter().fold(AuthorizeBatch::new(self.code()), AuthorizeBatch::add);
        self.client.authorize_all(batch).await
    }

    /// Asks, approves and executes.
    pub(crate) async fn executed(&self, to: Address, wei: u128) -> Transaction {
        let approved = self.approved(to, wei).await;
        self.agent.execute(approved.transaction_id).await.expect("it is approved")
    }

    /// Asks and approves.
    pub(crate) async fn approved(&self, to: Address, wei: u128) -> Transaction {
        let transaction = self.ask(to, wei).await;
        self.approve(&transaction).await.expect("the owner with a fresh code")
    }
}

/// Another login of somebody, as the bare token.
pub(crate) async fn log_in(world: &World, human: &Human) -> String {
    let body = serde_json::json!({ "username": human.username, "password": PASSWORD });
    let request = reqwest::Client::new().post(format!("{}/api/login", world.url)).json(&body);
    let answer: serde_json::Value = request.send().await.expect("the server answers").json().await.expect("JSON");
    answer["access_token"].as_str().expect("a token").to_owned()
}

/// Somewhere to send to, that looks like nobody else.
pub(crate) fn stranger() -> Address {
    Address::from_word(keccak256(Uuid::now_v7().as_bytes()))
}

fn now(clock: &Clock) -> u64 {
    u64::try_from(clock.now().unix_seconds()).expect("after 1970")
}

fn fresh_code(clock: &Clock, base32: &str) -> Secret {
    clock.advance(STEP);
    code_of(base32, now(clock))
}
