//! What chains charge for a transaction's data on top of gas.

use alloy::{
    consensus::{SignableTransaction, TxEip1559},
    primitives::{Address as Account, Bytes as Data, TxKind, U256, address, hex},
};
use serde::Serialize;

use super::{
    Call, Chain, ChainError, EstimateError,
    answer::Bytes,
    estimate::{failure, params},
    rpc::Rpc,
};
use crate::value::{Address, Fees, Gas, Wei};

/// Contracts that answer `getL1Fee(bytes)`: GasPriceOracle of the OP Stack (specs.optimism.io, predeploys) and
/// L1GasPriceOracle of Scroll (docs.scroll.io).
const ORACLES: [Account; 2] =
    [address!("420000000000000000000000000000000000000F"), address!("5300000000000000000000000000000000000002")];

/// A fee above 2^100 wei, a million million of native coins, is a lie or a mistake.
const LARGEST: U256 = U256::from_limbs([0, 1 << 36, 0, 0]);

#[derive(Serialize)]
struct Question {
    to: Address,
    data: String,
}

impl Chain {
    /// What the data of a transaction would cost on top of its gas, and the operator's fee, as the chain's oracle estimates
    /// them for the latest block; none where the chain has no oracle that this server knows. Fails when the node cannot be asked.
    pub async fn data_fee(&self, call: &Call, gas_limit: Gas, fees: Fees) -> Result<Option<Wei>, ChainError> {
        let oracle = self.0.data_fee_oracle.get_or_try_init(|| self.find_oracle()).await?;
        let Some(oracle) = *oracle else { return Ok(None) };
        let rpc = self.rpc().await?;
        let transaction = TxEip1559 {
            chain_id: self.id().get(),
            nonce: 0,
            gas_limit: gas_limit.0,
            max_fee_per_gas: fees.max_fee_per_gas,
            max_priority_fee_per_gas: fees.max_priority_fee_per_gas,
            to: call.to.map_or(TxKind::Create, |to| TxKind::Call(to.0)),
            value: call.value.0,
            access_list: Default::default(),
            input: Data::from(call.data.0.clone()),
        };
        let question = Question { to: oracle, data: get_l1_fee(&transaction.encoded_for_signing()) };
        let operator = Question { to: oracle, data: get_operator_fee(gas_limit) };
        // Chains that have not adopted an operator fee (OP Stack before Isthmus, Scroll) refuse the question.
        let (data, operator) = tokio::try_join!(ask(rpc, &question), ask(rpc, &operator))?;
        Ok(data.map(|data| Wei(data.saturating_add(operator.unwrap_or(U256::ZERO)))))
    }

    async fn find_oracle(&self) -> Result<Option<Address>, ChainError> {
        for oracle in ORACLES.map(Address) {
            if self.has_code(oracle).await? {
                return Ok(Some(oracle));
            }
        }
        Ok(None)
    }
}

/// A fee that a contract names; none when it refuses, or names an absurd one.
async fn ask(rpc: &Rpc, question: &Question) -> Result<Option<U256>, ChainError> {
    let answer = match params(&(question, "latest")) {
        Ok(params) => rpc.ask::<_, Bytes>("eth_call", params).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(Bytes(word)) => {
            let word = <&[u8; 32]>::try_from(word.as_slice()).ok();
            Ok(word.map(|word| U256::from_be_bytes(*word)).filter(|fee| *fee <= LARGEST))
        }
        Err(error) => match failure(rpc, error) {
            EstimateError::Unavailable(unavailable) => Err(unavailable),
            EstimateError::Reverted { .. } | EstimateError::InsufficientFunds => Ok(None),
        },
    }
}

/// A call of `getOperatorFee(uint256)`, for all the gas that a transaction may use.
fn get_operator_fee(gas_limit: Gas) -> String {
    format!("0x275aedd2{:064x}", gas_limit.0)
}

/// A call of `getL1Fee(bytes)`.
fn get_l1_fee(transaction: &[u8]) -> String {
    let (offset, length) = (32, transaction.len());
    let mut padded = transaction.to_vec();
    padded.resize(length.next_multiple_of(32), 0);
    format!("0x49948e0e{offset:064x}{length:064x}{}", hex::encode(padded))
}

#[cfg(test)]
mod tests {
    use alloy::primitives::keccak256;

    use super::*;

    #[test]
    fn the_question_is_encoded_as_solidity_does() {
        assert_eq!(keccak256("getL1Fee(bytes)")[..4], [0x49, 0x94, 0x8e, 0x0e]);
        let operator = alloy::primitives::hex::encode(&keccak256("getOperatorFee(uint256)")[..4]);
        assert_eq!(get_operator_fee(Gas(21_000)), format!("0x{operator}{:064x}", 21_000));
        let expected = format!("0x49948e0e{:064x}{:064x}{:0<64}", 32, 3, "010203");
        assert_eq!(get_l1_fee(&[1, 2, 3]), expected);
    }
}
