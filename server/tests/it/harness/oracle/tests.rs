//! The oracle finds what is planted.

use std::time::Duration;

use alloy::primitives::{Address, B256, U256};
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

use super::{
    super::{Human, World, on_both_databases, stranger},
    Allowed, Facts, Finding, Oracle, facts, judge,
};

on_both_databases!(two_payments_under_one_request_are_found_in_the_database, every_planted_untruth_is_found);

/// Two confirmed payments and one that was withdrawn, of one wallet.
async fn two_payments(world: &World) -> (Human, [Uuid; 3]) {
    let human = Human::with_everything(world).await;
    let mut paid = Vec::new();
    for wei in [5, 7] {
        let id = human.approved(stranger(), wei).await.transaction_id;
        human.agent.execute(id).await.expect("it is approved");
        paid.push(id);
    }
    let withdrawn = human.approved(stranger(), 9).await.transaction_id;
    human.client.cancel(withdrawn).await.expect("its owner");
    Oracle::of(world).all_ends_truly(Duration::from_secs(30)).await;
    (human, [paid[0], paid[1], withdrawn])
}

async fn two_payments_under_one_request_are_found_in_the_database(world: World) {
    let (_human, [first, second, _]) = two_payments(&world).await;
    let connection = facts::connect(&world.database.url).await;
    let sql = "UPDATE payloads SET transaction_id = $1 WHERE transaction_id = $2 AND kind = 'payment'";
    let backend = connection.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, sql, [first.into(), second.into()]);
    connection.execute_raw(statement).await.expect("the server's schema");
    let findings = Oracle::of(&world).findings().await;
    assert!(findings.contains(&Finding::PaidTwice(first)), "{findings:?}");
    assert!(findings.contains(&Finding::NotPaid(second)), "{findings:?}");
}

async fn every_planted_untruth_is_found(world: World) {
    let (human, [paid, other, withdrawn]) = two_payments(&world).await;
    let (facts, wallet) = (Oracle::of(&world).facts().await, human.address);
    // Of a payment that was made, the form that is in a block.
    let hash_of = |facts: &Facts, id: Uuid| {
        let signed = || facts.forms.iter().filter(move |form| form.transaction_id == id && form.is_payment());
        let is_mined = |hash: B256| facts.included.iter().any(|included| included.hash == hash);
        signed().find(|form| is_mined(form.hash)).or_else(|| signed().next()).expect("it is signed").hash
    };
    let (hash, unsent) = (hash_of(&facts, paid), hash_of(&facts, withdrawn));
    let found = |change: &dyn Fn(&mut Facts)| {
        let mut planted = facts.clone();
        change(&mut planted);
        judge(&planted, &Allowed::default())
    };
    let status = |of: Uuid, status: &'static str| {
        move |facts: &mut Facts| {
            let row = facts.rows.iter_mut().find(|row| row.transaction_id == of).expect("a row");
            status.clone_into(&mut row.status);
        }
    };
    assert_eq!(found(&|_| {}), []);
    for word in ["superseded", "cancelled", "failed", "expired", "rejected", "pending", "authorized"] {
        assert_eq!(found(&status(paid, word)), [Finding::PaidAgainstWord(paid)], "{word}");
    }
    for word in ["confirmed", "reverted"] {
        assert_eq!(found(&status(withdrawn, word)), [Finding::NotPaid(withdrawn)], "{word}");
    }
    assert_eq!(found(&status(paid, "reverted")), [Finding::WrongOutcome(paid)]);
    assert_eq!(found(&status(paid, "submitted")), [Finding::Stuck(paid)]);
    let unknown = |facts: &mut Facts| facts.forms.retain(|form| form.hash != hash);
    assert_eq!(found(&unknown), [Finding::NotPaid(paid), Finding::Unknown { wallet, hash }]);
    let twice = |facts: &mut Facts| {
        let mut copy = facts.included.iter().find(|included| included.hash == hash).expect("it is paid").clone();
        copy.hash = unsent;
        facts.included.push(copy);
    };
    assert!(found(&twice).contains(&Finding::PaidAgainstWord(withdrawn)));
    let elsewhere = |facts: &mut Facts| {
        let paid = facts.included.iter_mut().find(|included| included.hash == hash).expect("it is paid");
        paid.to = Some(Address::ZERO);
    };
    assert_eq!(found(&elsewhere), [Finding::NotAsApproved { transaction_id: paid, hash }]);
    let dear = |facts: &mut Facts| {
        let form = facts.forms.iter_mut().find(|form| form.hash == unsent).expect("it is signed");
        form.max_fee_per_gas *= U256::from(8);
    };
    assert_eq!(found(&dear), [Finding::TooDear { transaction_id: withdrawn, hash: unsent }]);
    let other_block = |facts: &mut Facts| {
        let paid = facts.included.iter_mut().find(|included| included.hash == hash).expect("it is paid");
        paid.block = B256::repeat_byte(1);
    };
    assert_eq!(found(&other_block), [Finding::WrongBlock(paid)]);
    assert_eq!(found(&|facts| facts.slots.retain(|slot| slot.nonce != 0)), [Finding::Hole { wallet, nonce: 0 }]);
    let too_soon = |facts: &mut Facts| "used".clone_into(&mut facts.slots[2].state);
    assert_eq!(found(&too_soon), [Finding::UsedTooSoon { wallet, nonce: 2 }]);
    let poorer = |facts: &mut Facts| facts.wallets.get_mut(&wallet).expect("it is ours").0 -= U256::from(1);
    assert!(matches!(found(&poorer)[..], [Finding::Balance { .. }]));
    assert_eq!(found(&status(other, "confirmed")), [], "that is what it is");
}
