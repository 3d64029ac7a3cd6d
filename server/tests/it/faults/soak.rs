//! A server of its own for a long time behind three endpoints: of a hundred exchanges five fail, and at any moment one
//! endpoint lies, lags, forgets, hangs or is gone. `SOAK_MINUTES` says how long (20).

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use agent_sdk::{Status, Transaction};
use alloy::primitives::keccak256;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use wallet_server::{
    chain::{
        Chain, Verdict,
        local::{LocalNode, LocalNodeSettings},
    },
    value::ChainId,
};

use super::{
    SOON, finality,
    long::{Dice, Stoic},
    scenario::{figure, scenarios},
};
use crate::harness::{
    Call, Calls, Database, Fault, Gate, Human, Oracle, Process, World, eventually, number,
    oracle::{connect, select},
    rpc, stranger, until,
};

scenarios!(
    long:
    behind_three_endpoints_of_which_one_lies_nothing_is_false_or_stuck_and_nothing_grows,
    two_hundred_payments_lose_their_best_endpoint_in_the_middle,
);

/// How long an endpoint keeps a part.
const PART: Duration = Duration::from_secs(8);
/// How often a block comes that nobody asked for.
const BLOCKS: Duration = Duration::from_millis(700);

/// What an endpoint does for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    LiesAboutOutcomes,
    LiesAboutNonces,
    ForksOff,
    Forgets,
    Swallows,
    Refuses,
    Lags,
    Hangs,
    Dies,
}

const PARTS: [Part; 9] = [
    Part::LiesAboutOutcomes,
    Part::LiesAboutNonces,
    Part::ForksOff,
    Part::Forgets,
    Part::Swallows,
    Part::Refuses,
    Part::Lags,
    Part::Hangs,
    Part::Dies,
];

impl Part {
    fn begin(self, gate: &Gate, head: u64, nonce: u64) {
        let forked = |call: &Call, mut shown: Value| {
            if call.text(0) != "0x0" && shown.is_object() {
                shown["hash"] = json!(keccak256(shown["hash"].as_str().unwrap_or_default()));
            }
            shown
        };
        match self {
            Self::LiesAboutOutcomes => {
                gate.change_receipts(|receipt| receipt["status"] = json!("0x0"));
            }
            Self::LiesAboutNonces => {
                let latest = Calls::of("eth_getTransactionCount").only(|call| call.text(1) == "latest");
                gate.when(latest, Fault::Answer(json!(format!("0x{nonce:x}"))));
            }
            Self::ForksOff => {
                gate.when(Calls::of("eth_getBlockByNumber"), Fault::lie(forked));
            }
            Self::Forgets => {
                gate.hide_receipts();
            }
            Self::Swallows => {
                gate.when(Calls::of(crate::harness::SEND), Fault::Lose);
            }
            Self::Refuses => {
                gate.when(Calls::of(crate::harness::SEND), Fault::refuse("invalid sender"));
            }
            Self::Lags => {
                gate.lag(head, 6);
            }
            Self::Hangs => {
                gate.when(Calls::any(), Fault::Drop);
            }
            Self::Dies => {
                gate.when(Calls::any(), Fault::Status(503));
            }
        }
    }
}

/// Of a hundred calls five fail, in one of two ways.
fn fails_now_and_then(gate: &Gate, dice: &mut Dice) {
    for fault in [Fault::Status(502), Fault::Refuse(-32_603, "internal error: try again".to_owned())] {
        let count = AtomicU64::new(dice.below(40));
        gate.when(Calls::any().only(move |_| count.fetch_add(1, Ordering::Relaxed).is_multiple_of(40)), fault);
    }
}

fn minutes() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests, not of the server")]
    let set = std::env::var("SOAK_MINUTES").ok();
    set.map_or(20, |minutes| minutes.parse().expect("a number of minutes"))
}

/// Resident memory in MiB, and open descriptors.
fn size(process: u32) -> (u64, usize) {
    let statm = fs::read_to_string(format!("/proc/{process}/statm")).expect("it runs");
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number of pages");
    let descriptors = fs::read_dir(format!("/proc/{process}/fd")).expect("it runs").count();
    (pages * 4 / 1024, descriptors)
}

