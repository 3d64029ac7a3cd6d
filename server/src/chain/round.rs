//! One look at a chain: everything that counts as evidence of one moment, from one node.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use alloy::{rpc::json_rpc::ErrorPayload, transports::TransportResult};
use serde::Deserialize;

use super::{
    Call, Chain, ChainError, Receipt,
    absence::is_absent,
    answer::{Bytes, Count},
    block::{self, FullBlock},
    each,
    endpoint::{BlockRef, Endpoint},
    estimate::{EstimateError, Request, failure, params},
    finality::{FinalBy, at_depth},
    identity::{Identity, Shown},
    pool::race,
    receipt,
    rpc::NO_PARAMS,
    witness::Witnesses,
};
use crate::value::{Address, BlockHash, ChainId, TransactionHash};

/// How many nonces are asked for at once.
const NONCES: usize = 50;

/// What one node said of the whole chain at one moment, and the way to ask it more. Cheap to clone.
#[derive(Clone)]
pub struct Round {
    /// Its latest block.
    pub head: BlockRef,
    /// The height up to which it calls blocks final: by the `finalized` tag, or by depth. Never above the head; 0 while
    /// nothing is final. A lower one than in an earlier round takes nothing back.
    pub final_height: u64,
    /// By what.
    pub final_by: FinalBy,
    /// The hash of block 0; none when the node does not have that block any more.
    pub genesis: Option<BlockHash>,
    /// Whether it is a node that people develop with, which mines alone and whose latest block is final.
    pub is_development: bool,
    /// The chain.
    pub chain_id: ChainId,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) witnesses: Arc<Witnesses>,
    hashes: Arc<Mutex<BTreeMap<u64, BlockHash>>>,
}

impl fmt::Debug for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { head, final_height, chain_id, .. } = self;
        write!(f, "Round({chain_id}, head {}, final {final_height})", head.number)
    }
}

/// How many transactions of an account were in blocks up to some height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonceAt {
    /// So many: the lowest nonce that was free then.
    Nonce(u64),
    /// The node has no state of that block (any more).
    NoState,
}

/// Why a call that was made again did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revert {
    /// What the contract gave as the reason, ABI-encoded.
    pub data: Option<Vec<u8>>,
    /// What the node says: at most 280 characters on one line, perhaps nothing.
    pub message: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Header {
    number: Count,
    hash: BlockHash,
}

impl From<Header> for BlockRef {
    fn from(Header { number: Count(number), hash }: Header) -> Self {
        Self { number, hash }
    }
}

/// What a look found.
pub(super) struct Look {
    head: BlockRef,
    final_height: u64,
    final_by: FinalBy,
    identity: Identity,
}

/// Asks a node where the chain is and whether it is still the same chain, and forms the verdict on it.
pub(super) async fn look(endpoint: &Endpoint) -> Result<Look, ChainError> {
    let began = Instant::now();
    let found = ask(endpoint).await;
    let noted = found.as_ref().map(|look| (look.head, look.identity.clone())).map_err(Clone::clone);
    endpoint.record(began, &noted);
    found
}

