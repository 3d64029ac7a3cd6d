//! Trials by `debug_traceCall` with go-ethereum's `callTracer`: what is called, what that emits, and what it is paid.

use alloy::{
    primitives::{self, B256},
    transports::{TransportError, TransportResult},
};
use serde::Deserialize;
use serde_json::json;

use super::{Cannot, Effects, Log, Sent, Simulated, Trial, judge, refused};
use crate::{
    chain::{
        answer::{Bytes, Count, Quantity},
        estimate::params,
        rpc::Rpc,
    },
    value::{Address, SimulationMethod},
};

/// One call, with those inside it.
#[derive(Debug, Deserialize)]
struct Frame {
    #[serde(rename = "type")]
    kind: String,
    from: primitives::Address,
    #[serde(default)]
    to: Option<primitives::Address>,
    #[serde(default)]
    value: Option<Quantity>,
    #[serde(default)]
    output: Option<Bytes>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    logs: Vec<Emitted>,
    #[serde(default)]
    calls: Vec<Frame>,
}

#[derive(Debug, Deserialize)]
struct Emitted {
    #[serde(flatten)]
    log: Log,
    /// How many of the frame's calls come before it.
    #[serde(default)]
    position: Option<Count>,
}

impl Frame {
    /// All that comes of it, in its order; nothing comes of a call that failed.
    fn collect(self, logs: &mut Vec<Log>) {
        if self.error.is_some() {
            return;
        }
        logs.extend(self.paid());
        let mut emitted = self.logs.into_iter().peekable();
        for (number, call) in self.calls.into_iter().enumerate() {
            let is_before = |emitted: &Emitted| emitted.position.is_none_or(|position| position.0 <= number as u64);
            while let Some(Emitted { log, .. }) = emitted.next_if(is_before) {
                logs.push(log);
            }
            call.collect(logs);
        }
        logs.extend(emitted.map(|emitted| emitted.log));
    }

    /// What it moves of native currency, as `eth_simulateV1` tells it. A delegate call repeats what its caller was paid.
    fn paid(&self) -> Option<Log> {
        let moves = matches!(self.kind.as_str(), "CALL" | "CREATE" | "CREATE2" | "SELFDESTRUCT");
        let value = self.value.map(|value| value.0).filter(|value| moves && !value.is_zero())?;
        Some(Log {
            address: Address::NATIVE,
            topics: vec![transfer(), self.from.into_word(), self.to?.into_word()],
            data: value.to_be_bytes::<32>().to_vec(),
        })
    }
}

/// The kind of a transfer (ERC-20).
fn transfer() -> B256 {
    primitives::keccak256("Transfer(address,address,uint256)")
}

/// What one endpoint sees by `debug_traceCall`; none when it cannot see, this time or at all.
pub(super) async fn trace(rpc: &Rpc, trial: &Trial) -> Option<Simulated> {
    let mut traced = ask(rpc, &Sent::new(&trial.call, trial.terms)).await;
    // One that cannot pay its price yet is tried without it.
    if trial.terms.is_some() && traced.as_ref().is_err_and(TransportError::is_error_resp) {
        traced = ask(rpc, &Sent::new(&trial.call, None)).await;
    }
    match traced {
        Ok(frame) => {
            rpc.learning().traces(true);
            Some(told(rpc, frame))
        }
        Err(error) => {
            match judge(&error, "trace") {
                Cannot::Ever => rpc.learning().traces(false),
                Cannot::Now => {}
                Cannot::Tell => return refused(rpc, error, SimulationMethod::DebugTraceCall).ok(),
            }
            None
        }
    }
}

async fn ask(rpc: &Rpc, sent: &Sent<'_>) -> TransportResult<Frame> {
    let tracer = json!({ "tracer": "callTracer", "tracerConfig": { "withLog": true } });
    rpc.large.request("debug_traceCall", params(&(sent, "latest", tracer))?).await
}

fn told(rpc: &Rpc, frame: Frame) -> Simulated {
    let output = frame.output.as_ref().map(|output| output.0.clone()).filter(|output| !output.is_empty());
    let failed = frame.error.clone();
    let effects = failed.is_none().then(|| {
        let mut logs = Vec::new();
        frame.collect(&mut logs);
        Effects { logs, ..Effects::default() }
    });
    Simulated {
        method: SimulationMethod::DebugTraceCall,
        succeeded: failed.is_none(),
        revert_data: output.filter(|_| failed.is_some()),
        message: failed.map(|words| rpc.quote(&words)).unwrap_or_default(),
        poor: false,
        effects,
        later: None,
        block_number: None,
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::U256;

    use super::*;

    #[test]
    fn what_failed_comes_to_nothing_and_the_rest_in_its_order() {
        let (wallet, other) =
            ("0x00000000000000000000000000000000000000a1", "0x00000000000000000000000000000000000000b2");
        let log = |data: &str, position: &str| json!({ "address": other, "topics": [], "data": data, "position": position, "index": "0x0" });
        let call = |kind: &str, value: &str, error: Option<&str>, log: serde_json::Value| json!({ "type": kind, "from": other, "to": wallet, "value": value, "error": error, "logs": [log] });
        let frame = json!({
            "type": "CALL", "from": wallet, "to": other, "value": "0x5", "gas": "0x1", "gasUsed": "0x1", "input": "0x",
            "logs": [log("0x01", "0x0"), log("0x03", "0x1"), log("0x04", "0x3")],
            "calls": [
                call("CALL", "0x2", None, log("0x02", "0x0")),
                call("CALL", "0x9", Some("execution reverted"), log("0x99", "0x0")),
                call("DELEGATECALL", "0x5", None, log("0x05", "0x0")),
            ],
        });
        let mut logs = Vec::new();
        serde_json::from_value::<Frame>(frame).expect("a frame").collect(&mut logs);
        let told: Vec<U256> = logs.iter().map(|log| U256::from_be_slice(&log.data)).collect();
        assert_eq!(told, [5, 1, 2, 2, 3, 5, 4].map(U256::from));
        assert_eq!(logs.iter().filter(|log| log.address == Address::NATIVE).count(), 2);
    }
}
