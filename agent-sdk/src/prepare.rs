//! The agent's request.

use std::time::Duration;

use alloy::primitives::{Address, Bytes, U256};
use serde::Serialize;
use uuid::Uuid;

use crate::{Action, Deployment, Execute, address};

/// A request for a transaction, for a human to decide on.
///
/// It carries an idempotency key from the start: cloned or sent again, it is the same request, and
/// the server answers with the same transaction. Make a new one to pay a second time.
///
/// ```
/// use std::time::Duration;
/// use agent_sdk::{PrepareTransaction, address, amount};
///
/// let to = address::parse("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")?;
/// let request = PrepareTransaction::transfer(to, amount::parse("1000000000000000")?)
///     .memo("invoice 4711")
///     .expires_in(Duration::from_secs(3600));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct PrepareTransaction {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<Uuid>,
    #[serde(with = "address::optional", skip_serializing_if = "Option::is_none")]
    address: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_id: Option<u64>,
    action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    memo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execute: Option<Execute>,
    #[serde(skip)]
    pub(crate) idempotency_key: String,
}

impl PrepareTransaction {
    /// Any action.
    #[must_use]
    pub fn new(action: Action) -> Self {
        Self {
            user_id: None,
            address: None,
            chain_id: None,
            action,
            memo: None,
            expires_in: None,
            execute: None,
            idempotency_key: Uuid::now_v7().to_string(),
        }
    }

    /// Sends `amount` wei of the chain's native coin.
    #[must_use]
    pub fn transfer(to_address: Address, amount: U256) -> Self {
        Self::new(Action::Transfer { to_address, amount })
    }

    /// Sends `amount` of an ERC-20 token, in its smallest unit.
    #[must_use]
    pub fn transfer_erc20(token_address: Address, to_address: Address, amount: U256) -> Self {
        Self::new(Action::TransferErc20 { token_address, to_address, amount })
    }

    /// Calls a contract: a [`ContractCall`](crate::ContractCall) or an [`AbiCall`](crate::AbiCall).
    #[must_use]
    pub fn contract_call(call: impl Into<Action>) -> Self {
        Self::new(call.into())
    }

    /// Deploys a contract.
    #[must_use]
    pub fn deploy(deployment: Deployment) -> Self {
        Self::new(deployment.into())
    }

    /// Sends these bytes, with `amount` wei of the chain's native coin. No `to_address` deploys a
    /// contract.
    #[must_use]
    pub fn raw(to_address: Option<Address>, amount: U256, data: Bytes) -> Self {
        Self::new(Action::Raw { to_address, amount, data, contract_abi: None })
    }

    /// From the wallet with this address. May be left out when the agent has one wallet.
    #[must_use]
    pub fn address(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }

    /// On the chain with this EIP-155 id. May be left out when the server has one chain.
    #[must_use]
    pub fn chain_id(mut self, chain_id: u64) -> Self {
        self.chain_id = Some(chain_id);
        self
    }

    /// Words for the human, at most 280 characters.
    #[must_use]
    pub fn memo(mut self, memo: impl Into<String>) -> Self {
        self.memo = Some(memo.into());
        self
    }

    /// How long the human has to decide, in whole seconds: 5 minutes to 7 days, one day by default.
    #[must_use]
    pub fn expires_in(mut self, expires_in: Duration) -> Self {
        self.expires_in = Some(expires_in.as_secs());
        self
    }

    /// Who sets it going once it is approved; [`Execute::Agent`] by default. The human is shown
    /// which, and approves that.
    ///
    /// With [`Execute::OnApproval`] it is sent by the approval itself, and an agent that is away or
    /// slow holds nobody up. [`pay`](crate::AgentClient::pay) takes both.
    #[must_use]
    pub fn execute(mut self, execute: Execute) -> Self {
        self.execute = Some(execute);
        self
    }

    /// Only if the agent belongs to this user.
    #[must_use]
    pub fn user_id(mut self, user_id: Uuid) -> Self {
        self.user_id = Some(user_id);
        self
    }

    /// Use this idempotency key (1 to 255 visible ASCII characters) instead of a random one.
    ///
    /// An agent that may be restarted between asking and hearing the answer should use a name of
    /// its own for the payment, such as an invoice number, so that it is never asked for twice.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = key.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_was_set_is_sent() {
        let request = PrepareTransaction::transfer(Address::ZERO, U256::from(1));
        let zero = "0x0000000000000000000000000000000000000000";
        let action = json!({"type": "transfer", "to_address": zero, "amount": "1"});
        assert_eq!(serde_json::to_value(&request).expect("json"), json!({"action": action}));

        let request = request.address(Address::ZERO).chain_id(1).expires_in(Duration::from_millis(300_900));
        let request = request.execute(Execute::OnApproval);
        let expected =
            json!({"address": zero, "chain_id": 1, "action": action, "expires_in": 300, "execute": "on_approval"});
        assert_eq!(serde_json::to_value(&request).expect("json"), expected);
    }

    #[test]
    fn a_clone_is_the_same_request_and_a_new_one_is_not() {
        let request = PrepareTransaction::transfer(Address::ZERO, U256::from(1));
        assert_eq!(request.clone().idempotency_key, request.idempotency_key);
        let another = PrepareTransaction::transfer(Address::ZERO, U256::from(1));
        assert_ne!(another.idempotency_key, request.idempotency_key);
    }
}
