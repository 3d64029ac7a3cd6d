//! Who calls whom inside calls, and what a delegate call means.

use alloy::primitives::{U256, hex};
use serde_json::{Value, json};

use super::{super::*, address, arguments, contract};
use crate::value::{Address, Wei};

fn data(signature: &str, values: Value) -> String {
    let name = signature.split('(').next().expect("a name");
    contract(signature).encode(name, &arguments(values)).expect("it fits").to_string()
}

fn calls(data: &str) -> Vec<Call> {
    read(Some(address(9)), Wei::ZERO, &hex::decode(data).expect("hex"), None)
}

fn transfer() -> String {
    encode_erc20_transfer(address(7), "5".parse().expect("a number")).to_string()
}

fn moved(from: Option<Address>) -> Vec<Meaning> {
    vec![Meaning::TokenTransfer { token: address(8), from, to: address(7), amount: U256::from(5) }]
}

#[test]
fn a_call_inside_comes_from_the_contract_that_makes_it() {
    let list = json!([[[address(8), false, transfer()]]]);
    let outer = calls(&data("aggregate3((address,bool,bytes)[] calls)", list));
    assert_eq!(outer[1].meanings, moved(Some(address(9))));
    // A contract that calls itself does it for the same caller.
    let own = calls(&data("multicall(bytes[] data)", json!([[transfer()]])));
    let of_wallet = Meaning::TokenTransfer { token: address(9), from: None, to: address(7), amount: U256::from(5) };
    assert_eq!(own[1].meanings, [of_wallet]);
}

#[test]
fn a_delegate_call_is_as_grave_as_an_upgrade_whatever_it_calls() {
    let signature = "execTransaction(address to, uint256 value, bytes data, uint8 operation, uint256 a, uint256 b, \
                     uint256 c, address d, address e, bytes signatures)";
    let exec = |operation: &str, to: Address, inner: &str| {
        let zero = address(0);
        calls(&data(signature, json!([to, "0", inner, operation, "0", "0", "0", zero, zero, "0x"])))
    };
    let plain = exec("0", address(8), &transfer());
    assert_eq!((plain[0].meanings.len(), &plain[1].meanings), (0, &moved(Some(address(9)))));
    let lent = |code| Meaning::Upgrade { contract: address(9), implementation: Some(code) };
    let delegated = exec("1", address(8), &transfer());
    assert_eq!(delegated[0].meanings, [lent(address(8))]);
    // Safe's batches: the library runs as the safe, so the safe makes the calls.
    let one = |operation: u8| {
        let inner = transfer();
        format!("{operation:02x}{:040x}{:064x}{:064x}{}", 8, 0, (inner.len() - 2) / 2, &inner[2..])
    };
    let packed = format!("0x{}{}", one(0), one(1));
    let batch = exec("1", address(6), &data("multiSend(bytes transactions)", json!([packed])));
    assert_eq!(batch[0].meanings, [lent(address(6))]);
    assert_eq!(batch[1].meanings, [lent(address(8))]);
    assert_eq!(batch[2].meanings, moved(Some(address(9))));
}

#[test]
fn a_modular_account_shows_what_it_executes() {
    let signature = "execute(bytes32 mode, bytes executionCalldata)";
    let mode = |byte: u8| format!("0x{byte:02x}{}", "0".repeat(62));
    let single = format!("0x{:040x}{:064x}{}", 8, 3, &transfer()[2..]);
    let read = calls(&data(signature, json!([mode(0), single])));
    assert_eq!((read[1].value, &read[1].meanings), (Wei::from(3), &moved(Some(address(9)))));
    let list = data("x((address,uint256,bytes)[] calls)", json!([[[address(8), "3", transfer()]]]));
    let read = calls(&data(signature, json!([mode(1), format!("0x{}", &list[10..])])));
    assert_eq!((read[1].value, &read[1].meanings), (Wei::from(3), &moved(Some(address(9)))));
    let delegated = format!("0x{:040x}{}", 8, &transfer()[2..]);
    let read = calls(&data(signature, json!([mode(0xff), delegated])));
    assert_eq!(read[0].meanings, [Meaning::Upgrade { contract: address(9), implementation: Some(address(8)) }]);
    for (byte, bytes) in [(0, "0x01"), (1, "0x01"), (0xff, "0x01"), (7, "0x")] {
        assert!(calls(&data(signature, json!([mode(byte), bytes])))[0].truncated);
    }
}

