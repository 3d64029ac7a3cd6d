//! Each warning is raised when it should be, and an ordinary payment raises none.

use agent_sdk::{AbiCall, Authorize, ContractCall, Deployment, PrepareTransaction, Severity, Status, Transaction};
use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::SolCall,
};
use serde_json::json;

use crate::harness::{
    ETHER, Human, Pass, World, code,
    contracts::{Counter, Crowd, Multi, Multicall, Nft, Proxy, Reverter, Token, abi},
    mined, on_both_databases, stranger,
};

on_both_databases!(
    an_ordinary_payment_raises_no_warning,
    a_stranger_and_a_look_alike_are_told_from_an_acquaintance,
    allowances_and_operators_are_warned_of_when_they_go_far,
    changes_of_ownership_and_code_are_warned_of,
    what_cannot_be_read_or_leads_nowhere_is_warned_of,
    odd_recipients_are_warned_of,
    amounts_are_compared_with_what_the_wallet_holds,
    repeats_and_deployments_are_warned_of,
    what_hides_in_a_crowd_is_warned_of,
    a_grave_warning_must_be_acknowledged_by_its_code,
    each_thing_that_is_warned_of_is_acknowledged_by_itself,
    a_fee_out_of_all_proportion_is_warned_of,
    what_the_wallet_did_elsewhere_is_not_done_again_unknowingly,
    a_past_that_cannot_be_read_is_warned_of,
    what_was_signed_and_withdrawn_may_still_be_paid,
);

fn codes(transaction: &Transaction) -> Vec<&str> {
    transaction.warnings.iter().map(|warning| warning.code.as_str()).collect()
}

fn assert_warns(transaction: &Transaction, code: &str, severity: Severity) {
    let warning = transaction.warnings.iter().find(|warning| warning.code == code);
    let warning = warning.unwrap_or_else(|| panic!("{code} is missing among {:?}", codes(transaction)));
    assert_eq!(warning.severity, severity, "{code}");
    assert!(!warning.detail.is_empty());
}

async fn ask(human: &Human, request: PrepareTransaction) -> Transaction {
    human.agent.prepare(request).await.expect("it can be done")
}

/// Has paid somebody, who is no stranger from then on.
async fn acquaintance(human: &Human) -> Address {
    let to = stranger();
    human.approved(to, 1).await;
    to
}

async fn an_ordinary_payment_raises_no_warning(world: World) {
    let human = Human::with_everything(&world).await;
    let to = acquaintance(&human).await;
    assert_eq!(codes(&human.ask(to, ETHER).await), [""; 0]);
    let token = Token::deploy_for(&world, human.address, U256::from(1_000)).await;
    let transfer = PrepareTransaction::transfer_erc20(token.address, to, U256::from(10));
    assert_eq!(codes(&ask(&human, transfer).await), [""; 0]);
    // A bounded allowance to somebody known. Whoever spends what others hold is a contract.
    let approve = ContractCall::new(token.address, abi::Token::approveCall { spender: to, amount: U256::from(10) });
    assert_eq!(codes(&ask(&human, PrepareTransaction::contract_call(approve)).await), ["spender_without_code"]);
}

async fn a_stranger_and_a_look_alike_are_told_from_an_acquaintance(world: World) {
    let human = Human::with_everything(&world).await;
    let to = stranger();
    assert_warns(&human.ask(to, 1).await, "first_time_recipient", Severity::Medium);
    human.approved(to, 2).await;
    assert_eq!(codes(&human.ask(to, 3).await), [""; 0]);
    let mut like = to;
    like.0[10] ^= 0xff;
    let warned = human.ask(like, 4).await;
    assert_warns(&warned, "lookalike_address", Severity::High);
    assert_warns(&warned, "first_time_recipient", Severity::Medium);
    let mut own = human.address;
    own.0[9] ^= 0xff;
    assert_warns(&human.ask(own, 5).await, "lookalike_address", Severity::High);
    assert!(!codes(&human.ask(stranger(), 6).await).contains(&"lookalike_address"));
    // Another user's acquaintances are nobody's business.
    let eve = Human::with_everything(&world).await;
    assert_warns(&eve.ask(to, 1).await, "first_time_recipient", Severity::Medium);
}

