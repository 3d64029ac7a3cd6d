//! How far a chain is, and how much of it is final.

use alloy::transports::{TransportError, TransportResult};
use serde::Deserialize;

use super::{
    Chain, ChainError,
    answer::Count,
    rpc::{NO_PARAMS, Rpc},
};

/// The depth where a chain does not say what is final: two epochs of Ethereum.
const USUAL_DEPTH: u64 = 64;

/// Where a chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The latest block.
    pub number: u64,
    /// The latest block that will stay. Never above `number`; 0 while there is none.
    pub finalized: u64,
}

impl Head {
    /// `depth` 1 makes the latest block itself final.
    fn at_depth(number: u64, depth: u64) -> Self {
        Self { number, finalized: number.saturating_add(1).saturating_sub(depth.max(1)) }
    }
}

#[derive(Debug, Deserialize)]
struct Header {
    number: Count,
}

impl Chain {
    /// The latest and the finalized block: by the depth that was set (1 on development nodes, whose tag trails), else
    /// by the `finalized` tag, else 64 deep where nodes do not know the tag. Fails when the node cannot be asked.
    pub async fn head(&self) -> Result<Head, ChainError> {
        let development = self.is_development().await?;
        let rpc = &self.0.rpc;
        let head = match self.0.finality_depth.or(development.then_some(1)) {
            Some(depth) => {
                rpc.ask("eth_blockNumber", NO_PARAMS).await.map(|Count(number)| Head::at_depth(number, depth))
            }
            None => by_tag(rpc).await,
        };
        head.map_err(|error| rpc.unavailable(error))
    }
}

async fn by_tag(rpc: &Rpc) -> TransportResult<Head> {
    let mut batch = rpc.client.new_batch();
    let number = batch.add_call::<_, Count>("eth_blockNumber", &NO_PARAMS)?;
    let finalized = batch.add_call::<_, Option<Header>>("eth_getBlockByNumber", &("finalized", false))?;
    batch.send().await?;
    let number = number.await?.0;
    match finalized.await {
        Ok(Some(header)) => Ok(Head { number: number.max(header.number.0), finalized: header.number.0 }),
        // The tag is known and nothing is final yet.
        Ok(None) => Ok(Head { number, finalized: 0 }),
        Err(error) => match Refusal::of(&error) {
            Refusal::NothingFinalYet => Ok(Head { number, finalized: 0 }),
            Refusal::UnknownTag => Ok(Head::at_depth(number, USUAL_DEPTH)),
            Refusal::Other => Err(error),
        },
    }
}

/// Why a node does not name its finalized block. Only one that does not know the tag is trusted by depth: a busy one
/// must not make anything final sooner.
enum Refusal {
    NothingFinalYet,
    UnknownTag,
    Other,
}

impl Refusal {
    fn of(error: &TransportError) -> Self {
        const NOT_YET: [&str; 3] = ["block not found", "unknown block", "header not found"];
        const UNKNOWN: [&str; 5] =
            ["invalid argument", "invalid block", "invalid params", "not supported", "unsupported"];
        let Some(payload) = error.as_error_resp() else { return Self::Other };
        let message = payload.message.to_lowercase();
        let says = |fragments: &[&str]| fragments.iter().any(|fragment| message.contains(fragment));
        // -39001: unknown block (execution-apis); -32602: invalid params (JSON-RPC 2.0 §5.1).
        if payload.code == -39001 || says(&NOT_YET) {
            Self::NothingFinalYet
        } else if payload.code == -32602 || says(&UNKNOWN) {
            Self::UnknownTag
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_one_makes_the_latest_block_final_and_nothing_underflows() {
        assert_eq!(Head::at_depth(10, 1).finalized, 10);
        assert_eq!(Head::at_depth(10, 0).finalized, 10);
        assert_eq!(Head::at_depth(10, 3).finalized, 8);
        assert_eq!(Head::at_depth(10, 64).finalized, 0);
    }
}
