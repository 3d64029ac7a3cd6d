//! How each event happens in the world, and how a world comes to rest.

use std::time::Duration;

use super::{
    chain::Answer,
    event::{Event, Shows},
    node::Via,
    rules::Rows,
    world::{CALM, World},
};
use crate::{
    domain::{
        Error,
        transactions::{self, Release},
    },
    store::transactions::Model,
    value::{Address, Evidence, Execute, SlotState, Status, TransactionId, WaitingReason},
};

impl World {
    pub(super) async fn happen(&mut self, event: &Event) {
        match *event {
            Event::Prepare { wallet, twin, execute } => {
                self.prepare(wallet, twin, execute).await;
            }
            Event::Approve { pick, shows, acknowledge } => {
                if let Some(row) = self.pick(pick, &[Status::Pending]).await {
                    self.approve(row, shows, acknowledge).await;
                }
            }
            Event::ApproveAll { most } => {
                let mut rows = self.transactions().await;
                rows.retain(|row| row.status == Status::Pending);
                rows.truncate(most);
                self.approve_all(rows, Shows::Truth, true).await;
            }
            Event::Clear { wallet, pick, shows } => {
                let open = self.slots(self.wallets[wallet].1).await;
                let open: Vec<_> = open.iter().filter(|slot| slot.state != SlotState::Used).collect();
                let nonce = pick.filter(|_| !open.is_empty()).map(|pick| open[pick % open.len()].nonce);
                self.clear(wallet, nonce, shows).await;
            }
            Event::Execute { pick } => {
                if let Some(row) = self.pick(pick, &[Status::Authorized]).await {
                    self.execute(&row).await;
                }
            }
            Event::Pay { wallet, execute } => {
                self.pay(wallet, execute).await;
            }
            Event::Reject { pick } => self.reject(pick).await,
            Event::Cancel { pick, by_agent, burns } => self.cancel(pick, by_agent, burns).await,
            Event::Revoke { burns } => self.revoke(burns).await,
            Event::Pass { seconds, sweep } => {
                self.pass(Duration::from_secs(seconds));
                if sweep {
                    self.sweep().await;
                }
            }
            Event::SetBack { seconds } => {
                self.state.clock.set_back(Duration::from_secs(seconds));
                self.set_back += Duration::from_secs(seconds);
            }
            Event::Tick { server, via, answer } => {
                self.tick(server, via, answer).await;
            }
            Event::Insist { server, via, answer } => {
                for _ in 0..5 {
                    self.tick(server, via, answer).await;
                    self.pass(Duration::from_secs(25));
                }
            }
            Event::Look { server, via } => self.look(server, via).await,
            Event::Act { server, answer, crashes } => {
                self.act(server, answer, crashes).await;
            }
            Event::Unreachable => self.unreachable().await,
            Event::Mine { pick, most, fails } => self.chain.mine(pick, most, fails),
            Event::Stall => self.chain.stall(),
            Event::CatchUp => self.chain.catch_up(),
            Event::Evict => self.chain.evict(),
            Event::Market { times } => self.chain.market = CALM * times,
            Event::Restart { server } => self.restart(server),
            Event::Reorganise { depth, pick, most } => {
                self.was_reorganised |= self.chain.reorganise(depth, pick, most);
            }
            Event::ReorganiseDeep { depth, forgets, pick, most } => {
                (self.was_reorganised, self.was_deep, self.contradicts) = (true, true, true);
                self.chain.reorganise_deep(depth, forgets, pick, most);
            }
            Event::Reset => self.reset(),
            Event::Foreign { wallet, ahead } => {
                self.was_foreign = true;
                self.chain.foreign(self.wallets[wallet].1, ahead);
            }
            Event::Leak { pick } => {
                // What is signed before anybody sees that a chain began anew is for the old one.
                let from = if self.contradicts { self.signed.len() } else { self.signed_before };
                let signed = &self.signed[from..];
                if !signed.is_empty() {
                    self.chain.leak(signed[pick % signed.len()].heard.clone());
                }
            }
        }
    }

    /// Prepared, approved and executed.
    pub(super) async fn pay(&mut self, wallet: usize, execute: Execute) -> Option<TransactionId> {
        let id = self.prepare(wallet, false, execute).await;
        let row = self.find(id).await;
        if !self.approve(row.clone(), Shows::Truth, true).await {
            return None;
        }
        if execute == Execute::Agent {
            self.execute(&row).await;
        }
        Some(id)
    }

    async fn reject(&mut self, pick: usize) {
        let Some(row) = self.pick(pick, &[Status::Pending]).await else { return };
        match transactions::reject(&self.state, &self.user, row.transaction_id, None).await {
            Ok(_) | Err(Error::Expired) => {}
            Err(error) => panic!("a rejection failed: {error:?}"),
        }
    }

