//! Exchanges with one endpoint. Whatever it makes of batches, each question gets its own answer: batches are split as far
//! as it needs, and what was learnt of that is remembered.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use alloy::{
    rpc::json_rpc::{
        ErrorPayload, RequestPacket, Response, ResponsePacket, ResponsePayload, RpcError, SerializedRequest,
    },
    transports::{TransportError, TransportErrorKind, TransportFut},
};
use futures_util::{StreamExt, stream};
use reqwest::{StatusCode, header};

use super::{
    habits::Learning,
    refusal::wants_rest,
    response::{self, Body},
    rpc::Fault,
};
use crate::value::Secret;

/// How many single requests go beside each other when a batch is split.
const SINGLES: usize = 4;

/// The way to one endpoint.
#[derive(Clone)]
pub(super) struct Transport {
    pub(super) client: reqwest::Client,
    pub(super) url: Arc<Secret<String>>,
    /// The most bytes of an answer that are read.
    pub(super) largest: usize,
    /// Set when an exchange fails on the way.
    pub(super) suspect: Arc<AtomicBool>,
    pub(super) learning: Arc<Learning>,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

impl tower_service::Service<RequestPacket> for Transport {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RequestPacket) -> Self::Future {
        let transport = self.clone();
        Box::pin(async move {
            let outcome = match request {
                RequestPacket::Single(request) => transport.ask(request).await.map(ResponsePacket::Single),
                RequestPacket::Batch(requests) => transport.ask_all(requests).await.map(ResponsePacket::Batch),
            };
            match outcome {
                // A refusal counts whatever its id: nodes that cannot read a request answer with none.
                Ok(ResponsePacket::Single(Response { payload: ResponsePayload::Failure(refusal), .. })) => {
                    transport.heed(&refusal);
                    Err(RpcError::ErrorResp(refusal))
                }
                Ok(answer) => Ok(answer),
                Err(fault) => Err(TransportErrorKind::custom(fault)),
            }
        })
    }
}

/// Why a batch came to nothing as a whole.
enum Refused {
    /// Perhaps because it was one.
    Batch(Fault),
    /// For another reason.
    Fault(Fault),
}

impl Transport {
    /// One request. What is wrong with the exchange itself is a fault; a refusal is an answer.
    async fn ask(&self, request: SerializedRequest) -> Result<Response, Fault> {
        let id = request.id().clone();
        let (status, body) = self.post(request.serialized().get().to_owned()).await?;
        match (status, response::read(&body)) {
            // Some nodes send their errors with status 400. Every other status speaks for something in front of the node,
            // whose words ("invalid signature") must not be taken for the node's.
            (status, Some(Body::One(response)))
                if response.is_error() && (status.is_success() || status == StatusCode::BAD_REQUEST) =>
            {
                Ok(response)
            }
            (status, _) if !status.is_success() => Err(Fault::Status(status.as_u16())),
            (_, Some(Body::One(response))) if response.id == id => Ok(response),
            (_, Some(Body::One(_))) => Err(Fault::OtherRequest),
            // A single answer in brackets.
            (_, Some(Body::Many(mut all))) if all.len() == 1 && all.iter().all(|one| one.id == id) => {
                all.pop().ok_or(Fault::NotJsonRpc)
            }
            _ => Err(Fault::NotJsonRpc),
        }
    }

    /// An endpoint that says that it has had too much gets its rest.
    fn heed(&self, refusal: &ErrorPayload) -> bool {
        let is_tired = wants_rest(refusal);
        if is_tired {
            self.learning.wants_rest(None);
        }
        is_tired
    }

    /// Every request of a batch, together as far as the endpoint takes that. A request that is left without an answer is
    /// left out. Fails when none was answered.
    async fn ask_all(&self, requests: Vec<SerializedRequest>) -> Result<Vec<Response>, Fault> {
        let mut answers = Vec::with_capacity(requests.len());
        let mut left = VecDeque::from(requests);
        let mut alone = Vec::new();
        let (mut probed, mut doubted) = (false, false);
        while !left.is_empty() {
            let size = self.learning.now().batch_size.unwrap_or(usize::MAX).min(left.len());
            if size == 1 {
                alone.extend(left.drain(..));
                break;
            }
            let part: Vec<_> = left.drain(..size).collect();
            match self.ask_together(&part).await {
                Ok(mut found) => {
                    let is_answered = |request: &SerializedRequest| found.iter().any(|one| one.id == *request.id());
                    alone.extend(part.into_iter().filter(|request| !is_answered(request)));
                    answers.append(&mut found);
                }
                Err(Refused::Batch(fault)) => {
                    let mut part = part;
                    // One alone tells a batch that is refused from an endpoint that is down.
                    if !probed {
                        probed = true;
                        match self.ask(part.remove(0)).await {
                            Ok(answer) => answers.push(answer),
                            Err(_) => return Err(fault),
                        }
                    }
                    // A server in trouble for a moment has said nothing of batches.
                    if doubted || !matches!(fault, Fault::Status(500..)) {
                        self.learning.takes_at_most(size / 2);
                    }
                    doubted = true;
                    part.into_iter().rev().for_each(|request| left.push_front(request));
                }
                Err(Refused::Fault(fault)) if answers.is_empty() => return Err(fault),
                Err(Refused::Fault(_)) => return Ok(answers),
            }
        }
        let asked = stream::iter(alone).map(|request| self.ask(request)).buffered(SINGLES).collect::<Vec<_>>().await;
        let mut failed = None;
        for answer in asked {
            match answer {
                Ok(answer) => answers.push(answer),
                Err(fault) => failed = Some(fault),
            }
        }
        match failed {
            Some(fault) if answers.is_empty() => Err(fault),
            _ => Ok(answers),
        }
    }

