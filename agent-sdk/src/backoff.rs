//! How long to pause before the next attempt.

use std::time::Duration;

use crate::{Error, call::Repeat};

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);
/// A caller who waits for one answer is not held longer than this because the server asked for it.
const LONGEST_ASKED_FOR: Duration = Duration::from_secs(10);

/// The pauses of one call: doubling, jittered, never shorter than what the server asks for.
pub(crate) struct Backoff {
    repeat: Repeat,
    attempts_left: u32,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(repeat: Repeat, attempts: u32) -> Self {
        Self { repeat, attempts_left: attempts.saturating_sub(1), next: FIRST }
    }

    /// The pause before the next attempt, or none when there should not be one.
    pub(crate) fn pause(&mut self, error: &Error) -> Option<Duration> {
        let allowed = match self.repeat {
            Repeat::UntilAnswered => error.is_retryable(),
            Repeat::Freely => self.attempts_left > 0 && error.is_retryable(),
            Repeat::Unprocessed => self.attempts_left > 0 && error.is_unprocessed(),
        };
        let asked_for = error.retry_after().unwrap_or_default();
        let patient = self.repeat == Repeat::UntilAnswered;
        if !allowed || (!patient && asked_for > LONGEST_ASKED_FOR) {
            return None;
        }

        self.attempts_left = self.attempts_left.saturating_sub(1);
        let pause = jittered(self.next).max(asked_for.min(LONGEST));
        self.next = (self.next * 2).min(LONGEST);
        Some(pause)
    }
}

/// Between half the pause and the whole: clients that failed together should not come back
/// together.
fn jittered(pause: Duration) -> Duration {
    // Without randomness the whole pause is as good as any.
    let share = getrandom::u32().unwrap_or(u32::MAX);
    pause / 2 + (pause / 2).mul_f64(f64::from(share) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unexpected(status: u16, retry_after: Option<u64>) -> Error {
        let retry_after = retry_after.map(Duration::from_secs);
        Error::UnexpectedAnswer { status, request_id: None, retry_after }
    }

    #[test]
    fn pauses_double_and_end_with_the_attempts() {
        let mut backoff = Backoff::new(Repeat::Freely, 4);
        for longest in [250, 500, 1000].map(Duration::from_millis) {
            let pause = backoff.pause(&unexpected(502, None)).expect("an attempt is left");
            assert!((longest / 2..=longest).contains(&pause), "{pause:?} of {longest:?}");
        }
        assert_eq!(backoff.pause(&unexpected(502, None)), None);
    }

    #[test]
    fn the_server_may_ask_for_a_longer_pause_within_reason() {
        let pause = Backoff::new(Repeat::Freely, 4).pause(&unexpected(503, Some(3)));
        assert_eq!(pause, Some(Duration::from_secs(3)));
        assert_eq!(Backoff::new(Repeat::Freely, 4).pause(&unexpected(503, Some(3600))), None);

        let pause = Backoff::new(Repeat::UntilAnswered, 4).pause(&unexpected(503, Some(3600)));
        assert_eq!(pause, Some(LONGEST));
    }

    #[test]
    fn a_wait_outlasts_the_attempts_but_not_a_refusal() {
        let mut backoff = Backoff::new(Repeat::UntilAnswered, 1);
        for _ in 0..100 {
            assert!(backoff.pause(&unexpected(502, None)).is_some_and(|pause| pause <= LONGEST));
        }
        assert_eq!(backoff.pause(&unexpected(404, None)), None);
    }

    #[test]
    fn what_may_have_spent_a_code_is_not_repeated() {
        let mut backoff = Backoff::new(Repeat::Unprocessed, 4);
        assert_eq!(backoff.pause(&unexpected(502, None)), None);
    }
}
