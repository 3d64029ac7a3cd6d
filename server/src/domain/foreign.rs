//! What a wallet did without this server: read from the chain, so that nothing is paid a second time unknowingly.
//!
//! A restored backup has forgotten payments, and an owner may use their key elsewhere. Both show as nonces of the account
//! that no transaction here explains.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, timeout_at};

use super::Result;
use crate::{
    chain::{Chain, NonceUse, NonceUses, Round},
    state::State,
    store::{
        Store, acknowledged_nonces,
        foreign_transactions::{self, Deed, Model},
        nonce_slots, payloads,
        transactions::Model as Transaction,
    },
    value::{Address, ChainId, Nonce, TransactionHash},
};

/// How many unexplained nonces are looked at, the newest first.
const LOOKED_AT: usize = 32;

/// How long one look may take in all.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many nonces are read from the database at once, and how often at most in one look.
const WINDOW: u64 = 256;
const WINDOWS: usize = 16;

/// Nonces that an account has used without a transaction of this server.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unexplained {
    /// At most 32, the newest first.
    pub(super) nonces: Vec<Nonce>,
    /// Whether there are others.
    pub(super) more: bool,
}

/// Which nonces below `latest` neither our own sending nor the owner's acknowledgement explains.
pub(super) async fn unexplained(
    store: &Store,
    chain_id: ChainId,
    address: Address,
    latest: Nonce,
) -> Result<Unexplained> {
    let floor = acknowledged_nonces::below_nonce(store, chain_id, address).await?;
    let ours = nonce_slots::count_sent(store, chain_id, address, floor, latest).await?;
    let missing = latest.0.saturating_sub(floor.0).saturating_sub(ours);
    let mut found = Unexplained::default();
    let mut below = latest;
    for _ in 0..WINDOWS {
        let known = found.nonces.len() as u64;
        if known >= missing || below <= floor {
            break;
        }
        let from = Nonce(below.0.saturating_sub(WINDOW)).max(floor);
        let sent = nonce_slots::list_sent(store, chain_id, address, from, below).await?;
        let nonces = (from.0..below.0).rev().map(Nonce);
        found.nonces.extend(nonces.filter(|nonce| sent.binary_search(nonce).is_err()));
        if found.nonces.len() >= LOOKED_AT {
            break;
        }
        below = from;
    }
    found.nonces.truncate(LOOKED_AT);
    found.more = (found.nonces.len() as u64) < missing;
    Ok(found)
}

/// Learns what a wallet did without this server, before its owner is told what they may acknowledge. True when that
/// is known of every nonce that `latest` (the account's count at the latest block) counts.
///
/// Fails when the database cannot be asked. A node that cannot tell is no error: then it is not known.
pub(super) async fn learn_up_to(state: &State, chain: &Chain, address: Address, latest: Nonce) -> Result<bool> {
    let Unexplained { nonces, more } = unexplained(&state.store, chain.id(), address, latest).await?;
    if nonces.is_empty() {
        return Ok(!more);
    }
    let deadline = Instant::now() + PATIENCE;
    let Ok(Ok(round)) = timeout_at(deadline, chain.round()).await else { return Ok(false) };
    Ok(learn(state, &round, Account { address, latest }, &nonces).await? && !more)
}

/// An account, and its count at the latest block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    pub(super) address: Address,
    pub(super) latest: Nonce,
}

