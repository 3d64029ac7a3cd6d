//! A real anvil.

use std::time::Duration;

use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope, TxLegacy},
    eips::eip2718::Encodable2718,
    primitives::{TxKind, U256},
    signers::{SignerSync, local::PrivateKeySigner},
};

use super::{super::*, chain, id, local};
use crate::value::{Address, CallData, Fees, Secret, TransactionHash, Wei};

const ETHER: u128 = 1_000_000_000_000_000_000;

pub(super) fn wei(amount: u128) -> Wei {
    Wei(U256::from(amount))
}

pub(super) fn to() -> Address {
    "0x00000000000000000000000000000000000000aa".parse().expect("an address")
}

/// A plain transfer of 1 wei.
pub(super) fn transfer(nonce: u64, fees: Fees) -> TxEip1559 {
    TxEip1559 {
        chain_id: 31337,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: fees.max_fee_per_gas,
        max_priority_fee_per_gas: fees.max_priority_fee_per_gas,
        to: TxKind::Call(to().0),
        value: U256::from(1),
        ..TxEip1559::default()
    }
}

pub(super) fn sign(signer: &PrivateKeySigner, transaction: TxEip1559) -> (Vec<u8>, TransactionHash) {
    let signature = signer.sign_hash_sync(&transaction.signature_hash()).expect("a local key");
    let envelope: TxEnvelope = transaction.into_signed(signature).into();
    (envelope.encoded_2718(), TransactionHash(*envelope.tx_hash()))
}

/// Receipts of a round of their own.
async fn receipts(chain: &Chain, hashes: &[TransactionHash]) -> Vec<Option<Receipt>> {
    let receipts = chain.round().await.expect("anvil answers").receipts(hashes).await;
    receipts.into_iter().collect::<Result<_, _>>().expect("anvil answers")
}

