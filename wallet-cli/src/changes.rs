//! What became of a transaction between the review and the approval.

use agent_sdk::Transaction;

use crate::amount::{coins, fee_at_most, gwei, total_at_most};
use crate::paint::Paint;
use crate::review::{self, Objection};
use crate::sheet::Sheet;
use crate::text::words;
use crate::when;

/// The lines of the review screen that are no longer true. What it costs, whether it would succeed and what it
/// would bring may change under a reader's eyes; what is signed, for whom and from where may not.
///
/// Fails when that has changed too.
pub(crate) fn between(
    shown: &Transaction,
    fresh: &Transaction,
    symbol: &str,
    paint: Paint,
) -> Result<String, Objection> {
    if meaning(shown) != meaning(fresh) {
        return Err(Objection::AnotherPayment);
    }
    let title = Sheet::new(paint).gap().title("This has changed since it was shown:");
    let lines =
        outcome(shown).into_iter().zip(outcome(fresh)).chain(cost(shown, symbol).into_iter().zip(cost(fresh, symbol)));
    let sheet =
        lines.fold(title, |sheet, ((label, before), (_, after))| sheet.rows(label, was_and_now(&before, &after)));
    Ok(sheet.finish())
}

/// What must stay the same for it to be the same payment. A preview of a send has a new id each time.
pub(crate) fn meaning(transaction: &Transaction) -> impl PartialEq + '_ {
    let Transaction { transaction_id, user_id, agent_id, address, chain_id, to, value, data, execute, .. } =
        transaction;
    let id = (transaction.version > 0).then_some(transaction_id);
    ((id, user_id, agent_id), (address, chain_id), (to, value, data, execute))
}

/// The values that are gone, and those that are new.
fn was_and_now(before: &[String], after: &[String]) -> Vec<String> {
    let gone = before.iter().filter(|value| !after.contains(value)).map(|value| format!("before: {value}"));
    let new = after.iter().filter(|value| !before.contains(value)).map(|value| format!("now: {value}"));
    gone.chain(new).collect()
}

/// What the transaction does, under the labels of the screen.
fn outcome(transaction: &Transaction) -> [(&'static str, Vec<String>); 4] {
    let preview = transaction.preview.as_ref();
    let intent = preview.map(|preview| words(&preview.intent));
    let changes = preview.map(|preview| preview.changes.iter().map(review::change_in_words).collect());
    let trial = preview.map(|preview| review::verdict(&preview.simulation).join(", "));
    [
        ("In short", intent.into_iter().collect()),
        ("Moves", changes.unwrap_or_default()),
        ("Trial", trial.into_iter().collect()),
        ("Warnings", transaction.warnings.iter().map(review::in_words).collect()),
    ]
}

/// What it costs, and until when it can be decided.
fn cost(transaction: &Transaction, symbol: &str) -> [(&'static str, Vec<String>); 7] {
    let Transaction { value, gas_limit, max_fee_per_gas, max_priority_fee_per_gas, .. } = transaction;
    let fee = fee_at_most(*gas_limit, *max_fee_per_gas);
    let total = total_at_most(*value, *gas_limit, *max_fee_per_gas);
    let data_fee = transaction.preview.as_ref().and_then(|preview| preview.data_fee);
    let expires = (transaction.version > 0).then(|| when::for_people(transaction.expires_at));
    [
        ("Gas limit", vec![gas_limit.to_string()]),
        ("Fee cap", vec![format!("{} gwei per gas", gwei(*max_fee_per_gas))]),
        ("Tip cap", vec![format!("{} gwei per gas", gwei(*max_priority_fee_per_gas))]),
        ("Fee", vec![format!("at most {} {symbol}", coins(fee))]),
        ("Data fee", data_fee.map(|fee| format!("about {} {symbol} more", coins(fee))).into_iter().collect()),
        ("Total", vec![format!("at most {} {symbol}", coins(total))]),
        ("Expires", expires.into_iter().collect()),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::review::examples::{self, transaction, warning};

    fn compared(shown: &Transaction, fresh: &Transaction) -> Result<String, Objection> {
        between(shown, fresh, "ETH", Paint::new(false))
    }

    #[test]
    fn what_became_dearer_is_shown_and_another_payment_is_refused() {
        let shown = transaction(json!({}));
        let dearer = transaction(json!({ "max_fee_per_gas": "24000000000" }));
        let changes = compared(&shown, &dearer);
        let expected = "
This has changed since it was shown:
Fee cap     before: 12 gwei per gas
            now: 24 gwei per gas
Fee         before: at most 0.000252 ETH
            now: at most 0.000504 ETH
Total       before: at most 0.050252 ETH
            now: at most 0.050504 ETH
";
        assert_eq!(changes.as_deref(), Ok(expected));

        for other in [
            json!({ "value": "1" }),
            json!({ "chain_id": 1 }),
            json!({ "data": "0x00" }),
            json!({ "execute": "on_approval" }),
        ] {
            let changes = compared(&shown, &transaction(other));
            assert_eq!(changes, Err(Objection::AnotherPayment));
        }
    }

    #[test]
    fn another_outcome_other_assets_and_new_warnings_are_named() {
        let shown = examples::token_transfer();
        let mut worse = examples::failing();
        let preview = worse.preview.as_mut().expect("a preview");
        preview.intent = "Fail\u{1b}[2J".to_owned();
        preview.simulation.block_number = Some(1208);
        let expected = "
This has changed since it was shown:
In short    before: Send 25 USDC (token
                0x5FbDB2315678afecb367f032d93F642f64180aa3) to
                0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed
            now: Fail
Moves       before: leaves: 25 USDC, to
                0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed, token
                0x5FbDB2315678afecb367f032d93F642f64180aa3, exactly 25000000
                of its smallest unit
Trial       before: it would succeed
            now: it would FAIL and cost its fee, the contract says:
                \"ERC20InsufficientBalance(needed: 25000000, balance: 300)\"
Warnings    before: MEDIUM: you have approved nothing to
                0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed before
                (first_time_recipient)
            now: HIGH: it would fail and cost its fee:
                ERC20InsufficientBalance(needed: 25000000, balance: 300)
                (would_revert)
";
        assert_eq!(compared(&shown, &worse).as_deref(), Ok(expected));
    }

    #[test]
    fn a_later_block_alone_is_no_change() {
        let shown = examples::transfer();
        let mut later = shown.clone();
        later.preview.as_mut().expect("a preview").simulation.block_number = Some(9_999);
        assert_eq!(compared(&shown, &later).as_deref(), Ok("\nThis has changed since it was shown:\n"));
    }

    #[test]
    fn a_warning_that_grew_worse_is_a_new_one() {
        let with = |severity: &str| transaction(json!({ "warnings": [warning("large_share", severity, "Much.")] }));
        let changes = compared(&with("medium"), &with("high")).expect("the same payment");
        assert!(
            changes.contains("Warnings    before: MEDIUM: Much. (large_share)\n            now: HIGH: Much."),
            "{changes}"
        );
    }
}
