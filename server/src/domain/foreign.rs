//! What a wallet did without this server: read from the chain, so that nothing is paid a second time unknowingly.
//!
//! A restored backup has forgotten payments, and an owner may use their key elsewhere. Both show as nonces of the account
//! that no transaction here explains.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, timeout_at};

use super::{
    Result,
    nonces::{self, Account},
};
use crate::{
    chain::{Chain, NonceUse, NonceUses, Round},
    state::State,
    store::{
        Store,
        foreign_transactions::{self, Deed, Model},
        payloads,
        transactions::Model as Transaction,
    },
    value::{Address, ChainId, Nonce, TransactionHash},
};

/// How many unexplained nonces are looked at, the newest first.
const LOOKED_AT: usize = 32;

/// How long one look may take in all.
const PATIENCE: Duration = Duration::from_secs(5);

/// Learns what a wallet did without this server, before its owner is told what they may acknowledge. True when that
/// is known of every nonce that `latest` (the account's count at the latest block) counts.
///
/// Fails when the database cannot be asked. A node that cannot tell is no error: then it is not known.
pub(super) async fn learn_up_to(state: &State, chain: &Chain, address: Address, latest: Nonce) -> Result<bool> {
    let account = Account { chain_id: chain.id(), address };
    let mut nonces = nonces::list_unexplained(&state.store, account, latest).await?;
    if nonces.is_empty() {
        return Ok(true);
    }
    let more = nonces.len() > LOOKED_AT;
    nonces.reverse();
    nonces.truncate(LOOKED_AT);
    let deadline = Instant::now() + PATIENCE;
    let Ok(Ok(round)) = timeout_at(deadline, chain.round()).await else { return Ok(false) };
    Ok(learn(state, &round, address, latest, &nonces).await? && !more)
}

/// Reads how some nonces of an account were used, in at most 5 s, and keeps what was no transaction of this server. True
/// when that is known of each.
///
/// Fails when the database cannot be asked.
pub(super) async fn learn(
    state: &State,
    round: &Round,
    address: Address,
    latest: Nonce,
    nonces: &[Nonce],
) -> Result<bool> {
    let deadline = Instant::now() + PATIENCE;
    let chain_id = round.chain_id;
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
