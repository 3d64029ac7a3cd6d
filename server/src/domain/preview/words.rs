//! Words for humans: amounts in the units people use, and one line for each call.

use alloy::primitives::{U256, hex};

use super::assets::Assets;
use crate::{
    abi::{self, Call, Contract, Meaning},
    value::{Address, DecodingSource, TokenStandard, Wei},
};

/// The decimals of every native currency that is served.
const NATIVE_DECIMALS: u8 = 18;

/// The longest line, in characters.
const LONGEST: usize = 280;

/// What is needed to speak about a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) assets: &'a Assets,
    pub(super) wallet: Address,
    /// The native currency's.
    pub(super) symbol: &'a str,
}

impl Words<'_> {
    /// `0.05 ETH`.
    pub(super) fn native(&self, amount: U256) -> String {
        format!("{} {}", units(amount, NATIVE_DECIMALS), self.symbol)
    }

    /// `25 USDC`; whole units of an unnamed token where it does not say more.
    pub(super) fn token(&self, token: Address, amount: U256) -> String {
        let known = self.assets.get(token);
        let decimals = known.and_then(|token| token.decimals);
        let amount = units(amount, decimals.unwrap_or(0));
        let unit = if decimals.is_none() { "units of " } else { "" };
        format!("{amount} {unit}{}", self.name(token))
    }

    /// `BAYC #7`.
    pub(super) fn item(&self, token: Address, id: U256) -> String {
        format!("{} #{id}", self.name(token))
    }

    /// What a token calls itself.
    fn name(&self, token: Address) -> String {
        let symbol = self.assets.get(token).and_then(|token| token.symbol.clone());
        symbol.unwrap_or_else(|| "an unnamed token".to_owned())
    }

    /// An allowance, told as what it allows.
    pub(super) fn allowance(&self, token: Address, amount: U256) -> String {
        if self.assets.is_unlimited(token, amount) {
            return format!("unlimited {}", self.name(token));
        }
        format!("up to {}", self.token(token, amount))
    }

    /// What a call does, in one line.
    pub(super) fn intent(&self, call: &Call, inner: usize) -> String {
        let line = match call.meanings.as_slice() {
            [] => self.plain(call, inner),
            [Meaning::Payout { to, .. }] if *to == self.wallet => self.plain(call, inner),
            [meaning @ Meaning::Payout { .. }] => format!("{}; {}", self.plain(call, inner), self.meaning(meaning)),
            [meaning] => self.with_value(self.meaning(meaning), call.value),
            several => {
                let parts: Vec<_> = several.iter().map(|meaning| self.meaning(meaning)).collect();
                self.with_value(parts.join("; "), call.value)
            }
        };
        shorten(line)
    }

    fn plain(&self, call: &Call, inner: usize) -> String {
        let Some(to) = call.to else {
            let bytes = call.data.len();
            return self.with_value(format!("Deploy a contract from {bytes} bytes of code"), call.value);
        };
        if call.data.is_empty() {
            return format!("Send {} to {}", self.native(call.value.0), self.who(to));
        }
        let line = match (&call.signature, call.selector) {
            (Some(_), _) if inner > 0 => format!("Make {inner} calls in one, through {to}"),
            (Some(signature), _) => {
                let function = signature.split('(').next().unwrap_or_default();
                match call.source {
                    Some(DecodingSource::Standard) => format!("Call {function} of {to}"),
                    _ => format!("Call {function} (the caller's name for it) of {to}"),
                }
            }
            (None, Some(selector)) => {
                format!("Call an unknown function, 0x{}, of {to}", hex::encode(selector))
            }
            (None, None) => format!("Call {to} with {} bytes that name no function", call.data.len()),
        };
        self.with_value(line, call.value)
    }

    fn with_value(&self, line: String, value: Wei) -> String {
        if value == Wei::ZERO { line } else { format!("{line}, sending {}", self.native(value.0)) }
    }

    /// An address, or who it is when that is known.
    fn who(&self, address: Address) -> String {
        if address == self.wallet { "this wallet itself".to_owned() } else { address.to_string() }
    }

    fn meaning(&self, meaning: &Meaning) -> String {
        match *meaning {
            Meaning::TokenTransfer { token, from, to, amount } => {
                let what = match self.assets.standard(token) {
                    TokenStandard::Erc721 => self.item(token, amount),
                    _ => self.token(token, amount),
                };
                self.transfer(format!("{what} (token {token})"), from.unwrap_or(self.wallet), to)
            }
            Meaning::NftTransfer { token, from, to, token_id, amount, standard } => {
                let count = if standard == TokenStandard::Erc1155 { format!("{amount} of ") } else { String::new() };
                self.transfer(format!("{count}{} (token {token})", self.item(token, token_id)), from, to)
            }
            Meaning::Allowance { token, spender, amount, .. } => match self.assets.standard(token) {
                TokenStandard::Erc721 => {
                    format!("Let {} take {} (token {token})", self.who(spender), self.item(token, amount))
                }
                _ if amount.is_zero() => {
                    format!("Let {} take no more {} (token {token})", self.who(spender), self.name(token))
                }
                _ => {
                    format!("Let {} take {} (token {token})", self.who(spender), self.allowance(token, amount))
                }
            },
            Meaning::Operator { token, operator, approved: true } => {
                let (operator, name) = (self.who(operator), self.name(token));
                format!("Let {operator} take every {name} of this wallet, now and later (token {token})")
            }
            Meaning::Operator { token, operator, approved: false } => {
                format!("Let {} take no more {} (token {token})", self.who(operator), self.name(token))
            }
            Meaning::Ownership { contract, new_owner: Some(owner) } => {
                format!("Give control of {contract} to {}", self.who(owner))
            }
            Meaning::Ownership { contract, new_owner: None } => format!("Change who controls {contract}"),
            Meaning::Consent { contract } => {
                format!("Agree, through {contract}, to something that somebody else carries out later")
            }
            Meaning::Payout { to, .. } => format!("what it yields goes to {}", self.who(to)),
            Meaning::Upgrade { contract, implementation: Some(code) } => {
                format!("Replace the code of {contract} by that of {code}")
            }
            Meaning::Upgrade { contract, implementation: None } => format!("Replace the code of {contract}"),
        }
    }

    fn transfer(&self, what: String, from: Address, to: Address) -> String {
        if from == self.wallet {
            format!("Send {what} to {}", self.who(to))
        } else {
            format!("Move {what} from {from} to {}", self.who(to))
        }
    }
}

