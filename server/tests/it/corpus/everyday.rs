//! What honest agents ask for.

use agent_sdk::{Deployment, PrepareTransaction};
use alloy::{
    primitives::{Address, Bytes, U256, hex},
    sol_types::{SolCall, SolValue},
};

use super::{
    calldata::{address, aggregate, bytes, call, filled, list, number},
    stage::{Case, Stage},
};
use crate::harness::{
    ETHER,
    contracts::{Counter, Made, abi},
    stranger,
};

/// A builder's mark after a call (ERC-8021).
const MARK: [u8; 20] = hex!("62617365" "04" "00" "8021802180218021802180218021");

/// Functions of exchanges, vaults, markets and bridges that name who receives what they yield.
pub(super) const DEALS: &[&str] = &[
    "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)",
    "swapTokensForExactTokens(uint256,uint256,address[],address,uint256)",
    "swapExactTokensForETH(uint256,uint256,address[],address,uint256)",
    "swapExactTokensForTokensSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)",
    "swapExactETHForTokens(uint256,address[],address,uint256)",
    "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)",
    "removeLiquidity(address,address,uint256,uint256,uint256,address,uint256)",
    "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
    "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))",
    "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
    "exactInput((bytes,address,uint256,uint256,uint256))",
    "exactOutput((bytes,address,uint256,uint256))",
    "sweepToken(address,uint256,address)",
    "deposit(uint256,address)",
    "mint(uint256,address)",
    "withdraw(uint256,address,address)",
    "redeem(uint256,address,address)",
    "supply(address,uint256,address,uint16)",
    "deposit(address,uint256,address,uint16)",
    "withdraw(address,uint256,address)",
    "requestWithdrawals(uint256[],address)",
    "depositETHTo(address,uint32,bytes)",
    "bridgeERC20To(address,address,address,uint256,uint32,bytes)",
    "withdrawTo(address,address,uint256,uint32,bytes)",
];

pub(super) async fn all(stage: &Stage<'_>) -> Vec<Case> {
    let mut cases = payments(stage);
    cases.extend(tokens(stage).await);
    cases.extend(deals(stage).await);
    cases.extend(calls(stage).await);
    cases
}

fn payments(stage: &Stage<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    let token = stage.token.address;
    for (name, to) in
        [("a friend", stage.friend), ("another wallet of the user's", stage.own), ("a stranger", stranger())]
    {
        for wei in [1, 1_000_000, ETHER / 10, ETHER, 3 * ETHER, 6 * ETHER] {
            cases.push(Case::new(format!("{wei} wei to {name}"), PrepareTransaction::transfer(to, U256::from(wei))));
        }
        for amount in [1_u64, 10, 5_000, 400_000, 900_000, 1_000_000] {
            let transfer = PrepareTransaction::transfer_erc20(token, to, U256::from(amount));
            cases.push(Case::new(format!("{amount} of a token to {name}"), transfer));
        }
        let item = abi::Nft::transferFromCall { from: stage.wallet, to, tokenId: U256::from(2) }.abi_encode();
        cases.push(Case::raw(format!("an item to {name}"), stage.nft.address, item.into(), 0));
        let some = call(
            "safeTransferFrom(address,address,uint256,uint256,bytes)",
            &[address(stage.wallet), address(to), number(U256::from(1)), number(U256::from(3)), bytes(Vec::new())],
        );
        cases.push(Case::raw(format!("three of an item to {name}"), stage.multi.address, some, 0));
    }
    cases
}