    /// The answers to some requests in one exchange, but those that were refused for having come together.
    async fn ask_together(&self, requests: &[SerializedRequest]) -> Result<Vec<Response>, Refused> {
        let texts: Vec<&str> = requests.iter().map(|request| request.serialized().get()).collect();
        let (status, body) = self.post(format!("[{}]", texts.join(","))).await.map_err(|fault| match fault {
            Fault::Status(_) => Refused::Batch(fault),
            fault => Refused::Fault(fault),
        })?;
        if !status.is_success() && status != StatusCode::BAD_REQUEST {
            return Err(Refused::Batch(Fault::Status(status.as_u16())));
        }
        let mut answers = match response::read(&body) {
            Some(Body::Many(answers)) => answers,
            _ => return Err(Refused::Batch(Fault::NotJsonRpc)),
        };
        // Of two answers to one request the first counts.
        let mut seen = Vec::with_capacity(answers.len());
        answers.retain(|answer| {
            let is_asked = requests.iter().any(|request| *request.id() == answer.id) && !seen.contains(&answer.id);
            seen.push(answer.id.clone());
            is_asked
        });
        let (mut refused, answered): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| {
            let about = |words: &str| words.contains("batch") || words.contains("limit");
            match &answer.payload {
                ResponsePayload::Success(_) => false,
                ResponsePayload::Failure(refusal) => wants_rest(refusal) || about(&refusal.message.to_lowercase()),
            }
        });
        // Those few that were refused are asked again alone.
        match refused.pop().map(|one| one.payload) {
            _ if !answered.is_empty() => Ok(answered),
            Some(ResponsePayload::Failure(refusal)) if self.heed(&refusal) => Err(Refused::Fault(Fault::Resting)),
            _ => Err(Refused::Batch(Fault::NotJsonRpc)),
        }
    }

    /// Sends a body and reads the answer up to the limit, whatever its status, unless the endpoint wants rest.
    async fn post(&self, body: String) -> Result<(StatusCode, Vec<u8>), Fault> {
        if self.learning.now().rest.is_some() {
            return Err(Fault::Resting);
        }
        let began = Instant::now();
        let outcome = self.exchange(body).await;
        match &outcome {
            Ok((status, _)) if status.is_success() => self.learning.succeeded(began.elapsed()),
            Ok(_) => self.learning.failed(),
            Err(fault) => {
                self.learning.failed();
                if matches!(fault, Fault::TimedOut | Fault::NoConnection | Fault::Broken) {
                    self.suspect.store(true, Ordering::Relaxed);
                }
            }
        }
        outcome
    }

    async fn exchange(&self, body: String) -> Result<(StatusCode, Vec<u8>), Fault> {
        let mut response = self
            .client
            .post(self.url.expose().as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .send()
            .await?;
        let status = response.status();
        let asked = response.headers().get(header::RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?));
        if status == StatusCode::TOO_MANY_REQUESTS || asked.is_some() && status == StatusCode::SERVICE_UNAVAILABLE {
            self.learning.wants_rest(asked);
            return Err(Fault::Resting);
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if answer.len() + chunk.len() > self.largest {
                return Err(Fault::TooLarge(self.largest));
            }
            answer.extend_from_slice(&chunk);
        }
        Ok((status, answer))
    }
}

/// For how long `Retry-After` asks to be left alone (RFC 9110 §10.2.3): seconds, or a date.
fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let at = time::PrimitiveDateTime::parse(value, &format).ok()?.assume_utc();
    let seconds = at.unix_timestamp() - crate::value::Clock::system().now().unix_seconds();
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_is_asked_for_in_seconds_or_until_a_date() {
        assert_eq!(retry_after("10"), Some(Duration::from_secs(10)));
        assert_eq!(retry_after("Fri, 31 Dec 1999 23:59:59 GMT"), None, "that is over");
        assert!(retry_after("Fri, 31 Dec 2199 23:59:59 GMT").is_some_and(|rest| rest.as_secs() > 1 << 30));
        assert_eq!(retry_after("soon"), None);
    }
}
