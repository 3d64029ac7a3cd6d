//! Trials by `eth_simulateV1` (execution-apis).
//!
//! The transaction runs in a block as the next one will be: its number, time, base fee, recipient of fees and randomness are
//! set, and the transaction has its gas limit and its price, so that code which asks for any of these cannot tell the
//! trial from the real thing. A second trial runs an hour later, in a block of somebody else: code that does something
//! else then is told of. Around it the sender's balances are read, in the same block.

use std::collections::BTreeMap;

use alloy::{
    primitives::{B256, U256, keccak256},
    rpc::json_rpc::ErrorPayload,
    transports::{TransportError, TransportResult},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Balance, Effects, Log, Sent, Simulated, Terms, Trial};
use crate::{
    chain::{
        Call,
        answer::{Bytes, Count, Price},
        estimate::{POOR, params},
        revert,
        rpc::Rpc,
        token::decimals,
    },
    value::{Address, CallData, Gas, SimulationMethod, Wei},
};

/// How much later the second trial is, in seconds and in blocks: longer than an approved transaction waits to be executed.
/// Nodes make every block in between, and refuse more than 256 (go-ethereum).
const LATER: (u64, u64) = (3_600, 32);

/// What one question to a token may use: ten times what honest ones need.
const READ_GAS: Gas = Gas(300_000);

/// `PUSH0`-free code that answers with the balance of the address it is called with:
/// `mstore(0, balance(calldataload(0))); return(0, 32)`.
const PROBE: &str = "0x6000353160005260206000f3";

/// `balanceOf(address)` and `decimals()` (ERC-20).
const BALANCE_OF: [u8; 4] = [0x70, 0xa0, 0x82, 0x31];
const DECIMALS: [u8; 4] = [0x31, 0x3c, 0xe5, 0x67];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plan<'a> {
    block_state_calls: [Block<'a>; 1],
    trace_transfers: bool,
    validation: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Block<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    block_overrides: Option<&'a Fields>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    state_overrides: BTreeMap<Address, State>,
    calls: Vec<Sent<'a>>,
}

/// What is set of an account.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum State {
    Code(&'static str),
    Balance(U256),
}

/// What is set of a block.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    number: String,
    time: String,
    fee_recipient: Address,
    prev_randao: B256,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_fee_per_gas: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gas_limit: Option<String>,
    #[serde(skip)]
    base_fee: u128,
}

/// The block that the state is of.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Header {
    number: Count,
    timestamp: Count,
    #[serde(default)]
    miner: Option<alloy::primitives::Address>,
    #[serde(default)]
    mix_hash: Option<B256>,
    #[serde(default)]
    base_fee_per_gas: Option<Price>,
    #[serde(default)]
    gas_limit: Option<Count>,
}

#[derive(Debug, Deserialize)]
struct SimulatedBlock {
    calls: Vec<SimulatedCall>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SimulatedCall {
    status: Count,
    #[serde(default)]
    gas_used: Option<Count>,
    #[serde(default)]
    return_data: Option<Bytes>,
    #[serde(default)]
    logs: Vec<Log>,
    #[serde(default)]
    error: Option<ErrorPayload>,
}

impl SimulatedCall {
    fn word(&self) -> Option<U256> {
        let word = <&[u8; 32]>::try_from(self.return_data.as_ref()?.0.as_slice()).ok()?;
        (self.status.0 == 1).then(|| U256::from_be_bytes(*word))
    }
}

/// An address that nobody can know beforehand.
fn nobody() -> Address {
    Address(alloy::primitives::Address::from_word(keccak256(Uuid::now_v7().as_bytes())))
}

/// The calls that read what the sender holds, from a sender of their own.
struct Reads {
    reader: Address,
    probe: Address,
    before: Vec<Call>,
    after: Vec<Call>,
}

impl Reads {
    fn new(trial: &Trial) -> Self {
        let (reader, probe) = (nobody(), nobody());
        let call =
            |to: Address, data: Vec<u8>| Call { from: reader, to: Some(to), value: Wei::ZERO, data: CallData(data) };
        let word = trial.call.from.0.into_word();
        let native = call(probe, word.to_vec());
        let balances = trial.tokens.iter().map(|&token| call(token, [&BALANCE_OF[..], &word[..]].concat()));
        let decimals = trial.tokens.iter().map(|&token| call(token, DECIMALS.to_vec()));
        let before: Vec<_> = std::iter::once(native).chain(balances).collect();
        let after = before.iter().cloned().chain(decimals).collect();
        Self { reader, probe, before, after }
    }

