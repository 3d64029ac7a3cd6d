//! Arguments against their types.

use serde_json::{Value, json};

use super::{arguments, contract, hex_of};

/// Encodes one argument of a type.
fn one(kind: &str, value: Value) -> Result<String, String> {
    let abi = contract(format!("function f({kind})"));
    let encoded = abi.encode("f", &arguments(json!([value])));
    encoded.map(|data| hex_of(&data.0[4..])).map_err(|error| error.to_string())
}

#[test]
fn numbers_are_taken_exactly_or_not_at_all() {
    for (kind, value, word) in [
        ("uint8", json!("255"), format!("{:064x}", 255)),
        ("uint8", json!(255), format!("{:064x}", 255)),
        ("uint256", json!("0xff"), format!("{:064x}", 255)),
        ("uint256", json!("0"), "0".repeat(64)),
        ("int8", json!("-128"), format!("{}80", "f".repeat(62))),
        ("int8", json!(-1), "f".repeat(64)),
        ("int256", json!("127"), format!("{:064x}", 127)),
    ] {
        assert_eq!(one(kind, value.clone()), Ok(word), "{kind} {value}");
    }
    let largest_int = "57896044618658097711785492504343953926634992332820282019728792003956564819967";
    let more = "57896044618658097711785492504343953926634992332820282019728792003956564819968";
    assert!(one("int256", json!(largest_int)).is_ok());
    assert!(one("int256", json!(format!("-{more}"))).is_ok());
    for (kind, value) in [
        ("uint8", json!("256")),
        ("uint8", json!(256)),
        ("uint8", json!("-1")),
        ("uint8", json!(-1)),
        ("int8", json!("128")),
        ("int8", json!("-129")),
        ("int256", json!(more)),
        ("uint256", json!("")),
        ("uint256", json!("0x")),
        ("uint256", json!("01")),
        ("uint256", json!("1_000")),
        ("uint256", json!("1e18")),
        ("uint256", json!("+1")),
        ("uint256", json!("0o17")),
        ("uint256", json!(" 1")),
        ("uint256", json!(1.5)),
        ("uint256", json!(1e19)),
        ("uint256", json!(9_007_199_254_740_993_u64)),
        ("uint256", json!(true)),
        ("uint256", json!(null)),
        ("uint256", json!(["1"])),
        ("int256", json!("-0")),
        ("int256", json!("--1")),
        ("int256", json!("-0x1")),
    ] {
        let error = one(kind, value.clone()).expect_err("it does not fit");
        assert!(error.starts_with("function_args[0]: expected a whole number from "), "{kind} {value}: {error}");
    }
}

#[test]
fn other_values_are_taken_in_one_form_only() {
    let address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    let word = format!("{:0>64}", address[2..].to_lowercase());
    assert_eq!(one("address", json!(address)), Ok(word.clone()));
    assert_eq!(one("address payable", json!(address.to_lowercase())), Ok(word));
    assert_eq!(one("bytes4", json!("0x01020304")), Ok(format!("{:0<64}", "01020304")));
    for (kind, value) in [
        ("address", json!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD")),
        ("address", json!("5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")),
        ("address", json!(7)),
        ("bool", json!("true")),
        ("bool", json!(1)),
        ("bytes4", json!("0x010203")),
        ("bytes4", json!("0x0102030405")),
        ("bytes4", json!("01020304")),
        ("bytes", json!("0x123")),
        ("bytes", json!("0x0x12")),
        ("bytes", json!("hello")),
        ("string", json!(7)),
        ("uint8[2]", json!(["1"])),
        ("uint8[2]", json!(["1", "2", "3"])),
        ("uint8[]", json!("1")),
        ("(uint8,bool)", json!(["1"])),
        ("(uint8,bool)", json!({ "a": "1", "b": true })),
    ] {
        assert!(one(kind, value.clone()).is_err(), "{kind} {value}");
    }
}

#[test]
fn an_error_names_the_argument() {
    let component = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    let abi = contract(json!({ "name": "pay", "inputs": [
        { "name": "orders", "type": "tuple[]", "components": [component("to", "address"), component("amount", "uint8")] },
        { "name": "tag", "type": "bytes4" },
    ] }));
    let good = json!({ "to": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "amount": "1" });
    let error = |values: Value| abi.encode("pay", &arguments(values)).expect_err("it is wrong").to_string();
    let with = |field: &str, value: Value| {
        let mut changed = good.clone();
        changed[field] = value;
        error(json!([[good, changed], "0x01020304"]))
    };
    assert_eq!(with("to", json!("0x12")), "function_args[0][1].to: expected an address: 0x and 40 hex digits");
    assert!(with("amount", json!("256")).starts_with("function_args[0][1].amount: expected a whole number"));
    assert_eq!(with("extra", json!(1)), "function_args[0][1]: expected the fields `to`, `amount` and no others");
    assert_eq!(error(json!([[good], "0x01"])), "function_args[1]: expected 0x and 8 hex digits");
    assert_eq!(error(json!([[good]])), "function_args: expected 2 arguments of `pay((address,uint8)[],bytes4)`");
    assert!(abi.encode("pay", &arguments(json!([[good], "0x01020304"]))).is_ok());
    assert!(abi.encode("pay", &arguments(json!([[[good["to"], "1"]], "0x01020304"]))).is_ok());
}

#[test]
fn what_does_not_fit_into_a_transaction_is_refused() {
    let abi = contract("function f(uint256[])");
    let many: Vec<_> = (0..5000).map(|_| "0").collect();
    let error = abi.encode("f", &arguments(json!([many]))).expect_err("160 kB").to_string();
    assert_eq!(error, "function_args: expected call data of at most 131072 bytes");
}
