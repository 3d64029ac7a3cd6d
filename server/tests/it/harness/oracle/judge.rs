use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, U256};
use uuid::Uuid;

use super::{
    Allowed,
    facts::{Facts, Form, Included, Row, Slot},
};

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// A transaction of one of our wallets that the server did not sign.
    Unknown { wallet: Address, hash: B256 },
    /// A request that was executed more than once.
    PaidTwice(Uuid),
    /// A request that was executed, and the server says that it was not.
    PaidAgainstWord(Uuid),
    /// A request that was not executed, and the server says that it was.
    NotPaid(Uuid),
    /// It succeeded and is said to have failed, or the other way round.
    WrongOutcome(Uuid),
    /// It names another block than the one it is in.
    WrongBlock(Uuid),
    /// What was executed, or signed, is not what was approved.
    NotAsApproved { transaction_id: Uuid, hash: B256 },
    /// It cost more, or could cost more, than was approved.
    TooDear { transaction_id: Uuid, hash: B256 },
    /// A nonce that the chain has used, or that is needed next, and the server knows nothing of.
    Hole { wallet: Address, nonce: u64 },
    /// A nonce that the server takes for used, and the chain does not.
    UsedTooSoon { wallet: Address, nonce: u64 },
    /// A transaction that is still under way.
    Stuck(Uuid),
    /// A wallet whose balance is not what went in less what went out.
    Balance { wallet: Address, counted: U256, held: U256 },
}

/// Everything that is not as it must be.
pub(crate) fn judge(facts: &Facts, allowed: &Allowed) -> Vec<Finding> {
    let judge = Judge { facts, allowed };
    let mut findings = Vec::new();
    for row in &facts.rows {
        judge.row(row, &mut findings);
    }
    for (&wallet, &(balance, nonce)) in &facts.wallets {
        judge.wallet(wallet, nonce, &mut findings);
        judge.balance(wallet, balance, &mut findings);
    }
    findings
}

struct Judge<'facts> {
    facts: &'facts Facts,
    allowed: &'facts Allowed,
}

