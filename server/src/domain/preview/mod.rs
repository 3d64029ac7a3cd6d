//! What a transaction will do and cost: read from its bytes, tried on the chain, and told before a human decides.

use alloy::primitives::U256;

use super::{Error, Result, foreign, ladder};
use crate::{
    abi::{self, Contract, Meaning},
    chain::{Account, Call, Chain, EstimateError, Simulated, Terms, Trial},
    state::State,
    store::{Json, transactions::Model},
    value::{
        Action, Address, CallData, Fees, Gas, Market, Nonce, Preview, RawAction, Simulation, SimulationOutcome,
        TokenStandard, TransferAction, TransferErc20Action, Warning, Wei,
    },
};

mod assets;
mod calls;
mod changes;
mod fees;
mod history;
mod warnings;
mod words;
mod worse;

use history::recipients;
pub(super) use worse::is_worse;

/// What an action turns into: the fields that will be signed.
#[derive(Debug, Clone)]
pub(super) struct Effect {
    pub(super) to: Option<Address>,
    pub(super) value: Wei,
    pub(super) data: CallData,
}

impl Effect {
    /// Fails with [`Error::Abi`] when the call cannot be encoded, and with [`Error::Invalid`] for a deployment of
    /// nothing.
    pub(super) fn of(action: &Action) -> Result<Self> {
        match action.clone() {
            Action::Transfer(TransferAction { to_address, amount }) => {
                Ok(Self { to: Some(to_address), value: amount, data: CallData::default() })
            }
            Action::TransferErc20(TransferErc20Action { token_address, to_address, amount }) => {
                let data = abi::encode_erc20_transfer(to_address, amount);
                Ok(Self { to: Some(token_address), value: Wei::ZERO, data })
            }
            Action::ContractCall(call) => {
                let data = Contract::parse(&call.contract_abi)?.encode(&call.function_name, &call.function_args)?;
                Ok(Self { to: Some(call.contract_address), value: call.amount.unwrap_or_default(), data })
            }
            Action::Raw(RawAction { to_address: None, data, .. }) if data.0.is_empty() => {
                Err(Error::Invalid("action.data: a deployment needs init code"))
            }
            Action::Raw(RawAction { to_address, amount, data, contract_abi }) => {
                // One that cannot be read is refused here, not passed over when the bytes are decoded.
                contract_abi.as_ref().map(Contract::parse).transpose()?;
                Ok(Self { to: to_address, value: amount, data })
            }
        }
    }

    /// What will be signed for a transaction.
    pub(super) fn stored(row: &Model) -> Self {
        Self { to: row.to_address, value: row.value, data: CallData(row.data.clone()) }
    }

    fn call(&self, from: Address) -> Call {
        Call { from, to: self.to, value: self.value, data: self.data.clone() }
    }
}

/// The interface that whoever asked gave along; it only ever names what the bytes fit.
fn given(action: &Action) -> Result<Option<Contract>> {
    let abi = match action {
        Action::ContractCall(call) => Some(&call.contract_abi),
        Action::Raw(raw) => raw.contract_abi.as_ref(),
        Action::Transfer(_) | Action::TransferErc20(_) => None,
    };
    Ok(abi.map(Contract::parse).transpose()?)
}

/// Whoever gains from a transaction: receives, may take, or is called.
pub(super) fn recipients_of(row: &Model) -> Result<Vec<Address>> {
    let given = given(&row.action.0)?;
    Ok(recipients(&abi::read(row.to_address, row.value, &row.data, given.as_ref())))
}

/// What the chain says of the gas of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Estimate {
    /// It uses so much.
    Gas(Gas),
    /// It would fail, for this reason.
    Reverts(String),
    /// The wallet does not hold the amount, so nothing was tried.
    Unfunded,
}

/// The gas of a cancel that the node would not estimate: enough for a plain call into code of the account's own.
const REFUSED_CANCEL_GAS: Gas = Gas(100_000);

/// What the chain says now.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) account: Account,
    pub(super) market: Market,
    /// What the call uses.
    pub(super) gas: Estimate,
    /// What the cancel, zero to oneself, uses.
    pub(super) cancel_gas: Gas,
    /// The newest block that every node had shown before they were asked this.
    pub(super) height: Option<u64>,
    /// How many times today's fee is shown as its cap.
    pub(super) cap_multiple: u32,
}

