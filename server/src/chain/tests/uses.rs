//! In which block a nonce was used.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use alloy::{
    consensus::{SignableTransaction, TxEip7702, TxEnvelope},
    eips::{eip2718::Encodable2718, eip7702::Authorization},
    primitives::U256,
    signers::{SignerSync, local::PrivateKeySigner},
};
use serde_json::Value;

use super::{
    super::*,
    hostile::{hash_of, itself, scripted},
    local,
    node::{funded, mined, sign, to, transfer},
};
use crate::value::{Address, TransactionHash};

#[tokio::test]
async fn the_block_is_found_by_the_state_of_a_real_node() {
    let (node, chain) = local(&[]).await;
    let (signer, address) = funded(&node).await;
    let mut blocks = Vec::new();
    for nonce in 0..6 {
        // Blocks of others between ours.
        for _ in 0..nonce {
            node.fund(to(), 1u128.into()).await.expect("anvil's accounts hold 10000");
        }
        let now = chain.market().await.expect("anvil answers").now;
        let (raw, hash) = sign(&signer, transfer(nonce, now));
        assert_eq!(chain.send(&raw).await, SendOutcome::Accepted);
        blocks.push(mined(&chain, hash).await);
    }
    let round = chain.round().await.expect("anvil answers");
    for (nonce, receipt) in (0..).zip(&blocks) {
        for from in [0, 1, receipt.block_number.saturating_sub(1)] {
            let found = round.find_use(address, nonce, from, &mut UseSearch::default()).await;
            let Ok(Use::Found { block, by: Some(by), hashes }) = found else {
                panic!("{nonce} from {from}: {found:?}")
            };
            assert_eq!(block, BlockRef { number: receipt.block_number, hash: receipt.block_hash });
            assert_eq!(
                (by.hash, by.from, by.nonce, by.to),
                (receipt.transaction_hash, Some(address), Some(nonce), Some(to()))
            );
            assert_eq!((by.value, hashes), (1u128.into(), vec![receipt.transaction_hash]));
        }
        // From a block after it: somebody was wrong about when it was free.
        let late = round.find_use(address, nonce, round.head.number, &mut UseSearch::default()).await;
        assert!(matches!(late, Ok(Use::Found { block, .. }) if block.number == receipt.block_number), "{late:?}");
    }
    assert_eq!(round.find_use(address, 6, 0, &mut UseSearch::default()).await, Ok(Use::NotFinal));
    let deep = super::chain(node.url(), Some(3)).round().await.expect("anvil answers");
    assert_eq!(deep.find_use(address, 5, 0, &mut UseSearch::default()).await, Ok(Use::NotFinal), "mined, not final");
}

#[tokio::test]
async fn a_nonce_that_an_authorisation_used_is_found_with_the_transaction_that_carried_it() {
    let (node, chain) = local(&[]).await;
    let ((sponsor, sponsor_address), owner) = (funded(&node).await, PrivateKeySigner::random());
    let authorization = Authorization { chain_id: U256::from(31337), address: to().0, nonce: 0 };
    let signature = owner.sign_hash_sync(&authorization.signature_hash()).expect("a local key");
    let now = chain.market().await.expect("anvil answers").now;
    let transaction = TxEip7702 {
        chain_id: 31337,
        gas_limit: 200_000,
        max_fee_per_gas: now.max_fee_per_gas,
        max_priority_fee_per_gas: now.max_priority_fee_per_gas,
        to: to().0,
        authorization_list: vec![authorization.into_signed(signature)],
        ..TxEip7702::default()
    };
    let signature = sponsor.sign_hash_sync(&transaction.signature_hash()).expect("a local key");
    let envelope: TxEnvelope = transaction.into_signed(signature).into();
    assert_eq!(chain.send(&envelope.encoded_2718()).await, SendOutcome::Accepted);
    let receipt = mined(&chain, TransactionHash(*envelope.tx_hash())).await;
    let round = chain.round().await.expect("anvil answers");
    let found = round.find_use(Address(owner.address()), 0, 0, &mut UseSearch::default()).await;
    let Ok(Use::Found { block, by: Some(by), .. }) = found else { panic!("{found:?}") };
    assert_eq!(
        (block.number, by.hash, by.from),
        (receipt.block_number, receipt.transaction_hash, Some(sponsor_address))
    );
    assert_eq!(by.authorizations, [BlockAuthorization { authority: Some(Address(owner.address())), nonce: 0 }]);
}

