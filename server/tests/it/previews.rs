//! What a human is shown is what the bytes do.

use agent_sdk::{
    AbiCall, Authorize, ChangeDirection, ContractCall, DecodingSource, Deployment, PrepareTransaction, Preview,
    SimulationMethod, SimulationOutcome, Status, Transaction,
};
use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::SolCall,
};
use serde_json::json;

use crate::harness::{
    ETHER, Human, World, code,
    contracts::{Counter, Drainer, Multicall, Nft, Reverter, Token, abi, balance_of, odd_token, put_data_fee_oracle},
    on_both_databases, stranger,
};

on_both_databases!(
    every_action_of_an_agent_moves_what_it_shows,
    tokens_of_every_make_are_named_and_moved,
    lying_words_do_not_change_what_is_shown,
    calls_inside_calls_are_shown,
    what_a_contract_takes_on_the_way_is_shown,
    an_outcome_that_became_worse_needs_a_new_look,
    a_contracts_own_error_is_shown,
    the_data_fee_of_a_rollup_is_estimated,
    calls_that_cannot_be_encoded_name_the_argument,
);

async fn ask(human: &Human, request: PrepareTransaction) -> Transaction {
    human.agent.prepare(request).await.expect("it can be done")
}

fn preview(transaction: &Transaction) -> &Preview {
    transaction.preview.as_ref().expect("every new transaction has one")
}

/// Approves whatever it warns of, executes, and waits until the chain has it for good.
async fn done(human: &Human, transaction: &Transaction) -> Transaction {
    let codes = transaction.warnings.iter().map(|warning| warning.code.clone());
    let approval = Authorize::new(transaction.transaction_id, human.code()).digest(transaction.digest);
    human.client.authorize(approval.acknowledge(codes)).await.expect("the owner with a fresh code");
    human.agent.execute(transaction.transaction_id).await.expect("it is approved");
    let ended = human.agent.wait_until_confirmed(transaction.transaction_id).await.expect("the node mines");
    assert_eq!(ended.status, Status::Confirmed);
    ended
}

async fn every_action_of_an_agent_moves_what_it_shows(world: World) {
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let transfer = ask(&human, PrepareTransaction::transfer(to, U256::from(ETHER))).await;
    assert_eq!(preview(&transfer).intent, format!("Send 1 ETH to {to}"));
    assert_eq!(preview(&transfer).simulation.method, SimulationMethod::EthSimulateV1);
    assert_eq!(preview(&transfer).simulation.outcome, SimulationOutcome::Success);
    let change = &preview(&transfer).changes[0];
    assert_eq!((change.direction.clone(), change.amount), (ChangeDirection::Sends, U256::from(ETHER)));
    assert_eq!((change.counterparty, change.text.as_str()), (Some(to), "1 ETH"));
    done(&human, &transfer).await;
    assert_eq!(world.balance(to).await, U256::from(ETHER));

    let token = Token::deploy_for(&world, human.address, U256::from(1_000_000_000)).await;
    let transfer = ask(&human, PrepareTransaction::transfer_erc20(token.address, to, U256::from(25_500_000))).await;
    assert_eq!(preview(&transfer).intent, format!("Send 25.5 TOK (token {}) to {to}", token.address));
    assert_eq!(preview(&transfer).tokens[0].decimals, Some(6));
    let change = &preview(&transfer).changes[0];
    assert_eq!((change.text.as_str(), change.token_address), ("25.5 TOK", Some(token.address)));
    done(&human, &transfer).await;
    assert_eq!(token.balance_of(&world, to).await, U256::from(25_500_000));

    let counter = Counter::deploy(&world).await;
    let call = AbiCall::new(counter.address, "function set(uint256 number)", "set", [json!("42")]);
    let call = ask(&human, PrepareTransaction::contract_call(call)).await;
    let decoded = &preview(&call).calls[0];
    assert_eq!(decoded.signature.as_deref(), Some("set(uint256)"));
    assert_eq!(decoded.source, Some(DecodingSource::GivenAbi));
    assert_eq!((decoded.arguments[0].name.as_str(), decoded.arguments[0].value.as_str()), ("number", "42"));
    done(&human, &call).await;
    assert_eq!(counter.number(&world).await, U256::from(42));
    let typed = ContractCall::new(counter.address, abi::Counter::depositCall {}).amount(U256::from(7));
    done(&human, &ask(&human, PrepareTransaction::contract_call(typed)).await).await;
    assert_eq!(world.balance(counter.address).await, U256::from(7));

    let deployment = ask(&human, PrepareTransaction::deploy(Deployment::new(Counter::bytecode()))).await;
    assert!(preview(&deployment).intent.starts_with("Deploy a contract from "), "{}", preview(&deployment).intent);
    let deployed = done(&human, &deployment).await;
    let receipt = world.rpc("eth_getTransactionReceipt", json!([deployed.transaction_hash])).await;
    let contract: Address = receipt["contractAddress"].as_str().expect("a contract").parse().expect("an address");
    assert_ne!(world.rpc("eth_getCode", json!([contract, "latest"])).await, "0x");
}

