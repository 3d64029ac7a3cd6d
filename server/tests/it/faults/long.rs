//! Many payments, many kills, many faults at random. `make test-long` runs these; their figures stand below the table.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use agent_sdk::{
    AgentClient, AuthorizeBatch, CreateAgent, Execute, PrepareTransaction, Secret, Transaction, UserClient,
};
use alloy::primitives::{Address, U256};
use futures_util::future::join_all;
use tokio::net::TcpListener;
use uuid::Uuid;
use wallet_server::{
    chain::local::{LocalNode, LocalNodeSettings},
    value::{self, ChainId, Wei},
};

use super::{
    finality, quick,
    scenario::{figure, scenarios},
};
use crate::harness::{
    Calls, Database, ETHER, Fault, Gate, Human, Oracle, PASSWORD, Process, SEND, World, code_of, stranger,
};

scenarios!(
    long:
    five_hundred_payments_of_one_wallet_from_thirty_two_clients,
    two_hundred_kills_over_twenty_wallets,
    a_minute_of_faults_at_random,
);

scenarios!(
    long, two servers:
    two_hundred_kills_of_two_servers,
    a_minute_of_faults_at_random_with_two_servers,
);

/// Numbers that look random and can be had again (Marsaglia's xorshift).
pub(super) struct Dice {
    state: u64,
    seed: u64,
    name: &'static str,
}

impl Dice {
    /// With the seed that `SEED` names, or a new one, which is told when the story fails.
    pub(super) fn new(name: &'static str) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a setting of the tests, and a seed that is never the same")]
        let seed: u64 = match std::env::var("SEED") {
            Ok(seed) => seed.parse().expect("a number"),
            Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").subsec_nanos().into(),
        };
        Self { state: seed | 1, seed, name }
    }

    /// Others of the same story.
    pub(super) fn split(&mut self) -> Self {
        Self { state: self.below(u64::MAX) | 1, ..*self }
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % bound
    }

    pub(super) fn milliseconds(&mut self, bound: u64) -> Duration {
        Duration::from_millis(self.below(bound))
    }

    pub(super) fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[usize::try_from(self.below(items.len() as u64)).expect("it is an index")]
    }
}

impl Drop for Dice {
    fn drop(&mut self) {
        if std::thread::panicking() {
            figure(&format!("{} failed with SEED={}", self.name, self.seed));
        }
    }
}

async fn five_hundred_payments_of_one_wallet_from_thirty_two_clients(database: Database) {
    const PAYMENTS: usize = 500;
    const CLIENTS: usize = 32;
    let name = if database.url.starts_with("sqlite:") { "sqlite" } else { "postgres" };
    let world = World::start_on(database, &[], |config| {
        config.policy.session_lifetime = Duration::from_secs(24 * 3_600);
        config.policy.execution_window = Duration::from_secs(24 * 3_600);
        config.policy.pending_per_agent = 1_000;
    })
    .await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let mut approved = Vec::new();
    let began = Instant::now();
    for _ in 0..PAYMENTS / 20 {
        let asked = human.ask_often(to, 20).await;
        approved.extend(human.approve_all(&asked).await.expect("the owner with a fresh code"));
    }
    let approving = began.elapsed();
    let ids: Arc<Vec<Uuid>> = Arc::new(approved.iter().map(|one| one.transaction_id).collect());
    let (next, began) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let (calls, requests) = (world.gate.calls(), world.gate.requests());
    let clients = (0..CLIENTS).map(|_| {
        let (agent, ids, next) = (world.agent_client(&human.api_key), ids.clone(), next.clone());
        tokio::spawn(async move {
            while let Some(id) = ids.get(next.fetch_add(1, Ordering::Relaxed)) {
                agent.execute(*id).await.expect("it is approved");
            }
        })
    });
    for client in join_all(clients).await {
        client.expect("no panic");
    }
    Oracle::of(&world).all_ends_truly(Duration::from_secs(240)).await;
    let (paying, calls, requests) = (began.elapsed(), world.gate.calls() - calls, world.gate.requests() - requests);
    figure(&format!(
        "{PAYMENTS} payments of one wallet, {CLIENTS} clients, {name}: approved in {:.1} s, paid in {:.1} s, {} calls \
         of the node in {} requests a payment",
        approving.as_secs_f64(),
        paying.as_secs_f64(),
        calls / PAYMENTS,
        requests / PAYMENTS
    ));
    assert_eq!(world.balance(to).await, U256::from(PAYMENTS));
    assert!(calls / PAYMENTS <= 25, "{} calls a payment", calls / PAYMENTS);
}

