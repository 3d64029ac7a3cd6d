//! What a tracker remembers of one account between looks. Losing it costs nothing but a few repeats and a little time.
//!
//! All times are those of [`Clock::elapsed`](crate::value::Clock::elapsed): what waits must not depend on what the wall
//! clock is set to.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use crate::{
    chain::{SendOutcome, UseSearch},
    state::Policy,
    value::{Nonce, TransactionHash, TransactionId},
};

/// How soon bytes are sent again that perhaps did not arrive.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// How often it is looked for who used a nonce.
const SEARCH_EVERY: Duration = Duration::from_secs(15);

/// How often where the node had no blocks that would tell.
const SEARCH_EVERY_IN_VAIN: Duration = Duration::from_secs(60 * 60);

/// How many times a node must refuse bytes before that counts.
const REFUSALS: u32 = 3;

/// What is remembered of one account.
#[derive(Debug, Default)]
pub(super) struct Memory {
    forms: HashMap<TransactionHash, Heard>,
    gaps_refused_at: Option<Duration>,
    missing: HashMap<Nonce, Missing>,
    ways: HashMap<TransactionId, Duration>,
    /// Since when what uses a nonce is called final by one endpoint.
    claims: HashMap<Nonce, Duration>,
    stands: Option<Stands>,
}

/// An account whose nonce does not move.
#[derive(Debug, Clone, Copy)]
struct Stands {
    at: Nonce,
    since: Duration,
}

/// What became of sending one form.
#[derive(Debug)]
pub(super) struct Heard {
    first_at: Duration,
    last_at: Duration,
    pub(super) outcome: SendOutcome,
    refused: Option<Refused>,
}

#[derive(Debug, Clone, Copy)]
struct Refused {
    since: Duration,
    times: u32,
}

impl Heard {
    /// For how long nodes have refused the form, once that was often enough.
    pub(super) fn refused_for(&self, now: Duration) -> Option<Duration> {
        self.refused.filter(|refused| refused.times >= REFUSALS).map(|refused| now.saturating_sub(refused.since))
    }
}

/// A used nonce that shows nothing of ours.
#[derive(Debug)]
pub(super) struct Missing {
    since: Duration,
    next_at: Duration,
    in_vain: bool,
    pub(super) search: UseSearch,
}

impl Memory {
    /// Notes what a node said to some bytes.
    pub(super) fn note(&mut self, hash: TransactionHash, outcome: SendOutcome, now: Duration) {
        if outcome == SendOutcome::NonceGap {
            self.gaps_refused_at = Some(now);
        }
        let heard = self.forms.entry(hash).or_insert_with(|| Heard {
            first_at: now,
            last_at: now,
            outcome: outcome.clone(),
            refused: None,
        });
        heard.refused = match &outcome {
            // One of several nodes proves nothing by itself.
            SendOutcome::Refused { counts: false, .. } => heard.refused,
            SendOutcome::Refused { .. } => {
                let before = heard.refused.unwrap_or(Refused { since: now, times: 0 });
                Some(Refused { times: before.times + 1, ..before })
            }
            // Silence says nothing against what was said before.
            SendOutcome::Unavailable { .. } => heard.refused,
            _ => None,
        };
        heard.last_at = now;
        heard.outcome = outcome;
    }

    /// What became of sending a form, when this process did.
    pub(super) fn heard(&self, hash: TransactionHash) -> Option<&Heard> {
        self.forms.get(&hash)
    }

    /// Whether a form is to be sent, or sent again.
    pub(super) fn is_due(&self, hash: TransactionHash, now: Duration, policy: &Policy) -> bool {
        let Some(heard) = self.forms.get(&hash) else { return true };
        let rest = match heard.outcome {
            SendOutcome::Unavailable { .. } => RETRY_AFTER.min(policy.resend_after),
            SendOutcome::Refused { .. } => policy.refused_after / REFUSALS,
            _ => policy.resend_after,
        };
        now.saturating_sub(heard.last_at) >= rest
    }