async fn tokens_of_every_make_are_named_and_moved(world: World) {
    let human = Human::with_everything(&world).await;
    let to = stranger();
    for (contract, shown) in [
        ("TokenWithoutReturn", "0.0001 USDX"),
        ("TokenBytes32", "100 units of MKR"),
        ("TokenOdd", "100 units of an unnamed token"),
    ] {
        let token = odd_token(&world, contract, human.address, U256::from(1_000)).await;
        let transfer = ask(&human, PrepareTransaction::transfer_erc20(token, to, U256::from(100))).await;
        assert_eq!(preview(&transfer).intent, format!("Send {shown} (token {token}) to {to}"));
        done(&human, &transfer).await;
        assert_eq!(balance_of(&world, token, to).await, U256::from(100));
    }
    let nft = Nft::deploy_for(&world, human.address).await;
    let give =
        ContractCall::new(nft.address, abi::Nft::transferFromCall { from: human.address, to, tokenId: U256::from(1) });
    let give = ask(&human, PrepareTransaction::contract_call(give)).await;
    assert!(preview(&give).intent.contains("#1 "), "{}", preview(&give).intent);
    done(&human, &give).await;
    assert_eq!(nft.owner_of(&world, 1).await, to);
    let named = human.agent.token(None, nft.address).await.expect("it is a token");
    assert_eq!(named.standard.as_str(), "erc721");
    assert_eq!(code(human.agent.token(None, stranger()).await), "not_found");
}

async fn lying_words_do_not_change_what_is_shown(world: World) {
    let human = Human::with_everything(&world).await;
    let thief = stranger();
    let token = Token::deploy_for(&world, human.address, U256::from(1_000)).await;
    let approve = abi::Token::approveCall { spender: thief, amount: U256::MAX };
    let data = Bytes::from(approve.abi_encode());
    // The ABI is of another function, and the memo of another world.
    let lie = ContractCall::new(token.address, approve.clone()).abi("function claimReward(uint256 amount)");
    let lie = PrepareTransaction::contract_call(lie).memo("claims your reward of 500 TOK");
    let shown = ask(&human, lie).await;
    assert_eq!(shown.data, data);
    let intent = &preview(&shown).intent;
    assert!(intent.starts_with(&format!("Let {thief} take unlimited TOK")), "{intent}");
    assert_eq!(preview(&shown).calls[0].standard.as_deref(), Some("ERC-20"));
    assert!(shown.warnings.iter().any(|warning| warning.code == "unlimited_allowance"));
    assert_eq!(preview(&shown).changes[0].direction, ChangeDirection::Allows);

    // An ABI that has the selector, and names that lie.
    let named = ContractCall::new(token.address, approve).abi("function approve(address beneficiary, uint256 points)");
    let shown = ask(&human, PrepareTransaction::contract_call(named)).await;
    let names: Vec<_> = preview(&shown).calls[0].arguments.iter().map(|argument| argument.name.as_str()).collect();
    assert_eq!(names, ["spender", "amount"]);

    // One byte too many: the ABI fits the beginning, not the bytes.
    let counter = Counter::deploy(&world).await;
    let mut long = abi::Counter::set_0Call { number: U256::from(1) }.abi_encode();
    long.push(0);
    let action = json!({
        "type": "raw", "to_address": counter.address, "amount": "0", "data": Bytes::from(long),
        "contract_abi": "function set(uint256 number)",
    });
    let action = serde_json::from_value(action).expect("an action");
    let shown = ask(&human, PrepareTransaction::new(action)).await;
    assert_eq!(preview(&shown).calls[0].signature, None);
    assert!(shown.warnings.iter().any(|warning| warning.code == "unknown_calldata"));
}