async fn allowances_and_operators_are_warned_of_when_they_go_far(world: World) {
    let human = Human::with_everything(&world).await;
    let spender = acquaintance(&human).await;
    let token = Token::deploy_for(&world, human.address, U256::from(1_000)).await;
    let approve = async |amount| {
        let call = ContractCall::new(token.address, abi::Token::approveCall { spender, amount });
        ask(&human, PrepareTransaction::contract_call(call)).await
    };
    for amount in [U256::MAX, U256::MAX - U256::from(1), U256::from(1) << 128, U256::from(1_000)] {
        assert_warns(&approve(amount).await, "unlimited_allowance", Severity::High);
    }
    assert_eq!(codes(&approve(U256::ZERO).await), [""; 0]);
    let nft = Nft::deploy_for(&world, human.address).await;
    let operator = async |approved| {
        let call = ContractCall::new(nft.address, abi::Nft::setApprovalForAllCall { operator: spender, approved });
        ask(&human, PrepareTransaction::contract_call(call)).await
    };
    assert_warns(&operator(true).await, "operator_approval", Severity::High);
    assert!(!codes(&operator(false).await).contains(&"operator_approval"));
    let multi = Multi::deploy_for(&world, human.address).await;
    let call =
        ContractCall::new(multi.address, abi::Multi::setApprovalForAllCall { operator: spender, approved: true });
    assert_warns(&ask(&human, PrepareTransaction::contract_call(call)).await, "operator_approval", Severity::High);
}

async fn changes_of_ownership_and_code_are_warned_of(world: World) {
    let human = Human::with_everything(&world).await;
    let to = acquaintance(&human).await;
    let counter = Counter::deploy_owned_by(&world, human.address).await;
    let give = ContractCall::new(counter.address, abi::Counter::transferOwnershipCall { newOwner: to });
    assert_warns(&ask(&human, PrepareTransaction::contract_call(give)).await, "ownership_change", Severity::High);
    let proxy = Proxy::deploy_owned_by(&world, human.address).await;
    let upgrade = ContractCall::new(proxy.address, abi::Proxy::upgradeToCall { newImplementation: counter.address });
    assert_warns(&ask(&human, PrepareTransaction::contract_call(upgrade)).await, "proxy_upgrade", Severity::High);
}

async fn what_cannot_be_read_or_leads_nowhere_is_warned_of(world: World) {
    let human = Human::with_everything(&world).await;
    let counter = Counter::deploy(&world).await;
    let set = abi::Counter::set_0Call { number: U256::from(1) };
    let data = Bytes::from(alloy::sol_types::SolCall::abi_encode(&set));
    let raw = PrepareTransaction::raw(Some(counter.address), U256::ZERO, data.clone());
    assert_warns(&ask(&human, raw).await, "unknown_calldata", Severity::High);
    let named = PrepareTransaction::contract_call(ContractCall::new(counter.address, set));
    assert!(!codes(&ask(&human, named).await).contains(&"unknown_calldata"));
    let nowhere = PrepareTransaction::raw(Some(stranger()), U256::ZERO, data);
    assert_warns(&ask(&human, nowhere).await, "no_code_at_target", Severity::High);
    assert!(!codes(&human.ask(stranger(), 1).await).contains(&"no_code_at_target"));
}

async fn odd_recipients_are_warned_of(world: World) {
    let human = Human::with_everything(&world).await;
    assert_warns(&human.ask(human.address, 1).await, "self_transfer", Severity::Low);
    assert_warns(&human.ask(Address::ZERO, 1).await, "zero_address", Severity::High);
    let token = Token::deploy_for(&world, human.address, U256::from(1_000)).await;
    let other = Token::deploy_for(&world, human.address, U256::from(1_000)).await;
    for to in [token.address, other.address] {
        let transfer = PrepareTransaction::transfer_erc20(token.address, to, U256::from(1));
        assert_warns(&ask(&human, transfer).await, "token_contract_as_recipient", Severity::High);
    }
}

async fn amounts_are_compared_with_what_the_wallet_holds(world: World) {
    let human = Human::with_everything(&world).await;
    let to = acquaintance(&human).await;
    assert_warns(&human.ask(to, 6 * ETHER).await, "large_share_of_balance", Severity::Medium);
    assert_warns(&human.ask(to, 11 * ETHER).await, "insufficient_balance", Severity::High);
    let token = Token::deploy_for(&world, human.address, U256::from(1_000)).await;
    let transfer = |amount: u64| PrepareTransaction::transfer_erc20(token.address, to, U256::from(amount));
    assert_warns(&ask(&human, transfer(501)).await, "large_share_of_balance", Severity::Medium);
    assert_eq!(codes(&ask(&human, transfer(500)).await), [""; 0]);
}

