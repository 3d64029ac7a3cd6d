//! Single stories, each the shortest of its kind: what one rule is there for.

use std::time::Duration;

use super::{
    super::settle::VIOLATION,
    chain::Answer,
    event::Shows,
    node::{Fault, Via},
    world::{CALM, Setting, World},
};
use crate::{
    domain::transactions::{self, Release},
    store::{
        tests::{TestDatabase, events_of},
        transactions::Model,
    },
    value::{CancelCause, Evidence, Execute, Nonce, SlotState, Status, TransactionId, WaitingReason},
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

#[tokio::test]
async fn absence_ends_nothing_however_long_it_lasts() {
    for fault in [Fault::NoReceipts, Fault::NoBlocks, Fault::Silent, Fault::OtherChain] {
        let mut world = world(1).await;
        let id = world.sent().await;
        world.sees().await;
        world.blocks(5);
        for _ in 0..20 {
            world.sees_via(faulty(fault)).await;
            world.pass(Duration::from_secs(61));
            assert_eq!(world.find(id).await.status, Status::Submitted, "{fault:?}");
        }
        world.sees().await;
        assert_eq!(world.find(id).await.status, Status::Confirmed);
    }
}

#[tokio::test]
async fn a_foreign_use_ends_a_payment_once_its_block_is_final_and_is_named() {
    let mut world = world(DEPTH).await;
    let id = world.sent().await;
    world.chain.foreign(world.wallets[0].1, 0);
    world.was_foreign = true;
    world.blocks(1);
    world.sees().await;
    let row = world.find(id).await;
    assert_eq!((row.status, row.waiting_reason), (Status::Submitted, Some(WaitingReason::NonceUsedElsewhere)));
    world.blocks(DEPTH);
    world.sees().await;
    let row = world.find(id).await;
    assert_eq!((row.status, row.evidence), (Status::Superseded, Some(Evidence::Single)));
    assert!(row.reason.expect("it ended").to_string().contains("0x"));
}

#[tokio::test]
async fn where_blocks_are_gone_the_owner_may_end_it_and_it_is_watched_on() {
    let mut world = world(1).await;
    let id = world.sent().await;
    world.sees().await;
    world.blocks(2);
    world.sees_via(faulty(Fault::NoBlocks)).await;
    assert_eq!(world.find(id).await.waiting_reason, Some(WaitingReason::NonceUsedElsewhere));
    world.clear(0, Some(Nonce(0)), Shows::Truth).await;
    world.check().await;
    let row = world.find(id).await;
    assert_eq!((row.status, row.evidence), (Status::Superseded, Some(Evidence::Owner)));
    // It was paid after all.
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Confirmed);
    assert!(world.events(id).await.contains(&VIOLATION.to_owned()));
}

#[tokio::test]
async fn one_refusal_ends_nothing_three_over_a_minute_do() {
    let mut world = world(1).await;
    let id = world.sent().await;
    world.tick(0, Via::default(), Answer::Refuse).await;
    world.tick(0, Via::default(), Answer::Refuse).await;
    let row = world.find(id).await;
    assert_eq!((row.waiting_reason, row.cancelling), (Some(WaitingReason::Refused), None));
    for _ in 0..5 {
        world.pass(Duration::from_secs(21));
        world.tick(0, Via::default(), Answer::Refuse).await;
        world.tick(0, Via::default(), Answer::Refuse).await;
        world.check().await;
    }
    assert_eq!(world.find(id).await.cancelling, Some(CancelCause::Refused));
    world.sees().await;
    world.blocks(1);
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Failed);
}

#[tokio::test]
async fn what_a_node_has_taken_is_never_ended_by_another_one_s_refusals() {
    let mut world = world(1).await;
    let id = world.sent().await;
    world.sees().await;
    world.chain.evict();
    for _ in 0..40 {
        world.pass(Duration::from_secs(31));
        world.tick(0, Via::default(), Answer::Refuse).await;
        world.tick(0, Via::default(), Answer::Refuse).await;
        world.check().await;
        assert_eq!(world.find(id).await.cancelling, None);
    }
    assert_eq!(world.find(id).await.waiting_reason, Some(WaitingReason::NeedsOwner));
    world.pass(Duration::from_secs(31));
    world.sees().await;
    world.blocks(1);
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Confirmed);
}

