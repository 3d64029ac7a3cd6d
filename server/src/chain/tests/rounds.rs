//! What counts as evidence: rounds, the identity of a node, and the verdict on it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::Value;

use super::{
    super::*,
    hostile::{hash_of, header, itself, pretend, scripted, url_of},
    local,
};
use crate::value::{Address, CallData, TransactionHash, Wei};

const BUSY: &str = r#""error":{"code":-32000,"message":"server busy, try again"}"#;

fn account(last: u8) -> Address {
    let mut bytes = [0xaa; 20];
    bytes[19] = last;
    Address(bytes.into())
}

fn hash(number: u64) -> crate::value::BlockHash {
    hash_of(number).parse().expect("a hash")
}

/// The first block of another chain.
fn other_first() -> String {
    format!(r#""result":{{"number":"0x0","hash":"{}"}}"#, hash_of(7))
}

/// Method, first parameter, answer.
type Scripted = (&'static str, &'static str, String);

/// Answers that a test changes while the node runs: the first that matches method and first parameter counts, else
/// what every node says of itself.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<Vec<Scripted>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Script {
    fn set(&self, method: &'static str, first: &'static str, answer: impl Into<String>) {
        let mut answers = self.answers.lock().expect("whole");
        answers.retain(|(known, parameter, _)| (*known, *parameter) != (method, first));
        answers.push((method, first, answer.into()));
    }

    fn clear(&self) {
        self.answers.lock().expect("whole").clear();
    }

    /// What was asked since this was last called.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().expect("whole"))
    }

    fn answer(&self, method: &str, params: &Value) -> String {
        let first = params[0].as_str().unwrap_or_default();
        self.asked.lock().expect("whole").push(format!("{method} {first}").trim().to_owned());
        let answers = self.answers.lock().expect("whole");
        let scripted = answers.iter().find(|(known, parameter, _)| (*known, *parameter) == (method, first));
        scripted
            .map(|(.., answer)| answer.clone())
            .or_else(|| itself(method, params))
            .unwrap_or_else(|| BUSY.to_owned())
    }

    async fn node(&self) -> Chain {
        let script = self.clone();
        scripted(move |method, params| script.answer(method, params)).await
    }
}

#[tokio::test]
async fn a_round_asks_for_the_first_block_only_when_the_head_moved() {
    let script = Script::default();
    let chain = script.node().await;
    assert_eq!(chain.verdict(), Verdict::Unknown);
    let round = chain.round().await.expect("it is well");
    assert_eq!(round.head, BlockRef { number: 100, hash: hash(100) });
    assert_eq!((round.final_height, round.genesis, round.is_development), (90, Some(hash(0)), false));
    let first = script.asked();
    assert!(first.contains(&"eth_getBlockByNumber 0x0".to_owned()) && first.len() == 5, "{first:?}");
    chain.round().await.expect("it is well");
    let again = script.asked();
    assert!(!again.contains(&"eth_getBlockByNumber 0x0".to_owned()) && again.len() == 3, "{again:?}");
    script.set("eth_getBlockByNumber", "latest", header(101));
    assert_eq!(chain.round().await.expect("it is well").head.number, 101);
    assert!(script.asked().contains(&"eth_getBlockByNumber 0x0".to_owned()));
    let Health { verdict, head, last_success, last_error, .. } = chain.health();
    assert_eq!((verdict, head.map(|head| head.number), last_error), (Verdict::Good, Some(101), None));
    assert!(last_success.is_some());
}