async fn repeats_and_deployments_are_warned_of(world: World) {
    let human = Human::with_everything(&world).await;
    let to = acquaintance(&human).await;
    let first = human.ask(to, 5).await;
    assert_eq!(codes(&first), [""; 0]);
    assert_warns(&human.ask(to, 5).await, "identical_to_recent", Severity::Medium);
    // The first one was there before: nothing about it has changed.
    human.approve(&first).await.expect("the owner");
    assert_eq!(codes(&human.ask(to, 6).await), [""; 0]);
    let deployment = PrepareTransaction::deploy(Deployment::new(Counter::bytecode()));
    assert_warns(&ask(&human, deployment).await, "contract_creation", Severity::Medium);
}

async fn what_hides_in_a_crowd_is_warned_of(world: World) {
    let human = Human::with_everything(&world).await;
    let crowd = Crowd::deploy(&world).await;
    let shown = async |count: u64| {
        let call = ContractCall::new(crowd.address, abi::Crowd::crowdCall { count: U256::from(count) });
        ask(&human, PrepareTransaction::contract_call(call)).await
    };
    assert!(!codes(&shown(64).await).contains(&"too_many_changes"));
    let crowded = shown(65).await;
    assert_warns(&crowded, "too_many_changes", Severity::High);
    assert_eq!(crowded.preview.expect("what it does").changes.len(), 64);
}

async fn a_grave_warning_must_be_acknowledged_by_its_code(world: World) {
    let human = Human::with_everything(&world).await;
    let reverter = Reverter::deploy(&world).await;
    let work = AbiCall::new(reverter.address, abi::REVERTER, "work", []);
    let shown = ask(&human, PrepareTransaction::contract_call(work)).await;
    let fresh = human.code();
    reverter.break_it(&world).await;
    let approval = |digest| Authorize::new(shown.transaction_id, fresh.clone()).digest(digest);
    let changed = human.client.authorize(approval(shown.digest)).await.expect_err("it would fail now");
    assert_eq!(changed.code().expect("a problem").as_str(), "preview_changed");
    let now = changed.transaction().expect("what would be signed now").clone();
    assert_warns(&now, "would_revert", Severity::High);
    let refused = human.client.authorize(approval(now.digest)).await.expect_err("nobody has acknowledged it");
    assert_eq!(refused.code().expect("a problem").as_str(), "acknowledgement_required");
    assert!(refused.transaction().is_some());
    let wrong = human.client.authorize(approval(now.digest).acknowledge(["unknown_calldata"])).await;
    assert_eq!(code(wrong), "acknowledgement_required");
    let approved = human.client.authorize(approval(now.digest).acknowledge(["would_revert"])).await;
    assert_eq!(approved.expect("the same code").status, Status::Authorized);
    human.agent.execute(shown.transaction_id).await.expect("it is approved");
    let ended = human.agent.wait_until_confirmed(shown.transaction_id).await.expect("the node mines");
    assert_eq!(ended.status, Status::Reverted);
    let receipt = world.rpc("eth_getTransactionReceipt", json!([ended.transaction_hash])).await;
    assert_eq!(receipt["status"], "0x0");
}

async fn each_thing_that_is_warned_of_is_acknowledged_by_itself(world: World) {
    let human = Human::with_everything(&world).await;
    let token = Token::deploy_for(&world, human.address, U256::from(1_000)).await;
    let multicall = Multicall::deploy(&world).await;
    let approve = |spender| abi::Multicall::Call3 {
        target: token.address,
        allowFailure: false,
        callData: abi::Token::approveCall { spender, amount: U256::MAX }.abi_encode().into(),
    };
    let calls = vec![approve(multicall.address), approve(token.address)];
    let call = ContractCall::new(multicall.address, abi::Multicall::aggregate3Call { calls });
    let shown = ask(&human, PrepareTransaction::contract_call(call)).await;
    let unlimited = shown.warnings.iter().filter(|warning| warning.code == "unlimited_allowance");
    let names: Vec<String> = unlimited.map(|warning| warning.acknowledgement()).collect();
    assert_eq!(names.len(), 2, "{:?}", shown.warnings);
    assert!(names[0].contains(&multicall.address.to_string()) && names[1].contains(&token.address.to_string()));
    let rest = shown.warnings.iter().filter(|warning| warning.code != "unlimited_allowance");
    let rest: Vec<String> = rest.map(|warning| warning.acknowledgement()).collect();
    let fresh = human.code();
    let approval =
        || Authorize::new(shown.transaction_id, fresh.clone()).digest(shown.digest).acknowledge(rest.clone());
    for too_few in [vec!["unlimited_allowance".to_owned()], vec![names[0].clone()]] {
        let refused = human.client.authorize(approval().acknowledge(too_few)).await.expect_err("it names one of two");
        assert_eq!(refused.code().expect("a problem").as_str(), "acknowledgement_required");
        assert!(refused.to_string().contains(&names[1]), "{refused}");
    }
    let approved = human.client.authorize(approval().acknowledge(names)).await.expect("the same code");
    assert_eq!(approved.status, Status::Authorized);
}