async fn behind_three_endpoints_of_which_one_lies_nothing_is_false_or_stuck_and_nothing_grows(database: Database) {
    let chain_id = ChainId::new(31_337).expect("in range");
    let node = LocalNode::start(LocalNodeSettings { program: None, port: None, state_file: None, chain_id });
    let node = node.await.expect("a node; `npm ci` installs it");
    rpc(node.url(), "anvil_mine", json!(["0x10"])).await;
    let mut gates = Vec::new();
    let mut file = format!("[[chain]]\nid = {chain_id}\nfinality = 6\nrequest_timeout = \"1s\"\nbump_after = \"2s\"\n");
    for name in ["one", "two", "three"] {
        let gate = Gate::before(node.url()).await;
        file.push_str(&format!("[[chain.endpoint]]\nname = \"{name}\"\nurl = \"{}\"\n", gate.url));
        gates.push(gate);
    }
    let path = database.directory().join("chains.toml");
    fs::write(&path, file).expect("a place for files");
    let path = path.display().to_string();
    let settings = [
        ("CHAINS", ""),
        ("CHAINS_FILE", path.as_str()),
        ("JWT_ACCESS_TOKEN_EXPIRES", "1d"),
        ("EXECUTION_WINDOW", "60"),
    ];
    let port = TcpListener::bind("127.0.0.1:0").await.and_then(|free| free.local_addr()).expect("a free port").port();
    let server = Process::start_at(port, &database, node.url(), &settings).await;
    let mut dice = Dice::new("soak");
    let mut people = Vec::new();
    for place in 0..3 {
        people.push(Stoic::new(&server.url, &node, &format!("stoic-{place}"), 2).await);
    }
    let (done, slowest, parts) = (AtomicBool::new(false), AtomicU64::new(0), AtomicUsize::new(0));
    let (to, end) = (stranger(), Instant::now() + Duration::from_secs(minutes() * 60));
    let dices: Vec<Dice> = people.iter().map(|_| dice.split()).collect();
    let pay = people.iter_mut().zip(dices).map(async |(person, mut dice)| {
        while !done.load(Ordering::Relaxed) {
            for id in person.round(&mut dice, to).await {
                let began = Instant::now();
                match dice.below(8) {
                    0 => drop(person.client.cancel(id).await),
                    _ => drop(person.agent.execute(id).await),
                }
                slowest.fetch_max(u64::try_from(began.elapsed().as_millis()).unwrap_or(0), Ordering::Relaxed);
            }
        }
    });
    let mut sizes = Vec::new();
    let play = async {
        while Instant::now() < end {
            gates.iter().for_each(Gate::heal);
            gates.iter().for_each(|gate| fails_now_and_then(gate, &mut dice));
            let head = number(&rpc(node.url(), "eth_blockNumber", json!([])).await);
            let gate = &gates[usize::try_from(dice.below(3)).expect("an index")];
            let nonce = dice.of(&[0, 1_000]);
            dice.of(&PARTS).begin(gate, head, nonce);
            parts.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(PART).await;
            sizes.push(size(server.id()));
        }
        done.store(true, Ordering::Relaxed);
    };
    let mine = async {
        loop {
            rpc(node.url(), "anvil_mine", json!(["0x1"])).await;
            tokio::time::sleep(BLOCKS).await;
        }
    };
    let oracle = Oracle::new(node.url(), &database.url);
    let story = async {
        tokio::join!(join_all(pay), play);
        gates.iter().for_each(Gate::heal);
        // What nobody executed expires within a minute, and who was not believed is again.
        tokio::time::sleep(Duration::from_secs(62)).await;
        oracle.all_ends_truly(Duration::from_secs(120)).await;
    };
    tokio::select! {
        () = story => {}
        () = mine => {}
    }
    let violations =
        select(&connect(&database.url).await, "SELECT kind FROM events WHERE kind = 'finality_violation'").await;
    assert!(violations.is_empty(), "{} final states were taken back", violations.len());
    let facts = oracle.facts().await;
    let is = |status: Status| facts.rows.iter().filter(|row| row.status == status.as_str()).count();
    let settled = sizes[sizes.len() / 4..].to_vec();
    let ((first_rss, first_fds), (last_rss, last_fds)) = (settled[0], settled[settled.len() - 1]);
    figure(&format!(
        "{} minutes behind three endpoints, {} parts played: {} asked, {} confirmed, {} cancelled, {} expired, {} \
         failed, {} superseded; slowest execute {} ms; resident {first_rss} -> {last_rss} MiB, descriptors {first_fds} \
         -> {last_fds}",
        minutes(),
        parts.into_inner(),
        facts.rows.len(),
        is(Status::Confirmed),
        is(Status::Cancelled),
        is(Status::Expired),
        is(Status::Failed),
        is(Status::Superseded),
        slowest.into_inner(),
    ));
    assert_eq!(is(Status::Superseded), 0, "nobody else used a nonce");
    assert!(is(Status::Confirmed) > 10, "payments were made");
    assert!(last_rss <= first_rss + first_rss / 4 + 16, "resident: {settled:?}");
    assert!(last_fds <= first_fds + 24, "descriptors: {settled:?}");
}

