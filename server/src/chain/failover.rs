//! The way to a chain for requests: each exchange goes to the best endpoint, and on to the next where that one fails.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use alloy::{
    rpc::json_rpc::{ErrorPayload, RequestPacket, Response, ResponsePacket, ResponsePayload, RpcError},
    transports::{TransportError, TransportErrorKind, TransportFut, TransportResult},
};
use tower_service::Service;

use super::{
    ChainError,
    endpoint::Endpoint,
    pool::{Pool, race},
    refusal::{Blame, blame},
    rpc::{Fault, Rpc},
};

/// Which answers it reads.
#[derive(Debug, Clone, Copy)]
enum Size {
    Usual,
    Large,
}

/// A transport over all endpoints of a chain.
#[derive(Clone)]
struct Failover {
    pool: Arc<Pool>,
    size: Size,
}

/// The way to a chain through whichever of its endpoints answers.
pub(super) fn rpc(pool: &Arc<Pool>) -> Rpc {
    let over = |size| Failover { pool: pool.clone(), size };
    let all = pool.endpoints.iter().map(|endpoint| &endpoint.rpc);
    Rpc::over(over(Size::Usual), over(Size::Large), all)
}

impl Service<RequestPacket> for Failover {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RequestPacket) -> Self::Future {
        let failover = self.clone();
        Box::pin(async move { failover.exchange(request).await })
    }
}

/// How many times what is still without an answer is asked again.
const TIMES: usize = 3;

impl Failover {
    async fn exchange(self, request: RequestPacket) -> TransportResult<ResponsePacket> {
        let RequestPacket::Batch(mut requests) = request else { return self.ask(request).await };
        let mut answers: Vec<Response> = Vec::with_capacity(requests.len());
        for time in 1..=TIMES {
            let answer = match self.ask(RequestPacket::Batch(requests.clone())).await {
                Ok(answer) => answer.responses().to_vec(),
                Err(error) if answers.is_empty() => return Err(error),
                Err(_) => break,
            };
            // Each question keeps its first answer; what has none is asked again, and then perhaps elsewhere.
            let (found, refused): (Vec<_>, Vec<_>) = answer.into_iter().partition(is_answered);
            requests.retain(|request| !found.iter().any(|answer| answer.id == *request.id()));
            answers.extend(found);
            if requests.is_empty() || time == TIMES {
                answers.extend(refused);
                break;
            }
        }
        Ok(ResponsePacket::Batch(answers))
    }

    async fn ask(&self, request: RequestPacket) -> TransportResult<ResponsePacket> {
        let size = self.size;
        let ask = |endpoint: Arc<Endpoint>| {
            let request = request.clone();
            async move { ask(&endpoint, size, request).await }
        };
        // What a node says about the question itself any other would say too.
        let passes = |failure: &Failure| !matches!(failure, Failure::Refused(_));
        match race(self.pool.usable(), ask, passes).await {
            Ok(answer) | Err(Failure::Incomplete(answer)) => Ok(answer),
            Err(Failure::Refused(refusal)) => Err(RpcError::ErrorResp(refusal)),
            Err(Failure::Other(error)) => Err(error),
        }
    }
}

/// Why an endpoint's answer is not taken while another one may have a better.
enum Failure {
    /// It left out or refused some of it for a reason of its own. Where nobody does better, this is the answer.
    Incomplete(ResponsePacket),
    /// It refused, and the reason is the question.
    Refused(ErrorPayload),
    /// There is none.
    Other(TransportError),
}

impl From<ChainError> for Failure {
    fn from(_: ChainError) -> Self {
        Self::Other(TransportErrorKind::custom(Fault::NoConnection))
    }
}

async fn ask(endpoint: &Endpoint, size: Size, request: RequestPacket) -> Result<ResponsePacket, Failure> {
    let client = match size {
        Size::Usual => &endpoint.rpc.client,
        Size::Large => &endpoint.rpc.large,
    };
    let count = request.len();
    let answer = client.transport().clone().call(request).await;
    match answer {
        Ok(answer) if is_whole(&answer, count) => Ok(answer),
        Ok(answer) => Err(Failure::Incomplete(answer)),
        Err(RpcError::ErrorResp(refusal)) if blame(&refusal) == Blame::Question => Err(Failure::Refused(refusal)),
        Err(error) => Err(Failure::Other(error)),
    }
}

/// Whether every question was answered.
fn is_whole(answer: &ResponsePacket, count: usize) -> bool {
    let responses = answer.responses();
    responses.len() == count && responses.iter().all(is_answered)
}

/// Whether a question was answered, if only by a refusal that is about the question.
fn is_answered(response: &Response) -> bool {
    match &response.payload {
        ResponsePayload::Success(_) => true,
        ResponsePayload::Failure(refusal) => blame(refusal) != Blame::Node,
    }
}
