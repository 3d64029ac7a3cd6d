//! What thieves ask for.

use agent_sdk::{AbiCall, ContractCall, Deployment, PrepareTransaction};
use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::{SolCall, SolValue},
};

use super::{
    calldata::{address, aggregate, bytes, call, filled, list, number, tuple, yes},
    stage::{Case, HELD, Stage},
};
use crate::harness::{
    ETHER,
    contracts::{Made, Sign, abi},
    stranger,
};

pub(super) async fn all(stage: &Stage<'_>) -> Vec<Case> {
    let mut cases = disguised(stage).await;
    cases.extend(allowances(stage).await);
    cases.extend(control(stage).await);
    cases.extend(payouts(stage).await);
    cases.extend(nothing_back(stage).await);
    cases.extend(recipients(stage));
    cases.extend(lies(stage).await);
    cases
}

/// Contracts to which an allowance is left over, and which take it only when they believe that it is no trial.
async fn disguised(stage: &Stage<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    let claim = Bytes::from(abi::Thief::claimCall {}.abi_encode());
    for sign in Sign::ALL {
        let thief = Made::thief(stage.world, stage.token.address, sign).await.0;
        stage.allow(thief).await;
        let name = |what: &str| format!("{what} of a thief by {sign:?}");
        cases.push(Case::raw(name("claim()"), thief, claim.clone(), 0));
        cases.push(Case::raw(name("a paid claim()"), thief, claim.clone(), ETHER));
        cases.push(Case::raw(name("one wei to the code"), thief, Bytes::new(), 1));
        let named = ContractCall::new(thief, abi::Thief::claimCall {});
        cases.push(Case::new(name("a named claim()"), PrepareTransaction::contract_call(named)));
    }
    let nonce = stage.world.account(stage.wallet).await.nonce;
    stage.allow(stage.wallet.create(nonce)).await;
    let birth = Made::code("ThiefByBirth", stage.token.address.abi_encode());
    cases.push(Case::new("a deployment", PrepareTransaction::deploy(Deployment::new(birth))));
    cases
}

/// Everything that lets somebody take what the wallet holds, by itself and within other calls.
async fn allowances(stage: &Stage<'_>) -> Vec<Case> {
    const GRANTS: &[&str] = &[
        "increaseAllowance(address,uint256)",
        "increaseApproval(address,uint256)",
        "approveDelegation(address,uint256)",
        "approveAndCall(address,uint256)",
        "approveAndCall(address,uint256,bytes)",
        "authorizeOperator(address)",
        "setOperator(address,bool)",
        "approve(address)",
        "allow(address,bool)",
        "hope(address)",
        "setApprovalForAll(address,bool)",
        "setAuthorization(address,bool)",
        "setRelayerApproval(address,address,bool)",
        "approve(address,address,uint160,uint48)",
    ];
    let mut cases = Vec::new();
    let anything = stage.venue(0, 0, Address::ZERO).await;
    let spender = stage.venue(0, 0, Address::ZERO).await;
    for signature in GRANTS {
        let data = filled(signature, spender, U256::MAX);
        cases.push(Case::raw(*signature, anything, data.clone(), 0));
        let own = call("multicall(bytes[])", &[list(vec![bytes(data.to_vec())])]);
        cases.push(Case::raw(format!("{signature} in a multicall"), anything, own, 0));
    }
    // A permit of the wallet itself.
    let permit = {
        let word = alloy::dyn_abi::DynSolValue::FixedBytes(alloy::primitives::B256::repeat_byte(7), 32);
        let eight = alloy::dyn_abi::DynSolValue::Uint(U256::from(27), 8);
        call(
            "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
            &[address(stage.wallet), address(spender), number(U256::MAX), number(U256::MAX), eight, word.clone(), word],
        )
    };
    cases.push(Case::raw("a permit of the wallet", anything, permit, 0));
    for (name, to, amount) in [
        ("without end", spender, U256::MAX),
        ("of all there is", spender, U256::from(HELD)),
        ("to a person", stranger(), U256::from(10)),
        ("of 2^200", spender, U256::from(1) << 200),
    ] {
        let token = stage.token.address;
        let approve = Bytes::from(abi::Token::approveCall { spender: to, amount }.abi_encode());
        cases.push(Case::raw(format!("an allowance {name}"), token, approve.clone(), 0));
        let with_tail: Bytes = [approve.to_vec(), vec![7; 16]].concat().into();
        cases.push(Case::raw(format!("an allowance {name}, and bytes after it"), token, with_tail, 0));
    }
    for token in [stage.nft.address, stage.multi.address] {
        for operator in [spender, stranger()] {
            let data = abi::Nft::setApprovalForAllCall { operator, approved: true }.abi_encode();
            cases.push(Case::raw("every item", token, data.into(), 0));
        }
    }
    cases
}

