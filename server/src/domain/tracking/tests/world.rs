//! A person, two wallets, agents, two servers on one database, and the chain.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use alloy::primitives::U256;

use super::{
    chain::{Chain, Heard},
    server::Server,
};
use crate::{
    chain::Chains,
    domain::{
        Agent, Caller, Error, User, digest, ladder, sessions,
        transactions::{Actor, Change, Release},
    },
    keys::{Kdf, Master, Tokens, TotpSecret, UserKey, WalletKey},
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
    pub(super) totp: TotpSecret,
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

    pub(super) fn market(&self) -> Market {
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

    pub(super) fn was_leaked(&self) -> bool {
        self.signed.iter().any(|signed| {
            !self.sent.contains(&signed.heard.hash)
                && self.chain.transactions().any(|(heard, _)| *heard == signed.heard)
        })
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
