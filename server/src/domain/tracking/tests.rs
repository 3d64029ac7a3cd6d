//! Whatever happens, in whatever order: no payment happens twice or unasked, and no wallet gets stuck.
//!
//! Random sequences of events run against the real rules on a real database. Chain and nodes are a few lines that know
//! the truth, so that every row can be held against it. Assumed of the world: the final block of a chain stays, unless a
//! test says otherwise, and a node that lags shows what was true once, for as long as it likes.
//!
//! `PROPTEST_CASES` sets how many sequences each test runs (40), `PROPTEST_RNG_SEED` another seed.

mod chain;
mod decisions;
mod event;
mod node;
mod rules;
mod scenarios;
mod server;
mod story;
mod world;

use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};

use self::{
    event::{Dangers, event},
    world::{Setting, World},
};
use crate::store::tests::TestDatabase;

/// How many sequences a test runs unless that is set.
const CASES: u32 = 40;

fn run(seed: u64, dangers: Dangers) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let template = runtime.block_on(TestDatabase::sqlite_migrated());
    let is_development = dangers.resets > 0;
    let setting = (1..4_usize, prop::bool::weighted(0.2), prop::bool::weighted(0.2))
        .prop_map(move |(depth, refuses_gaps, legacy)| Setting { depth, refuses_gaps, legacy, is_development });
    let story = (setting, prop::collection::vec(event(dangers), 5..50));
    let mut config = ProptestConfig { failure_persistence: None, max_shrink_iters: 500, ..ProptestConfig::default() };
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests, not of the server")]
    let is_set = std::env::var_os("PROPTEST_CASES").is_some();
    if !is_set {
        config.cases = CASES;
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(seed);
    }
    let outcome = TestRunner::new(config).run(&story, |(setting, events)| {
        runtime.block_on(async {
            let mut world = World::new(&template, setting).await;
            for event in &events {
                world.happen(event).await;
                world.check().await;
            }
            world.settle().await;
            world.rescue().await;
            world.check_ended().await;
            world.check_payments().await;
            world.check_alive().await;
            world.check_payments().await;
        });
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[test]
fn no_order_of_events_pays_twice_or_blocks_a_wallet() {
    run(1, Dangers { reorganisations: 4, ..Dangers::default() });
}

#[test]
fn neither_do_a_key_used_elsewhere_and_stolen_bytes() {
    run(2, Dangers { reorganisations: 4, foreign_use: 3, leaks: 2, ..Dangers::default() });
}

#[test]
fn nor_nodes_that_hide_and_mistake_things_for_a_while() {
    run(3, Dangers { reorganisations: 3, foreign_use: 2, faults: 8, ..Dangers::default() });
}

#[test]
fn nor_a_chain_that_takes_back_what_was_final() {
    run(4, Dangers { reorganisations: 2, deep_reorganisations: 3, foreign_use: 1, leaks: 1, ..Dangers::default() });
}

#[test]
fn nor_a_development_chain_that_begins_anew() {
    run(5, Dangers { foreign_use: 1, leaks: 1, resets: 2, faults: 1, ..Dangers::default() });
}
