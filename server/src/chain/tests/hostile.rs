//! A few lines of TCP that answer as no node should.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{super::*, id};
use crate::value::{Address, CallData, Secret, TransactionHash, Wei};

/// Part of every URL here; must never be seen again.
const KEY: &str = "s3cr3tproviderkey";

/// Reads one request and gives its JSON.
async fn request(stream: &mut TcpStream) -> Option<serde_json::Value> {
    let mut bytes = Vec::new();
    loop {
        let read = stream.read_buf(&mut bytes).await.ok().filter(|&read| read > 0)?;
        let text = String::from_utf8_lossy(&bytes);
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        if let Some(json) = body.and_then(|body| serde_json::from_str(&body).ok()) {
            return Some(json);
        }
        assert!(read < 1 << 20);
    }
}

/// Listens and answers every request with what `answer` makes of it: the whole HTTP answer; nothing hangs.
pub(super) async fn pretend(
    answer: impl Fn(serde_json::Value) -> Option<String> + Send + Sync + Clone + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                while let Some(request) = request(&mut stream).await {
                    let Some(answer) = answer(request) else { return std::future::pending().await };
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            });
        }
    });
    format!("http://user:{KEY}@{address}/v3/{KEY}?key={KEY}")
}

pub(super) fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// A node of chain 31337 that answers `results(method, params)`: a JSON result or error member.
pub(super) async fn scripted(
    results: impl Fn(&str, &serde_json::Value) -> String + Send + Sync + Clone + 'static,
) -> Chain {
    url_of(pretend(move |request| Some(answer(&request, &results))).await)
}

