//! `wallet why`: an account's open nonces, what each waits for and what frees it.

use std::collections::HashMap;

use agent_sdk::{NonceState, Nonces, OpenNonce, Status, TransactionFilter, UserClient, WaitingReason};
use alloy::primitives::Address;
use clap::Args;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::app::App;
use crate::exit::Failure;
use crate::text::words;
use crate::waiting::for_what;
use crate::when;

/// From how far ahead of the next nonce the server lets one be given up instead of filling what is missing below it.
const OUT_OF_REACH: u64 = 64;

/// Tells what a wallet waits for.
#[derive(Args)]
#[command(after_help = "The chain takes a wallet's transactions strictly by their nonces, so the lowest open one
holds up the others. One line for each: what it waits for, and what frees it.

Example:
  wallet-cli wallet why 0x52908400098527886E0F7030069857D2E4169EE7 --chain 1")]
pub(crate) struct WhyArgs {
    /// The wallet's address
    #[arg(value_parser = agent_sdk::address::parse)]
    address: Address,

    /// The chain, by id [default: the server's only one]
    #[arg(long, value_name = "ID")]
    chain: Option<u64>,
}

/// Runs `wallet why`.
pub(crate) async fn run(app: &App, args: WhyArgs) -> Result<(), Failure> {
    let WhyArgs { address, chain } = args;
    let client = app.session()?.client;
    let nonces = client.nonces(address, chain).await?;
    let story = Story { deadlines: deadlines(&client, &nonces).await?, chain, nonces: &nonces };
    app.output.result(&nonces, |_| story.lines().join("\n"))
}

/// Until when the approved transactions of the account can be executed.
async fn deadlines(client: &UserClient, nonces: &Nonces) -> Result<HashMap<Uuid, OffsetDateTime>, Failure> {
    if !nonces.nonces.iter().any(|open| open.state == NonceState::Held) {
        return Ok(HashMap::new());
    }
    let filter = TransactionFilter::new().status(Status::Authorized).address(nonces.address).limit(100);
    let page = client.transactions(filter).await?;
    let deadline = |transaction: &agent_sdk::Transaction| Some((transaction.transaction_id, transaction.execute_by?));
    Ok(page.items.iter().filter_map(deadline).collect())
}

/// Open nonces, and what is needed to tell of them.
struct Story<'a> {
    nonces: &'a Nonces,
    deadlines: HashMap<Uuid, OffsetDateTime>,
    /// The chain that the command line names.
    chain: Option<u64>,
}