impl Facts {
    /// Asks the chain. Fails with [`Error::ChainUnavailable`].
    pub(super) async fn ask(chain: &Chain, from: Address, effect: &Effect, given: Option<&Contract>) -> Result<Self> {
        let height = chain.lowest_head();
        let cancel = Call { from, to: Some(from), value: Wei::ZERO, data: CallData::default() };
        let call = effect.call(from);
        let (account, market, gas, cancel_gas) =
            tokio::join!(chain.account(from), chain.market(), chain.estimate_gas(&call), chain.estimate_gas(&cancel));
        let cancel_gas = match cancel_gas {
            Ok(gas) => Gas(gas),
            Err(EstimateError::Unavailable(unavailable)) => return Err(unavailable.into()),
            // The account's own code (EIP-7702) refuses plain calls on this state; it need not when it is sent.
            Err(EstimateError::Reverted { .. } | EstimateError::InsufficientFunds) => REFUSED_CANCEL_GAS,
        };
        let cap_multiple = chain.settings().cap_multiple.unwrap_or(ladder::HEADROOM);
        Ok(Self { account: account?, market: market?, gas: estimate(gas, given)?, cancel_gas, height, cap_multiple })
    }

    /// The same for a wallet that does not hold the amount yet: the call is estimated without it.
    async fn ask_unfunded(self, chain: &Chain, from: Address, effect: &Effect) -> Result<Self> {
        let call = Effect { value: Wei::ZERO, ..effect.clone() }.call(from);
        match estimate(chain.estimate_gas(&call).await, None)? {
            Estimate::Gas(gas) => Ok(Self { gas: Estimate::Gas(gas), ..self }),
            // Without its amount the call proves nothing, and with it the node does not try.
            Estimate::Reverts(_) | Estimate::Unfunded => Err(Error::InsufficientFunds),
        }
    }

    /// The gas limit to show: what the call uses and, where code runs, a fifth more, since state moves on. None when it
    /// would fail.
    pub(super) fn gas_limit(&self, effect: &Effect) -> Option<Gas> {
        const PLAIN_TRANSFER: u64 = 21_000;
        let Estimate::Gas(gas) = self.gas else { return None };
        let gas = gas.0.max(self.cancel_gas.0);
        let plain = effect.data.0.is_empty() && gas == PLAIN_TRANSFER;
        Some(if plain { Gas(gas) } else { with_margin(Gas(gas), self.market.block_gas_limit) })
    }

    /// The fee caps to show.
    pub(super) fn caps(&self) -> Fees {
        ladder::caps(self.market.now, self.cap_multiple)
    }

    /// Whether what was shown still covers what the chain asks. A call that would fail needs no more gas than shown.
    pub(super) fn fit(&self, shown: &Model) -> bool {
        let gas = match self.gas {
            Estimate::Gas(gas) => gas.max(self.cancel_gas),
            Estimate::Reverts(_) | Estimate::Unfunded => self.cancel_gas,
        };
        gas <= shown.gas_limit && !ladder::rungs(shown.fee_caps(), self.market.now).is_empty()
    }
}

/// The most gas of one transaction since Osaka, 2^24 (EIP-7825).
const MOST_GAS: u64 = 1 << 24;

/// A fifth more, but never more than a block or a transaction may hold where the call itself fits.
fn with_margin(gas: Gas, block_gas_limit: Option<Gas>) -> Gas {
    let limits = [Some(MOST_GAS), block_gas_limit.map(|limit| limit.0)];
    let most = limits.into_iter().flatten().filter(|&limit| limit >= gas.0).min().unwrap_or(u64::MAX);
    Gas(gas.0.saturating_add(gas.0 / 5).min(most))
}

