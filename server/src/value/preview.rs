//! What a transaction does, in words and numbers, for the human who decides.

use serde::{Deserialize, Serialize};

use super::{Address, CallData, TokenAmount, Wei, status::states};

/// What a transaction does. Read from the bytes that would be signed and from a simulation of them; what the agent
/// says has no part in it, except where `source` says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// What it does, in one line of at most 280 characters.
    pub intent: String,
    /// The call and, inside it, every call that a decoded one carries: each before those inside it.
    #[serde(default)]
    pub calls: Vec<DecodedCall>,
    /// What the token contracts that occur say of themselves.
    #[serde(default)]
    pub tokens: Vec<Token>,
    /// What would leave and reach the wallet, and who could take from it later. The fee is not in it.
    #[serde(default)]
    pub changes: Vec<AssetChange>,
    /// How that was found out, and whether the call would succeed.
    pub simulation: Simulation,
    /// What the chain charges for the data on top of gas; an estimate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_fee: Option<Wei>,
}

/// One call, decoded as far as its bytes allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecodedCall {
    /// 0 for the transaction itself, 1 for a call that its data carries, and so on.
    pub depth: u32,
    /// Who is called; none: a deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Address>,
    /// Native currency sent along.
    pub value: Wei,
    /// The first 4 bytes of the data, where it has as many and is no deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<CallData>,
    /// The function's canonical signature, when it is known and its arguments encode to these very bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Where the names come from; none: it is not decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<DecodingSource>,
    /// The standard the function belongs to, such as `ERC-20`; none for what an agent's ABI names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard: Option<String>,
    /// The arguments in order.
    #[serde(default)]
    pub arguments: Vec<DecodedArgument>,
    /// What this call does, in one line of at most 280 characters.
    pub intent: String,
}

/// One argument of a decoded call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecodedArgument {
    /// Its name; its number, from 0, where it has none.
    pub name: String,
    /// Its canonical ABI type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its exact value: decimal digits, a checksummed address, `0x` bytes, `true`, text; arrays and tuples as JSON of
    /// those. What is longer than 1024 bytes or 16384 characters is cut.
    pub value: String,
    /// The same for humans, where there is more to say: `25 USDC`, `unlimited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What a token contract says of itself. Anybody can deploy a contract that says anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The contract.
    pub address: Address,
    /// What it can do, as it says.
    pub standard: TokenStandard,
    /// Its short name, cleaned of what deceives the eye: at most 32 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// Its name, cleaned likewise: at most 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many decimals its amounts have; none: it does not say, and amounts are whole numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
}

/// Something that leaves or reaches the wallet, or may be taken from it later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetChange {
    /// Which way.
    pub direction: ChangeDirection,
    /// Which kind of asset.
    pub asset: AssetKind,
    /// Its contract; none for the native currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_address: Option<Address>,
    /// Which one, of those that are told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<TokenAmount>,
    /// How much, in its smallest unit; 1 for what is told apart.
    pub amount: TokenAmount,
    /// The same for humans: `25 USDC`.
    pub text: String,
    /// Who receives, sends or may take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty: Option<Address>,
}

/// A trial of the transaction on the latest state, without sending it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simulation {
    /// How it was tried.
    pub method: SimulationMethod,
    /// How it went.
    pub outcome: SimulationOutcome,
    /// Why it would fail, in the contract's words: at most 280 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revert_reason: Option<String>,
    /// On the state after which block; none: the node does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_number: Option<u64>,
}

states!(
    /// Where the names of a decoded call come from.
    DecodingSource {
        /// From a public standard that the server knows.
        Standard = "standard",
        /// From the ABI the agent gave: the bytes fit it, but the words are the agent's.
        GivenAbi = "given_abi",
    }
);

states!(
    /// What a token contract says it can do.
    TokenStandard {
        /// Amounts of one kind.
        Erc20 = "erc20",
        /// Things told apart by an id (ERC-165 interface 0x80ac58cd).
        Erc721 = "erc721",
        /// Amounts of many kinds (ERC-165 interface 0xd9b67a26).
        Erc1155 = "erc1155",
        /// None of these.
        Unknown = "unknown",
    }
);

states!(
    /// Which way an asset goes.
    ChangeDirection {
        /// It leaves the wallet.
        Sends = "sends",
        /// It reaches the wallet.
        Receives = "receives",
        /// Somebody may take it from the wallet from then on.
        Allows = "allows",
    }
);

states!(
    /// Which kind of asset.
    AssetKind {
        /// The chain's own currency.
        Native = "native",
        /// An ERC-20 token.
        Erc20 = "erc20",
        /// One ERC-721 token.
        Erc721 = "erc721",
        /// An amount of one ERC-1155 token.
        Erc1155 = "erc1155",
    }
);

states!(
    /// How a transaction was tried.
    SimulationMethod {
        /// With all it emits, so that `changes` shows what would really happen.
        EthSimulateV1 = "eth_simulateV1",
        /// With all it emits, but not what the wallet holds before and after.
        DebugTraceCall = "debug_traceCall",
        /// Only whether it succeeds; `changes` shows what the decoded calls say.
        EthCall = "eth_call",
    }
);

states!(
    /// How a trial went.
    SimulationOutcome {
        /// It would succeed.
        Success = "success",
        /// It would fail, and pay its fee for nothing.
        Reverted = "reverted",
        /// It could not be tried: the wallet does not hold the amount.
        Unknown = "unknown",
    }
);
