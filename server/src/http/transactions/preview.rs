//! What a transaction does, as the wire has it.

use poem_openapi::Object;

use crate::value::{
    self, Address, AssetKind, CallData, ChangeDirection, DecodingSource, SimulationMethod, SimulationOutcome,
    TokenAmount, TokenStandard, Wei,
};

/// What a transaction does, read from the bytes that would be signed and from a simulation of them. What the agent says
/// has no part in it, except where `source` says so. Texts hold no control, invisible or direction-changing characters.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct Preview {
    /// What it does, in one line.
    intent: String,
    /// The call and, inside it, every call that a decoded one carries: each before those inside it.
    calls: Vec<DecodedCall>,
    /// What the token contracts that occur say of themselves.
    tokens: Vec<Token>,
    /// What would leave and reach the wallet, and who could take from it later. The fee is not in it.
    changes: Vec<AssetChange>,
    /// How that was found out, and whether the call would succeed.
    simulation: Simulation,
    /// What the chain charges for the data on top of gas, in wei; an estimate. Absent where gas is all.
    data_fee: Option<Wei>,
}

/// One call, decoded as far as its bytes allow.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
struct DecodedCall {
    /// 0 for the transaction itself, 1 for a call that its data carries, and so on.
    depth: u32,
    /// Who is called; absent for a deployment.
    to: Option<Address>,
    /// Native currency sent along, in wei.
    value: Wei,
    /// The first 4 bytes of the data, which choose the function.
    selector: Option<CallData>,
    /// The function's canonical signature, when it is known and its arguments encode to these very bytes.
    signature: Option<String>,
    /// Where the names come from; absent when it is not decoded.
    source: Option<DecodingSource>,
    /// The standard the function belongs to, such as `ERC-20`.
    standard: Option<String>,
    /// The arguments in order.
    arguments: Vec<DecodedArgument>,
    /// What this call does, in one line.
    intent: String,
}

/// One argument of a decoded call.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
struct DecodedArgument {
    /// Its name; its number, from 0, where it has none.
    name: String,
    /// Its canonical ABI type.
    #[oai(rename = "type")]
    kind: String,
    /// Its exact value: decimal digits, an address, 0x bytes, `true`, text; arrays and tuples as JSON of those. What is
    /// longer than 1024 bytes or 16384 characters is cut, and ends with `…`.
    value: String,
    /// The same for humans, where there is more to say: `25 USDC`, `unlimited`.
    text: Option<String>,
}

/// What a token contract says of itself. Anybody can deploy a contract that says anything.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub(in crate::http) struct Token {
    /// The contract.
    address: Address,
    /// What it can do.
    standard: TokenStandard,
    /// Its short name, at most 32 characters.
    symbol: Option<String>,
    /// Its name, at most 64 characters.
    name: Option<String>,
    /// How many decimals its amounts have; absent when it does not say: then they are whole numbers.
    decimals: Option<u8>,
}

/// Something that leaves or reaches the wallet, or may be taken from it later.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
struct AssetChange {
    /// Which way.
    direction: ChangeDirection,
    /// Which kind of asset.
    asset: AssetKind,
    /// Its contract; absent for the native currency.
    token_address: Option<Address>,
    /// Which one, of those that are told apart.
    token_id: Option<TokenAmount>,
    /// How much, in its smallest unit.
    amount: TokenAmount,
    /// The same for humans: `25 USDC`.
    text: String,
    /// Who receives, sends or may take it.
    counterparty: Option<Address>,
}

/// A trial of the transaction on the latest state, without sending it.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
struct Simulation {
    /// How it was tried.
    method: SimulationMethod,
    /// How it went.
    outcome: SimulationOutcome,
    /// Why it would fail, in the contract's words.
    revert_reason: Option<String>,
    /// On the state after which block.
    block_number: Option<u64>,
}

impl From<value::Preview> for Preview {
    fn from(preview: value::Preview) -> Self {
        let value::Preview { intent, calls, tokens, changes, simulation, data_fee } = preview;
        Self {
            intent,
            calls: calls.into_iter().map(DecodedCall::from).collect(),
            tokens: tokens.into_iter().map(Token::from).collect(),
            changes: changes.into_iter().map(AssetChange::from).collect(),
            simulation: simulation.into(),
            data_fee,
        }
    }
}

impl From<value::DecodedCall> for DecodedCall {
    fn from(call: value::DecodedCall) -> Self {
        let value::DecodedCall { depth, to, value, selector, signature, source, standard, arguments, intent } = call;
        let arguments = arguments.into_iter().map(DecodedArgument::from).collect();
        Self { depth, to, value, selector, signature, source, standard, arguments, intent }
    }
}

impl From<value::DecodedArgument> for DecodedArgument {
    fn from(argument: value::DecodedArgument) -> Self {
        let value::DecodedArgument { name, kind, value, text } = argument;
        Self { name, kind, value, text }
    }
}

impl From<value::Token> for Token {
    fn from(token: value::Token) -> Self {
        let value::Token { address, standard, symbol, name, decimals } = token;
        Self { address, standard, symbol, name, decimals }
    }
}

impl From<value::AssetChange> for AssetChange {
    fn from(change: value::AssetChange) -> Self {
        let value::AssetChange { direction, asset, token_address, token_id, amount, text, counterparty } = change;
        Self { direction, asset, token_address, token_id, amount, text, counterparty }
    }
}

impl From<value::Simulation> for Simulation {
    fn from(simulation: value::Simulation) -> Self {
        let value::Simulation { method, outcome, revert_reason, block_number } = simulation;
        Self { method, outcome, revert_reason, block_number }
    }
}
