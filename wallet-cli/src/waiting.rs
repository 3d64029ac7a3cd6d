//! What a transaction waits for, what its end rests on and what it leaves behind, in words.

use agent_sdk::{Evidence, Status, Transaction, Waiting, WaitingReason};

use crate::text::words;
use crate::when;

/// The longest that a list says about one transaction's wait, in characters.
const LONGEST_IN_LIST: usize = 60;

/// What it waits for, to follow "waits".
pub(crate) fn for_what(reason: &WaitingReason) -> String {
    let known = match reason {
        WaitingReason::Decision => "for your decision",
        WaitingReason::Execution => "for its agent to execute it",
        WaitingReason::InPool => "for a block to include it",
        WaitingReason::NotSent => "to be sent: no node has taken it yet",
        WaitingReason::FeeTooLow => "for fees to come down: blocks ask for more than it may pay",
        WaitingReason::InsufficientFunds => "for the wallet to hold enough",
        WaitingReason::BehindNonce => "behind a lower nonce, which goes first",
        WaitingReason::NodeUnreachable => "for the chain's nodes to answer",
        WaitingReason::Refused => "because nodes refuse it; should they go on, its cancellation is sent",
        WaitingReason::Finality => "for its block to become final",
        WaitingReason::NonceUsedElsewhere => "for the block in which something else used its nonce",
        WaitingReason::NeedsOwner => "for you: nothing goes on by itself",
        other => return format!("for {}", words(other.as_str())),
    };
    known.to_owned()
}

/// The same with the server's own words, since when, and what is in the way: the values of one label.
pub(crate) fn lines(waiting: &Waiting) -> Vec<String> {
    let Waiting { reason, since, detail, blocked_by, .. } = waiting;
    let what = format!("{}, since {}", for_what(reason), when::for_people(*since));
    let detail = detail.as_deref().map(words).filter(|detail| !detail.is_empty());
    let behind = blocked_by.map(|id| format!("behind {id}"));
    [Some(what), detail, behind].into_iter().flatten().collect()
}

/// The reason's own word and the server's words, short enough for a list.
pub(crate) fn in_list(waiting: Option<&Waiting>) -> String {
    let Some(Waiting { reason, detail, .. }) = waiting else {
        return String::new();
    };
    let reason = words(reason.as_str());
    let text = match detail.as_deref().map(words).filter(|detail| !detail.is_empty()) {
        Some(detail) => format!("{reason}: {detail}"),
        None => reason,
    };
    match text.char_indices().nth(LONGEST_IN_LIST) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text,
    }
}

/// What an end leaves behind: signed bytes that were never sent can be sent by whoever has a copy of them.
pub(crate) fn copies(transaction: &Transaction) -> Vec<String> {
    let Transaction { transaction_id, address, chain_id, nonce, valid_until_nonce_used: true, .. } = transaction else {
        return Vec::new();
    };
    let nonce = nonce.map_or("its nonce".to_owned(), |nonce| format!("nonce {nonce}"));
    let valid = format!("copies of its signed payment stay valid until {nonce} is used");
    if transaction.cancelling {
        return vec![format!("{valid}; its cancellation, which uses it, is on its way")];
    }
    let command = match (&transaction.status, transaction.nonce) {
        (Status::Cancelled, _) => format!("wallet-cli tx cancel {transaction_id} --burn"),
        (_, Some(nonce)) => {
            format!("wallet-cli wallet clear-nonce {} --nonce {nonce} --chain {chain_id}", address.to_checksum(None))
        }
        (_, None) => return vec![valid],
    };
    vec![format!("{valid}; this uses it now:"), format!("  {command}")]
}

/// What an end rests on, where a person should know.
pub(crate) fn evidence(evidence: &Evidence) -> Option<String> {
    let known = match evidence {
        Evidence::Agreed => return None,
        Evidence::Single => "seen at one endpoint only",
        Evidence::Owner => "ended by your own word, not by what the chain shows",
        other => return Some(words(other.as_str())),
    };
    Some(known.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::review::examples::transaction;

    fn waiting(changes: Value) -> Waiting {
        let mut object = json!({ "reason": "refused", "since": "2026-11-26T10:00:00Z" });
        object.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
        serde_json::from_value(object).expect("a wait")
    }

    #[test]
    fn every_reason_is_told_in_words_of_its_own() {
        let reasons = [
            "decision",
            "execution",
            "in_pool",
            "not_sent",
            "fee_too_low",
            "insufficient_funds",
            "behind_nonce",
            "node_unreachable",
            "refused",
            "finality",
            "nonce_used_elsewhere",
            "needs_owner",
        ];
        let told: Vec<String> = reasons.iter().map(|word| for_what(&WaitingReason::from(*word))).collect();
        for (word, words) in reasons.iter().zip(&told) {
            assert!(*words != format!("for {word}"), "{word}");
            assert_eq!(told.iter().filter(|other| *other == words).count(), 1, "{word}");
        }
        assert_eq!(for_what(&WaitingReason::from("inspiration\u{1b}[2J")), "for inspiration");
    }

    #[test]
    fn the_servers_words_are_beside_the_reason_and_harmless() {
        let told = lines(&waiting(json!({ "detail": "gas\u{202e} too\n low" })));
        assert_eq!(
            told[0],
            "because nodes refuse it; should they go on, its cancellation is sent, since 2026-11-26 10:00:00 UTC"
        );
        assert_eq!(told[1], "gas too low");
        let long = waiting(json!({ "detail": "é".repeat(500) }));
        assert_eq!(in_list(Some(&long)).chars().count(), LONGEST_IN_LIST + 1);
        assert_eq!(in_list(Some(&waiting(json!({})))), "refused");
        assert_eq!(in_list(None), "");
    }

    #[test]
    fn what_could_still_be_mined_names_the_command_that_ends_it() {
        let ended = |status: &str, more: Value| {
            let mut changes = json!({ "status": status, "nonce": 7, "valid_until_nonce_used": true });
            changes.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            copies(&transaction(changes)).join("\n")
        };
        let cancelled = ended("cancelled", json!({}));
        assert!(cancelled.starts_with("copies of its signed payment stay valid until nonce 7 is used;"), "{cancelled}");
        assert!(cancelled.ends_with("wallet-cli tx cancel 019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55 --burn"), "{cancelled}");
        let expired = ended("expired", json!({}));
        assert!(expired.contains("clear-nonce 0x52908400098527886E0F7030069857D2E4169EE7 --nonce 7"), "{expired}");
        let burned = ended("cancelled", json!({ "cancelling": true }));
        assert!(burned.contains("on its way") && !burned.contains("--burn"), "{burned}");
        assert!(ended("cancelled", json!({ "valid_until_nonce_used": false })).is_empty());
    }
}