/// The HTTP answer to a request or a batch.
pub(super) fn answer(request: &serde_json::Value, results: impl Fn(&str, &serde_json::Value) -> String) -> String {
    let one = |request: &serde_json::Value| {
        let member = results(request["method"].as_str().unwrap_or_default(), &request["params"]);
        format!(r#"{{"jsonrpc":"2.0","id":{},{member}}}"#, request["id"])
    };
    let body = match request {
        // Backwards: batches are matched by id.
        serde_json::Value::Array(all) => {
            let answers: Vec<_> = all.iter().rev().map(one).collect();
            format!("[{}]", answers.join(","))
        }
        request => one(request),
    };
    http("200 OK", &body)
}

/// A hash that is as good as any.
pub(super) fn hash_of(number: u64) -> String {
    format!("0x{:064x}", number + 0xabc0_0000)
}

/// A header as a JSON member.
pub(super) fn header(number: u64) -> String {
    format!(r#""result":{{"number":"0x{number:x}","hash":"{}"}}"#, hash_of(number))
}

/// What every node of chain 31337 says of itself, at block 100; none for another question.
pub(super) fn itself(method: &str, params: &serde_json::Value) -> Option<String> {
    match (method, params[0].as_str()) {
        ("eth_chainId", _) => Some(r#""result":"0x7a69""#.to_owned()),
        ("web3_clientVersion", _) => Some(r#""result":"Geth""#.to_owned()),
        ("eth_getBlockByNumber", Some("0x0")) => Some(header(0)),
        ("eth_getBlockByNumber", Some("latest")) => Some(header(100)),
        ("eth_getBlockByNumber", Some("finalized")) => Some(header(90)),
        _ => None,
    }
}

/// A node of chain 31337 that is right about itself, and answers everything else with `results(method)`. A block that
/// it gives is the latest one, and gets number and hash where it has none.
pub(super) async fn node(results: impl Fn(&str) -> String + Send + Sync + Clone + 'static) -> Chain {
    scripted(move |method, params| {
        let answer = results(method);
        if (method, params[0].as_str()) == ("eth_getBlockByNumber", Some("latest"))
            && let Some(fields) = answer.strip_prefix(r#""result":{"#)
            && !answer.contains("number")
        {
            return format!(r#""result":{{"number":"0x64","hash":"{}",{fields}"#, hash_of(100));
        }
        itself(method, params).unwrap_or(answer)
    })
    .await
}

pub(super) fn url_of(url: String) -> Chain {
    let url = Secret::new(url);
    let request_timeout = Duration::from_millis(1500);
    Chain::new(ChainSettings { request_timeout, ..ChainSettings::new(id(31337), url) }).expect("a URL")
}

/// Asks everything there is and gives every failure, as logs would show them.
async fn every_error(chain: &Chain) -> Vec<String> {
    let address: Address = "0x00000000000000000000000000000000000000aa".parse().expect("an address");
    let call = Call { from: address, to: None, value: Wei::ZERO, data: CallData::default() };
    let mut errors = Vec::new();
    let mut note = |error: Option<ChainError>| errors.extend(error.map(|error| format!("{error} {error:?}")));
    note(chain.account(address).await.err());
    note(chain.has_code(address).await.err());
    note(chain.market().await.err());
    note(chain.round().await.err());
    note(chain.token(address).await.err());
    note(match chain.estimate_gas(&call).await {
        Err(EstimateError::Unavailable(error)) => Some(error),
        other => panic!("{other:?}"),
    });
    let SendOutcome::Unavailable { why } = chain.send(&[1]).await else { panic!("nothing can be sent") };
    errors.push(why);
    errors.push(format!("{:?}", chain.health()));
    errors
}

#[tokio::test]
async fn nonsense_of_every_kind_is_unavailable_and_shows_no_key() {
    let huge = || format!(r#"{{"jsonrpc":"2.0","id":0,"result":"0x{}"}}"#, "0".repeat(5 << 20));
    let answers: Vec<(&str, String)> = vec![
        ("garbage", "\u{0}\u{1}garbage".to_owned()),
        ("not JSON", http("200 OK", "<html>")),
        ("empty", http("200 OK", "")),
        ("scalar", http("200 OK", "7")),
        ("no batch", http("200 OK", "[]")),
        ("deep", http("200 OK", &"[".repeat(200_000))),
        ("huge", http("200 OK", &huge())),
        ("endless", format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n800000\r\n{}", "x".repeat(0x800000))),
        ("redirect", "HTTP/1.1 307 See\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_owned()),
        ("unauthorised", http("401 No", &format!(r#"{{"error":{{"code":1,"message":"bad {KEY}"}}}}"#))),
        (
            "echo",
            http("200 OK", &format!(r#"{{"jsonrpc":"2.0","id":null,"error":{{"code":1,"message":"bad {KEY}"}}}}"#)),
        ),
        ("other id", http("200 OK", r#"{"jsonrpc":"2.0","id":"x","result":"0x7a69"}"#)),
        ("other ids", http("200 OK", r#"[{"jsonrpc":"2.0","id":999,"result":"0x7a69"}]"#)),
    ];
    for (name, answer) in answers {
        let chain = url_of(pretend(move |_| Some(answer.clone())).await);
        let errors = every_error(&chain).await;
        assert_eq!(errors.len(), 8, "{name}: {errors:?}");
        for text in errors.into_iter().chain([format!("{chain:?}")]) {
            assert!(!text.contains(KEY) && !text.contains("127.0.0.1") && !text.contains("http://"), "{name}: {text}");
        }
    }
}

#[tokio::test]
async fn a_node_that_hangs_is_given_up_in_time() {
    let chain = url_of(pretend(|_| None).await);
    let began = Instant::now();
    assert_eq!(chain.market().await, Err(ChainError::Unavailable("it took too long".to_owned())));
    assert!(began.elapsed() < Duration::from_secs(4));
    let nobody = url_of(format!("http://{KEY}@127.0.0.1:1/{KEY}"));
    assert_eq!(nobody.market().await, Err(ChainError::Unavailable("no connection".to_owned())));
}

#[tokio::test]
async fn odd_results_are_unavailable() {
    for result in
        ["null", "true", "-1", r#""0xzz""#, r#"{"number":1}"#, "[]", r#""0xffffffffffffffffffffffffffffffffff""#]
    {
        let member = format!(r#""result":{result}"#);
        let chain = scripted(move |method, params| match method {
            "eth_getBlockByNumber" if params[0] == "latest" => member.clone(),
            method => itself(method, params).unwrap_or_else(|| member.clone()),
        })
        .await;
        let address: Address = "0x00000000000000000000000000000000000000aa".parse().expect("an address");
        assert!(chain.account(address).await.is_err(), "{result}");
        assert!(chain.market().await.is_err(), "{result}");
        assert!(chain.round().await.is_err(), "{result}");
        assert!(matches!(chain.send(&[1]).await, SendOutcome::Unavailable { .. }), "{result}");
    }
}

#[tokio::test]
async fn a_receipt_of_another_transaction_is_no_receipt() {
    let hash = TransactionHash([1; 32].into());
    let receipt = |hash: TransactionHash, status: &str| {
        format!(
            r#""result":{{"transactionHash":"{hash}","blockNumber":"0x1","blockHash":"{hash}","status":"{status}","gasUsed":"0x5208"}}"#
        )
    };
    let other = receipt(TransactionHash([2; 32].into()), "0x1");
    let chain = node(move |_| other.clone()).await;
    assert!(receipts(&chain, &[hash]).await[0].is_err());
    let odd = receipt(hash, "0x2");
    let chain = node(move |_| odd.clone()).await;
    assert!(receipts(&chain, &[hash]).await[0].is_err());
    let failed = receipt(hash, "0x0");
    let chain = node(move |_| failed.clone()).await;
    let receipt = receipts(&chain, &[hash]).await[0].clone().expect("a whole receipt");
    assert!(!receipt.expect("there").succeeded);
    // Only a plain null is absence.
    for member in [
        r#""error":{"code":-32000,"message":"not available"}"#,
        r#""result":null,"error":{"code":-32000,"message":"not available"}"#,
        r#""outcome":null"#,
    ] {
        let chain = node(move |_| member.to_owned()).await;
        assert!(receipts(&chain, &[hash]).await[0].is_err(), "{member}");
    }
    let chain = node(|_| r#""result":null"#.to_owned()).await;
    assert_eq!(receipts(&chain, &[hash]).await, [Ok(None)]);
}

async fn receipts(chain: &Chain, hashes: &[TransactionHash]) -> Vec<Result<Option<Receipt>, ChainError>> {
    chain.round().await.expect("it is right about itself").receipts(hashes).await
}

#[tokio::test]
async fn only_a_node_that_does_not_know_the_tag_is_trusted_by_depth() {
    let of = async |answer: &'static str| {
        let chain = scripted(move |method, params| match params[0].as_str() {
            Some("finalized") => answer.to_owned(),
            _ => itself(method, params).unwrap_or_default(),
        });
        chain.await.round().await.map(|round| (round.head.number, round.final_height))
    };
    let at = format!(r#""result":{{"number":"0x60","hash":"{}"}}"#, hash_of(96)).leak();
    assert_eq!(of(at).await, Ok((100, 96)));
    assert_eq!(of(r#""result":null"#).await, Ok((100, 0)));
    assert_eq!(of(r#""error":{"code":-32000,"message":"finalized block not found"}"#).await, Ok((100, 0)));
    assert_eq!(
        of(r#""error":{"code":-32602,"message":"invalid argument 0: hex string without 0x prefix"}"#).await,
        Ok((100, 37))
    );
    // A busy node makes nothing final.
    assert_eq!(of(r#""error":{"code":-32005,"message":"rate limited"}"#).await, Ok((100, 0)));
}

#[tokio::test]
async fn a_missing_method_or_an_absurd_price_is_survived() {
    let of = async |base: &'static str, tip: &'static str, price: &'static str| {
        let chain = node(move |method| match method {
            "eth_getBlockByNumber" => format!(r#""result":{{"baseFeePerGas":{base}}}"#),
            "eth_maxPriorityFeePerGas" => tip.to_owned(),
            _ => price.to_owned(),
        });
        chain.await.market().await.map(|market| (market.now.max_fee_per_gas, market.now.max_priority_fee_per_gas))
    };
    const MISSING: &str = r#""error":{"code":-32601,"message":"method not found"}"#;
    assert_eq!(of(r#""0x3b9aca00""#, r#""result":"0x77359400""#, MISSING).await, Ok((4_000_000_000, 2_000_000_000)));
    assert_eq!(of(r#""0x0""#, r#""result":"0x0""#, MISSING).await, Ok((1_000_000, 1_000_000)));
    assert_eq!(of(r#""0x5""#, MISSING, r#""result":"0x1e8485""#).await, Ok((2_000_010, 2_000_000)));
    assert_eq!(of(r#""0x5""#, MISSING, MISSING).await, Ok((1_000_000_010, 1_000_000_000)));
    assert_eq!(of("null", MISSING, r#""result":"0x7""#).await, Ok((7, 7)));
    assert!(of("null", MISSING, MISSING).await.is_err());
    assert!(of(r#""0x100000000000000000000""#, MISSING, MISSING).await.is_err());
    assert!(of(r#""0x100000000000000000001""#, MISSING, MISSING).await.is_err());
}

#[tokio::test]
async fn estimates_read_every_shape_of_refusal() {
    let address: Address = "0x00000000000000000000000000000000000000aa".parse().expect("an address");
    let of = async |member: &'static str| {
        let call = Call { from: address, to: Some(address), value: Wei::ZERO, data: CallData::default() };
        node(move |_| member.to_owned()).await.estimate_gas(&call).await
    };
    let reverted = |message: &str| Err(EstimateError::Reverted { data: None, message: message.to_owned() });
    assert_eq!(
        of(r#""error":{"code":3,"message":"execution reverted","data":"0x"}"#).await,
        reverted("execution reverted")
    );
    assert_eq!(
        of(r#""error":{"code":-32000,"message":"execution reverted: insufficient funds\u001b[31m"}"#).await,
        reverted("execution reverted: insufficient funds[31m")
    );
    assert_eq!(
        of(r#""error":{"code":-32015,"message":"VM execution error.","data":"Reverted 0xcf479181"}"#).await,
        Err(EstimateError::Reverted {
            data: Some(vec![0xcf, 0x47, 0x91, 0x81]),
            message: "VM execution error.".to_owned()
        })
    );
    assert_eq!(of(r#""error":{"code":3,"message":""}"#).await, reverted(""));
    assert_eq!(
        of(r#""error":{"code":-32000,"message":"insufficient funds for transfer"}"#).await,
        Err(EstimateError::InsufficientFunds)
    );
    assert!(matches!(of(r#""error":{"code":-32005,"message":"busy"}"#).await, Err(EstimateError::Unavailable(_))));
    assert!(matches!(of(r#""result":"0xffffffffffffffff""#).await, Err(EstimateError::Unavailable(_))));
}

#[test]
fn only_http_urls_are_taken_and_wrong_ones_are_not_repeated() {
    for url in
        ["", "localhost:8545", "ws://example.org/secretkey", "file:///etc/passwd", "http://", "https://a b/secretkey"]
    {
        let url = Secret::new(url.to_owned());
        let error = Chain::new(ChainSettings::new(id(1), url)).expect_err("no http(s) URL");
        assert!(matches!(error, ChainError::Settings(_)) && !error.to_string().contains("secret"));
    }
}
