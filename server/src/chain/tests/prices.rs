//! What gas costs on a real node where nobody but us sends, and estimates that make no sense.

use alloy::signers::local::PrivateKeySigner;

use super::{
    super::*,
    hostile::node,
    local,
    node::{funded, mined, sign, to, transfer},
};
use crate::{
    domain::ladder,
    value::{Address, CallData, Fees, Wei},
};

/// Pays 1 wei and waits until it is mined.
async fn pay(chain: &Chain, signer: &PrivateKeySigner, nonce: u64, fees: Fees) {
    let (raw, hash) = sign(signer, transfer(nonce, fees));
    assert_eq!(chain.send(&raw).await, SendOutcome::Accepted);
    assert!(mined(chain, hash).await.succeeded);
}

#[tokio::test]
async fn a_payment_on_an_idle_chain_costs_the_same_the_thousandth_time() {
    let (node, chain) = local(&[]).await;
    let (signer, _) = funded(&node).await;
    let first = chain.market().await.expect("anvil answers").now;
    for nonce in 0..60 {
        let now = chain.market().await.expect("anvil answers").now;
        assert!(
            now.max_priority_fee_per_gas <= first.max_priority_fee_per_gas,
            "at {nonce}: {now:?}, at first {first:?}"
        );
        let rungs = ladder::rungs(ladder::caps(now, ladder::HEADROOM), now);
        // Every tenth had to climb to the top of its ladder.
        let rung = if nonce % 10 == 5 { rungs.last() } else { rungs.first() };
        pay(&chain, &signer, nonce, *rung.expect("the caps cover the market")).await;
    }
    let last = chain.market().await.expect("anvil answers").now;
    assert_eq!(last.max_priority_fee_per_gas, first.max_priority_fee_per_gas);
    assert!(last.max_fee_per_gas <= first.max_fee_per_gas);
}

fn call(data: Vec<u8>) -> Call {
    let from = Address(alloy::primitives::Address::repeat_byte(0xab));
    Call { from, to: Some(to()), value: Wei::ZERO, data: CallData(data) }
}

#[tokio::test]
async fn an_estimate_below_the_intrinsic_gas_is_raised_to_it_and_one_above_a_block_is_refused() {
    let estimated = async |gas: &'static str, data: Vec<u8>| {
        let chain = node(move |method| match method {
            "eth_estimateGas" => format!(r#""result":"{gas}""#),
            _ => r#""result":{"gasLimit":"0x1c9c380"}"#.to_owned(),
        });
        chain.await.estimate_gas(&call(data)).await
    };
    assert_eq!(estimated("0x0", vec![]).await, Ok(21_000));
    assert_eq!(estimated("0x5207", vec![1; 100]).await, Ok(25_000));
    assert_eq!(estimated("0x1c9c380", vec![]).await, Ok(30_000_000));
    assert!(matches!(estimated("0x1c9c381", vec![]).await, Err(EstimateError::Unavailable(_))));
    // The other answers of a node that does not say how much a block holds are believed.
    let silent = node(|method| match method {
        "eth_estimateGas" => r#""result":"0x1c9c381""#.to_owned(),
        _ => r#""result":{"gasLimit":"0x0"}"#.to_owned(),
    });
    assert_eq!(silent.await.estimate_gas(&call(vec![])).await, Ok(30_000_001));
}

#[tokio::test]
async fn a_real_node_agrees_with_the_intrinsic_gas() {
    let (_node, chain) = local(&[]).await;
    for data in [vec![], vec![0], vec![1], vec![0xff; 1_000], [vec![0; 500], vec![3; 500]].concat()] {
        let call = call(data);
        assert_eq!(chain.estimate_gas(&call).await, Ok(intrinsic_gas(&call)), "{} bytes", call.data.0.len());
    }
    // Init code that only stops: 6000 runs it, and what runs is little.
    let creation = Call { to: None, ..call(vec![0; 6_000]) };
    let gas = chain.estimate_gas(&creation).await.expect("it stops at once");
    assert!((intrinsic_gas(&creation)..intrinsic_gas(&creation) + 200).contains(&gas), "{gas}");
}
