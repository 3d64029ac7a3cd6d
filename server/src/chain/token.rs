//! What token contracts say of themselves. Anybody can deploy one that says anything.

use alloy::{primitives::U256, rpc::client::Waiter, transports::TransportResult};
use serde::Serialize;

use super::{
    Chain, ChainError, EstimateError,
    answer::{Bytes, clean},
    estimate::{failure, params},
    rpc::Rpc,
};
use crate::value::{Address, TokenAmount, TokenStandard};

/// What each question may cost, so that no contract keeps a node busy: ten times what honest ones use.
const GAS: &str = "0x493e0";
/// The longest symbol and name that are kept, in characters.
const LONGEST_SYMBOL: usize = 32;
const LONGEST_NAME: usize = 64;
/// More decimals than a number of 256 bits has digits make no sense.
const MOST_DECIMALS: u8 = 77;

/// What a contract says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFacts {
    /// Whether there is a contract.
    pub has_code: bool,
    /// What it can do, by ERC-165 or by what it answers.
    pub standard: TokenStandard,
    /// Its short name: at most 32 characters without what deceives the eye.
    pub symbol: Option<String>,
    /// Its name: at most 64 such characters.
    pub name: Option<String>,
    /// How many decimals its amounts have, 0 to 77.
    pub decimals: Option<u8>,
    /// How much of it there is.
    pub total_supply: Option<TokenAmount>,
}

/// `supportsInterface(bytes4)` (ERC-165).
const SUPPORTS: &str = "01ffc9a7";

#[derive(Serialize)]
struct Question {
    to: Address,
    data: String,
    gas: &'static str,
}

impl Question {
    fn new(to: Address, data: impl AsRef<str>) -> Self {
        Self { to, data: format!("0x{}", data.as_ref()), gas: GAS }
    }
}

impl Chain {
    /// Asks a contract what it is. What it does not answer, or answers in no form that makes sense, is none. Fails when
    /// the node cannot be asked.
    pub async fn token(&self, address: Address) -> Result<TokenFacts, ChainError> {
        let rpc = self.rpc().await?;
        let mut batch = rpc.client.new_batch();
        let mut add = |data: String| -> TransportResult<Waiter<Bytes>> {
            batch.add_call("eth_call", &params(&(Question::new(address, data), "latest"))?)
        };
        let supports = |interface: &str| format!("{SUPPORTS}{interface:0<64}");
        let asked = (|| {
            Ok((
                [add(supports("01ffc9a7"))?, add(supports("ffffffff"))?, add(supports("80ac58cd"))?],
                [add(supports("d9b67a26"))?, add("313ce567".to_owned())?, add("95d89b41".to_owned())?],
                [add("06fdde03".to_owned())?, add("18160ddd".to_owned())?, add(balance_of(address))?],
            ))
        })();
        let (first, second, third) = asked.map_err(|error| rpc.unavailable(error))?;
        let code = batch.add_call::<_, Bytes>("eth_getCode", &(address, "latest"));
        let code = code.map_err(|error| rpc.unavailable(error))?;
        batch.send().await.map_err(|error| rpc.unavailable(error))?;
        let has_code = code.await.map(|code| !code.0.is_empty()).map_err(|error| rpc.unavailable(error))?;
        let [is_165, is_all, is_721] = answers(rpc, first).await?;
        let [is_1155, decimals, symbol] = answers(rpc, second).await?;
        let [name, total_supply, balance] = answers(rpc, third).await?;

        let yes = |answer: &Option<Vec<u8>>| word(answer) == Some(U256::ONE);
        let answers_interfaces = yes(&is_165) && word(&is_all) == Some(U256::ZERO);
        let total_supply = word(&total_supply).map(TokenAmount);
        let standard = if answers_interfaces && yes(&is_721) {
            TokenStandard::Erc721
        } else if answers_interfaces && yes(&is_1155) {
            TokenStandard::Erc1155
        } else if total_supply.is_some() && word(&balance).is_some() {
            TokenStandard::Erc20
        } else {
            TokenStandard::Unknown
        };
        Ok(TokenFacts {
            has_code,
            standard,
            symbol: text(&symbol, LONGEST_SYMBOL),
            name: text(&name, LONGEST_NAME),
            decimals: word(&decimals).and_then(self::decimals),
            total_supply,
        })
    }