fn estimate(answer: Result<u64, EstimateError>, given: Option<&Contract>) -> Result<Estimate> {
    match answer {
        Ok(gas) => Ok(Estimate::Gas(Gas(gas))),
        Err(EstimateError::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(EstimateError::Reverted { data, message }) => {
            Ok(Estimate::Reverts(words::revert_reason(data.as_deref(), message, given)))
        }
        Err(EstimateError::InsufficientFunds) => Ok(Estimate::Unfunded),
    }
}

/// A look at the chain through a transaction's eyes.
#[derive(Debug)]
pub(super) struct Sight {
    pub(super) facts: Facts,
    given: Option<Contract>,
    calls: Vec<abi::Call>,
    trial: Simulated,
    /// Whether there is code at what is called or paid.
    has_code: bool,
    /// What a unit of gas has cost lately, where the chain says.
    recent_price: Option<u128>,
}

impl Sight {
    /// Asks the chain, and tries the transaction as it would be sent: as it was shown, or, when it was not yet, as it will
    /// be. Fails with [`Error::ChainUnavailable`], [`Error::Abi`].
    pub(super) async fn ask(
        chain: &Chain,
        from: Address,
        action: &Action,
        effect: &Effect,
        shown: Option<&Model>,
    ) -> Result<Self> {
        let given = given(action)?;
        let calls = abi::read(effect.to, effect.value, &effect.data.0, given.as_ref());
        let has_code = async {
            match effect.to {
                Some(to) => chain.has_code(to).await,
                None => Ok(false),
            }
        };
        let (facts, has_code, recent_price) =
            tokio::join!(Facts::ask(chain, from, effect, given.as_ref()), has_code, chain.recent_price());
        let (facts, has_code, recent_price) = (facts?, has_code?, recent_price?);
        let terms = match shown {
            Some(shown) => Some((shown.gas_limit, shown.fee_caps())),
            None => facts.gas_limit(effect).map(|gas_limit| (gas_limit, facts.caps())),
        };
        let terms = terms.map(|(gas_limit, fees)| Terms { gas_limit, fees, legacy: facts.market.legacy });
        let trial = attempt(chain, effect.call(from), terms, &calls, has_code).await?;
        Ok(Self { facts, given, calls, trial, has_code, recent_price })
    }

    /// Whether what it does was seen.
    fn is_seen(&self) -> bool {
        self.trial.effects.is_some()
    }

    /// Whether its bytes alone say what it does: they pay somebody without code, or are exactly one call of a standard's
    /// function to a token.
    fn is_understood(&self, assets: &assets::Assets) -> bool {
        let [call] = self.calls.as_slice() else { return false };
        let Some(to) = call.to else { return false };
        if call.data.is_empty() {
            return !self.has_code;
        }
        let moves = |meaning: &Meaning| {
            use Meaning::{Allowance, NftTransfer, Operator, TokenTransfer};
            matches!(meaning, Allowance { .. } | NftTransfer { .. } | Operator { .. } | TokenTransfer { .. })
        };
        let is_whole = !call.meanings.is_empty() && call.meanings.iter().all(moves) && call.extra == 0;
        is_whole && !call.truncated && assets.standard(to) != TokenStandard::Unknown
    }

    /// Insists on a call that can be sent now, except that the wallet may not hold enough yet.
    ///
    /// Fails with [`Error::SimulationFailed`], [`Error::InsufficientFunds`].
    pub(super) async fn or_unfunded(mut self, chain: &Chain, from: Address, effect: &Effect) -> Result<Self> {
        match &self.facts.gas {
            Estimate::Gas(_) => {}
            Estimate::Reverts(reason) => return Err(Error::SimulationFailed(reason.clone())),
            Estimate::Unfunded => self.facts = self.facts.ask_unfunded(chain, from, effect).await?,
        }
        Ok(self)
    }

    /// Completes a transaction with what was seen: its preview and its warnings. `free` is what the wallet holds beside
    /// all that is approved already.
    ///
    /// Fails with [`Error::ChainUnavailable`].
    pub(super) async fn describe(&self, state: &State, chain: &Chain, row: &mut Model, free: Wei) -> Result<()> {
        let effects = self.trial.effects.as_ref();
        let events = effects.map(changes::read).unwrap_or_default();
        let assets = assets::Assets::ask(state, chain, row.address, &self.calls, &events, effects).await?;
        let call = Effect::stored(row).call(row.address);
        let data_fee = chain.data_fee(&call, row.gas_limit, row.fee_caps()).await?;
        let words = words::Words { assets: &assets, wallet: row.address, symbol: chain.symbol() };
        let calls = calls::decoded(&words, &self.calls);
        let intent = calls.first().map(|call| call.intent.clone()).unwrap_or_default();
        // What a node asks for data may be more than it says, and its trial may take it.
        let unexplained = Wei(data_fee.unwrap_or_default().0.saturating_mul(U256::from(2)));
        let (changes, cut) = match effects {
            Some(effects) => changes::of_effects(&words, row, &self.calls, effects, unexplained),
            None => changes::of_calls(&words, &self.calls),
        };
        let depends = self.trial.later.as_ref().is_some_and(|later| {
            let (later, _) = changes::of_effects(&words, row, &self.calls, later, unexplained);
            worse::leaves_more(&changes, &later) || worse::brings_less(&changes, &later)
        });
        let tokens = assets.claims();
        let preview = Preview { intent, calls, tokens, changes, simulation: self.simulation(), data_fee };
        let seen = warnings::Seen { sight: self, events: &events, assets: &assets, preview: &preview, cut, depends };
        // Before its owner is told what they may acknowledge.
        let latest = Nonce(self.facts.account.nonce);
        let is_told = foreign::learn_up_to(state, chain, row.address, latest).await?;
        let past = history::Past { unknown: !is_told, ..history::Past::of(state, row, &self.calls).await? };
        row.warnings = Json(warnings::list(&seen, &past, row, free));
        row.preview = Some(Json(preview));
        Ok(())
    }

    fn simulation(&self) -> Simulation {
        let given = self.given.as_ref();
        let (outcome, revert_reason) = match &self.facts.gas {
            Estimate::Reverts(reason) => (SimulationOutcome::Reverted, Some(reason.clone())),
            _ if self.trial.poor => (SimulationOutcome::Unknown, None),
            _ if self.trial.succeeded => (SimulationOutcome::Success, None),
            _ => {
                let data = self.trial.revert_data.as_deref();
                let reason = words::revert_reason(data, self.trial.message.clone(), given);
                (SimulationOutcome::Reverted, Some(reason))
            }
        };
        Simulation { method: self.trial.method, outcome, revert_reason, block_number: self.trial.block_number }
    }
}

/// How many tokens' balances are read around a trial.
const MOST_BALANCES: usize = 32;

/// Tries a transaction, once more when it touches tokens that its bytes do not name: to read what the wallet holds of them
/// before and after.
async fn attempt(
    chain: &Chain,
    call: Call,
    terms: Option<Terms>,
    calls: &[abi::Call],
    has_code: bool,
) -> Result<Simulated> {
    let wallet = call.from;
    let called = call.to.filter(|_| has_code && !call.data.0.is_empty());
    let mut tokens: Vec<Address> = assets::named(wallet, calls, &[]);
    tokens.extend(called.filter(|called| !tokens.contains(called)));
    tokens.truncate(MOST_BALANCES);
    let trial = Trial { call, terms, tokens };
    let tried = chain.simulate(&trial).await?;
    let reads = tried.effects.as_ref().filter(|effects| effects.native.is_some());
    let Some(events) = reads.map(changes::read) else { return Ok(tried) };
    let is_own = |event: &abi::Event| [event.giver(), event.taker()].contains(&Some(wallet));
    let own: Vec<_> = events.into_iter().filter(is_own).collect();
    let mut all = assets::named(wallet, &[], &own);
    all.extend(trial.tokens.iter().filter(|token| !all.contains(token)).copied().collect::<Vec<_>>());
    all.truncate(MOST_BALANCES);
    if all.iter().all(|token| trial.tokens.contains(token)) {
        return Ok(tried);
    }
    let again = chain.simulate(&Trial { tokens: all, ..trial }).await?;
    // One that cannot be read the second time was read the first time.
    Ok(if again.effects.is_some() || !again.succeeded { again } else { tried })
}

/// Why a call was reverted, in words, when nothing but its data is known.
pub(super) fn revert_reason(data: Option<&[u8]>, message: String) -> String {
    words::revert_reason(data, message, None)
}

/// The warnings that must be acknowledged and are not.
pub(super) fn unacknowledged(warnings: &[Warning], acknowledged: &[String]) -> Vec<String> {
    let high: Vec<_> = warnings.iter().filter(|warning| warning.severity == crate::value::Severity::High).collect();
    // The code alone is enough where it can mean one thing only: what was shown is bound by its digest.
    let name = |warning: &Warning| {
        let same = high.iter().filter(|other| other.code == warning.code).count();
        if same > 1 { warning.name() } else { warning.code.clone() }
    };
    let missing = high.iter().filter(|warning| !acknowledged.contains(&warning.name()));
    missing.map(|warning| name(warning)).filter(|name| !acknowledged.contains(name)).collect()
}
