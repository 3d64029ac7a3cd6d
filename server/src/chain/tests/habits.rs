//! Endpoints with ways of their own: what can be understood is, and no question goes without its answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    super::*,
    hostile::{answer, hash_of, http, itself, pretend, url_of},
};
use crate::value::{Address, CallData, TransactionHash, Wei};

fn account(number: u8) -> Address {
    Address([number; 20].into())
}

/// What a healthy node says, accounts' nonces among it: the last digit of the address.
fn healthy(method: &str, params: &Value) -> String {
    let said = match method {
        "eth_getTransactionCount" => params[0].as_str().and_then(|address| address.chars().last()).unwrap_or('0'),
        _ => return itself(method, params).unwrap_or_else(|| r#""result":null"#.to_owned()),
    };
    format!(r#""result":"0x{said}""#)
}

fn error(code: i64, message: &str) -> String {
    format!(r#""error":{{"code":{code},"message":"{message}"}}"#)
}

type Habit = Box<dyn Fn(&Value) -> String + Send + Sync>;

/// What an endpoint does to a batch of more than `limit`.
fn limited(limit: usize, refusal: impl Fn(&Value) -> String + Send + Sync + 'static) -> Habit {
    Box::new(move |request| match request.as_array() {
        Some(all) if all.len() > limit => refusal(request),
        _ => answer(request, healthy),
    })
}

/// Rewrites the body of a healthy answer.
fn rewritten(rewrite: impl Fn(String) -> String + Send + Sync + 'static) -> Habit {
    Box::new(move |request| {
        let healthy = answer(request, healthy);
        let body = healthy.split_once("\r\n\r\n").expect("an HTTP answer").1;
        http("200 OK", &rewrite(body.to_owned()))
    })
}

fn habits() -> Vec<(&'static str, Habit)> {
    let page = "<html>no</html>";
    let one_error = |code, words: &str| format!(r#"{{"jsonrpc":"2.0","id":null,{}}}"#, error(code, words));
    let listed = one_error(-32_600, "batch too large");
    vec![
        ("no batch: 400", limited(1, move |_| http("400 Bad Request", page))),
        ("no batch: 403", limited(1, move |_| http("403 Forbidden", page))),
        ("no batch: 500", limited(1, move |_| http("500 Internal Server Error", page))),
        ("no batch: 413 above 3", limited(3, move |_| http("413 Content Too Large", page))),
        ("one error", limited(1, move |_| http("200 OK", &one_error(-32_600, "batch requests are not supported")))),
        ("at most 3: one error", limited(3, move |_| http("200 OK", &one_error(-32_005, "batch limit exceeded")))),
        ("at most 10: a list of one error", limited(10, move |_| http("200 OK", &format!("[{listed}]")))),
        ("an empty list", limited(1, |_| http("200 OK", "[]"))),
        ("a page with 200", limited(1, move |_| http("200 OK", page))),
        ("an answer to the first only", limited(1, |request| answer(&json!([request[0]]), healthy))),
        ("every element refused", limited(4, |request| answer(request, |_, _| error(-32_600, "too many in a batch")))),
        ("null errors", rewritten(|body| body.replace(r#""jsonrpc":"2.0","#, r#""jsonrpc":"2.0","error":null,"#))),
        (
            "ids as text",
            Box::new(|request| {
                let ids = |one: &Value| json!({ "id": one["id"].to_string(), "method": one["method"], "params": one["params"] });
                let asked = match request {
                    Value::Array(all) => all.iter().map(ids).collect(),
                    one => ids(one),
                };
                answer(&asked, healthy)
            }),
        ),
        ("no version, other members", rewritten(|body| body.replace(r#""jsonrpc":"2.0""#, r#""time":{"ms":[1]}"#))),
        ("a mark before it", rewritten(|body| format!("\u{feff}\n{body}\n"))),
        ("upper case", rewritten(|body| body.replace(r#""result":"0x"#, r#""result":"0X"#))),
        ("padded", rewritten(|body| body.replace(r#""result":"0x"#, r#""result":"0x00"#))),
        (
            "everything twice",
            rewritten(|body| match body.strip_prefix('[') {
                Some(rest) => format!("[{},{rest}", rest.trim_end_matches(']')),
                None => body,
            }),
        ),
    ]
}

#[tokio::test]
async fn whatever_becomes_of_a_batch_every_question_is_answered() {
    for (name, habit) in habits() {
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        let habit = Arc::new(habit);
        let chain = url_of(
            pretend(move |request| {
                counted.fetch_add(1, Ordering::Relaxed);
                Some(habit(&request))
            })
            .await,
        );
        let accounts: Vec<Address> = (1..=9).map(account).collect();
        let expected: Vec<_> = (1..=9).map(Ok).collect();
        for time in 0..2 {
            let before = requests.load(Ordering::Relaxed);
            let round = chain.round().await.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((round.head.number, round.final_height), (100, 90), "{name}");
            assert_eq!(round.latest_nonces(&accounts).await, Ok(expected.clone()), "{name}");
            let asked = requests.load(Ordering::Relaxed) - before;
            assert!(asked <= if time == 0 { 40 } else { 25 }, "{name}: {asked} requests, time {time}");
        }
        assert_eq!(chain.verdict(), Verdict::Good, "{name}");
    }
}

#[tokio::test]
async fn what_was_learnt_of_batches_is_remembered() {
    let (large, counted) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let count = counted.clone();
    let refuse = Arc::new(limited(3, move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        http("200 OK", r#"{"id":null,"error":{"code":-32600,"message":"batch limit is 3"}}"#)
    }));
    let chain = url_of(pretend(move |request| Some(refuse(&request))).await);
    let accounts: Vec<Address> = (1..=9).map(account).collect();
    let round = chain.round().await.expect("it is well");
    round.latest_nonces(&accounts).await.expect("it is well");
    large.store(counted.load(Ordering::Relaxed), Ordering::Relaxed);
    round.latest_nonces(&accounts).await.expect("it is well");
    assert_eq!(counted.load(Ordering::Relaxed), large.load(Ordering::Relaxed), "nothing too large was tried again");
    assert!(chain.endpoints()[0].habits.batch_size.is_some_and(|size| (2..=3).contains(&size)));
}

#[tokio::test]
async fn one_question_of_a_batch_that_is_refused_for_its_rate_is_asked_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let chain = url_of(
        pretend(move |request| {
            Some(answer(&request, |method, params| {
                let is_third = method == "eth_getTransactionCount" && asked.fetch_add(1, Ordering::Relaxed) % 4 == 2;
                if is_third { error(-32_005, "rate limit exceeded") } else { healthy(method, params) }
            }))
        })
        .await,
    );
    let accounts: Vec<Address> = (1..=9).map(account).collect();
    let round = chain.round().await.expect("it is well");
    let nonces = round.latest_nonces(&accounts).await.expect("it is well");
    assert!(nonces.iter().filter(|nonce| nonce.is_ok()).count() >= 8, "{nonces:?}");
    assert_eq!(chain.endpoints()[0].habits.rest, None, "one element rests nobody");
}

#[tokio::test]
async fn an_endpoint_that_asks_for_rest_gets_it() {
    for refusal in [
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 10\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 10\r\ncontent-length: 0\r\n\r\n".to_owned(),
        http("429 Too Many Requests", r#"{"id":1,"error":{"code":429,"message":"slow down"}}"#),
    ] {
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        let chain = url_of(
            pretend(move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
                Some(refusal.clone())
            })
            .await,
        );
        let began = Instant::now();
        for _ in 0..50 {
            assert!(chain.round().await.is_err());
            assert!(chain.account(account(1)).await.is_err());
        }
        assert!(began.elapsed() < Duration::from_millis(900), "nobody waits for it");
        assert_eq!(requests.load(Ordering::Relaxed), 1, "it was left alone");
        assert!(chain.endpoints()[0].habits.rest.is_some());
    }
}

#[tokio::test]
async fn an_unknown_transaction_has_no_receipt_whatever_the_node_calls_that() {
    let unknown = TransactionHash([7; 32].into());
    let receipt = |said: String| async move {
        let chain = url_of(
            pretend(move |request| {
                Some(answer(&request, |method, params| match method {
                    "eth_getTransactionReceipt" => said.clone(),
                    _ => healthy(method, params),
                }))
            })
            .await,
        );
        chain.round().await.expect("it is well").receipts(&[unknown]).await.pop().expect("one")
    };
    for absent in [
        r#""result":null"#.to_owned(),
        r#""result":{}"#.to_owned(),
        r#""result":"""#.to_owned(),
        r#""result":[]"#.to_owned(),
        error(-32_000, "not found"),
        error(-32_000, "transaction not found"),
        error(-32_001, "Unknown transaction"),
    ] {
        assert_eq!(receipt(absent.clone()).await, Ok(None), "{absent}");
    }
    for unsure in [
        error(-32_000, "transaction indexing is in progress"),
        error(-32_603, "internal error"),
        r#""result":{"status":"0x1"}"#.to_owned(),
        r#""result":7"#.to_owned(),
    ] {
        assert!(receipt(unsure.clone()).await.is_err(), "{unsure}");
    }
    let bare = |status: &str| {
        let (hash, block) = (unknown.to_string(), hash_of(4));
        format!(r#""result":{{"transactionHash":"{hash}","blockNumber":4,"blockHash":"{block}","status":{status}}}"#)
    };
    for (status, succeeded) in [("\"0x1\"", true), ("\"0x01\"", true), ("1", true), ("true", true), ("0", false)] {
        let receipt = receipt(bare(status)).await.expect("it says enough").expect("it is there");
        assert_eq!((receipt.succeeded, receipt.block_number, receipt.gas_used), (succeeded, 4, 0), "{status}");
    }
    for status in ["null", "2", "\"ok\""] {
        assert!(receipt(bare(status)).await.is_err(), "{status}");
    }
}

#[tokio::test]
async fn a_contract_that_halts_is_told_from_a_node_in_trouble() {
    let estimate = |code: i64, words: &'static str| async move {
        let chain = url_of(
            pretend(move |request| {
                Some(answer(&request, |method, params| match method {
                    "eth_estimateGas" | "eth_call" => error(code, words),
                    _ => healthy(method, params),
                }))
            })
            .await,
        );
        let call = Call { from: account(1), to: Some(account(2)), value: Wei::ZERO, data: CallData(vec![1]) };
        (chain.estimate_gas(&call).await, chain.simulate(&call.clone().into()).await.map(|tried| tried.succeeded))
    };
    for (code, words) in [
        (-32_000, "return data out of bounds"),
        (-32_000, "gas uint64 overflow"),
        (-32_000, "stack limit reached 1024 (1023)"),
        (-32_000, "write protection"),
        (-32_000, "max call depth exceeded"),
        (-32_603, "Internal error"),
        (-32_015, "VM execution error."),
        (-32_000, "contract address collision"),
    ] {
        let (estimate, simulated) = estimate(code, words).await;
        assert!(matches!(estimate, Err(EstimateError::Reverted { message, .. }) if message == words), "{words}");
        assert_eq!(simulated, Ok(false), "{words}");
    }
    for (code, words) in [
        (-32_005, "daily request count exceeded, request rate limited"),
        (-32_601, "the method eth_estimateGas does not exist/is not available"),
        (-32_000, "header not found"),
        (-32_000, "execution timeout"),
        (-32_000, "missing trie node"),
    ] {
        let (estimate, simulated) = estimate(code, words).await;
        assert!(matches!(estimate, Err(EstimateError::Unavailable(_))), "{words}");
        assert!(simulated.is_err(), "{words}");
    }
}

#[tokio::test]
async fn a_simulation_that_is_not_to_be_had_is_done_without_and_tried_again_later() {
    let simulations = [
        error(-32_601, "the method eth_simulateV1 does not exist/is not available"),
        error(-32_000, "internal error"),
        r#""result":[]"#.to_owned(),
        r#""result":null"#.to_owned(),
        r#""result":{"calls":7}"#.to_owned(),
    ];
    for said in simulations {
        let shown = said.clone();
        let chain = url_of(
            pretend(move |request| {
                Some(answer(&request, |method, params| match method {
                    "eth_simulateV1" => shown.clone(),
                    "eth_call" => r#""result":"0x""#.to_owned(),
                    _ => healthy(method, params),
                }))
            })
            .await,
        );
        let call = Call { from: account(1), to: Some(account(2)), value: Wei::ZERO, data: CallData(vec![1]) };
        let tried = chain.simulate(&call.clone().into()).await.unwrap_or_else(|error| panic!("{said}: {error}"));
        assert!(tried.succeeded, "{said}");
        assert_eq!(tried.method, crate::value::SimulationMethod::EthCall, "{said}");
    }
}

/// Receipts and blocks as rollups and other chains give them.
#[tokio::test]
async fn what_other_chains_add_to_receipts_and_blocks_is_no_trouble() {
    let ours = TransactionHash([7; 32].into());
    let (hash, block) = (ours.to_string(), hash_of(4));
    let extra = [
        // OP Stack: a deposit beside it, data and operator fees.
        r#""type":"0x7e","depositNonce":"0x1","l1Fee":"0x5","l1FeeScalar":null,"l1BlobBaseFee":null,"operatorFeeScalar":"0x0""#,
        // Arbitrum.
        r#""type":"0x6a","gasUsedForL1":"0x1f4","l1BlockNumber":"0x12d687"#,
        // zkSync Era.
        r#""type":"0x71","l1BatchNumber":null,"l1BatchTxIndex":null,"l2ToL1Logs":[],"root":"0x01"#,
        // Celo: fees in a token (CIP-64).
        r#""type":"0x7b","feeCurrency":"0x765de816845861e75a25fca122bb6898b8b1282a","gatewayFee":null"#,
        // BSC, Polygon: what a validator pays itself.
        r#""type":"0x7f","effectiveGasPrice":"0x0","blobGasUsed":null"#,
    ];
    for extra in extra {
        let extra = if extra.matches('"').count() % 2 == 1 { format!("{extra}\"") } else { extra.to_owned() };
        let receipt = format!(
            r#""result":{{"transactionHash":"{hash}","blockNumber":"0x4","blockHash":"{block}","status":"0x1","gasUsed":"0x5208",{extra}}}"#
        );
        let whole = format!(
            r#""result":{{"number":"0x4","hash":"{block}","gasUsed":"0x5208","gasLimit":"0x4000000000000","size":"0x0",
            "baseFeePerGas":"0x0","sendCount":"0x1","l1BatchNumber":null,"transactions":[
            {{"hash":"{hash}","from":"0x0000000000000000000000000000000000000001","nonce":"0x0","to":null,"value":"0x0","input":"0x"}},
            {{"hash":"{}","type":"0x6a","from":"0x00000000000000000000000000000000000a4b05","data":"0x","requestId":"0x1"}}]}}"#,
            hash_of(9)
        );
        let chain = url_of(
            pretend(move |request| {
                Some(answer(&request, |method, params| match (method, params[1].as_bool()) {
                    ("eth_getTransactionReceipt", _) => receipt.clone(),
                    ("eth_getBlockByNumber", Some(true)) => whole.clone(),
                    _ => healthy(method, params),
                }))
            })
            .await,
        );
        let round = chain.round().await.expect("it is well");
        let receipt = round.receipts(&[ours]).await.pop().expect("one").expect(&extra).expect("it is there");
        assert!(receipt.succeeded && receipt.gas_used == 21_000, "{extra}");
        let block = round.block(4).await.expect(&extra).expect("it is there");
        assert_eq!(block.transactions.len(), 2, "{extra}");
    }
}

#[tokio::test]
async fn a_moment_of_trouble_says_nothing_of_batches() {
    let batches = Arc::new(AtomicUsize::new(0));
    let counted = batches.clone();
    let chain = url_of(
        pretend(move |request| {
            let is_first = request.is_array() && counted.fetch_add(1, Ordering::Relaxed) == 0;
            Some(if is_first { http("502 Bad Gateway", "") } else { answer(&request, healthy) })
        })
        .await,
    );
    chain.round().await.expect("one more try does it");
    assert_eq!(chain.endpoints()[0].habits.batch_size, None);
    assert_eq!(batches.load(Ordering::Relaxed), 2);
}