/// Reads how some nonces of an account were used, in at most 5 s, and keeps what was no transaction of this server. True
/// when that is known of each.
///
/// Fails when the database cannot be asked.
pub(super) async fn learn(state: &State, round: &Round, account: Account, nonces: &[Nonce]) -> Result<bool> {
    let deadline = Instant::now() + PATIENCE;
    let (Account { address, latest }, chain_id) = (account, round.chain_id);
    let known = foreign_transactions::list_for_nonces(&state.store, chain_id, address, nonces).await?;
    // What is not final may have changed.
    let is_known = |nonce: &Nonce| {
        known.iter().any(|use_| use_.nonce == *nonce && use_.block_number.cast_unsigned() <= round.final_height)
    };
    let unknown: Vec<Nonce> = nonces.iter().copied().filter(|nonce| !is_known(nonce)).collect();
    if unknown.is_empty() {
        return Ok(true);
    }
    let mut search = NonceUses::new(round, address, latest);
    let mut found = Vec::with_capacity(unknown.len());
    for nonce in &unknown {
        match timeout_at(deadline, search.find(round, *nonce)).await {
            // That no transaction used it is believed of a final block only: another may take this one's place.
            Ok(Ok(Some(used))) if used.by.is_some() || used.block_number <= round.final_height => found.push(used),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(chain.id = %chain_id, %address, %nonce, %error, "what used a nonce cannot be read");
                break;
            }
            Err(_) => break,
        }
    }
    let all = found.len() == unknown.len();
    // Bytes of ours that somebody else sent are no foreign transaction; the tracker tells of them.
    let ours = payloads::list_hashes_for_nonces(&state.store, chain_id, address, &unknown).await?;
    found.retain(|used| used.by.as_ref().is_none_or(|by| !ours.contains(&by.hash)));
    keep(state, chain_id, address, found).await?;
    Ok(all)
}

async fn keep(state: &State, chain_id: ChainId, address: Address, found: Vec<NonceUse>) -> Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    let at = state.clock.now();
    let rows = found.into_iter().map(|NonceUse { nonce, block_number, by }| {
        // An EIP-7702 authorisation is in somebody else's transaction, or in one of another nonce.
        let by = by.filter(|by| by.from == Some(address) && by.nonce == Some(nonce.0));
        Model {
            chain_id,
            address,
            nonce,
            hash: by.as_ref().map(|by| by.hash),
            block_number: block_number.cast_signed(),
            to_address: by.as_ref().and_then(|by| by.to),
            value: by.as_ref().map(|by| by.value).unwrap_or_default(),
            data_hash: data_hash(by.as_ref().map_or(&[][..], |by| &by.data.0)),
            at,
        }
    });
    let write = state.store.write().await?;
    foreign_transactions::save_all(&write, rows.collect()).await?;
    Ok(write.commit().await?)
}

/// The transaction, made without this server, that did exactly what another would do.
pub(super) async fn find_same(store: &Store, row: &Transaction) -> Result<Option<TransactionHash>> {
    let deed = Deed { to_address: row.to_address, value: row.value, data_hash: data_hash(&row.data) };
    Ok(foreign_transactions::find_same(store, row.chain_id, row.address, &deed).await?)
}

fn data_hash(data: &[u8]) -> Vec<u8> {
    Sha256::digest(data).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::on_both;

    #[tokio::test]
    async fn the_newest_nonces_that_nothing_here_explains_are_found() {
        on_both(async |database| {
            let (store, chain_id) = (&database.store, ChainId::new(1).expect("in range"));
            let address = Address(alloy::primitives::Address::repeat_byte(1));
            let find = async |latest| unexplained(store, chain_id, address, Nonce(latest)).await.expect("the database");
            let nonces = |from: u64, to: u64| (from..to).rev().map(Nonce).collect::<Vec<_>>();
            assert_eq!(find(0).await, Unexplained::default());
            assert_eq!(find(3).await, Unexplained { nonces: nonces(0, 3), more: false });
            assert_eq!(find(40).await, Unexplained { nonces: nonces(8, 40), more: true });
            let write = store.write().await.expect("the database");
            let known = acknowledged_nonces::Model { chain_id, address, below_nonce: Nonce(3) };
            acknowledged_nonces::save(&write, known).await.expect("the database");
            write.commit().await.expect("the database");
            assert_eq!(find(3).await, Unexplained::default());
            assert_eq!(find(5).await, Unexplained { nonces: nonces(3, 5), more: false });
        })
        .await;
    }
}
