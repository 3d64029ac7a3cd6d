//! Which nonce can be cleared, and at what price.

use super::{Clearance, NOTHING, OUT_OF_REACH, Target, clears};
use crate::{
    chain::{Chain, ChainError, REQUEST_BUDGET, Use, UseSearch, budget},
    domain::{
        Error, Result, User, chains,
        digest::{self, Clearing},
        preview::Facts,
        transactions::{
            draft::{self, Origin, Terms, row_of},
            send::SHOWN_FOR,
        },
    },
    state::State,
    store::{
        nonce_slots, payloads,
        transactions::{self, Model},
        wallets,
    },
    value::{
        Action, CallData, Execute, Fees, Gas, Nonce, RawAction, SlotState, Status, Time, TransactionId, WaitingReason,
        Wei,
    },
};

impl<'state> Target<'state> {
    pub(super) async fn find(state: &'state State, user: &User, clearance: Clearance) -> Result<Self> {
        let Clearance { address, chain_id, nonce } = clearance;
        let chain = chains::find_among(state, None, chain_id)?;
        let wallet = wallets::find_by_address(&state.store, user.user_id, address).await?;
        let wallet = wallet.ok_or(Error::NotFound("wallet"))?;
        let asked = chain.clone();
        let facts = async move { Facts::ask(&asked, address, &clears(address), None).await };
        let facts = draft::with_nodes(state, chain.id(), user.user_id.0, Box::pin(facts)).await?;
        let target = Self::of(state, chain, wallet, facts, nonce).await?;
        if target.nonce.0 < target.facts.account.nonce && !target.is_gone().await? {
            return Err(Error::Invalid("nonce: the chain has used it, and will tell by what; it ends by itself"));
        }
        Ok(target)
    }

    pub(super) async fn of(
        state: &State,
        chain: &'state Chain,
        wallet: wallets::Model,
        facts: Facts,
        nonce: Option<Nonce>,
    ) -> Result<Self> {
        let address = wallet.address;
        let latest = Nonce(facts.account.nonce);
        let slots = nonce_slots::list_open(&state.store, chain.id(), address).await?;
        let used = nonce_slots::list_from(&state.store, chain.id(), address, latest).await?;
        let has_row = |nonce: Nonce| used.iter().any(|slot| slot.nonce == nonce);
        let highest = slots.iter().map(|slot| slot.nonce).max();
        let hole = (latest.0..highest.map_or(0, |highest| highest.0)).map(Nonce).find(|&nonce| !has_row(nonce));
        let wanted = |slot: &&nonce_slots::Model| slot.state != SlotState::Held;
        let lowest = || hole.or_else(|| slots.iter().filter(wanted).map(|slot| slot.nonce).find(|&n| n >= latest));
        let nonce = nonce.or_else(lowest).ok_or(NOTHING)?;
        let slot = slots.into_iter().find(|slot| slot.nonce == nonce);
        let owner = match &slot {
            Some(slot) => transactions::find(&state.store, slot.transaction_id).await?,
            None => None,
        };
        let mut target = Self { chain, address, wallet, nonce, facts, slot, owner, is_lost: false };
        target.check(latest, hole)?;
        if hole.is_some_and(|hole| hole < nonce) {
            if nonce.0 - latest.0 < OUT_OF_REACH {
                return Err(Error::Invalid("nonce: a lower one is free; clear that first"));
            }
            target.is_lost = true;
        }
        target.is_lost |= nonce < latest;
        Ok(target)
    }

    /// Whether nobody can tell any more what used the nonce.
    async fn is_gone(&self) -> Result<bool> {
        let from = self.slot.as_ref().and_then(|slot| slot.taken_at_height).map_or(0, |height| height.0);
        let (chain, address, nonce) = (self.chain, self.address, self.nonce.0);
        let search = async {
            let round = chain.round().await?;
            let mut memory = UseSearch::default();
            loop {
                match round.find_use(address, nonce, from, &mut memory).await? {
                    Use::Searching => {}
                    found => return Ok(found == Use::Gone),
                }
            }
        };
        budget::<_, ChainError>(REQUEST_BUDGET, search).await.map_err(Error::from)
    }