async fn calls_inside_calls_are_shown(world: World) {
    let human = Human::with_everything(&world).await;
    let (to, thief) = (stranger(), stranger());
    let token = Token::deploy_for(&world, human.address, U256::from(1_000)).await;
    let multicall = Multicall::deploy(&world).await;
    let inner = vec![
        abi::Multicall::Call3 {
            target: token.address,
            allowFailure: true,
            callData: abi::Token::approveCall { spender: thief, amount: U256::MAX }.abi_encode().into(),
        },
        abi::Multicall::Call3 {
            target: token.address,
            allowFailure: true,
            callData: abi::Token::transferCall { to, amount: U256::from(1) }.abi_encode().into(),
        },
    ];
    let call = ContractCall::new(multicall.address, abi::Multicall::aggregate3Call { calls: inner });
    let shown = ask(&human, PrepareTransaction::contract_call(call)).await;
    let calls = &preview(&shown).calls;
    let depths: Vec<_> = calls.iter().map(|call| call.depth).collect();
    assert_eq!(depths, [0, 1, 1]);
    assert_eq!(calls[1].signature.as_deref(), Some("approve(address,uint256)"));
    assert!(calls[2].intent.contains(&to.to_string()), "{}", calls[2].intent);
    assert!(shown.warnings.iter().any(|warning| warning.code == "unlimited_allowance"));
    done(&human, &shown).await;

    // A contract that calls itself, and once through another.
    let touch = Bytes::from(abi::Multicall::touchCall {}.abi_encode());
    let data = abi::Multicall::multicallCall { data: vec![touch.clone(), touch] };
    let inner =
        abi::Multicall::Call3 { target: multicall.address, allowFailure: false, callData: data.abi_encode().into() };
    let call = ContractCall::new(multicall.address, abi::Multicall::aggregate3Call { calls: vec![inner] });
    let shown = ask(&human, PrepareTransaction::contract_call(call.abi("function touch()"))).await;
    let depths: Vec<_> = preview(&shown).calls.iter().map(|call| call.depth).collect();
    assert_eq!(depths, [0, 1, 2, 2]);
    assert_eq!(preview(&shown).calls[3].signature.as_deref(), Some("touch()"));
    done(&human, &shown).await;
    assert_eq!(multicall.touched(&world).await, U256::from(2));
}

async fn what_a_contract_takes_on_the_way_is_shown(world: World) {
    let human = Human::with_everything(&world).await;
    let token = Token::deploy_for(&world, human.address, U256::from(1_000)).await;
    let drainer = Drainer::deploy(&world, token.address).await;
    let approve =
        ContractCall::new(token.address, abi::Token::approveCall { spender: drainer.address, amount: U256::from(900) });
    done(&human, &ask(&human, PrepareTransaction::contract_call(approve)).await).await;
    let claim = ContractCall::new(drainer.address, abi::Drainer::claimRewardCall {});
    let shown = ask(&human, PrepareTransaction::contract_call(claim).memo("free tokens")).await;
    let leaves = preview(&shown).changes.iter().find(|change| change.direction == ChangeDirection::Sends);
    let leaves = leaves.expect("the simulation shows it");
    assert_eq!((leaves.token_address, leaves.amount), (Some(token.address), U256::from(900)));
}

