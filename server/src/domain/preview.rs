//! What a transaction will do and cost, asked of the chain before a human is.

use super::{Error, Result, ladder};
use crate::{
    chain::{Account, Call, Chain, EstimateError},
    store::transactions::Model,
    value::{Action, Address, CallData, Fees, Gas, Market, RawAction, Severity, TransferAction, Warning, Wei},
};

/// What an action turns into: the fields that will be signed.
#[derive(Debug, Clone)]
pub(super) struct Effect {
    pub(super) to: Option<Address>,
    pub(super) value: Wei,
    pub(super) data: CallData,
}

impl Effect {
    /// Fails with [`Error::Invalid`] for a deployment of nothing.
    pub(super) fn of(action: &Action) -> Result<Self> {
        match action.clone() {
            Action::Transfer(TransferAction { to_address, amount }) => {
                Ok(Self { to: Some(to_address), value: amount, data: CallData::default() })
            }
            Action::Raw(RawAction { to_address: None, data, .. }) if data.0.is_empty() => {
                Err(Error::Invalid("action.data: a deployment needs init code"))
            }
            Action::Raw(RawAction { to_address, amount, data }) => Ok(Self { to: to_address, value: amount, data }),
        }
    }

    fn call(&self, from: Address) -> Call {
        Call { from, to: self.to, value: self.value, data: self.data.clone() }
    }
}

/// What the chain says now.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) account: Account,
    pub(super) market: Market,
    /// What the call uses.
    pub(super) gas: Gas,
    /// What the cancel, zero to oneself, uses.
    pub(super) cancel_gas: Gas,
}

impl Facts {
    /// Asks the chain.
    ///
    /// Fails with [`Error::ChainUnavailable`], [`Error::SimulationFailed`], [`Error::InsufficientFunds`].
    pub(super) async fn ask(chain: &Chain, from: Address, effect: &Effect) -> Result<Self> {
        let cancel = Call { from, to: Some(from), value: Wei::ZERO, data: CallData::default() };
        let call = effect.call(from);
        let (account, market, gas, cancel_gas) =
            tokio::join!(chain.account(from), chain.market(), chain.estimate_gas(&call), chain.estimate_gas(&cancel));
        Ok(Self {
            account: account?,
            market: market?,
            gas: Gas(estimate(gas)?),
            cancel_gas: Gas(estimate(cancel_gas)?),
        })
    }

    /// The same for a wallet that does not hold the amount yet: the call is estimated without it.
    pub(super) async fn ask_unfunded(chain: &Chain, from: Address, effect: &Effect) -> Result<Self> {
        let unfunded = Effect { value: Wei::ZERO, ..effect.clone() };
        Self::ask(chain, from, &unfunded).await.map_err(|error| match error {
            // Without its amount the call proves nothing, and with it the node does not try.
            Error::SimulationFailed(_) => Error::InsufficientFunds,
            other => other,
        })
    }

    /// The gas limit to show: what the call uses and, where code runs, a fifth more, since state moves on.
    pub(super) fn gas_limit(&self, effect: &Effect) -> Gas {
        const PLAIN_TRANSFER: u64 = 21_000;
        let gas = self.gas.0.max(self.cancel_gas.0);
        if effect.data.0.is_empty() && gas == PLAIN_TRANSFER { Gas(gas) } else { Gas(gas.saturating_add(gas / 5)) }
    }

    /// The fee caps to show.
    pub(super) fn caps(&self) -> Fees {
        ladder::caps(self.market.now)
    }

    /// Whether what was shown still covers what the chain asks.
    pub(super) fn fit(&self, shown: &Model) -> bool {
        let gas = self.gas.max(self.cancel_gas);
        gas <= shown.gas_limit && !ladder::rungs(shown.fee_caps(), self.market.now).is_empty()
    }
}

fn estimate(answer: Result<u64, EstimateError>) -> Result<u64> {
    answer.map_err(|error| match error {
        EstimateError::Unavailable(_) => Error::ChainUnavailable,
        EstimateError::Reverted { data: _, message } => Error::SimulationFailed(message),
        EstimateError::InsufficientFunds => Error::InsufficientFunds,
    })
}

/// What a human should know before approving; `free` is what the wallet holds beside all that is approved already.
pub(super) fn warnings(transaction: &Model, free: Wei) -> Vec<Warning> {
    let warning =
        |code: &str, severity, detail: &str| Warning { code: code.to_owned(), severity, detail: detail.to_owned() };
    let needed = transaction.value.saturating_add(transaction.worst_case_fee());
    let mut warnings = Vec::new();
    if free < needed {
        let detail = "the wallet does not hold the amount and its worst-case fee now";
        warnings.push(warning("insufficient_balance", Severity::High, detail));
    }
    match transaction.to_address {
        None => warnings.push(warning("contract_creation", Severity::Medium, "deploys a new contract")),
        Some(to) if to == transaction.address => {
            warnings.push(warning("self_transfer", Severity::Low, "the wallet sends to itself"));
        }
        Some(_) => {}
    }
    if transaction.to_address.is_some() && !transaction.data.is_empty() {
        let detail = "calls a contract with data that this server does not decode";
        warnings.push(warning("unknown_calldata", Severity::Medium, detail));
    }
    warnings
}
