//! Databases for tests: real ones, empty or migrated, gone afterwards.

use std::{
    fs,
    panic::{AssertUnwindSafe, resume_unwind},
    path::PathBuf,
};

use futures_util::FutureExt;
use sea_orm::{QueryOrder, entity::prelude::*};
use uuid::Uuid;

mod failures;
mod queries;

use super::{Store, events, migrate_up, payloads, users};
use crate::value::{Address, Secret, Time, UserId};

/// How many connections a test's store may open.
const CONNECTIONS: u32 = 8;

/// A database of its own for one test.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    pub(crate) store: Store,
    url: Secret<String>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Directory(Directory),
    Postgres { server: Secret<String>, name: String },
}

/// A directory that goes with the value.
#[derive(Debug)]
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("wallet-server-test-{}", Uuid::now_v7().simple()));
        fs::create_dir(&path).expect("the temporary directory takes files");
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl TestDatabase {
    /// An empty SQLite file.
    async fn sqlite() -> Self {
        let directory = Directory::new();
        let url = Secret::new(format!("sqlite:{}", directory.0.join("test.db").display()));
        let store = Store::connect(&url, CONNECTIONS).await.expect("a new file");
        Self { store, url, place: Place::Directory(directory) }
    }

    /// A migrated SQLite file.
    pub(crate) async fn sqlite_migrated() -> Self {
        let database = Self::sqlite().await;
        migrate_up(&database.store).await.expect("an empty database");
        database
    }

    /// A copy of a SQLite database that nobody writes to: far faster than migrating another one.
    pub(crate) async fn copy(&self) -> Self {
        let Place::Directory(from) = &self.place else { panic!("only files are copied") };
        let to = Directory::new();
        for file in fs::read_dir(&from.0).expect("it exists").map(|file| file.expect("it is readable")) {
            // The index of the write-ahead log is made anew.
            if !file.file_name().to_string_lossy().ends_with("-shm") {
                fs::copy(file.path(), to.0.join(file.file_name())).expect("the temporary directory takes files");
            }
        }
        let url = Secret::new(format!("sqlite:{}", to.0.join("test.db").display()));
        let store = Store::connect(&url, CONNECTIONS).await.expect("a sound file");
        // Nobody cuts the power.
        store.writer.execute_unprepared("PRAGMA synchronous = OFF").await.expect("a sound file");
        Self { store, url, place: Place::Directory(to) }
    }

    /// An empty database on the PostgreSQL server of `TEST_DATABASE_URL`.
    async fn postgres() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a setting of the tests, not of the server")]
        let server = std::env::var("TEST_DATABASE_URL");
        let server = Secret::new(server.expect("run the tests with `make test`, which starts PostgreSQL"));
        let name = format!("test_{}", Uuid::now_v7().simple());
        administer(&server, &format!("CREATE DATABASE {name}")).await;
        let mut url = reqwest::Url::parse(server.expose()).expect("TEST_DATABASE_URL is a URL");
        url.set_path(&name);
        let url = Secret::new(url.to_string());
        let store = Store::connect(&url, CONNECTIONS).await.expect("a new database");
        Self { store, url, place: Place::Postgres { server, name } }
    }

    /// Another server on the same database.
    pub(crate) async fn connect(&self) -> Store {
        Store::connect(&self.url, CONNECTIONS).await.expect("it is open already")
    }

    fn sqlite_file(&self) -> PathBuf {
        let Place::Directory(directory) = &self.place else { panic!("it has no file") };
        directory.0.join("test.db")
    }

    async fn end(self) {
        let Self { store, url: _, place } = self;
        store.writer.close().await.expect("nobody uses it");
        if let Place::Postgres { server, name } = &place {
            administer(server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

async fn administer(server: &Secret<String>, sql: &str) {
    let connection = sea_orm::Database::connect(server.expose().as_str()).await;
    let connection = connection.expect("the server of TEST_DATABASE_URL answers; `make test` starts one");
    connection.execute_unprepared(sql).await.expect("TEST_DATABASE_URL names a superuser");
    connection.close().await.expect("nobody else uses it");
}

/// Runs a test on an empty SQLite and an empty PostgreSQL database.
pub(crate) async fn on_empty(test: impl AsyncFn(&TestDatabase)) {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let backend = database.store.backend();
        let outcome = AssertUnwindSafe(test(&database)).catch_unwind().await;
        database.end().await;
        if let Err(panic) = outcome {
            tracing::error!(?backend, "a test failed on this database");
            resume_unwind(panic);
        }
    }
}

/// Runs a test on a migrated SQLite and a migrated PostgreSQL database.
pub(crate) async fn on_both(test: impl AsyncFn(&TestDatabase)) {
    on_empty(async |database| {
        migrate_up(&database.store).await.expect("an empty database");
        test(database).await;
    })
    .await;
}

/// A person, with nothing that opens anything.
pub(crate) fn person() -> users::Model {
    let user_id = UserId::new();
    users::Model {
        user_id,
        username: format!("u{}", user_id.0.simple()).parse().expect("hex digits"),
        password_salt: vec![0; 16],
        password_wrap: Vec::new(),
        recovery_wrap: Vec::new(),
        totp_secret: None,
        totp_pending: None,
        totp_last_step: 0,
        event_sequence: 0,
        created_at: Time::from_unix_microseconds(0),
    }
}

/// Everything that happened to a person's transactions, in order.
pub(crate) async fn events_of(store: &Store, user_id: UserId) -> Vec<events::Model> {
    let query = events::Entity::find().filter(events::Column::UserId.eq(user_id));
    query.order_by_asc(events::Column::Sequence).all(&store.reader).await.expect("the database answers")
}

/// Everything that was ever signed for an account, with its bytes, by nonce and price.
pub(crate) async fn payloads_of(store: &Store, address: Address) -> Vec<payloads::Model> {
    let query = payloads::Entity::find().filter(payloads::Column::Address.eq(address));
    let query = query.order_by_asc(payloads::Column::Nonce).order_by_asc(payloads::Column::Rung);
    query.order_by_asc(payloads::Column::TransactionId).all(&store.reader).await.expect("the database answers")
}
