//! Who executes, what waits for what, and every way out of a nonce: the commands that the program names are run as they
//! stand there.

use std::time::Duration;

use agent_sdk::{Execute, PrepareTransaction, Status, Transaction};
use alloy::primitives::U256;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    stage::{Run, Stage},
    stranger,
};

fn result(run: &Run) -> Value {
    assert_eq!(run.exit, 0, "{}", run.stderr);
    serde_json::from_str(run.stdout.lines().last().expect("a result")).expect("JSON")
}

impl Stage {
    /// Lets the agent ask for a payment of as many wei.
    async fn asked(&self, wei: u64, execute: Execute) -> Transaction {
        let request = PrepareTransaction::transfer(stranger(7), U256::from(wei)).execute(execute);
        self.agent.prepare(request).await.expect("it can be done")
    }

    fn approve(&self, id: Uuid) -> Run {
        let command = ["tx", "approve", &id.to_string(), "--yes", "--mfa-code-stdin", "--json"];
        self.run(&command, &format!("{}\n", self.code()))
    }

    /// A payment that its agent may execute.
    async fn approved(&self, wei: u64) -> Uuid {
        let id = self.asked(wei, Execute::Agent).await.transaction_id;
        assert_eq!(result(&self.approve(id))["status"], "authorized");
        id
    }

    /// What `wallet why` says, a line for each nonce.
    fn why(&self) -> Vec<String> {
        let run = self.run(&["wallet", "why", &self.address.to_checksum(None)], "");
        assert_eq!((run.exit, run.stderr.as_str()), (0, ""), "{}", run.stdout);
        run.stdout.lines().map(str::to_owned).collect()
    }