/// Somebody at a server that is killed all the time, with codes by the real time.
pub(super) struct Stoic {
    pub(super) client: UserClient,
    pub(super) agent: AgentClient,
    totp_secret: String,
    pub(super) wallets: Vec<Address>,
    last_step: u64,
}

impl Stoic {
    pub(super) async fn new(url: &str, node: &LocalNode, name: &str, wallets: usize) -> Self {
        let password = Secret::from(PASSWORD);
        let client = UserClient::new(url).expect("a loopback URL");
        client.register(name, &password).await.expect("a new name");
        client.login(name, &password).await.expect("the right password");
        let setup = client.setup_mfa(&password, None).await.expect("a first factor");
        let totp_secret = setup.secret.expose().to_owned();
        let mut last_step = step() - 1;
        client.confirm_mfa(&code_of(&totp_secret, last_step * 30)).await.expect("the code before");
        last_step += 1;
        let mut addresses = Vec::new();
        for _ in 0..wallets {
            let wallet = client.create_wallet(&password, None).await.expect("the right password").address;
            node.fund(value::Address(wallet), Wei(U256::from(ETHER))).await.expect("the node has accounts");
            addresses.push(wallet);
        }
        let request = CreateAgent::new("payer", code_of(&totp_secret, last_step * 30));
        let key = client.create_agent(request).await.expect("this code").api_key.expect("shown once");
        let agent = AgentClient::builder(url, key).attempts(20).build().expect("a loopback URL and a good key");
        Self { client, agent, totp_secret, wallets: addresses, last_step }
    }

    /// The next code, as soon as there is one: the server takes the one after the present one, too.
    async fn code(&mut self) -> Secret {
        self.last_step = (self.last_step + 1).max(step());
        while step() + 1 < self.last_step {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        code_of(&self.totp_secret, self.last_step * 30)
    }

    /// Asks for a payment from each wallet, and has them approved; whatever was asked is given back.
    pub(super) async fn round(&mut self, dice: &mut Dice, to: Address) -> Vec<Uuid> {
        let mut asked: Vec<Transaction> = Vec::new();
        for wallet in self.wallets.clone() {
            for _ in 0..1 + dice.below(3) {
                let execute = if dice.below(4) == 0 { Execute::OnApproval } else { Execute::Agent };
                let request = PrepareTransaction::transfer(to, U256::from(1)).address(wallet).execute(execute);
                // The node may be out of reach at that moment, also for longer than a client asks.
                if let Ok(one) = self.agent.prepare(request).await {
                    asked.push(one);
                }
            }
        }
        let code = self.code().await;
        let batch = asked.iter().fold(AuthorizeBatch::new(code), AuthorizeBatch::add);
        // When the answer is lost it may have happened all the same.
        let _ = self.client.authorize_all(batch).await;
        asked.into_iter().map(|one| one.transaction_id).collect()
    }
}

fn step() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the clock of an authenticator app")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    now / 30
}

async fn two_hundred_kills_over_twenty_wallets(database: Database) {
    kill_often(database, 1).await;
}

async fn two_hundred_kills_of_two_servers(database: Database) {
    kill_often(database, 2).await;
}