/// One exchange; a second one when the head moved and the pin was not asked for along with it.
async fn ask(endpoint: &Endpoint) -> Result<Look, ChainError> {
    let rpc = &endpoint.rpc;
    let unavailable = |error| rpc.unavailable(error);
    let mut identity = endpoint.identity();
    let is_good = endpoint.is_good();
    let by_tag = endpoint.finality.depth().is_none() && !(is_good && identity.is_development == Some(true));
    let pin_at = identity.pin.map_or(0, |pin| pin.number);
    let asks_pin = identity.moves || !is_good;

    let mut batch = rpc.client.new_batch();
    let id = batch.add_call::<_, Count>("eth_chainId", &NO_PARAMS).map_err(unavailable)?;
    let latest = batch.add_call::<_, Header>("eth_getBlockByNumber", &("latest", false)).map_err(unavailable)?;
    let mut block_at = |at: &str| batch.add_call::<_, Option<Header>>("eth_getBlockByNumber", &(at, false));
    let tagged = by_tag.then(|| block_at("finalized")).transpose().map_err(unavailable)?;
    let pin = asks_pin.then(|| block_at(&hex(pin_at))).transpose().map_err(unavailable)?;
    let version = (!is_good || identity.is_development.is_none())
        .then(|| batch.add_call::<_, String>("web3_clientVersion", &NO_PARAMS))
        .transpose()
        .map_err(unavailable)?;
    batch.send().await.map_err(unavailable)?;

    match id.await {
        Ok(Count(says)) if says != endpoint.chain_id.get() => {
            return Err(ChainError::OtherChain { says, expected: endpoint.chain_id });
        }
        Ok(_) => {}
        // A question that failed changes no verdict, and forms none.
        Err(_) if is_good => {}
        Err(error) => return Err(unavailable(error)),
    }
    let head = BlockRef::from(latest.await.map_err(unavailable)?);
    if let Some(version) = version {
        match version.await {
            Ok(version) => {
                identity.is_development = Some(endpoint.may_be_development() && is_development(&version));
            }
            Err(error) if error.is_error_resp() => identity.is_development = Some(false),
            Err(_) => {}
        }
    }
    let depth = endpoint.finality.depth().or((identity.is_development == Some(true)).then_some(1));
    let (final_height, final_by, final_block) = match (depth, tagged) {
        (Some(depth), _) => (at_depth(head.number, depth), FinalBy::Depth, None),
        (None, Some(tagged)) => identity.tag.see(head, tagged.await, endpoint.dead_tag_after),
        // It turned from a development node into another one in this very round.
        (None, None) => (0, FinalBy::Tag, None),
    };
    endpoint.tell_finality(final_by);

    identity.moves = identity.proven_at.is_some_and(|proven_at| proven_at != head.hash);
    if identity.proven_at != Some(head.hash) || asks_pin {
        let answer = match pin {
            Some(pin) => pin.await,
            None => rpc.ask("eth_getBlockByNumber", (hex(pin_at), false)).await,
        };
        let shown = shown(answer);
        if identity.pin.is_none() && shown == Shown::Failure {
            return Err(ChainError::Unavailable("it does not show its first block".to_owned()));
        }
        let final_block = match (shown, final_block) {
            (Shown::Nothing, None) if final_height > 0 => {
                let answer = rpc.ask::<_, Option<Header>>("eth_getBlockByNumber", (hex(final_height), false)).await;
                answer.ok().flatten().map(BlockRef::from)
            }
            (_, final_block) => final_block,
        };
        identity.see(head, shown, final_block)?;
    }
    Ok(Look { head, final_height, final_by, identity })
}

fn shown(answer: TransportResult<Option<Header>>) -> Shown {
    match answer {
        Ok(Some(header)) => Shown::Block(header.into()),
        Ok(None) => Shown::Nothing,
        Err(error) if is_absent(&error) => Shown::Nothing,
        Err(_) => Shown::Failure,
    }
}

/// Programs that mine alone and never reorganise.
fn is_development(version: &str) -> bool {
    let version = version.to_lowercase();
    ["anvil", "hardhat", "ganache"].iter().any(|name| version.contains(name))
}

/// Whether a node says of a tag that nothing is there yet.
pub(super) fn is_absent_tag(refusal: &ErrorPayload) -> bool {
    const NOT_YET: [&str; 3] = ["block not found", "unknown block", "header not found"];
    let message = refusal.message.to_lowercase();
    // -39001: unknown block (execution-apis).
    refusal.code == -39001 || NOT_YET.iter().any(|words| message.contains(words))
}

/// A block's height as nodes take it.
fn hex(height: u64) -> String {
    format!("0x{height:x}")
}

/// A round of one endpoint.
pub(super) async fn begin(endpoint: Arc<Endpoint>, witnesses: Arc<Witnesses>) -> Result<Round, ChainError> {
    let Look { head, final_height, final_by, identity } = look(&endpoint).await?;
    Ok(Round {
        head,
        final_height,
        final_by,
        genesis: identity.genesis(),
        is_development: identity.is_development == Some(true),
        chain_id: endpoint.chain_id,
        endpoint,
        witnesses,
        hashes: Arc::new(Mutex::new(BTreeMap::from([(head.number, head.hash)]))),
    })
}

impl Chain {
    /// Asks the best endpoint where the chain is: the watcher's question, one exchange (two when the head moved). Checks
    /// that it is of the chain it was always of, and forms the verdict that requests read. One that fails or thinks for
    /// long is left for the next.
    ///
    /// Fails when no endpoint can be asked, and with [`ChainError::OtherChain`] or [`ChainError::OtherGenesis`] when the
    /// best is of another chain; it is then quarantined until a round is good again.
    pub async fn round(&self) -> Result<Round, ChainError> {
        let begin = |endpoint| begin(endpoint, Arc::new(Witnesses::new(self.0.pool.clone())));
        race(self.0.pool.all(), begin, |_| true).await
    }
}

