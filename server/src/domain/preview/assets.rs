//! The tokens that a transaction touches, as their contracts describe them.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::U256;
use futures_util::future::try_join_all;

use crate::{
    abi::{Call, Event, Meaning},
    chain::{Chain, Effects},
    domain::{Result, tokens},
    state::State,
    value::{Address, Token, TokenStandard},
};

/// How many contracts are asked for one preview; the rest stay unnamed. What leaves the wallet comes first.
const MOST: usize = 16;

/// An allowance of as many units or more is called unlimited, whatever the token: 10^20 tokens of 18 decimals.
const UNLIMITED: U256 = U256::from_limbs([0, 0, 1, 0]);

/// What is known about the tokens of one transaction.
#[derive(Debug, Default)]
pub(super) struct Assets {
    tokens: BTreeMap<Address, tokens::Known>,
    /// What the wallet holds of those it would send.
    held: BTreeMap<Address, U256>,
    /// Those who would receive tokens and are token contracts themselves.
    recipients: BTreeSet<Address>,
    /// Those who could take something later, and have no code.
    codeless: BTreeSet<Address>,
}

/// The tokens that calls name, and that events move or allow somebody to move: each once, those of the wallet first.
pub(super) fn named(wallet: Address, calls: &[Call], events: &[Event]) -> Vec<Address> {
    let mut named = Vec::new();
    let mut name = |address: Address| {
        if address != Address::NATIVE && !named.contains(&address) {
            named.push(address);
        }
    };
    calls.iter().flat_map(|call| &call.meanings).filter_map(token_of).for_each(&mut name);
    let (out, rest): (Vec<_>, Vec<_>) = events.iter().partition(|event| event.giver() == Some(wallet));
    let (own, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|event| event.taker() == Some(wallet));
    out.into_iter().chain(own).chain(rest).filter_map(Event::token).for_each(&mut name);
    named
}

impl Assets {
    /// Asks the contracts that calls and events name. What a trial showed of them counts before what they said once.
    pub(super) async fn ask(
        state: &State,
        chain: &Chain,
        wallet: Address,
        calls: &[Call],
        events: &[Event],
        effects: Option<&Effects>,
    ) -> Result<Self> {
        let meanings = || calls.iter().flat_map(|call| &call.meanings);
        let mut named = named(wallet, calls, events);
        named.truncate(MOST);
        let sent: BTreeSet<_> = meanings().filter_map(|meaning| sent_of(meaning, wallet)).take(MOST).collect();
        let paid: BTreeSet<_> = meanings().filter_map(recipient_of).take(MOST).collect();
        let allowed =
            meanings().filter_map(allowed_by).chain(events.iter().filter_map(|event| allowed_in(event, wallet)));
        let allowed: BTreeSet<_> = allowed.filter(|address| !address.0.is_zero()).take(MOST).collect();
        let (known, asked, paid, codes) = tokio::try_join!(
            try_join_all(named.iter().map(|&address| tokens::known(state, chain, address))),
            try_join_all(sent.iter().map(async |&token| Ok(chain.token_balance(token, wallet).await?))),
            try_join_all(paid.iter().map(|&address| tokens::known(state, chain, address))),
            try_join_all(allowed.iter().map(async |&address| Ok(chain.has_code(address).await?))),
        )?;
        let mut held: BTreeMap<Address, U256> =
            sent.into_iter().zip(asked).filter_map(|(token, held)| Some((token, held?.0))).collect();
        let mut known: BTreeMap<Address, tokens::Known> = named.into_iter().zip(known).collect();
        if let Some(effects) = effects {
            held.extend(effects.tokens.iter().map(|(&token, balance)| (token, balance.before)));
            for (token, decimals) in &effects.decimals {
                known.entry(*token).and_modify(|known| known.token.decimals = Some(*decimals));
            }
        }
        Ok(Self {
            tokens: known,
            held,
            recipients: paid.into_iter().filter(tokens::Known::is_token).map(|known| known.token.address).collect(),
            codeless: allowed.into_iter().zip(codes).filter(|(_, has_code)| !has_code).map(|(one, _)| one).collect(),
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
        self.held.get(&token).copied()
    }

    /// Those who could take something later and have no code: people, or contracts that do not exist yet.
    pub(super) fn codeless(&self) -> impl Iterator<Item = &Address> {
        self.codeless.iter()
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
        Meaning::Ownership { .. } | Meaning::Consent { .. } | Meaning::Payout { .. } | Meaning::Upgrade { .. } => None,
    }
}

/// Who may take something from then on.
fn allowed_by(meaning: &Meaning) -> Option<Address> {
    match *meaning {
        Meaning::Allowance { spender, amount, .. } if !amount.is_zero() => Some(spender),
        Meaning::Operator { operator, approved: true, .. } => Some(operator),
        _ => None,
    }
}

fn allowed_in(event: &Event, wallet: Address) -> Option<Address> {
    match *event {
        Event::Approval { owner, spender, amount, .. } if owner == wallet && !amount.is_zero() => Some(spender),
        Event::NftApproval { owner, approved, .. } if owner == wallet => Some(approved),
        Event::ApprovalForAll { owner, operator, approved: true, .. } if owner == wallet => Some(operator),
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
