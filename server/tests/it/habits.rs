//! Endpoints with ways of their own. With each of them a whole payment is made, and every status on the way is true; the
//! table is that of docs/OPERATIONS.md.

use std::time::{Duration, Instant};

use agent_sdk::Status;
use alloy::primitives::U256;
use serde_json::{Value, json};
use wallet_server::{
    chain::Finality,
    config::{ChainSource, Config},
};

use crate::harness::{Calls, Database, Fault, Gate, Habit, Human, Oracle, World, number, stranger, told};

const RECEIPT: &str = "eth_getTransactionReceipt";
const SIMULATE: &str = "eth_simulateV1";
const PAGE: &str = "<html><body>no</body></html>";

type Begin = Box<dyn Fn(&Gate) + Send + Sync>;

fn rule(calls: Calls, fault: Fault) -> Begin {
    Box::new(move |gate| {
        gate.when(calls.clone(), fault.clone());
    })
}

fn habit(habit: Habit) -> Begin {
    Box::new(move |gate| gate.has_habit(habit.clone()))
}

fn no_such(method: &str) -> Fault {
    Fault::Refuse(-32_601, format!("the method {method} does not exist/is not available"))
}

/// A receipt that is not there is answered otherwise.
fn absent(answer: Value) -> Begin {
    rule(Calls::of(RECEIPT), Fault::lie(move |_, receipt| if receipt.is_null() { answer.clone() } else { receipt }))
}

/// A receipt that is there has other members.
fn receipts(change: impl Fn(&mut Value) + Send + Sync + Clone + 'static) -> Begin {
    Box::new(move |gate| {
        gate.change_receipts(change.clone());
    })
}

fn without(fields: &'static [&'static str]) -> Begin {
    receipts(|receipt| {
        fields.iter().for_each(|field| {
            receipt.as_object_mut().expect("a receipt").remove(*field);
        });
    })
}

/// Quantities as numbers, wherever a member has one.
fn as_numbers(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(as_numbers),
        Value::Array(all) => all.iter_mut().for_each(as_numbers),
        Value::String(text) if text.starts_with("0x") && text.len() <= 12 && text.len() > 2 => {
            *value = json!(number(&json!(text)));
        }
        _ => {}
    }
}

fn batches() -> Vec<(&'static str, Begin)> {
    let one_error = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch requests are not allowed"}}"#;
    let listed = r#"[{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"batch limit exceeded"}}]"#;
    vec![
        ("no batches: one error", habit(Habit::batches(1, 200, one_error))),
        ("no batches: HTTP 400", habit(Habit::batches(1, 400, PAGE))),
        ("no batches: HTTP 500", habit(Habit::batches(1, 500, PAGE))),
        ("no batches: a page", habit(Habit::batches(1, 200, PAGE))),
        ("batches of at most 3", habit(Habit::batches(3, 200, listed))),
        ("batches of at most 10: HTTP 413", habit(Habit::batches(10, 413, PAGE))),
        ("one call in a batch is refused for its rate", {
            let third = |call: &crate::harness::Call| call.id.as_u64().is_some_and(|id| id % 3 == 0);
            rule(Calls::of(RECEIPT).only(third), Fault::Refuse(-32_005, "rate limit exceeded".to_owned()))
        }),
    ]
}

fn answers() -> Vec<(&'static str, Begin)> {
    vec![
        ("`\"error\": null` beside a result", habit(Habit::each(|one| one["error"] = Value::Null))),
        (
            "`\"result\": null` beside an error",
            habit(Habit::each(|one| {
                if one.get("error").is_some() {
                    one["result"] = Value::Null;
                }
            })),
        ),
        ("ids as text", habit(Habit::each(|one| one["id"] = json!(one["id"].to_string())))),
        ("numbers for quantities", habit(Habit::each(|one| as_numbers(&mut one["result"])))),
        ("other members", habit(Habit::each(|one| one["time"] = json!({ "ms": [1] })))),
        ("no fee history", rule(Calls::of("eth_feeHistory"), no_such("eth_feeHistory"))),
        (
            "an empty fee history",
            rule(
                Calls::of("eth_feeHistory"),
                Fault::Answer(json!({ "oldestBlock": "0x1", "baseFeePerGas": [], "gasUsedRatio": [], "reward": [] })),
            ),
        ),
        ("no simulation", rule(Calls::of(SIMULATE), no_such(SIMULATE))),
        ("a simulation that fails: HTTP 500", rule(Calls::of(SIMULATE), Fault::Status(500))),
        ("an empty simulation", rule(Calls::of(SIMULATE), Fault::Answer(json!([])))),
        ("no simulation but null", rule(Calls::of(SIMULATE), Fault::Answer(Value::Null))),
        (
            "state of the newest 128 blocks only",
            rule(
                Calls::of("eth_getTransactionCount").only(|call| call.text(1).starts_with("0x")),
                Fault::refuse("missing trie node 6a3c (path ) state 0x1 is not available"),
            ),
        ),
    ]
}