#[tokio::test]
async fn whoever_stands_before_a_sent_one_has_a_minute_and_is_filled() {
    let mut world = world(1).await;
    let (held, above) = (world.approved().await, world.sent().await);
    world.sees().await;
    assert!(world.find(held.transaction_id).await.gives_way_at.is_some());
    world.pass(Duration::from_secs(59));
    world.sees().await;
    assert_eq!(world.find(held.transaction_id).await.status, Status::Authorized);
    world.pass(Duration::from_secs(2));
    world.sees().await;
    assert_eq!(world.find(held.transaction_id).await.status, Status::Expired);
    assert!(world.events(held.transaction_id).await.contains(&"gave_way".to_owned()));
    world.blocks(1);
    world.sees().await;
    assert_eq!(world.find(above).await.status, Status::Confirmed);
    assert_eq!(world.find(held.transaction_id).await.status, Status::Expired);
}

#[tokio::test]
async fn nobody_gives_way_where_nobody_waits() {
    let mut world = world(1).await;
    let (sent, held) = (world.sent().await, world.approved().await);
    for _ in 0..5 {
        world.sees().await;
        world.pass(Duration::from_secs(61));
    }
    assert_eq!(world.find(held.transaction_id).await.status, Status::Authorized);
    world.blocks(1);
    world.sees().await;
    assert_eq!(world.find(sent).await.status, Status::Confirmed);
}

#[tokio::test]
async fn a_restart_leaves_at_least_half_a_minute_to_give_way() {
    let mut world = world(1).await;
    let (held, _) = (world.approved().await, world.sent().await);
    world.sees().await;
    world.restart(0);
    world.pass(Duration::from_secs(3_000).min(world.state.policy.execution_window / 2));
    world.sees().await;
    assert_eq!(world.find(held.transaction_id).await.status, Status::Authorized);
    world.pass(Duration::from_secs(31));
    world.sees().await;
    assert_eq!(world.find(held.transaction_id).await.status, Status::Expired);
}

#[tokio::test]
async fn what_was_final_and_is_taken_back_is_told_and_the_very_same_bytes_are_sent_again() {
    let mut world = world(DEPTH).await;
    let id = world.sent().await;
    world.sees().await;
    world.blocks(DEPTH);
    world.sees().await;
    let before = world.find(id).await;
    assert_eq!(before.status, Status::Confirmed);
    (world.was_reorganised, world.was_deep, world.contradicts) = (true, true, true);
    world.chain.reorganise_deep(2, true, None, 0);
    world.blocks(DEPTH);
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Confirmed, "a final word is not taken back");
    assert!(world.events(id).await.contains(&VIOLATION.to_owned()));
    world.blocks(1);
    world.sees().await;
    let versions = world.events(id).await.len();
    world.sees().await;
    assert_eq!(world.events(id).await.len(), versions, "nothing is new");
    assert!(!world.tick(0, Via::default(), Answer::Fair).await, "nothing is to be done until it is final");
    world.blocks(DEPTH);
    world.sees().await;
    let after = world.find(id).await;
    let hash = |row: &Model| row.block.as_ref().map(|block| block.0.transaction_hash);
    assert_eq!(hash(&after), hash(&before));
    assert_eq!(world.slots(after.address).await[0].state, SlotState::Used);
    world.check_payments().await;
}

#[tokio::test]
async fn a_payment_that_somebody_else_s_chain_history_replaces_is_told_as_superseded() {
    let mut world = world(DEPTH).await;
    let id = world.sent().await;
    world.sees().await;
    world.blocks(DEPTH);
    world.sees().await;
    (world.was_reorganised, world.was_deep, world.contradicts) = (true, true, true);
    world.chain.reorganise_deep(3, true, None, 0);
    world.was_foreign = true;
    world.chain.foreign(world.wallets[0].1, 0);
    world.blocks(DEPTH + 1);
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Superseded);
    world.check_payments().await;
}