async fn a_fee_out_of_all_proportion_is_warned_of(world: World) {
    let human = Human::with_everything(&world).await;
    let to = acquaintance(&human).await;
    // Small, and not odd for that: 1000 wei for 0.0003 ether at worst.
    assert_eq!(codes(&human.ask(to, 1_000).await), [""; 0]);
    world.rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x3a352944000"])).await;
    world.rpc("evm_mine", json!([])).await;
    assert_warns(&human.ask(to, 1_001).await, "excessive_fee", Severity::High);
    assert!(!codes(&human.ask(to, ETHER).await).contains(&"excessive_fee"), "it is less than the amount");
}

/// Pays with the wallet's key, and not through this server.
async fn pay_elsewhere(world: &World, human: &Human, to: Address, wei: u128) -> alloy::primitives::B256 {
    world.rpc("anvil_impersonateAccount", json!([human.address])).await;
    let payment = json!([{ "from": human.address, "to": to, "value": format!("0x{wei:x}") }]);
    let hash = world.rpc("eth_sendTransaction", payment).await;
    mined(world.node.url(), &hash).await;
    serde_json::from_value(hash).expect("a hash")
}

async fn what_the_wallet_did_elsewhere_is_not_done_again_unknowingly(world: World) {
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let asked = human.ask(to, 5).await;
    let hash = pay_elsewhere(&world, &human, to, 5).await;
    // Before anybody can accept that the wallet was used elsewhere, they see how.
    let accept = |transaction: &Transaction, codes: &[&str]| {
        let approval = Authorize::new(transaction.transaction_id, human.code()).digest(transaction.digest);
        approval.acknowledge(codes.iter().copied())
    };
    let refused = human.client.authorize(accept(&asked, &["nonce_used_elsewhere"])).await.expect_err("it was paid");
    assert_eq!(refused.code().expect("a problem").as_str(), "preview_changed");
    let fresh = refused.transaction().expect("what it is now").clone();
    assert_warns(&fresh, "already_paid", Severity::High);
    let warning = fresh.warnings.iter().find(|warning| warning.code == "already_paid").expect("just seen");
    assert!(warning.detail.contains(&hash.to_string()), "{}", warning.detail);
    assert_eq!(
        code(human.client.authorize(accept(&fresh, &["nonce_used_elsewhere"])).await),
        "acknowledgement_required"
    );
    // Whatever else is asked for is another matter, and what is asked for later the same.
    let other = human.ask(to, 6).await;
    assert!(!codes(&other).contains(&"already_paid"), "{:?}", codes(&other));
    assert_eq!(code(human.approve(&other).await), "nonce_used_elsewhere");
    human.client.authorize(accept(&other, &["nonce_used_elsewhere"])).await.expect("it is known how");
    assert_warns(&human.ask(to, 5).await, "already_paid", Severity::High);
    let accepted = accept(&fresh, &["already_paid"]);
    assert_eq!(human.client.authorize(accepted).await.expect("it is accepted").status, Status::Authorized);
}

async fn a_past_that_cannot_be_read_is_warned_of(world: World) {
    let human = Human::with_everything(&world).await;
    let to = stranger();
    pay_elsewhere(&world, &human, to, 5).await;
    world.gate.let_pass(Pass::Forgetful);
    assert_warns(&human.ask(to, 5).await, "unknown_history", Severity::High);
    world.gate.let_pass(Pass::Through);
    let asked = human.ask(to, 5).await;
    assert!(!codes(&asked).contains(&"unknown_history"), "{:?}", codes(&asked));
    assert_warns(&asked, "already_paid", Severity::High);
    // What was read once is not asked for again.
    world.gate.let_pass(Pass::Forgetful);
    assert!(!codes(&human.ask(to, 5).await).contains(&"unknown_history"));
}

async fn what_was_signed_and_withdrawn_may_still_be_paid(world: World) {
    let human = Human::with_everything(&world).await;
    let to = acquaintance(&human).await;
    let unsigned = human.ask(to, 7).await;
    human.client.cancel(unsigned.transaction_id).await.expect("its owner");
    let rejected = human.ask(to, 7).await;
    human.client.reject(rejected.transaction_id, None).await.expect("its owner");
    let asked = human.ask(to, 7).await;
    assert_eq!(codes(&asked), [""; 0], "neither can ever be paid");
    human.approve(&asked).await.expect("its owner");
    human.client.cancel(asked.transaction_id).await.expect("its owner");
    assert_warns(&human.ask(to, 7).await, "identical_to_recent", Severity::Medium);
}
