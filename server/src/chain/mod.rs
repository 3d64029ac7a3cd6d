//! Chains: what a node knows, and handing it signed bytes. Nothing a node says is trusted further than it must be.

mod absence;
mod account;
mod agree;
mod answer;
mod block;
mod budget;
mod chains;
mod check;
mod data_fee;
mod each;
mod endpoint;
mod estimate;
mod failover;
mod finality;
mod find_use;
mod gas;
mod habits;
mod heads;
mod identity;
mod known;
pub mod local;
mod market;
mod pool;
mod receipt;
mod recent_fees;
mod refusal;
mod response;
mod revert;
mod round;
mod rpc;
mod send;
mod settings;
mod simulate;
#[cfg(test)]
mod tests;
mod token;
mod transport;
mod uses;
mod witness;

use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::{Notify, OnceCell};

use self::{endpoint::Endpoint, pool::Pool, rpc::Rpc};
use crate::value::{Address, BlockHash, ChainId};

pub use self::{
    account::Account,
    block::{BlockAuthorization, BlockTransaction, FullBlock},
    budget::{REQUEST_BUDGET, budget},
    chains::Chains,
    check::{Abilities, EndpointCheck, check},
    endpoint::{BlockRef, EndpointStatus, Health, Verdict},
    estimate::{Call, EstimateError},
    finality::FinalBy,
    find_use::{Use, UseSearch},
    gas::intrinsic_gas,
    habits::Habits,
    receipt::Receipt,
    round::{NonceAt, Revert, Round},
    send::SendOutcome,
    settings::{ChainSettings, DEFAULT_DEAD_TAG_AFTER, DEFAULT_REQUEST_TIMEOUT, EndpointSettings, Finality},
    simulate::{Balance, Effects, Log, Simulated, Terms, Trial},
    token::TokenFacts,
    uses::{NonceUse, NonceUses},
};

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

/// One chain, through its endpoints. Cheap to clone.
#[derive(Clone)]
pub struct Chain(Arc<Shared>);

struct Shared {
    settings: ChainSettings,
    name: String,
    symbol: String,
    pool: Arc<Pool>,
    /// The way to whichever endpoint answers, where there are several.
    failover: Rpc,
    /// Set once it is known which contract, if any, says what data costs.
    data_fee_oracle: OnceCell<Option<Address>>,
    floor: market::Floor,
    /// Rung when a new block is told.
    wake: Notify,
}

impl Chain {
    /// Prepares to ask; no network. Fails when there is no endpoint, or when a URL is not http(s).
    pub fn new(settings: ChainSettings) -> Result<Self, ChainError> {
        let id = settings.id;
        let known = known::name_and_symbol(id.get());
        let name = known.map_or_else(|| format!("chain {id}"), |(name, _)| name.to_owned());
        let symbol = known.map_or("ETH", |(_, symbol)| symbol);
        let endpoints = settings.endpoints.iter().map(|endpoint| Endpoint::new(&settings, endpoint).map(Arc::new));
        let endpoints: Vec<_> = endpoints.collect::<Result<_, _>>()?;
        if endpoints.is_empty() {
            return Err(ChainError::Settings("there is none"));
        }
        let pool = Arc::new(Pool::new(endpoints));
        Ok(Self(Arc::new(Shared {
            failover: failover::rpc(&pool),
            pool,
            name: settings.name.clone().unwrap_or(name),
            symbol: settings.symbol.clone().unwrap_or_else(|| symbol.to_owned()),
            settings,
            data_fee_oracle: OnceCell::new(),
            floor: market::Floor::default(),
            wake: Notify::new(),
        })))
    }

    /// Its EIP-155 id.
    pub fn id(&self) -> ChainId {
        self.0.settings.id
    }

    /// What people call it; `chain N` when this server does not know.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What its currency is called; `ETH` when this server does not know.
    pub fn symbol(&self) -> &str {
        &self.0.symbol
    }

    /// A page that shows its transactions to people, where one is set; without a slash at the end.
    pub fn explorer_url(&self) -> Option<&str> {
        self.0.settings.explorer_url.as_deref()
    }

    /// How it is set.
    pub fn settings(&self) -> &ChainSettings {
        &self.0.settings
    }

    /// How its best endpoint is, as the last rounds found it; no network.
    pub fn health(&self) -> Health {
        self.0.pool.all().first().map(|endpoint| endpoint.health()).unwrap_or_default()
    }

    /// Whether its best endpoint is believed; no network.
    pub fn verdict(&self) -> Verdict {
        self.health().verdict
    }

    /// How each endpoint is, in the order of the settings; no network.
    pub fn endpoints(&self) -> Vec<EndpointStatus> {
        self.0.pool.status()
    }

    /// The height of the newest block that every believed endpoint has shown; no network.
    pub fn lowest_head(&self) -> Option<u64> {
        self.0.pool.lowest_head()
    }

    /// From now on block 0 must be this one on every endpoint: what was stored of it before, or a chain that began anew
    /// and that somebody with a right to say so accepts. A quarantined endpoint is asked again.
    pub fn expect_genesis(&self, genesis: BlockHash) {
        self.0.pool.endpoints.iter().for_each(|endpoint| endpoint.expect_genesis(genesis));
    }

    /// Asks one endpoint how it is, by its place in the settings, unless that was done within `age`.
    pub async fn probe(&self, endpoint: usize, age: Duration) {
        let Some(endpoint) = self.0.pool.endpoints.get(endpoint) else { return };
        if !endpoint.was_asked_within(age) {
            // How it went is kept as the endpoint's verdict.
            let _ = round::look(endpoint).await;
        }
    }

    /// The way to the chain for a request; fails at once while no endpoint is believed.
    async fn rpc(&self) -> Result<&Rpc, ChainError> {
        // Boxed: every question to the chain holds this, and mostly there is nothing to wait for.
        match self.0.pool.only() {
            Some(endpoint) => Box::pin(endpoint.rpc()).await,
            None => Box::pin(self.0.pool.ready()).await.map(|()| &self.0.failover),
        }
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chain({})", self.id())
    }
}
