//! What would leave and reach the wallet, and who could take from it later.

use alloy::primitives::U256;

use super::words::Words;
use crate::{
    abi::{self, Call, Event, Meaning},
    chain::{Balance, Effects},
    store::transactions::Model,
    value::{Address, AssetChange, AssetKind, ChangeDirection, TokenAmount, TokenStandard, Wei},
};

/// How many changes are shown. Whoever emits more to bury one of them is told of by a warning.
const MOST: usize = 64;

/// Something that moves, or that somebody may move.
#[derive(Debug, Clone, Copy)]
struct Asset {
    kind: AssetKind,
    /// None for the native currency.
    token: Option<Address>,
    id: Option<U256>,
    amount: U256,
}

impl Asset {
    fn native(amount: U256) -> Self {
        Self { kind: AssetKind::Native, token: None, id: None, amount }
    }

    fn of_token(token: Address, amount: U256) -> Self {
        Self { kind: AssetKind::Erc20, token: Some(token), id: None, amount }
    }

    fn item(token: Address, standard: TokenStandard, id: U256, amount: U256) -> Self {
        let kind = if standard == TokenStandard::Erc1155 { AssetKind::Erc1155 } else { AssetKind::Erc721 };
        Self { kind, token: Some(token), id: Some(id), amount }
    }
}

/// Collects changes of one wallet; amounts of the same thing to the same party are summed up.
struct Changes<'a> {
    words: &'a Words<'a>,
    list: Vec<AssetChange>,
    /// Whether there were more than are shown.
    cut: bool,
}

/// What changes, and whether there is more than is shown.
pub(super) type Found = (Vec<AssetChange>, bool);

