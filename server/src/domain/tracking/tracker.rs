//! Following one chain: which accounts are looked at, when, and that one account's trouble stays its own.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    time::Duration,
};

use tokio::task::{self, JoinError, JoinSet};

use super::{
    continuity, deliver, look,
    memory::Memory,
    step::{Step, Waiting},
    witness,
    witness::Standing,
};
use crate::{
    chain::{Chain, ChainError, Round},
    domain::{Error, Result, nonces::Account},
    state::State,
    store::{chain_marks, transactions},
    value::{Address, SlotState, Status, WaitingReason},
};

/// A look at an account is taken this often even when no block comes: bytes are sent again, fees raised.
const LOOK_AT_LEAST: Duration = Duration::from_secs(5);

/// How often accounts are looked at of which nothing was sent.
const LOOK_AT_UNSENT: Duration = Duration::from_secs(15);

/// How often a node is asked how it is while nobody waits for it.
const PROBE_EVERY: Duration = Duration::from_secs(5);

/// For how long a development chain has to seem to have begun anew before it is forgotten.
const ANEW_AFTER: Duration = Duration::from_secs(1);

/// How many accounts are looked at at once: enough that some that hang hold nobody else up.
const AT_ONCE: usize = 64;

/// Accounts with a nonce in one of these states are looked at also when nothing of them was sent.
const ANY_SLOT: [SlotState; 3] = [SlotState::Held, SlotState::Void, SlotState::Sent];

/// Follows one chain. Losing it costs nothing: all that counts is in the database.
pub struct Tracker {
    state: State,
    chain: Chain,
    memories: HashMap<Address, Memory>,
    looking: JoinSet<Looked>,
    under_way: HashMap<Address, task::Id>,
    /// Accounts that wait for their turn, in their order, each once.
    waiting: VecDeque<Address>,
    looked_at: HashMap<Address, Duration>,
    round: Option<Round>,
    seen: Option<u64>,
    asked_at: Option<Duration>,
    unsent_at: Option<Duration>,
    is_expected: bool,
    /// Since when only one endpoint answers, and lacks a block that was final.
    contradicted_at: Option<Duration>,
    /// Since when a development chain seems to have begun anew.
    anew_at: Option<Duration>,
}

/// A look that is over.
pub struct Looked {
    address: Address,
    memory: Memory,
    outcome: Result<()>,
}

impl Tracker {
    /// Follows a chain from what is stored.
    pub fn new(state: State, chain: Chain) -> Self {
        Self {
            state,
            chain,
            memories: HashMap::new(),
            looking: JoinSet::new(),
            under_way: HashMap::new(),
            waiting: VecDeque::new(),
            looked_at: HashMap::new(),
            round: None,
            seen: None,
            asked_at: None,
            unsent_at: None,
            is_expected: false,
            contradicted_at: None,
            anew_at: None,
        }
    }

    /// Looks where the chain is, and at every account that has something on the way when that is new or long ago.
    ///
    /// Fails with [`Error::ChainUnavailable`] and [`Error::StorageUnavailable`]; nothing is lost by either.
    pub async fn poll(&mut self) -> Result<()> {
        let now = self.state.clock.elapsed();
        let since = |at: Option<Duration>| at.map_or(Duration::MAX, |at| now.saturating_sub(at));
        let mut due = continuity::accounts(&self.state, self.chain.id(), &[SlotState::Sent]).await?;
        let all = since(self.unsent_at) >= LOOK_AT_UNSENT;
        if due.is_empty() && !all && self.anew_at.is_none() && since(self.asked_at) < PROBE_EVERY {
            return Ok(());
        }
        self.asked_at = Some(now);
        if let Err(error) = self.ask().await {
            self.unreachable(&due, &error).await;
            return Err(error);
        }
        let is_new = self.round.as_ref().map(|round| round.head.number) != self.seen;
        self.seen = self.round.as_ref().map(|round| round.head.number);
        if all {
            due = continuity::accounts(&self.state, self.chain.id(), &ANY_SLOT).await?;
            self.unsent_at = Some(now);
            self.forget_all_but(&due);
        }
        for address in due {
            if is_new || all || since(self.looked_at.get(&address).copied()) >= LOOK_AT_LEAST {
                self.look(address);
            }
        }
        Ok(())
    }

