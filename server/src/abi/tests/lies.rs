//! Bytes and names that try to pass for others.

use std::time::{Duration, Instant};

use alloy::primitives::{U256, hex};
use serde_json::json;

use super::{super::*, address, arguments, contract};
use crate::value::{DecodingSource, Wei};

/// More than any honest input takes, by far.
const QUICK: Duration = Duration::from_secs(20);

fn word(number: usize) -> String {
    format!("{number:064x}")
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).expect("hex")
}

fn first(data: &[u8], given: Option<&Contract>) -> Call {
    read(Some(address(9)), Wei::ZERO, data, given).swap_remove(0)
}

#[test]
fn a_standard_goes_before_the_given_names() {
    // The same selector and types under the agent's own words.
    let given = contract("function approve(address beneficiary, uint256 points)");
    let data = given.encode("approve", &arguments(json!([address(7), "5"]))).expect("it fits");
    let call = first(&data.0, Some(&given));
    assert_eq!((call.source, call.standard), (Some(DecodingSource::Standard), Some("ERC-20")));
    let names: Vec<_> = call.arguments.iter().map(|argument| argument.name.as_str()).collect();
    assert_eq!(names, ["spender", "amount"]);
    // Two names with one selector: `many_msg_babbage(bytes1)` was ground to have that of `transfer(address,uint256)`.
    let ground = contract("function many_msg_babbage(bytes1 tag)");
    let transfer = encode_erc20_transfer(address(7), "5".parse().expect("a number"));
    assert_eq!(ground.functions[0].item.selector().0, transfer.0[..4]);
    assert_eq!(first(&transfer.0, Some(&ground)).signature.as_deref(), Some("transfer(address,uint256)"));
    // Contracts take bytes that no encoder makes (something left over, say), so a ground name that fits them better
    // is not believed either: nobody knows what they do.
    let tag = ground.encode("many_msg_babbage", &arguments(json!(["0x01"]))).expect("it fits");
    let call = first(&tag.0, Some(&ground));
    assert_eq!((call.source, call.signature, call.meanings.len()), (None, None, 0));
}

#[test]
fn what_follows_a_standards_call_is_counted_and_hides_nothing() {
    let approve = contract("function approve(address spender, uint256 amount)");
    let everything = U256::MAX.to_string();
    let data = approve.encode("approve", &arguments(json!([address(7), everything]))).expect("it fits").0;
    let marked = [data.clone(), b"built-by-somebody".to_vec()].concat();
    let (plain, call) = (first(&data, None), first(&marked, None));
    assert_eq!((plain.extra, call.extra), (0, 17));
    assert_eq!((&call.meanings, &call.signature), (&plain.meanings, &plain.signature));
    // Names that nobody has checked fit exactly or not at all.
    let given = contract("function vote(uint256 number)");
    let data = given.encode("vote", &arguments(json!(["5"]))).expect("it fits").0;
    assert_eq!(first(&[data, vec![1]].concat(), Some(&given)).signature, None);
}

#[test]
fn the_given_names_are_for_the_called_contract_only() {
    let given = contract("function harmless(uint256 x)");
    let inner = given.encode("harmless", &arguments(json!(["5"]))).expect("it fits").to_string();
    let account = contract("function execute(address target, uint256 value, bytes data)");
    for (target, source) in [(address(9), Some(DecodingSource::GivenAbi)), (address(7), None)] {
        let data = account.encode("execute", &arguments(json!([target, "0", inner]))).expect("it fits");
        assert_eq!(read(Some(address(9)), Wei::ZERO, &data.0, Some(&given))[1].source, source);
    }
}

