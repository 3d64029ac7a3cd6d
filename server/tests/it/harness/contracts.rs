//! Contracts to call, deployed by the node's own first account. Their sources are in `tests/contracts`, their bytecode is
//! checked in beside them (`scripts/contracts`).

use std::{collections::BTreeMap, sync::LazyLock};

use alloy::{
    primitives::{Address, B256, Bytes, U256, keccak256},
    sol_types::{SolCall, SolValue},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{World, mined, rpc};

/// The interfaces.
pub(crate) mod abi {
    use alloy::sol;

    sol! {
        #[derive(Debug)]
        interface Token {
            function transfer(address to, uint256 amount) returns (bool);
            function approve(address spender, uint256 amount) returns (bool);
            function balanceOf(address owner) view returns (uint256);
        }

        #[derive(Debug)]
        interface Nft {
            function setApprovalForAll(address operator, bool approved);
            function transferFrom(address from, address to, uint256 tokenId);
            function ownerOf(uint256 tokenId) view returns (address);
        }

        #[derive(Debug)]
        interface Multi {
            function setApprovalForAll(address operator, bool approved);
            function balanceOf(address owner, uint256 id) view returns (uint256);
        }

        #[derive(Debug)]
        interface Counter {
            function set(uint256 number);
            function set(uint256 number, string words);
            function deposit() payable;
            function transferOwnership(address newOwner);
            function number() view returns (uint256);
        }

        #[derive(Debug)]
        interface Proxy {
            function upgradeTo(address newImplementation);
        }

        #[derive(Debug)]
        interface Multicall {
            struct Call3 { address target; bool allowFailure; bytes callData; }
            function aggregate3(Call3[] calls) payable;
            function multicall(bytes[] data);
            function touch();
            function touched() view returns (uint256);
        }

        #[derive(Debug)]
        interface Reverter {
            function breakIt();
            function worked() view returns (uint256);
        }

        #[derive(Debug)]
        interface Crowd {
            function crowd(uint256 count);
        }

        #[derive(Debug)]
        interface Drainer {
            function claimReward();
        }

        #[derive(Debug)]
        interface Thief {
            function claim() payable;
            function arm();
        }

        #[derive(Debug)]
        interface Wrapped {
            function deposit() payable;
            function withdraw(uint256 amount);
        }

        #[derive(Debug)]
        interface Liar {
            function buy() payable;
            function vote();
            function setDecimals(uint8 decimals);
        }

        #[derive(Debug)]
        interface Market {
            function swap(uint256 amount);
        }
    }

    /// Everything that `Reverter` can do, and the error it makes up, as an agent would have it.
    pub(crate) const REVERTER: &str = r#"[
        { "type": "function", "name": "work", "inputs": [], "outputs": [], "stateMutability": "nonpayable" },
        { "type": "function", "name": "withText", "inputs": [], "outputs": [], "stateMutability": "pure" },
        { "type": "function", "name": "withPanic", "inputs": [], "outputs": [], "stateMutability": "view" },
        { "type": "function", "name": "withError", "inputs": [], "outputs": [], "stateMutability": "pure" },
        { "type": "error", "name": "TooLittle", "inputs": [
            { "name": "available", "type": "uint256" }, { "name": "required", "type": "uint256" } ] }
    ]"#;
}

#[derive(Deserialize)]
struct Compiled {
    creation: Bytes,
    runtime: Bytes,
}

static BYTECODE: LazyLock<BTreeMap<String, Compiled>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../contracts/bytecode.json")).expect("written by scripts/contracts")
});

/// Has the node's own account send something, and gives the receipt once it is mined.
async fn send(node: &str, to: Option<Address>, data: Bytes) -> Value {
    let accounts = rpc(node, "eth_accounts", json!([])).await;
    let mut transaction = json!({ "from": accounts[0], "data": data });
    if let Some(to) = to {
        transaction["to"] = json!(to);
    }
    let hash = rpc(node, "eth_sendTransaction", json!([transaction])).await;
    mined(node, &hash).await
}

async fn deploy(world: &World, name: &str, arguments: Vec<u8>) -> Address {
    deploy_at(world.node.url(), name, arguments).await
}

/// Deploys a contract at any node.
pub(crate) async fn deploy_at(node: &str, name: &str, arguments: Vec<u8>) -> Address {
    let mut code = BYTECODE[name].creation.to_vec();
    code.extend(arguments);
    let receipt = send(node, None, code.into()).await;
    receipt["contractAddress"].as_str().and_then(|text| text.parse().ok()).expect("a contract")
}

/// What a contract answers.
async fn ask<C: SolCall>(world: &World, contract: Address, call: C) -> C::Return {
    let call = json!({ "to": contract, "data": Bytes::from(call.abi_encode()) });
    let answer = world.rpc("eth_call", json!([call, "latest"])).await;
    let answer: Bytes = serde_json::from_value(answer).expect("bytes");
    C::abi_decode_returns(&answer).expect("its own type")
}

/// What somebody holds of a token.
pub(crate) async fn balance_of(world: &World, token: Address, owner: Address) -> U256 {
    ask(world, token, abi::Token::balanceOfCall { owner }).await
}

/// Declares contracts, each deployed for one account that the constructor names first.
macro_rules! contracts {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct $name {
            pub(crate) address: Address,
        }
    )+};
}

contracts!(
    /// An ERC-20 called TOK with 6 decimals.
    Token;
    /// An ERC-721 called PIC.
    Nft;
    /// An ERC-1155 without a name.
    Multi;
    /// Something whose state can be seen to change.
    Counter;
    /// Code that its owner can replace.
    Proxy;
    /// Several calls in one.
    Multicall;
    /// Refuses in every way there is.
    Reverter;
    /// Takes whatever it may.
    Drainer;
    /// Says that as many things move as it is told.
    Crowd;
);

