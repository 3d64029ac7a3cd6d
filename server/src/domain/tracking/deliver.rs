//! Giving signed bytes to a node. Before they leave, they are read and held against what was approved: a stored record
//! proves nothing.

use super::settle;
use crate::{
    chain::{Chain, SendOutcome},
    domain::{Error, Result, digest},
    keys::{
        PayloadBinding,
        payload::{self, SignedCall},
    },
    state::State,
    store::{
        payloads::{self, Form},
        transactions::{self, Model},
    },
    value::{PayloadKind, Secret, Wei},
};

/// Signed bytes that may be sent.
#[derive(Debug)]
pub(super) struct SignedPayload {
    pub(super) form: Form,
    pub(super) bytes: Secret<Vec<u8>>,
}

/// Commits a step. What may be sent after it is given back, unsealed and checked.
pub(super) async fn record(state: &State, step: &super::Step) -> Result<Option<SignedPayload>> {
    match settle::settle(state, step).await? {
        Some(form) => open(state, form).await,
        None => Ok(None),
    }
}

/// Unseals a form's bytes; none when they were deleted since the look: another server has seen the end of it.
///
/// Fails with [`Error::Integrity`] when they do anything but what was approved.
async fn open(state: &State, form: Form) -> Result<Option<SignedPayload>> {
    let row = transactions::find(&state.store, form.transaction_id).await?;
    let row = row.ok_or(Error::Integrity("transaction row"))?;
    let payload = payloads::find(&state.store, form.transaction_id, form.hash).await?;
    let payload = payload.ok_or(Error::Integrity("payload"))?;
    let binding = PayloadBinding {
        transaction_id: row.transaction_id,
        address: row.address,
        chain_id: row.chain_id,
        nonce: payload.nonce.0,
        hash: payload.hash,
        kind: payload.kind,
        rung: payload.rung,
    };
    let Some(sealed) = &payload.bytes else { return Ok(None) };
    let bytes = payload::open(&state.keys.master, &binding, sealed).map_err(|_| Error::Integrity("payload"))?;
    let call = payload::read(&bytes).ok_or(Error::Integrity("payload"))?;
    if is_approved(&call, &payload, &row) {
        Ok(Some(SignedPayload { form, bytes }))
    } else {
        Err(Error::Integrity("payload"))
    }
}

/// Whether signed bytes do what was approved, within the caps, or nothing at all.
fn is_approved(call: &SignedCall, payload: &payloads::Model, row: &Model) -> bool {
    let SignedCall { from, chain_id, nonce, to, value, data, gas_limit, fees } = call;
    let is_ours = (*from, *chain_id) == (row.address, Some(row.chain_id.get()))
        && (*nonce, payload.nonce) == (payload.nonce.0, row.nonce.unwrap_or(payload.nonce));
    is_ours
        && match payload.kind {
            PayloadKind::Payment => {
                digest::digest(row) == row.digest
                    && (*to, *value, &data.0, *gas_limit) == (row.to_address, row.value, &row.data, row.gas_limit.0)
                    && row.fee_caps().covers(*fees)
            }
            PayloadKind::Cancel => (*to, *value) == (Some(row.address), Wei::ZERO) && data.0.is_empty(),
        }
}

/// Gives bytes to the chain's nodes.
pub(super) async fn send(chain: &Chain, payload: &SignedPayload) -> SendOutcome {
    let SignedPayload { form, bytes } = payload;
    let outcome = chain.send(bytes.expose()).await;
    tracing::info!(
        transaction.id = %form.transaction_id, transaction.hash = %form.hash, payload.kind = %form.kind,
        payload.rung = form.rung, outcome = ?outcome, "sent"
    );
    outcome
}