    async fn cancel(&mut self, pick: usize, by_agent: bool, burns: bool) {
        let open = [Status::Pending, Status::Authorized, Status::Submitted, Status::Mined];
        let Some(row) = self.pick(pick, &open).await else { return };
        let caller = self.caller(&row, by_agent).await;
        let release = Release::from_burn(Some(burns));
        match transactions::cancel(&self.state, &caller, row.transaction_id, release).await {
            Ok(_) | Err(Error::Expired) => {}
            Err(Error::Forbidden(_)) if by_agent => {}
            Err(error) => panic!("a cancel failed: {error:?}"),
        }
    }

    async fn sweep(&self) {
        transactions::expire_overdue(&self.state).await.expect("the database answers");
    }

    /// Without an answer nothing goes on.
    async fn unreachable(&mut self) {
        let before = Rows::read(self).await.stands();
        self.tick_unreachable().await;
        assert_eq!(before, Rows::read(self).await.stands());
    }

    fn reset(&mut self) {
        if self.chain.is_development {
            let over = self.seen.values().filter(|row| row.status.is_final());
            let known = over.filter_map(|row| row.block.as_ref()).map(|block| block.0.transaction_hash).collect();
            self.chain.reset(&known);
            self.drop_plans();
            (self.signed_before, self.contradicts) = (self.signed.len(), true);
        }
    }

    /// Nodes are fair, blocks come, time passes, until nothing changes any more.
    pub(super) async fn settle(&mut self) {
        self.chain.catch_up();
        self.chain.market = CALM;
        let (mut quiet, mut before) = (0, None);
        for round in 0..200 {
            self.sweep().await;
            for server in [0, 1] {
                let mut looks = 0;
                while self.tick(server, Via::default(), Answer::Fair).await {
                    looks += 1;
                    assert!(looks < 20, "a server finds something to do for ever");
                }
            }
            if round == 0 {
                self.check_waiting().await;
            }
            self.chain.mine(None, 9, false);
            // The first round runs out of time for whoever waits for a human or an agent.
            let late = Duration::from_secs(3_700) + std::mem::take(&mut self.set_back);
            self.pass(if round == 0 { late } else { Duration::from_secs(61) });
            let after = Some((self.check().await, self.chain.transactions().count()));
            quiet = if before == after { quiet + 1 } else { 0 };
            before = after;
            // Long enough for finality, for the next rung, and for a nonce that passed.
            if quiet > 3 {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// After a fair look nobody is told what a liar said.
    async fn check_waiting(&self) {
        for row in self.transactions().await {
            match (row.waiting_reason, row.nonce) {
                (Some(WaitingReason::NonceUsedElsewhere), Some(nonce)) => {
                    assert!(self.chain.latest(row.address, false) > nonce.0, "the nonce of {row:?} is free");
                }
                (Some(WaitingReason::NodeUnreachable), _) => panic!("the node of {row:?} answers"),
                _ => {}
            }
        }
    }

    /// Whatever needs its owner is cleared by its owner.
    pub(super) async fn rescue(&mut self) {
        for tries in 0..20 {
            let open = self.seen.values().filter(|row| !row.status.is_final());
            let Some(row) = open.min_by_key(|row| row.nonce).cloned() else { return };
            assert_eq!(row.waiting_reason, Some(WaitingReason::NeedsOwner), "{row:?} is stuck");
            // What stands before it, or, where that is too much, itself.
            if tries > 1 {
                self.give_up(&row).await;
            } else {
                self.clear(self.wallet_of(row.address), None, Shows::Truth).await;
            }
            self.settle().await;
        }
    }

    /// The owner wants a payment no longer, nor its nonce.
    pub(super) async fn give_up(&mut self, row: &Model) {
        let caller = self.caller(row, false).await;
        let cancelled = transactions::cancel(&self.state, &caller, row.transaction_id, Release::Keep).await;
        cancelled.expect("it was sent and has not ended");
        self.clear(self.wallet_of(row.address), row.nonce, Shows::Truth).await;
    }

    fn wallet_of(&self, address: Address) -> usize {
        self.wallets.iter().position(|(_, known)| *known == address).expect("it is theirs")
    }

    /// All that was sent has ended, and no nonce waits but one that nothing can be sent for: its owner has given that up.
    pub(super) async fn check_ended(&self) {
        let rows = self.transactions().await;
        for row in &rows {
            assert!(row.status.is_final(), "{row:?} is stuck");
        }
        let given_up = |id| rows.iter().any(|row| row.transaction_id == id && row.evidence == Some(Evidence::Owner));
        for (_, address) in &self.wallets {
            for slot in self.slots(*address).await {
                let waits = matches!(slot.state, SlotState::Sent | SlotState::Held);
                assert!(!waits || given_up(slot.transaction_id), "{slot:?} is stuck");
            }
        }
    }

    /// Every wallet still pays.
    pub(super) async fn check_alive(&mut self) {
        let mut paid = Vec::new();
        for wallet in 0..self.wallets.len() {
            paid.push(self.pay(wallet, Execute::Agent).await.expect("nothing stands against it"));
        }
        self.settle().await;
        for row in self.seen.values() {
            assert!(row.status.is_final(), "{row:?} is stuck");
            let is_new = paid.contains(&row.transaction_id);
            assert!(!is_new || row.status == Status::Confirmed, "{row:?} cannot pay any more");
        }
    }
}