impl Changes<'_> {
    fn moved(&mut self, asset: Asset, from: Address, to: Address) {
        let wallet = self.words.wallet;
        if from == wallet && to != wallet {
            self.add(ChangeDirection::Sends, asset, Some(to));
        } else if to == wallet && from != wallet {
            self.add(ChangeDirection::Receives, asset, Some(from));
        }
    }

    fn add(&mut self, direction: ChangeDirection, asset: Asset, counterparty: Option<Address>) {
        let Asset { kind, token: token_address, id, amount } = asset;
        let token_id = id.map(TokenAmount);
        let same = self.list.iter().position(|known| {
            (known.direction, known.asset, known.token_address) == (direction, kind, token_address)
                && (known.token_id, known.counterparty) == (token_id, counterparty)
        });
        // An allowance replaces the one before; what is sent twice is sent twice.
        let before = match same.map(|index| self.list.remove(index)) {
            Some(known) if direction != ChangeDirection::Allows => known.amount.0,
            _ => U256::ZERO,
        };
        let asset = Asset { amount: before.saturating_add(amount), ..asset };
        if self.list.len() >= MOST {
            self.cut |= !asset.amount.is_zero();
            return;
        }
        self.insert(direction, asset, counterparty);
    }

    fn insert(&mut self, direction: ChangeDirection, asset: Asset, counterparty: Option<Address>) {
        let Asset { kind, token: token_address, id, .. } = asset;
        let token_id = id.map(TokenAmount);
        if asset.amount.is_zero() {
            return;
        }
        let amount = TokenAmount(asset.amount);
        let text = self.text(direction, &asset);
        self.list.push(AssetChange { direction, asset: kind, token_address, token_id, amount, text, counterparty });
    }

    /// Makes the changes of an asset add up to what the wallet holds before and after.
    fn set_right(&mut self, asset: Asset, balance: Balance, unexplained: U256) {
        let Balance { before, after } = balance;
        let sum = |direction| {
            let same = |change: &&AssetChange| {
                (change.direction, change.asset, change.token_address) == (direction, asset.kind, asset.token)
            };
            let amounts = self.list.iter().filter(same).map(|change| change.amount.0);
            amounts.fold(U256::ZERO, U256::saturating_add)
        };
        let (came, went) = (sum(ChangeDirection::Receives), sum(ChangeDirection::Sends));
        let (held, told) = (after.saturating_add(went), before.saturating_add(came));
        if let Some(missing) = told.checked_sub(held).filter(|missing| *missing > unexplained) {
            // What is told to arrive and does not, then what leaves without a word.
            let left = self.take_back(ChangeDirection::Receives, &asset, missing);
            self.insert(ChangeDirection::Sends, Asset { amount: left, ..asset }, None);
        } else if let Some(surplus) = held.checked_sub(told) {
            let left = self.take_back(ChangeDirection::Sends, &asset, surplus);
            self.insert(ChangeDirection::Receives, Asset { amount: left, ..asset }, None);
        }
    }

    /// Lessens what is told of an asset by an amount. Gives what is left of that.
    fn take_back(&mut self, direction: ChangeDirection, asset: &Asset, mut amount: U256) -> U256 {
        for at in (0..self.list.len()).rev() {
            let change = &self.list[at];
            if (change.direction, change.asset, change.token_address) != (direction, asset.kind, asset.token) {
                continue;
            }
            let less = change.amount.0.min(amount);
            let amount_left = change.amount.0 - less;
            let text = self.text(direction, &Asset { amount: amount_left, ..*asset });
            self.list[at].amount = TokenAmount(amount_left);
            self.list[at].text = text;
            amount -= less;
        }
        self.list.retain(|change| !change.amount.0.is_zero());
        amount
    }

    fn text(&self, direction: ChangeDirection, asset: &Asset) -> String {
        match (asset.token, asset.id, direction) {
            (None, ..) => self.words.native(asset.amount),
            (Some(token), Some(id), _) if asset.kind == AssetKind::Erc1155 => {
                format!("{} of {}", asset.amount, self.words.item(token, id))
            }
            (Some(token), Some(id), _) => self.words.item(token, id),
            (Some(token), None, ChangeDirection::Allows) => self.words.allowance(token, asset.amount),
            (Some(token), None, _) => self.words.token(token, asset.amount),
        }
    }

    fn operator(&mut self, token: Address, operator: Address) {
        let kind = match self.words.assets.standard(token) {
            TokenStandard::Erc1155 => AssetKind::Erc1155,
            _ => AssetKind::Erc721,
        };
        let asset = Asset { kind, token: Some(token), id: None, amount: U256::MAX };
        self.add(ChangeDirection::Allows, asset, Some(operator));
    }
}