#[tokio::test]
async fn what_superseded_a_payment_can_be_taken_back_and_no_payment_follows() {
    let mut world = world(DEPTH).await;
    let id = world.sent().await;
    world.chain.foreign(world.wallets[0].1, 0);
    world.was_foreign = true;
    world.blocks(DEPTH);
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Superseded);
    (world.was_reorganised, world.was_deep, world.contradicts) = (true, true, true);
    world.chain.reorganise_deep(2, true, None, 0);
    world.blocks(DEPTH);
    world.sees().await;
    world.blocks(DEPTH);
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Superseded);
    assert_eq!(world.slots(world.wallets[0].1).await[0].state, SlotState::Used);
    world.check_alive().await;
    world.check_payments().await;
}

#[tokio::test]
async fn bytes_are_sent_again_whatever_the_wall_clock_is_set_to() {
    let mut world = world(1).await;
    let id = world.sent().await;
    world.tick(0, Via::default(), Answer::Lost).await;
    world.state.clock.set_back(Duration::from_secs(3_600));
    world.pass(Duration::from_secs(31));
    world.sees().await;
    world.blocks(1);
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Confirmed);
}

#[tokio::test]
async fn a_payment_that_waits_is_sped_up_and_no_price_is_skipped_above_it() {
    let mut world = world(1).await;
    let (id, behind) = (world.sent().await, world.sent().await);
    world.chain.market = CALM * 2;
    for _ in 0..12 {
        world.sees().await;
        world.pass(Duration::from_secs(61));
    }
    let forms = world.payloads(world.wallets[0].1).await;
    let sent = |id| forms.iter().filter(move |form| form.transaction_id == id && form.sent_at.is_some()).count();
    assert!(sent(id) > 3, "it waits at the lowest nonce");
    assert_eq!(sent(behind), 1, "it waits for the other one, not for a price");
    world.settle().await;
    assert_eq!(world.find(behind).await.status, Status::Confirmed);
}

#[tokio::test]
async fn an_orphan_s_receipt_is_no_evidence() {
    let mut world = world(2).await;
    let id = world.sent().await;
    world.sees().await;
    world.blocks(1);
    world.was_reorganised = world.chain.reorganise(1, None, 0);
    world.chain.evict();
    world.blocks(4);
    world.sees_via(faulty(Fault::Orphans)).await;
    assert_eq!(world.find(id).await.status, Status::Submitted);
}

#[tokio::test]
async fn at_most_sixteen_are_sent_ahead() {
    let mut world = world(1).await;
    for _ in 0..18 {
        world.sent().await;
    }
    world.sees().await;
    assert_eq!(world.chain.pooled(), 16);
    world.settle().await;
    world.check_ended().await;
}

#[tokio::test]
async fn a_withdrawn_nonce_that_is_burnt_is_used_up_at_once() {
    let mut world = world(1).await;
    let row = world.approved().await;
    let caller = world.caller(&row, false).await;
    let ended = transactions::cancel(&world.state, &caller, row.transaction_id, Release::Burn).await;
    let ended = ended.expect("it is theirs");
    assert!(ended.row.status == Status::Cancelled && ended.valid_until_nonce_used);
    world.sees().await;
    world.blocks(1);
    world.sees().await;
    assert_eq!(world.slots(row.address).await[0].state, SlotState::Used);
    world.check_payments().await;
}

#[tokio::test]
async fn an_absurd_nonce_is_cleared_and_the_wallet_goes_on() {
    let mut world = world(1).await;
    let id = world.prepare(0, false, Execute::OnApproval).await;
    let row = world.find(id).await;
    assert!(world.approve(row, Shows::Absurd, true).await);
    world.sees().await;
    let row = world.find(id).await;
    assert_eq!((row.nonce, row.waiting_reason), (Some(Nonce(1_000)), Some(WaitingReason::NeedsOwner)));
    world.give_up(&row).await;
    assert_eq!(world.find(id).await.status, Status::Cancelled);
    world.settle().await;
    world.check_ended().await;
    world.check_alive().await;
}

