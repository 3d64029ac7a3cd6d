//! What a transaction does, as the server reads it from the bytes and from a trial of them.

use alloy::primitives::{Address, Bytes, U256};
use serde::{Deserialize, Serialize};

use crate::{address, amount, open_text::open_text};

/// What a transaction does, for the human who decides. Read from the bytes that would be signed and
/// from a trial of them; what the agent says has no part in it, except where
/// [`DecodedCall::source`] says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Preview {
    /// What it does, in one line of at most 280 characters.
    pub intent: String,
    /// The call and, inside it, every call that a decoded one carries: each before those inside it.
    #[serde(default)]
    pub calls: Vec<DecodedCall>,
    /// What the token contracts that occur say of themselves.
    #[serde(default)]
    pub tokens: Vec<Token>,
    /// What would leave and reach the wallet, and who could take from it later. The fee is not in
    /// it.
    #[serde(default)]
    pub changes: Vec<AssetChange>,
    /// How that was found out, and whether the call would succeed.
    pub simulation: Simulation,
    /// What the chain charges for the data on top of gas, in wei: an estimate. None where it
    /// charges nothing.
    #[serde(with = "amount::optional", default, skip_serializing_if = "Option::is_none")]
    pub data_fee: Option<U256>,
}

/// One call, decoded as far as its bytes allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DecodedCall {
    /// 0 for the transaction itself, 1 for a call that its data carries, and so on.
    pub depth: u32,
    /// Who is called; none deploys a contract.
    #[serde(with = "address::optional", default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Address>,
    /// Native coin sent along, in wei.
    #[serde(with = "amount")]
    pub value: U256,
    /// The first 4 bytes of the data, where it has as many and deploys nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Bytes>,
    /// The function's canonical signature, when it is known and its arguments encode to these very
    /// bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Where the names come from; none when the call is not decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<DecodingSource>,
    /// The standard the function belongs to, such as `ERC-20`; none for what a given ABI names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard: Option<String>,
    /// The arguments in order.
    #[serde(default)]
    pub arguments: Vec<DecodedArgument>,
    /// What this call does, in one line of at most 280 characters.
    pub intent: String,
}

/// One argument of a decoded call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DecodedArgument {
    /// Its name; its number, from 0, where it has none.
    pub name: String,
    /// Its canonical ABI type; `type` on the wire.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its exact value: decimal digits, a checksummed address, `0x` bytes, `true`, text; arrays and
    /// tuples as JSON of those.
    pub value: String,
    /// The same for people, where there is more to say: `25 USDC`, `unlimited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What a token contract says of itself. Anybody can deploy a contract that says anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Token {
    /// The contract.
    #[serde(with = "address")]
    pub address: Address,
    /// What it can do, as it says.
    pub standard: TokenStandard,
    /// Its short name, without characters that deceive the eye: at most 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// Its name, cleaned likewise: at most 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many decimals its amounts have; none when it does not say, and amounts are whole
    /// numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
}

/// Something that leaves or reaches the wallet, or may be taken from it later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AssetChange {
    /// Which way.
    pub direction: ChangeDirection,
    /// Which kind of asset.
    pub asset: AssetKind,
    /// Its contract; none for the native coin.
    #[serde(with = "address::optional", default, skip_serializing_if = "Option::is_none")]
    pub token_address: Option<Address>,
    /// Which one, of those that are told apart.
    #[serde(with = "amount::optional", default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<U256>,
    /// How much, in its smallest unit; 1 for what is told apart.
    #[serde(with = "amount")]
    pub amount: U256,
    /// The same for people: `25 USDC`.
    pub text: String,
    /// Who receives, sends or may take it.
    #[serde(with = "address::optional", default, skip_serializing_if = "Option::is_none")]
    pub counterparty: Option<Address>,
}

/// A trial of the transaction on the latest state, without sending it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Simulation {
    /// How it was tried.
    pub method: SimulationMethod,
    /// How it went.
    pub outcome: SimulationOutcome,
    /// Why it would fail, in the contract's words: at most 280 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revert_reason: Option<String>,
    /// On the state after which block; none when the node does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_number: Option<u64>,
}

open_text! {
    /// Where the names of a decoded call come from. New sources may appear: match with a wildcard
    /// arm.
    pub enum DecodingSource {
        /// A public standard that the server knows.
        Standard = "standard",
        /// The ABI that came with the request: the bytes fit it, but the words are the asker's.
        GivenAbi = "given_abi",
    }
}