    fn check(&self, latest: Nonce, hole: Option<Nonce>) -> Result<()> {
        let Some((slot, row)) = self.slot.as_ref().zip(self.owner.as_ref()) else {
            return if hole == Some(self.nonce) { Ok(()) } else { Err(NOTHING) };
        };
        if slot.nonce < latest && row.waiting_reason != Some(WaitingReason::NonceUsedElsewhere) {
            return Err(NOTHING);
        }
        let wants = match slot.state {
            SlotState::Held => slot.nonce >= latest,
            SlotState::Sent => slot.nonce >= latest && row.status == Status::Submitted && row.cancelling.is_none(),
            SlotState::Void | SlotState::Used => false,
        };
        if wants { Err(Error::InvalidState(row.status)) } else { Ok(()) }
    }

    /// What is signed: a fourth more than today's price, and enough to take the place of what was signed before. Nothing
    /// costs nothing.
    pub(super) async fn price(&self, state: &State) -> Result<(Gas, Fees)> {
        if self.is_lost {
            return Ok((Gas(0), Fees { max_fee_per_gas: 0, max_priority_fee_per_gas: 0 }));
        }
        let now = self.facts.market.now;
        let mut fees = Fees {
            max_fee_per_gas: now.max_fee_per_gas.saturating_add(now.max_fee_per_gas / 4),
            max_priority_fee_per_gas: now.max_priority_fee_per_gas.saturating_add(now.max_priority_fee_per_gas / 4),
        };
        let ids: Vec<_> = self.owner.iter().map(|row| row.transaction_id).collect();
        let sent = payloads::list_for_transactions(&state.store, &ids).await?;
        for form in sent.iter().filter(|form| form.sent_at.is_some()) {
            let Some(before) = payloads::find(&state.store, form.transaction_id, form.hash).await? else { continue };
            let raised = |price: Wei| {
                let price: u128 = price.0.saturating_to();
                price.saturating_add(price / 8).saturating_add(1)
            };
            fees.max_fee_per_gas = fees.max_fee_per_gas.max(raised(before.max_fee_per_gas));
            fees.max_priority_fee_per_gas = fees.max_priority_fee_per_gas.max(raised(before.max_priority_fee_per_gas));
        }
        Ok((self.facts.cancel_gas, fees))
    }

    pub(super) fn clearing(&self, user: &User, gas_limit: Gas, fees: Fees, expires_at: Time) -> Clearing {
        let Self { chain, address, nonce, .. } = self;
        let (user_id, chain_id) = (user.user_id, chain.id());
        Clearing { user_id, address: *address, chain_id, nonce: *nonce, gas_limit, fees, expires_at }
    }

    /// The transaction that has the nonce, or, for a hole, one of the owner's own to themselves.
    pub(super) fn row(&self, state: &State, clearing: &Clearing, transaction_id: TransactionId) -> Model {
        if let Some(owner) = &self.owner {
            return owner.clone();
        }
        let action = Action::Raw(RawAction {
            to_address: Some(self.address),
            amount: Wei::ZERO,
            data: CallData::default(),
            contract_abi: None,
        });
        let origin = Origin {
            chain: self.chain.clone(),
            wallet: self.wallet.clone(),
            agent_id: None,
            action,
            memo: None,
            expires_in: SHOWN_FOR,
            execute: Execute::OnApproval,
        };
        let Clearing { gas_limit, fees: caps, expires_at, .. } = *clearing;
        let terms = Terms { transaction_id, gas_limit, caps, created_at: state.clock.now(), expires_at };
        let row = row_of(origin, clears(self.address), terms);
        Model { digest: digest::digest(&row), ..row }
    }
}
