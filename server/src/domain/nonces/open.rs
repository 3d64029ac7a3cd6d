//! An account's open nonces, and what each waits for: for whoever asks why nothing goes on.

use std::collections::HashMap;

use crate::{
    domain::{Caller, Error, Result, User, chains, wallets},
    state::{State, Trouble},
    store::{
        nonce_slots,
        transactions::{self, Outline},
        wallets as wallet_rows,
    },
    value::{Address, ChainId, Nonce, SlotState},
};

/// An account's open nonces.
#[derive(Debug)]
pub struct OpenNonces {
    /// The account.
    pub address: Address,
    /// The chain.
    pub chain_id: ChainId,
    /// The lowest nonce that the chain has not used; none when its node does not answer.
    pub latest: Option<Nonce>,
    /// Those that are not final, lowest first, and the holes among them.
    pub nonces: Vec<OpenNonce>,
    /// Why the account cannot be followed now; none: it can.
    pub trouble: Option<Trouble>,
}

/// One of them.
#[derive(Debug)]
pub struct OpenNonce {
    /// The number.
    pub nonce: Nonce,
    /// Where it stands; none: nothing of ours uses it, though something above it waits.
    pub state: Option<SlotState>,
    /// The transaction that has it.
    pub transaction: Option<Outline>,
}

/// The most holes that are told: one absurd nonce must not make an absurd list.
const MOST_HOLES: usize = 20;

/// The open nonces of one of the caller's accounts.
///
/// Fails with [`Error::NotFound`] and [`Error::UnknownChain`].
pub async fn open_nonces(
    state: &State,
    caller: &Caller,
    address: Address,
    chain_id: Option<ChainId>,
) -> Result<OpenNonces> {
    let chain = chains::find(state, caller, chain_id)?;
    match caller {
        Caller::User(User { user_id, .. }) => {
            let wallet = wallet_rows::find_by_address(&state.store, *user_id, address).await?;
            wallet.ok_or(Error::NotFound("wallet")).map(drop)?;
        }
        Caller::Agent(agent) => wallets::find_for_agent(state, agent, Some(address)).await.map(drop)?,
    }
    let latest = chain.account(address).await.ok().map(|account| Nonce(account.nonce));
    let slots = nonce_slots::list_open(&state.store, chain.id(), address).await?;
    let ids: Vec<_> = slots.iter().map(|slot| slot.transaction_id).collect();
    let rows = transactions::list_outlines(&state.store, &ids).await?;
    let mut rows: HashMap<_, _> = rows.into_iter().map(|row| (row.transaction_id, row)).collect();
    let mut nonces = Vec::with_capacity(slots.len());
    let mut next = latest.map_or(u64::MAX, |latest| latest.0);
    for slot in slots {
        let holes = (next..slot.nonce.0).take(MOST_HOLES).map(Nonce);
        nonces.extend(holes.map(|nonce| OpenNonce { nonce, state: None, transaction: None }));
        next = next.max(slot.nonce.0.saturating_add(1));
        let transaction = rows.remove(&slot.transaction_id);
        nonces.push(OpenNonce { nonce: slot.nonce, state: Some(slot.state), transaction });
    }
    let trouble = state.troubles.find(chain.id(), address);
    Ok(OpenNonces { address, chain_id: chain.id(), latest, nonces, trouble })
}