#[test]
fn an_interface_that_nests_without_end_is_refused_soon() {
    let began = Instant::now();
    for open in ["(", "uint256[", "((uint8,", "tuple("] {
        let text = format!("function f({}", open.repeat(200_000 / open.len()));
        let abi = crate::value::ContractAbi::try_from(json!(text)).expect("within bounds");
        assert!(Contract::parse(&abi).is_err());
    }
    // 4096 words an element, and an array that claims to have as many elements as words.
    let flag = json!({ "name": "", "type": "bool" });
    let row = json!({ "name": "", "type": "tuple", "components": vec![flag; 64] });
    let input = json!({ "name": "", "type": "tuple[]", "components": vec![row; 64] });
    let given = contract(json!({ "name": "f", "inputs": [input] }));
    let mut data = given.functions[0].item.selector().to_vec();
    data.extend(bytes(&word(32)));
    data.extend(bytes(&word(4000)));
    data.resize(131_072, 0);
    assert!(first(&data, Some(&given)).signature.is_none());
    assert!(began.elapsed() < QUICK, "{:?}", began.elapsed());
}

#[test]
fn names_count_only_when_the_bytes_are_exactly_theirs() {
    let good = format!("a9059cbb{}{}", word(7), word(5));
    assert!(first(&bytes(&good), None).signature.is_some());
    let dirty = format!("a9059cbb{}{:064x}{}", "", U256::MAX, word(5));
    for wrong in
        [good[..good.len() - 2].to_owned(), dirty, "a9059cbb".to_owned(), format!("a22cb465{}{}", word(7), word(2))]
    {
        let call = first(&bytes(&wrong), None);
        assert_eq!((call.signature, call.meanings.len()), (None, 0), "{wrong}");
        assert!(call.selector.is_some());
    }
    // An array whose offset does not point where the encoder puts it.
    let given = contract("function f(uint256[] numbers)");
    let selector = hex::encode(given.functions[0].item.selector());
    let straight = format!("{selector}{}{}{}", word(32), word(1), word(9));
    assert!(first(&bytes(&straight), Some(&given)).signature.is_some());
    let gap = format!("{selector}{}{}{}{}", word(64), word(0), word(1), word(9));
    assert!(first(&bytes(&gap), Some(&given)).signature.is_none());
}

#[test]
fn payments_deployments_and_stubs_have_no_function() {
    assert_eq!(first(&[], None).selector, None);
    assert_eq!(first(&[1, 2, 3], None).selector, None);
    let deployment = read(None, Wei::ZERO, &bytes(&format!("a9059cbb{}{}", word(7), word(5))), None);
    assert_eq!((deployment[0].selector, deployment.len()), (None, 1));
}

#[test]
fn offset_bombs_end_soon() {
    let given =
        contract("function f(uint256[][][][][][] bomb, bytes[] more, string text, (bytes,(string[],bytes)[])[] deep)");
    let selector = given.functions[0].item.selector().0;
    for filling in [0_usize, 1, 32, 64, 128, 0xffff, usize::MAX] {
        let mut data = selector.to_vec();
        while data.len() < 131_072 {
            data.extend(U256::from(filling).to_be_bytes::<32>());
        }
        let began = Instant::now();
        assert!(first(&data, Some(&given)).signature.is_none());
        assert!(began.elapsed() < QUICK, "{filling}");
    }
    // Every element points at the same next level.
    let levels = 4000;
    let mut data = selector.to_vec();
    data.extend(bytes(&word(128).repeat(4)));
    data.extend(bytes(&word(levels)));
    data.extend(bytes(&word(32)).repeat(levels));
    let began = Instant::now();
    assert!(first(&data, Some(&given)).signature.is_none());
    assert!(began.elapsed() < QUICK);
}

#[test]
fn calls_inside_calls_are_read_up_to_a_bound_and_the_rest_is_told() {
    let multicall = contract("function multicall(bytes[] data)");
    let wrap =
        |inner: &[String]| multicall.encode("multicall", &arguments(json!([inner]))).expect("it fits").to_string();
    let transfer = encode_erc20_transfer(address(7), "5".parse().expect("a number")).to_string();
    let data = wrap(&[transfer.clone(), wrap(std::slice::from_ref(&transfer)), "0xdeadbeef".to_owned()]);
    let calls = read(Some(address(9)), Wei::ZERO, &bytes(&data[2..]), None);
    let depths: Vec<_> = calls.iter().map(|call| call.depth).collect();
    assert_eq!(depths, [0, 1, 1, 2, 1]);
    assert_eq!((calls[3].to, calls[3].meanings.len()), (Some(address(9)), 1));
    assert!(calls[4].signature.is_none() && calls.iter().all(|call| !call.truncated));

    let deep = (0..10).fold(transfer.clone(), |inner, _| wrap(&[inner]));
    let calls = read(Some(address(9)), Wei::ZERO, &bytes(&deep[2..]), None);
    assert!(calls.len() == 4 && calls[3].truncated);
    let wide = wrap(&vec![transfer; 100]);
    let calls = read(Some(address(9)), Wei::ZERO, &bytes(&wide[2..]), None);
    assert!(calls.len() == 64 && calls[0].truncated);
}

