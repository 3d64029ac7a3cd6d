//! From the moment bytes may leave until the chain has made up its mind: looks at a chain, what follows from them, and the
//! sending.
//!
//! Everything here can be repeated: what was sent is sent again byte for byte, what was recorded is recorded once.
//! Several servers may track the same rows.

use super::{Result, nonces};
use crate::{
    chain::Account,
    store::{Read, transactions},
    value::{Nonce, Status, Wei},
};

mod account;
mod continuity;
mod deliver;
mod look;
mod memory;
mod plan;
mod settle;
mod sight;
mod step;
#[cfg(test)]
mod tests;
mod tracker;
mod witness;

pub use continuity::reset;
pub use step::Step;
pub use tracker::{Looked, Tracker};

/// What an account holds beside everything that is approved and not yet in its balance.
pub(super) async fn free_balance(read: &impl Read, of: nonces::Account, account: &Account) -> Result<Wei> {
    let mut reserved = Wei::ZERO;
    let from = Nonce(account.nonce);
    for reserve in transactions::list_reserves(read, of.chain_id, of.address, from).await? {
        let pays = matches!(reserve.status, Status::Authorized | Status::Submitted | Status::Mined);
        let value = if pays { reserve.value } else { Wei::ZERO };
        reserved = reserved.saturating_add(value).saturating_add(reserve.worst_case_fee());
    }
    Ok(Wei(account.balance.0.saturating_sub(reserved.0)))
}
