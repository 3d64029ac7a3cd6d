//! What a server process does: it looks through a node, plans, commits and sends.

use std::time::Duration;

use super::{
    super::{
        account::{self, Tracked},
        continuity::{self, Blocks, Standing},
        deliver::{SignedPayload, record},
        look::prune,
        memory::Memory,
        plan,
        step::Step,
        tracker::Tracker,
    },
    chain::{Answer, Block, Heard, height},
    node::{Fault, Via},
    world::World,
};
use crate::{
    chain::{ChainError, ChainSettings, SendOutcome},
    domain::{Error, Result, nonces::Account},
    store::payloads,
    value::{Address, BlockHash, Nonce, PayloadKind, Secret, SlotState, Status},
};

/// What a server process has in memory.
#[derive(Debug, Default)]
pub(super) struct Server {
    memories: Vec<(Address, Memory)>,
    planned: Vec<Step>,
}

impl Server {
    fn memory(&mut self, address: Address) -> &mut Memory {
        let known = self.memories.iter().position(|(known, _)| *known == address);
        let at = known.unwrap_or_else(|| {
            self.memories.push((address, Memory::default()));
            self.memories.len() - 1
        });
        &mut self.memories[at].1
    }
}

/// The blocks of a node.
struct View<'chain>(&'chain [Block]);

impl Blocks for View<'_> {
    async fn block_hash(&self, height: u64) -> Result<Option<BlockHash>, ChainError> {
        let number = usize::try_from(height).expect("a short chain");
        Ok(self.0.get(number).map(|block| block.hash))
    }
}

impl World {
    pub(super) fn restart(&mut self, server: usize) {
        self.servers[server] = Server::default();
    }

    /// Nobody is in the middle of anything.
    pub(super) fn drop_plans(&mut self) {
        self.servers.iter_mut().for_each(|server| server.planned.clear());
    }

    /// A server holds a node's blocks against what is remembered of the chain.
    async fn compare(&mut self, via: Via) {
        // Another chain in the middle of a look: the round before it was good.
        self.was_other_chain |= via.fault == Fault::OtherChain;
        if via.fault == Fault::OtherChain && !self.contradicts {
            return;
        }
        let blocks = self.chain.view(via.is_stale);
        let standing = Standing {
            chain_id: self.chain_id,
            head: height(blocks.len() - 1),
            final_height: self.chain.final_height(blocks),
            genesis: blocks.first().map(|block| block.hash),
            is_development: self.chain.is_development,
        };
        let marks = continuity::marks(&self.state, self.chain_id).await.expect("the database answers");
        continuity::compare(&self.state, standing, &marks, &View(blocks)).await.expect("the database answers");
        if self.contradicts && !(via.is_stale && self.chain.is_stalled()) {
            self.contradicts = false;
            // What was signed before anybody saw that the chain began anew was for the old one.
            if self.chain.was_reset() {
                self.signed_before = self.signed.len();
            }
        }
    }

    /// A server looks at the chain, and plans.
    pub(super) async fn look(&mut self, server: usize, via: Via) {
        self.servers[server].planned.clear();
        self.compare(via).await;
        for (_, address) in self.wallets.clone() {
            let latest = self.chain.shown_nonce(address, via);
            let tracked = self.tracked(address, latest).await;
            let sight = self.chain.look(address, latest, &tracked, via);
            let (now, policy) = (self.state.clock.elapsed(), self.state.policy.clone());
            let memory = self.servers[server].memory(address);
            prune(memory, &tracked);
            let steps = plan::plan(&tracked, &sight, memory, now, &policy);
            self.servers[server].planned.extend(steps);
        }
    }

    async fn tracked(&self, address: Address, latest: Nonce) -> Vec<Tracked> {
        let account = Account { chain_id: self.chain_id, address };
        account::load(&self.state, account, latest).await.expect("the database answers")
    }

    /// A server does what it planned; its process ends before the sending when it crashes. True when another look is
    /// worth it.
    pub(super) async fn act(&mut self, server: usize, answer: Answer, crashes: bool) -> bool {
        let mut acted = false;
        for step in std::mem::take(&mut self.servers[server].planned) {
            self.check_step(server, &step).await;
            match record(&self.state, &step).await.expect("the database answers") {
                None => acted |= !matches!(step, Step::Send(_) | Step::Wait { .. } | Step::GiveWay(_)),
                Some(_) if crashes => {
                    self.restart(server);
                    return true;
                }
                Some(payload) => {
                    self.deliver(server, payload, answer).await;
                    acted = true;
                }
            }
        }
        acted
    }

    /// A look, and at once what follows.
    pub(super) async fn tick(&mut self, server: usize, via: Via, answer: Answer) -> bool {
        self.look(server, via).await;
        self.act(server, answer, false).await
    }

