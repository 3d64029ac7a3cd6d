//! Chains: what a node knows, and handing it signed bytes. Nothing a node says is trusted further than it must be.

mod account;
mod answer;
mod data_fee;
mod estimate;
mod head;
mod known;
pub mod local;
mod market;
mod receipt;
mod revert;
mod rpc;
mod send;
mod simulate;
#[cfg(test)]
mod tests;
mod token;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use alloy::transports::TransportResult;
use tokio::sync::OnceCell;

use self::{
    answer::Count,
    rpc::{NO_PARAMS, Rpc},
};
use crate::value::{Address, ChainId, Secret};

pub use self::{
    account::{Account, Nonces},
    estimate::{Call, EstimateError},
    head::Head,
    receipt::Receipt,
    send::SendOutcome,
    simulate::{Log, Simulated},
    token::TokenFacts,
};

/// How long one request to a node may take, unless set otherwise.
pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a chain cannot be asked. Never holds any part of the node's URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The node cannot be reached, refuses, answers nonsense, or is a node of another chain. Later may do.
    #[error("the chain's node is of no use: {0}")]
    Unavailable(String),
    /// The setting is wrong; later will not do.
    #[error("the URL of the chain's node cannot be used: {0}")]
    Settings(&'static str),
}

/// What is needed to reach a chain.
#[derive(Debug, Clone)]
pub struct ChainSettings {
    /// Which chain it must be.
    pub id: ChainId,
    /// Its node, `http://` or `https://`; may hold a user and password, or a provider's key.
    pub url: Secret<String>,
    /// How long one request may take in all ([`DEFAULT_REQUEST_TIMEOUT`]).
    pub request_timeout: Duration,
    /// After how many blocks a transaction is final, its own counted (at least 1). None: the chain says so itself
    /// (the `finalized` tag), or 64 where it does not.
    pub finality_depth: Option<u64>,
}

/// One chain, through one node. Cheap to clone.
#[derive(Clone)]
pub struct Chain(Arc<Node>);

struct Node {
    id: ChainId,
    name: String,
    symbol: &'static str,
    finality_depth: Option<u64>,
    rpc: Rpc,
    /// Set once the node has said that it is of this chain: whether it is a development node.
    verified: OnceCell<bool>,
    /// Set once the node has said that it has no `eth_simulateV1`.
    cannot_simulate: AtomicBool,
    /// Set once it is known which contract, if any, says what data costs.
    data_fee_oracle: OnceCell<Option<Address>>,
}

impl Chain {
    /// Prepares to ask; no network. Fails when the URL is not http(s).
    pub fn new(settings: ChainSettings) -> Result<Self, ChainError> {
        let ChainSettings { id, url, request_timeout, finality_depth } = settings;
        let known = known::name_and_symbol(id.get());
        let name = known.map_or_else(|| format!("chain {id}"), |(name, _)| name.to_owned());
        let symbol = known.map_or("ETH", |(_, symbol)| symbol);
        let rpc = Rpc::new(&url, request_timeout)?;
        Ok(Self(Arc::new(Node {
            id,
            name,
            symbol,
            finality_depth,
            rpc,
            verified: OnceCell::new(),
            cannot_simulate: AtomicBool::new(false),
            data_fee_oracle: OnceCell::new(),
        })))
    }

    /// Asks a node which chain it is of. Fails when it cannot say.
    pub async fn discover(url: &Secret<String>, request_timeout: Duration) -> Result<ChainId, ChainError> {
        let rpc = Rpc::new(url, request_timeout)?;
        let id: Count = rpc.ask("eth_chainId", NO_PARAMS).await.map_err(|error| rpc.unavailable(error))?;
        ChainId::new(id.0).map_err(|_| ChainError::Unavailable("it says that it is of chain 0".to_owned()))
    }

    /// Its EIP-155 id.
    pub fn id(&self) -> ChainId {
        self.0.id
    }

    /// What people call it; `chain N` when this server does not know.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What its currency is called; `ETH` when this server does not know.
    pub fn symbol(&self) -> &str {
        self.0.symbol
    }

    /// The way to the node, once it has said that it is of this chain. Asked until it has answered once.
    async fn rpc(&self) -> Result<&Rpc, ChainError> {
        self.is_development().await.map(|_| &self.0.rpc)
    }

    /// Whether the node is one that people develop with, which mines alone and never reorganises.
    async fn is_development(&self) -> Result<bool, ChainError> {
        let Node { id, rpc, verified, .. } = &*self.0;
        let verify = async || {
            let (says, version) = identify(rpc).await.map_err(|error| rpc.unavailable(error))?;
            if says != id.get() {
                tracing::error!(chain.id = %id, chain.node_says = says, "the node set for a chain is of another chain");
                return Err(ChainError::Unavailable(format!("it is of chain {says}, not {id}")));
            }
            let version = version.to_lowercase();
            Ok(["anvil", "hardhat", "ganache"].iter().any(|name| version.contains(name)))
        };
        verified.get_or_try_init(verify).await.copied()
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chain({})", self.0.id)
    }
}

/// The chain a node says it is of, and what program it is (empty when it will not say).
async fn identify(rpc: &Rpc) -> TransportResult<(u64, String)> {
    let mut batch = rpc.client.new_batch();
    let id = batch.add_call::<_, Count>("eth_chainId", &NO_PARAMS)?;
    let version = batch.add_call::<_, String>("web3_clientVersion", &NO_PARAMS)?;
    batch.send().await?;
    let id = id.await?.0;
    match version.await {
        Ok(version) => Ok((id, version)),
        Err(error) if error.is_error_resp() => Ok((id, String::new())),
        Err(error) => Err(error),
    }
}

/// Every chain this server works with. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Chains(Arc<BTreeMap<ChainId, Chain>>);

impl Chains {
    /// The chain with this id.
    pub fn get(&self, id: ChainId) -> Option<&Chain> {
        self.0.get(&id)
    }

    /// The only chain, when there is exactly one.
    pub fn only(&self) -> Option<&Chain> {
        self.iter().next().filter(|_| self.0.len() == 1)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Chain> {
        self.0.values()
    }
}

/// Of two chains with one id the later stays.
impl FromIterator<Chain> for Chains {
    fn from_iter<I: IntoIterator<Item = Chain>>(chains: I) -> Self {
        Self(Arc::new(chains.into_iter().map(|chain| (chain.id(), chain)).collect()))
    }
}
