//! The reasons not even to offer a transaction for approval: what the screen shows is compared with the bytes
//! that would be signed.

use agent_sdk::{Action, DecodedCall, Transaction};
use alloy::primitives::{Address, U256, keccak256};
use uuid::Uuid;

use super::words::words_belong;

/// The selector of ERC-20's `transfer(address,uint256)`.
const ERC20_TRANSFER: [u8; 4] = [0xa9, 0x05, 0x9c, 0xbb];

/// Why a transaction must not be approved as the server shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Objection {
    /// Some field is not the one that would be approved.
    #[error("its digest does not match its fields")]
    Digest,
    /// The server answered with another transaction.
    #[error("the server answered with another transaction")]
    AnotherTransaction,
    /// It belongs to somebody else.
    #[error("it belongs to another user")]
    AnotherUser,
    /// The request and the bytes to be signed are two different things.
    #[error("what was asked for is not what would be signed")]
    AnotherAction,
    /// The explanation and the bytes to be signed are two different things.
    #[error("the preview does not belong to the bytes that would be signed")]
    AnotherPreview,
    /// Something other than its cost and its outcome changed after it was shown.
    #[error("more than its cost has changed since it was shown")]
    AnotherPayment,
}

/// Checks that what the screen shows is what an approval would sign, and for whom.
///
/// Fails with the first thing that is wrong.
pub(crate) fn check(transaction: &Transaction, transaction_id: Uuid, user_id: Uuid) -> Result<(), Objection> {
    if transaction.transaction_id != transaction_id {
        return Err(Objection::AnotherTransaction);
    }
    if !transaction.digest_matches() {
        return Err(Objection::Digest);
    }
    if transaction.user_id != user_id {
        return Err(Objection::AnotherUser);
    }
    if !signs_what_was_asked(transaction) {
        return Err(Objection::AnotherAction);
    }
    if !preview_belongs(transaction) {
        return Err(Objection::AnotherPreview);
    }
    Ok(())
}

/// Whether the request, which the digest does not cover, agrees with the bytes, which it does. A kind of
/// request that this version does not know cannot be compared; the screen describes the bytes alone.
fn signs_what_was_asked(transaction: &Transaction) -> bool {
    let Transaction { to, value, data, .. } = transaction;
    match &transaction.action {
        Action::Transfer { to_address, amount } => *to == Some(*to_address) && value == amount && data.is_empty(),
        Action::TransferErc20 { token_address, to_address, amount } => {
            *to == Some(*token_address) && value.is_zero() && data[..] == erc20_transfer(*to_address, *amount)
        }
        Action::ContractCall { contract_address, amount, .. } => {
            *to == Some(*contract_address) && *value == amount.unwrap_or_default() && !data.is_empty()
        }
        Action::Raw { to_address, amount, data: asked, .. } => to == to_address && value == amount && data == asked,
        _ => true,
    }
}

/// The call data of an ERC-20 transfer, made here and not taken from the server.
fn erc20_transfer(to: Address, amount: U256) -> Vec<u8> {
    [&ERC20_TRANSFER[..], to.into_word().as_slice(), &amount.to_be_bytes::<32>()].concat()
}

/// Whether the explanation, which the digest does not cover either, can be one of these bytes: it begins with
/// this very call, every function it names has the selector it is shown for, and at the top the arguments are
/// the words of the data.
fn preview_belongs(transaction: &Transaction) -> bool {
    let Some(preview) = &transaction.preview else {
        return true;
    };
    let Transaction { to, value, data, .. } = transaction;
    if !preview.calls.iter().all(names_its_selector) {
        return false;
    }
    let Some((top, inner)) = preview.calls.split_first() else {
        return true;
    };
    let selector = data.get(..4).filter(|_| to.is_some());
    let shown_selector = top.selector.as_ref().map(|selector| &selector[..]);
    let same_call = top.depth == 0 && top.to == *to && top.value == *value;
    let same_function = match &top.signature {
        Some(signature) => shown_selector == selector && words_belong(signature, &top.arguments, data),
        None => shown_selector.is_none() || shown_selector == selector,
    };
    same_call && same_function && inner.iter().all(|call| call.depth > 0)
}

