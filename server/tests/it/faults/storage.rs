//! Damaged records, full disks, lost connections.

use std::time::Duration;

use agent_sdk::Status;
use alloy::primitives::U256;

use super::{SOON, edit, quick_world, scenarios};
use crate::harness::{
    Database, Human, Oracle, eventually,
    oracle::{connect, select},
    stranger, until,
};

scenarios!(
    a_damaged_signature_stops_only_its_own,
    an_unreadable_row_stops_only_its_own,
    an_unreadable_nonce_stops_only_its_own_wallet,
    a_database_that_is_locked_for_a_while_recovers,
);

async fn a_payment_arrives(world: &crate::harness::World, human: &Human) {
    let to = stranger();
    let executed = human.executed(to, 3).await;
    let ended = until(human, &executed, |now| now.status.is_final()).await;
    assert_eq!((ended.status, world.balance(to).await), (Status::Confirmed, U256::from(3)));
}

async fn a_damaged_signature_stops_only_its_own(database: Database) {
    let world = quick_world(database).await;
    let (victim, other) = (Human::with_everything(&world).await, Human::with_everything(&world).await);
    let approved = victim.approved(stranger(), 5).await;
    let id = approved.transaction_id;
    edit(&world, "UPDATE payloads SET bytes = $1 WHERE transaction_id = $2", [vec![1_u8; 90].into(), id.into()]).await;
    let _ = victim.agent.execute(id).await;
    a_payment_arrives(&world, &other).await;
    let ready = reqwest::get(format!("{}/health/ready", world.url)).await.expect("the server answers");
    assert!(ready.status().is_success(), "the rest works");
    assert!(world.gate.sent_by(victim.address).is_empty());
    Oracle::of(&world).open(id).is_true().await;
}

async fn an_unreadable_row_stops_only_its_own(database: Database) {
    let world = quick_world(database).await;
    let (victim, other) = (Human::with_everything(&world).await, Human::with_everything(&world).await);
    let damaged = victim.executed(stranger(), 5).await.transaction_id;
    until(&victim, &victim.ask(stranger(), 1).await, |now| now.status == Status::Pending).await;
    world.mine_by_itself(false).await;
    let open = victim.approved(stranger(), 5).await.transaction_id;
    victim.agent.execute(open).await.expect("it is approved");
    for (id, column, nonsense) in [(damaged, "status", "nonsense"), (open, "value", "much")] {
        let sql = format!("UPDATE transactions SET {column} = $1 WHERE transaction_id = $2");
        edit(&world, &sql, [nonsense.into(), id.into()]).await;
    }
    world.mine_by_itself(true).await;
    world.mine(1).await;
    a_payment_arrives(&world, &other).await;
    // What nobody decides still expires, also the victim's.
    let (theirs, own) = (other.ask(stranger(), 1).await, victim.ask(stranger(), 1).await);
    world.pass(Duration::from_secs(25 * 3_600));
    let expired = async || {
        let one = other.agent.status(theirs.transaction_id).await.expect("its agent");
        let two = victim.agent.status(own.transaction_id).await.expect("its agent");
        one.status == Status::Expired && two.status == Status::Expired
    };
    eventually("undecided ones expire", SOON, expired).await;
}

async fn an_unreadable_nonce_stops_only_its_own_wallet(database: Database) {
    let world = quick_world(database).await;
    let (victim, other) = (Human::with_everything(&world).await, Human::with_everything(&world).await);
    world.mine_by_itself(false).await;
    let executed = victim.executed(stranger(), 5).await;
    world.gate.reached().await;
    let id = executed.transaction_id;
    edit(&world, "UPDATE nonce_slots SET state = 'nonsense' WHERE transaction_id = $1", [id.into()]).await;
    world.mine_by_itself(true).await;
    world.mine(1).await;
    a_payment_arrives(&world, &other).await;
    edit(&world, "UPDATE nonce_slots SET state = 'sent' WHERE transaction_id = $1", [id.into()]).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn a_database_that_is_locked_for_a_while_recovers(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let approved = human.approved(stranger(), 5).await;
    let connection = connect(&world.database.url).await;
    let lock = if world.database.url.starts_with("sqlite:") {
        "BEGIN IMMEDIATE"
    } else {
        "BEGIN; LOCK TABLE transactions IN ACCESS EXCLUSIVE MODE"
    };
    use sea_orm::ConnectionTrait;
    connection.execute_unprepared(lock).await.expect("a lock");
    let agent = world.agent_client(&human.api_key);
    let id = approved.transaction_id;
    let executing = tokio::spawn(async move { agent.execute(id).await });
    tokio::time::sleep(Duration::from_secs(2)).await;
    connection.execute_unprepared("ROLLBACK").await.expect("it is held");
    select(&connection, "SELECT 1").await;
    connection.close().await.expect("the database");
    executing.await.expect("no panic").expect("it is approved, and repeating does no harm");
    Oracle::of(&world).all_ends_truly(SOON).await;
    a_payment_arrives(&world, &human).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
}