/// What a trial has shown: what is emitted, set right by what the wallet holds before and after. A token can emit what
/// does not happen, and do what it does not emit. `unexplained` is what may be missing of native currency without a word: a
/// fee for data that a rollup takes on top.
/// Where a token neither says nor counts what its own call does, the call is believed.
pub(super) fn of_effects(words: &Words<'_>, row: &Model, calls: &[Call], effects: &Effects, unexplained: Wei) -> Found {
    let wallet = words.wallet;
    let mut changes = Changes { words, list: Vec::new(), cut: false };
    let events = read(effects);
    // What leaves comes first: nothing can push it out of sight.
    let (leaves, rest): (Vec<_>, Vec<_>) = events.iter().partition(|event| event.giver() == Some(wallet));
    for event in leaves.into_iter().chain(rest) {
        match *event {
            Event::Transfer { token: Address::NATIVE, from, to, amount } => {
                changes.moved(Asset::native(amount), from, to);
            }
            Event::Transfer { token, from, to, amount } => changes.moved(Asset::of_token(token, amount), from, to),
            Event::NftTransfer { token, standard, from, to, token_id, amount } => {
                changes.moved(Asset::item(token, standard, token_id, amount), from, to);
            }
            Event::Approval { token, owner, spender, amount } if owner == wallet => {
                changes.add(ChangeDirection::Allows, Asset::of_token(token, amount), Some(spender));
            }
            Event::NftApproval { token, owner, approved, token_id } if owner == wallet => {
                let asset = Asset::item(token, TokenStandard::Erc721, token_id, U256::ONE);
                changes.add(ChangeDirection::Allows, asset, Some(approved));
            }
            Event::ApprovalForAll { token, owner, operator, approved: true } if owner == wallet => {
                changes.operator(token, operator);
            }
            _ => {}
        }
    }
    // A node may simulate without tracing native currency.
    let seen = changes.list.iter().any(|change| change.asset == AssetKind::Native);
    if !seen && row.to_address != Some(wallet) {
        changes.add(ChangeDirection::Sends, Asset::native(row.value.0), row.to_address);
    }
    if let Some(balance) = effects.native {
        changes.set_right(Asset::native(U256::ZERO), balance, unexplained.0);
    }
    for (&token, &balance) in &effects.tokens {
        let standard = words.assets.standard(token);
        if !matches!(standard, TokenStandard::Erc721 | TokenStandard::Erc1155) {
            changes.set_right(Asset::of_token(token, U256::ZERO), balance, U256::ZERO);
        }
    }
    let (said, _) = of_calls(words, calls.get(..1).unwrap_or_default());
    let is_counted =
        |change: &AssetChange| change.token_address.is_none_or(|token| effects.tokens.contains_key(&token));
    for change in said {
        let is_amount = matches!(change.asset, AssetKind::Native | AssetKind::Erc20);
        let is_settled = is_amount && change.direction != ChangeDirection::Allows && is_counted(&change);
        let same = |known: &AssetChange| {
            (known.direction, known.token_address, known.token_id, known.counterparty)
                == (change.direction, change.token_address, change.token_id, change.counterparty)
        };
        if !is_settled && !changes.list.iter().any(same) {
            changes.list.push(change);
        }
    }
    changes.list.sort_by_key(|change| match change.direction {
        ChangeDirection::Sends => 0,
        ChangeDirection::Allows => 1,
        ChangeDirection::Receives => 2,
    });
    (changes.list, changes.cut)
}

/// The events among what is emitted.
pub(super) fn read(effects: &Effects) -> Vec<Event> {
    effects.logs.iter().flat_map(|log| abi::read_log(log.address, &log.topics, &log.data)).collect()
}

/// What the decoded calls say, where a node cannot show more.
pub(super) fn of_calls(words: &Words<'_>, calls: &[Call]) -> Found {
    let wallet = words.wallet;
    let mut changes = Changes { words, list: Vec::new(), cut: false };
    for call in calls {
        // Only the transaction itself is paid by the wallet; calls inside it are paid by what was sent along.
        if call.depth == 0 && call.to != Some(wallet) {
            changes.add(ChangeDirection::Sends, Asset::native(call.value.0), call.to);
        }
        for meaning in &call.meanings {
            match *meaning {
                Meaning::TokenTransfer { token, from, to, amount } => {
                    let asset = match words.assets.standard(token) {
                        TokenStandard::Erc721 => Asset::item(token, TokenStandard::Erc721, amount, U256::ONE),
                        _ => Asset::of_token(token, amount),
                    };
                    changes.moved(asset, from.unwrap_or(wallet), to);
                }
                Meaning::NftTransfer { token, from, to, token_id, amount, standard } => {
                    changes.moved(Asset::item(token, standard, token_id, amount), from, to);
                }
                Meaning::Allowance { token, spender, amount, .. } => {
                    let asset = match words.assets.standard(token) {
                        TokenStandard::Erc721 => Asset::item(token, TokenStandard::Erc721, amount, U256::ONE),
                        _ => Asset::of_token(token, amount),
                    };
                    changes.add(ChangeDirection::Allows, asset, Some(spender));
                }
                Meaning::Operator { token, operator, approved: true } => changes.operator(token, operator),
                Meaning::Operator { .. }
                | Meaning::Ownership { .. }
                | Meaning::Consent { .. }
                | Meaning::Payout { .. }
                | Meaning::Upgrade { .. } => {}
            }
        }
    }
    (changes.list, changes.cut)
}
