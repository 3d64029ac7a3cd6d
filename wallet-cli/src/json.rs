//! The JSON form of what the server answers, with the names of the API. Absent stays absent.

use agent_sdk::{Agent, Balance, LoadedWallet, Me, Page, Wallet};
use alloy::primitives::Address;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::when;

/// A page of a list, each item through `item`.
pub(crate) fn page<T>(page: &Page<T>, item: impl Fn(&T) -> Value) -> Value {
    let items: Vec<Value> = page.items.iter().map(item).collect();
    present(json!({ "items": items, "next_cursor": page.next_cursor }))
}

/// An account and its session.
pub(crate) fn me(me: &Me) -> Value {
    json!({
        "user_id": me.user_id,
        "username": me.username,
        "mfa_enabled": me.mfa_enabled,
        "created_at": when::for_programs(me.created_at),
        "session_expires_at": when::for_programs(me.session_expires_at),
        "backup_codes_left": me.backup_codes_left,
    })
}

/// A wallet.
pub(crate) fn wallet(wallet: &Wallet) -> Value {
    present(json!({
        "wallet_id": wallet.wallet_id,
        "address": address(wallet.address),
        "label": wallet.label,
        "created_at": when::for_programs(wallet.created_at),
    }))
}

/// A wallet with its balances.
pub(crate) fn loaded_wallet(wallet: &LoadedWallet) -> Value {
    let balances: Vec<Value> = wallet.balances.iter().map(balance).collect();
    present(json!({
        "wallet_id": wallet.wallet_id,
        "address": address(wallet.address),
        "label": wallet.label,
        "balances": balances,
    }))
}

/// What a wallet holds on one chain; wei as text, since numbers in JSON lose digits.
fn balance(balance: &Balance) -> Value {
    present(json!({
        "chain_id": balance.chain_id,
        "chain": balance.chain,
        "symbol": balance.symbol,
        "balance": balance.balance.map(|wei| wei.to_string()),
        "available": balance.available,
    }))
}

/// An agent.
pub(crate) fn agent(agent: &Agent) -> Value {
    let wallets = agent.wallets.as_ref();
    let time = |at: Option<OffsetDateTime>| at.map(when::for_programs);
    present(json!({
        "agent_id": agent.agent_id,
        "name": agent.name,
        "wallets": wallets.map(|all| all.iter().copied().map(address).collect::<Vec<_>>()),
        "chains": agent.chains,
        "created_at": when::for_programs(agent.created_at),
        "last_used_at": time(agent.last_used_at),
        "revoked_at": time(agent.revoked_at),
    }))
}

/// An address with its EIP-55 checksum.
fn address(address: Address) -> String {
    address.to_checksum(None)
}

/// Leaves out the keys that have no value.
pub(crate) fn present(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    object
}