#[tokio::test]
async fn a_node_with_another_first_block_or_id_is_neither_asked_nor_believed_until_it_is_the_old_one() {
    for (method, first, answer) in
        [("eth_getBlockByNumber", "0x0", other_first()), ("eth_chainId", "", r#""result":"0x5""#.to_owned())]
    {
        let script = Script::default();
        let chain = script.node().await;
        let earlier = chain.round().await.expect("it is well");
        script.set(method, first, answer);
        script.set("eth_getBlockByNumber", "latest", header(101));
        let error = chain.round().await.expect_err("another chain");
        assert!(matches!(error, ChainError::OtherChain { .. } | ChainError::OtherGenesis { .. }), "{error:?}");
        assert!(matches!(chain.verdict(), Verdict::Quarantined { .. }));
        script.asked();
        assert!(matches!(chain.send(&[1]).await, SendOutcome::Unavailable { .. }));
        assert!(chain.market().await.is_err() && chain.account(account(1)).await.is_err());
        assert!(earlier.latest_nonces(&[account(1)]).await.is_err(), "also what was begun before");
        assert!(earlier.receipts(&[TransactionHash([1; 32].into())]).await[0].is_err());
        assert_eq!(script.asked(), Vec::<String>::new());
        // Silence does not make it of the right chain.
        script.set("eth_getBlockByNumber", "latest", BUSY);
        assert!(chain.round().await.is_err());
        assert!(matches!(chain.verdict(), Verdict::Quarantined { .. }));
        script.clear();
        chain.round().await.expect("it is the old one");
        assert_eq!(chain.verdict(), Verdict::Good);
    }
}

#[tokio::test]
async fn a_question_that_failed_keeps_the_verdict_and_is_asked_again() {
    let script = Script::default();
    let chain = script.node().await;
    script.set("eth_getBlockByNumber", "0x0", BUSY);
    assert!(chain.round().await.is_err(), "nothing is believed before it showed what it is");
    script.clear();
    chain.round().await.expect("it is well");
    script.set("eth_getBlockByNumber", "latest", header(101));
    script.set("eth_getBlockByNumber", "0x0", BUSY);
    script.set("eth_getBlockByNumber", "finalized", BUSY);
    script.set("eth_chainId", "", BUSY);
    let round = chain.round().await.expect("its head is answer enough");
    assert_eq!((round.head.number, round.final_height, round.genesis), (101, 90, Some(hash(0))));
    script.asked();
    script.set("eth_getBlockByNumber", "0x0", other_first());
    assert!(matches!(chain.round().await, Err(ChainError::OtherGenesis { .. })), "at the same head");
}

#[tokio::test]
async fn a_chain_that_began_anew_is_followed_once_that_is_accepted() {
    let script = Script::default();
    let chain = script.node().await;
    chain.round().await.expect("it is well");
    script.set("eth_getBlockByNumber", "0x0", other_first());
    script.set("eth_getBlockByNumber", "latest", header(8));
    let Err(ChainError::OtherGenesis { remembered, shown }) = chain.round().await else { panic!("another chain") };
    assert_eq!((remembered, shown), (hash(0), hash(7)));
    chain.expect_genesis(shown);
    let round = chain.round().await.expect("it is what is expected");
    assert_eq!((round.head.number, round.genesis, round.final_height), (8, Some(shown), 8));
    // What was stored before a start counts like what was seen.
    let restarted = script.node().await;
    restarted.expect_genesis(hash(0));
    assert!(matches!(restarted.round().await, Err(ChainError::OtherGenesis { .. })));
}

#[tokio::test]
async fn a_node_without_its_first_block_is_held_to_the_oldest_it_showed() {
    const PRUNED: &str = r#""error":{"code":4444,"message":"pruned history unavailable"}"#;
    for absent in [r#""result":null"#, PRUNED] {
        let script = Script::default();
        script.set("eth_getBlockByNumber", "0x0", absent);
        let chain = script.node().await;
        assert_eq!(chain.round().await.expect("it is well").genesis, None);
        script.set("eth_getBlockByNumber", "latest", header(101));
        script.set("eth_getBlockByNumber", "0x5a", header(90));
        chain.round().await.expect("the block is there");
        script.set("eth_getBlockByNumber", "latest", header(102));
        script.set("eth_getBlockByNumber", "0x5a", format!(r#""result":{{"number":"0x5a","hash":"{}"}}"#, hash_of(7)));
        assert!(matches!(chain.round().await, Err(ChainError::OtherGenesis { .. })), "{absent}");
    }
}

#[tokio::test]
async fn requests_to_a_silent_node_wait_once_and_then_fail_at_once() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let url = pretend(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        None
    })
    .await;
    let chain = url_of(url);
    let began = Instant::now();
    let answers = join_all((0..8).map(|_| chain.market())).await;
    assert!(answers.iter().all(Result::is_err));
    assert!(began.elapsed() < Duration::from_secs(4), "one timeout, not eight: {:?}", began.elapsed());
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(matches!(chain.verdict(), Verdict::Unreachable { .. }));
    let began = Instant::now();
    assert!(chain.market().await.is_err() && chain.account(account(1)).await.is_err());
    assert!(matches!(chain.send(&[1]).await, SendOutcome::Unavailable { .. }));
    assert!(began.elapsed() < Duration::from_millis(200));
    assert_eq!(asked.load(Ordering::SeqCst), 1, "nobody was asked");
}

#[tokio::test]
async fn a_node_that_falls_silent_is_doubted_after_the_first_request_and_believed_when_a_probe_is_answered() {
    let (script, is_silent) = (Script::default(), Arc::new(AtomicBool::new(false)));
    let (answers, silent) = (script.clone(), is_silent.clone());
    let url = pretend(move |request| {
        (!silent.load(Ordering::SeqCst))
            .then(|| super::hostile::answer(&request, |method, params| answers.answer(method, params)))
    })
    .await;
    let chain = url_of(url);
    chain.round().await.expect("it is well");
    is_silent.store(true, Ordering::SeqCst);
    assert!(chain.market().await.is_err());
    assert_eq!(chain.verdict(), Verdict::Good, "one request may have been too much to ask");
    assert!(chain.market().await.is_err());
    assert!(matches!(chain.verdict(), Verdict::Unreachable { .. }));
    is_silent.store(false, Ordering::SeqCst);
    assert!(chain.market().await.is_err(), "still the verdict");
    let _ = chain.round().await;
    assert_eq!(chain.verdict(), Verdict::Good);
    assert!(chain.health().last_error.is_some_and(|error| error.contains("too long")));
}

#[tokio::test]
async fn one_account_or_transaction_that_cannot_be_told_is_an_error_of_its_own() {
    let chain = scripted(|method, params| match method {
        "eth_getTransactionCount" if params[0].as_str() == Some(&account(2).to_string()) => {
            r#""result":"0xffffffffffffffff""#.to_owned()
        }
        "eth_getTransactionCount" => r#""result":"0x7""#.to_owned(),
        "eth_getTransactionReceipt" => {
            let hash = params[0].as_str().expect("a hash");
            let (status, other) = match hash.chars().last() {
                Some('1') => (String::new(), ""),
                Some('2') => (r#""status":"0x1","#.to_owned(), "x"),
                Some('3') => return r#""outcome":7"#.to_owned(),
                Some('4') => return r#""result":null"#.to_owned(),
                _ => (r#""status":"0x1","#.to_owned(), ""),
            };
            let hash = if other.is_empty() { hash.to_owned() } else { hash_of(9) };
            format!(r#""result":{{"transactionHash":"{hash}",{status}"blockNumber":"0x1","blockHash":"{hash}","gasUsed":"0x1"}}"#)
        }
        _ => itself(method, params).unwrap_or_else(|| BUSY.to_owned()),
    })
    .await;
    let round = chain.round().await.expect("it is well");
    let accounts: Vec<_> = (0..120).map(account).collect();
    let nonces = round.latest_nonces(&accounts).await.expect("it answers");
    assert!(nonces.iter().enumerate().all(|(at, nonce)| if at == 2 { nonce.is_err() } else { *nonce == Ok(7) }));

    let hashes: Vec<_> = (0..6u8)
        .map(|last| TransactionHash([[0; 31].as_slice(), &[last]].concat().as_slice().try_into().expect("32")))
        .collect();
    let receipts = round.receipts(&hashes).await;
    assert!(matches!(receipts[0], Ok(Some(_))));
    assert!(receipts[1].is_err(), "without a status");
    assert!(receipts[2].is_err(), "of another transaction");
    assert!(receipts[3].is_err(), "no answer at all");
    assert_eq!(receipts[4], Ok(None));
    assert!(matches!(receipts[5], Ok(Some(_))));
}

#[tokio::test]
async fn a_batch_that_is_too_large_for_the_node_is_asked_in_parts() {
    let url = pretend(|request| match &request {
        Value::Array(all) if all.len() > 10 => Some(super::hostile::http(
            "200 OK",
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch too large"}}"#,
        )),
        request => Some(super::hostile::answer(request, |method, params| {
            itself(method, params).unwrap_or_else(|| r#""result":"0x1""#.to_owned())
        })),
    })
    .await;
    let round = url_of(url).round().await.expect("it is well");
    let accounts: Vec<_> = (0..60).map(account).collect();
    let nonces = round.latest_nonces(&accounts).await.expect("it answers");
    assert!(nonces.len() == 60 && nonces.iter().all(|nonce| *nonce == Ok(1)));
}

#[tokio::test]
async fn the_hash_of_a_block_is_asked_once_a_round_and_never_above_the_head() {
    let script = Script::default();
    script.set("eth_getBlockByNumber", "0x32", header(50));
    script.set("eth_getBlockByNumber", "0x33", header(50));
    let chain = script.node().await;
    let round = chain.round().await.expect("it is well");
    script.asked();
    let clone = round.clone();
    assert_eq!(round.block_hash(100).await, Ok(Some(round.head.hash)));
    assert_eq!(round.block_hash(101).await, Ok(None));
    assert_eq!(script.asked().len(), 0);
    assert_eq!(round.block_hash(50).await, Ok(Some(hash(50))));
    assert_eq!(clone.block_hash(50).await, Ok(Some(hash(50))));
    assert_eq!(script.asked().len(), 1);
    assert!(round.block_hash(51).await.is_err(), "another block than was asked for");
}

#[tokio::test]
async fn having_no_state_is_told_apart_from_not_answering() {
    let script = Script::default();
    let chain = script.node().await;
    let round = chain.round().await.expect("it is well");
    for (words, is_absent) in [
        ("missing trie node 0b1d (path ) state 0x is not available, not found", true),
        ("header not found", true),
        ("historical state 0xaa is not available", true),
        ("No state available for block 0x1", true),
        ("World state unavailable", true),
        ("distance to target block exceeds maximum proof window", true),
        ("BlockOutOfRangeError: block height is 5 but requested was 10", true),
        ("project ID request rate exceeded", false),
        ("Internal error", false),
        ("request timed out", false),
    ] {
        let address = account(1).to_string().leak();
        script.set("eth_getTransactionCount", address, format!(r#""error":{{"code":-32000,"message":"{words}"}}"#));
        let answer = round.nonce_at(account(1), 1).await;
        assert_eq!(answer == Ok(NonceAt::NoState), is_absent, "{words}: {answer:?}");
        assert_eq!(answer.is_err(), !is_absent, "{words}");
    }
}

#[tokio::test]
async fn a_call_is_made_again_before_the_block_it_failed_in() {
    let (node, chain) = local(&[]).await;
    node.fund(account(1), 1_000_000u128.into()).await.expect("anvil's accounts hold 10000");
    let round = chain.round().await.expect("anvil answers");
    let call = Call { from: account(1), to: Some(account(2)), value: Wei::ZERO, data: CallData::default() };
    assert_eq!(round.replay(&call, 1).await, None, "it would succeed");
    assert_eq!(round.replay(&call, 0).await, None, "nothing is before the first block");
    // PUSH1 0, PUSH1 0, REVERT
    let broken = Call { to: None, data: CallData(vec![0x60, 0, 0x60, 0, 0xfd]), ..call };
    assert!(round.replay(&broken, 1).await.is_some());
}
