//! A disk that fills, connections that break, files that two want: what an answer says was done, was done.

use std::{fs::File, io::Write, path::Path, process::Command, time::Duration};

use agent_sdk::{Authorize, Status};
use serde_json::{Value, json};
use wallet_server::{config::ChainSource, store::wallets, value::Secret};

use crate::harness::{
    Cut, Database, Human, MASTER, PASSWORD, Pass, PostgresProxy, Process, World, code, on_both_databases, stranger,
};

/// Set in the copy of this program that has a mount namespace of its own.
const IN_NAMESPACE: &str = "WALLET_TEST_NAMESPACE";

/// Runs a test of this program again where it may mount file systems that nobody else sees and that go with it: in a
/// mount namespace, and for others than root in a user namespace too. True in there.
fn in_its_own_namespace(test: &str) -> bool {
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests, not of the server")]
    if std::env::var(IN_NAMESPACE).is_ok() {
        return true;
    }
    let program = std::env::current_exe().expect("this program");
    let run = |flags: &str| {
        let mut command = Command::new("unshare");
        command.arg(flags).arg(&program).args(["--exact", test, "--nocapture"]).env(IN_NAMESPACE, "1");
        command.status().expect("unshare is installed (util-linux)")
    };
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    assert!(run(if is_root { "-m" } else { "-rm" }).success(), "the test failed in its own namespace");
    false
}