impl Story<'_> {
    /// One line for each nonce, the lowest first, after what keeps the server from looking.
    fn lines(&self) -> Vec<String> {
        let Nonces { address, latest, nonces, trouble, .. } = self.nonces;
        let trouble = trouble.as_ref().map(|trouble| {
            let since = when::for_people(trouble.since);
            format!("the server cannot look at this wallet since {since}: {}", words(&trouble.detail))
        });
        let unknown = latest.is_none().then(|| "no node has said yet which nonce comes next".to_owned());
        let mut lines: Vec<String> = trouble.into_iter().chain(unknown).collect();
        let mut next = *latest;
        for open in nonces {
            lines.extend(next.and_then(|next| self.gap(next, open.nonce)));
            next = next.map(|next| next.max(open.nonce.saturating_add(1)));
            lines.push(format!("nonce {}: {}", open.nonce, self.told(open)));
        }
        if nonces.is_empty() {
            lines.push(format!("{} waits for nothing: it has no open nonce", address.to_checksum(None)));
        }
        lines
    }

    /// The nonces from `next` on that are not in the list, although `later` is.
    fn gap(&self, next: u64, later: u64) -> Option<String> {
        let last = later.checked_sub(1).filter(|last| *last >= next)?;
        if last == next {
            return Some(format!("nonce {next}: {}", self.hole(next)));
        }
        let first = self.clear(next);
        Some(format!(
            "nonces {next} to {last}: nothing of yours uses them, everything behind waits; the first: {first}"
        ))
    }

    fn hole(&self, nonce: u64) -> String {
        format!("nothing of yours uses it, everything behind waits: {}", self.clear(nonce))
    }

    /// What one nonce waits for and what frees it.
    fn told(&self, open: &OpenNonce) -> String {
        let OpenNonce { nonce, state, transaction_id, status, waiting, .. } = open;
        let cancel = transaction_id.map(|id| format!("wallet-cli tx cancel {id}"));
        let cancel = cancel.unwrap_or_else(|| self.clear(*nonce));
        match state {
            NonceState::Hole => return self.hole(*nonce),
            NonceState::Void => {
                let ended = status.as_ref().map_or("ended".to_owned(), |status| words(status.as_str()));
                let clear = self.clear(*nonce);
                return format!("its transaction is {ended} and was not sent; the next approval uses it, or: {clear}");
            }
            NonceState::Used => return "used; waits for its block to become final".to_owned(),
            // Of one that ended unsent, only its cancellation is sent.
            NonceState::Sent if waiting.is_none() && status.as_ref().is_some_and(Status::is_final) => {
                let clear = self.clear(*nonce);
                return format!("its cancellation is on its way and uses it; should it stay: {clear}");
            }
            NonceState::Held => {
                let deadline = transaction_id.and_then(|id| self.deadlines.get(&id));
                let until = deadline.map(|at| format!(" until {}", when::for_people(*at))).unwrap_or_default();
                return format!("approved, waits for its agent{until}; execute or cancel it: {cancel}");
            }
            _ => {}
        }
        let Some(waiting) = waiting else {
            return format!("{}, waits for nothing that is known", words(state.as_str()));
        };
        let detail = waiting.detail.as_deref().map(words).filter(|detail| !detail.is_empty());
        let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
        let frees = match &waiting.reason {
            WaitingReason::InPool | WaitingReason::Finality => "nothing to do".to_owned(),
            WaitingReason::NotSent | WaitingReason::NodeUnreachable => "it is sent again by itself".to_owned(),
            WaitingReason::FeeTooLow => format!("it goes when fees fall, or withdraw it: {cancel}"),
            WaitingReason::InsufficientFunds => {
                format!("send coins to {}, or withdraw it: {cancel}", self.nonces.address.to_checksum(None))
            }
            WaitingReason::BehindNonce => "it goes when the lower ones have gone".to_owned(),
            WaitingReason::Refused => format!("to withdraw it now: {cancel}"),
            WaitingReason::NonceUsedElsewhere => {
                let clear = self.clear(*nonce);
                format!("it ends when that block is found and final; once no node has that block any more: {clear}")
            }
            // What is in the way has a line of its own. So far ahead that it is not reached, it is given up.
            WaitingReason::NeedsOwner if self.is_within_reach_above_a_hole(*nonce) => "free that one".to_owned(),
            WaitingReason::NeedsOwner => {
                let withdraw = transaction_id.map(|_| format!("withdraw it: {cancel}; then: ")).unwrap_or_default();
                format!("{withdraw}{}", self.clear(*nonce))
            }
            _ => format!("look at it, or withdraw it: {cancel}"),
        };
        format!("waits {}{detail}; {frees}", for_what(&waiting.reason))
    }

    /// Whether nothing uses some nonce below this one, of which there are few.
    fn is_within_reach_above_a_hole(&self, nonce: u64) -> bool {
        let Nonces { latest, nonces, .. } = self.nonces;
        let below = nonces.iter().filter(|open| open.nonce < nonce && open.state != NonceState::Hole);
        let taken = below.filter(|open| latest.is_some_and(|latest| open.nonce >= latest)).count();
        let ahead = latest.map(|latest| nonce.saturating_sub(latest)).filter(|ahead| *ahead < OUT_OF_REACH);
        ahead.zip(u64::try_from(taken).ok()).is_some_and(|(ahead, taken)| taken < ahead)
    }

    /// The command that uses a nonce up.
    fn clear(&self, nonce: u64) -> String {
        let chain = self.chain.map(|chain| format!(" --chain {chain}")).unwrap_or_default();
        format!("wallet-cli wallet clear-nonce {} --nonce {nonce}{chain}", self.nonces.address.to_checksum(None))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use time::macros::datetime;

    use super::*;

    const ADDRESS: &str = "0x52908400098527886E0F7030069857D2E4169EE7";
    const ID: &str = "019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55";

    fn told(latest: Value, nonces: Value, chain: Option<u64>) -> Vec<String> {
        let mut wire = json!({ "address": ADDRESS, "chain_id": 1, "latest": latest, "nonces": nonces });
        wire.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
        let nonces: Nonces = serde_json::from_value(wire).expect("nonces");
        let id = ID.parse().expect("an id");
        let deadlines = HashMap::from([(id, datetime!(2026-11-26 14:05 UTC))]);
        Story { nonces: &nonces, deadlines, chain }.lines()
    }

    fn sent(reason: &str, detail: &str) -> String {
        let waiting = json!({ "reason": reason, "since": "2026-11-26T10:00:00Z", "detail": detail });
        let open = json!({ "nonce": 7, "state": "sent", "transaction_id": ID, "status": "submitted",
            "waiting": waiting });
        told(json!(7), json!([open]), None).remove(0)
    }

    #[test]
    fn an_approved_one_names_its_deadline_and_an_ended_one_what_uses_its_nonce() {
        let nonces = json!([
            { "nonce": 7, "state": "held", "transaction_id": ID, "status": "authorized" },
            { "nonce": 8, "state": "void", "transaction_id": ID, "status": "expired" },
        ]);
        let expected = [
            format!(
                "nonce 7: approved, waits for its agent until 2026-11-26 14:05:00 UTC; execute or cancel it: \
                 wallet-cli tx cancel {ID}"
            ),
            format!(
                "nonce 8: its transaction is expired and was not sent; the next approval uses it, or: \
                 wallet-cli wallet clear-nonce {ADDRESS} --nonce 8"
            ),
        ];
        assert_eq!(told(json!(7), nonces, None), expected);
    }

    #[test]
    fn what_nothing_uses_holds_up_the_rest_whether_it_is_listed_or_missing() {
        let behind = json!({ "nonce": 8, "state": "sent" });
        let clear = format!("wallet-cli wallet clear-nonce {ADDRESS} --nonce 5 --chain 10");
        let listed = told(json!(5), json!([{ "nonce": 5, "state": "hole" }]), Some(10));
        assert_eq!(listed, [format!("nonce 5: nothing of yours uses it, everything behind waits: {clear}")]);
        let missing = told(json!(5), json!([behind]), Some(10));
        let first = "nonces 5 to 7: nothing of yours uses them, everything behind waits; the first";
        assert_eq!(missing[0], format!("{first}: {clear}"));
        // What was sent for a hole belongs to no transaction.
        let waiting = json!({ "reason": "fee_too_low", "since": "2026-11-26T10:00:00Z" });
        let cleared = told(json!(5), json!([{ "nonce": 5, "state": "sent", "waiting": waiting }]), Some(10));
        assert!(cleared[0].ends_with(&clear), "{}", cleared[0]);
        let unknown = told(Value::Null, json!([behind]), None);
        assert_eq!(unknown[0], "no node has said yet which nonce comes next");
        assert_eq!(unknown.len(), 2);
    }

    #[test]
    fn what_waits_above_a_hole_names_no_command_that_the_server_refuses() {
        let waiting = json!({ "reason": "needs_owner", "since": "2026-11-26T10:00:00Z",
            "detail": "nothing of this wallet uses nonce 5: clear it, or approve something else" });
        let above = json!({ "nonce": 6, "state": "sent", "transaction_id": ID, "status": "submitted",
            "waiting": waiting });
        let lines = told(json!(5), json!([{ "nonce": 5, "state": "hole" }, above]), None);
        assert!(lines[0].ends_with("--nonce 5"), "{}", lines[0]);
        assert!(lines[1].ends_with("free that one") && !lines[1].contains("clear-nonce"), "{}", lines[1]);
        let absurd = json!({ "nonce": 1000, "state": "sent", "transaction_id": ID, "status": "submitted",
            "waiting": waiting });
        let lines = told(json!(5), json!([{ "nonce": 5, "state": "hole" }, absurd]), None);
        let commands = format!("tx cancel {ID}; then: wallet-cli wallet clear-nonce {ADDRESS} --nonce 1000");
        assert!(lines[2].ends_with(&commands), "{}", lines[2]);
        // Of one that is wanted, no nonce is cleared: it is withdrawn first.
        let lowest = told(json!(6), json!([above]), None);
        let commands = format!("tx cancel {ID}; then: wallet-cli wallet clear-nonce {ADDRESS} --nonce 6");
        assert!(lowest[0].ends_with(&commands), "{}", lowest[0]);
    }

    #[test]
    fn a_cancellation_that_is_on_its_way_is_told_without_a_reason_to_wait() {
        let burned = json!({ "nonce": 5, "state": "sent", "transaction_id": ID, "status": "cancelled" });
        let lines = told(json!(5), json!([burned]), None);
        assert!(lines[0].starts_with("nonce 5: its cancellation is on its way"), "{}", lines[0]);
    }

    #[test]
    fn every_reason_says_what_frees_it() {
        for (reason, frees) in [
            ("in_pool", "nothing to do"),
            ("not_sent", "sent again by itself"),
            ("fee_too_low", "when fees fall"),
            ("insufficient_funds", "send coins to 0x5290"),
            ("behind_nonce", "when the lower ones have gone"),
            ("node_unreachable", "sent again by itself"),
            ("refused", "withdraw it now: wallet-cli tx cancel"),
            ("finality", "nothing to do"),
            ("nonce_used_elsewhere", "when that block is found"),
            ("needs_owner", "clear-nonce 0x5290"),
            ("inspiration", "withdraw it"),
        ] {
            let line = sent(reason, "in\u{1b}[2J the\nnode's words");
            assert!(line.contains(frees) && line.contains("(in the node's words)"), "{line}");
        }
    }

    #[test]
    fn an_account_without_open_nonces_waits_for_nothing() {
        assert_eq!(told(json!(3), json!([]), None), [format!("{ADDRESS} waits for nothing: it has no open nonce")]);
    }
}
