//! Trying an endpoint before people rely on it: what it can do, and what it cannot.

use std::time::{Duration, Instant};

use alloy::transports::TransportResult;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ChainError, ChainSettings, EndpointSettings,
    absence::is_absent,
    answer::Count,
    rpc::{NO_PARAMS, Rpc},
};
use crate::value::Clock;

/// How many requests are put into one batch to see whether that many are taken.
const BATCH: usize = 50;

/// What an endpoint was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointCheck {
    /// What it is called.
    pub name: String,
    /// What it can do; or why it cannot serve, without any part of its URL.
    pub outcome: Result<Abilities, String>,
}

/// What an endpoint can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abilities {
    /// The program, as it calls itself.
    pub client: Option<String>,
    /// Its newest block.
    pub head: u64,
    /// How long ago that was made.
    pub head_age: Option<Duration>,
    /// How long one exchange takes.
    pub latency: Duration,
    /// The block that it calls final; none: it names none.
    pub final_height: Option<u64>,
    /// How many requests it takes at once, of 50.
    pub batch_size: usize,
    /// Whether it has `eth_simulateV1`.
    pub simulates: bool,
    /// Whether it has `debug_traceCall` with `callTracer`.
    pub traces: bool,
    /// Whether it has the state of its final block, or of one 64 blocks ago.
    pub has_final_state: bool,
    /// Whether it says nothing, and no error, of a transaction that is not there.
    pub knows_absence: bool,
    /// Whether it says what was paid in recent blocks.
    pub has_fee_history: bool,
}

impl Abilities {
    /// What each thing that it lacks means for people, a sentence each.
    pub fn lacks(&self) -> Vec<&'static str> {
        let age = self.head_age.unwrap_or_default();
        let lacks = [
            (age > Duration::from_secs(120), "its newest block is old: payments would seem not to arrive"),
            (self.final_height.is_none(), "it names no final block: set `finality`, or 64 blocks count after a while"),
            (self.batch_size < BATCH, "it takes few requests at once: following many payments takes more exchanges"),
            (
                !self.simulates && self.traces,
                "it cannot simulate: the review shows what a call moves, and not what the wallet holds before and after",
            ),
            (
                !self.simulates && !self.traces,
                "it can neither simulate nor trace: the review does not show what a call moves, and warns of most",
            ),
            (
                !self.has_final_state,
                "it has no state of final blocks: what used a nonce elsewhere is found by reading blocks, slowly",
            ),
            (!self.knows_absence, "it answers with an error for unknown transactions: a use elsewhere is told late"),
            (!self.has_fee_history, "it has no fee history: fees follow its own advice alone"),
        ];
        lacks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, words)| words).collect()
    }
}

/// Tries every endpoint of a chain, one after the other.
pub async fn check(chain: &ChainSettings) -> Vec<EndpointCheck> {
    let mut checks = Vec::with_capacity(chain.endpoints.len());
    for endpoint in &chain.endpoints {
        let outcome = ask(chain, endpoint).await.map_err(|error| error.words());
        checks.push(EndpointCheck { name: endpoint.name.clone(), outcome });
    }
    checks
}

#[derive(Debug, Deserialize)]
struct Header {
    number: Count,
    timestamp: Option<Count>,
}

async fn ask(chain: &ChainSettings, endpoint: &EndpointSettings) -> Result<Abilities, ChainError> {
    let rpc = Rpc::new(&endpoint.url, chain.request_timeout)?;
    let unavailable = |error| rpc.unavailable(error);
    let Count(says) = rpc.ask("eth_chainId", NO_PARAMS).await.map_err(unavailable)?;
    if says != chain.id.get() {
        return Err(ChainError::OtherChain { says, expected: chain.id });
    }
    let began = Instant::now();
    let latest: Header = rpc.ask("eth_getBlockByNumber", ("latest", false)).await.map_err(unavailable)?;
    let latency = began.elapsed();
    let head = latest.number.0;
    let now = Clock::system().now().unix_seconds();
    let made = latest.timestamp.and_then(|at| i64::try_from(at.0).ok());
    let tagged = rpc.ask::<_, Option<Header>>("eth_getBlockByNumber", ("finalized", false)).await;
    let final_height = tagged.ok().flatten().map(|header| header.number.0);
    let zero = "0x0000000000000000000000000000000000000000";
    let at = format!("0x{:x}", final_height.unwrap_or_else(|| head.saturating_sub(64)));
    let state = rpc.ask::<_, Option<Count>>("eth_getTransactionCount", (zero, at)).await;
    let absent = format!("0x{}", "5a".repeat(32));
    let absence = rpc.ask::<_, Value>("eth_getTransactionReceipt", (absent,)).await;
    let history = rpc.ask::<_, Value>("eth_feeHistory", ("0x5", "latest", [10])).await;
    Ok(Abilities {
        client: rpc.ask::<_, String>("web3_clientVersion", NO_PARAMS).await.ok().map(|words| rpc.quote(&words)),
        head,
        head_age: made.and_then(|made| u64::try_from(now - made).ok()).map(Duration::from_secs),
        latency,
        final_height,
        batch_size: batch_size(&rpc).await,
        simulates: simulates(&rpc).await,
        traces: traces(&rpc).await,
        has_final_state: matches!(state, Ok(Some(_))),
        knows_absence: absence.is_ok() || absence.is_err_and(|error| is_absent(&error)),
        has_fee_history: history
            .is_ok_and(|history| history["gasUsedRatio"].as_array().is_some_and(|all| !all.is_empty())),
    })
}

async fn batch_size(rpc: &Rpc) -> usize {
    let mut batch = rpc.client.new_batch();
    let asked: TransportResult<Vec<_>> =
        (0..BATCH).map(|_| batch.add_call::<_, Count>("eth_chainId", &NO_PARAMS)).collect();
    if asked.is_err() || batch.send().await.is_err() {
        return 1;
    }
    rpc.habits().batch_size.unwrap_or(BATCH)
}

async fn simulates(rpc: &Rpc) -> bool {
    let to = "0x00000000000000000000000000000000000000aa";
    let plan = json!({ "blockStateCalls": [{ "calls": [{ "to": to, "data": "0x" }] }], "traceTransfers": true });
    rpc.ask::<_, Vec<Value>>("eth_simulateV1", (plan, "latest")).await.is_ok_and(|blocks| !blocks.is_empty())
}

async fn traces(rpc: &Rpc) -> bool {
    let call = json!({ "to": "0x00000000000000000000000000000000000000aa", "data": "0x" });
    let answer = rpc.ask::<_, Value>("debug_traceCall", (call, "latest", json!({ "tracer": "callTracer" }))).await;
    answer.is_ok_and(|frame| frame["type"].is_string())
}