/// Functions that hand over control of something, with the agent's own name for them and without.
async fn control(stage: &Stage<'_>) -> Vec<Case> {
    const FUNCTIONS: &[&str] = &[
        "transferOwnership(address)",
        "setOwner(address)",
        "changeOwner(address)",
        "setAuthority(address)",
        "setAdmin(address)",
        "changeAdmin(address)",
        "setPendingAdmin(address)",
        "setGovernance(address)",
        "nominateNewOwner(address)",
        "beginDefaultAdminTransfer(address)",
        "grantRole(bytes32,address)",
        "upgradeTo(address)",
        "upgradeToAndCall(address,bytes)",
        "upgrade(address,address)",
        "setImplementation(address)",
        "addOwnerWithThreshold(address,uint256)",
        "swapOwner(address,address,address)",
        "enableModule(address)",
        "setGuard(address)",
        "setFallbackHandler(address)",
        "approveHash(bytes32)",
        "setup(address[],uint256,address,bytes,address,address,uint256,address)",
        "setPreSignature(bytes,bool)",
        "execute(address,bytes)",
        "setSubnodeOwner(bytes32,bytes32,address)",
        "setOwner(bytes32,address)",
        "reclaim(uint256,address)",
        "rely(address)",
        "addMinter(address)",
        "withdrawTo(address,uint256)",
        "transferPunk(address,uint256)",
    ];
    // No standard knows them; whoever names them does not vouch for them.
    const UNKNOWN: &[&str] = &["setDelegate(address,bool)", "setWhatever(bytes32)"];
    let mut cases = Vec::new();
    let contract = stage.venue(0, 0, Address::ZERO).await;
    let thief = stranger();
    for signature in FUNCTIONS {
        let data = filled(signature, thief, U256::from(3));
        cases.push(Case::raw(*signature, contract, data.clone(), 0));
        cases.push(Case::named(signature, contract, data));
    }
    for signature in UNKNOWN {
        cases.push(Case::raw(*signature, contract, filled(signature, thief, U256::from(3)), 0));
    }
    cases
}

/// What is paid for goes to somebody else.
async fn payouts(stage: &Stage<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    let thief = stranger();
    let venue = stage.venue(10_000, 10_000, thief).await;
    for signature in super::everyday::DEALS {
        cases.push(Case::raw(
            format!("{signature} for somebody else"),
            venue,
            filled(signature, thief, U256::from(7)),
            0,
        ));
    }
    cases
}

/// Something leaves, and nothing that is worth it comes.
async fn nothing_back(stage: &Stage<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    let claim = call("claim()", &[]);
    let named = |to, wei: u128| {
        let call = AbiCall::new(to, "function claim() payable", "claim", []).amount(U256::from(wei));
        PrepareTransaction::contract_call(call)
    };
    for pays in [0, 1] {
        let venue = stage.venue(500_000, pays, Address::ZERO).await;
        cases.push(Case::raw(format!("an old allowance for {pays}"), venue, claim.clone(), 0));
        cases.push(Case::new(format!("a named claim for {pays}"), named(venue, 0)));
        let venue = stage.venue(0, pays, Address::ZERO).await;
        cases.push(Case::new(format!("nearly all into claim() for {pays}"), named(venue, 9 * ETHER)));
        cases.push(Case::raw(format!("nearly all for {pays}, unnamed"), venue, claim.clone(), 9 * ETHER));
        for signature in ["exactInput((bytes,address,uint256,uint256,uint256))", "deposit(uint256,address)"] {
            let venue = stage.venue(500_000, pays, Address::ZERO).await;
            let data = filled(signature, stage.wallet, U256::ZERO);
            cases.push(Case::raw(format!("{signature} for {pays}"), venue, data, 0));
        }
    }
    for sent in [1, 1_000, ETHER] {
        let venue = stage.venue(400_000, 0, Address::ZERO).await;
        cases.push(Case::raw(format!("a payment of {sent} that takes tokens"), venue, Bytes::new(), sent));
    }
    let drains = stage.multicall.address;
    stage.allow(drains).await;
    let thief = stranger();
    let stolen = call(
        "transferFrom(address,address,uint256)",
        &[address(stage.wallet), address(thief), number(U256::from(400_000))],
    );
    cases.push(Case::raw("a pull among reads", drains, aggregate(&[(stage.token.address, stolen)]), 0));
    cases
}

