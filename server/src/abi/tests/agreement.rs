//! The encoder and the decoder agree with `sol!` on random calls.

use alloy::{
    primitives::{Address, Bytes, FixedBytes, I256, U256, aliases::I24, hex},
    sol,
    sol_types::SolCall,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{super::*, address, arguments, contract};
use crate::value::Wei;

sol! {
    #[derive(Debug)]
    struct Leg { address to; uint128 amount; bytes note; }
    function plain(address to, uint256 amount, bool urgent, bytes4 tag);
    function signed(int256 whole, int24 tick, int8[3] small);
    function listed(uint64[] numbers, string[] names, bytes[][] blobs);
    function nested(Leg first, Leg[] legs, uint8[2][] pairs);
}

fn abi() -> Contract {
    let leg = json!([
        { "name": "to", "type": "address" }, { "name": "amount", "type": "uint128" }, { "name": "note", "type": "bytes" },
    ]);
    contract(json!([
        "function plain(address to, uint256 amount, bool urgent, bytes4 tag)",
        "function signed(int256 whole, int24 tick, int8[3] small)",
        "function listed(uint64[] numbers, string[] names, bytes[][] blobs)",
        { "name": "nested", "inputs": [
            { "name": "first", "type": "tuple", "components": leg },
            { "name": "legs", "type": "tuple[]", "components": leg },
            { "name": "pairs", "type": "uint8[2][]" },
        ] },
    ]))
}

/// Both ways: the JSON gives the same bytes, and the bytes give the same values.
fn agree(name: &str, values: Value, expected: Vec<u8>) -> Result<(), TestCaseError> {
    let abi = abi();
    let encoded = abi.encode(name, &arguments(values.clone())).expect("values in range");
    prop_assert_eq!(hex::encode(&encoded.0), hex::encode(&expected));
    let call = read(Some(address(9)), Wei::ZERO, &expected, Some(&abi)).swap_remove(0);
    let function = call.signature.as_deref().and_then(|signature| signature.split('(').next());
    prop_assert_eq!(function, Some(name));
    let values = values.as_array().expect("an array");
    prop_assert_eq!(call.arguments.len(), values.len());
    for (argument, value) in call.arguments.iter().zip(values) {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(yes) => yes.to_string(),
            list => list.to_string(),
        };
        prop_assert_eq!(&argument.value, &text, "{}", argument.name);
    }
    // One byte more or less is something else.
    let longer = [expected.as_slice(), &[0]].concat();
    for other in [longer.as_slice(), &expected[..expected.len() - 1]] {
        let call = read(Some(address(9)), Wei::ZERO, other, Some(&abi)).swap_remove(0);
        prop_assert_eq!(call.signature, None);
    }
    Ok(())
}

fn number() -> impl Strategy<Value = U256> {
    (any::<[u8; 32]>(), 0_usize..256).prop_map(|(bytes, shift)| U256::from_be_bytes(bytes) >> shift)
}

fn account() -> impl Strategy<Value = Address> {
    any::<[u8; 20]>().prop_map(Address::from)
}

fn blob() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..70).prop_map(Bytes::from)
}

fn leg() -> impl Strategy<Value = Leg> {
    (account(), any::<u128>(), blob()).prop_map(|(to, amount, note)| Leg { to, amount, note })
}

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 äß€𝄞]{0,40}"
}

fn leg_json(leg: &Leg) -> Value {
    json!([leg.to.to_checksum(None), leg.amount.to_string(), leg.note])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn on_plain_values(to in account(), amount in number(), urgent: bool, tag: [u8; 4]) {
        let values = json!([to.to_checksum(None), amount.to_string(), urgent, hex::encode_prefixed(tag)]);
        agree("plain", values, plainCall { to, amount, urgent, tag: FixedBytes(tag) }.abi_encode())?;
    }

    #[test]
    fn on_signed_numbers(whole in number(), tick in -8_388_608_i32..8_388_608, small: [i8; 3]) {
        let whole = I256::from_raw(whole);
        let tick24 = I24::try_from(tick).expect("in range");
        let values = json!([whole.to_string(), tick.to_string(), small.map(|number| number.to_string())]);
        agree("signed", values, signedCall { whole, tick: tick24, small }.abi_encode())?;
    }

    #[test]
    fn on_lists(
        numbers in prop::collection::vec(any::<u64>(), 0..6),
        names in prop::collection::vec(text(), 0..4),
        blobs in prop::collection::vec(prop::collection::vec(blob(), 0..3), 0..3),
    ) {
        let texts: Vec<_> = numbers.iter().map(ToString::to_string).collect();
        agree("listed", json!([texts, names, blobs]), listedCall { numbers, names, blobs }.abi_encode())?;
    }

    #[test]
    fn on_nested_tuples(
        first in leg(),
        legs in prop::collection::vec(leg(), 0..4),
        pairs in prop::collection::vec(any::<[u8; 2]>(), 0..4),
    ) {
        let pair = |pair: &[u8; 2]| json!([pair[0].to_string(), pair[1].to_string()]);
        let values = json!([
            leg_json(&first),
            legs.iter().map(leg_json).collect::<Vec<_>>(),
            pairs.iter().map(pair).collect::<Vec<_>>(),
        ]);
        agree("nested", values, nestedCall { first, legs, pairs }.abi_encode())?;
    }

    #[test]
    fn any_bytes_are_read_without_a_fuss(data in prop::collection::vec(any::<u8>(), 0..400)) {
        let calls = read(Some(address(9)), Wei::ZERO, &data, Some(&abi()));
        prop_assert!(!calls.is_empty());
        explain_revert(&data, Some(&abi()));
    }
}