/// Kills servers at answers and at random moments while four people with five wallets each pay, withdraw and let
/// things expire.
async fn kill_often(database: Database, servers: usize) {
    const KILLS: usize = 200;
    const SETTINGS: [(&str, &str); 3] =
        [("EXECUTION_WINDOW", "60"), ("JWT_ACCESS_TOKEN_EXPIRES", "1d"), ("BUMP_AFTER", "1s")];
    let began = Instant::now();
    let chain_id = ChainId::new(31_337).expect("in range");
    let node = LocalNode::start(LocalNodeSettings { program: None, port: None, state_file: None, chain_id });
    let node = node.await.expect("a node; `npm ci` installs it");
    let gate = Gate::before(node.url()).await;
    let mut dice = Dice::new("kills");
    let mut running = Vec::new();
    for _ in 0..servers {
        let free = TcpListener::bind("127.0.0.1:0").await.and_then(|free| free.local_addr()).expect("a free port");
        let port = free.port();
        running.push((port, Process::start_at(port, &database, &gate.url, &SETTINGS).await));
    }
    let (done, executed, withdrawn) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let to = stranger();
    let mut people = Vec::new();
    for place in 0..4 {
        let url = running[place % servers].1.url.clone();
        people.push(Stoic::new(&url, &node, &format!("stoic-{place}"), 5).await);
    }
    let dices: Vec<Dice> = people.iter().map(|_| dice.split()).collect();
    let pay = people.iter_mut().zip(dices).map(async |(person, mut dice)| {
        while !done.load(Ordering::Relaxed) {
            for id in person.round(&mut dice, to).await {
                match dice.below(10) {
                    0..6 => executed.fetch_add(u64::from(person.agent.execute(id).await.is_ok()), Ordering::Relaxed),
                    6 => {
                        let _ = person.agent.execute(id).await;
                        withdrawn.fetch_add(u64::from(person.client.cancel(id).await.is_ok()), Ordering::Relaxed)
                    }
                    7 => withdrawn.fetch_add(u64::from(person.agent.cancel(id).await.is_ok()), Ordering::Relaxed),
                    // Nobody executes it in time.
                    _ => 0,
                };
            }
        }
    });
    let kill = async {
        let methods = [SEND, "eth_getTransactionReceipt", "eth_getTransactionCount", "eth_getBlockByNumber"];
        for kill in 0..KILLS {
            if kill % 2 == 0 {
                let fault = if dice.below(2) == 0 { Fault::Drop } else { Fault::Swallow };
                let deadly = gate.next(1, Calls::of(dice.of(&methods)), fault);
                let _ = tokio::time::timeout(Duration::from_secs(2), deadly.hit(1)).await;
                deadly.end();
            } else {
                tokio::time::sleep(dice.milliseconds(900)).await;
            }
            let place = kill % servers;
            let (port, process) = running.remove(place);
            process.kill();
            gate.heal();
            running.insert(place, (port, Process::start_at(port, &database, &gate.url, &SETTINGS).await));
        }
        done.store(true, Ordering::Relaxed);
    };
    tokio::join!(join_all(pay), kill);
    // What nobody executed expires within a minute; the rest is paid or cancelled.
    tokio::time::sleep(Duration::from_secs(62)).await;
    Oracle::new(node.url(), &database.url).all_ends_truly(Duration::from_secs(120)).await;
    let facts = Oracle::new(node.url(), &database.url).facts().await;
    let is = |status: &str| facts.rows.iter().filter(|row| row.status == status).count();
    figure(&format!(
        "{KILLS} kills of {servers} servers over 20 wallets in {:.0} s: {} asked, {} confirmed, {} cancelled, {} \
         expired, {} calls of the node",
        began.elapsed().as_secs_f64(),
        facts.rows.len(),
        is("confirmed"),
        is("cancelled"),
        is("expired"),
        gate.calls()
    ));
    assert!(is("confirmed") > 20 && is("expired") > 0 && is("cancelled") > 0, "all of it was tried");
    assert!(executed.into_inner() > 20 && withdrawn.into_inner() > 0);
}