    /// What an account holds of an ERC-20 token; none when the contract does not say. Fails when the node cannot be
    /// asked.
    pub async fn token_balance(&self, token: Address, owner: Address) -> Result<Option<TokenAmount>, ChainError> {
        let rpc = self.rpc().await?;
        let question = Question::new(token, balance_of(owner));
        let answer = match params(&(question, "latest")) {
            Ok(params) => rpc.ask::<_, Bytes>("eth_call", params).await,
            Err(error) => Err(error),
        };
        Ok(word(&answered(rpc, answer)?).map(TokenAmount))
    }
}

/// How many decimals a token has, when what it says of them makes sense.
pub(super) fn decimals(said: U256) -> Option<u8> {
    u8::try_from(said).ok().filter(|&decimals| decimals <= MOST_DECIMALS)
}

/// `balanceOf(address)` (ERC-20).
fn balance_of(owner: Address) -> String {
    format!("70a08231{:0>64}", alloy::primitives::hex::encode(owner.as_bytes()))
}

async fn answers<const N: usize>(rpc: &Rpc, asked: [Waiter<Bytes>; N]) -> Result<[Option<Vec<u8>>; N], ChainError> {
    let mut answers = [const { None }; N];
    for (answer, waiter) in answers.iter_mut().zip(asked) {
        *answer = answered(rpc, waiter.await)?;
    }
    Ok(answers)
}

/// What a contract answered; none when it refused. A node that refuses for a reason of its own has not asked it.
fn answered(rpc: &Rpc, answer: TransportResult<Bytes>) -> Result<Option<Vec<u8>>, ChainError> {
    match answer {
        Ok(bytes) => Ok(Some(bytes.0)),
        Err(error) => match failure(rpc, error) {
            EstimateError::Unavailable(unavailable) => Err(unavailable),
            EstimateError::Reverted { .. } | EstimateError::InsufficientFunds => Ok(None),
        },
    }
}

/// An answer of one word.
fn word(answer: &Option<Vec<u8>>) -> Option<U256> {
    let word: &[u8; 32] = answer.as_deref()?.try_into().ok()?;
    Some(U256::from_be_bytes(*word))
}

/// An answer of one string, or of one word of text as some old tokens have it; cleaned and cut.
fn text(answer: &Option<Vec<u8>>, longest: usize) -> Option<String> {
    let answer = answer.as_deref()?;
    let bytes = match <&[u8; 32]>::try_from(answer) {
        Ok(word) => word.split(|&byte| byte == 0).next()?,
        Err(_) => string(answer)?,
    };
    let text: String = clean(std::str::from_utf8(bytes).ok()?).chars().take(longest).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// One ABI-encoded string: offset, length, bytes.
fn string(data: &[u8]) -> Option<&[u8]> {
    let number = |at: usize| {
        let word: &[u8; 32] = data.get(at..)?.first_chunk()?;
        usize::try_from(U256::from_be_bytes(*word)).ok()
    };
    let offset = number(0)?;
    let length = number(offset)?;
    data.get(offset.checked_add(32)?..)?.get(..length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(answer: Vec<u8>) -> Option<String> {
        text(&Some(answer), LONGEST_SYMBOL)
    }

    fn encoded(text: &str) -> Vec<u8> {
        let mut data = vec![0; 64];
        data[31] = 32;
        data[63] = u8::try_from(text.len()).expect("short");
        data.extend(text.as_bytes());
        data.resize(data.len().next_multiple_of(32), 0);
        data
    }

    #[test]
    fn texts_are_read_as_strings_and_as_words() {
        assert_eq!(shown(encoded("USDC")).as_deref(), Some("USDC"));
        let mut word = b"MKR".to_vec();
        word.resize(32, 0);
        assert_eq!(shown(word).as_deref(), Some("MKR"));
        assert_eq!(shown(encoded("US\u{202e}DC\u{1b}[2J")).as_deref(), Some("USDC[2J"));
        assert_eq!(shown(encoded(&"x".repeat(200))).map(|text| text.len()), Some(LONGEST_SYMBOL));
    }

    #[test]
    fn what_is_no_text_is_none() {
        let mut number = vec![0; 32];
        number[31] = 7;
        for answer in [Vec::new(), vec![0; 32], number, vec![0xff; 64], vec![0xff; 96], encoded("\u{200b}")] {
            assert_eq!(shown(answer.clone()), None, "{answer:?}");
        }
        assert_eq!(text(&None, 1), None);
    }
}
