//! Money moves as a human was told, or not at all.

use std::{collections::BTreeSet, time::Duration};

use agent_sdk::{Authorize, Status};
use alloy::primitives::U256;
use sea_orm::Value;
use serde_json::json;

use super::{SOON, count, edit, quick_world, scenarios};
use crate::harness::{Calls, Database, ETHER, Fault, Human, Oracle, PASSWORD, SEND, code, stranger, told, until};

scenarios!(
    an_estimate_that_makes_no_sense_is_not_signed,
    a_field_that_was_changed_after_the_human_looked_is_not_signed,
    a_field_that_was_changed_after_the_approval_is_not_sent,
    a_cancel_stays_a_cancel_when_forms_are_swapped,
    rungs_that_are_swapped_are_not_sent,
    an_own_send_signs_what_was_shown_or_nothing,
    a_fee_out_of_all_proportion_must_be_acknowledged,
    a_payment_on_an_idle_chain_costs_the_same_the_twentieth_time,
    fees_stay_below_what_was_approved_while_the_market_climbs,
    a_payment_that_is_dearer_than_shown_is_shown_again,
);

/// What nodes said of a plain payment, which needs 21000.
const ESTIMATES: [u64; 5] = [0, 1, 20_999, 1 << 40, u64::MAX];

async fn an_estimate_that_makes_no_sense_is_not_signed(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    for gas in ESTIMATES {
        let lie = world.gate.say_estimate(gas);
        let to = stranger();
        let patient = agent_sdk::AgentClient::builder(world.url.as_str(), human.api_key.as_str()).attempts(1);
        let patient = patient.build().expect("a loopback URL and a good key");
        let asked = patient.prepare(agent_sdk::PrepareTransaction::transfer(to, U256::from(5))).await;
        assert!(lie.hits() > 0, "it was asked");
        if let Ok(asked) = asked {
            assert!((21_000..30_000_000).contains(&asked.gas_limit), "{gas}: limit {}", asked.gas_limit);
            lie.end();
            // Approved or refused, as the server likes; what is signed can be mined.
            if let Ok(approved) = human.approve(&asked).await {
                human.agent.execute(approved.transaction_id).await.expect("it is approved");
            }
        }
        lie.end();
    }
    assert_eq!(count(&world, "SELECT COUNT(*) FROM payloads WHERE gas_limit < 21000").await, 0);
    Oracle::of(&world).all_ends_truly(SOON).await;
    human.executed(stranger(), 1).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
}

