//! What was learnt of an endpoint's ways: how much it takes at once, what it can do, how fast it is, when it wants rest.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long something that an endpoint could not do is not tried again.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);
/// The longest rest that an endpoint can ask for, so that a mistaken header does not end the service.
const LONGEST_REST: Duration = Duration::from_secs(5 * 60);
/// The rest where it names none: the first, and the longest after many in a row.
const OWN_RESTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How much the newest exchange counts in what is smoothed.
const NEWEST: f64 = 0.1;

/// What is known of an endpoint's ways at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Habits {
    /// How long an exchange takes, smoothed; none before the first.
    pub latency: Option<Duration>,
    /// Which share of the latest exchanges failed on the way or came to nothing, 0 to 1, smoothed.
    pub failures: f64,
    /// How many requests it takes in one batch, where it takes fewer than it was given; 1: none.
    pub batch_size: Option<usize>,
    /// Whether it has `eth_simulateV1`; none: not known, or long ago.
    pub simulates: Option<bool>,
    /// Whether it has `debug_traceCall`, likewise.
    pub traces: Option<bool>,
    /// For how much longer it wants to be left alone.
    pub rest: Option<Duration>,
}

/// Learns an endpoint's ways.
#[derive(Debug, Default)]
pub(super) struct Learning(Mutex<Learnt>);

#[derive(Debug, Default)]
struct Learnt {
    latency: Option<Duration>,
    failures: f64,
    batch_size: Option<(usize, Instant)>,
    simulates: Option<(bool, Instant)>,
    traces: Option<(bool, Instant)>,
    rests_until: Option<Instant>,
    rests_in_a_row: u32,
}

impl Learning {
    pub(super) fn now(&self) -> Habits {
        let learnt = self.learnt();
        Habits {
            latency: learnt.latency,
            failures: learnt.failures,
            batch_size: recent(learnt.batch_size),
            simulates: recent(learnt.simulates),
            traces: recent(learnt.traces),
            rest: learnt
                .rests_until
                .map(|until| until.saturating_duration_since(Instant::now()))
                .filter(|r| !r.is_zero()),
        }
    }

    /// An exchange came to an answer after so long.
    pub(super) fn succeeded(&self, took: Duration) {
        let mut learnt = self.learnt();
        learnt.failures *= 1.0 - NEWEST;
        learnt.latency =
            Some(learnt.latency.map_or(took, |before| before.mul_f64(1.0 - NEWEST) + took.mul_f64(NEWEST)));
        learnt.rests_in_a_row = 0;
    }

    /// An exchange came to nothing.
    pub(super) fn failed(&self) {
        let mut learnt = self.learnt();
        learnt.failures = learnt.failures.mul_add(1.0 - NEWEST, NEWEST);
    }

    /// It takes no more than so many requests at once.
    pub(super) fn takes_at_most(&self, size: usize) {
        self.learnt().batch_size = Some((size.max(1), Instant::now()));
    }

    /// Whether it has `eth_simulateV1`.
    pub(super) fn simulates(&self, does: bool) {
        self.learnt().simulates = Some((does, Instant::now()));
    }

    /// Whether it has `debug_traceCall`.
    pub(super) fn traces(&self, does: bool) {
        self.learnt().traces = Some((does, Instant::now()));
    }

    /// It wants rest: for so long, or, where it does not say, each time in a row for longer.
    pub(super) fn wants_rest(&self, asked: Option<Duration>) {
        let mut learnt = self.learnt();
        let own = OWN_RESTS.0.saturating_mul(1 << learnt.rests_in_a_row.min(10)).min(OWN_RESTS.1);
        learnt.rests_in_a_row += 1;
        learnt.rests_until = Some(Instant::now() + asked.unwrap_or(own).min(LONGEST_REST));
    }

    fn learnt(&self) -> MutexGuard<'_, Learnt> {
        // What is kept is whole between any two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn recent<T>(learnt: Option<(T, Instant)>) -> Option<T> {
    learnt.filter(|(_, at)| at.elapsed() < REMEMBERED).map(|(what, _)| what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_until_something_succeeds_and_are_never_longer_than_five_minutes() {
        let learning = Learning::default();
        let rest = || learning.now().rest.expect("it rests").as_secs_f64();
        learning.wants_rest(None);
        assert!((0.9..=1.0).contains(&rest()));
        learning.wants_rest(None);
        assert!((1.9..=2.0).contains(&rest()));
        for _ in 0..20 {
            learning.wants_rest(None);
        }
        assert!((29.9..=30.0).contains(&rest()));
        learning.succeeded(Duration::from_millis(5));
        learning.wants_rest(None);
        assert!((0.9..=1.0).contains(&rest()));
        learning.wants_rest(Some(Duration::from_secs(86_400)));
        assert!((299.0..=300.0).contains(&rest()));
    }

    #[test]
    fn failures_are_a_share_of_the_latest_exchanges() {
        let learning = Learning::default();
        (0..100).for_each(|_| learning.failed());
        assert!(learning.now().failures > 0.99);
        (0..100).for_each(|_| learning.succeeded(Duration::from_millis(10)));
        assert!(learning.now().failures < 0.01);
        assert_eq!(learning.now().latency, Some(Duration::from_millis(10)));
    }
}
