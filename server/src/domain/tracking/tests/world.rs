//! A person, two wallets, agents, two servers on one database, and the chain.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use alloy::primitives::U256;

use super::{
    chain::{Chain, Heard, height},
    event::Shows,
    server::Server,
};
use crate::{
    chain::{Account, Chains},
    domain::{
        Agent, Caller, Error, User, digest, ladder,
        preview::{Estimate, Facts},
        sessions,
        transactions::{Actor, Candidate, Change, Release, clear_known, decide_on, refresh, repriced},
    },
    keys::{Kdf, Master, PayloadBinding, Tokens, TotpSecret, UserKey, WalletKey, payload},
    state::{Keys, Nudges, Permits, Policy, Readiness, State, Troubles, Watchers},
    store::{
        Json, agents, nonce_slots, payloads,
        tests::{TestDatabase, payloads_of, person},
        transactions::{self, Filter, Model},
        users, wallets,
    },
    value::{
        Action, Address, AgentId, ChainId, Digest, Execute, Fees, Gas, Market, Nonce, PayloadKind, Secret, Status,
        TransactionHash, TransactionId, TransferAction, WaitingReason, WalletId, Wei,
    },
};

/// The base fee when nothing is going on.
pub(super) const CALM: u128 = 1_000_000_000;

/// The code of the only thing a human has to acknowledge.
const ACKNOWLEDGE: &str = "nonce_used_elsewhere";

/// What was signed, kept beside the database by whoever knows everything.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    pub(super) transaction_id: TransactionId,
    pub(super) kind: PayloadKind,
    pub(super) heard: Heard,
}

/// What is set for a whole sequence of events.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    pub(super) depth: usize,
    pub(super) refuses_gaps: bool,
    pub(super) legacy: bool,
    pub(super) is_development: bool,
}

pub(super) struct World {
    _database: TestDatabase,
    pub(super) state: State,
    pub(super) chain: Chain,
    pub(super) chain_id: ChainId,
    pub(super) user: User,
    pub(super) wallets: Vec<(WalletId, Address)>,
    pub(super) signed: Vec<Signed>,
    /// What our servers gave to a node.
    pub(super) sent: HashSet<TransactionHash>,
    pub(super) seen: BTreeMap<TransactionId, Model>,
    pub(super) was_foreign: bool,
    pub(super) was_reorganised: bool,
    /// Below what was final.
    pub(super) was_deep: bool,
    pub(super) was_other_chain: bool,
    /// How many events were checked.
    pub(super) heard_events: usize,
    /// When a transaction was told that it stands in the way.
    pub(super) told: HashMap<TransactionId, Duration>,
    /// When each server's node refused a form, since it last took it.
    pub(super) refusals: HashMap<(usize, TransactionHash), Vec<Duration>>,
    /// How many of the first are good for nothing: the chain that they were for is no more.
    pub(super) signed_before: usize,
    /// Whether the chain has taken back what was final, and no server has seen that yet.
    pub(super) contradicts: bool,
    /// How far the wall clock was set back.
    pub(super) set_back: Duration,
    pub(super) servers: [Server; 2],
    totp: TotpSecret,
    token: Secret<String>,
    agents: HashMap<AgentId, Agent>,
    agent_id: AgentId,
    legacy: bool,
    prepared: u64,
}

impl World {
    pub(super) async fn new(template: &TestDatabase, setting: Setting) -> Self {
        let Setting { depth, refuses_gaps, legacy, is_development } = setting;
        let depth = if is_development { 1 } else { depth };
        let database = template.copy().await;
        let master = Master::new(Secret::random());
        let chain_id = ChainId::new(31_337).expect("in range");
        let policy = Policy { session_lifetime: Duration::from_secs(10 * 365 * 86_400), ..Policy::default() };
        let state = State {
            store: database.store.clone(),
            keys: Keys { tokens: Tokens::new(&master.jwt_key()), master, kdf: Kdf::new(1, 0) },
            chains: Chains::default(),
            clock: crate::value::Clock::system(),
            policy: Arc::new(policy),
            permits: Permits::default(),
            nudges: Nudges::default(),
            troubles: Troubles::default(),
            watchers: Watchers::default(),
            readiness: Readiness::default(),
        };
        let (user_key, totp, mut row) = (UserKey::generate(), TotpSecret::generate(), person());
        row.totp_secret = Some(totp.seal(&state.keys.master, row.user_id, &user_key));
        let write = state.store.write().await.expect("the database answers");
        users::insert(&write, row.clone()).await.expect("the first");
        let mut wallets = Vec::new();
        for _ in 0..2 {
            let (key, wallet_id) = (WalletKey::generate(), WalletId::new());
            let secret_key = key.seal(&state.keys.master, row.user_id, wallet_id, &user_key);
            let (address, created_at) = (key.address(), row.created_at);
            let wallet = wallets::Model {
                wallet_id,
                user_id: row.user_id,
                address,
                label: None,
                secret_key,
                created_at,
                restored_at: None,
            };
            wallets::insert(&write, wallet).await.expect("a new one");
            wallets.push((wallet_id, address));
        }
        write.commit().await.expect("the database answers");
        let begun = sessions::begin(&state, &row, &user_key).await.expect("the user exists");
        let user = sessions::authenticate(&state, begun.token.expose()).await.expect("the session exists");
        let mut world = Self {
            chain: Chain::new(depth, CALM, refuses_gaps, is_development),
            _database: database,
            chain_id,
            user,
            wallets,
            signed: Vec::new(),
            sent: HashSet::new(),
            seen: BTreeMap::new(),
            was_foreign: false,
            was_reorganised: false,
            was_deep: false,
            was_other_chain: false,
            heard_events: 0,
            told: HashMap::new(),
            refusals: HashMap::new(),
            signed_before: 0,
            contradicts: false,
            set_back: Duration::ZERO,
            servers: Default::default(),
            totp,
            token: begun.token,
            agents: HashMap::new(),
            agent_id: AgentId::new(),
            legacy,
            prepared: 0,
            state,
        };
        world.hire().await;
        world
    }

