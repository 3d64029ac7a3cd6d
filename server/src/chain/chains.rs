//! Every chain that is served.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{
    Chain, ChainError, ChainSettings, Finality,
    answer::Count,
    rpc::{NO_PARAMS, Rpc},
};
use crate::value::{ChainId, Secret};

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
    finality: Finality,
    chain: OnceLock<Chain>,
}

impl Chains {
    /// The chain of a node that says itself which one it is of, once [`Chains::discover`] has asked it. Fails when the
    /// URL is not http(s).
    pub fn behind(url: Secret<String>, request_timeout: Duration, finality: Finality) -> Result<Self, ChainError> {
        Rpc::new(&url, request_timeout)?;
        let asked = Some(Asked { url, request_timeout, finality, chain: OnceLock::new() });
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
            let Asked { url, request_timeout, finality, .. } = asked;
            let id = Chain::discover(url, *request_timeout).await?;
            let (request_timeout, finality) = (*request_timeout, *finality);
            let settings = ChainSettings { request_timeout, finality, ..ChainSettings::new(id, url.clone()) };
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

impl Chain {
    /// Asks a node which chain it is of. Fails when it cannot say.
    pub async fn discover(url: &Secret<String>, request_timeout: Duration) -> Result<ChainId, ChainError> {
        let rpc = Rpc::new(url, request_timeout)?;
        let id: Count = rpc.ask("eth_chainId", NO_PARAMS).await.map_err(|error| rpc.unavailable(error))?;
        ChainId::new(id.0).map_err(|_| ChainError::Unavailable("it says that it is of chain 0".to_owned()))
    }
}