fn of_receipts() -> Vec<(&'static str, Begin)> {
    let is_unmined = |words: &'static str| {
        Box::new(move |gate: &Gate| {
            let node = Fault::lie(|_, receipt| receipt);
            gate.when(Calls::of(RECEIPT), node);
            gate.next(3, Calls::of(RECEIPT), Fault::refuse(words));
        }) as Begin
    };
    vec![
        ("unknown receipts: `{}`", absent(json!({}))),
        ("unknown receipts: an empty text", absent(json!(""))),
        ("unknown receipts: \"not found\"", is_unmined("not found")),
        (
            "unknown receipts: \"transaction indexing is in progress\"",
            is_unmined("transaction indexing is in progress"),
        ),
        ("receipts without price and type", without(&["effectiveGasPrice", "type"])),
        ("receipts without gas", without(&["gasUsed", "cumulativeGasUsed"])),
        (
            "receipts with null members of a rollup",
            receipts(|receipt| {
                for name in ["l1Fee", "l1GasPrice", "l1GasUsed", "l1BatchNumber", "feeCurrency"] {
                    receipt[name] = Value::Null;
                }
                receipt["l1FeeScalar"] = json!("0.684");
                receipt["type"] = json!("0x7e");
            }),
        ),
        ("receipts with a flag for a status", receipts(|receipt| receipt["status"] = json!(true))),
    ]
}

fn finality() -> Vec<(&'static str, Begin)> {
    let tag = || Calls::of("eth_getBlockByNumber").only(|call| call.text(0) == "finalized");
    vec![
        ("a finalized tag that is null", rule(tag(), Fault::Answer(Value::Null))),
        ("a finalized tag that is -39001", rule(tag(), Fault::Refuse(-39_001, "Unknown block".to_owned()))),
        ("a finalized tag that is -32603", rule(tag(), Fault::Refuse(-32_603, "Internal error".to_owned()))),
        ("a finalized tag that is \"not found\"", rule(tag(), Fault::refuse("not found"))),
        ("a finalized tag that is unknown", rule(tag(), Fault::Refuse(-32_602, "invalid argument 0".to_owned()))),
        (
            "a finalized tag that stands still",
            rule(
                tag(),
                Fault::Ask(std::sync::Arc::new(|mut call| {
                    call.params[0] = json!("0x1");
                    call
                })),
            ),
        ),
    ]
}

fn quick(config: &mut Config) {
    config.policy.session_lifetime = Duration::from_secs(24 * 3_600);
    config.policy.resend_after = Duration::from_millis(200);
    config.policy.search_after = Duration::from_millis(200);
}

/// A payment with each habit, one after the other in one world.
async fn payments(habits: Vec<(&'static str, Begin)>, mine: u64, change: impl FnOnce(&mut Config)) {
    let world = World::start_on(Database::sqlite(), &[], |config| {
        quick(config);
        change(config);
    })
    .await;
    let human = Human::with_everything(&world).await;
    for (name, begin) in habits {
        begin(&world.gate);
        let (began, to) = (Instant::now(), stranger());
        let executed = human.executed(to, 5).await;
        let mut ended = executed;
        while !ended.status.is_final() {
            assert!(began.elapsed() < Duration::from_secs(20), "{name}: {}", told(&ended));
            world.mine(mine).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            ended = human.client.status(ended.transaction_id).await.expect("its owner");
        }
        assert_eq!(ended.status, Status::Confirmed, "{name}: {}", told(&ended));
        assert_eq!(world.balance(to).await, U256::from(5), "{name}");
        let ready = reqwest::get(format!("{}/health/ready", world.url)).await.expect("the server answers");
        assert!(ready.status().is_success(), "{name}");
        world.gate.heal();
    }
    Oracle::of(&world).all_ends_truly(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_made_whatever_becomes_of_batches() {
    payments(batches(), 1, |_| {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_made_however_answers_are_written() {
    payments(answers(), 1, |_| {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_made_whatever_receipts_look_like() {
    payments(of_receipts(), 1, |_| {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_becomes_final_whatever_the_tag_says() {
    let mut habits = finality();
    // It calls itself no development node, whose newest block would be final.
    habits.iter_mut().for_each(|(_, begin)| {
        let inner = std::mem::replace(begin, Box::new(|_| {}));
        *begin = Box::new(move |gate| {
            gate.say_client("Geth/v1.16.0");
            inner(gate);
        });
    });
    payments(habits, 20, |config| {
        let ChainSource::Known(chains) = &mut config.chains else { panic!("tests name their chain") };
        chains[0].dead_tag_after = Duration::from_secs(1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_chain_of_instant_finality_the_newest_block_is_final() {
    let world = World::start_on(Database::sqlite(), &[], |config| {
        quick(config);
        let ChainSource::Known(chains) = &mut config.chains else { panic!("tests name their chain") };
        chains[0].finality = Finality::Instant;
    })
    .await;
    world.gate.say_client("besu/v25.1.0");
    let human = Human::with_everything(&world).await;
    let executed = human.executed(stranger(), 5).await;
    crate::harness::until(&human, &executed, |now| now.status == Status::Confirmed).await;
    Oracle::of(&world).all_ends_truly(Duration::from_secs(10)).await;
}