    /// Whether the rung that was sent last has waited long enough for the next one. What an earlier process sent counts
    /// from when this one first sent it again.
    pub(super) fn has_waited(&self, hash: TransactionHash, now: Duration, policy: &Policy) -> bool {
        self.forms.get(&hash).is_some_and(|heard| now.saturating_sub(heard.first_at) >= policy.bump_after)
    }

    /// How many nonces ahead of the next one may be sent: one where this account's node refused more lately.
    pub(super) fn window(&self, now: Duration, policy: &Policy) -> u64 {
        let refuses = self.gaps_refused_at.is_some_and(|at| now.saturating_sub(at) < policy.gaps_after);
        if refuses { 1 } else { policy.window_ahead }
    }

    /// The moment from which an approved transaction no longer keeps a nonce that a sent one waits for. `was_told` when
    /// its owner was told; till then its time does not begin. Where an earlier process or another one told, some of that
    /// time may be gone.
    pub(super) fn gives_way_at(
        &mut self,
        id: TransactionId,
        was_told: bool,
        now: Duration,
        policy: &Policy,
    ) -> Duration {
        if !was_told {
            self.ways.insert(id, now + policy.give_way_after);
        }
        *self.ways.entry(id).or_insert(now + policy.give_way_at_least.min(policy.give_way_after))
    }

    /// The search for who used a nonce, when the time for it has come.
    pub(super) fn due_search(&mut self, nonce: Nonce, now: Duration, policy: &Policy) -> Option<&mut UseSearch> {
        let first = Missing { since: now, next_at: now, in_vain: false, search: UseSearch::default() };
        let missing = self.missing.entry(nonce).or_insert(first);
        let is_due = now.saturating_sub(missing.since) >= policy.search_after && now >= missing.next_at;
        is_due.then_some(&mut missing.search)
    }

    /// Puts the next search off: for long where there is nothing to be found.
    pub(super) fn searched(&mut self, nonce: Nonce, in_vain: bool, now: Duration, policy: &Policy) {
        if let Some(missing) = self.missing.get_mut(&nonce) {
            let rest = if in_vain { SEARCH_EVERY_IN_VAIN } else { SEARCH_EVERY.min(policy.search_after * 3) };
            missing.next_at = now + rest;
            missing.in_vain = in_vain;
        }
    }

    /// Whether nobody could tell what used a nonce when that was asked last, and it is not time to ask again.
    pub(super) fn is_at_rest(&self, nonce: Nonce, now: Duration) -> bool {
        self.missing.get(&nonce).is_some_and(|missing| missing.in_vain && now < missing.next_at)
    }

    /// For how long one endpoint has called final what uses a nonce.
    pub(super) fn claimed_for(&mut self, nonce: Nonce, now: Duration) -> Duration {
        now.saturating_sub(*self.claims.entry(nonce).or_insert(now))
    }

    /// Takes note of the account's next nonce, while bytes for it are on their way. Gives how many times
    /// `look_elsewhere_after` has passed since it last moved.
    pub(super) fn stands_at(&mut self, latest: Nonce, now: Duration, policy: &Policy) -> u128 {
        let stands = self.stands.filter(|stands| latest <= stands.at);
        let stands = self.stands.insert(stands.unwrap_or(Stands { at: latest, since: now }));
        now.saturating_sub(stands.since).as_millis() / policy.look_elsewhere_after.as_millis().max(1)
    }

    /// Nothing is on its way.
    pub(super) fn rests(&mut self) {
        self.stands = None;
    }

    /// Forgets the search for who used a nonce: one of our forms did.
    pub(super) fn found_something(&mut self, nonce: Nonce) {
        self.missing.remove(&nonce);
    }

    /// Forgets what is over, so that no account's memory grows.
    pub(super) fn keep_only(
        &mut self,
        hashes: &HashSet<TransactionHash>,
        nonces: &HashSet<Nonce>,
        ids: &HashSet<TransactionId>,
    ) {
        self.forms.retain(|hash, _| hashes.contains(hash));
        self.missing.retain(|nonce, _| nonces.contains(nonce));
        self.claims.retain(|nonce, _| nonces.contains(nonce));
        self.ways.retain(|id, _| ids.contains(id));
    }
}