/// Whether a named function is the one that its selector calls.
fn names_its_selector(call: &DecodedCall) -> bool {
    let Some(signature) = &call.signature else {
        return true;
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_$(),[]".contains(&byte);
    let selector = call.selector.as_ref().map(|selector| &selector[..]);
    signature.bytes().all(is_plain) && selector == keccak256(signature.as_bytes()).get(..4)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::examples::{self, transaction};
    use super::*;

    fn checked(transaction: &Transaction) -> Result<(), Objection> {
        check(transaction, transaction.transaction_id, transaction.user_id)
    }

    #[test]
    fn only_what_the_screen_shows_truly_may_be_approved() {
        let good = transaction(json!({}));
        let (id, user) = (good.transaction_id, good.user_id);
        assert_eq!(check(&good, id, user), Ok(()));
        assert_eq!(check(&good, Uuid::nil(), user), Err(Objection::AnotherTransaction));
        assert_eq!(check(&good, id, Uuid::nil()), Err(Objection::AnotherUser));

        let mut altered = good.clone();
        altered.gas_limit += 1;
        assert_eq!(check(&altered, id, user), Err(Objection::Digest));

        let other_sum = transaction(json!({ "value": "50000000000000001" }));
        assert_eq!(check(&other_sum, id, user), Err(Objection::AnotherAction));
        let hidden_call = transaction(json!({ "data": "0xa9059cbb" }));
        assert_eq!(check(&hidden_call, id, user), Err(Objection::AnotherAction));
        let unknown = transaction(json!({ "action": { "type": "stake" } }));
        assert_eq!(check(&unknown, id, user), Ok(()));
    }

    #[test]
    fn a_token_transfer_signs_exactly_that_transfer() {
        let good = examples::token_transfer();
        assert_eq!(checked(&good), Ok(()));
        for change in [
            |data: &mut Vec<u8>| data[35] ^= 1,
            |data: &mut Vec<u8>| data[67] ^= 1,
            |data: &mut Vec<u8>| data[4] = 1,
            |data: &mut Vec<u8>| data.push(0),
            |data: &mut Vec<u8>| data[..4].copy_from_slice(&[0x09, 0x5e, 0xa7, 0xb3]),
        ] {
            let mut data = good.data.to_vec();
            change(&mut data);
            let mut other = good.clone();
            other.data = data.into();
            other.digest = other.computed_digest();
            assert_eq!(checked(&other), Err(Objection::AnotherAction));
        }
        let paid = transaction(json!({
            "action": good.action, "to": good.to, "data": good.data, "value": "1",
        }));
        assert_eq!(checked(&paid), Err(Objection::AnotherAction));
        let other_token = transaction(json!({ "action": good.action, "data": good.data, "value": "0" }));
        assert_eq!(checked(&other_token), Err(Objection::AnotherAction));
    }

    #[test]
    fn a_contract_call_goes_to_that_contract_with_that_amount() {
        let good = examples::staking();
        for changes in [json!({ "to": examples::RECIPIENT }), json!({ "value": "1" }), json!({ "data": "0x" })] {
            let mut object = json!({ "action": good.action, "to": good.to, "value": "0", "data": good.data });
            for (field, value) in changes.as_object().into_iter().flatten() {
                object[field] = value.clone();
            }
            assert_eq!(checked(&transaction(object)), Err(Objection::AnotherAction), "{changes}");
        }
    }

    #[test]
    fn a_preview_of_other_bytes_is_refused() {
        for change in [
            |call: &mut DecodedCall| call.to = None,
            |call: &mut DecodedCall| call.value = U256::ONE,
            |call: &mut DecodedCall| call.depth = 1,
            |call: &mut DecodedCall| call.selector = None,
            |call: &mut DecodedCall| call.signature = Some("deposit(uint256,address)".to_owned()),
            |call: &mut DecodedCall| call.signature = Some("stake(uint256, address)".to_owned()),
            |call: &mut DecodedCall| call.arguments[0].value = "1".to_owned(),
            |call: &mut DecodedCall| call.arguments.clear(),
        ] {
            let mut other = examples::staking();
            change(&mut other.preview.as_mut().expect("a preview").calls[0]);
            assert_eq!(checked(&other), Err(Objection::AnotherPreview));
        }
        let mut inner = examples::multicall();
        inner.preview.as_mut().expect("a preview").calls[1].signature = Some("balanceOf(address)".to_owned());
        assert_eq!(checked(&inner), Err(Objection::AnotherPreview));
    }

    #[test]
    fn the_bytes_of_a_known_function_under_another_name_are_refused() {
        // The name is the agent's, the selector is that of `transfer`.
        let mut renamed = examples::token_transfer();
        let call = &mut renamed.preview.as_mut().expect("a preview").calls[0];
        call.signature = Some("claimReward(address,uint256)".to_owned());
        assert_eq!(checked(&renamed), Err(Objection::AnotherPreview));
        let call = &mut renamed.preview.as_mut().expect("a preview").calls[0];
        let selector = keccak256("claimReward(address,uint256)");
        call.selector = Some(
            serde_json::from_value(json!(alloy::primitives::hex::encode_prefixed(&selector[..4]))).expect("bytes"),
        );
        assert_eq!(checked(&renamed), Err(Objection::AnotherPreview));
    }
}
