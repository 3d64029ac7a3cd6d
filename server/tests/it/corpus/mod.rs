//! Some hundreds of transactions, of thieves and of everyday life: what each really does is compared with what is shown of
//! it, where the node shows what a trial does and where it does not.
//!
//! - **caught**: of a thief, with a grave alarm;
//! - **missed**: of a thief, without one;
//! - **misleading**: what is shown to leave or arrive is not what does;
//! - **false alarm**: of everyday life, with a grave alarm.

use std::fmt::Write;

use agent_sdk::{AssetChange, ChangeDirection, Severity, SimulationMethod, Transaction};
use alloy::primitives::{Address, I256, U256};
use stage::{Case, Stage};

use crate::harness::{Calls, Database, Fault, World};

mod calldata;
mod everyday;
mod stage;
mod thieves;

/// How many there must be at least.
const THIEVES: usize = 150;
const EVERYDAY: usize = 120;

/// How many everyday ones may raise a grave alarm that they do not deserve.
const UNDUE: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_seen_is_told_and_every_theft_alarms() {
    let table = Table::of(&world().await, true).await;
    println!("where trials are seen: {table}");
    assert!(table.thieves >= THIEVES && table.everyday >= EVERYDAY, "{table}");
    assert!(table.missed.is_empty() && table.misleading.is_empty(), "{table}");
    assert!(table.undue.len() <= UNDUE && table.unknown == 0, "{table}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_seen_is_said_to_be_unknown() {
    let world = world().await;
    for method in ["eth_simulateV1", "debug_traceCall"] {
        world.gate.when(Calls::of(method), Fault::refuse("the method does not exist"));
    }
    let table = Table::of(&world, false).await;
    println!("where no trial is seen: {table}");
    assert!(table.missed.is_empty() && table.misleading.is_empty(), "{table}");
}

async fn world() -> World {
    World::start(Database::sqlite()).await
}

/// How all of it went.
#[derive(Default)]
struct Table {
    thieves: usize,
    everyday: usize,
    caught: usize,
    missed: Vec<String>,
    misleading: Vec<String>,
    undue: Vec<String>,
    /// Everyday ones that say that what they do is not known.
    unknown: usize,
}

impl Table {
    async fn of(world: &World, seen: bool) -> Self {
        let stage = Stage::set(world).await;
        let mut table = Self::default();
        for case in thieves::all(&stage).await {
            table.thieves += 1;
            let shown = stage.shown(&case).await;
            if graves(&shown).is_empty() {
                table.missed.push(format!("{}: {:?}", case.name, codes(&shown)));
            } else {
                table.caught += 1;
            }
            table.compare(&stage, &case, &shown, seen).await;
        }
        for case in everyday::all(&stage).await {
            table.everyday += 1;
            let shown = stage.shown(&case).await;
            let graves = graves(&shown);
            if graves.iter().any(|code| code == "effects_unknown") {
                table.unknown += 1;
            } else if !graves.is_empty() {
                table.undue.push(format!("{}: {graves:?}", case.name));
            }
            table.compare(&stage, &case, &shown, seen).await;
        }
        table
    }

    /// Lets it happen, and looks whether that was told. Where nothing is seen, what is told need only not be wrong without a
    /// word.
    async fn compare(&mut self, stage: &Stage<'_>, case: &Case, shown: &Transaction, seen: bool) {
        let preview = shown.preview.as_ref().expect("every new transaction has one");
        if seen {
            assert_ne!(preview.simulation.method, SimulationMethod::EthCall, "{}: {shown:?}", case.name);
        }
        let is_doubted = graves(shown).iter().any(|code| code.starts_with("effects_"));
        let happened = stage.happens(shown).await;
        for (token, really) in happened {
            let told = told(&preview.changes, token);
            let off = if told > really { told - really } else { really - told };
            if off.unsigned_abs() * U256::from(100) > really.unsigned_abs() && !is_doubted {
                let changes = &preview.changes;
                self.misleading.push(format!("{}: {token:?} moves by {really}, told {told}: {changes:?}", case.name));
            }
        }
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { thieves, everyday, caught, missed, misleading, undue, unknown } = self;
        let mut lines = format!(
            "{thieves} thieves: {caught} caught, {} missed; {everyday} everyday: {} false alarms, {unknown} unknown; \
             {} misleading",
            missed.len(),
            undue.len(),
            misleading.len()
        );
        for (kind, names) in [("missed", missed), ("misleading", misleading), ("false alarm", undue)] {
            for name in names {
                write!(lines, "\n  {kind}: {name}")?;
            }
        }
        formatter.write_str(&lines)
    }
}

fn codes(shown: &Transaction) -> Vec<String> {
    shown.warnings.iter().map(|warning| warning.code.clone()).collect()
}

fn graves(shown: &Transaction) -> Vec<String> {
    let graves = shown.warnings.iter().filter(|warning| warning.severity == Severity::High);
    graves.map(|warning| warning.code.clone()).collect()
}

/// What is told to come, less what is told to go.
fn told(changes: &[AssetChange], token: Option<Address>) -> I256 {
    let of_it = changes.iter().filter(|change| change.token_address == token);
    of_it.fold(I256::ZERO, |sum, change| {
        let amount = I256::try_from(change.amount).unwrap_or(I256::MAX);
        match change.direction {
            ChangeDirection::Sends => sum - amount,
            ChangeDirection::Receives => sum + amount,
            _ => sum,
        }
    })
}
