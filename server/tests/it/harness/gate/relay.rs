use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use alloy::primitives::bytes::Bytes;
use futures_util::future::join_all;
use poem::{Body, Request, Response, http::StatusCode};
use serde_json::{Value, json};

use super::{Call, Fault, Habit, Inner, SEND};

/// What becomes of a whole HTTP request.
enum Whole {
    Drop,
    Swallow,
    Cut,
    Corrupt,
    Status(u16),
}

/// Counts an open request for as long as it lives, also when the client hangs up.
struct InFlight(Arc<Inner>);

impl InFlight {
    fn one(inner: &Arc<Inner>) -> Self {
        let now = inner.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        inner.most_in_flight.fetch_max(now, Ordering::Relaxed);
        Self(inner.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Inner {
    pub(super) async fn answer(self: Arc<Self>, request: Request) -> Response {
        let _open = InFlight::one(&self);
        let body = request.into_body().into_bytes().await.unwrap_or_default();
        let Ok(asked) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST.into() };
        let (calls, is_batch) = match &asked {
            Value::Array(calls) => (calls.iter().filter_map(Call::read).collect::<Vec<_>>(), true),
            call => (Call::read(call).into_iter().collect(), false),
        };
        self.note(&calls);
        let habit = self.habit.lock().expect("no panics").clone();
        if let Some(Habit::Batches { most, status, body }) = habit
            && is_batch
            && calls.len() > most
        {
            let status = StatusCode::from_u16(status).expect("a status");
            return Response::builder().status(status).content_type("application/json").body(body);
        }
        let sends = calls.iter().any(|call| call.method == SEND);
        let faults: Vec<Fault> = join_all(calls.iter().map(|call| self.fault_of(call))).await;
        let whole = faults.iter().find_map(|fault| match fault {
            Fault::Drop => Some(Whole::Drop),
            Fault::Swallow => Some(Whole::Swallow),
            Fault::Cut => Some(Whole::Cut),
            Fault::Corrupt => Some(Whole::Corrupt),
            Fault::Status(status) => Some(Whole::Status(*status)),
            _ => None,
        });
        match whole {
            Some(Whole::Status(status)) => return page(status),
            Some(Whole::Drop) => {
                if sends {
                    self.reached.notify_one();
                }
                return std::future::pending().await;
            }
            _ => {}
        }
        let text = if faults.iter().all(|fault| matches!(fault, Fault::Forward)) {
            self.post(&self.node(), body).await
        } else {
            self.answers(calls, &faults).await.map(|answers| match is_batch {
                true => Value::from(answers).to_string(),
                false => answers.into_iter().next().unwrap_or_default().to_string(),
            })
        };
        if sends {
            self.reached.notify_one();
        }
        let Some(text) = text else { return StatusCode::BAD_GATEWAY.into() };
        let text = match habit {
            Some(Habit::Body(change)) => change(serde_json::from_str(&text).unwrap_or_default()),
            _ => text,
        };
        match whole {
            Some(Whole::Swallow) => std::future::pending().await,
            Some(Whole::Cut) => cut(text),
            Some(Whole::Corrupt) => json_response(text[..text.len() / 2].to_owned()),
            _ => json_response(text),
        }
    }

    fn note(&self, calls: &[Call]) {
        let mut seen = self.seen.lock().expect("no panics");
        seen.requests += 1;
        for call in calls {
            *seen.calls.entry(call.method.clone()).or_default() += 1;
            if call.method == SEND {
                seen.sent.push((call.text(0).to_owned(), call.wallet()));
            }
        }
    }

    /// What happens to a call, once no rule holds it any more.
    async fn fault_of(&self, call: &Call) -> Fault {
        loop {
            let rule = {
                let rules = self.rules.lock().expect("no panics");
                rules.iter().rev().find(|rule| rule.take(call)).cloned()
            };
            match rule {
                None => return Fault::Forward,
                Some(rule) if matches!(rule.fault, Fault::Hold) => {
                    self.reached.notify_one();
                    rule.ended().await;
                }
                Some(rule) => return rule.fault,
            }
        }
    }

    /// The answer to each call, in their order; none when the node does not answer.
    async fn answers(&self, calls: Vec<Call>, faults: &[Fault]) -> Option<Vec<Value>> {
        let node = self.node();
        let delay = faults.iter().filter_map(|fault| if let Fault::Delay(time) = fault { Some(*time) } else { None });
        let delay = delay.max().unwrap_or(Duration::ZERO);
        tokio::time::sleep(delay).await;
        let answers = calls.into_iter().zip(faults).map(async |(call, fault)| {
            let id = call.id.clone();
            let result = match fault {
                Fault::Refuse(code, message) => {
                    return Some(json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } }));
                }
                Fault::Answer(result) => result.clone(),
                Fault::Lose => call.signed().map_or(Value::Null, |signed| json!(signed.tx_hash())),
                Fault::Lie(change) => {
                    let mut answer = self.hand_on(&node, &call).await?;
                    if let Some(result) = answer.get_mut("result") {
                        *result = change(&call, result.take());
                    }
                    return Some(answer);
                }
                Fault::Ask(change) => return self.hand_on(&node, &change(call)).await,
                Fault::Elsewhere(node) => return self.hand_on(node, &call).await,
                _ => return self.hand_on(&node, &call).await,
            };
            Some(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
        });
        join_all(answers).await.into_iter().collect()
    }

    async fn hand_on(&self, node: &str, call: &Call) -> Option<Value> {
        let answer = self.post(node, call.to_json().to_string().into()).await?;
        serde_json::from_str(&answer).ok()
    }

    async fn post(&self, node: &str, body: Bytes) -> Option<String> {
        let request = self.client.post(node).header("content-type", "application/json").body(body);
        request.send().await.ok()?.text().await.ok()
    }

    fn node(&self) -> String {
        self.node.lock().expect("no panics").clone()
    }
}

fn json_response(text: String) -> Response {
    Response::builder().content_type("application/json").body(text)
}

/// As a balancer says that there is no node behind it.
fn page(status: u16) -> Response {
    let status = StatusCode::from_u16(status).expect("an HTTP status");
    Response::builder().status(status).content_type("text/html").body("<html>no</html>")
}

/// The first half of an answer; then the connection breaks.
fn cut(text: String) -> Response {
    let half = text.into_bytes().into_iter().take(12).collect::<Vec<u8>>();
    let parts = [Ok(half), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
    Response::builder()
        .content_type("application/json")
        .body(Body::from_bytes_stream(futures_util::stream::iter(parts)))
}
