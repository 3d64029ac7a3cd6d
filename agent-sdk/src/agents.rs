//! Agents, as their user sees them.

use alloy::primitives::Address;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Secret, address, secret};

/// An agent: a program that may prepare transactions, and what it may prepare them for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Agent {
    /// UUIDv7.
    pub agent_id: Uuid,
    /// The user's name for it.
    pub name: String,
    /// The wallets it may use; none means all, also later ones.
    #[serde(with = "address::optional_list", default, skip_serializing_if = "Option::is_none")]
    pub wallets: Option<Vec<Address>>,
    /// The chains it may use, by EIP-155 id; none means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chains: Option<Vec<u64>>,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When its API key was last used.
    #[serde(with = "time::serde::rfc3339::option", default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<OffsetDateTime>,
    /// When it was revoked; its API key has been refused since.
    #[serde(with = "time::serde::rfc3339::option", default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<OffsetDateTime>,
}

/// A new agent, and the only copy of its API key.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct CreatedAgent {
    /// The agent.
    pub agent: Agent,
    /// Its API key, shown once: none when the same request had already been answered. If that
    /// answer was lost, revoke the agent and create another.
    #[serde(default)]
    pub api_key: Option<Secret>,
}

/// A request for a new agent. Cloned or sent again, it is the same request: it carries an
/// idempotency key.
#[derive(Clone, Debug, Serialize)]
pub struct CreateAgent {
    name: String,
    #[serde(serialize_with = "secret::reveal")]
    mfa_code: Secret,
    #[serde(with = "address::optional_list", skip_serializing_if = "Option::is_none")]
    wallets: Option<Vec<Address>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chains: Option<Vec<u64>>,
    #[serde(skip)]
    pub(crate) idempotency_key: String,
}

impl CreateAgent {
    /// An agent with this name (1 to 64 characters) for all wallets and chains. `mfa_code` is the
    /// user's current six-digit code.
    pub fn new(name: impl Into<String>, mfa_code: impl Into<Secret>) -> Self {
        Self {
            name: name.into(),
            mfa_code: mfa_code.into(),
            wallets: None,
            chains: None,
            idempotency_key: Uuid::now_v7().to_string(),
        }
    }

    /// Only for the wallets with these addresses.
    #[must_use]
    pub fn wallets(mut self, addresses: impl IntoIterator<Item = Address>) -> Self {
        self.wallets = Some(addresses.into_iter().collect());
        self
    }

    /// Only for these chains, by EIP-155 id.
    #[must_use]
    pub fn chains(mut self, chain_ids: impl IntoIterator<Item = u64>) -> Self {
        self.chains = Some(chain_ids.into_iter().collect());
        self
    }

    /// Use this idempotency key (1 to 255 visible ASCII characters) instead of a random one.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = key.into();
        self
    }
}