impl Judge<'_> {
    fn row(&self, row: &Row, findings: &mut Vec<Finding>) {
        let transaction_id = row.transaction_id;
        let forms: Vec<&Form> = self.facts.forms.iter().filter(|form| form.transaction_id == transaction_id).collect();
        for form in &forms {
            if form.kind == "payment" || form.kind == "cancel" {
                let price = form.max_fee_per_gas > row.max_fee_per_gas;
                let gas = form.is_payment() && form.gas_limit > row.gas_limit;
                if price || gas {
                    findings.push(Finding::TooDear { transaction_id, hash: form.hash });
                }
            }
        }
        let included = |wanted: bool| {
            let hashes: BTreeSet<B256> =
                forms.iter().filter(|form| form.is_payment() == wanted).map(|form| form.hash).collect();
            self.facts.included.iter().filter(move |included| hashes.contains(&included.hash))
        };
        let payments: Vec<&Included> = included(true).collect();
        for payment in &payments {
            let exact = (payment.to, payment.value, payment.input.as_ref()) == (row.to, row.value, row.data.as_slice());
            if payment.from != row.address || !exact {
                findings.push(Finding::NotAsApproved { transaction_id, hash: payment.hash });
            }
            if payment.gas_price > row.max_fee_per_gas || payment.gas_used > row.gas_limit {
                findings.push(Finding::TooDear { transaction_id, hash: payment.hash });
            }
        }
        for cancel in included(false) {
            if cancel.from != row.address || cancel.to != Some(row.address) || !cancel.value.is_zero() {
                findings.push(Finding::NotAsApproved { transaction_id, hash: cancel.hash });
            }
        }
        self.word(row, &payments, findings);
    }

    /// Whether the status is true.
    fn word(&self, row: &Row, payments: &[&Included], findings: &mut Vec<Finding>) {
        let transaction_id = row.transaction_id;
        match payments {
            [] if row.says_paid() => findings.push(Finding::NotPaid(transaction_id)),
            [] => {}
            [payment] if row.says_paid() => {
                let says_success = row.status != "reverted";
                if row.status != "mined" && says_success != payment.succeeded {
                    findings.push(Finding::WrongOutcome(transaction_id));
                }
                let named = row.block.as_ref().map(|block| block["hash"].as_str().unwrap_or_default().to_lowercase());
                if named != Some(payment.block.to_string()) {
                    findings.push(Finding::WrongBlock(transaction_id));
                }
            }
            [payment] => {
                // The same bytes can be those of two requests, when a nonce was used again for the same payment.
                if !row.is_under_way() && !self.belongs_to_another(row, payment.hash) {
                    findings.push(Finding::PaidAgainstWord(transaction_id));
                }
            }
            _ => findings.push(Finding::PaidTwice(transaction_id)),
        }
        if row.is_under_way() && !self.allowed.open.contains(&transaction_id) {
            findings.push(Finding::Stuck(transaction_id));
        }
    }

    fn belongs_to_another(&self, row: &Row, hash: B256) -> bool {
        let owners = self.facts.forms.iter().filter(|form| form.hash == hash).map(|form| form.transaction_id);
        let owners: BTreeSet<Uuid> = owners.filter(|owner| *owner != row.transaction_id).collect();
        self.facts
            .rows
            .iter()
            .any(|row| owners.contains(&row.transaction_id) && (row.says_paid() || row.is_under_way()))
    }

    fn wallet(&self, wallet: Address, next: u64, findings: &mut Vec<Finding>) {
        let known: BTreeSet<B256> = self.facts.forms.iter().map(|form| form.hash).collect();
        let ours: Vec<&Included> = self.facts.included.iter().filter(|included| included.from == wallet).collect();
        for included in &ours {
            if !known.contains(&included.hash) && !self.allowed.foreign.contains(&included.hash) {
                findings.push(Finding::Unknown { wallet, hash: included.hash });
            }
        }
        let used: BTreeMap<u64, B256> = ours.iter().map(|included| (included.nonce, included.hash)).collect();
        assert_eq!(used.len() as u64, next, "every use of {wallet} is in a block");
        let slots: BTreeMap<u64, &Slot> =
            self.facts.slots.iter().filter(|slot| slot.address == wallet).map(|slot| (slot.nonce, slot)).collect();
        // What its owner gave up far ahead of the chain needs nothing below it.
        let is_wanted = |slot: &&&Slot| {
            let row = self.facts.rows.iter().find(|row| row.transaction_id == slot.transaction_id);
            slot.state == "sent" && row.is_some_and(Row::is_under_way)
        };
        let highest_sent = slots.values().filter(is_wanted).map(|slot| slot.nonce).max();
        let needed = highest_sent.map_or(next, |sent| next.max(sent + 1));
        for nonce in 0..needed {
            let foreign = used.get(&nonce).is_some_and(|hash| self.allowed.foreign.contains(hash));
            if !foreign && !slots.contains_key(&nonce) {
                findings.push(Finding::Hole { wallet, nonce });
            }
        }
        let too_soon = slots.values().filter(|slot| slot.state == "used" && slot.nonce >= next);
        findings.extend(too_soon.map(|slot| Finding::UsedTooSoon { wallet, nonce: slot.nonce }));
    }

    fn balance(&self, wallet: Address, held: U256, findings: &mut Vec<Finding>) {
        let mut counted = U256::ZERO;
        for included in &self.facts.included {
            if included.succeeded && included.to == Some(wallet) {
                counted += included.value;
            }
            if included.from == wallet {
                let value = if included.succeeded { included.value } else { U256::ZERO };
                counted = counted.wrapping_sub(value + U256::from(included.gas_used) * included.gas_price);
            }
        }
        if counted != held {
            findings.push(Finding::Balance { wallet, counted, held });
        }
    }
}
