//! The tokens that a transaction touches, as their contracts describe them.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::U256;
use futures_util::future::try_join_all;

use crate::{
    abi::{Call, Event, Meaning, NATIVE},
    chain::Chain,
    domain::{Result, tokens},
    state::State,
    value::{Address, Token, TokenAmount, TokenStandard},
};

/// How many contracts are asked for one preview; the rest stay unnamed.
const MOST: usize = 16;

/// An allowance of as many units or more is called unlimited, whatever the token: 10^20 tokens of 18 decimals.
const UNLIMITED: U256 = U256::from_limbs([0, 0, 1, 0]);

/// What is known about the tokens of one transaction.
#[derive(Debug, Default)]
pub(super) struct Assets {
    tokens: BTreeMap<Address, tokens::Known>,
    /// What the wallet holds of those it would send.
    held: BTreeMap<Address, TokenAmount>,
    /// Those who would receive tokens and are token contracts themselves.
    recipients: BTreeSet<Address>,
}

impl Assets {
    /// Asks the contracts that calls and events name.
    pub(super) async fn ask(
        state: &State,
        chain: &Chain,
        wallet: Address,
        calls: &[Call],
        events: &[Event],
    ) -> Result<Self> {
        let meanings = || calls.iter().flat_map(|call| &call.meanings);
        let mut named: Vec<Address> = Vec::new();
        let mut name = |address: Address| {
            if address.0 != NATIVE && !named.contains(&address) {
                named.push(address);
            }
        };
        meanings().filter_map(token_of).for_each(&mut name);
        events.iter().filter_map(token_of_event).for_each(&mut name);
        named.truncate(MOST);
        let sent: BTreeSet<_> = meanings().filter_map(|meaning| sent_of(meaning, wallet)).take(MOST).collect();
        let paid: BTreeSet<_> = meanings().filter_map(recipient_of).take(MOST).collect();
        let (known, held, paid) = tokio::try_join!(
            try_join_all(named.iter().map(|&address| tokens::known(state, chain, address))),
            try_join_all(sent.iter().map(async |&token| Ok(chain.token_balance(token, wallet).await?))),
            try_join_all(paid.iter().map(|&address| tokens::known(state, chain, address))),
        )?;
        Ok(Self {
            tokens: named.into_iter().zip(known).collect(),
            held: sent.into_iter().zip(held).filter_map(|(token, held)| Some((token, held?))).collect(),
            recipients: paid.into_iter().filter(tokens::Known::is_token).map(|known| known.token.address).collect(),
        })
    }

    /// What a contract says of itself.
    pub(super) fn get(&self, address: Address) -> Option<&Token> {
        self.tokens.get(&address).map(|known| &known.token)
    }

    /// What a contract says it can do.
    pub(super) fn standard(&self, address: Address) -> TokenStandard {
        self.get(address).map_or(TokenStandard::Unknown, |token| token.standard)
    }

    /// Whether an allowance is as good as unlimited: no less than there is of the token.
    pub(super) fn is_unlimited(&self, token: Address, amount: U256) -> bool {
        let supply = self.tokens.get(&token).and_then(|known| known.total_supply).map(|supply| supply.0);
        amount >= UNLIMITED || supply.is_some_and(|supply| !supply.is_zero() && amount >= supply)
    }

    /// What the wallet holds of a token that it would send; none when the contract does not say.
    pub(super) fn held(&self, token: Address) -> Option<U256> {
        self.held.get(&token).map(|amount| amount.0)
    }

    /// Whether somebody who would receive tokens is a token contract.
    pub(super) fn is_token_contract(&self, recipient: Address) -> bool {
        self.recipients.contains(&recipient)
    }

    /// Everything the contracts say of themselves.
    pub(super) fn claims(&self) -> Vec<Token> {
        let tokens = self.tokens.values().filter(|known| known.is_token());
        tokens.map(|known| known.token.clone()).collect()
    }
}

fn token_of(meaning: &Meaning) -> Option<Address> {
    match *meaning {
        Meaning::TokenTransfer { token, .. }
        | Meaning::NftTransfer { token, .. }
        | Meaning::Allowance { token, .. }
        | Meaning::Operator { token, .. } => Some(token),
        Meaning::Ownership { .. } | Meaning::Upgrade { .. } => None,
    }
}

fn token_of_event(event: &Event) -> Option<Address> {
    match *event {
        Event::Transfer { token, .. }
        | Event::NftTransfer { token, .. }
        | Event::Approval { token, .. }
        | Event::NftApproval { token, .. }
        | Event::ApprovalForAll { token, .. } => Some(token),
        _ => None,
    }
}

fn sent_of(meaning: &Meaning, wallet: Address) -> Option<Address> {
    match *meaning {
        Meaning::TokenTransfer { token, from, .. } if from.is_none_or(|from| from == wallet) => Some(token),
        _ => None,
    }
}

fn recipient_of(meaning: &Meaning) -> Option<Address> {
    match *meaning {
        Meaning::TokenTransfer { to, .. } | Meaning::NftTransfer { to, .. } => Some(to),
        _ => None,
    }
}
