//! Single stories, each the shortest of its kind: what one rule is there for.

mod ending;
mod stolen;
mod waiting;

use super::{
    chain::Answer,
    event::Shows,
    node::{Fault, Via},
    world::{Setting, World},
};
use crate::{
    store::{
        tests::{TestDatabase, events_of},
        transactions::Model,
    },
    value::{Execute, TransactionId},
};

const DEPTH: usize = 3;

async fn world(depth: usize) -> World {
    let template = TestDatabase::sqlite_migrated().await;
    World::new(&template, Setting { depth, refuses_gaps: false, legacy: false, is_development: false }).await
}

fn faulty(fault: Fault) -> Via {
    Via { fault, ..Via::default() }
}

impl World {
    async fn sees(&mut self) {
        self.sees_via(Via::default()).await;
    }

    async fn sees_via(&mut self, via: Via) {
        let mut looks = 0;
        while self.tick(0, via, Answer::Fair).await {
            looks += 1;
            assert!(looks < 8, "a server finds something to do for ever");
        }
        self.check().await;
    }

    fn blocks(&mut self, number: usize) {
        (0..number).for_each(|_| self.chain.mine(None, 9, false));
    }

    async fn sent(&mut self) -> TransactionId {
        self.pay(0, Execute::Agent).await.expect("nothing stands against it")
    }

    async fn approved(&mut self) -> Model {
        let id = self.prepare(0, false, Execute::Agent).await;
        let row = self.find(id).await;
        assert!(self.approve(row, Shows::Truth, true).await);
        self.find(id).await
    }

    async fn events(&self, id: TransactionId) -> Vec<String> {
        let events = events_of(&self.state.store, self.user.user_id).await;
        events.into_iter().filter(|event| event.transaction_id == id).map(|event| event.kind).collect()
    }
}
