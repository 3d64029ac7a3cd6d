//! How a local node begins and ends.

use std::{
    io::{BufRead, BufReader},
    net::TcpStream,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{chain, local, settings};
use crate::{
    chain::{
        DEFAULT_REQUEST_TIMEOUT,
        local::{LocalNode, LocalNodeError, LocalNodeSettings},
        rpc::Rpc,
    },
    value::{Address, Clock, Secret, Wei},
};

/// Whether nothing listens there any more, at the latest after 10 s.
fn ends(url: &str) -> bool {
    let address = url.trim_start_matches("http://");
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if TcpStream::connect(address).is_err() {
            return true;
        }
        #[expect(clippy::disallowed_methods, reason = "a thread of its own waits for another process")]
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

#[tokio::test]
async fn a_chain_survives_a_restart() {
    let directory = std::env::temp_dir().join(format!("wallet-server-{}", uuid::Uuid::now_v7()));
    let settings = LocalNodeSettings { state_file: Some(directory.join("deep/chain.json")), ..settings() };
    let someone: Address = "0x00000000000000000000000000000000000000bb".parse().expect("an address");
    let one = Wei("1".parse().expect("a number"));

    let node = LocalNode::start(settings.clone()).await.expect("anvil starts");
    node.fund(someone, one).await.expect("anvil's accounts hold 10000");
    let before = chain(node.url(), None).round().await.expect("anvil answers");
    node.stop().await.expect("anvil stops");

    // Anvil keeps what it made of a first block at each start, in no order: one more start shows little.
    for starts in 2..7 {
        let node = LocalNode::start(settings.clone()).await.expect("anvil starts again");
        let chain = chain(node.url(), None);
        assert_eq!(chain.account(someone).await.expect("anvil answers").balance, one);
        let after = chain.round().await.expect("anvil answers");
        assert_eq!((after.head, after.genesis), (before.head, before.genesis), "start {starts}");
        node.stop().await.expect("anvil stops");
    }

    // A chain that was kept does not stay in its own past.
    let node = LocalNode::start(settings).await.expect("anvil starts again");
    node.fund(someone, one).await.expect("anvil's accounts hold 10000");
    let rpc = Rpc::new(&Secret::new(node.url().to_owned()), DEFAULT_REQUEST_TIMEOUT).expect("a plain URL");
    let latest: serde_json::Value = rpc.ask("eth_getBlockByNumber", ("latest", false)).await.expect("anvil answers");
    let latest: alloy::primitives::U64 = serde_json::from_value(latest["timestamp"].clone()).expect("a quantity");
    let behind = Clock::system().now().unix_seconds() - latest.to::<i64>();
    assert!((-2..=2).contains(&behind), "{behind} s behind");
    node.stop().await.expect("anvil stops");
    std::fs::remove_dir_all(directory).expect("made above");
}

#[tokio::test]
async fn a_node_ends_when_it_is_stopped_or_dropped() {
    for stop in [true, false] {
        let (node, _) = local(&[]).await;
        let url = node.url().to_owned();
        if stop {
            node.stop().await.expect("anvil stops");
        } else {
            drop(node);
        }
        assert!(ends(&url));
    }
}

/// Not a test of its own: the process that the next one kills.
#[tokio::test]
#[ignore = "started by a_node_ends_when_its_owner_is_killed"]
async fn an_owner_that_waits_to_be_killed() {
    let (node, _) = local(&[]).await;
    {
        eprintln!("\nNODE {}", node.url());
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
}

#[test]
fn a_node_ends_when_its_owner_is_killed() {
    let mut owner = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "chain::tests::life::an_owner_that_waits_to_be_killed", "--ignored", "--nocapture"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this test runs again");
    let mut lines = BufReader::new(owner.stderr.take().expect("piped")).lines().map_while(Result::ok);
    let url = lines.find_map(|line| line.strip_prefix("NODE ").map(str::to_owned)).expect("anvil starts");
    assert!(TcpStream::connect(url.trim_start_matches("http://")).is_ok());
    // SIGKILL: nothing of the owner's runs any more.
    owner.kill().expect("it runs");
    owner.wait().expect("it ended");
    assert!(ends(&url));
}

#[tokio::test]
async fn a_missing_program_and_a_taken_port_are_named() {
    let missing = LocalNodeSettings { program: Some("/nowhere/anvil".into()), ..settings() };
    let error = LocalNode::start(missing).await.expect_err("there is none");
    assert!(matches!(error, LocalNodeError::NotFound) && error.to_string().contains("npm ci"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let taken = LocalNodeSettings { port: Some(port), ..settings() };
    assert!(matches!(LocalNode::start(taken).await, Err(LocalNodeError::PortTaken(_))));
}
