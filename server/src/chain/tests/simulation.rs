//! Trials of calls, and questions to token contracts, on nodes of every kind.

use super::{
    super::*,
    hostile::{itself, node, scripted},
    id, local,
};
use crate::value::{Address, CallData, Fees, Gas, SimulationMethod, TokenAmount, TokenStandard, Wei};

const BLOCK: &str = r#""result":{"timestamp":"0x5","baseFeePerGas":"0x7"}"#;

const MISSING: &str = r#""error":{"code":-32601,"message":"the method does not exist"}"#;

fn address(last: u8) -> Address {
    let mut bytes = [0; 20];
    bytes[0] = 0xaa;
    bytes[19] = last;
    Address(bytes.into())
}

fn payment(from: Address, wei: u128) -> Call {
    Call { from, to: Some(address(7)), value: wei.into(), data: CallData::default() }
}

/// One word.
fn word(number: u64) -> String {
    format!("{number:064x}")
}

#[tokio::test]
async fn a_payment_is_simulated_with_what_it_moves() {
    let (node, chain) = local(&[]).await;
    let from = address(1);
    node.fund(from, 1_000_000_000.into()).await.expect("anvil's accounts hold 10000");
    let simulated = chain.simulate(&payment(from, 5).into()).await.expect("anvil answers");
    assert_eq!(simulated.method, SimulationMethod::EthSimulateV1);
    assert!(simulated.succeeded && !simulated.poor && simulated.revert_data.is_none());
    assert_eq!(simulated.block_number, Some(1));
    let effects = simulated.effects.expect("it is seen");
    let [moved] = effects.logs.as_slice() else { panic!("{effects:?}") };
    assert_eq!(moved.address.0, alloy::primitives::Address::repeat_byte(0xee));
    assert_eq!(moved.data.last(), Some(&5));
    assert_eq!(moved.topics[2].0[12..], *address(7).as_bytes());
    // Nothing has happened.
    assert_eq!(chain.account(address(7)).await.expect("anvil answers").balance, Wei::ZERO);
}

#[tokio::test]
async fn a_payment_that_nobody_can_make_is_not_tried() {
    let (_node, chain) = local(&[]).await;
    let simulated = chain.simulate(&payment(address(1), 5).into()).await.expect("anvil answers");
    assert!(simulated.poor && !simulated.succeeded);
}

#[tokio::test]
async fn a_node_without_the_method_is_asked_by_a_plain_call_and_not_asked_for_it_again() {
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = asked.clone();
    let chain = node(move |method| match method {
        "eth_simulateV1" => {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            MISSING.to_owned()
        }
        "eth_call" => r#""result":"0x""#.to_owned(),
        "eth_getBlockByNumber" => BLOCK.to_owned(),
        _ => MISSING.to_owned(),
    })
    .await;
    for _ in 0..2 {
        let simulated = chain.simulate(&payment(address(1), 5).into()).await.expect("it answers");
        assert_eq!((simulated.method, simulated.succeeded), (SimulationMethod::EthCall, true));
    }
    // As it would run now, and later.
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_node_that_does_not_offer_the_method_in_its_own_words_is_asked_by_a_plain_call() {
    let chain = node(|method| match method {
        "eth_simulateV1" => r#""error":{"code":-32000,"message":"upgrade your plan"}"#.to_owned(),
        "eth_call" => r#""result":"0x""#.to_owned(),
        "eth_getBlockByNumber" => BLOCK.to_owned(),
        _ => MISSING.to_owned(),
    })
    .await;
    let simulated = chain.simulate(&payment(address(1), 5).into()).await.expect("it answers");
    assert_eq!((simulated.method, simulated.succeeded), (SimulationMethod::EthCall, true));
}

#[tokio::test]
async fn a_node_that_is_busy_or_talks_nonsense_is_not_believed() {
    for answer in [
        r#""error":{"code":-32005,"message":"busy"}"#,
        r#""result":null"#,
        r#""result":[]"#,
        r#""result":[{"number":"0x1","calls":[]}]"#,
        r#""result":[{"number":"0x1","calls":[{"status":"0x1","logs":[{"address":"0x12"}]}]}]"#,
        r#""result":{"status":"0x1"}"#,
    ] {
        let chain = node(move |method| match method {
            "eth_getBlockByNumber" => BLOCK.to_owned(),
            _ => answer.to_owned(),
        })
        .await;
        let simulated = chain.simulate(&payment(address(1), 5).into()).await;
        assert!(matches!(simulated, Err(ChainError::Unavailable(_))), "{answer}");
    }
}

#[tokio::test]
async fn a_node_that_fails_while_a_token_is_asked_is_no_answer_of_the_token() {
    let busy = node(|_| r#""error":{"code":-32005,"message":"busy"}"#.to_owned()).await;
    assert!(busy.token(address(9)).await.is_err());
    assert!(busy.token_balance(address(9), address(1)).await.is_err());
    let refuses = node(|_| r#""error":{"code":3,"message":"execution reverted"}"#.to_owned()).await;
    assert!(refuses.token(address(9)).await.is_err(), "even the code of the contract");
    assert_eq!(refuses.token_balance(address(9), address(1)).await, Ok(None));
}

#[tokio::test]
async fn an_account_without_code_is_no_token() {
    let (_node, chain) = local(&[]).await;
    let facts = chain.token(address(9)).await.expect("anvil answers");
    assert_eq!((facts.has_code, facts.standard, facts.decimals), (false, TokenStandard::Unknown, None));
    assert_eq!(chain.token_balance(address(9), address(1)).await, Ok(None));
}

#[tokio::test]
async fn a_contract_that_answers_everything_alike_is_taken_for_what_it_answers() {
    let answer = format!(r#""result":"0x{}""#, word(18));
    let chain = node(move |_| answer.clone()).await;
    let facts = chain.token(address(9)).await.expect("it answers");
    assert_eq!(facts.standard, TokenStandard::Erc20);
    assert_eq!((facts.decimals, facts.total_supply), (Some(18), Some(TokenAmount(alloy::primitives::U256::from(18)))));
    assert_eq!(facts.symbol, None);
}

#[tokio::test]
async fn only_a_chain_with_an_oracle_charges_for_data() {
    let fees = Fees { max_fee_per_gas: 10, max_priority_fee_per_gas: 1 };
    let (_node, plain) = local(&[]).await;
    assert_eq!(plain.data_fee(&payment(address(1), 5), Gas(21_000), fees).await, Ok(None));
    let refused = || r#""error":{"code":3,"message":"execution reverted"}"#.to_owned();
    let named = |word: String| format!(r#""result":"0x{word}""#);
    for (data, operator, expected) in [
        (named(word(1234)), refused(), Some(1234)),
        (named(word(1234)), named(String::new()), Some(1234)),
        (named(word(1234)), named(word(6)), Some(1240)),
        (named("f".repeat(64)), refused(), None),
        (named(String::new()), refused(), None),
    ] {
        // `getOperatorFee(uint256)` (OP Stack, Isthmus).
        let of = move |params: &serde_json::Value| match params[0]["data"].as_str() {
            Some(data) if data.starts_with("0x275aedd2") => operator.clone(),
            _ => data.clone(),
        };
        let rollup = scripted(move |method, params| match method {
            "eth_getCode" => r#""result":"0x60""#.to_owned(),
            "eth_call" => of(params),
            _ => itself(method, params).unwrap_or_else(refused),
        })
        .await;
        let fee = rollup.data_fee(&payment(address(1), 5), Gas(21_000), fees).await;
        assert_eq!(fee, Ok(expected.map(Wei::from)));
    }
    assert_eq!(plain.id(), id(31337));
}