async fn a_minute_of_faults_at_random(database: Database) {
    faults_at_random(database, false).await;
}

async fn a_minute_of_faults_at_random_with_two_servers(database: Database) {
    faults_at_random(database, true).await;
}

/// A fault that nodes and what stands before them have.
fn any_fault(dice: &mut Dice) -> Fault {
    match dice.below(10) {
        0 => Fault::Status(dice.of(&[429, 500, 502, 503])),
        1 => Fault::Cut,
        2 => Fault::Corrupt,
        3 => Fault::Swallow,
        4 => Fault::Drop,
        5 => Fault::Refuse(-32_000, (dice.of(&["invalid sender", "txpool is full", "nonce too low"])).to_owned()),
        6 => Fault::Answer(serde_json::Value::Null),
        7 => Fault::Lose,
        _ => Fault::Delay(dice.milliseconds(1_500)),
    }
}

async fn faults_at_random(database: Database, two_servers: bool) {
    let world = World::start_on(database, &[], |config| {
        quick(config);
        finality(config, 4);
        let wallet_server::config::ChainSource::Known(chains) = &mut config.chains else { panic!("it is listed") };
        chains[0].request_timeout = Duration::from_secs(2);
    })
    .await;
    let human = Human::with_everything(&world).await;
    let second = if two_servers { Some(world.second().await) } else { None };
    let gates: Vec<&Gate> = std::iter::once(&world.gate).chain(second.as_ref().map(|second| &second.gate)).collect();
    let mut dice = Dice::new("faults");
    let methods = [
        SEND,
        "eth_getTransactionReceipt",
        "eth_getTransactionCount",
        "eth_blockNumber",
        "eth_getBlockByNumber",
        "eth_chainId",
        "eth_getBalance",
    ];
    let (to, end) = (stranger(), Instant::now() + Duration::from_secs(60));
    world.mine(8).await;
    let mut paid = 0_u64;
    while Instant::now() < end {
        for gate in &gates {
            gate.heal();
        }
        let asked = human.ask_often(to, 4).await;
        let Ok(approved) = human.approve_all(&asked).await else { continue };
        for gate in &gates {
            for _ in 0..1 + dice.below(3) {
                let times = usize::try_from(1 + dice.below(6)).expect("few");
                let fault = any_fault(&mut dice);
                gate.next(times, Calls::of(dice.of(&methods)), fault);
            }
        }
        for one in &approved {
            let id = one.transaction_id;
            let there = second.as_ref().map(|second| second.agent_client(&human.api_key));
            let agent = if dice.below(2) == 0 { there.as_ref().unwrap_or(&human.agent) } else { &human.agent };
            match dice.below(8) {
                0 => drop(human.client.cancel(id).await),
                1 => {
                    drop(agent.execute(id).await);
                    drop(human.client.cancel(id).await);
                }
                _ => drop(agent.execute(id).await),
            }
            paid += 1;
        }
        match dice.below(6) {
            0 => {
                // Not as deep as what is final.
                world.reorganise(1 + dice.below(2)).await;
                world.mine(1).await;
                world.mine_by_itself(true).await;
            }
            1 => {
                let head = world.head().await;
                gates[0].lag(head, 1 + dice.below(2));
            }
            _ => world.mine(1).await,
        }
        tokio::time::sleep(dice.milliseconds(1_200)).await;
    }
    for gate in &gates {
        gate.heal();
    }
    let mining = async {
        loop {
            world.mine(1).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let oracle = Oracle::of(&world);
    tokio::select! {
        () = oracle.all_ends_truly(Duration::from_secs(60)) => {}
        () = mining => {}
    }
    figure(&format!("a minute of faults, {} servers: {paid} payments", gates.len()));
}