    /// Looks at some accounts at once: something of them is to be sent.
    ///
    /// Fails as [`Tracker::poll`] does.
    pub async fn nudge(&mut self, accounts: BTreeSet<Address>) -> Result<()> {
        let due: Vec<Address> = accounts.into_iter().collect();
        if let Err(error) = self.ask().await {
            self.unreachable(&due, &error).await;
            return Err(error);
        }
        due.into_iter().for_each(|address| self.look(address));
        Ok(())
    }

    /// Waits for a look to end; for ever while there is none.
    pub async fn looked(&mut self) -> Looked {
        loop {
            match self.looking.join_next().await {
                Some(Ok(looked)) => return looked,
                Some(Err(error)) => self.note_panic(&error),
                None => return std::future::pending().await,
            }
        }
    }

    /// Takes note of a look that panicked: it has lost its memory, and is taken again at the next block.
    fn note_panic(&mut self, error: &JoinError) {
        let of = |(address, id): (&Address, &task::Id)| (*id == error.id()).then_some(*address);
        let Some(address) = self.under_way.iter().find_map(of) else { return };
        let chain_id = self.chain.id();
        tracing::error!(chain.id = %chain_id, account.address = %address, %error, "a look at an account panicked");
        self.under_way.remove(&address);
        let detail = "the server failed while it looked at this account".to_owned();
        self.state.troubles.note(chain_id, address, detail, self.state.clock.now());
        self.look_at_waiting();
    }

    /// Takes note of how a look ended.
    pub fn note(&mut self, looked: Looked) {
        let Looked { address, memory, outcome } = looked;
        let chain_id = self.chain.id();
        self.memories.insert(address, memory);
        self.under_way.remove(&address);
        match outcome {
            Ok(()) => self.state.troubles.clear(chain_id, address),
            Err(error) => {
                tracing::warn!(
                    chain.id = %chain_id, account.address = %address, error = &error as &dyn std::error::Error,
                    "an account cannot be followed"
                );
                self.state.troubles.note(chain_id, address, error.words(), self.state.clock.now());
            }
        }
        self.look_at_waiting();
    }

    /// Asks the node where the chain is, and holds that against what is remembered of it.
    async fn ask(&mut self) -> Result<()> {
        if !self.is_expected {
            continuity::expect(&self.state, &self.chain).await?;
            self.is_expected = true;
        }
        // What is remembered is read first: a look that goes on beside this may remember a newer block meanwhile.
        let marks = continuity::marks(&self.state, self.chain.id()).await?;
        let round = self.chain.round().await?;
        self.hold_against(&round, &marks).await?;
        let standing = continuity::standing(&round);
        if standing.began_anew(&marks) && !self.stays_anew(&round, &marks).await {
            if standing.has_other_genesis(&marks) {
                return Err(ChainError::Unavailable("it shows another first block".to_owned()).into());
            }
            // For now it is a node that is behind.
            self.round = Some(round);
            return Ok(());
        }
        self.anew_at = self.anew_at.filter(|_| standing.began_anew(&marks));
        match continuity::compare(&self.state, standing, &marks, &round).await {
            // What the node will not say of the past holds nothing up.
            Err(Error::ChainUnavailable(cause)) => {
                tracing::warn!(chain.id = %self.chain.id(), cause = cause.words(), "remembered blocks cannot be compared");
            }
            checked => checked?,
        }
        self.round = Some(round);
        Ok(())
    }

    /// Whether a development chain that seems to have begun anew goes on to seem so for a while, and no other endpoint has
    /// it as it was: in the middle of a reorganisation such a node shows a lower head for a moment.
    async fn stays_anew(&mut self, round: &Round, marks: &[chain_marks::Model]) -> bool {
        let now = self.state.clock.elapsed();
        let since = *self.anew_at.get_or_insert(now);
        now.saturating_sub(since) >= ANEW_AFTER && (round.is_alone() || witness::lacks(round, marks).await)
    }