/// The receipt, once anvil has mined: it answers first and mines right after.
pub(super) async fn mined(chain: &Chain, hash: TransactionHash) -> Receipt {
    for _ in 0..100 {
        let receipts = receipts(chain, &[hash]).await;
        match receipts[0] {
            Some(receipt) => return receipt,
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    panic!("anvil did not mine {hash}");
}

pub(super) async fn funded(node: &local::LocalNode) -> (PrivateKeySigner, Address) {
    let signer = PrivateKeySigner::random();
    let address = Address(signer.address());
    node.fund(address, wei(ETHER)).await.expect("anvil's accounts hold 10000");
    (signer, address)
}

#[tokio::test]
async fn a_transfer_is_priced_sent_mined_and_final() {
    let (node, chain) = local(&[]).await;
    let (signer, address) = funded(&node).await;
    let account = chain.account(address).await.expect("anvil answers");
    assert_eq!(account, Account { nonce: 0, balance: wei(ETHER) });
    let market = chain.market().await.expect("anvil answers");
    assert!(!market.legacy && market.now.max_fee_per_gas > market.now.max_priority_fee_per_gas);
    assert!(market.now.max_priority_fee_per_gas >= 1_000_000);

    let (raw, hash) = sign(&signer, transfer(0, market.now));
    assert_eq!(receipts(&chain, &[hash]).await, [None]);
    assert_eq!(chain.send(&raw).await, SendOutcome::Accepted);
    let receipt = mined(&chain, hash).await;
    let round = chain.round().await.expect("anvil answers");
    assert_eq!(round.final_height, round.head.number, "depth 1 on development nodes");
    let unknown = TransactionHash([7; 32].into());
    let receipts = receipts(&chain, &[unknown, hash]).await;
    assert_eq!(receipts, [None, Some(receipt)]);
    assert!(receipt.succeeded && receipt.block_number == round.head.number && receipt.gas_used == 21_000);
    assert!(receipt.transaction_hash == hash && receipt.effective_gas_price > 0);

    assert_eq!(round.latest_nonces(&[address, to()]).await, Ok(vec![Ok(1), Ok(0)]));
    assert_eq!(round.nonce_at(address, round.head.number - 1).await, Ok(NonceAt::Nonce(0)));
    assert_eq!(chain.account(to()).await.expect("anvil answers").balance, wei(1));
}

#[tokio::test]
async fn anvil_s_refusals_are_told_apart() {
    let (node, chain) = local(&["--no-mining"]).await;
    // Nothing is mined here, so the money is waited for by mining by hand.
    let mine = async |node: &local::LocalNode| {
        let rpc = rpc::Rpc::new(&Secret::new(node.url().to_owned()), DEFAULT_REQUEST_TIMEOUT).expect("a plain URL");
        rpc.ask::<_, serde_json::Value>("evm_mine", ()).await.expect("anvil mines");
    };
    let signer = PrivateKeySigner::random();
    let (funding, ()) = tokio::join!(node.fund(Address(signer.address()), wei(ETHER)), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        mine(&node).await;
    });
    funding.expect("anvil's accounts hold 10000");
    let now = chain.market().await.expect("anvil answers").now;

    let (raw, _) = sign(&signer, transfer(0, now));
    assert_eq!(chain.send(&raw).await, SendOutcome::Accepted);
    assert_eq!(chain.send(&raw).await, SendOutcome::AlreadyKnown);
    let (cheaper, _) = sign(&signer, TxEip1559 { max_fee_per_gas: now.max_fee_per_gas - 1, ..transfer(0, now) });
    assert_eq!(chain.send(&cheaper).await, SendOutcome::Underpriced);
    let (ahead, _) = sign(&signer, transfer(5, now));
    assert_eq!(chain.send(&ahead).await, SendOutcome::Accepted, "anvil queues nonces ahead");
    mine(&node).await;
    assert_eq!(chain.send(&raw).await, SendOutcome::NonceTooLow);
    let (rich, _) = sign(&signer, TxEip1559 { value: U256::from(2 * ETHER), ..transfer(1, now) });
    assert_eq!(chain.send(&rich).await, SendOutcome::InsufficientFunds);
    let refused = [
        TxEip1559 { gas_limit: 20_000, ..transfer(1, now) },
        TxEip1559 { gas_limit: 1 << 40, ..transfer(1, Fees { max_fee_per_gas: 7, max_priority_fee_per_gas: 7 }) },
        TxEip1559 { chain_id: 5, ..transfer(1, now) },
        TxEip1559 { max_priority_fee_per_gas: now.max_fee_per_gas + 1, ..transfer(1, now) },
    ];
    for transaction in refused {
        let outcome = chain.send(&sign(&signer, transaction.clone()).0).await;
        assert!(matches!(outcome, SendOutcome::Refused { .. }), "{outcome:?} for {transaction:?}");
    }
    let outcome = chain.send(&[1, 2, 3]).await;
    assert!(matches!(outcome, SendOutcome::Refused { .. } | SendOutcome::Unavailable { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_chain_without_base_fee_has_a_gas_price() {
    let (node, chain) = local(&["--hardfork", "berlin"]).await;
    let (signer, _) = funded(&node).await;
    let market = chain.market().await.expect("anvil answers");
    assert!(market.legacy && market.now.max_fee_per_gas > 0);
    assert_eq!(market.now.max_fee_per_gas, market.now.max_priority_fee_per_gas);
    let transaction = TxLegacy {
        chain_id: Some(31337),
        gas_price: market.now.max_fee_per_gas,
        gas_limit: 21_000,
        to: TxKind::Call(to().0),
        ..TxLegacy::default()
    };
    let signature = signer.sign_hash_sync(&transaction.signature_hash()).expect("a local key");
    let envelope: TxEnvelope = transaction.into_signed(signature).into();
    assert_eq!(chain.send(&envelope.encoded_2718()).await, SendOutcome::Accepted);
    let receipt = mined(&chain, TransactionHash(*envelope.tx_hash())).await;
    assert_eq!(receipt.effective_gas_price, market.now.max_fee_per_gas);
}

/// Init code of a contract that reverts with `Error("no")` whenever it is called.
fn refuser() -> CallData {
    // The runtime code stores the selector at 0, the offset (32) at 4, the length (2) at 36 and "no" at 68, then
    // reverts with 100 bytes.
    let runtime = "6308c379a060e01b6000526020600452600260245261\
                   6e6f60f01b60445260646000fd"
        .replace(' ', "");
    let length = runtime.len() / 2;
    // codecopy(0, 12, length); return(0, length)
    format!("0x60{length:02x}600c60003960{length:02x}6000f3{runtime}").parse().expect("hex")
}

#[tokio::test]
async fn estimates_name_the_reason_and_the_missing_money() {
    let (node, chain) = local(&[]).await;
    let (signer, address) = funded(&node).await;
    let transfer_of = |value| Call { from: address, to: Some(to()), value, data: CallData::default() };
    assert_eq!(chain.estimate_gas(&transfer_of(wei(1))).await, Ok(21_000));
    let rich = Call { data: CallData(vec![1]), ..transfer_of(wei(2 * ETHER)) };
    assert_eq!(chain.estimate_gas(&rich).await, Err(EstimateError::InsufficientFunds));

    let deployment = Call { from: address, to: None, value: Wei::ZERO, data: refuser() };
    let gas = chain.estimate_gas(&deployment).await.expect("a deployment that works");
    let now = chain.market().await.expect("anvil answers").now;
    let (raw, hash) = sign(
        &signer,
        TxEip1559 {
            gas_limit: gas,
            to: TxKind::Create,
            value: U256::ZERO,
            input: refuser().0.into(),
            ..transfer(0, now)
        },
    );
    assert_eq!(chain.send(&raw).await, SendOutcome::Accepted);
    assert!(mined(&chain, hash).await.succeeded);
    let contract = Address(address.0.create(0));
    assert_eq!(chain.has_code(contract).await, Ok(true));
    assert_eq!(chain.has_code(address).await, Ok(false));
    let call = Call { to: Some(contract), ..transfer_of(Wei::ZERO) };
    let Err(EstimateError::Reverted { data: Some(data), .. }) = chain.estimate_gas(&call).await else {
        panic!("it refuses with a reason")
    };
    assert_eq!(data[..4], [0x08, 0xc3, 0x79, 0xa0], "Error(string)");
    let simulated = chain.simulate(&call.clone().into()).await.expect("anvil answers");
    assert_eq!((simulated.succeeded, simulated.revert_data), (false, Some(data)));

    let (raw, hash) = sign(
        &signer,
        TxEip1559 { gas_limit: 50_000, to: TxKind::Call(contract.0), value: U256::ZERO, ..transfer(1, now) },
    );
    assert_eq!(chain.send(&raw).await, SendOutcome::Accepted);
    assert!(!mined(&chain, hash).await.succeeded);
    let broken = Call { from: address, to: None, value: Wei::ZERO, data: CallData(vec![0xfe]) };
    assert!(matches!(chain.estimate_gas(&broken).await, Err(EstimateError::Reverted { .. })));
}

#[tokio::test]
async fn many_receipts_come_in_their_order() {
    let (node, chain) = local(&[]).await;
    let (signer, _) = funded(&node).await;
    let now = chain.market().await.expect("anvil answers").now;
    let (raw, hash) = sign(&signer, transfer(0, now));
    assert_eq!(chain.send(&raw).await, SendOutcome::Accepted);
    mined(&chain, hash).await;
    let mut hashes: Vec<_> = (0..250u8).map(|n| TransactionHash([n; 32].into())).collect();
    hashes[149] = hash;
    let all = receipts(&chain, &hashes).await;
    assert_eq!(all.len(), 250);
    assert!(all.iter().enumerate().all(|(at, receipt)| receipt.is_some() == (at == 149)));
    assert_eq!(receipts(&chain, &[]).await, []);
}

#[tokio::test]
async fn finality_follows_the_depth_that_is_set() {
    let (node, by_default) = local(&[]).await;
    for _ in 0..3 {
        node.fund(to(), wei(1)).await.expect("anvil's accounts hold 10000");
    }
    let deep = chain(node.url(), Some(3));
    let heights = async |chain: &Chain| {
        let round = chain.round().await.expect("anvil answers");
        (round.head.number, round.final_height)
    };
    assert_eq!(heights(&deep).await, (3, 1));
    assert_eq!(heights(&by_default).await, (3, 3));
}

#[tokio::test]
async fn a_node_of_another_chain_is_never_used() {
    let (node, right) = local(&[]).await;
    let url = Secret::new(node.url().to_owned());
    assert_eq!(Chain::discover(&url, DEFAULT_REQUEST_TIMEOUT).await, Ok(id(31337)));
    let wrong = Chain::new(ChainSettings::new(id(1), url)).expect("a plain URL");
    assert!(matches!(wrong.market().await, Err(ChainError::OtherChain { .. })));
    assert!(matches!(wrong.round().await, Err(ChainError::OtherChain { says: 31337, .. })));
    assert!(matches!(wrong.send(&[2]).await, SendOutcome::Unavailable { .. }));
    assert!(matches!(wrong.verdict(), Verdict::Quarantined { .. }));

    let chains: Chains = [right, wrong].into_iter().collect();
    assert!(chains.only().is_none());
    assert_eq!(chains.get(id(1)).map(Chain::name), Some("Ethereum"));
    assert_eq!(chains.iter().map(|chain| chain.id().get()).collect::<Vec<_>>(), [1, 31337]);
    assert!(chains.get(id(2)).is_none());
}