    /// Another agent takes over.
    async fn hire(&mut self) {
        let agent = Agent {
            agent_id: AgentId::new(),
            user_id: self.user.user_id,
            name: "agent".parse().expect("short"),
            verifier: Vec::new(),
            wallets: None,
            chains: None,
            created_at: self.state.clock.now(),
            last_used_at: None,
            revoked_at: None,
        };
        let write = self.state.store.write().await.expect("the database answers");
        agents::insert(&write, agent.clone()).await.expect("a new one");
        write.commit().await.expect("the database answers");
        self.agent_id = agent.agent_id;
        self.agents.insert(agent.agent_id, agent);
    }

    pub(super) async fn revoke(&mut self, burns: bool) {
        let release = Release::from_burn(Some(burns));
        let revoked = crate::domain::agents::revoke(&self.state, &self.user, self.agent_id, release).await;
        revoked.expect("it is the user's");
        self.hire().await;
    }

    /// All transactions, oldest first.
    pub(super) async fn transactions(&self) -> Vec<Model> {
        let listed = transactions::list_for_user(&self.state.store, self.user.user_id, Filter::default(), 1_000).await;
        let mut rows = listed.expect("the database answers");
        rows.reverse();
        rows
    }

    /// One of them.
    pub(super) async fn find(&self, id: TransactionId) -> Model {
        let found = transactions::find(&self.state.store, id).await;
        found.expect("the database answers").expect("it was prepared")
    }

    pub(super) async fn slots(&self, address: Address) -> Vec<nonce_slots::Model> {
        let slots = nonce_slots::list_from(&self.state.store, self.chain_id, address, Nonce(0)).await;
        slots.expect("the database answers")
    }

    pub(super) async fn payloads(&self, address: Address) -> Vec<payloads::Model> {
        payloads_of(&self.state.store, address).await
    }

    /// The `pick`th transaction in one of some statuses.
    pub(super) async fn pick(&self, pick: usize, statuses: &[Status]) -> Option<Model> {
        let mut rows = self.transactions().await;
        rows.retain(|row| statuses.contains(&row.status));
        if rows.is_empty() { None } else { Some(rows.swap_remove(pick % rows.len())) }
    }

    fn market(&self) -> Market {
        let now = Fees { max_fee_per_gas: self.chain.market, max_priority_fee_per_gas: self.chain.market / 10 };
        let now = if self.legacy { Fees { max_priority_fee_per_gas: now.max_fee_per_gas, ..now } } else { now };
        Market { now, legacy: self.legacy, block_gas_limit: None }
    }

