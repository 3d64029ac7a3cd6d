//! Connections on which something failed, on both databases.

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::{TestDatabase, on_both, person};
use crate::{
    store::{Error, Read, Store, Write, heartbeats, instance, users},
    value::{Secret, Time, UserId},
};

/// One connection only, so that each transaction meets what the one before left.
async fn on_one_connection(test: impl AsyncFn(&TestDatabase, &Store)) {
    on_both(async |database| {
        if database.store.backend() == DbBackend::Sqlite {
            // The writer is one connection in any case, and the file has one process.
            test(database, &database.store).await;
        } else {
            let store = Store::connect(&database.url, 1).await.expect("it is there");
            test(database, &store).await;
        }
    })
    .await;
}

async fn insert(write: &Write) -> UserId {
    let user = person();
    users::insert(write, user.clone()).await.expect("a new person");
    user.user_id
}

async fn exists(store: &Store, user_id: UserId) -> bool {
    users::find(store, user_id).await.expect("the database answers").is_some()
}

/// A write that is whole: what is told to be stored is there.
async fn write_and_read(store: &Store) {
    let write = store.write().await.expect("another connection is opened");
    let user_id = insert(&write).await;
    write.commit().await.expect("the database answers");
    assert!(exists(store, user_id).await, "a commit that was acknowledged stored nothing");
}

/// Makes a row of one table fail, at once or at COMMIT, with the words of a full disk.
async fn break_heartbeats(store: &Store, at_commit: bool) {
    let sql = match (store.backend(), at_commit) {
        (DbBackend::Sqlite, false) => {
            "CREATE TRIGGER full BEFORE INSERT ON heartbeats BEGIN SELECT RAISE(ROLLBACK, 'disk is full'); END"
        }
        (DbBackend::Sqlite, true) => {
            "CREATE TABLE parents (id INTEGER PRIMARY KEY);
             CREATE TABLE children (id INTEGER REFERENCES parents(id) DEFERRABLE INITIALLY DEFERRED);
             CREATE TRIGGER full BEFORE INSERT ON heartbeats BEGIN INSERT INTO children VALUES (1); END"
        }
        (_, at_commit) => {
            let (kind, when) = if at_commit { ("CONSTRAINT", "AFTER") } else { ("", "BEFORE") };
            let deferred = if at_commit { "DEFERRABLE INITIALLY DEFERRED" } else { "" };
            let sql = format!(
                "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN RAISE EXCEPTION ''no room'' USING ERRCODE = ''53100''; END';
                 CREATE {kind} TRIGGER full_disk {when} INSERT ON heartbeats {deferred}
                 FOR EACH ROW EXECUTE FUNCTION fail()"
            );
            store.writer.execute_unprepared(&sql).await.expect("it is ours");
            return;
        }
    };
    store.writer.execute_unprepared(sql).await.expect("it is ours");
}