open_text! {
    /// What a token contract says it can do. New standards may appear: match with a wildcard arm.
    pub enum TokenStandard {
        /// Amounts of one kind.
        Erc20 = "erc20",
        /// Things told apart by an id.
        Erc721 = "erc721",
        /// Amounts of many kinds.
        Erc1155 = "erc1155",
        /// None of these.
        Unknown = "unknown",
    }
}

open_text! {
    /// Which way an asset goes. New ways may appear: match with a wildcard arm.
    pub enum ChangeDirection {
        /// It leaves the wallet.
        Sends = "sends",
        /// It reaches the wallet.
        Receives = "receives",
        /// Somebody may take it from the wallet from then on.
        Allows = "allows",
    }
}

open_text! {
    /// Which kind of asset. New kinds may appear: match with a wildcard arm.
    pub enum AssetKind {
        /// The chain's own coin.
        Native = "native",
        /// An ERC-20 token.
        Erc20 = "erc20",
        /// One ERC-721 token.
        Erc721 = "erc721",
        /// An amount of one ERC-1155 token.
        Erc1155 = "erc1155",
    }
}

open_text! {
    /// How a transaction was tried. New methods may appear: match with a wildcard arm.
    pub enum SimulationMethod {
        /// With all it emits: [`Preview::changes`] shows what would really happen.
        EthSimulateV1 = "eth_simulateV1",
        /// With all it emits, but not what the wallet holds before and after.
        DebugTraceCall = "debug_traceCall",
        /// Only whether it succeeds: [`Preview::changes`] shows what the decoded calls say.
        EthCall = "eth_call",
    }
}

open_text! {
    /// How a trial went. New outcomes may appear: match with a wildcard arm.
    pub enum SimulationOutcome {
        /// It would succeed.
        Success = "success",
        /// It would fail, and pay its fee for nothing.
        Reverted = "reverted",
        /// It could not be tried: the wallet does not hold the amount.
        Unknown = "unknown",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const TOKEN: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    const SHOP: &str = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359";

    fn wire() -> Value {
        json!({
            "intent": "Send 25 USDC",
            "calls": [{
                "depth": 0, "to": TOKEN, "value": "0", "selector": "0xa9059cbb",
                "signature": "transfer(address,uint256)", "source": "standard", "standard": "ERC-20",
                "arguments": [{ "name": "amount", "type": "uint256", "value": "25000000", "text": "25 USDC" }],
                "intent": "Send 25 USDC",
            }],
            "tokens": [{ "address": TOKEN, "standard": "erc20", "symbol": "USDC", "name": "USD Coin", "decimals": 6 }],
            "changes": [
                { "direction": "sends", "asset": "erc20", "token_address": TOKEN, "amount": "25000000",
                  "text": "25 USDC", "counterparty": SHOP },
                { "direction": "receives", "asset": "erc721", "token_address": SHOP, "token_id": "7", "amount": "1",
                  "text": "no. 7" },
            ],
            "simulation": { "method": "eth_simulateV1", "outcome": "success", "block_number": 19 },
            "data_fee": "1200",
        })
    }

    #[test]
    fn a_preview_is_written_as_it_was_read() {
        let preview: Preview = serde_json::from_value(wire()).expect("a preview");
        assert_eq!(preview.calls[0].arguments[0].kind, "uint256");
        assert_eq!(preview.simulation.method, SimulationMethod::EthSimulateV1);
        assert_eq!(preview.changes[1].token_id, Some(U256::from(7)));
        assert_eq!(serde_json::to_value(&preview).expect("json"), wire());
    }

    #[test]
    fn what_is_left_out_is_none_and_words_of_a_newer_server_are_kept() {
        let wire = json!({
            "intent": "Deploy a contract",
            "calls": [{ "depth": 0, "value": "0", "source": "oracle", "intent": "Deploy a contract" }],
            "simulation": { "method": "dream", "outcome": "nice" },
        });
        let preview: Preview = serde_json::from_value(wire).expect("still a preview");
        assert_eq!(preview.calls[0].source, Some(DecodingSource::Other("oracle".into())));
        assert_eq!(preview.simulation.outcome, SimulationOutcome::Other("nice".into()));
        assert!(preview.calls[0].to.is_none() && preview.changes.is_empty() && preview.data_fee.is_none());
    }
}