#[tokio::test]
async fn stolen_bytes_of_one_that_ended_are_told_and_end_whoever_has_its_nonce_now() {
    for is_executed in [false, true] {
        let mut world = world(DEPTH).await;
        let withdrawn = world.approved().await;
        let caller = world.caller(&withdrawn, true).await;
        let ended = transactions::cancel(&world.state, &caller, withdrawn.transaction_id, Release::Keep).await;
        assert_eq!(ended.expect("it is theirs").row.status, Status::Cancelled);
        let stolen = world.signed[0].heard.clone();
        let present = world.approved().await;
        assert_eq!(present.nonce, withdrawn.nonce);
        world.chain.leak(stolen);
        world.blocks(1);
        world.sees().await;
        assert_eq!(world.find(withdrawn.transaction_id).await.status, Status::Mined);
        if is_executed {
            world.execute(&present).await;
        }
        world.blocks(DEPTH);
        world.sees().await;
        assert_eq!(world.find(withdrawn.transaction_id).await.status, Status::Confirmed);
        assert!(world.events(withdrawn.transaction_id).await.contains(&"alarm_unsent_bytes_mined".to_owned()));
        assert_eq!(world.find(present.transaction_id).await.status, Status::Superseded);
        world.check_payments().await;
    }
}

#[tokio::test]
async fn stolen_bytes_whose_block_is_gone_are_over_and_the_present_one_is_executed() {
    let mut world = world(DEPTH).await;
    let withdrawn = world.approved().await;
    let caller = world.caller(&withdrawn, true).await;
    let ended = transactions::cancel(&world.state, &caller, withdrawn.transaction_id, Release::Keep).await;
    assert!(ended.is_ok());
    let stolen = world.signed[0].heard.clone();
    let present = world.approved().await;
    world.chain.leak(stolen);
    world.blocks(1);
    world.sees().await;
    assert_eq!(world.find(present.transaction_id).await.waiting_reason, Some(WaitingReason::NonceUsedElsewhere));
    world.was_reorganised = world.chain.reorganise(1, None, 0);
    world.chain.evict();
    world.sees().await;
    let row = world.find(withdrawn.transaction_id).await;
    assert_eq!((row.status, row.block), (Status::Cancelled, None));
    assert_eq!(world.find(present.transaction_id).await.waiting_reason, Some(WaitingReason::Execution));
    world.execute(&present).await;
    world.sees().await;
    world.blocks(DEPTH);
    world.sees().await;
    assert_eq!(world.find(present.transaction_id).await.status, Status::Confirmed);
    world.check_payments().await;
}

#[tokio::test]
async fn a_node_that_lags_takes_nothing_back_and_gives_no_used_nonce_out_again() {
    let mut world = world(DEPTH).await;
    let lagging = Via { is_stale: true, ..Via::default() };
    let id = world.sent().await;
    world.chain.stall();
    world.sees().await;
    world.blocks(1);
    world.sees().await;
    world.sees_via(lagging).await;
    assert_eq!(world.find(id).await.status, Status::Mined);
    assert!(!world.events(id).await.contains(&"reorganised".to_owned()));
    world.blocks(DEPTH);
    world.sees().await;
    world.sees_via(lagging).await;
    assert_eq!(world.find(id).await.status, Status::Confirmed);
    let next = world.prepare(0, false, Execute::Agent).await;
    let row = world.find(next).await;
    assert!(world.approve(row, Shows::Stale, false).await);
    assert_eq!(world.find(next).await.nonce, Some(Nonce(1)));
}

#[tokio::test]
async fn a_node_on_a_fork_that_is_not_final_for_it_is_no_alarm() {
    let mut world = world(2).await;
    world.blocks(1);
    world.chain.stall();
    let id = world.sent().await;
    world.tick(0, Via::default(), Answer::Fair).await;
    world.was_reorganised = world.chain.reorganise(1, None, 1);
    world.sees().await;
    assert_eq!(world.find(id).await.status, Status::Confirmed);
    world.sees_via(Via { is_stale: true, ..Via::default() }).await;
    assert!(!world.events(id).await.contains(&VIOLATION.to_owned()));
    assert_eq!(world.slots(world.wallets[0].1).await[0].state, SlotState::Used);
}