    /// An agent asks; `twin`: for the very same payment as the one before.
    pub(super) async fn prepare(&mut self, wallet: usize, twin: bool, execute: Execute) -> TransactionId {
        self.prepared += u64::from(!twin || self.prepared == 0);
        let (wallet_id, address) = self.wallets[wallet % self.wallets.len()];
        let mut to = [0x11; 20];
        to[12..].copy_from_slice(&self.prepared.to_be_bytes());
        let (to, value) = (Address(to.into()), Wei(U256::from(self.prepared)));
        let (created_at, caps) = (self.state.clock.now(), ladder::caps(self.market().now, ladder::HEADROOM));
        let mut row = Model {
            transaction_id: TransactionId::new(),
            version: 1,
            status: Status::Pending,
            waiting_reason: Some(WaitingReason::Decision),
            waiting_since: Some(created_at),
            waiting_detail: None,
            blocked_by: None,
            cancelling: None,
            user_id: self.user.user_id,
            agent_id: Some(self.agent_id),
            wallet_id,
            address,
            chain_id: self.chain_id,
            action: Json(Action::Transfer(TransferAction { to_address: to, amount: value })),
            memo: None,
            to_address: Some(to),
            value,
            gas_limit: Gas(21_000),
            data: Vec::new(),
            max_fee_per_gas: caps.max_fee_per_gas.into(),
            max_priority_fee_per_gas: caps.max_priority_fee_per_gas.into(),
            digest: Digest(Default::default()),
            warnings: Json(Vec::new()),
            preview: None,
            nonce: None,
            block: None,
            reason: None,
            created_at,
            expires_at: created_at + Duration::from_secs(3_600),
            decided_at: None,
            execute_by: None,
            execute,
            gives_way_at: None,
            evidence: None,
            repriced_for: None,
        };
        row.digest = digest::digest(&row);
        let change = Change::begin(&self.state, row.user_id).await.expect("the database answers");
        let row = change.insert(Actor::Agent(self.agent_id), "prepared", row).await.expect("a new one");
        change.commit().await.expect("the database answers");
        row.transaction_id
    }

    /// What a node says of an account to whoever wants to sign.
    fn facts(&mut self, address: Address, shows: Shows) -> Facts {
        let is_stale = shows == Shows::Stale;
        let truth = self.chain.latest(address, is_stale);
        let nonce = if shows == Shows::Absurd { truth + 1_000 } else { truth };
        self.was_foreign |= shows == Shows::Absurd;
        Facts {
            account: Account { nonce, balance: Wei(U256::from(10).pow(U256::from(24))) },
            market: self.market(),
            gas: Estimate::Gas(Gas(21_000)),
            cancel_gas: Gas(21_000),
            height: Some(height(self.chain.view(is_stale).len() - 1)),
            cap_multiple: ladder::HEADROOM,
        }
    }

    /// The human approves what is stored. True when that is what came of it.
    pub(super) async fn approve(&mut self, row: Model, shows: Shows, acknowledge: bool) -> bool {
        self.approve_all(vec![row], shows, acknowledge).await
    }

    /// The same for several with one code.
    pub(super) async fn approve_all(&mut self, rows: Vec<Model>, shows: Shows, acknowledge: bool) -> bool {
        // The next code.
        self.pass(Duration::from_secs(30));
        let accepted: Vec<String> = acknowledge.then(|| ACKNOWLEDGE.to_owned()).into_iter().collect();
        let mut candidates = Vec::new();
        for row in rows.clone() {
            let facts = self.facts(row.address, shows);
            if !facts.fit(&row) {
                refresh(&self.state, &row, repriced(&row, &facts)).await.expect("nobody is faster");
                return false;
            }
            candidates.push(Candidate { row, facts, acknowledge: accepted.clone() });
        }
        let code = self.totp.code(self.state.clock.now());
        let decided = decide_on(&self.state, &self.user, code, candidates).await;
        let decided = decided.map_err(|error| match error {
            Error::InBatch { error, .. } => *error,
            other => other,
        });
        match decided {
            Ok(approved) => {
                for (shown, approved) in rows.iter().zip(&approved) {
                    self.keep_signed(shown, approved).await;
                }
                check_order(&approved);
            }
            Err(Error::NonceUsedElsewhere) if self.was_foreign && !acknowledge => return false,
            Err(Error::NonceUsedElsewhere) if self.was_leaked() && !acknowledge => return false,
            // Two steps can have the same code, once in a million; after the clock was set back, for as long as that.
            Err(Error::Expired | Error::MfaReplayed) => return false,
            Err(error) => panic!("an approval failed: {error:?}"),
        }
        true
    }

    /// The owner clears a nonce: this one, else the lowest that needs it.
    pub(super) async fn clear(&mut self, wallet: usize, nonce: Option<Nonce>, shows: Shows) {
        self.pass(Duration::from_secs(30));
        let address = self.wallets[wallet].1;
        let facts = self.facts(address, shows);
        let wallet = wallets::find_by_address(&self.state.store, self.user.user_id, address).await;
        let wallet = wallet.expect("the database answers").expect("it is theirs");
        let chain = self.unreachable_chain();
        let code = self.totp.code(self.state.clock.now());
        match clear_known(&self.state, &self.user, (&chain, wallet, facts), nonce, code).await {
            Ok(cleared) => self.keep_cleared(cleared.row.transaction_id).await,
            Err(Error::Invalid(_) | Error::InvalidState(_) | Error::MfaReplayed) => {}
            Err(error) => panic!("a nonce was not cleared: {error:?}"),
        }
    }

