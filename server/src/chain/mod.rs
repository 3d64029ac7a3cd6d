//! Chains: what a node knows, and handing it signed bytes. Nothing a node says is trusted further than it must be.

mod absence;
mod account;
mod answer;
mod block;
mod budget;
mod data_fee;
mod each;
mod endpoint;
mod estimate;
mod find_use;
mod gas;
mod identity;
mod known;
pub mod local;
mod market;
mod receipt;
mod recent_fees;
mod revert;
mod round;
mod rpc;
mod send;
mod simulate;
#[cfg(test)]
mod tests;
mod token;
mod uses;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::sync::OnceCell;

use self::{
    answer::Count,
    endpoint::Endpoint,
    rpc::{NO_PARAMS, Rpc},
};
use crate::value::{Address, BlockHash, ChainId, Secret};

pub use self::{
    account::Account,
    block::{BlockAuthorization, BlockTransaction, FullBlock},
    budget::{REQUEST_BUDGET, budget},
    endpoint::{BlockRef, Health, Verdict},
    estimate::{Call, EstimateError},
    find_use::{Use, UseSearch},
    gas::intrinsic_gas,
    receipt::Receipt,
    round::{NonceAt, Revert, Round},
    send::SendOutcome,
    simulate::{Log, Simulated},
    token::TokenFacts,
    uses::{NonceUse, NonceUses},
};

/// How long one exchange with a node may take, unless set otherwise.
pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a chain cannot be asked. Never holds any part of the node's URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The node cannot be reached, refuses, answers nonsense, or is not believed. Later may do.
    #[error("the chain's node is of no use: {0}")]
    Unavailable(String),
    /// The node is of another chain.
    #[error("the chain's node is of no use: it is of chain {says}, not {expected}")]
    OtherChain {
        /// Which it says.
        says: u64,
        /// Which it must be.
        expected: ChainId,
    },
    /// The node has another first block than before: it is of another chain with the same id, or its chain began anew.
    #[error("the chain's node is of no use: its first block is {shown}, not {remembered}")]
    OtherGenesis {
        /// The block that is remembered: block 0, or the oldest one the node showed.
        remembered: BlockHash,
        /// What it shows now.
        shown: BlockHash,
    },
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

impl ChainError {
    /// What is wrong, for where it is said already that it is a chain's node.
    pub fn words(&self) -> String {
        match self {
            Self::Unavailable(why) => why.clone(),
            Self::Settings(why) => (*why).to_owned(),
            Self::OtherChain { says, expected } => format!("it is of chain {says}, not {expected}"),
            Self::OtherGenesis { remembered, shown } => format!("its first block is {shown}, not {remembered}"),
        }
    }
}

/// One chain, through one node. Cheap to clone.
#[derive(Clone)]
pub struct Chain(Arc<Shared>);

struct Shared {
    id: ChainId,
    name: String,
    symbol: &'static str,
    endpoint: Arc<Endpoint>,
    /// Set once it is known which contract, if any, says what data costs.
    data_fee_oracle: OnceCell<Option<Address>>,
    floor: market::Floor,
}

impl Chain {
    /// Prepares to ask; no network. Fails when the URL is not http(s).
    pub fn new(settings: ChainSettings) -> Result<Self, ChainError> {
        let ChainSettings { id, url, request_timeout, finality_depth } = settings;
        let known = known::name_and_symbol(id.get());
        let name = known.map_or_else(|| format!("chain {id}"), |(name, _)| name.to_owned());
        let symbol = known.map_or("ETH", |(_, symbol)| symbol);
        let rpc = Rpc::new(&url, request_timeout)?;
        let endpoint = Arc::new(Endpoint::new(id, rpc, finality_depth));
        Ok(Self(Arc::new(Shared {
            id,
            name,
            symbol,
            endpoint,
            data_fee_oracle: OnceCell::new(),
            floor: market::Floor::default(),
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

    /// How its node is, as the last rounds found it; no network.
    pub fn health(&self) -> Health {
        self.0.endpoint.health()
    }

    /// Whether its node is believed; no network.
    pub fn verdict(&self) -> Verdict {
        self.health().verdict
    }

    /// From now on the node's block 0 must be this one: what was stored of it before, or a chain that began anew and
    /// that somebody with a right to say so accepts. A node that was quarantined over it is asked again.
    pub fn expect_genesis(&self, genesis: BlockHash) {
        self.0.endpoint.expect_genesis(genesis);
    }

    /// The way to the node for a request; fails at once while it is not believed.
    async fn rpc(&self) -> Result<&Rpc, ChainError> {
        self.0.endpoint.rpc().await
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chain({})", self.0.id)
    }
}

/// Every chain this server works with. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Chains(Arc<Served>);

#[derive(Debug, Default)]
struct Served {
    known: BTreeMap<ChainId, Chain>,
    /// A node that has to say which chain it is of.
    asked: Option<Asked>,
}

#[derive(Debug)]
struct Asked {
    url: Secret<String>,
    request_timeout: Duration,
    finality_depth: Option<u64>,
    chain: OnceLock<Chain>,
}

impl Chains {
    /// The chain of a node that says itself which one it is of, once [`Chains::discover`] has asked it. Fails when the
    /// URL is not http(s).
    pub fn behind(
        url: Secret<String>,
        request_timeout: Duration,
        finality_depth: Option<u64>,
    ) -> Result<Self, ChainError> {
        Rpc::new(&url, request_timeout)?;
        let asked = Some(Asked { url, request_timeout, finality_depth, chain: OnceLock::new() });
        Ok(Self(Arc::new(Served { known: BTreeMap::new(), asked })))
    }

    /// Whether a node has not said yet which chain it is of.
    pub fn awaits(&self) -> bool {
        self.0.asked.as_ref().is_some_and(|asked| asked.chain.get().is_none())
    }

    /// Asks the node that has not said yet which chain it is of. None: there is no such node. Fails when it cannot say.
    pub async fn discover(&self) -> Result<Option<&Chain>, ChainError> {
        let Some(asked) = &self.0.asked else { return Ok(None) };
        if asked.chain.get().is_none() {
            let Asked { url, request_timeout, finality_depth, .. } = asked;
            let id = Chain::discover(url, *request_timeout).await?;
            let (url, request_timeout, finality_depth) = (url.clone(), *request_timeout, *finality_depth);
            let settings = ChainSettings { id, url, request_timeout, finality_depth };
            // Somebody who asked at the same time may have been faster.
            let _ = asked.chain.set(Chain::new(settings)?);
        }
        Ok(asked.chain.get())
    }

    /// The chain with this id.
    pub fn get(&self, id: ChainId) -> Option<&Chain> {
        self.iter().find(|chain| chain.id() == id)
    }

    /// The only chain, when there is exactly one.
    pub fn only(&self) -> Option<&Chain> {
        let mut chains = self.iter();
        chains.next().filter(|_| chains.next().is_none())
    }

    /// All of them that are known, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Chain> {
        self.0.known.values().chain(self.0.asked.iter().filter_map(|asked| asked.chain.get()))
    }
}

/// Of two chains with one id the later stays.
impl FromIterator<Chain> for Chains {
    fn from_iter<I: IntoIterator<Item = Chain>>(chains: I) -> Self {
        let known = chains.into_iter().map(|chain| (chain.id(), chain)).collect();
        Self(Arc::new(Served { known, asked: None }))
    }
}
