//! Many questions of one kind, each with an answer of its own.

use alloy::{
    rpc::{
        client::RpcClient,
        json_rpc::{ErrorPayload, RpcRecv, RpcSend},
    },
    transports::{TransportError, TransportResult},
};

use super::{
    ChainError,
    rpc::{Fault, Rpc},
};

/// Why a question has no answer.
pub(super) struct Failed {
    pub(super) error: ChainError,
    /// What the node said, where it did.
    pub(super) refusal: Option<ErrorPayload>,
}

impl Failed {
    fn of(rpc: &Rpc, error: TransportError) -> Self {
        Self { refusal: error.as_error_resp().cloned(), error: rpc.unavailable(error) }
    }
}

/// Asks in batches of `size`; a batch whose answer is too large, or that is too large for the node, is asked in halves.
/// The answers come in the order of the questions. Fails when not one question was answered.
pub(super) async fn ask<P, R>(
    rpc: &Rpc,
    client: &RpcClient,
    method: &'static str,
    questions: &[P],
    size: usize,
) -> Result<Vec<Result<R, Failed>>, ChainError>
where
    P: RpcSend,
    R: RpcRecv,
{
    let mut answers = Vec::with_capacity(questions.len());
    let mut failed = None;
    // The next part last.
    let mut parts: Vec<&[P]> = questions.chunks(size.max(1)).rev().collect();
    while let Some(part) = parts.pop() {
        match ask_part(client, method, part).await {
            Ok(found) => answers.extend(found.into_iter().map(|answer| answer.map_err(|error| Failed::of(rpc, error)))),
            Err(error) if part.len() > 1 && is_too_much(&error) => {
                let (first, second) = part.split_at(part.len() / 2);
                parts.extend([second, first]);
            }
            Err(error) => {
                // What silences one exchange silences the next: nobody waits for all of them.
                let error = rpc.unavailable(error);
                let rest = part.len() + parts.drain(..).map(<[P]>::len).sum::<usize>();
                answers.extend((0..rest).map(|_| Err(Failed { error: error.clone(), refusal: None })));
                failed = Some(error);
            }
        }
    }
    match failed {
        Some(error) if answers.iter().all(Result::is_err) => Err(error),
        _ => Ok(answers),
    }
}

/// Fails when there is no answer to the batch as a whole.
async fn ask_part<P: RpcSend, R: RpcRecv>(
    client: &RpcClient,
    method: &'static str,
    part: &[P],
) -> TransportResult<Vec<TransportResult<R>>> {
    let mut batch = client.new_batch();
    let mut waiters = Vec::with_capacity(part.len());
    for question in part {
        waiters.push(batch.add_call::<P, R>(method, question)?);
    }
    batch.send().await?;
    let mut answers = Vec::with_capacity(waiters.len());
    for waiter in waiters {
        answers.push(waiter.await);
    }
    Ok(answers)
}

fn is_too_much(error: &TransportError) -> bool {
    matches!(Fault::of(error), Some(Fault::TooLarge(_) | Fault::Status(413)))
        || error.as_error_resp().is_some_and(|payload| payload.message.to_lowercase().contains("batch"))
}
