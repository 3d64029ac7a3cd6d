//! What an agent asks for.

use serde::{Deserialize, Serialize};

use super::{Address, Arguments, CallData, ContractAbi, TokenAmount, Wei};

/// What an agent asks for, as it said it. What is signed is derived from it once, at preparation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Action {
    /// Native currency to an address.
    Transfer(TransferAction),
    /// An ERC-20 token to an address.
    TransferErc20(TransferErc20Action),
    /// A function of a contract, by its ABI.
    ContractCall(ContractCallAction),
    /// Any call, or a deployment.
    Raw(RawAction),
}

/// Native currency to an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferAction {
    /// Who receives it.
    pub to_address: Address,
    /// How much.
    pub amount: Wei,
}

/// An ERC-20 token to an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferErc20Action {
    /// The token's contract.
    pub token_address: Address,
    /// Who receives it.
    pub to_address: Address,
    /// How much, in the token's smallest unit.
    pub amount: TokenAmount,
}

/// A function of a contract, by its ABI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractCallAction {
    /// The contract.
    pub contract_address: Address,
    /// Its interface, as the caller knows it.
    pub contract_abi: ContractAbi,
    /// The function: its name, or its full signature where the name alone does not tell it from another.
    pub function_name: String,
    /// Its arguments.
    #[serde(default)]
    pub function_args: Arguments,
    /// Native currency sent along; none: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Wei>,
}

/// Any call, or a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawAction {
    /// The account that is called; none deploys `data` as init code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_address: Option<Address>,
    /// Native currency sent along.
    pub amount: Wei,
    /// The call's input, or the init code.
    pub data: CallData,
    /// What the caller says the contract's interface is. It names arguments only where the bytes fit it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_abi: Option<ContractAbi>,
}