async fn an_outcome_that_became_worse_needs_a_new_look(world: World) {
    let human = Human::with_everything(&world).await;
    let token = Token::deploy_for(&world, human.address, U256::from(1_000)).await;
    let drainer = Drainer::deploy(&world, token.address).await;
    let approve = |amount: u64| {
        let call = abi::Token::approveCall { spender: drainer.address, amount: U256::from(amount) };
        PrepareTransaction::contract_call(ContractCall::new(token.address, call))
    };
    done(&human, &ask(&human, approve(10)).await).await;
    let claim = ContractCall::new(drainer.address, abi::Drainer::claimRewardCall {});
    let shown = ask(&human, PrepareTransaction::contract_call(claim)).await;
    // Meanwhile the allowance that the contract feeds on has grown.
    done(&human, &ask(&human, approve(900)).await).await;
    let fresh = human.code();
    let approval = |digest| Authorize::new(shown.transaction_id, fresh.clone()).digest(digest);
    let changed = human.client.authorize(approval(shown.digest)).await.expect_err("it takes more now");
    assert_eq!(changed.code().expect("a problem").as_str(), "preview_changed");
    let now = changed.transaction().expect("what would happen now").clone();
    assert_eq!(preview(&now).changes[0].amount, U256::from(900));
    assert_eq!(now.version, shown.version + 1);
    human.client.authorize(approval(now.digest)).await.expect("the same code, after a new look");
}

async fn a_contracts_own_error_is_shown(world: World) {
    let human = Human::with_everything(&world).await;
    let reverter = Reverter::deploy(&world).await;
    for (function, reason) in [
        ("withText", "not today"),
        ("withPanic", "panic 0x11: arithmetic overflow"),
        ("withError", "TooLittle(available: 3, required: 5)"),
    ] {
        let call = AbiCall::new(reverter.address, abi::REVERTER, function, []);
        let refused = human.agent.prepare(PrepareTransaction::contract_call(call)).await.expect_err("it fails");
        assert_eq!(refused.code().expect("a problem").as_str(), "simulation_failed");
        assert_eq!(refused.revert_reason(), Some(reason));
    }
}

async fn the_data_fee_of_a_rollup_is_estimated(world: World) {
    let human = Human::with_everything(&world).await;
    put_data_fee_oracle(&world).await;
    let shown = human.ask(stranger(), 1).await;
    let fee = preview(&shown).data_fee.expect("the chain has an oracle");
    assert!(fee > U256::from(1_000), "{fee}");
    assert!(shown.worst_case_fee == U256::from(shown.gas_limit) * shown.max_fee_per_gas, "it is not part of the caps");
}

async fn calls_that_cannot_be_encoded_name_the_argument(world: World) {
    let human = Human::with_everything(&world).await;
    let abi = "function pay(address to, uint8 number, bytes4 tag)";
    let to = stranger().to_checksum(None);
    for (arguments, named) in [
        (json!([to, "256", "0x01020304"]), "function_args[1]"),
        (json!([to, "1", "0x0102"]), "function_args[2]"),
        (json!(["0x12", "1", "0x01020304"]), "function_args[0]"),
        (json!([to, "1"]), "function_args"),
    ] {
        let arguments = arguments.as_array().expect("an array").clone();
        let call = AbiCall::new(stranger(), abi, "pay", arguments);
        let refused = human.agent.prepare(PrepareTransaction::contract_call(call)).await.expect_err("it is wrong");
        assert_eq!(refused.code().expect("a problem").as_str(), "invalid_request");
        assert!(refused.to_string().contains(named), "{refused}");
    }
    for (abi, function) in [("function pay(", "pay"), ("[]", "pay"), ("function pay(address)", "steal")] {
        let call = AbiCall::new(stranger(), abi, function, []);
        let refused = human.agent.prepare(PrepareTransaction::contract_call(call)).await;
        assert_eq!(code(refused), "invalid_request");
    }
}
