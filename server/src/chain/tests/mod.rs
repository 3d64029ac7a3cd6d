//! Against a real node, and against things that only pretend to be one.

mod habits;
mod hostile;
mod life;
mod node;
mod prices;
mod rounds;
mod simulation;
mod uses;

use std::path::PathBuf;

use super::{
    Chain, ChainSettings, Finality,
    local::{LocalNode, LocalNodeSettings},
};
use crate::value::{ChainId, Secret};

/// The anvil to test with: the variable `ANVIL`, else what the repository's `npm ci` installed, else the search path.
fn settings() -> LocalNodeSettings {
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests, not of the server")]
    let program = std::env::var_os("ANVIL").map(PathBuf::from);
    LocalNodeSettings { program, port: None, state_file: None, chain_id: id(31337) }
}

fn id(id: u64) -> ChainId {
    ChainId::new(id).expect("in range")
}

/// A fresh node and the chain it is of. Fails, with the hint to install it, when there is no anvil.
async fn local(arguments: &[&str]) -> (LocalNode, Chain) {
    let node = LocalNode::start_with(settings(), arguments).await.unwrap_or_else(|error| panic!("{error}"));
    let chain = chain(node.url(), None);
    (node, chain)
}

fn chain(url: &str, finality_depth: Option<u64>) -> Chain {
    let url = Secret::new(url.to_owned());
    let finality = finality_depth.map_or(Finality::Tag, Finality::Depth);
    Chain::new(ChainSettings { finality, ..ChainSettings::new(id(31337), url) }).expect("a plain URL")
}