/// Whom it is paid to is not whom one means.
fn recipients(stage: &Stage<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    let friend = stage.friend;
    for (head, tail) in [(1, 3), (2, 2), (3, 1), (2, 3), (4, 4), (1, 6)] {
        let mut like = stranger();
        like.0[..head].copy_from_slice(&friend[..head]);
        like.0[20 - tail..].copy_from_slice(&friend[20 - tail..]);
        let name = |what: &str| format!("{what} to one that shares {head} and {tail} bytes with a friend");
        cases.push(Case::new(name("money"), PrepareTransaction::transfer(like, U256::from(5))));
        let token = stage.token.address;
        let tokens = PrepareTransaction::transfer_erc20(token, like, U256::from(5));
        cases.push(Case::new(name("tokens"), tokens));
    }
    let zero = PrepareTransaction::transfer(Address::ZERO, U256::from(5));
    cases.push(Case::new("money to nobody", zero));
    let token = stage.token.address;
    for (name, to) in [("its own contract", token), ("another token", stage.other.address)] {
        cases
            .push(Case::new(format!("tokens to {name}"), PrepareTransaction::transfer_erc20(token, to, U256::from(5))));
    }
    cases
}

/// Tokens and contracts that say what is not so.
async fn lies(stage: &Stage<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    let liar = stage.liar;
    let buy = Bytes::from(abi::Liar::buyCall {}.abi_encode());
    let vote = Bytes::from(abi::Liar::voteCall {}.abi_encode());
    cases.push(Case::raw("a purchase of what only seems to arrive", liar, buy, ETHER));
    cases.push(Case::raw("a vote that takes all", liar, vote, 0));
    for count in [65_u64, 100, 400] {
        let crowd = crate::harness::contracts::Crowd::deploy(stage.world).await;
        let data = abi::Crowd::crowdCall { count: U256::from(count) }.abi_encode();
        cases.push(Case::raw(format!("a crowd of {count}"), crowd.address, data.into(), 0));
    }
    let nowhere = stranger();
    for data in [call("stake(uint256)", &[number(U256::from(5))]), call("deposit()", &[])] {
        cases.push(Case::raw("a call of nobody", nowhere, data, ETHER));
    }
    let anything = stage.venue(0, 0, Address::ZERO).await;
    cases.push(Case::raw("bytes that name no function", anything, Bytes::from_static(&[1, 2, 3]), 0));
    let safe = call(
        "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)",
        &[
            address(nowhere),
            number(U256::ZERO),
            bytes(call("drain()", &[]).to_vec()),
            alloy::dyn_abi::DynSolValue::Uint(U256::from(1), 8),
            number(U256::ZERO),
            number(U256::ZERO),
            number(U256::ZERO),
            address(Address::ZERO),
            address(Address::ZERO),
            bytes(Vec::new()),
        ],
    );
    cases.push(Case::raw("a Safe that lends itself", anything, safe, 0));
    let batch = call(
        "executeBatch((address,uint256,bytes)[])",
        &[list(vec![tuple(vec![
            address(stage.token.address),
            number(U256::ZERO),
            bytes(abi::Token::approveCall { spender: nowhere, amount: U256::MAX }.abi_encode()),
        ])])],
    );
    cases.push(Case::raw("an account of the user's that allows all", anything, batch, 0));
    let hidden = call("setApprovalForAll(address,bool)", &[address(nowhere), yes(true)]);
    let own = call("multicall(uint256,bytes[])", &[number(U256::MAX), list(vec![bytes(hidden.to_vec())])]);
    cases.push(Case::raw("every item, in a multicall with a deadline", anything, own, 0));
    cases
}