impl Round {
    /// The accounts' nonces at the node's latest block, in their order: how many transactions of each are in blocks.
    /// One that cannot be told is an error of that account only. Fails when the node answers nothing at all.
    pub async fn latest_nonces(&self, accounts: &[Address]) -> Result<Vec<Result<u64, ChainError>>, ChainError> {
        let rpc = self.endpoint.rpc_of_round()?;
        let questions: Vec<_> = accounts.iter().map(|account| (*account, "latest")).collect();
        let answers = each::ask::<_, Count>(rpc, &rpc.client, "eth_getTransactionCount", &questions, NONCES).await?;
        let nonce =
            |answer: Result<Count, each::Failed>| answer.map(|Count(nonce)| nonce).map_err(|failed| failed.error);
        Ok(answers.into_iter().map(nonce).collect())
    }

    /// The receipts of these transactions, in their order; none for one that is in no block. Each is asked by itself:
    /// one that cannot be told (no status, of another transaction) is an error of that hash only. Absence is said by
    /// the node, never guessed.
    pub async fn receipts(&self, hashes: &[TransactionHash]) -> Vec<Result<Option<Receipt>, ChainError>> {
        match self.endpoint.rpc_of_round() {
            Ok(rpc) => receipt::ask(rpc, hashes).await,
            Err(error) => vec![Err(error); hashes.len()],
        }
    }

    /// The hash of the block at a height, asked once a round; none above the head. Fails when the node cannot say.
    pub async fn block_hash(&self, height: u64) -> Result<Option<BlockHash>, ChainError> {
        if height > self.head.number {
            return Ok(None);
        }
        if let Some(hash) = self.hashes().get(&height) {
            return Ok(Some(*hash));
        }
        let rpc = self.endpoint.rpc_of_round()?;
        let answer = rpc.ask::<_, Option<Header>>("eth_getBlockByNumber", (hex(height), false)).await;
        let block = match answer {
            Ok(None) => return Ok(None),
            Err(error) if is_absent(&error) => return Ok(None),
            Ok(Some(header)) => BlockRef::from(header),
            Err(error) => return Err(rpc.unavailable(error)),
        };
        if block.number != height {
            return Err(ChainError::Unavailable("it showed another block".to_owned()));
        }
        self.hashes().insert(height, block.hash);
        Ok(Some(block.hash))
    }

    /// A whole block; none when the node does not have it (any more). Fails when the node cannot say, and when it gives
    /// the hashes of its transactions only.
    pub async fn block(&self, height: u64) -> Result<Option<FullBlock>, ChainError> {
        let rpc = self.endpoint.rpc_of_round()?;
        let answer = rpc.large.request::<_, Option<block::Answer>>("eth_getBlockByNumber", (hex(height), true)).await;
        let answer = match answer {
            Ok(None) => return Ok(None),
            Err(error) if is_absent(&error) => return Ok(None),
            Ok(Some(answer)) => answer,
            Err(error) => return Err(rpc.unavailable(error)),
        };
        let block = answer.whole(height, self.chain_id.get());
        block.map(Some).ok_or_else(|| ChainError::Unavailable("its block is not whole".to_owned()))
    }

    /// How many transactions of an account were in blocks up to a height. Fails when the node cannot say, which is not
    /// the same as having no state of that block.
    pub async fn nonce_at(&self, account: Address, height: u64) -> Result<NonceAt, ChainError> {
        let rpc = self.endpoint.rpc_of_round()?;
        match rpc.ask::<_, Option<Count>>("eth_getTransactionCount", (account, hex(height))).await {
            Ok(Some(Count(nonce))) => Ok(NonceAt::Nonce(nonce)),
            Ok(None) => Ok(NonceAt::NoState),
            Err(error) if is_absent(&error) => Ok(NonceAt::NoState),
            Err(error) => Err(rpc.unavailable(error)),
        }
    }

    /// Makes a call that failed once more, on the state before the block it is in, to learn why. None when it would
    /// succeed there, or when the node cannot say: transactions before it in the block are not made again.
    pub async fn replay(&self, call: &Call, block: u64) -> Option<Revert> {
        let rpc = self.endpoint.rpc_of_round().ok()?;
        let params = params(&(Request::from(call), hex(block.checked_sub(1)?))).ok()?;
        let error = rpc.ask::<_, Bytes>("eth_call", params).await.err()?;
        match failure(rpc, error) {
            EstimateError::Reverted { data, message } => Some(Revert { data, message }),
            EstimateError::Unavailable(_) | EstimateError::InsufficientFunds => None,
        }
    }

    fn hashes(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, BlockHash>> {
        self.hashes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