#[test]
fn packed_calls_are_read_and_malformed_ones_told() {
    let safe = contract("function multiSend(bytes transactions)");
    let one = format!("00{:040x}{}{}{}", 7, word(3), word(4), "d0e30db0");
    let encode = |packed: &str| safe.encode("multiSend", &arguments(json!([format!("0x{packed}")]))).expect("it fits");
    let calls = read(Some(address(9)), Wei::ZERO, &encode(&one.repeat(2)).0, None);
    assert_eq!(calls.len(), 3);
    assert_eq!((calls[1].to, calls[1].value), (Some(address(7)), Wei::from(3)));
    assert_eq!(calls[1].signature.as_deref(), Some("deposit()"));
    let calls = read(Some(address(9)), Wei::ZERO, &encode(&one[..100]).0, None);
    assert!(calls.len() == 1 && calls[0].truncated);
}

#[test]
fn texts_inside_arguments_cannot_deceive() {
    let given = contract("function say(string text, bytes data)");
    let long = format!("0x{}", "ab".repeat(5000));
    let values = json!(["pay\u{1b}[2K \u{202e}evil\u{200b}\nrent", long]);
    let data = given.encode("say", &arguments(values)).expect("it fits");
    let call = first(&data.0, Some(&given));
    assert_eq!(call.arguments[0].value, "pay[2K evil rent");
    assert!(call.arguments[1].value.contains("(5000 bytes, keccak256 0x"), "{}", call.arguments[1].value);
}

#[test]
fn a_value_that_nobody_could_read_is_cut() {
    let given = contract("function f(uint256[] numbers)");
    let many: Vec<_> = (0..2_500).map(|_| U256::MAX.to_string()).collect();
    let data = given.encode("f", &arguments(json!([many]))).expect("it fits");
    let value = first(&data.0, Some(&given)).arguments.swap_remove(0).value;
    assert!(value.chars().count() == 16_385 && value.ends_with('…'));
}

#[test]
fn reasons_are_read_and_lies_about_them_do_no_harm() {
    let explained = |data: &str| explain_revert(&bytes(data), None);
    // docs.soliditylang.org, "revert": Error("Not enough Ether provided.")
    let text = format!("08c379a0{}{}{:0<64}", word(0x20), word(0x1a), hex::encode("Not enough Ether provided."));
    assert_eq!(explained(&text).as_deref(), Some("Not enough Ether provided."));
    assert_eq!(explained(&format!("4e487b71{}", word(0x11))).as_deref(), Some("panic 0x11: arithmetic overflow"));
    assert_eq!(explained("cf479181ffff").as_deref(), Some("custom error 0xcf479181"));
    assert_eq!(explained(""), None);
    let given = contract(json!(["error TooLittle(uint256 available, uint256)", "function f()"]));
    let data = [given.errors[0].item.selector().to_vec(), bytes(&word(3)), bytes(&word(5))].concat();
    assert_eq!(explain_revert(&data, Some(&given)).as_deref(), Some("TooLittle(available: 3, 5)"));
    let standard = format!("e450d38c{}{}{}", word(1), word(2), word(3));
    let words = explained(&standard).expect("some");
    assert!(words.starts_with("ERC20InsufficientBalance(sender: 0x") && words.ends_with("balance: 2, needed: 3)"));
    for words in ["f".repeat(64), format!("{}{}", word(0x20), "f".repeat(64)), word(usize::MAX), String::new()] {
        assert_eq!(explained(&format!("08c379a0{words}")).as_deref(), Some("custom error 0x08c379a0"), "{words}");
    }
}
