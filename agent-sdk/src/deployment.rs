//! New contracts.

use alloy::primitives::{Bytes, U256};
use alloy::sol_types::SolConstructor;

use crate::Action;

/// The deployment of a contract.
///
/// ```
/// use agent_sdk::{Deployment, PrepareTransaction};
/// use alloy::primitives::{U256, bytes};
///
/// alloy::sol! {
///     contract Vault {
///         constructor(uint256 limit);
///     }
/// }
///
/// let bytecode = bytes!("600160005500"); // as the compiler printed it
/// let arguments = Vault::constructorCall { limit: U256::from(1000) };
/// let request = PrepareTransaction::deploy(Deployment::new(bytecode).arguments(arguments));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    bytecode: Bytes,
    arguments: Vec<u8>,
    amount: U256,
}

impl Deployment {
    /// The deployment of this creation code (a compiler's `bytecode`), without arguments.
    pub fn new(bytecode: impl Into<Bytes>) -> Self {
        Self { bytecode: bytecode.into(), arguments: Vec::new(), amount: U256::ZERO }
    }

    /// With these arguments of its constructor.
    #[must_use]
    pub fn arguments(mut self, arguments: impl SolConstructor) -> Self {
        self.arguments = arguments.abi_encode();
        self
    }

    /// Send `amount` wei of the chain's native coin along.
    #[must_use]
    pub fn amount(mut self, amount: U256) -> Self {
        self.amount = amount;
        self
    }
}

impl From<Deployment> for Action {
    fn from(deployment: Deployment) -> Self {
        let Deployment { bytecode, arguments, amount } = deployment;
        let data = [bytecode.as_ref(), &arguments].concat().into();
        Self::Raw { to_address: None, amount, data, contract_abi: None }
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::bytes;
    use serde_json::json;

    use super::*;

    alloy::sol! {
        contract Vault {
            constructor(uint256 limit, bool open);
        }
    }

    #[test]
    fn the_constructors_arguments_follow_the_bytecode() {
        let arguments = Vault::constructorCall { limit: U256::from(25), open: true };
        let deployment = Deployment::new(bytes!("6001")).arguments(arguments).amount(U256::from(9));
        let data = "0x60010000000000000000000000000000000000000000000000000000000000000019\
                    0000000000000000000000000000000000000000000000000000000000000001";
        let expected = json!({ "type": "raw", "amount": "9", "data": data });
        assert_eq!(serde_json::to_value(Action::from(deployment)).expect("json"), expected);
    }
}