    /// A chain whose node is not there.
    pub(super) fn unreachable_chain(&self) -> crate::chain::Chain {
        // Nothing listens on the port that discards (RFC 863).
        let url = Secret::new("http://127.0.0.1:9".to_owned());
        crate::chain::Chain::new(ChainSettings::new(self.chain_id, url)).expect("a URL")
    }

    /// A look at a node that is not there: whoever waits is told, and nothing else changes.
    pub(super) async fn tick_unreachable(&mut self) {
        let chain = self.unreachable_chain();
        let polled = Tracker::new(self.state.clone(), chain).poll().await;
        assert!(matches!(polled, Err(Error::ChainUnavailable(_))), "{polled:?}");
    }

    async fn deliver(&mut self, server: usize, payload: SignedPayload, answer: Answer) {
        let SignedPayload { form, bytes } = payload;
        let heard = Heard::read(form.address, bytes.expose());
        self.check_sendable(&form, &heard).await;
        self.sent.insert(heard.hash);
        let outcome = self.chain.send(heard, answer, form.kind == PayloadKind::Payment);
        let now = self.state.clock.elapsed();
        match outcome {
            SendOutcome::Refused { .. } => self.refusals.entry((server, form.hash)).or_default().push(now),
            SendOutcome::Unavailable { .. } => {}
            _ => drop(self.refusals.remove(&(server, form.hash))),
        }
        self.servers[server].memory(form.address).note(form.hash, outcome, now);
    }

    /// Who stands in the way has its time, and only nodes that go on refusing are believed.
    async fn check_step(&mut self, server: usize, step: &Step) {
        let now = self.state.clock.elapsed();
        match step {
            Step::GiveWay(row) => drop(self.told.entry(row.transaction_id).or_insert(now)),
            Step::GaveWay(row) => {
                let told = self.told.get(&row.transaction_id).expect("it was told before");
                assert!(now - *told >= self.state.policy.give_way_at_least, "{row:?} had no time");
                let row = self.find(row.transaction_id).await;
                let slots = self.slots(row.address).await;
                let is_above = |nonce: Nonce| row.nonce.is_some_and(|own| nonce > own);
                let stands_in_the_way = slots.iter().any(|slot| slot.state == SlotState::Sent && is_above(slot.nonce));
                assert!(stands_in_the_way || row.status != Status::Authorized, "nobody waits for {row:?}");
            }
            Step::Refuse { form, .. } => {
                let refusals = self.refusals.get(&(server, form.hash)).map_or(&[][..], Vec::as_slice);
                let lasted = refusals.first().map_or(Duration::ZERO, |first| now - *first);
                assert!(refusals.len() >= 3 && lasted >= Duration::from_secs(60), "{form:?}: {refusals:?} at {now:?}");
                let ladder = payloads::list_for_transactions(&self.state.store, &[form.transaction_id]).await;
                let mut ladder = ladder.expect("the database answers").into_iter();
                let row = self.find(form.transaction_id).await;
                let is_open = row.status == Status::Submitted && row.cancelling.is_none();
                assert!(!is_open || ladder.all(|form| form.accepted_at.is_none()), "a node took {form:?}");
            }
            _ => {}
        }
    }

    /// No byte leaves before that is durably noted, none of somebody who does not have the nonce, and once a transaction
    /// has ended, no payment but the very bytes that happened.
    async fn check_sendable(&self, form: &payloads::Form, heard: &Heard) {
        assert_eq!((form.hash, form.nonce), (heard.hash, Nonce(heard.nonce)), "other bytes than were recorded");
        let stored = payloads::list_for_transactions(&self.state.store, &[form.transaction_id]).await;
        let stored = stored.expect("the database answers");
        let stored = stored.iter().find(|stored| stored.hash == form.hash).expect("it was signed");
        assert!(stored.sent_at.is_some(), "{form:?} leaves unnoted");
        let slots = self.slots(form.address).await;
        let slot = slots.iter().find(|slot| slot.nonce == form.nonce).expect("it was signed");
        assert_eq!(slot.transaction_id, form.transaction_id, "{form:?} has lost its nonce");
        assert!(matches!(slot.state, SlotState::Sent | SlotState::Used), "{form:?} leaves from a {slot:?}");
        let rows = self.transactions().await;
        let row = rows.iter().find(|row| row.transaction_id == form.transaction_id).expect("it was signed");
        let may_leave = match (row.status, form.kind) {
            (Status::Submitted | Status::Mined, _) => true,
            (Status::Confirmed | Status::Reverted, _) => slot.used_by == Some(form.hash),
            (_, kind) => kind == PayloadKind::Cancel,
        };
        assert!(may_leave, "{form:?} leaves for {row:?}");
    }
}