    /// What was signed to clear a nonce pays nobody.
    async fn keep_cleared(&mut self, id: TransactionId) {
        let stored = payloads_of(&self.state.store, self.find(id).await.address).await;
        let known = |form: &payloads::Model| {
            self.signed.iter().any(|known| (known.transaction_id, known.heard.hash) == (id, form.hash))
        };
        for form in stored.iter().filter(|form| form.transaction_id == id && !known(form)).collect::<Vec<_>>() {
            let heard = self.open(form);
            assert_eq!((heard.to, heard.value), (Some(form.address), U256::ZERO), "{form:?} pays somebody");
            self.sent.extend(form.sent_at.map(|_| form.hash));
            self.signed.push(Signed { transaction_id: id, kind: form.kind, heard });
        }
    }

    /// Signed bytes, by whoever knows all keys.
    fn open(&self, form: &payloads::Model) -> Heard {
        let binding = PayloadBinding {
            transaction_id: form.transaction_id,
            address: form.address,
            chain_id: form.chain_id,
            nonce: form.nonce.0,
            hash: form.hash,
            kind: form.kind,
            rung: form.rung,
        };
        let sealed = form.bytes.as_ref().expect("just signed");
        let bytes = payload::open(&self.state.keys.master, &binding, sealed).expect("just sealed");
        Heard::read(form.address, bytes.expose())
    }

    pub(super) fn was_leaked(&self) -> bool {
        self.signed.iter().any(|signed| {
            !self.sent.contains(&signed.heard.hash)
                && self.chain.transactions().any(|(heard, _)| *heard == signed.heard)
        })
    }

    /// What was signed is what was shown, within what was approved.
    async fn keep_signed(&mut self, shown: &Model, approved: &Model) {
        let ladder = payloads::list_for_transactions(&self.state.store, &[approved.transaction_id]).await;
        let ladder = ladder.expect("the database answers");
        let limit = shown.value.saturating_add(shown.worst_case_fee());
        for form in &ladder {
            let stored = payloads::find(&self.state.store, form.transaction_id, form.hash).await;
            let heard = self.open(&stored.expect("the database answers").expect("just signed"));
            let cost = heard.value + U256::from(heard.gas_limit) * U256::from(heard.max_fee);
            assert!(cost <= limit.0, "{form:?} can cost more than was approved");
            assert_eq!(Some(Nonce(heard.nonce)), approved.nonce);
            let means = match form.kind {
                PayloadKind::Payment => (shown.to_address, shown.value.0),
                PayloadKind::Cancel => (Some(shown.address), U256::ZERO),
            };
            assert_eq!((heard.to, heard.value), means, "what was signed is not what was shown");
            if form.sent_at.is_some() {
                self.sent.insert(form.hash);
            }
            self.signed.push(Signed { transaction_id: form.transaction_id, kind: form.kind, heard });
        }
        let cancels = ladder.iter().filter(|form| form.kind == PayloadKind::Cancel);
        assert!(cancels.count() == 1 && ladder.len() >= 2, "an approval signs a ladder and one cancel");
    }

    pub(super) async fn execute(&mut self, row: &Model) {
        let agent = &self.agents[&row.agent_id.expect("agents prepared all of them")];
        match crate::domain::transactions::execute(&self.state, agent, row.transaction_id).await {
            // From here on it may have left.
            Ok(executed) => self.sent.extend(executed.hashes),
            Err(Error::Expired) => {}
            Err(Error::NonceUsedElsewhere) => {
                let row = self.find(row.transaction_id).await;
                assert_eq!(row.waiting_reason, Some(WaitingReason::NonceUsedElsewhere), "nobody said so of {row:?}");
            }
            Err(error) => panic!("an execution failed: {error:?}"),
        }
    }

    pub(super) async fn caller(&self, row: &Model, is_agent: bool) -> Caller {
        if is_agent {
            return Caller::Agent(self.agents[&row.agent_id.expect("agents prepared all of them")].clone());
        }
        let user = sessions::authenticate(&self.state, self.token.expose()).await;
        Caller::User(user.expect("the session lasts"))
    }

    pub(super) fn pass(&self, time: Duration) {
        self.state.clock.advance(time);
    }
}

/// Of one decision, those that are sent at once have the lowest nonces.
fn check_order(approved: &[Model]) {
    for (one, other) in approved.iter().flat_map(|one| approved.iter().map(move |other| (one, other))) {
        let is_before = one.status == Status::Submitted && other.status == Status::Authorized;
        let of_same = one.address == other.address && one.decided_at == other.decided_at;
        assert!(!(is_before && of_same) || one.nonce < other.nonce, "{one:?} waits behind {other:?}");
    }
}