async fn beat(write: &Write) -> Result<(), Error> {
    let sql = "INSERT INTO heartbeats (server_id, beat, at) VALUES ('00000000-0000-0000-0000-000000000001', 1, 1)";
    let statement = Statement::from_string(write.connection().get_database_backend(), sql);
    write.connection().execute_raw(statement).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_statement_failed_nothing_more_is_done_and_the_next_write_is_whole() {
    on_one_connection(async |_, store| {
        break_heartbeats(store, false).await;
        let write = store.write().await.expect("the database answers");
        let before = insert(&write).await;
        assert!(matches!(beat(&write).await, Err(Error::Unavailable(_))));
        // SQLite has rolled back by itself here: a further statement would commit alone.
        let after = person();
        assert!(matches!(users::insert(&write, after.clone()).await, Err(Error::Unavailable(_))));
        assert!(matches!(write.commit().await, Err(Error::Unavailable(_))));
        assert!(!exists(store, before).await && !exists(store, after.user_id).await);
        for _ in 0..3 {
            write_and_read(store).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_commit_failed_the_outcome_is_unknown_and_the_next_write_is_whole() {
    on_one_connection(async |_, store| {
        break_heartbeats(store, true).await;
        for _ in 0..3 {
            let write = store.write().await.expect("the database answers");
            let user_id = insert(&write).await;
            beat(&write).await.expect("it fails later");
            assert!(matches!(write.commit().await, Err(Error::CommitUnknown(_))));
            assert!(!exists(store, user_id).await, "these databases took it back");
            write_and_read(store).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_conflict_the_transaction_can_only_be_taken_back() {
    on_one_connection(async |_, store| {
        let write = store.write().await.expect("the database answers");
        let twin = person();
        users::insert(&write, twin.clone()).await.expect("a new person");
        assert!(matches!(users::insert(&write, twin.clone()).await, Err(Error::Conflict)));
        // PostgreSQL answers this COMMIT with a success that is a rollback.
        assert!(matches!(write.commit().await, Err(Error::Unavailable(_))));
        assert!(!exists(store, twin.user_id).await);
        write_and_read(store).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_in_a_transaction_is_refused_and_the_connection_is_not_used_again() {
    let database = TestDatabase::sqlite_migrated().await;
    let pool = database.store.writer.get_sqlite_connection_pool();
    let mut connection = pool.acquire().await.expect("nobody has it");
    sea_orm::sqlx::Executor::execute(&mut *connection, "BEGIN").await.expect("the database answers");
    drop(connection);
    assert!(matches!(database.store.write().await, Err(Error::Unavailable(_))));
    write_and_read(&database.store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_is_dropped_or_whose_caller_left_holds_nobody_up() {
    on_one_connection(async |_, store| {
        for _ in 0..20 {
            let write = store.write().await.expect("the one before is over");
            let user_id = insert(&write).await;
            drop(write);
            write_and_read(store).await;
            assert!(!exists(store, user_id).await);
        }
        for patience in 0..20 {
            let work = write_and_read(store);
            let _ = tokio::time::timeout(std::time::Duration::from_micros(patience * 100), work).await;
            write_and_read(store).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heartbeat_is_written_and_read_back_and_old_ones_go() {
    on_both(async |database| {
        let at = Time::from_unix_microseconds;
        let heartbeat = |beat, now| heartbeats::Model { server_id: uuid::Uuid::from_u128(1), beat, at: at(now) };
        heartbeats::beat(&database.store, heartbeat(1, 10), at(0)).await.expect("the database works");
        heartbeats::beat(&database.store, heartbeat(2, 20), at(0)).await.expect("the database works");
        let other = heartbeats::Model { server_id: uuid::Uuid::from_u128(2), ..heartbeat(1, 30) };
        heartbeats::beat(&database.store, other, at(25)).await.expect("the database works");
        assert_eq!(heartbeats::count(&database.store).await, 1);
        break_heartbeats(&database.store, true).await;
        let lost = heartbeats::beat(&database.store, heartbeat(3, 40), at(0)).await;
        assert!(matches!(lost, Err(Error::CommitUnknown(_))), "{lost:?}");
    })
    .await;
}

#[tokio::test]
async fn a_file_has_one_process_and_every_file_is_its_owners_alone() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let database = TestDatabase::sqlite_migrated().await;
    let again =
        async |path: &std::path::Path| Store::connect(&Secret::new(format!("sqlite:{}", path.display())), 1).await;
    let file = database.sqlite_file();
    let directory = file.parent().expect("a directory");
    symlink(&file, directory.join("link.db")).expect("room");
    for path in [file.clone(), directory.join("link.db"), directory.join(".").join("test.db")] {
        match again(&path).await {
            Err(Error::InUse { holder }) => assert_eq!(holder, Some(std::process::id()), "{path:?}"),
            other => panic!("{path:?}: {other:?}"),
        }
    }
    write_and_read(&database.store).await;
    for entry in std::fs::read_dir(directory).expect("ours") {
        let entry = entry.expect("ours");
        let metadata = entry.metadata().expect("ours");
        assert!(metadata.is_symlink() || metadata.permissions().mode() & 0o777 == 0o600, "{entry:?}");
    }
    std::fs::hard_link(&file, directory.join("second.db")).expect("room");
    assert_eq!(std::fs::metadata(&file).expect("ours").nlink(), 2);
    assert!(matches!(again(&directory.join("second.db")).await, Err(Error::File(_))));
    std::fs::remove_file(directory.join("second.db")).expect("ours");
    database.store.close().await.expect("nobody uses it");
    again(&file).await.expect("it was given back").close().await.expect("nobody uses it");
}

#[tokio::test]
async fn databases_in_memory_have_no_file_and_no_lock() {
    let store = Store::connect(&Secret::new("sqlite::memory:".to_owned()), 1).await.expect("memory");
    store.write().await.expect("it is ours").commit().await.expect("it is ours");
    Store::connect(&Secret::new("sqlite::memory:".to_owned()), 1).await.expect("another one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_has_one_id_whoever_asks_first() {
    on_both(async |database| {
        let ids = futures_util::future::join_all((0..8).map(|_| instance::find_or_create(&database.store))).await;
        let first = *ids[0].as_ref().expect("the database answers");
        assert!(ids.into_iter().all(|id| id.expect("the database answers") == first));
        let timeline = instance::timeline(&database.store).await;
        assert_eq!(timeline.is_some(), database.store.backend() == DbBackend::Postgres, "{timeline:?}");
    })
    .await;
}
