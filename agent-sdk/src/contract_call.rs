//! Calls of contracts: encoded here from a Rust type, or by the server from an ABI.

use alloy::primitives::{Address, Bytes, U256};
use alloy::sol_types::SolCall;
use serde_json::Value;

use crate::Action;

/// A call of a contract whose functions are declared in Rust with `alloy::sol!`.
///
/// The bytes are encoded here, and exactly they are signed. The function's signature goes along, so
/// that the human can read the call.
///
/// ```
/// use agent_sdk::{ContractCall, PrepareTransaction, address};
/// use alloy::primitives::U256;
///
/// alloy::sol! {
///     function stake(uint256 amount, address beneficiary);
/// }
///
/// let pool = address::parse("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")?;
/// let call = stakeCall { amount: U256::from(1000), beneficiary: pool };
/// let request = PrepareTransaction::contract_call(ContractCall::new(pool, call)).memo("stake the rest");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractCall {
    contract_address: Address,
    data: Bytes,
    contract_abi: Value,
    amount: U256,
}

impl ContractCall {
    /// This call of the contract at this address.
    #[must_use]
    pub fn new<C: SolCall>(contract_address: Address, call: C) -> Self {
        Self {
            contract_address,
            data: call.abi_encode().into(),
            contract_abi: Value::String(format!("function {}", C::SIGNATURE)),
            amount: U256::ZERO,
        }
    }

    /// The contract's interface, instead of the bare signature: a JSON ABI, or a signature that
    /// names the arguments, like `function stake(uint256 amount, address beneficiary)`. The human
    /// then sees those names, where they fit the bytes.
    #[must_use]
    pub fn abi(mut self, contract_abi: impl Into<Value>) -> Self {
        self.contract_abi = contract_abi.into();
        self
    }

    /// Send `amount` wei of the chain's native coin along.
    #[must_use]
    pub fn amount(mut self, amount: U256) -> Self {
        self.amount = amount;
        self
    }
}

impl From<ContractCall> for Action {
    fn from(call: ContractCall) -> Self {
        let ContractCall { contract_address, data, contract_abi, amount } = call;
        Self::Raw { to_address: Some(contract_address), amount, data, contract_abi: Some(contract_abi) }
    }
}

/// A call of a contract whose interface is known at run time only: the server encodes it.
///
/// ```
/// use agent_sdk::{AbiCall, PrepareTransaction, address};
///
/// let pool = address::parse("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")?;
/// let abi = "function stake(uint256 amount, address beneficiary)";
/// let arguments = ["1000".into(), pool.to_string().into()];
/// let request = PrepareTransaction::contract_call(AbiCall::new(pool, abi, "stake", arguments));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbiCall {
    contract_address: Address,
    contract_abi: Value,
    function_name: String,
    function_args: Vec<Value>,
    amount: Option<U256>,
}

impl AbiCall {
    /// The call of this function of the contract at this address. For the forms that the ABI and
    /// the arguments may have, see [`Action::ContractCall`].
    pub fn new(
        contract_address: Address,
        contract_abi: impl Into<Value>,
        function_name: impl Into<String>,
        function_args: impl IntoIterator<Item = Value>,
    ) -> Self {
        Self {
            contract_address,
            contract_abi: contract_abi.into(),
            function_name: function_name.into(),
            function_args: function_args.into_iter().collect(),
            amount: None,
        }
    }

    /// Send `amount` wei of the chain's native coin along.
    #[must_use]
    pub fn amount(mut self, amount: U256) -> Self {
        self.amount = Some(amount);
        self
    }
}

impl From<AbiCall> for Action {
    fn from(call: AbiCall) -> Self {
        let AbiCall { contract_address, contract_abi, function_name, function_args, amount } = call;
        Self::ContractCall { contract_address, contract_abi, function_name, function_args, amount }
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{address, hex};
    use serde_json::json;

    use super::*;

    alloy::sol! {
        struct Order {
            address maker;
            uint256 amount;
        }

        function transfer(address to, uint256 amount);
        function fill(Order[] orders, bytes signature);
    }

    const TOKEN: Address = address!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
    const SHOP: Address = address!("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359");

    fn wire(action: impl Into<Action>) -> Value {
        serde_json::to_value(action.into()).expect("json")
    }

    #[test]
    fn a_typed_call_is_sent_as_its_exact_bytes_with_its_signature() {
        let call = transferCall { to: SHOP, amount: U256::from(25) };
        let data = "0xa9059cbb000000000000000000000000fb6916095ca1df60bb79ce92ce3ea74c37c5d359\
                    0000000000000000000000000000000000000000000000000000000000000019";
        let expected = json!({
            "type": "raw", "to_address": TOKEN.to_checksum(None), "amount": "0", "data": data,
            "contract_abi": "function transfer(address,uint256)",
        });
        assert_eq!(wire(ContractCall::new(TOKEN, call)), expected);
    }

    #[test]
    fn a_signature_has_structs_as_tuples_and_an_abi_given_takes_its_place() {
        let call = ContractCall::new(TOKEN, fillCall { orders: Vec::new(), signature: Bytes::new() });
        let sent = wire(call.clone());
        assert_eq!(sent["contract_abi"], "function fill((address,uint256)[],bytes)");
        assert!(sent["data"].as_str().expect("hex").starts_with(&hex::encode_prefixed(fillCall::SELECTOR)));

        let sent = wire(call.abi(json!([{ "type": "function", "name": "fill" }])).amount(U256::from(3)));
        assert_eq!(sent["contract_abi"], json!([{ "type": "function", "name": "fill" }]));
        assert_eq!(sent["amount"], "3");
    }

    #[test]
    fn a_call_by_abi_is_sent_unencoded() {
        let call = AbiCall::new(TOKEN, "function pay(uint256 amount, bool now)", "pay", [json!("1000"), json!(true)]);
        let mut expected = json!({
            "type": "contract_call", "contract_address": TOKEN.to_checksum(None),
            "contract_abi": "function pay(uint256 amount, bool now)", "function_name": "pay",
            "function_args": ["1000", true],
        });
        assert_eq!(wire(call.clone()), expected);

        expected["amount"] = "7".into();
        let action = Action::from(call.amount(U256::from(7)));
        assert_eq!(wire(action.clone()), expected);
        assert_eq!(serde_json::from_value::<Action>(expected).expect("action"), action);
    }
}