    /// What `wallet why` says as soon as it says this.
    async fn why_once(&self, said: impl Fn(&[String]) -> bool) -> Vec<String> {
        for _ in 0..200 {
            let lines = self.why();
            if said(&lines) {
                return lines;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{:#?}", self.why());
    }

    /// Waits until the wallet has no open nonce, and the chain expects this one next.
    async fn has_used(&self, nonces: u64) {
        self.why_once(|lines| lines.concat().contains("no open nonce")).await;
        let count = self.rpc("eth_getTransactionCount", json!([self.address, "latest"])).await;
        assert_eq!(count, format!("0x{nonces:x}"));
    }

    /// Keeps what is sent in the node's pool, or mines it and everything after.
    async fn mines(&self, mines: bool) {
        self.rpc("evm_setAutomine", json!([mines])).await;
        if mines {
            self.rpc("evm_mine", json!([])).await;
        }
    }

    /// Runs a command that the program named, with what it needs to go on without asking.
    fn follow(&self, line: &str, more: &[&str]) -> Run {
        let (_, command) = line.rsplit_once("wallet-cli ").unwrap_or_else(|| panic!("no command: {line}"));
        let command: Vec<&str> = command.split(' ').chain(more.iter().copied()).collect();
        self.run(&command, &format!("{}\n", self.code()))
    }
}

const CLEAR: [&str; 3] = ["--yes", "--mfa-code-stdin", "--json"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_its_approval_executes_needs_no_agent() {
    let stage = Stage::set().await;
    let asked = stage.asked(5, Execute::OnApproval).await;
    let run = stage.approve(asked.transaction_id);
    assert_eq!(result(&run)["status"], "submitted", "{}", run.stdout);
    let runs = run.stderr.lines().find(|line| line.starts_with("Runs ")).expect("the screen says who executes");
    assert!(runs.contains("approve"), "{runs}");
    let confirmed = stage.agent.wait_until_confirmed(asked.transaction_id).await.expect("the node mines");
    assert_eq!((confirmed.status, confirmed.execute), (Status::Confirmed, Execute::OnApproval));
    assert_eq!(stage.balance(stranger(7)).await, U256::from(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_approved_is_withdrawn_and_then_burned_as_the_program_says() {
    let stage = Stage::set().await;
    let id = stage.approved(5).await.to_string();
    let held = stage.why();
    assert!(held[0].starts_with("nonce 0: approved, waits for its agent until 2"), "{held:?}");

    // As the line says, and without a code.
    let withdrawn = stage.follow(&held[0], &[]);
    assert_eq!(withdrawn.exit, 0, "{}", withdrawn.stderr);
    assert!(withdrawn.stdout.contains("valid until nonce 0 is used"), "{}", withdrawn.stdout);
    assert!(stage.why()[0].contains("nonce 0: its transaction is cancelled and was not sent"), "{:?}", stage.why());
    let count = stage.rpc("eth_getTransactionCount", json!([stage.address, "latest"])).await;
    assert_eq!(count, "0x0", "nothing is spent for it");

    let named = withdrawn.stdout.lines().find(|line| line.ends_with("--burn")).expect("the command that uses it");
    assert!(named.contains(&id), "{named}");
    stage.mines(false).await;
    let burned = result(&stage.follow(named, &["--json"]));
    assert_eq!((&burned["status"], &burned["cancelling"]), (&json!("cancelled"), &json!(true)));
    let told = stage.why();
    assert!(told[0].starts_with("nonce 0: its cancellation is on its way"), "{told:?}");
    stage.mines(true).await;
    stage.has_used(1).await;
    assert_eq!(stage.balance(stranger(7)).await, U256::ZERO);
    let ended = result(&stage.run(&["tx", "show", &id, "--json"], ""));
    assert_eq!((&ended["valid_until_nonce_used"], &ended["cancelling"]), (&json!(false), &json!(false)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoking_an_agent_can_burn_what_was_approved_for_it() {
    let stage = Stage::set().await;
    stage.approved(5).await;
    stage.approved(6).await;
    stage.mines(false).await;
    let run = stage.run(&["agent", "revoke", "payer", "--burn"], "");
    assert_eq!(run.exit, 0, "{}", run.stderr);
    assert_eq!(run.stderr.matches("its cancellation, which uses it, is on its way").count(), 2, "{}", run.stderr);
    stage.mines(true).await;
    stage.has_used(2).await;
    assert_eq!(stage.balance(stranger(7)).await, U256::ZERO);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nonce_that_holds_others_up_is_told_and_cleared() {
    let stage = Stage::set().await;
    let (first, second) = (stage.approved(5).await, stage.approved(6).await);
    stage.agent.execute(second).await.expect("it is approved");
    let lines = stage.why_once(|lines| lines.iter().any(|line| line.contains("behind a lower nonce"))).await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("nonce 0: approved, waits for its agent"), "{lines:?}");
    assert!(lines[1].starts_with("nonce 1: waits behind a lower nonce"), "{lines:?}");

    // Of one that is approved the nonce is not cleared, since a payment is wanted of it.
    let address = stage.address.to_checksum(None);
    let command = ["wallet", "clear-nonce", &address, "--nonce", "0", "--yes", "--mfa-code-stdin"];
    // No code is looked at. (A fresh one moves the clock on, and with it the time to give way.)
    let wanted = stage.run(&command, "000000\n");
    assert_eq!(wanted.exit, 1, "{}", wanted.stdout);
    assert!(wanted.stderr.contains("the transaction is authorized"), "{}", wanted.stderr);

    // Withdrawn, it no longer holds anything up: its cancel is sent for it.
    assert_eq!(stage.follow(&lines[0], &[]).exit, 0);
    let confirmed = stage.agent.wait_until_confirmed(second).await.expect("the node mines");
    assert_eq!(confirmed.status, Status::Confirmed);
    stage.has_used(2).await;
    assert_eq!(stage.agent.status(first).await.expect("its agent").status, Status::Cancelled);
    assert_eq!(stage.balance(stranger(7)).await, U256::from(6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawn_nonce_is_cleared_as_it_was_shown() {
    let stage = Stage::set().await;
    let id = stage.approved(5).await.to_string();
    assert_eq!(stage.run(&["tx", "cancel", &id], "").exit, 0);
    let lines = stage.why();
    stage.mines(false).await;
    let run = stage.follow(&lines[0], &CLEAR);
    assert!(run.stderr.contains("Nothing is sent yet: this would use up nonce 0\n"), "{}", run.stderr);
    assert!(run.stderr.contains(&format!("transaction {id}")), "{}", run.stderr);
    let cleared = result(&run);
    assert_eq!((&cleared["transaction_id"], &cleared["cancelling"]), (&json!(id), &json!(true)));
    stage.mines(true).await;
    stage.has_used(1).await;
    let nothing = stage.follow(&lines[0], &CLEAR);
    assert_eq!(nothing.exit, 1, "{}", nothing.stdout);
    assert!(nothing.stderr.contains("there is nothing to clear"), "{}", nothing.stderr);
    assert_eq!(stage.balance(stranger(7)).await, U256::ZERO);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hole_that_a_lying_node_left_is_filled() {
    let stage = Stage::set().await;
    // The node says that two nonces were used, is believed once, and then says the truth.
    stage.rpc("anvil_setNonce", json!([stage.address, "0x2"])).await;
    let asked = stage.asked(5, Execute::OnApproval).await;
    let id = asked.transaction_id.to_string();
    let command =
        ["tx", "approve", &id, "--yes", "--mfa-code-stdin", "--json", "--acknowledge", "nonce_used_elsewhere"];
    stage.mines(false).await;
    let approved = stage.run(&command, &format!("{}\n", stage.code()));
    assert_eq!(result(&approved)["nonce"], 2, "{}", approved.stderr);
    stage.rpc("anvil_setNonce", json!([stage.address, "0x0"])).await;
    stage.rpc("evm_setAutomine", json!([true])).await;

    for hole in 0..2_u64 {
        let line = format!("nonce {hole}: nothing of yours uses it");
        let lines = stage.why_once(|lines| lines[0].starts_with(&line)).await;
        assert!(lines.iter().any(|line| line.starts_with("nonce 2: waits")), "{lines:?}");
        let cleared = result(&stage.follow(&lines[0], &CLEAR));
        assert_eq!((&cleared["nonce"], &cleared["value"]), (&json!(hole), &json!("0")));
        let id = cleared["transaction_id"].as_str().expect("text");
        let ended = result(&stage.run(&["tx", "wait", id, "--json"], ""));
        assert_eq!(ended["status"], "confirmed", "{ended}");
    }
    let confirmed = stage.agent.wait_until_confirmed(asked.transaction_id).await.expect("the node mines");
    assert_eq!(confirmed.status, Status::Confirmed);
    stage.has_used(3).await;
    assert_eq!(stage.balance(stranger(7)).await, U256::from(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_says_for_what() {
    let stage = Stage::set().await;
    let address = stage.address.to_checksum(None);
    assert_eq!(stage.why(), [format!("{address} waits for nothing: it has no open nonce")]);
    stage.mines(false).await;
    let asked = stage.asked(5, Execute::OnApproval).await;
    assert_eq!(stage.approve(asked.transaction_id).exit, 0);
    let lines = stage.why_once(|lines| lines[0].contains("for a block to include it")).await;
    assert_eq!(lines, ["nonce 0: waits for a block to include it; nothing to do"]);
    let listed = stage.run(&["tx", "list"], "");
    assert!(listed.stdout.contains("in_pool"), "{}", listed.stdout);
    stage.mines(true).await;
    stage.has_used(1).await;
}
