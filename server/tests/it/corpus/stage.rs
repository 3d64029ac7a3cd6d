//! Whom the corpus is about: a wallet with a little of everything, and the contracts around it.

use agent_sdk::{Action, PrepareTransaction, Transaction};
use alloy::{
    primitives::{Address, B256, Bytes, I256, U256, keccak256},
    sol_types::SolValue,
};
use serde_json::json;

use crate::harness::{
    ETHER, Human, World,
    contracts::{Made, Multi, Multicall, Nft, Token, balance_of},
    mined, number,
};

/// What the wallet holds of each token.
pub(super) const HELD: u64 = 1_000_000;
/// What whom it deals with may take.
pub(super) const ALLOWED: u64 = 900_000;

/// One transaction that is asked for.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) ask: PrepareTransaction,
}

impl Case {
    pub(super) fn new(name: impl Into<String>, ask: PrepareTransaction) -> Self {
        Self { name: name.into(), ask }
    }

    /// A call by its bytes alone.
    pub(super) fn raw(name: impl Into<String>, to: Address, data: Bytes, wei: u128) -> Self {
        Self::new(name, PrepareTransaction::raw(Some(to), U256::from(wei), data))
    }

    /// A call that the agent has a name for.
    pub(super) fn named(signature: &str, to: Address, data: Bytes) -> Self {
        let contract_abi = Some(format!("function {signature}").into());
        let action = Action::Raw { to_address: Some(to), amount: U256::ZERO, data, contract_abi };
        Self::new(format!("{signature}, named"), PrepareTransaction::new(action))
    }
}

/// A wallet and its world.
pub(super) struct Stage<'a> {
    pub(super) world: &'a World,
    pub(super) human: Human,
    pub(super) wallet: Address,
    /// Somebody the user has paid, and another wallet of theirs.
    pub(super) friend: Address,
    pub(super) own: Address,
    pub(super) token: Token,
    /// Another one.
    pub(super) other: Token,
    pub(super) wrapped: Address,
    pub(super) nft: Nft,
    pub(super) multi: Multi,
    pub(super) multicall: Multicall,
    /// A token that says one thing and does another.
    pub(super) liar: Address,
    watched: Vec<Address>,
}

impl<'a> Stage<'a> {
    pub(super) async fn set(world: &'a World) -> Self {
        let human = Human::with_everything(world).await;
        let wallet = human.address;
        let friend = crate::harness::stranger();
        human.executed(friend, 1).await;
        let own = human.another_wallet(world).await;
        let token = Token::deploy_for(world, wallet, U256::from(HELD)).await;
        let other = Token::deploy_for(world, wallet, U256::from(HELD)).await;
        let wrapped = Made::new(world, "Wrapped", Vec::new()).await.0;
        let nft = Nft::deploy_for(world, wallet).await;
        let multi = Multi::deploy_for(world, wallet).await;
        let multicall = Multicall::deploy(world).await;
        let liar = Made::new(world, "Liar", (wallet, U256::from(HELD)).abi_encode_params()).await.0;
        let watched = vec![token.address, other.address, wrapped, liar, nft.address];
        Self { world, human, wallet, friend, own, token, other, wrapped, nft, multi, multicall, liar, watched }
    }

    /// A contract that takes so much of the token and pays so much of the other one to somebody, whatever is called; the
    /// wallet allows it to.
    pub(super) async fn venue(&self, takes: u64, pays: u64, payee: Address) -> Address {
        let venue = self.counterparty(takes, self.other.address, U256::from(pays), payee).await;
        // `balanceOf` is the first variable of `Ledger`.
        self.give(self.other.address, 0, venue, U256::from(HELD)).await;
        venue
    }

    /// One that pays its caller native currency.
    pub(super) async fn desk(&self, takes: u64, pays: u128) -> Address {
        let desk = self.counterparty(takes, Address::ZERO, U256::from(pays), Address::ZERO).await;
        self.fund(desk).await;
        desk
    }

    async fn counterparty(&self, takes: u64, paid: Address, pays: U256, payee: Address) -> Address {
        let taken = if takes == 0 { Address::ZERO } else { self.token.address };
        let arguments = (taken, U256::from(takes), paid, pays, payee).abi_encode_params();
        let made = Made::new(self.world, "Venue", arguments).await.0;
        if takes > 0 {
            self.allow(made).await;
        }
        made
    }

    /// As if the wallet had allowed it long ago.
    pub(super) async fn allow(&self, spender: Address) {
        self.token.set_allowance(self.world, self.wallet, spender, U256::from(ALLOWED)).await;
    }

    /// Somebody holds so much of a token that keeps what each holds in this variable.
    pub(super) async fn give(&self, token: Address, variable: u64, to: Address, amount: U256) {
        let slot = keccak256((to, U256::from(variable)).abi_encode());
        self.world.rpc("anvil_setStorageAt", json!([token, slot, B256::from(amount)])).await;
    }

    /// A contract holds 100 ether.
    pub(super) async fn fund(&self, contract: Address) {
        self.world.rpc("anvil_setBalance", json!([contract, format!("0x{:x}", 100 * ETHER)])).await;
    }

    /// What the human is shown.
    pub(super) async fn shown(&self, case: &Case) -> Transaction {
        let shown = self.human.agent.prepare(case.ask.clone().address(self.wallet)).await;
        let shown = shown.unwrap_or_else(|error| panic!("{} cannot be asked for: {error:?}", case.name));
        self.human.client.reject(shown.transaction_id, None).await.expect("its owner");
        shown
    }

    /// Lets it happen for once, as if the wallet's owner had signed it. Gives by how much the wallet's holdings change, fees
    /// left out.
    pub(super) async fn happens(&self, shown: &Transaction) -> Vec<(Option<Address>, I256)> {
        let before = self.world.snapshot().await;
        let held = self.holdings().await;
        self.world.rpc("anvil_impersonateAccount", json!([self.wallet])).await;
        let mut transaction = json!({
            "from": self.wallet,
            "value": shown.value,
            "data": shown.data,
            "gas": format!("0x{:x}", shown.gas_limit),
            "maxFeePerGas": format!("0x{:x}", shown.max_fee_per_gas),
            "maxPriorityFeePerGas": format!("0x{:x}", shown.max_priority_fee_per_gas),
        });
        if let Some(to) = shown.to {
            transaction["to"] = json!(to);
        }
        let hash = self.world.rpc("eth_sendTransaction", json!([transaction])).await;
        let receipt = mined(self.world.node.url(), &hash).await;
        let fee = U256::from(number(&receipt["gasUsed"])) * U256::from(number(&receipt["effectiveGasPrice"]));
        let now = self.holdings().await;
        self.world.revert_to(before).await;
        let signed = |amount: U256| I256::try_from(amount).expect("an amount");
        let moved = held.into_iter().zip(now).map(|((token, held), (_, now))| {
            let fee = if token.is_none() { fee } else { U256::ZERO };
            (token, signed(now + fee) - signed(held))
        });
        moved.collect()
    }

    async fn holdings(&self) -> Vec<(Option<Address>, U256)> {
        let mut holdings = vec![(None, self.world.balance(self.wallet).await)];
        for &token in &self.watched {
            holdings.push((Some(token), balance_of(self.world, token, self.wallet).await));
        }
        holdings
    }
}
