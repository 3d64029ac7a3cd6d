//! Runs scenarios, and notes how long each took.

use std::{fs::OpenOptions, io::Write, time::Instant};

/// Makes tests of scenarios, each an `async fn` that takes a [`Database`](crate::harness::Database): on both databases,
/// with `long:` only for `make test-long`, with `two servers:` on PostgreSQL, the only database that servers share.
macro_rules! scenarios {
    (long: $($name:ident),+ $(,)?) => {
        crate::faults::scenario::on!(sqlite, 1, [#[ignore = "make test-long"]], $($name),+);
        crate::faults::scenario::on!(postgres, 1, [#[ignore = "make test-long"]], $($name),+);
    };
    (long, two servers: $($name:ident),+ $(,)?) => {
        crate::faults::scenario::on!(two_servers, 2, [#[ignore = "make test-long"]], $($name),+);
    };
    (two servers: $($name:ident),+ $(,)?) => {
        crate::faults::scenario::on!(two_servers, 2, [], $($name),+);
    };
    ($($name:ident),+ $(,)?) => {
        crate::faults::scenario::on!(sqlite, 1, [], $($name),+);
        crate::faults::scenario::on!(postgres, 1, [], $($name),+);
    };
}

macro_rules! on {
    // Brackets cannot be repeated beside the names, so each name gets them handed down.
    ($database:ident, $servers:literal, $attributes:tt, $($name:ident),+) => {
        mod $database {
            $(crate::faults::scenario::one!($database, $servers, $attributes, $name);)+
        }
    };
}

macro_rules! one {
    ($database:ident, $servers:literal, [$($attributes:tt)*], $name:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        $($attributes)*
        async fn $name() {
            let _clock = crate::faults::scenario::Clock::of(module_path!(), stringify!($name), $servers);
            super::$name(crate::faults::scenario::database!($database)).await;
        }
    };
}

macro_rules! database {
    (sqlite) => {
        crate::harness::Database::sqlite()
    };
    ($shared:ident) => {
        crate::harness::Database::postgres().await
    };
}

pub(super) use {database, on, one, scenarios};

/// Measures one scenario; what it measured goes into the file that `SCENARIOS` names, for `scripts/scenarios`.
pub(super) struct Clock {
    kind: &'static str,
    name: &'static str,
    servers: usize,
    began: Instant,
}

impl Clock {
    pub(super) fn of(module: &'static str, name: &'static str, servers: usize) -> Self {
        Self { kind: module.trim_start_matches("it::faults::"), name, servers, began: Instant::now() }
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let (kind, database) = self.kind.split_once("::").unwrap_or((self.kind, ""));
        let database = if database == "sqlite" { "sqlite" } else { "postgres" };
        let Self { name, servers, .. } = self;
        let (seconds, outcome) =
            (self.began.elapsed().as_secs_f64(), if std::thread::panicking() { "FAILED" } else { "ok" });
        note(&format!("{kind}\t{name}\t{database}\t{servers}\t{seconds:.1}\t{outcome}"));
    }
}

/// Notes a figure below the table of scenarios.
pub(super) fn figure(text: &str) {
    note(&format!("#\t{text}"));
}

fn note(line: &str) {
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests, not of the server")]
    let Ok(file) = std::env::var("SCENARIOS") else { return };
    // One write, so that lines of tests that run at the same time do not mix.
    let file = OpenOptions::new().append(true).create(true).open(file);
    let _ = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
}