fn ours() -> Address {
    Address(alloy::primitives::Address::repeat_byte(0xaa))
}

/// A transaction of ours as nodes give it.
fn sent(nonce: u64) -> String {
    let (hash, from) = (hash_of(5_000_000 + nonce), ours());
    format!(r#"{{"hash":"{hash}","from":"{from}","nonce":"0x{nonce:x}","type":"0x7e","extra":[1]}}"#)
}

/// A node at block 9000 (8900 final) with state of the blocks from `state_from` on, where our nonces were used in
/// `used`: (height, transactions as JSON, nonces used up to then).
#[derive(Clone)]
struct Old {
    state_from: u64,
    blocks_from: u64,
    used: Vec<(u64, Vec<String>, u64)>,
    /// How many whole blocks were read.
    read: Arc<AtomicUsize>,
    /// Blocks from here on have other hashes when they are read whole: the node contradicts itself.
    forked_from: Arc<AtomicU64>,
}

impl Old {
    fn new(state_from: u64, used: &[(u64, Vec<String>, u64)]) -> Self {
        Self {
            state_from,
            blocks_from: 0,
            used: used.to_vec(),
            read: Arc::default(),
            forked_from: Arc::new(AtomicU64::new(u64::MAX)),
        }
    }

    fn answer(&self, method: &str, params: &Value) -> Option<String> {
        let height = |at: usize| u64::from_str_radix(params[at].as_str()?.strip_prefix("0x")?, 16).ok();
        let header = |number: u64, more: &str, hash: u64| {
            Some(format!(r#""result":{{"number":"0x{number:x}","hash":"{}"{more}}}"#, hash_of(hash)))
        };
        match (method, params[0].as_str()?) {
            ("eth_getBlockByNumber", "latest") => header(9_000, "", 9_000),
            ("eth_getBlockByNumber", "finalized") => header(8_900, "", 8_900),
            ("eth_getBlockByNumber", "0x0") => header(0, "", 0),
            ("eth_getBlockByNumber", _) => {
                let number = height(0)?;
                if params[1] == false {
                    return header(number, "", number);
                }
                self.read.fetch_add(1, Ordering::SeqCst);
                if number < self.blocks_from {
                    return Some(r#""result":null"#.to_owned());
                }
                let ours = self.used.iter().find(|(at, ..)| *at == number);
                let transactions = ours.map(|(_, transactions, _)| transactions.join(",")).unwrap_or_default();
                let hash = if number >= self.forked_from.load(Ordering::SeqCst) { number + 1_000_000 } else { number };
                header(number, &format!(r#","transactions":[{transactions}]"#), hash)
            }
            ("eth_getTransactionCount", _) => {
                let number = height(1)?;
                if number < self.state_from {
                    return Some(r#""error":{"code":-32000,"message":"missing trie node"}"#.to_owned());
                }
                let count = self.used.iter().filter(|(at, ..)| *at <= number).map(|(.., count)| *count).max();
                Some(format!(r#""result":"0x{:x}""#, count.unwrap_or(0)))
            }
            _ => None,
        }
    }

    async fn round(&self) -> Round {
        let node = self.clone();
        let chain = scripted(move |method, params| {
            node.answer(method, params).or_else(|| itself(method, params)).unwrap_or_default()
        });
        chain.await.round().await.expect("it is well")
    }
}

/// Asks until there is an answer, and counts how often.
async fn find(round: &Round, nonce: u64, from: u64) -> (Result<Use, ChainError>, usize) {
    let mut memory = UseSearch::default();
    for calls in 1.. {
        match round.find_use(ours(), nonce, from, &mut memory).await {
            Ok(Use::Searching) => assert!(calls < 10),
            answer => return (answer, calls),
        }
    }
    unreachable!("it ends before")
}

#[tokio::test]
async fn where_there_is_no_state_blocks_are_read_a_bounded_number_at_a_time() {
    for state_from in [u64::MAX, 8_000, 0] {
        let node = Old::new(state_from, &[(5_000, vec![sent(0)], 1), (5_500, vec![sent(1)], 2)]);
        let round = node.round().await;
        let (found, calls) = find(&round, 1, 900).await;
        let Ok(Use::Found { block, by: Some(by), .. }) = found else { panic!("{found:?}") };
        assert_eq!((block.number, by.nonce), (5_500, Some(1)));
        if state_from == 0 {
            assert_eq!((calls, node.read.load(Ordering::SeqCst)), (1, 1));
        } else {
            assert_eq!(calls, 3, "2000 blocks a call from 901 on");
        }
    }
    let node = Old::new(u64::MAX, &[(8_950, vec![sent(0)], 1)]);
    let (answer, _) = find(&node.round().await, 0, 8_000).await;
    assert_eq!(answer, Ok(Use::NotFinal), "used above the final block");
}

#[tokio::test]
async fn a_nonce_that_no_transaction_used_is_named_where_the_state_tells_its_block() {
    // A contract that the account delegates to created another: EIP-7702.
    let node = Old::new(0, &[(5_000, vec![], 1), (6_000, vec![sent(1)], 2)]);
    let (found, _) = find(&node.round().await, 0, 0).await;
    assert_eq!(
        found,
        Ok(Use::Found {
            block: BlockRef { number: 5_000, hash: hash_of(5_000).parse().expect("a hash") },
            by: None,
            hashes: vec![]
        })
    );
    // Without state all that is left is that it is beyond.
    let node = Old { state_from: u64::MAX, ..node };
    assert_eq!(find(&node.round().await, 0, 4_500).await.0, Ok(Use::Gone));
    let node = Old::new(8_000, &[(5_000, vec![], 1)]);
    assert_eq!(find(&node.round().await, 0, 4_500).await.0, Ok(Use::Gone));
}

#[tokio::test]
async fn blocks_that_are_not_to_be_had_are_told() {
    let node = Old { blocks_from: 5_000, ..Old::new(u64::MAX, &[(6_000, vec![sent(0)], 1)]) };
    assert_eq!(find(&node.round().await, 0, 4_000).await.0, Ok(Use::Gone));
    assert!(matches!(find(&node.round().await, 0, 5_500).await.0, Ok(Use::Found { .. })));
}

#[tokio::test]
async fn a_block_that_is_not_canonical_proves_nothing() {
    for state_from in [0, u64::MAX] {
        let node = Old::new(state_from, &[(5_000, vec![sent(0)], 1)]);
        node.forked_from.store(5_000, Ordering::SeqCst);
        assert!(find(&node.round().await, 0, 4_500).await.0.is_err());
    }
}

#[tokio::test]
async fn a_block_is_read_whole_or_not_at_all() {
    let whole =
        r#"{"hash":"0x0101010101010101010101010101010101010101010101010101010101010101","type":"0xff","nonce":{}}"#;
    for (transactions, count) in [
        (String::new(), Some(0)),
        (format!("{},{whole}", sent(3)), Some(2)),
        (format!(r#"{},"{}""#, sent(3), hash_of(4)), None),
        (format!(r#""{}""#, hash_of(4)), None),
        ("{}".to_owned(), None),
        ("null".to_owned(), None),
    ] {
        let node = Old::new(0, &[(50, vec![transactions.clone()], 1)]);
        let block = node.round().await.block(50).await;
        let read = block.as_ref().ok().and_then(|block| Some(block.as_ref()?.transactions.len()));
        assert_eq!(read, count, "{transactions}: {block:?}");
    }
}
