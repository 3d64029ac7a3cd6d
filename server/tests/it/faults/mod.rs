//! Nodes that fail and lie, chains that turn back, servers that are killed: after each story the oracle reads every
//! block and the database, and what the server says must be true.
//!
//! A scenario's name is the promise it tests. Those that take longer than some seconds run in `make test-long`.

mod absence;
mod clocks;
mod endpoints;
mod long;
mod money;
mod processes;
mod queues;
mod receipts;
mod refusals;
mod reorganisations;
mod resets;
mod restores;
mod scenario;
mod several;
mod soak;
mod storage;
mod ways_out;
mod words;

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, Value};
use uuid::Uuid;
use wallet_server::{
    chain::Finality,
    config::{ChainSource, Config},
};

use self::scenario::scenarios;
use crate::harness::{
    Database, World,
    oracle::{connect, select},
};

/// In what time things end that nothing stands in the way of.
const SOON: Duration = Duration::from_secs(20);

/// The server waits for nothing longer than a test wants to.
fn quick(config: &mut Config) {
    // Each code takes half a minute of the clock.
    config.policy.session_lifetime = Duration::from_secs(24 * 3_600);
    config.policy.bump_after = Duration::from_millis(400);
    config.policy.resend_after = Duration::from_millis(200);
    config.policy.refused_after = Duration::from_millis(600);
    config.policy.disputed_after = Duration::from_secs(2);
    config.policy.search_after = Duration::from_millis(200);
    config.policy.gaps_after = Duration::from_secs(1);
    config.policy.look_elsewhere_after = Duration::from_secs(2);
}

/// A block is final when it has this many, itself counted.
fn finality(config: &mut Config, depth: u64) {
    let ChainSource::Known(chains) = &mut config.chains else { panic!("tests name their chain") };
    chains[0].finality = Finality::Depth(depth);
}

async fn quick_world(database: Database) -> World {
    World::start_on(database, &[], quick).await
}

/// A world in which blocks are final only after a while.
async fn world_with_finality(database: Database, depth: u64) -> World {
    World::start_on(database, &[], |config| {
        quick(config);
        finality(config, depth);
    })
    .await
}

/// What happened to a transaction, in order.
async fn events_of(world: &World, transaction_id: Uuid) -> Vec<String> {
    let connection = connect(&world.database.url).await;
    let statement = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "SELECT kind FROM events WHERE transaction_id = $1 ORDER BY sequence",
        [transaction_id.into()],
    );
    let rows = connection.query_all_raw(statement).await.expect("the server's schema");
    connection.close().await.expect("the database");
    rows.iter().map(|row| row.try_get("", "kind").expect("text")).collect()
}

/// Changes the database behind the server's back.
async fn edit(world: &World, sql: &str, values: impl IntoIterator<Item = Value>) -> u64 {
    let connection: DatabaseConnection = connect(&world.database.url).await;
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    let changed = connection.execute_raw(statement).await.expect("the server's schema").rows_affected();
    connection.close().await.expect("the database");
    changed
}

/// One number out of the database.
async fn count(world: &World, sql: &str) -> i64 {
    let connection = connect(&world.database.url).await;
    let rows = select(&connection, sql).await;
    connection.close().await.expect("the database");
    rows[0].try_get_by_index(0).expect("a number")
}