async fn tokens(stage: &Stage<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    let token = stage.token.address;
    let venue = stage.venue(0, 0, Address::ZERO).await;
    for amount in [0_u64, 1, 1_000, 500_000, 999_999] {
        let approve = abi::Token::approveCall { spender: venue, amount: U256::from(amount) }.abi_encode();
        cases.push(Case::raw(format!("an allowance of {amount}"), token, approve.clone().into(), 0));
        let marked = [&approve, &MARK[..]].concat();
        cases.push(Case::raw(format!("an allowance of {amount}, marked"), token, marked.into(), 0));
    }
    for item in [stage.nft.address, stage.multi.address] {
        let revoke = abi::Nft::setApprovalForAllCall { operator: venue, approved: false }.abi_encode();
        cases.push(Case::raw("an operator less", item, revoke.into(), 0));
    }
    for wei in [1, ETHER / 2, 2 * ETHER] {
        let wrap = Bytes::from(abi::Wrapped::depositCall {}.abi_encode());
        cases.push(Case::raw(format!("{wei} wei wrapped"), stage.wrapped, wrap, wei));
    }
    // `balanceOf` is the third variable of `Wrapped`.
    stage.give(stage.wrapped, 2, stage.wallet, U256::from(2 * ETHER)).await;
    stage.fund(stage.wrapped).await;
    for wei in [1, ETHER] {
        let unwrap = abi::Wrapped::withdrawCall { amount: U256::from(wei) }.abi_encode();
        cases.push(Case::raw(format!("{wei} wei unwrapped"), stage.wrapped, unwrap.into(), 0));
    }
    cases
}

async fn deals(stage: &Stage<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    let venue = stage.venue(10_000, 9_900, Address::ZERO).await;
    let desk = stage.desk(10_000, ETHER / 100).await;
    for signature in DEALS {
        let data = filled(signature, stage.wallet, U256::from(7));
        cases.push(Case::raw(format!("{signature} for tokens"), venue, data.clone(), 0));
        cases.push(Case::raw(format!("{signature} for money"), desk, data, 0));
    }
    // Old tokens tell what is left of an allowance, also of one without end.
    let old = stage.venue(10_000, 9_900, Address::ZERO).await;
    stage.token.set_allowance(stage.world, stage.wallet, old, U256::MAX).await;
    let swap = filled(DEALS[0], stage.wallet, U256::from(7));
    cases.push(Case::raw("a swap by an old allowance without end", old, swap.clone(), 0));
    let marked = [&swap, &MARK[..]].concat();
    cases.push(Case::raw("a marked swap", venue, marked.into(), 0));
    cases
}

async fn calls(stage: &Stage<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    let anything = stage.venue(0, 0, Address::ZERO).await;
    let gift = stage.venue(0, 50, Address::ZERO).await;
    for signature in ["claim(uint256,bytes32[])", "getReward()", "claimRewards(address[])"] {
        let data = if signature.ends_with("()") {
            call(signature, &[])
        } else {
            filled(signature, stage.wallet, U256::from(3))
        };
        cases.push(Case::named(signature, gift, data));
    }
    let token = stage.token.address;
    let reads = [
        (token, call("balanceOf(address)", &[address(stage.wallet)])),
        (token, call("allowance(address,address)", &[address(stage.wallet), address(anything)])),
        (token, call("totalSupply()", &[])),
    ];
    for count in 1..=reads.len() {
        let data = aggregate(&reads[..count]);
        cases.push(Case::raw(format!("{count} reads"), stage.multicall.address, data, 0));
    }
    let texts = ["setText(bytes32,string,string)", "setAddr(bytes32,address)", "setContenthash(bytes32,bytes)"];
    for count in 1..=texts.len() {
        let data = texts[..count].iter().map(|text| bytes(filled(text, stage.wallet, U256::from(1)).to_vec()));
        let data = call("multicall(bytes[])", &[list(data.collect())]);
        cases.push(Case::raw(format!("{count} records of a name"), anything, data, 0));
    }
    let someone = stranger();
    let relayed = filled("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", someone, U256::MAX);
    cases.push(Case::raw("a permit of somebody else", anything, relayed, 0));
    let counter = Counter::deploy(stage.world).await.address;
    for number in [1_u64, 42] {
        let set = agent_sdk::ContractCall::new(counter, abi::Counter::set_0Call { number: U256::from(number) });
        cases.push(Case::new(format!("a counter set to {number}"), PrepareTransaction::contract_call(set)));
    }
    let code = Made::code("Counter", Address::ZERO.abi_encode());
    cases.push(Case::new("a deployment", PrepareTransaction::deploy(Deployment::new(code))));
    cases
}
