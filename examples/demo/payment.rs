//! The agent's side: everything goes through the SDK, and what came of it is asked from the node.

use std::time::Duration;

use agent_sdk::{AgentClient, ErrorCode, PrepareTransaction, Secret, Status, Transaction};
use alloy::primitives::{Address, U256};
use uuid::Uuid;

use crate::failure::Failure;
use crate::node::{Node, Receipt};
use crate::output::Output;
use crate::proof::{Balances, check, coins};

/// 0.25 coins, in wei.
const AMOUNT: u64 = 250_000_000_000_000_000;
/// What the agent tells the human.
const MEMO: &str = "invoice 4711: a month of weather reports";
/// How long each wait of the agent may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A payment, and what both sides held before it.
pub(crate) struct Payment<'a> {
    agent: AgentClient,
    node: &'a Node,
    payer: Address,
    payee: Address,
    before: Balances,
}

impl<'a> Payment<'a> {
    /// A payment from one address to another, not asked for yet.
    ///
    /// Fails when the server's URL or the API key is no good, or the node does not answer.
    pub(crate) async fn new(
        server: &str,
        api_key: Secret,
        node: &'a Node,
        (payer, payee): (Address, Address),
    ) -> Result<Self, Failure> {
        let agent = AgentClient::builder(server, api_key).wait_limit(PATIENCE).build()?;
        let before = node.balances(payer, payee).await?;
        Ok(Self { agent, node, payer, payee, before })
    }

    /// The agent asks, and tries to execute before anyone has approved. The transaction's id.
    ///
    /// Fails when the server lets it.
    pub(crate) async fn ask(&self, output: &mut Output) -> Result<Uuid, Failure> {
        let request = PrepareTransaction::transfer(self.payee, U256::from(AMOUNT)).address(self.payer).memo(MEMO);
        let Transaction { transaction_id, status, .. } = self.agent.prepare(request).await?;
        output.fact("pays", &format!("{} ETH to {}", coins(U256::from(AMOUNT)), self.payee))?;
        output.fact("memo", MEMO)?;
        output.fact("id", &transaction_id.to_string())?;
        output.fact("status", status.as_str())?;
        self.cannot_execute(transaction_id).await?;
        output.say("The agent tries to execute it at once, and is refused: a human has to decide first.")?;
        Ok(transaction_id)
    }

    /// The agent executes what was approved, and waits for the chain.
    ///
    /// Fails when it does not end confirmed.
    pub(crate) async fn execute(&self, output: &mut Output, transaction_id: Uuid) -> Result<Transaction, Failure> {
        self.agent.wait_until_decided(transaction_id).await?;
        let sent = self.agent.execute(transaction_id).await?;
        output.fact("status", sent.status.as_str())?;
        let ended = self.agent.wait_until_confirmed(transaction_id).await?;
        output.fact("status", ended.status.as_str())?;
        match ended.status {
            Status::Confirmed => Ok(ended),
            status => Err(Failure::NotConfirmed(status.to_string())),
        }
    }

    /// Shows the receipt and the balances, all from the node.
    ///
    /// Fails unless exactly what was approved has moved, and the server says the same.
    pub(crate) async fn prove(&self, output: &mut Output, transaction: &Transaction) -> Result<(), Failure> {
        let hash = transaction.transaction_hash.ok_or(Failure::Disagreement("it names no hash"))?;
        let receipt = self.node.receipt(hash).await?;
        output.fact("hash", &hash.to_string())?;
        output.fact("block", &format!("{}, {}", receipt.block(), receipt.block_hash))?;
        output.fact("gas", &format!("{} used; the fee was {} ETH", receipt.gas_used(), coins(receipt.fee())))?;
        self.compare(transaction, &receipt)?;

        let after = self.node.balances(self.payer, self.payee).await?;
        self.show(output, after)?;
        Ok(check(self.before, after, U256::from(AMOUNT), receipt.fee())?)
    }

    /// Shows that nothing happened to the payment, and withdraws it.
    ///
    /// Fails when anything moved, or could move.
    pub(crate) async fn prove_nothing_moved(&self, output: &mut Output, transaction_id: Uuid) -> Result<(), Failure> {
        let transaction = self.agent.status(transaction_id).await?;
        output.fact("status", transaction.status.as_str())?;
        if transaction.status != Status::Pending {
            return Err(Failure::NotConfirmed(transaction.status.to_string()));
        }
        self.cannot_execute(transaction_id).await?;
        let withdrawn = self.agent.cancel(transaction_id).await?;
        output.say(&format!("The agent still cannot execute it. It withdraws: {}.", withdrawn.status))?;

        let after = self.node.balances(self.payer, self.payee).await?;
        self.show(output, after)?;
        check(self.before, after, U256::ZERO, U256::ZERO)?;
        match self.node.transaction_count(self.payer).await? {
            0 => Ok(()),
            _ => Err(Failure::Disagreement("the wallet has sent a transaction")),
        }
    }

    /// Fails unless the server refuses the agent.
    async fn cannot_execute(&self, transaction_id: Uuid) -> Result<(), Failure> {
        match self.agent.execute(transaction_id).await {
            Err(error) if error.code() == Some(ErrorCode::InvalidState) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => Err(Failure::Unguarded),
        }
    }

    /// Fails unless the node's receipt says the same as the server, and both what was approved.
    fn compare(&self, transaction: &Transaction, receipt: &Receipt) -> Result<(), Failure> {
        let block = transaction.block.as_ref().ok_or(Failure::Disagreement("it names no block"))?;
        let same_block = (block.number, block.hash) == (receipt.block(), receipt.block_hash);
        let same_fee = U256::from(block.gas_used) * block.effective_gas_price == receipt.fee();
        let parties = (receipt.from, receipt.to) == (self.payer, Some(self.payee));
        match (receipt.succeeded(), parties, same_block, same_fee) {
            (true, true, true, true) => Ok(()),
            (false, ..) => Err(Failure::Disagreement("the transaction was reverted")),
            (_, false, ..) => Err(Failure::Disagreement("it is between other addresses")),
            (_, _, false, _) => Err(Failure::Disagreement("it is in another block")),
            (.., false) => Err(Failure::Disagreement("it cost something else")),
        }
    }

    /// The balances of both sides, before and after, in coins.
    fn show(&self, output: &mut Output, after: Balances) -> Result<(), Failure> {
        output.row("ETH", "before", "after")?;
        output.row("wallet", &coins(self.before.payer), &coins(after.payer))?;
        output.row("supplier", &coins(self.before.payee), &coins(after.payee))?;
        Ok(())
    }
}