    /// Where the chain has several endpoints, the block that was relied on last is not taken back on the word of one: who
    /// lacks it while another one has it is not believed. While no other one answers, one counts after a time.
    ///
    /// Fails with [`Error::ChainUnavailable`] while the round proves nothing.
    async fn hold_against(&mut self, round: &Round, marks: &[chain_marks::Model]) -> Result<()> {
        let newest = marks.first().filter(|mark| (1..=round.final_height).contains(&mark.height.0));
        let Some(newest) = newest.filter(|_| !round.is_alone()) else { return Ok(()) };
        match witness::of_mark(round, newest.height.0, newest.hash).await {
            Standing::Stands => self.contradicted_at = None,
            Standing::Contradicted => {}
            Standing::ContradictedByOne => {
                let now = self.state.clock.elapsed();
                let since = *self.contradicted_at.get_or_insert(now);
                if now.saturating_sub(since) < self.state.policy.alone_after {
                    let why = "one of its endpoints lacks a block that was final, and no other one answers";
                    return Err(ChainError::Unavailable(why.to_owned()).into());
                }
            }
            Standing::Outvoted => {
                return Err(ChainError::Unavailable("an endpoint lacks a block that was final".to_owned()).into());
            }
        }
        Ok(())
    }

    /// Looks at an account when it is its turn, once more when it is being looked at already.
    fn look(&mut self, address: Address) {
        if !self.waiting.contains(&address) {
            self.waiting.push_back(address);
        }
        self.look_at_waiting();
    }

    /// Begins as many looks as there is room for.
    fn look_at_waiting(&mut self) {
        for _ in 0..self.waiting.len() {
            if self.under_way.len() >= AT_ONCE {
                return;
            }
            let Some(address) = self.waiting.pop_front() else { return };
            if self.under_way.contains_key(&address) {
                self.waiting.push_back(address);
            } else {
                self.begin(address);
            }
        }
    }

    fn begin(&mut self, address: Address) {
        let Some(round) = self.round.clone() else { return };
        self.looked_at.insert(address, self.state.clock.elapsed());
        let mut memory = self.memories.remove(&address).unwrap_or_default();
        let (state, chain) = (self.state.clone(), self.chain.clone());
        let begun = self.looking.spawn(async move {
            let outcome = Box::pin(look::look(&state, &chain, round, address, &mut memory)).await;
            Looked { address, memory, outcome }
        });
        self.under_way.insert(address, begun.id());
    }

    fn forget_all_but(&mut self, accounts: &[Address]) {
        self.memories.retain(|address, _| accounts.contains(address));
        self.looked_at.retain(|address, _| accounts.contains(address));
    }

    /// Tells what waits that the node does not answer.
    async fn unreachable(&self, accounts: &[Address], error: &Error) {
        let Error::ChainUnavailable(cause) = error else { return };
        for &address in accounts {
            let account = Account { chain_id: self.chain.id(), address };
            if let Err(error) = tell_unreachable(&self.state, account, cause).await {
                tracing::warn!(account.address = %address, error = &error as &dyn std::error::Error, "nobody was told");
            }
        }
    }
}

/// Tells the submitted transactions of an account that its node does not answer.
async fn tell_unreachable(state: &State, account: Account, cause: &ChainError) -> Result<()> {
    let Account { chain_id, address } = account;
    let slots = crate::store::nonce_slots::list_open(&state.store, chain_id, address).await?;
    let sent = slots.iter().filter(|slot| slot.state == SlotState::Sent).map(|slot| slot.transaction_id);
    let waiting = Waiting::with(WaitingReason::NodeUnreachable, cause.words());
    for row in transactions::list_outlines(&state.store, &sent.collect::<Vec<_>>()).await? {
        if row.status == Status::Submitted && row.waiting_reason != Some(waiting.reason) {
            let step = Step::Wait { row, waiting: waiting.clone(), accepted: None };
            deliver::record(state, &step).await?;
        }
    }
    Ok(())
}
