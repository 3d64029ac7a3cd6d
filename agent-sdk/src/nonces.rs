//! An account's open nonces, and what each waits for.

use alloy::primitives::Address;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::call::Call;
use crate::http::Http;
use crate::open_text::open_text;
use crate::{Error, Status, Waiting, address};

const PATH: &str = "api/nonces";

/// The open nonces of an account on one chain, lowest first. The chain takes them strictly in this
/// order, so the lowest holds up the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Nonces {
    /// The account.
    #[serde(with = "address")]
    pub address: Address,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// The nonce that the latest block would take next; none when no node has said it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<u64>,
    /// Those that are signed for and not yet settled, and those that nothing uses although later
    /// ones wait behind them.
    pub nonces: Vec<OpenNonce>,
    /// What keeps the server from looking at this account, when something does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<NonceTrouble>,
}

/// One open nonce.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenNonce {
    /// Which.
    pub nonce: u64,
    /// What the server keeps of it.
    pub state: NonceState,
    /// The transaction that was signed for it; none where nothing of the user's uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<Uuid>,
    /// How far that transaction has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// What it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}

/// What keeps the server from looking at an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NonceTrouble {
    /// In a sentence for people.
    pub detail: String,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

open_text! {
    /// What became of a nonce. New words may appear: match with a wildcard arm.
    pub enum NonceState {
        /// A payment is signed for it, and nothing was sent.
        Held = "held",
        /// Its transaction ended unsent: the next approval takes it, or its cancel uses it.
        Void = "void",
        /// Something was sent for it.
        Sent = "sent",
        /// The chain has used it, and that is not final yet.
        Used = "used",
        /// Nothing of the user's uses it, and later ones wait behind it.
        Hole = "hole",
    }
}

impl Http {
    pub(crate) async fn nonces(&self, address: Address, chain_id: Option<u64>) -> Result<Nonces, Error> {
        let mut query = vec![("address", address.to_checksum(None))];
        query.extend(chain_id.map(|chain_id| ("chain_id", chain_id.to_string())));
        let nonces: Nonces = self.send(Call::get(PATH).query(query)).await?;
        let as_asked = nonces.address == address && chain_id.is_none_or(|chain_id| nonces.chain_id == chain_id);
        if as_asked { Ok(nonces) } else { Err(Error::AnotherAnswer { path: PATH }) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::WaitingReason;

    fn wire() -> Value {
        json!({
            "address": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "chain_id": 1, "latest": 5,
            "nonces": [
                { "nonce": 5, "state": "hole" },
                { "nonce": 6, "state": "void", "transaction_id": "0197a3c1-7b1e-7c3a-9f00-0123456789ab",
                  "status": "expired" },
                { "nonce": 7, "state": "sent", "transaction_id": "0197a3c1-7b1e-7c3a-9f00-0123456789ac",
                  "status": "submitted", "waiting": { "reason": "behind_nonce", "since": "2026-11-23T10:00:00Z",
                    "detail": "nonce 5 goes first", "blocked_by": "0197a3c1-7b1e-7c3a-9f00-0123456789ab" } },
            ],
            "trouble": { "detail": "the receipt has no status", "since": "2026-11-23T10:00:00.5Z" },
        })
    }

    #[test]
    fn open_nonces_are_written_as_they_were_read() {
        let nonces: Nonces = serde_json::from_value(wire()).expect("nonces");
        assert_eq!(nonces.nonces[0].state, NonceState::Hole);
        let waiting = nonces.nonces[2].waiting.as_ref().expect("it waits");
        assert_eq!(waiting.reason, WaitingReason::BehindNonce);
        assert_eq!(serde_json::to_value(&nonces).expect("json"), wire());
    }

    #[test]
    fn an_account_without_open_nonces_or_an_answering_node_is_read_too() {
        let wire = json!({ "address": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "chain_id": 1, "nonces": [] });
        let nonces: Nonces = serde_json::from_value(wire.clone()).expect("nonces");
        assert_eq!((nonces.latest, nonces.trouble.as_ref()), (None, None));
        assert_eq!(serde_json::to_value(&nonces).expect("json"), wire);
    }
}
