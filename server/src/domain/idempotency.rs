//! Repeated creation requests: the same key and body make one thing, however often they arrive.

use uuid::Uuid;

use super::{Error, Result};
use crate::{
    keys::fingerprint,
    state::State,
    store::{self, Write, idempotency_keys},
    value::{IdempotencyKey, Time},
};

/// A creation that may have been asked for before.
#[derive(Debug)]
pub(super) struct Creation {
    owner_id: Uuid,
    operation: &'static str,
    key: IdempotencyKey,
    fingerprint: Vec<u8>,
}

impl Creation {
    /// `request` is what makes two requests the same. Passwords and codes are no part of it: they may differ between
    /// repeats, and a fast hash of them at rest would be an oracle for guessing.
    pub(super) fn new(
        state: &State,
        owner_id: Uuid,
        operation: &'static str,
        key: IdempotencyKey,
        request: &impl serde::Serialize,
    ) -> Self {
        let canonical = serde_json::to_vec(request).expect("plain data with string keys always has a JSON form");
        let fingerprint = fingerprint::fingerprint(&state.keys.master, operation, &canonical).to_vec();
        Self { owner_id, operation, key, fingerprint }
    }

    /// What was made before. Fails with [`Error::IdempotencyMismatch`] when another request used the key.
    pub(super) async fn find(&self, state: &State) -> Result<Option<Uuid>> {
        let known = idempotency_keys::find(&state.store, self.owner_id, self.operation, &self.key.to_string()).await?;
        match known {
            None => Ok(None),
            Some(known) if known.fingerprint == self.fingerprint => Ok(Some(known.created_id)),
            Some(_) => Err(Error::IdempotencyMismatch),
        }
    }

    /// Binds the key to what this commit makes. False when the same request was faster elsewhere: then this transaction
    /// is lost, and the caller looks again.
    pub(super) async fn bind(&self, write: &Write, created_id: Uuid, created_at: Time) -> Result<bool> {
        let row = idempotency_keys::Model {
            owner_id: self.owner_id,
            operation: self.operation.to_owned(),
            key: self.key.to_string(),
            fingerprint: self.fingerprint.clone(),
            created_id,
            created_at,
        };
        match idempotency_keys::insert(write, row).await {
            Ok(()) => Ok(true),
            Err(store::Error::Conflict) => Ok(false),
            Err(unavailable) => Err(unavailable.into()),
        }
    }
}