/// An amount of smallest units in whole ones, exactly: `0.05`.
pub(super) fn units(amount: U256, decimals: u8) -> String {
    let digits = amount.to_string();
    let decimals = usize::from(decimals);
    let padded = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, fraction) = padded.split_at(padded.len() - decimals);
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

/// Why a call would fail: what its revert data says, else the node's own words.
pub(super) fn revert_reason(data: Option<&[u8]>, message: String, given: Option<&Contract>) -> String {
    let explained = data.and_then(|data| abi::explain_revert(data, given));
    explained.unwrap_or_else(|| if message.is_empty() { "no reason given".to_owned() } else { message })
}

fn shorten(line: String) -> String {
    if line.chars().nth(LONGEST).is_none() {
        return line;
    }
    line.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_in_whole_units() {
        let of = |amount: u128, decimals| units(U256::from(amount), decimals);
        assert_eq!(of(50_000_000_000_000_000, 18), "0.05");
        assert_eq!(of(25_000_000, 6), "25");
        assert_eq!(of(1, 18), "0.000000000000000001");
        assert_eq!(of(0, 18), "0");
        assert_eq!(of(7, 0), "7");
        assert_eq!(units(U256::MAX, 77).len(), 79);
    }

    #[test]
    fn a_long_line_is_cut_where_a_character_ends() {
        assert_eq!(shorten("ä".repeat(280)), "ä".repeat(280));
        assert_eq!(shorten("ä".repeat(281)).chars().count(), 280);
    }
}