impl Token {
    pub(crate) async fn deploy_for(world: &World, holder: Address, supply: U256) -> Self {
        Self { address: deploy(world, "Token", (holder, supply).abi_encode_params()).await }
    }

    pub(crate) async fn balance_of(&self, world: &World, owner: Address) -> U256 {
        balance_of(world, self.address, owner).await
    }

    /// As if the owner had allowed it long ago.
    pub(crate) async fn set_allowance(&self, world: &World, owner: Address, spender: Address, amount: U256) {
        // `allowance` is the second variable of `Ledger`.
        let of_owner = keccak256((owner, U256::ONE).abi_encode());
        let slot = keccak256((spender, of_owner).abi_encode());
        world.rpc("anvil_setStorageAt", json!([self.address, slot, B256::from(amount)])).await;
    }
}

/// By what a thief tells a trial from the real thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Always = 0,
    Price = 1,
    BaseFee = 2,
    Later = 3,
    MuchLater = 4,
    GasLimit = 5,
    RealBlock = 6,
    Armed = 7,
    Tip = 8,
    Buried = 9,
}

impl Sign {
    /// Those that need nobody to arm them.
    pub(crate) const ALL: [Self; 9] = [
        Self::Always,
        Self::Price,
        Self::BaseFee,
        Self::Later,
        Self::MuchLater,
        Self::GasLimit,
        Self::RealBlock,
        Self::Tip,
        Self::Buried,
    ];
}

/// A contract of any make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made(pub(crate) Address);

impl Made {
    pub(crate) async fn new(world: &World, name: &str, arguments: Vec<u8>) -> Self {
        Self(deploy(world, name, arguments).await)
    }

    pub(crate) async fn thief(world: &World, token: Address, sign: Sign) -> Self {
        Self::new(world, "Thief", (token, U256::from(sign as u8)).abi_encode_params()).await
    }

    pub(crate) async fn arm(self, world: &World) {
        self.tell(world, &abi::Thief::armCall {}).await;
    }

    /// The node's own account calls it.
    pub(crate) async fn tell<C: SolCall>(self, world: &World, call: &C) {
        send(world.node.url(), Some(self.0), call.abi_encode().into()).await;
    }

    /// What deploys one.
    pub(crate) fn code(name: &str, arguments: Vec<u8>) -> Bytes {
        let mut code = BYTECODE[name].creation.to_vec();
        code.extend(arguments);
        code.into()
    }
}

/// Tokens of other makes, by the name of their contract.
pub(crate) async fn odd_token(world: &World, name: &str, holder: Address, supply: U256) -> Address {
    deploy(world, name, (holder, supply).abi_encode_params()).await
}

impl Nft {
    pub(crate) async fn deploy_for(world: &World, holder: Address) -> Self {
        Self { address: deploy(world, "Nft", holder.abi_encode()).await }
    }

    pub(crate) async fn owner_of(&self, world: &World, token_id: u64) -> Address {
        ask(world, self.address, abi::Nft::ownerOfCall { tokenId: U256::from(token_id) }).await
    }
}

impl Multi {
    pub(crate) async fn deploy_for(world: &World, holder: Address) -> Self {
        Self { address: deploy(world, "Multi", holder.abi_encode()).await }
    }
}

impl Counter {
    /// What deploys one that belongs to nobody.
    pub(crate) fn bytecode() -> Bytes {
        let mut code = BYTECODE["Counter"].creation.to_vec();
        code.extend(Address::ZERO.abi_encode());
        code.into()
    }

    pub(crate) async fn deploy(world: &World) -> Self {
        Self::deploy_owned_by(world, Address::ZERO).await
    }

    pub(crate) async fn deploy_owned_by(world: &World, owner: Address) -> Self {
        Self { address: deploy(world, "Counter", owner.abi_encode()).await }
    }

    pub(crate) async fn number(&self, world: &World) -> U256 {
        ask(world, self.address, abi::Counter::numberCall {}).await
    }
}

impl Proxy {
    pub(crate) async fn deploy_owned_by(world: &World, owner: Address) -> Self {
        Self { address: deploy(world, "Proxy", owner.abi_encode()).await }
    }
}

impl Multicall {
    pub(crate) async fn deploy(world: &World) -> Self {
        Self { address: deploy(world, "Multicall", Vec::new()).await }
    }

    pub(crate) async fn touched(&self, world: &World) -> U256 {
        ask(world, self.address, abi::Multicall::touchedCall {}).await
    }
}

impl Reverter {
    pub(crate) async fn deploy(world: &World) -> Self {
        Self { address: deploy(world, "Reverter", Vec::new()).await }
    }

    /// From now on it does not work.
    pub(crate) async fn break_it(&self, world: &World) {
        send(world.node.url(), Some(self.address), abi::Reverter::breakItCall {}.abi_encode().into()).await;
    }
}

impl Drainer {
    pub(crate) async fn deploy(world: &World, token: Address) -> Self {
        Self { address: deploy(world, "Drainer", token.abi_encode()).await }
    }
}

impl Crowd {
    pub(crate) async fn deploy(world: &World) -> Self {
        Self { address: deploy(world, "Crowd", Vec::new()).await }
    }
}

/// Makes the node's chain one that charges for data, as the OP Stack does.
pub(crate) async fn put_data_fee_oracle(world: &World) {
    let oracle = "0x420000000000000000000000000000000000000F";
    world.rpc("anvil_setCode", json!([oracle, BYTECODE["DataFeeOracle"].runtime])).await;
}
