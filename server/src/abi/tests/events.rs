//! Events, as logs have them.

use alloy::primitives::{B256, U256, keccak256};

use super::{super::*, address};
use crate::value::{Address, TokenStandard};

fn party(address: Address) -> B256 {
    address.0.into_word()
}

fn word(number: u64) -> Vec<u8> {
    U256::from(number).to_be_bytes::<32>().to_vec()
}

#[test]
fn transfers_of_every_kind_of_token_are_told_apart() {
    let (token, from, to) = (address(9), address(1), address(2));
    let kind = keccak256("Transfer(address,address,uint256)");
    let amount = read_log(token, &[kind, party(from), party(to)], &word(5));
    assert_eq!(amount, [Event::Transfer { token, from, to, amount: U256::from(5) }]);
    let item = read_log(token, &[kind, party(from), party(to), B256::with_last_byte(7)], &[]);
    let standard = TokenStandard::Erc721;
    let (token_id, one) = (U256::from(7), U256::ONE);
    assert_eq!(item, [Event::NftTransfer { token, standard, from, to, token_id, amount: one }]);

    let single = keccak256("TransferSingle(address,address,address,uint256,uint256)");
    let data = [word(7), word(5)].concat();
    let standard = TokenStandard::Erc1155;
    let five = Event::NftTransfer { token, standard, from, to, token_id, amount: U256::from(5) };
    assert_eq!(read_log(token, &[single, party(from), party(from), party(to)], &data), std::slice::from_ref(&five));
    let batch = keccak256("TransferBatch(address,address,address,uint256[],uint256[])");
    let data = [word(64), word(128), word(1), word(7), word(1), word(5)].concat();
    assert_eq!(read_log(token, &[batch, party(from), party(from), party(to)], &data), [five]);
}

#[test]
fn approvals_and_changes_of_hands_are_read() {
    let (contract, one, two) = (address(9), address(1), address(2));
    let all = keccak256("ApprovalForAll(address,address,bool)");
    let event = read_log(contract, &[all, party(one), party(two)], &word(1));
    let expected = Event::ApprovalForAll { token: contract, owner: one, operator: two, approved: true };
    assert_eq!(event, [expected]);
    let permit2 = keccak256("Approval(address,address,address,uint160,uint48)");
    let topics = [permit2, party(one), party(address(8)), party(two)];
    let data = [word(5), word(0)].concat();
    let expected = Event::Approval { token: address(8), owner: one, spender: two, amount: U256::from(5) };
    let of_permit2: Address = "0x000000000022D473030F116dDEE9F6B43aC78BA3".parse().expect("an address");
    assert_eq!(read_log(of_permit2, &topics, &data), [expected]);
    assert_eq!(read_log(contract, &topics, &data), [], "anybody can say so");
    let owner = keccak256("OwnershipTransferred(address,address)");
    let event = read_log(contract, &[owner, party(one), party(two)], &[]);
    assert_eq!(event, [Event::OwnershipTransferred { contract, previous: one, new: two }]);
    let upgraded = keccak256("Upgraded(address)");
    let event = read_log(contract, &[upgraded, party(two)], &[]);
    assert_eq!(event, [Event::Upgraded { contract, implementation: two }]);
}

#[test]
fn malformed_and_other_logs_say_nothing() {
    let kind = keccak256("Transfer(address,address,uint256)");
    let batch = keccak256("TransferBatch(address,address,address,uint256[],uint256[])");
    let party = party(address(1));
    for (topics, data) in [
        (vec![], vec![]),
        (vec![kind], word(5)),
        (vec![kind, party, party], vec![]),
        (vec![kind, party, party], vec![0; 33]),
        (vec![kind, party, party, party], word(5)),
        (vec![batch, party, party, party], vec![0xff; 192]),
        (vec![keccak256("Other()"), party, party], word(5)),
    ] {
        assert_eq!(read_log(address(9), &topics, &data), [], "{topics:?}");
    }
}
