//! What an agent asks for.

use serde::{Deserialize, Serialize};

use super::{Address, CallData, Wei};

/// What an agent asks for, as it said it. What is signed is derived from it once, at preparation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Action {
    /// Native currency to an address.
    Transfer(TransferAction),
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
}
