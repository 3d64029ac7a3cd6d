//! What users send on their own.

use poem_openapi::Object;
use serde::Deserialize;

use crate::{
    domain::transactions::{Draft, Send},
    http::{actions::Action, body::present},
    value::{
        self, Address, Arguments, ChainId, ContractAbi, ContractCallAction, Digest, IdempotencyKey, Password,
        TokenAmount, TotpCode, TransferAction, TransferErc20Action, Wei,
    },
};

/// Something to look at before it is sent.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub(super) struct PreviewTransaction {
    /// The account that would pay.
    address: Address,
    /// The chain. May be left out when there is only one.
    #[serde(default, deserialize_with = "present")]
    chain_id: Option<ChainId>,
    /// What would be done.
    action: Action,
}

impl From<PreviewTransaction> for Draft {
    fn from(request: PreviewTransaction) -> Self {
        let PreviewTransaction { address, chain_id, action: Action(action) } = request;
        Self { address, chain_id, action }
    }
}

/// Native currency to send.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub(super) struct Transfer {
    /// The user's password.
    #[oai(write_only)]
    password: Password,
    /// The code of the user's authenticator app. One code is good for one send.
    #[oai(write_only)]
    mfa_code: TotpCode,
    /// The account that pays.
    address: Address,
    /// Who receives it.
    to_address: Address,
    /// How much, in wei.
    amount: Wei,
    /// The chain. May be left out when there is only one.
    #[serde(default, deserialize_with = "present")]
    chain_id: Option<ChainId>,
    /// The digest that `preview_transaction`, or a refusal, gave within the last 15 minutes: then it is sent as it was
    /// shown, or not at all. Required where there is a warning of high severity. Always send it.
    #[serde(default, deserialize_with = "present")]
    digest: Option<Digest>,
    /// Problems and warnings the user was told of and accepts: the code of each, or `code:subject`.
    #[oai(validator(max_items = 128))]
    #[serde(default, deserialize_with = "present")]
    acknowledge: Option<Vec<String>>,
}

impl Transfer {
    /// The domain's form.
    pub(super) fn into_send(self, idempotency_key: Option<IdempotencyKey>) -> Send {
        let Self { password, mfa_code: code, address, to_address, amount, chain_id, digest, acknowledge } = self;
        let action = value::Action::Transfer(TransferAction { to_address, amount });
        let draft = Draft { address, chain_id, action };
        Send { draft, password, code, digest, acknowledge: acknowledge.unwrap_or_default(), idempotency_key }
    }
}

/// An ERC-20 token to send.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub(super) struct TransferErc20 {
    /// The user's password.
    #[oai(write_only)]
    password: Password,
    /// The code of the user's authenticator app. One code is good for one send.
    #[oai(write_only)]
    mfa_code: TotpCode,
    /// The account that pays.
    address: Address,
    /// The token's contract.
    token_address: Address,
    /// Who receives it.
    to_address: Address,
    /// How much, in the token's smallest unit.
    amount: TokenAmount,
    /// The chain. May be left out when there is only one.
    #[serde(default, deserialize_with = "present")]
    chain_id: Option<ChainId>,
    /// The digest that `preview_transaction`, or a refusal, gave within the last 15 minutes: then it is sent as it was
    /// shown, or not at all. Required where there is a warning of high severity. Always send it.
    #[serde(default, deserialize_with = "present")]
    digest: Option<Digest>,
    /// Problems and warnings the user was told of and accepts: the code of each, or `code:subject`.
    #[oai(validator(max_items = 128))]
    #[serde(default, deserialize_with = "present")]
    acknowledge: Option<Vec<String>>,
}

impl TransferErc20 {
    /// The domain's form.
    pub(super) fn into_send(self, idempotency_key: Option<IdempotencyKey>) -> Send {
        let Self {
            password,
            mfa_code: code,
            address,
            token_address,
            to_address,
            amount,
            chain_id,
            digest,
            acknowledge,
        } = self;
        let action = value::Action::TransferErc20(TransferErc20Action { token_address, to_address, amount });
        let draft = Draft { address, chain_id, action };
        Send { draft, password, code, digest, acknowledge: acknowledge.unwrap_or_default(), idempotency_key }
    }
}

/// A function of a contract to call.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub(super) struct ContractCall {
    /// The user's password.
    #[oai(write_only)]
    password: Password,
    /// The code of the user's authenticator app. One code is good for one send.
    #[oai(write_only)]
    mfa_code: TotpCode,
    /// The account that pays.
    address: Address,
    /// The contract.
    contract_address: Address,
    /// Its interface.
    contract_abi: ContractAbi,
    /// The function: its name, or its full signature, such as `mint(address,uint256)`, where several have the name.
    function_name: String,
    /// Its arguments, in order.
    function_args: Arguments,
    /// Native currency sent along, in wei; nothing when absent.
    #[serde(default, deserialize_with = "present")]
    amount: Option<Wei>,
    /// The chain. May be left out when there is only one.
    #[serde(default, deserialize_with = "present")]
    chain_id: Option<ChainId>,
    /// The digest that `preview_transaction`, or a refusal, gave within the last 15 minutes: then it is sent as it was
    /// shown, or not at all. Required where there is a warning of high severity. Always send it.
    #[serde(default, deserialize_with = "present")]
    digest: Option<Digest>,
    /// Problems and warnings the user was told of and accepts: the code of each, or `code:subject`.
    #[oai(validator(max_items = 128))]
    #[serde(default, deserialize_with = "present")]
    acknowledge: Option<Vec<String>>,
}

impl ContractCall {
    /// The domain's form.
    pub(super) fn into_send(self, idempotency_key: Option<IdempotencyKey>) -> Send {
        let Self {
            password,
            mfa_code: code,
            address,
            contract_address,
            contract_abi,
            function_name,
            function_args,
            amount,
            chain_id,
            digest,
            acknowledge,
        } = self;
        let call = ContractCallAction { contract_address, contract_abi, function_name, function_args, amount };
        let draft = Draft { address, chain_id, action: value::Action::ContractCall(call) };
        Send { draft, password, code, digest, acknowledge: acknowledge.unwrap_or_default(), idempotency_key }
    }
}