/// What an agent's request is answered, at the first try.
async fn ask(world: &World, api_key: &str, path: &str, body: Value) -> (u16, Value) {
    let request = reqwest::Client::new().post(format!("{}/api/{path}", world.url)).header("X-API-KEY", api_key);
    let answer = request.json(&body).send().await.expect("the server answers");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

async fn readiness(url: &str) -> u16 {
    reqwest::get(format!("{url}/health/ready")).await.expect("the server answers").status().as_u16()
}

async fn wait_until_ready(url: &str) {
    for _ in 0..200 {
        if readiness(url).await == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it does not become ready again");
}

/// Writes until the file system takes no more.
fn fill(path: &Path) {
    let mut file = File::create(path).expect("there is room for a name");
    for size in [65_536, 4_096, 1] {
        while file.write_all(&vec![7; size]).is_ok() {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_answered_on_a_full_disk_is_true_and_the_server_recovers() {
    if !in_its_own_namespace("storage::what_is_answered_on_a_full_disk_is_true_and_the_server_recovers") {
        return;
    }
    let mut world = World::start(Database::sqlite_on_a_small_disk("8m")).await;
    let human = Human::with_everything(&world).await;
    let mut approved = Vec::new();
    for amount in 1..=5 {
        approved.push(human.approved(stranger(), amount).await.transaction_id);
    }
    let withdrawn = approved.pop().expect("five");
    let filler = world.database.directory().join("filler");
    fill(&filler);

    let mut answers = Vec::new();
    for _ in 0..4 {
        for id in &approved {
            let (status, body) =
                ask(&world, &human.api_key, "execute_transaction", json!({ "transaction_id": id })).await;
            answers.push((*id, status, body["code"].clone()));
        }
    }
    assert!(answers.iter().any(|(_, status, _)| *status == 503), "the disk is not full: {answers:?}");
    assert!(answers.iter().all(|(_, status, code)| *status == 200 || code == "storage_unavailable"), "{answers:?}");
    tokio::time::sleep(Duration::from_millis(1_100)).await; // Readiness is looked at once a second.
    assert_eq!(readiness(&world.url).await, 503, "{answers:?}");

    std::fs::remove_file(&filler).expect("it is there");
    wait_until_ready(&world.url).await;
    let client = world.user_client();
    client.register("grace", &PASSWORD.into()).await.expect("there is room again");
    client.login("grace", &PASSWORD.into()).await.expect("what was registered is there");
    let cancelled = human.client.cancel(withdrawn).await.expect("its owner");
    assert_eq!(cancelled.status, Status::Cancelled);

    world.restart().await;
    let agent = world.agent_client(&human.api_key);
    assert_eq!(agent.status(withdrawn).await.expect("its agent").status, Status::Cancelled);
    for (id, status, _) in answers {
        let now = agent.status(id).await.expect("its agent").status;
        assert!(status != 200 || now != Status::Authorized, "it was told that this is executed");
    }
    world.user_client().login("grace", &PASSWORD.into()).await.expect("what was registered stays");
    for id in approved {
        agent.execute(id).await.expect("it is approved");
        agent.wait_until_confirmed(id).await.expect("the node mines");
    }
}

/// A server program of its own on a database, and how it ended where it did so by itself.
async fn start_program(arguments: &[&str], variables: &[(&str, &str)]) -> std::process::Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_wallet-server"));
    command.args(arguments).env_clear().envs(variables.iter().copied()).kill_on_drop(true);
    tokio::time::timeout(Duration::from_secs(20), command.output())
        .await
        .expect("it refuses to start")
        .expect("it runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_one_file_is_refused_and_the_holder_is_named() {
    let database = Database::sqlite();
    let node = "http://127.0.0.1:9";
    let first = Process::start(&database, node).await;
    let chains = format!("31337={node}");
    let link = database.directory().join("link.sqlite");
    std::os::unix::fs::symlink(database.directory().join("wallet.sqlite"), &link).expect("room");
    let by_link = format!("sqlite:{}", link.display());
    for url in [&database.url, &by_link] {
        let variables =
            [("DATABASE_URL", url.as_str()), ("CHAINS", &chains), ("API_SECRET", MASTER), ("LISTEN", "127.0.0.1:0")];
        for arguments in [&["serve"][..], &["migrate", "up"], &["migrate", "status"]] {
            let refused = start_program(arguments, &variables).await;
            let words = String::from_utf8_lossy(&refused.stderr);
            assert!(!refused.status.success(), "{arguments:?}");
            assert!(words.contains(&format!("the process with id {}", first.id())), "{arguments:?}: {words}");
        }
    }
    assert_eq!(readiness(&first.url).await, 200);
    first.kill();
    // The system gives the lock back, whatever happened to its holder.
    Process::start(&database, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_dev_in_one_folder_touches_nothing_of_the_first() {
    let folder = tempfile::TempDir::new().expect("a temporary directory");
    let data_dir = folder.path().display().to_string();
    let _first = wallet_server::store::Store::connect(
        &Secret::new(format!("sqlite:{}", folder.path().join("wallet.sqlite").display())),
        1,
    )
    .await
    .expect("the first");
    let arguments = ["dev", "--data-dir", &data_dir, "--listen", "127.0.0.1:0", "--anvil", "/bin/false"];
    let refused = start_program(&arguments, &[]).await;
    let words = String::from_utf8_lossy(&refused.stderr);
    assert!(words.contains(&format!("the process with id {}", std::process::id())), "{words}");
    assert!(!folder.path().join("chain.json").exists() && !folder.path().join("master-secret").exists());
}

on_both_databases!(
    a_server_that_does_not_know_its_chain_serves_it_as_soon_as_the_node_answers,
    what_was_withdrawn_after_a_backup_is_not_paid_after_its_restore,
    a_database_that_was_not_restored_loses_nothing_also_without_its_mark,
);

async fn a_server_that_does_not_know_its_chain_serves_it_as_soon_as_the_node_answers(world: World) {
    let mut world = world;
    let human = Human::with_everything(&world).await;
    let approved = human.approved(stranger(), 7).await;
    world.config.chains = ChainSource::Ask {
        url: Secret::new(world.gate.url.clone()),
        request_timeout: wallet_server::chain::DEFAULT_REQUEST_TIMEOUT,
        finality: wallet_server::chain::Finality::Tag,
    };
    world.gate.let_pass(Pass::Down);
    world.restart().await;
    let ready = async |world: &World| -> Value {
        reqwest::get(format!("{}/health/ready", world.url)).await.expect("it listens").json().await.expect("JSON")
    };
    let live = reqwest::get(format!("{}/health/live", world.url)).await.expect("it listens").status();
    assert_eq!(live, 200);
    let shown = ready(&world).await;
    assert_eq!((&shown["awaits_chain"], &shown["chains"]), (&json!(true), &json!([])), "{shown}");
    let request = json!({ "address": human.address, "action": {
        "type": "transfer", "to_address": stranger(), "amount": "1" } });
    for chain_id in [None, Some(31_337)] {
        let mut request = request.clone();
        if let Some(chain_id) = chain_id {
            request["chain_id"] = json!(chain_id);
        }
        let (status, problem) = ask(&world, &human.api_key, "prepare_transaction", request).await;
        assert_eq!((status, &problem["code"]), (503, &json!("chain_unavailable")), "{problem}");
    }
    // It is sent once the chain is there, without a restart.
    let agent = world.agent_client(&human.api_key);
    agent.execute(approved.transaction_id).await.expect("it is approved");
    world.gate.let_pass(Pass::Through);
    let confirmed = agent.wait_until_confirmed(approved.transaction_id).await.expect("the node mines");
    assert_eq!(confirmed.status, Status::Confirmed);
    let shown = ready(&world).await;
    assert_eq!(shown["awaits_chain"], json!(false));
    assert_eq!(shown["chains"], json!([{ "chain_id": 31_337, "reachable": true }]));
}

async fn restored_at(world: &World, human: &Human) -> Option<wallet_server::value::Time> {
    let user_id = wallet_server::value::UserId(human.client_user_id().await);
    let address = wallet_server::value::Address(human.address);
    let wallet = wallets::find_by_address(&world.state.store, user_id, address).await.expect("the database answers");
    wallet.expect("theirs").restored_at
}

async fn what_was_withdrawn_after_a_backup_is_not_paid_after_its_restore(world: World) {
    let mut world = world;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let withdrawn = human.approved(to, 5).await.transaction_id;
    let kept = human.approved(to, 6).await.transaction_id;
    let undecided = human.ask(to, 7).await.transaction_id;
    world.stop().await;
    let backup = world.database.back_up().await;
    world.start_again().await;
    let human = human.at(&world).await;
    human.client.cancel(withdrawn).await.expect("its owner");

    world.stop().await;
    world.database.restore(&backup).await;
    for _ in 0..2 {
        world.start_again().await;
        let human = human.at(&world).await;
        for id in [withdrawn, kept] {
            assert_eq!(code(human.agent.execute(id).await), "expired");
            let ended = human.agent.status(id).await.expect("its agent");
            assert_eq!(ended.status, Status::Expired);
            assert_eq!(ended.reason.as_deref(), Some("the database was restored from a backup"));
        }
        assert_eq!(human.agent.status(undecided).await.expect("its agent").status, Status::Pending);
        assert!(restored_at(&world, &human).await.is_some(), "its owner has not acknowledged it");
        world.stop().await;
    }
    // The second start found the database that the first one left: what is approved from then on stays approved.
    world.start_again().await;
    let human = human.at(&world).await;
    let later = human.ask(to, 8).await;
    let approval = Authorize::new(later.transaction_id, human.code()).digest(later.digest);
    assert_eq!(code(human.client.authorize(approval.clone()).await), "acknowledgement_required");
    human.client.authorize(approval.acknowledge(["database_restored"])).await.expect("the same code");
    assert!(restored_at(&world, &human).await.is_none(), "its owner has acknowledged it");
    let later = later.transaction_id;
    world.restart().await;
    let human = human.at(&world).await;
    assert_eq!(human.agent.status(later).await.expect("its agent").status, Status::Authorized);
    assert_eq!(world.balance(to).await, alloy::primitives::U256::ZERO);
}

async fn a_database_that_was_not_restored_loses_nothing_also_without_its_mark(world: World) {
    let mut world = world;
    let human = Human::with_everything(&world).await;
    let approved = human.approved(stranger(), 5).await.transaction_id;
    let rejected = human.ask(stranger(), 6).await.transaction_id;
    human.client.reject(rejected, None).await.expect("its owner");
    let mark = world.database.mark_file();
    world.restart().await;
    std::fs::remove_file(&mark).expect("it is there");
    world.restart().await;
    let human = human.at(&world).await;
    assert_eq!(human.agent.status(approved).await.expect("its agent").status, Status::Authorized);
    assert_eq!(restored_at(&world, &human).await, None);
    // The same file beside another database is a restore, too.
    world.stop().await;
    let mut text: Value = serde_json::from_slice(&std::fs::read(&mark).expect("made anew")).expect("JSON");
    text["instance_id"] = json!(uuid::Uuid::now_v7());
    std::fs::write(&mark, text.to_string()).expect("room");
    world.start_again().await;
    let human = human.at(&world).await;
    assert_eq!(human.agent.status(approved).await.expect("its agent").status, Status::Expired);
}

/// A server whose connections to PostgreSQL can be cut, an approved payment, and what it pays.
async fn behind_a_proxy() -> (PostgresProxy, World, Human, uuid::Uuid) {
    let mut database = Database::postgres().await;
    let proxy = PostgresProxy::before(&mut database.url).await;
    let world = World::start(database).await;
    let human = Human::with_everything(&world).await;
    let approved = human.approved(stranger(), 5).await.transaction_id;
    (proxy, world, human, approved)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_lost_before_its_commit_arrived_sends_nothing_and_says_that_it_may_have() {
    let (proxy, world, human, approved) = behind_a_proxy().await;
    proxy.cut_at_commit(Cut::Before);
    let request = json!({ "transaction_id": approved });
    let (status, problem) = ask(&world, &human.api_key, "execute_transaction", request).await;
    assert_eq!((status, &problem["code"]), (503, &json!("storage_unavailable")), "{problem}");
    assert_eq!(problem["may_have_happened"], json!(true), "{problem}");
    assert_eq!(human.agent.status(approved).await.expect("its agent").status, Status::Authorized);
    assert!(world.gate.sent().is_empty(), "nothing was committed");
    wait_until_ready(&world.url).await;
    human.agent.execute(approved).await.expect("it is approved");
    human.agent.wait_until_confirmed(approved).await.expect("the node mines");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_lost_after_its_commit_arrived_is_read_at_the_next_look() {
    let (proxy, world, human, approved) = behind_a_proxy().await;
    proxy.cut_at_commit(Cut::After);
    let request = json!({ "transaction_id": approved });
    let (status, problem) = ask(&world, &human.api_key, "execute_transaction", request).await;
    assert_eq!((status, &problem["may_have_happened"]), (503, &json!(true)), "{problem}");
    let confirmed = human.agent.wait_until_confirmed(approved).await.expect("the watcher looks by itself");
    assert_eq!(confirmed.status, Status::Confirmed);
    let sent = world.gate.sent();
    assert!(sent.iter().all(|bytes| *bytes == sent[0]), "the same bytes each time");
}