    /// What a sender needs to pay for all of them.
    fn overrides(&self) -> BTreeMap<Address, State> {
        BTreeMap::from([(self.reader, State::Balance(U256::MAX >> 128)), (self.probe, State::Code(PROBE))])
    }

    fn gas(&self) -> u64 {
        READ_GAS.0 * (self.before.len() + self.after.len()) as u64
    }
}

/// How a trial is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// As the transaction will run, all of the protocol's rules included.
    Valid,
    /// Without those rules: some nodes know them less well than what they apply to.
    Lax,
    /// Without a price either, which the sender cannot pay or which is not known yet.
    Free,
}

/// The newest block; none when the node does not show it.
pub(super) async fn header(rpc: &Rpc) -> Option<Header> {
    rpc.ask("eth_getBlockByNumber", ("latest", false)).await.ok()
}

/// Tries a transaction twice on the state after a block. Fails when the node does not show what it does.
pub(super) async fn simulate(rpc: &Rpc, trial: &Trial, header: &Header) -> TransportResult<Simulated> {
    let modes: &[Mode] = if trial.terms.is_some() { &[Mode::Valid, Mode::Lax, Mode::Free] } else { &[Mode::Free] };
    let mut failed = None;
    for &mode in modes {
        match run(rpc, trial, header, mode).await {
            Ok(simulated) => return Ok(simulated),
            Err(error) if !error.is_error_resp() => return Err(error),
            // What runs without its price shows what it does only as long as that does not depend on it: that is enough
            // where nothing can be sent before there is more money.
            Err(error) if mode == Mode::Lax && !is_poor(&error) && !failed.as_ref().is_some_and(is_poor) => {
                return Err(error);
            }
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or(TransportError::NullResp))
}

/// Whether a node counted the sender's money.
fn is_poor(error: &TransportError) -> bool {
    let message = error.as_error_resp().map(|refusal| refusal.message.to_lowercase());
    message.is_some_and(|message| POOR.iter().any(|words| message.contains(words)))
}

async fn run(rpc: &Rpc, trial: &Trial, header: &Header, mode: Mode) -> TransportResult<Simulated> {
    let terms = trial.terms.filter(|_| mode != Mode::Free);
    let reads = Reads::new(trial);
    let (now, later) = (header.next(terms, &reads), header.later(terms, &reads));
    let at = format!("0x{:x}", header.number.0);
    let mut batch = rpc.large.new_batch();
    let mut add = |fields| -> TransportResult<_> {
        let plan = plan(trial, terms, &reads, fields, mode);
        batch.add_call::<_, Vec<SimulatedBlock>>("eth_simulateV1", &params(&(plan, &at))?)
    };
    let (now_tried, later_tried) = (add(&now)?, add(&later)?);
    batch.send().await?;
    let mut simulated = read(rpc, trial, terms, now.base_fee, now_tried.await?)?;
    simulated.block_number = Some(header.number.0);
    if simulated.effects.is_some() {
        let later = later_tried.await.and_then(|blocks| read(rpc, trial, terms, later.base_fee, blocks));
        simulated.later = later.ok().and_then(|later| later.effects);
    }
    Ok(simulated)
}

fn plan<'a>(trial: &'a Trial, terms: Option<Terms>, reads: &'a Reads, fields: &'a Fields, mode: Mode) -> Plan<'a> {
    let reading = terms.map(|terms| Terms { gas_limit: READ_GAS, ..terms });
    let read = |call: &'a Call| Sent::new(call, reading);
    let before = reads.before.iter().map(read);
    let calls = before.chain([Sent::new(&trial.call, terms)]).chain(reads.after.iter().map(read));
    let block = Block { block_overrides: Some(fields), state_overrides: reads.overrides(), calls: calls.collect() };
    Plan { block_state_calls: [block], trace_transfers: true, validation: mode == Mode::Valid }
}

