//! What a user has done before: whom they paid, and what they asked for lately.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    abi::{Call, Meaning},
    domain::{Result, foreign},
    state::State,
    store::{
        nonce_slots, recipients as recipient_rows,
        transactions::{self, Model},
        wallets,
    },
    value::{Address, SlotState, TransactionHash, Wei},
};

/// How many of a user's recipients and wallets a new address is compared with.
const COMPARED: u64 = 1_000;

/// How long a request counts as recent.
const RECENT: Duration = Duration::from_secs(24 * 60 * 60);

/// Whoever gains from a transaction: receives, may take, or is called. Each once.
pub(super) fn recipients(calls: &[Call]) -> Vec<Address> {
    let mut recipients = Vec::new();
    let mut add = |address: Address| {
        if !recipients.contains(&address) {
            recipients.push(address);
        }
    };
    for call in calls {
        for meaning in &call.meanings {
            match *meaning {
                Meaning::TokenTransfer { to, .. } | Meaning::NftTransfer { to, .. } => add(to),
                Meaning::Allowance { spender, .. } => add(spender),
                Meaning::Operator { operator, .. } => add(operator),
                Meaning::Ownership { contract, new_owner } => add(new_owner.unwrap_or(contract)),
                Meaning::Upgrade { contract, implementation } => add(implementation.unwrap_or(contract)),
                Meaning::Consent { contract } => add(contract),
                Meaning::Payout { contract, to } => {
                    add(contract);
                    add(to);
                }
            }
        }
        // The token of a transfer is not who is paid.
        if call.meanings.is_empty() || call.value.0 > alloy::primitives::U256::ZERO {
            call.to.into_iter().for_each(&mut add);
        }
    }
    recipients
}

/// What a user has done before, as far as it matters for one transaction.
#[derive(Debug)]
pub(super) struct Past {
    /// Recipients that the user never paid and does not own.
    pub(super) strangers: Vec<Address>,
    /// Those of them that look like one the user knows, each with it.
    pub(super) lookalikes: Vec<(Address, Address)>,
    /// Whether the very same was asked for lately.
    pub(super) has_twin: bool,
    /// The transaction, made without this server, that did the very same.
    pub(super) paid_elsewhere: Option<TransactionHash>,
    /// Whether the wallet was used without this server, and how cannot be read.
    pub(super) unknown: bool,
    /// Whether the database was restored from a backup since the owner last said what they know of.
    pub(super) restored: bool,
    /// Approved transactions that would lose their nonces, if their agents did not execute them soon.
    pub(super) put_under_clock: UnderClock,
}

/// Approved transactions of the same wallet that stand before one that its owner sends at once.
#[derive(Debug, Default)]
pub(super) struct UnderClock {
    /// How many.
    pub(super) count: usize,
    /// The most that the cancels which fill their nonces can cost.
    pub(super) cost: Wei,
    /// How long they keep their nonces.
    pub(super) within: Duration,
}

impl UnderClock {
    async fn of(state: &State, row: &Model) -> Result<Self> {
        // What an agent asks for says when it runs; what its owner sends goes out now.
        if row.agent_id.is_some() {
            return Ok(Self::default());
        }
        let slots = nonce_slots::list_open(&state.store, row.chain_id, row.address).await?;
        let is_waiting = |slot: &&nonce_slots::Model| slot.state == SlotState::Held;
        let held: Vec<_> = slots.iter().filter(is_waiting).map(|slot| slot.transaction_id).collect();
        let reserves = transactions::list_reserves_of(&state.store, &held).await?;
        let cost = reserves.iter().fold(Wei::ZERO, |sum, reserve| sum.saturating_add(reserve.worst_case_fee()));
        Ok(Self { count: held.len(), cost, within: state.policy.give_way_after })
    }
}

impl Past {
    pub(super) async fn of(state: &State, row: &Model, calls: &[Call]) -> Result<Self> {
        let recipients = recipients(calls);
        let own = wallets::list_for_user(&state.store, row.user_id, None, None, COMPARED).await?;
        let paid = recipient_rows::list_for_user(&state.store, row.user_id, COMPARED).await?;
        // Only who has more than are compared at once can know others.
        let others = paid.len() as u64 == COMPARED;
        let known: BTreeSet<Address> = own.into_iter().map(|wallet| wallet.address).chain(paid).collect();
        let mut strangers = Vec::new();
        for address in recipients {
            let is_known = known.contains(&address)
                || address == row.address
                || others && recipient_rows::is_known(&state.store, row.user_id, address).await?;
            if !is_known {
                strangers.push(address);
            }
        }
        let like =
            |address: &Address| known.iter().find(|known| look_alike(address, known)).map(|like| (*address, *like));
        let lookalikes = strangers.iter().filter_map(like).collect();
        let since = row.created_at - RECENT;
        let wallet = wallets::find_for_user(&state.store, row.user_id, row.wallet_id).await?;
        Ok(Self {
            strangers,
            lookalikes,
            has_twin: transactions::has_twin(&state.store, row, since).await?,
            paid_elsewhere: foreign::find_same(&state.store, row).await?,
            unknown: false,
            restored: wallet.is_some_and(|wallet| wallet.restored_at.is_some()),
            put_under_clock: UnderClock::of(state, row).await?,
        })
    }
}

/// How many hex digits two addresses must share at each end, and at both, to be taken for each other: what people
/// compare, and what whoever grinds addresses matches at least. By chance that happens to one in 67 million.
const SHARED: (usize, usize) = (2, 7);

fn look_alike(one: &Address, other: &Address) -> bool {
    let digits = |address: &Address| alloy::primitives::hex::encode(address.as_bytes()).into_bytes();
    let (one_digits, other_digits) = (digits(one), digits(other));
    let head = one_digits.iter().zip(&other_digits).take_while(|(one, other)| one == other).count();
    let tail = one_digits.iter().rev().zip(other_digits.iter().rev()).take_while(|(one, other)| one == other).count();
    one != other && head.min(tail) >= SHARED.0 && head + tail >= SHARED.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().expect("an address")
    }

    #[test]
    fn addresses_that_share_head_and_tail_look_alike() {
        let known = address("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed");
        let like = |head: &str, tail: &str| format!("0x{head}{}{tail}", "2".repeat(40 - head.len() - tail.len()));
        for (head, tail, is_like) in [
            ("5aae", "aed", true),
            ("5a", "beaed", true),
            ("5aaeb", "ed", true),
            ("5aa", "aed", false),
            ("5", "1beaed", false),
            ("5aaeb605", "d", false),
        ] {
            assert_eq!(look_alike(&address(&like(head, tail)), &known), is_like, "{head} {tail}");
        }
        assert!(!look_alike(&known, &known));
    }
}
