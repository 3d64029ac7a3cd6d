//! What became of a transaction between the review and the approval.

use agent_sdk::Transaction;

use crate::amount::{coins, fee_at_most, gwei, total_at_most};
use crate::paint::Paint;
use crate::review::Objection;
use crate::sheet::Sheet;
use crate::when;

/// The lines of the review screen that are no longer true. The costs may change under a reader's eyes;
/// what is paid, to whom and from where may not.
///
/// Fails when anything but the costs and the time has changed.
pub(crate) fn between(
    shown: &Transaction,
    fresh: &Transaction,
    symbol: &str,
    paint: Paint,
) -> Result<String, Objection> {
    if meaning(shown) != meaning(fresh) {
        return Err(Objection::AnotherPayment);
    }
    let lines = lines(shown, symbol).into_iter().zip(lines(fresh, symbol));
    let changed = lines.filter(|((_, before), (_, after))| before != after);
    let title = Sheet::new(paint).gap().title("This has changed since it was shown:");
    let sheet = changed.fold(title, |sheet, ((label, before), (_, after))| {
        sheet.rows(label, [format!("was {before}"), format!("now {after}")])
    });
    Ok(sheet.finish())
}

/// What must stay the same for it to be the same payment.
fn meaning(transaction: &Transaction) -> impl PartialEq + '_ {
    let Transaction { transaction_id, user_id, agent_id, address, chain_id, to, value, data, .. } = transaction;
    ((transaction_id, user_id, agent_id), (address, chain_id), (to, value, data))
}

/// The lines that may change, under their labels.
fn lines(transaction: &Transaction, symbol: &str) -> [(&'static str, String); 6] {
    let Transaction { value, gas_limit, max_fee_per_gas, max_priority_fee_per_gas, .. } = transaction;
    let fee = fee_at_most(*gas_limit, *max_fee_per_gas);
    let total = total_at_most(*value, *gas_limit, *max_fee_per_gas);
    [
        ("Gas limit", gas_limit.to_string()),
        ("Fee cap", format!("{} gwei per gas", gwei(*max_fee_per_gas))),
        ("Tip cap", format!("{} gwei per gas", gwei(*max_priority_fee_per_gas))),
        ("Fee", format!("at most {} {symbol}", coins(fee))),
        ("Total", format!("at most {} {symbol}", coins(total))),
        ("Expires", when::for_people(transaction.expires_at)),
    ]
}