/// Pays by 8 clients, and gives how long each payment took from its execution until it was mined, the slowest last.
async fn pay(human: &Human, payments: &[Transaction]) -> Vec<Duration> {
    let shared = std::sync::Mutex::new(payments.iter());
    let clients = (0..8).map(async |_| {
        let mut took = Vec::new();
        loop {
            let Some(payment) = shared.lock().expect("no panics").next() else { return took };
            let began = Instant::now();
            human.agent.execute(payment.transaction_id).await.expect("it is approved");
            until(human, payment, |now| matches!(now.status, Status::Mined | Status::Confirmed)).await;
            took.push(began.elapsed());
        }
    });
    let mut took: Vec<_> = join_all(clients).await.concat();
    took.sort();
    took
}

async fn two_hundred_payments_lose_their_best_endpoint_in_the_middle(database: Database) {
    const HALF: usize = 100;
    let name = if database.url.starts_with("sqlite:") { "sqlite" } else { "postgres" };
    let world = World::start_behind(3, database, &[], |config| {
        config.policy.session_lifetime = Duration::from_secs(24 * 3_600);
        config.policy.execution_window = Duration::from_secs(24 * 3_600);
        config.policy.pending_per_agent = 1_000;
        finality(config, 2);
    })
    .await;
    for (what, fault) in [("hangs", Fault::Drop), ("is gone", Fault::Status(502))] {
        let human = Human::with_everything(&world).await;
        let mut approved = Vec::new();
        for _ in 0..HALF / 10 {
            let asked = human.ask_often(stranger(), 20).await;
            approved.extend(human.approve_all(&asked).await.expect("the owner with a fresh code"));
        }
        let before = pay(&human, &approved[..HALF]).await;
        world.gate.when(Calls::any(), fault);
        let after = pay(&human, &approved[HALF..]).await;
        let told = |took: &[Duration]| {
            let (median, slowest) = (took[took.len() / 2], took[took.len() - 1]);
            format!("median {} ms, slowest {} ms", median.as_millis(), slowest.as_millis())
        };
        figure(&format!(
            "200 payments, 8 clients, three endpoints, {name}; before: {}; after the best one {what}: {}",
            told(&before),
            told(&after)
        ));
        assert!(after[after.len() - 1] < Duration::from_secs(20), "{after:?}");
        world.mine(2).await;
        Oracle::of(&world).all_ends_truly(SOON * 3).await;
        world.gate.heal();
        eventually("the best one is used again", SOON, async || world.state.chains.iter().all(all_are_good)).await;
    }
}

fn all_are_good(chain: &Chain) -> bool {
    chain.endpoints().iter().all(|endpoint| endpoint.health.verdict == Verdict::Good)
}
