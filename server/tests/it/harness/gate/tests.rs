//! A rule that does nothing must not go unnoticed: every fault is tried on a real node.

use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256};
use serde_json::{Value, json};
use wallet_server::{
    chain::local::{LocalNode, LocalNodeSettings},
    value::ChainId,
};

use super::{Calls, Fault, Gate, lies::number};

async fn gate() -> (LocalNode, Gate) {
    let chain_id = ChainId::new(31_337).expect("in range");
    let settings = LocalNodeSettings { program: None, port: None, state_file: None, chain_id };
    let node = LocalNode::start(settings).await.expect("a node; `npm ci` installs it");
    let gate = Gate::before(node.url()).await;
    (node, gate)
}

async fn post(gate: &Gate, body: Value) -> Result<Value, reqwest::Error> {
    let client = reqwest::Client::builder().timeout(Duration::from_millis(700)).build().expect("a client");
    client.post(&gate.url).json(&body).send().await?.error_for_status()?.json().await
}

fn call(id: u64, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

async fn ask(gate: &Gate, method: &str, params: Value) -> Value {
    post(gate, call(1, method, params)).await.expect("an answer")["result"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_does_what_it_says_and_ends() {
    let (_node, gate) = gate().await;
    let block = || call(7, "eth_blockNumber", json!([]));
    let good = post(&gate, block()).await.expect("an answer");
    assert_eq!((&good["id"], &good["result"]), (&json!(7), &json!("0x0")));
    for (fault, is_so) in [
        (Fault::Drop, (|error| error.is_timeout()) as fn(&reqwest::Error) -> bool),
        (Fault::Swallow, reqwest::Error::is_timeout),
        (Fault::Cut, |error| !error.is_timeout() && !error.is_status()),
        (Fault::Status(502), |error| error.status().is_some_and(|status| status == 502)),
        (Fault::Corrupt, reqwest::Error::is_decode),
    ] {
        let rule = gate.next(1, Calls::of("eth_blockNumber"), fault);
        post(&gate, call(1, "eth_chainId", json!([]))).await.expect("another method passes");
        let error = post(&gate, block()).await.expect_err("it is spoilt");
        assert!(is_so(&error), "{error:?}");
        assert_eq!(rule.hits(), 1);
        assert_eq!(post(&gate, block()).await.expect("only the next one"), good);
    }
    let refused = gate.when(Calls::of("eth_blockNumber"), Fault::refuse("not today"));
    assert_eq!(post(&gate, block()).await.expect("an answer")["error"]["message"], "not today");
    let exception = gate.when(Calls::of("eth_blockNumber"), Fault::Forward);
    assert_eq!(post(&gate, block()).await.expect("an answer"), good);
    exception.end();
    assert_eq!(post(&gate, block()).await.expect("an answer")["error"]["code"], -32_000);
    refused.end();
    gate.when(Calls::of("eth_blockNumber"), Fault::Delay(Duration::from_millis(200)));
    let began = Instant::now();
    assert_eq!(post(&gate, block()).await.expect("an answer"), good);
    assert!(began.elapsed() >= Duration::from_millis(200));
    gate.when(Calls::any(), Fault::lie(|_, result| json!(format!("not {}", result.as_str().unwrap_or_default()))));
    assert_eq!(ask(&gate, "eth_blockNumber", json!([])).await, "not 0x0");
    gate.heal();
    assert_eq!(post(&gate, block()).await.expect("an answer"), good);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_treated_call_by_call_and_counted_so() {
    let (_node, gate) = gate().await;
    let address = Address::repeat_byte(7);
    let batch = json!([
        call(1, "eth_blockNumber", json!([])),
        call(2, "eth_getTransactionCount", json!([address, "latest"])),
        call(3, "eth_getTransactionCount", json!([Address::ZERO, "latest"])),
        call(4, "eth_chainId", json!([])),
    ]);
    gate.say_nonce(address, 9);
    gate.when(Calls::of("eth_chainId"), Fault::refuse("no"));
    let answers = post(&gate, batch.clone()).await.expect("an answer");
    assert_eq!(answers.as_array().map(Vec::len), Some(4));
    assert_eq!((&answers[0]["id"], &answers[0]["result"]), (&json!(1), &json!("0x0")));
    assert_eq!((&answers[1]["id"], &answers[1]["result"]), (&json!(2), &json!("0x9")));
    assert_eq!((&answers[2]["id"], &answers[2]["result"]), (&json!(3), &json!("0x0")));
    assert_eq!((&answers[3]["id"], &answers[3]["error"]["message"]), (&json!(4), &json!("no")));
    assert_eq!((gate.requests(), gate.calls(), gate.calls_of("eth_getTransactionCount")), (1, 4, 2));
    gate.when(Calls::of("eth_chainId"), Fault::Drop);
    assert!(post(&gate, batch).await.expect_err("one spoils the batch").is_timeout());
    assert_eq!((gate.requests(), gate.most_in_flight()), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lies_are_told_and_the_truth_is_kept() {
    let (node, gate) = gate().await;
    let (_other, elsewhere) = self::gate().await;
    let accounts = ask(&gate, "eth_accounts", json!([])).await;
    let from: Address = accounts[0].as_str().expect("text").parse().expect("an address");
    let send = json!([{ "from": from, "to": Address::repeat_byte(1), "value": "0x1" }]);
    let hash = ask(&gate, "eth_sendTransaction", send).await;
    let receipt = ask(&gate, "eth_getTransactionReceipt", json!([hash])).await;
    assert_eq!(receipt["status"], "0x1");

    let hidden = gate.hide_receipts();
    assert_eq!(ask(&gate, "eth_getTransactionReceipt", json!([hash])).await, Value::Null);
    gate.show_receipt(&receipt);
    assert_eq!(ask(&gate, "eth_getTransactionReceipt", json!([hash])).await, receipt);
    gate.heal();
    assert_eq!(hidden.hits(), 1);
    gate.change_receipts(|receipt| receipt["status"] = Value::Null);
    assert_eq!(ask(&gate, "eth_getTransactionReceipt", json!([hash])).await["status"], Value::Null);
    gate.heal();

    let transfer = json!([{ "from": from, "to": from }]);
    assert!(number(&ask(&gate, "eth_estimateGas", transfer.clone()).await) >= 21_000);
    gate.say_estimate(0);
    assert_eq!(ask(&gate, "eth_estimateGas", transfer).await, "0x0");
    gate.say_tip(77);
    assert_eq!(ask(&gate, "eth_maxPriorityFeePerGas", json!([])).await, "0x4d");
    let history = ask(&gate, "eth_feeHistory", json!(["0x1", "latest", [50]])).await;
    assert_eq!(history["reward"][0][0], "0x4d");
    gate.say_chain(5);
    assert_eq!(ask(&gate, "eth_chainId", json!([])).await, "0x5");
    gate.say_first_block(B256::repeat_byte(3));
    assert_eq!(ask(&gate, "eth_getBlockByNumber", json!(["0x0", false])).await["hash"], json!(B256::repeat_byte(3)));
    assert_ne!(ask(&gate, "eth_getBlockByNumber", json!(["0x1", false])).await["hash"], json!(B256::repeat_byte(3)));
    gate.say_client("Geth/v1.16.0");
    assert_eq!(ask(&gate, "web3_clientVersion", json!([])).await, "Geth/v1.16.0");
    gate.heal();

    gate.lag(1, 1);
    assert_eq!(ask(&gate, "eth_blockNumber", json!([])).await, "0x0");
    assert_eq!(ask(&gate, "eth_getBlockByNumber", json!(["latest", false])).await["number"], "0x0");
    assert_eq!(ask(&gate, "eth_getTransactionCount", json!([from, "latest"])).await, "0x0");
    assert_eq!(ask(&gate, "eth_getTransactionReceipt", json!([hash])).await, Value::Null);
    gate.heal();
    assert_eq!(ask(&gate, "eth_getTransactionCount", json!([from, "latest"])).await, "0x1");

    gate.when(Calls::of("eth_blockNumber"), Fault::Elsewhere(elsewhere.url.clone()));
    assert_eq!(ask(&gate, "eth_blockNumber", json!([])).await, "0x0");
    gate.heal();
    gate.point_to(&elsewhere.url);
    assert_eq!(ask(&gate, "eth_getTransactionReceipt", json!([hash])).await, Value::Null);
    gate.point_to(node.url());
    assert_eq!(ask(&gate, "eth_getTransactionReceipt", json!([hash])).await, receipt);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_bytes_are_told_apart_by_their_signer_and_can_be_lost() {
    use alloy::{
        consensus::{SignableTransaction, TxEip1559, TxEnvelope},
        eips::Encodable2718,
        primitives::{TxKind, U256, hex},
        signers::{SignerSync, local::PrivateKeySigner},
    };
    let (_node, gate) = gate().await;
    // The first account of every development node has money.
    let rich = PrivateKeySigner::from_slice(&hex!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"));
    let (rich, poor) = (rich.expect("a key"), PrivateKeySigner::random());
    let signed = |signer: &PrivateKeySigner| {
        let payment = TxEip1559 {
            chain_id: 31_337,
            gas_limit: 21_000,
            max_fee_per_gas: 10_000_000_000,
            to: TxKind::Call(Address::repeat_byte(1)),
            value: U256::from(1),
            ..TxEip1559::default()
        };
        let signature = signer.sign_hash_sync(&payment.signature_hash()).expect("a signature");
        let envelope: TxEnvelope = payment.into_signed(signature).into();
        (hex::encode_prefixed(envelope.encoded_2718()), *envelope.tx_hash())
    };
    let ((first, hash), (second, _)) = (signed(&rich), signed(&poor));
    gate.when(Calls::of(super::SEND).wallet(poor.address()), Fault::refuse("not you"));
    let lost = gate.next(1, Calls::of(super::SEND).wallet(rich.address()), Fault::Lose);
    let refused = post(&gate, call(1, super::SEND, json!([second]))).await.expect("an answer");
    assert_eq!(refused["error"]["message"], "not you");
    assert_eq!(ask(&gate, super::SEND, json!([first])).await, json!(hash), "as if it had arrived");
    assert_eq!((lost.hits(), ask(&gate, "eth_getTransactionByHash", json!([hash])).await), (1, Value::Null));
    assert_eq!(ask(&gate, super::SEND, json!([first])).await, json!(hash));
    assert_eq!(ask(&gate, "eth_getTransactionReceipt", json!([hash])).await["status"], "0x1");
    assert_eq!((gate.sent().len(), gate.sent_by(rich.address()).len(), gate.sent_by(poor.address()).len()), (3, 2, 1));
}