impl Header {
    /// The block after this one.
    fn next(&self, terms: Option<Terms>, reads: &Reads) -> Fields {
        let base_fee = self.base_fee_per_gas.map_or(0, |Price(price)| price);
        Fields {
            number: format!("0x{:x}", self.number.0 + 1),
            time: format!("0x{:x}", self.timestamp.0 + 12),
            fee_recipient: Address(self.miner.unwrap_or_default()),
            prev_randao: self.mix_hash.unwrap_or_default(),
            base_fee_per_gas: self.base_fee_per_gas.map(|Price(price)| format!("0x{price:x}")),
            gas_limit: self.gas_limit(terms, reads),
            base_fee,
        }
    }

    /// A block an hour later, of somebody else.
    fn later(&self, terms: Option<Terms>, reads: &Reads) -> Fields {
        let next = self.next(terms, reads);
        let (seconds, blocks) = LATER;
        let most = terms.map_or(next.base_fee, |terms| terms.fees.max_fee_per_gas);
        let base_fee = next.base_fee.saturating_add(next.base_fee / 8).min(most);
        Fields {
            number: format!("0x{:x}", self.number.0 + blocks),
            time: format!("0x{:x}", self.timestamp.0 + seconds),
            fee_recipient: nobody(),
            prev_randao: keccak256(Uuid::now_v7().as_bytes()),
            base_fee_per_gas: self.base_fee_per_gas.map(|_| format!("0x{base_fee:x}")),
            base_fee,
            ..next
        }
    }

    /// A larger block where the transaction fills one, so that the reads have room.
    fn gas_limit(&self, terms: Option<Terms>, reads: &Reads) -> Option<String> {
        let needed = terms.map_or(0, |terms| terms.gas_limit.0).saturating_add(reads.gas());
        let has = self.gas_limit.map(|limit| limit.0)?;
        (needed > has).then(|| format!("0x{needed:x}"))
    }
}

/// What a node says of the reads, the transaction, and the reads after it.
fn read(
    rpc: &Rpc,
    trial: &Trial,
    terms: Option<Terms>,
    base_fee: u128,
    blocks: Vec<SimulatedBlock>,
) -> TransportResult<Simulated> {
    let calls: Vec<_> = blocks.into_iter().flat_map(|block| block.calls).collect();
    let tokens = trial.tokens.len();
    let (before, rest) = calls.split_at_checked(tokens + 1).ok_or(TransportError::NullResp)?;
    let Some((call, after)) = rest.split_first().filter(|(_, after)| after.len() == 2 * tokens + 1) else {
        return Err(TransportError::NullResp);
    };
    let succeeded = call.status.0 == 1;
    let fee = || -> Option<U256> {
        let Some(Terms { fees, legacy, .. }) = terms else { return Some(U256::ZERO) };
        let tipped = base_fee.saturating_add(fees.max_priority_fee_per_gas).min(fees.max_fee_per_gas);
        let price = if legacy { fees.max_fee_per_gas } else { tipped };
        Some(U256::from(price).saturating_mul(U256::from(call.gas_used?.0)))
    };
    let balance = |at: usize| Some(Balance { before: before[at].word()?, after: after[at].word()? });
    let each = || trial.tokens.iter().enumerate();
    let effects = succeeded.then(|| Effects {
        logs: call.logs.clone(),
        native: balance(0).zip(fee()).map(|(Balance { before, after }, fee)| {
            // What is left when the fee is left out.
            Balance { before, after: after.saturating_add(fee) }
        }),
        tokens: each().filter_map(|(at, token)| Some((*token, balance(at + 1)?))).collect(),
        decimals: each().filter_map(|(at, token)| Some((*token, decimals(after[tokens + 1 + at].word()?)?))).collect(),
    });
    let given = call.error.as_ref().and_then(|error| revert::data_of(error.data.as_ref()?.get()));
    let returned = call.return_data.as_ref().map(|data| data.0.clone());
    let message = call.error.as_ref().map(|error| error.message.as_ref()).unwrap_or_default();
    Ok(Simulated {
        method: SimulationMethod::EthSimulateV1,
        succeeded,
        revert_data: given.or(returned).filter(|data| !succeeded && !data.is_empty()),
        message: rpc.quote(message),
        poor: false,
        effects,
        later: None,
        block_number: None,
    })
}
