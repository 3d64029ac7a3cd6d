//! The queries that races and attackers lean on, on both databases.

use std::time::Duration;

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::{TestDatabase, on_both, on_empty, person};
use crate::{
    store::{Error, Read, attempts, migrate_down, migrate_up, migration_status, users},
    value::Time,
};

const NOW: Time = Time::from_unix_microseconds(1_000_000);
const WINDOW_ENDS: Time = Time::from_unix_microseconds(61_000_000);

async fn guess(database: &TestDatabase, now: Time) -> bool {
    let write = database.store.write().await.expect("the database answers");
    let counted = attempts::count_one(&write, "login:ada", 3, now, now + Duration::from_secs(60)).await;
    write.commit().await.expect("the database answers");
    counted.expect("the database answers")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_made_at_once_do_not_outrun_the_count() {
    on_both(async |database| {
        let guesses = join_all((0..20).map(|_| guess(database, NOW))).await;
        assert_eq!(guesses.into_iter().filter(|counted| *counted).count(), 3);
        assert!(!guess(database, WINDOW_ENDS - Duration::from_micros(1)).await);
        assert!(guess(database, WINDOW_ENDS).await, "a new window");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_spent_once_and_no_earlier_one_after_it() {
    on_both(async |database| {
        let user = person();
        let write = database.store.write().await.expect("the database answers");
        users::insert(&write, user.clone()).await.expect("a new person");
        write.commit().await.expect("the database answers");
        let spend = async |step| {
            let write = database.store.write().await.expect("the database answers");
            let spent = users::spend_totp_step(&write, user.user_id, step).await.expect("the database answers");
            write.commit().await.expect("the database answers");
            spent
        };
        let spent = join_all((0..20).map(|_| spend(7))).await;
        assert_eq!(spent.into_iter().filter(|spent| *spent).count(), 1);
        assert!(!spend(6).await);
        assert!(spend(8).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_writers_that_read_first_all_succeed_one_after_another() {
    on_both(async |database| {
        let user = person();
        let write = database.store.write().await.expect("the database answers");
        users::insert(&write, user.clone()).await.expect("a new person");
        write.commit().await.expect("the database answers");
        let number = async || {
            let write = database.store.write().await.expect("the database answers");
            users::lock(&write, user.user_id).await.expect("it waits its turn");
            let number = users::next_event(&write, user.user_id).await.expect("it has the lock");
            write.commit().await.expect("the database answers");
            number
        };
        let mut numbers = join_all((0..20).map(|_| number())).await;
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn a_name_that_is_taken_is_a_conflict() {
    on_both(async |database| {
        let user = person();
        let write = database.store.write().await.expect("the database answers");
        users::insert(&write, user.clone()).await.expect("a new person");
        let twin = users::Model { user_id: person().user_id, ..user };
        assert!(matches!(users::insert(&write, twin).await, Err(Error::Conflict)));
    })
    .await;
}

#[tokio::test]
async fn what_is_not_committed_never_was() {
    on_both(async |database| {
        let user = person();
        let write = database.store.write().await.expect("the database answers");
        users::insert(&write, user.clone()).await.expect("a new person");
        drop(write);
        let found = users::find(&database.store, user.user_id).await.expect("the database answers");
        assert_eq!(found, None);
        database.store.write().await.expect("the writer is free again");
    })
    .await;
}

/// The tables, columns and indexes, as the database itself tells.
async fn schema(database: &TestDatabase) -> Vec<String> {
    let connection = database.store.connection();
    let sql = match connection.get_database_backend() {
        DbBackend::Sqlite => {
            "SELECT name || coalesce(sql, '') AS line FROM sqlite_master WHERE tbl_name NOT LIKE 'seaql%'"
        }
        _ => {
            "SELECT table_name || '.' || column_name || ' ' || data_type || is_nullable AS line \
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'seaql_migrations' \
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'seaql_migrations'"
        }
    };
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await.expect("the database answers");
    let mut lines: Vec<String> = rows.iter().map(|row| row.try_get("", "line").expect("text")).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn every_migration_can_be_undone_and_done_again() {
    on_both(async |database| {
        let before = schema(database).await;
        let status = migration_status(&database.store).await.expect("the database answers");
        assert!(status.iter().all(|(_, is_applied)| *is_applied) && !before.is_empty());
        for left in (0..status.len()).rev() {
            migrate_down(&database.store, 1).await.expect("it can be undone");
            let status = migration_status(&database.store).await.expect("the database answers");
            assert_eq!(status.iter().filter(|(_, is_applied)| *is_applied).count(), left);
        }
        assert_eq!(schema(database).await, Vec::<String>::new());
        migrate_up(&database.store).await.expect("it is empty");
        assert_eq!(schema(database).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_start_together_migrate_once() {
    on_empty(async |database| {
        if database.store.connection().get_database_backend() == DbBackend::Sqlite {
            // One file has one server.
            return;
        }
        let servers = join_all((0..4).map(|_| database.connect())).await;
        for outcome in join_all(servers.iter().map(migrate_up)).await {
            outcome.expect("one migrates, the others wait");
        }
    })
    .await;
}

#[tokio::test]
async fn sessions_are_in_no_write_ahead_log_of_postgresql() {
    on_both(async |database| {
        let connection = database.store.connection();
        if connection.get_database_backend() != DbBackend::Postgres {
            return;
        }
        let sql = "SELECT relpersistence::text AS kind FROM pg_class WHERE relname = 'sessions'";
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let row = connection.query_one_raw(statement).await.expect("the database answers").expect("the table");
        assert_eq!(row.try_get::<String>("", "kind").expect("text"), "u");
    })
    .await;
}
