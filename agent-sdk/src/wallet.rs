//! Wallets and their balances.

use alloy::primitives::{Address, U256};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{address, amount};

/// A wallet: one key, the same address on every chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Wallet {
    /// UUIDv7.
    pub wallet_id: Uuid,
    /// The wallet's address.
    #[serde(with = "address")]
    pub address: Address,
    /// The user's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// A wallet with what it holds on every chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoadedWallet {
    /// UUIDv7.
    pub wallet_id: Uuid,
    /// The wallet's address.
    #[serde(with = "address")]
    pub address: Address,
    /// The user's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// One entry for each chain the server knows.
    pub balances: Vec<Balance>,
}

/// What a wallet holds on one chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Balance {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// The chain's name.
    pub chain: String,
    /// The native coin's symbol.
    pub symbol: String,
    /// Native coin held, in wei; none when the chain's node could not be asked.
    #[serde(with = "amount::optional", default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<U256>,
    /// Whether the chain's node could be asked.
    pub available: bool,
}