#[test]
fn lists_of_different_lengths_are_not_guessed() {
    let batch = |to: Value, values: Value, bytes: Value| {
        calls(&data("executeBatch(address[] to, uint256[] values, bytes[] data)", json!([to, values, bytes])))
    };
    let one = address(8);
    let read = batch(json!([one]), json!([]), json!([transfer()]));
    assert_eq!((read.len(), read[1].value), (2, Wei::ZERO));
    for (to, values, bytes) in [
        (json!([one, one]), json!(["1"]), json!(["0x", "0x"])),
        (json!([one]), json!(["1", "2"]), json!(["0x"])),
        (json!([one]), json!(["1"]), json!([])),
    ] {
        let read = batch(to, values, bytes);
        assert!(read.len() == 1 && read[0].truncated);
    }
}

#[test]
fn every_way_to_let_others_take_is_told() {
    let (spender, amount) = (address(7), U256::from(5));
    let allowance = |amount, increase| {
        vec![Meaning::Allowance { token: address(9), spender, amount, largest: U256::MAX, increase }]
    };
    let operator = vec![Meaning::Operator { token: address(9), operator: spender, approved: true }];
    for (signature, values, meanings) in [
        ("approve(address a, uint256 b)", json!([spender, "5"]), allowance(amount, false)),
        ("approve(address a)", json!([spender]), allowance(U256::MAX, false)),
        ("approveDelegation(address a, uint256 b)", json!([spender, "5"]), allowance(amount, false)),
        ("approveAndCall(address a, uint256 b)", json!([spender, "5"]), allowance(amount, false)),
        ("approveAndCall(address a, uint256 b, bytes c)", json!([spender, "5", "0x"]), allowance(amount, false)),
        ("increaseAllowance(address a, uint256 b)", json!([spender, "5"]), allowance(amount, true)),
        ("increaseApproval(address a, uint256 b)", json!([spender, "5"]), allowance(amount, true)),
        ("setApprovalForAll(address a, bool b)", json!([spender, true]), operator.clone()),
        ("setOperator(address a, bool b)", json!([spender, true]), operator.clone()),
        ("allow(address a, bool b)", json!([spender, true]), operator.clone()),
        ("authorizeOperator(address a)", json!([spender]), operator.clone()),
        ("hope(address a)", json!([spender]), operator.clone()),
    ] {
        assert_eq!(calls(&data(signature, values))[0].meanings, meanings, "{signature}");
    }
}

#[test]
fn who_receives_what_a_call_yields_is_read() {
    let (router, to) = (address(9), address(7));
    let payout = vec![Meaning::Payout { contract: router, to }];
    let path = json!([address(5), address(6)]);
    for (signature, values) in [
        ("swapExactETHForTokens(uint256 a, address[] path, address to, uint256 d)", json!(["1", path, to, "9"])),
        (
            "swapExactTokensForTokens(uint256 a, uint256 b, address[] path, address to, uint256 d)",
            json!(["1", "2", path, to, "9"]),
        ),
        (
            "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160) params)",
            json!([[address(5), address(6), "500", to, "1", "2", "0"]]),
        ),
        ("withdraw(address asset, uint256 amount, address to)", json!([address(5), "1", to])),
        ("redeem(uint256 shares, address receiver, address owner)", json!(["1", to, address(3)])),
    ] {
        assert_eq!(calls(&data(&format!("function {signature}"), values))[0].meanings, payout, "{signature}");
    }
    // The router itself, on the way to somewhere else, and what routers mean by the first addresses.
    for to in [router, address(0), address(1), address(2)] {
        let values = json!(["1", path, to, "9"]);
        let call = data("function swapExactETHForTokens(uint256 a, address[] path, address to, uint256 d)", values);
        assert_eq!(calls(&call)[0].meanings, [], "{to}");
    }
}

#[test]
fn what_hands_over_control_is_read_whoever_names_it() {
    let contract = address(9);
    for (signature, values, meaning) in [
        ("approveHash(bytes32 hash)", json!([format!("0x{}", "11".repeat(32))]), Meaning::Consent { contract }),
        ("setPreSignature(bytes uid, bool signed)", json!(["0x1234", true]), Meaning::Consent { contract }),
        (
            "setAuthorization(address authorized, bool is)",
            json!([address(7), true]),
            Meaning::Operator { token: contract, operator: address(7), approved: true },
        ),
        (
            "setRelayerApproval(address sender, address relayer, bool approved)",
            json!([address(3), address(7), true]),
            Meaning::Operator { token: contract, operator: address(7), approved: true },
        ),
        (
            "addMinter(address account)",
            json!([address(7)]),
            Meaning::Ownership { contract, new_owner: Some(address(7)) },
        ),
        (
            "execute(address target, bytes data)",
            json!([address(7), "0x"]),
            Meaning::Upgrade { contract, implementation: Some(address(7)) },
        ),
    ] {
        assert_eq!(calls(&data(&format!("function {signature}"), values))[0].meanings, [meaning], "{signature}");
    }
}
