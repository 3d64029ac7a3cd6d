//! Published examples, lies, and agreement with another encoder.

mod agreement;
mod callers;
mod events;
mod lies;
mod values;

use serde_json::{Value, json};

use super::*;
use crate::value::{Address, Arguments, ContractAbi};

fn contract(abi: impl Into<Value>) -> Contract {
    Contract::parse(&ContractAbi::try_from(abi.into()).expect("within bounds")).expect("an interface")
}

fn refused(abi: impl Into<Value>) -> String {
    let abi = ContractAbi::try_from(abi.into()).expect("within bounds");
    Contract::parse(&abi).expect_err("no interface").to_string()
}

fn arguments(json: Value) -> Arguments {
    serde_json::from_value(json).expect("an array")
}

fn address(last: u8) -> Address {
    let mut bytes = [0; 20];
    bytes[19] = last;
    Address(bytes.into())
}

fn hex_of(data: &[u8]) -> String {
    alloy::primitives::hex::encode(data)
}

#[test]
fn the_examples_of_the_solidity_documentation_are_encoded() {
    // docs.soliditylang.org, "Contract ABI Specification", examples.
    let foo = contract(json!([
        "function baz(uint32 x, bool y)",
        "function bar(bytes3[2])",
        "function sam(bytes, bool, uint256[])",
        "function f(uint256, uint32[], bytes10, bytes)",
    ]));
    let encoded = |name: &str, values| hex_of(&foo.encode(name, &arguments(values)).expect("it fits").0);
    assert_eq!(encoded("baz", json!(["69", true])), format!("cdcd77c0{:064x}{:064x}", 69, 1));
    let bar = format!("fce353f6{:0<64}{:0<64}", "616263", "646566");
    assert_eq!(encoded("bar", json!([["0x616263", "0x646566"]])), bar);
    let sam = [
        format!("a5643bf2{:064x}{:064x}{:064x}", 0x60, 1, 0xa0),
        format!("{:064x}{:0<64}", 4, "64617665"),
        format!("{:064x}{:064x}{:064x}{:064x}", 3, 1, 2, 3),
    ];
    assert_eq!(encoded("sam", json!(["0x64617665", true, ["1", 2, "0x3"]])), sam.concat());
    let f = [
        format!("8be65246{:064x}{:064x}{:0<64}{:064x}", 0x123, 0x80, "31323334353637383930", 0xe0),
        format!("{:064x}{:064x}{:064x}", 2, 0x456, 0x789),
        format!("{:064x}{:0<64}", 0x0d, "48656c6c6f2c20776f726c6421"),
    ];
    let values = json!(["0x123", ["0x456", "0x789"], "0x31323334353637383930", "0x48656c6c6f2c20776f726c6421"]);
    assert_eq!(encoded("f", values), f.concat());
}

#[test]
fn an_interface_is_read_in_every_form() {
    let entry = json!({ "type": "function", "name": "stake", "inputs": [{ "name": "amount", "type": "uint256" }],
        "outputs": [], "stateMutability": "nonpayable" });
    let event = json!({ "type": "event", "name": "Staked", "inputs": [], "anonymous": false });
    for abi in [
        entry.clone(),
        json!([entry, event]),
        json!(json!([entry]).to_string()),
        json!(entry.to_string()),
        json!("function stake(uint256 amount)"),
        json!("function stake(uint256 amount) external payable returns (bool);"),
        json!("stake(uint256)"),
        json!(["error TooLittle(uint256)", "stake(uint256 amount)"]),
    ] {
        let data = contract(abi.clone()).encode("stake", &arguments(json!(["7"]))).expect("it fits");
        assert_eq!(hex_of(&data.0[..4]), "a694fc3a", "{abi}");
    }
}

#[test]
fn what_is_no_interface_is_refused_in_words_that_repeat_nothing() {
    let tuples = (0..20).fold("uint8".to_owned(), |inner, _| format!("({inner},uint8)"));
    for abi in [
        json!(""),
        json!("function"),
        json!("function pay("),
        json!("function pay(uint7 x)"),
        json!("function pay(secret x)"),
        json!("function pay(uint256[1000000000] x)"),
        json!("function pay(uint256[1000][1000][1000] x)"),
        json!("function pay(uint256[0] x)"),
        json!(format!("function pay({tuples} x)")),
        json!("[{\"secret\":"),
        json!([]),
        json!([7]),
        json!({ "type": "secret", "name": "x", "inputs": [] }),
        json!({ "type": "function", "inputs": [] }),
        json!({ "type": "function", "name": "secret\u{202e}", "inputs": [] }),
        json!({ "type": "function", "name": "pay", "inputs": [{ "name": "\u{1b}[2Jsecret", "type": "uint256" }] }),
        json!({ "type": "function", "name": "x".repeat(65), "inputs": [] }),
        json!({ "type": "event", "name": "Only", "inputs": [], "anonymous": false }),
    ] {
        let error = refused(abi.clone());
        assert!(error.starts_with("contract_abi: expected") || error.starts_with("contract_abi: there is"), "{error}");
        assert!(!error.contains("secret"), "{abi}: {error}");
    }
}

#[test]
fn an_overload_is_chosen_by_its_signature() {
    let abi =
        contract(json!(["function mint(address to, uint256 amount)", "function mint(address to)", "function x()"]));
    let two = json!([address(1), "1"]);
    let error = abi.encode("mint", &arguments(two.clone())).expect_err("two have the name").to_string();
    assert_eq!(error, "function_name: expected one of `mint(address,uint256)`, `mint(address)`");
    let data = abi.encode("mint(address, uint256)", &arguments(two)).expect("it fits");
    assert_eq!(hex_of(&data.0[..4]), "40c10f19");
    for unknown in ["burn", "", "mint(uint256)", "function", "x(", "\u{1b}[2J"] {
        let error = abi.encode(unknown, &arguments(json!([]))).expect_err("no such function").to_string();
        assert_eq!(error, "function_name: expected the name or signature of a function of the ABI");
    }
    // Spaces in a signature mean nothing, but they are kept with what was asked.
    let long = format!("x({})", " ".repeat(5_000));
    let error = abi.encode(&long, &arguments(json!([]))).expect_err("nobody needs as many").to_string();
    assert_eq!(error, "function_name: expected at most 4096 bytes");
}

#[test]
fn a_transfer_of_a_token_is_encoded_by_hand_as_by_its_interface() {
    let abi = contract("function transfer(address to, uint256 amount)");
    let amount = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    let data = abi.encode("transfer", &arguments(json!([address(7), amount]))).expect("it fits");
    assert_eq!(data, encode_erc20_transfer(address(7), amount.parse().expect("2^256 - 1")));
}