/// What somebody who can write to the database would like to change of a request.
fn changes() -> Vec<(&'static str, Value)> {
    vec![
        ("to_address", stranger().to_string().into()),
        ("value", (5 * ETHER).to_string().into()),
        ("data", vec![1_u8, 2, 3, 4].into()),
        ("gas_limit", 900_000_i64.into()),
        ("max_fee_per_gas", "900000000000".into()),
        ("max_priority_fee_per_gas", "3".into()),
        ("expires_at", 4_000_000_000_000_000_i64.into()),
        ("action", format!(r#"{{"type":"transfer","to_address":"{}","amount":"5"}}"#, stranger()).into()),
        ("execute", "on_approval".into()),
    ]
}

async fn a_field_that_was_changed_after_the_human_looked_is_not_signed(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    for (column, value) in changes() {
        let asked = human.ask(stranger(), 5).await;
        let sql = format!("UPDATE transactions SET {column} = $1 WHERE transaction_id = $2");
        assert_eq!(edit(&world, &sql, [value, asked.transaction_id.into()]).await, 1);
        let approval = Authorize::new(asked.transaction_id, human.code()).digest(asked.digest);
        let refused = human.client.authorize(approval).await;
        assert!(refused.is_err(), "{column} was changed and approved: {}", told(&refused.expect("it was")));
    }
    assert_eq!(count(&world, "SELECT COUNT(*) FROM payloads").await, 0, "nothing is signed");
    assert!(world.gate.sent().is_empty());
    Oracle::of(&world).is_true().await;
}

async fn a_field_that_was_changed_after_the_approval_is_not_sent(database: Database) {
    let world = quick_world(database).await;
    let (victim, other) = (Human::with_everything(&world).await, Human::with_everything(&world).await);
    for (column, value) in changes().into_iter().take(5) {
        let approved = victim.approved(stranger(), 5).await;
        let sql = format!("UPDATE transactions SET {column} = $1 WHERE transaction_id = $2");
        assert_eq!(edit(&world, &sql, [value, approved.transaction_id.into()]).await, 1);
        let _ = victim.agent.execute(approved.transaction_id).await;
    }
    let to = stranger();
    let good = other.executed(to, 7).await;
    let ended = until(&other, &good, |now| now.status.is_final()).await;
    assert_eq!((ended.status, world.balance(to).await), (Status::Confirmed, U256::from(7)));
    world.let_blocks_come(Duration::from_secs(1)).await;
    let facts = Oracle::of(&world).facts().await;
    let paid = facts.included.iter().filter(|included| included.from == victim.address && !included.value.is_zero());
    assert_eq!(paid.count(), 0, "what does not fit its approval is not sent");
}

async fn a_cancel_stays_a_cancel_when_forms_are_swapped(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    world.mine_by_itself(false).await;
    let to = stranger();
    let approved = human.approved(to, 5).await;
    let swap = "UPDATE payloads SET kind = CASE kind WHEN 'cancel' THEN 'payment' ELSE 'cancel' END \
                WHERE transaction_id = $1";
    let lost = world.gate.when(Calls::of(SEND), Fault::Lose);
    human.agent.execute(approved.transaction_id).await.expect("it is approved");
    lost.hit(1).await;
    edit(&world, swap, [approved.transaction_id.into()]).await;
    human.client.cancel(approved.transaction_id).await.expect("its owner");
    world.gate.heal();
    world.let_blocks_come(Duration::from_secs(2)).await;
    assert_eq!(world.balance(to).await, U256::ZERO, "the cancel was the payment");
}

async fn rungs_that_are_swapped_are_not_sent(database: Database) {
    let world = quick_world(database).await;
    let (victim, other) = (Human::with_everything(&world).await, Human::with_everything(&world).await);
    let ladder = "SELECT CAST(MAX(rung) AS BIGINT) FROM payloads WHERE kind = 'payment'";
    let approved = victim.approved(stranger(), 5).await;
    let top = count(&world, ladder).await;
    assert!(top > 0, "there is more than one rung");
    let swap = format!("UPDATE payloads SET rung = {top} - rung WHERE transaction_id = $1 AND kind = 'payment'");
    assert!(edit(&world, &swap, [approved.transaction_id.into()]).await > 1);
    let _ = victim.agent.execute(approved.transaction_id).await;
    let to = stranger();
    let good = other.executed(to, 7).await;
    let ended = until(&other, &good, |now| now.status.is_final()).await;
    assert_eq!((ended.status, world.balance(to).await), (Status::Confirmed, U256::from(7)));
    assert!(world.gate.sent_by(victim.address).is_empty(), "another rung than it says is not sent");
    Oracle::of(&world).open(approved.transaction_id).is_true().await;
}

async fn an_own_send_signs_what_was_shown_or_nothing(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let to = stranger();
    let shown = human.client.preview(&agent_sdk::Send::transfer(human.address, to, U256::from(1_000))).await;
    let shown = shown.expect("its owner");
    // In between the node names another tip, and the chain another base fee.
    let lie = world.gate.say_tip(4_000_000_000_000);
    world.rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x3a352944000"])).await;
    world.mine(1).await;
    let send = agent_sdk::Send::of_preview(&shown).expect("users send such");
    let password = agent_sdk::Secret::from(PASSWORD);
    assert_eq!(code(human.client.send(&send, &password, &human.code()).await), "preview_changed");
    assert_eq!(count(&world, "SELECT COUNT(*) FROM payloads").await, 0, "nothing is signed");
    assert!(world.gate.sent().is_empty());
    lie.end();
    world.rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x1"])).await;
    world.mine(1).await;
    let sent = human.client.send(&send, &password, &human.code()).await.expect("it costs no more than was shown");
    let ended = until(&human, &sent, |now| now.status.is_final()).await;
    let paid = ended.block.expect("it is mined");
    assert!(U256::from(paid.gas_used) * paid.effective_gas_price <= shown.worst_case_fee);
    Oracle::of(&world).all_ends_truly(SOON).await;
    assert_eq!(world.balance(to).await, U256::from(1_000));
}

async fn a_fee_out_of_all_proportion_must_be_acknowledged(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    world.rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x3a352944000"])).await;
    world.mine(1).await;
    let to = stranger();
    let asked = human.ask(to, 1_000).await;
    let is_warned = asked
        .warnings
        .iter()
        .any(|warning| warning.code == "excessive_fee" && warning.severity == agent_sdk::Severity::High);
    assert!(is_warned, "{:?}", asked.warnings);
    assert_eq!(code(human.approve(&asked).await), "acknowledgement_required");
    assert_eq!(count(&world, "SELECT COUNT(*) FROM payloads").await, 0, "nothing is signed");
    Oracle::of(&world).is_true().await;
}

async fn a_payment_on_an_idle_chain_costs_the_same_the_twentieth_time(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let mut caps = Vec::new();
    let mut prices = Vec::new();
    for _ in 0..20 {
        let executed = human.executed(stranger(), 1_000).await;
        let ended = until(&human, &executed, |now| now.status.is_final()).await;
        caps.push(ended.worst_case_fee);
        prices.push(ended.block.expect("it is mined").effective_gas_price);
    }
    let (first, last) = (caps[0], caps[19]);
    assert!(last <= first * U256::from(11) / U256::from(10), "the worst case went from {first} to {last} wei");
    let (first, last) = (prices[0], prices[19]);
    assert!(last <= first * U256::from(11) / U256::from(10), "the price went from {first} to {last} wei");
    Oracle::of(&world).all_ends_truly(SOON).await;
}

async fn fees_stay_below_what_was_approved_while_the_market_climbs(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    world.mine_by_itself(false).await;
    let executed = human.executed(stranger(), 5).await;
    let cap = executed.max_fee_per_gas;
    for percent in [120, 160, 200, 300, 500] {
        let fee = cap * U256::from(percent) / U256::from(400);
        world.rpc("anvil_setNextBlockBaseFeePerGas", json!([format!("0x{fee:x}")])).await;
        world.mine(1).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // Above the cap nothing can be mined; below it again, it is.
    world.rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x1"])).await;
    world.mine(1).await;
    world.mine_by_itself(true).await;
    Oracle::of(&world).all_ends_truly(SOON).await;
    let sent: BTreeSet<_> = world.gate.sent_by(human.address).into_iter().collect();
    assert!(sent.len() <= 9, "eight rungs and a cancel: {}", sent.len());
}

async fn a_payment_that_is_dearer_than_shown_is_shown_again(database: Database) {
    let world = quick_world(database).await;
    let human = Human::with_everything(&world).await;
    let asked = human.ask(stranger(), 1_000).await;
    // Tips that no block shows are not believed; the base fee is the chain's own.
    let lie = world.gate.say_tip(400_000_000_000_000);
    world.rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x3a352944000"])).await;
    world.mine(1).await;
    let refused = human.approve(&asked).await.expect_err("it is dearer by far");
    let code = refused.code().map(|code| code.as_str().to_owned()).unwrap_or_default();
    assert!(["preview_changed", "acknowledgement_required", "insufficient_funds"].contains(&code.as_str()), "{code}");
    assert_eq!(count(&world, "SELECT COUNT(*) FROM payloads").await, 0, "nothing is signed");
    lie.end();
    Oracle::of(&world).is_true().await;
}
