//! The authenticator app on the human's phone, played by this program: codes after RFC 6238.
//!
//! The server takes the codes of the step (30 seconds) before the current one, of the current one and of the
//! next (RFC 6238 section 5.2), each once and only in increasing order. So there is not always a code that
//! can be used at once, and how long to wait for it is known exactly.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agent_sdk::Secret;
use totp_rs::{Totp, TotpError};

/// Seconds that one code is shown.
const STEP: u64 = 30;
/// How long a code must stay acceptable, so that it is not too late when the server sees it.
const MARGIN: Duration = Duration::from_secs(10);

/// Which of the usable codes to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// The first one that the server takes, also from the step before or after.
    Soonest,
    /// The one that is good for longest, a minute or more, for a person who reads first: the code of the
    /// step after the current one, as from a phone whose clock is half a minute fast.
    Lasting,
}

/// A code, or how long there will be none.
pub(crate) enum Code {
    /// Good for one decision.
    Ready(Secret),
    /// Ask again after this time.
    In(Duration),
}

/// An authenticator that has taken over a secret.
pub(crate) struct Authenticator {
    totp: Totp,
    last_step: Option<u64>,
}

impl Authenticator {
    /// Takes over the secret in an `otpauth://` URI, as an app does from the QR code.
    ///
    /// Fails when it is not such a URI.
    pub(crate) fn from_uri(uri: &str) -> Result<Self, TotpError> {
        Ok(Self { totp: Totp::from_url(uri)?, last_step: None })
    }

    /// A code that was not given before.
    pub(crate) fn code(&mut self, pace: Pace) -> Code {
        let (step, wait) = usable(self.last_step, now(), pace);
        if !wait.is_zero() {
            return Code::In(wait);
        }
        self.last_step = Some(step);
        Code::Ready(self.totp.generate(step * STEP).to_string().into())
    }
}

/// The step whose code to use next, and how long until that is possible; `now` since 1970.
fn usable(last_step: Option<u64>, now: Duration, pace: Pace) -> (u64, Duration) {
    let current = now.as_secs() / STEP;
    let earliest = match pace {
        Pace::Lasting => current + 1,
        Pace::Soonest => {
            let left_of_previous = Duration::from_secs((current + 1) * STEP).saturating_sub(now);
            if left_of_previous >= MARGIN { current.saturating_sub(1) } else { current }
        }
    };
    let step = last_step.map_or(earliest, |last| earliest.max(last + 1));
    let opens = Duration::from_secs(step.saturating_sub(1) * STEP);
    (step, opens.saturating_sub(now))
}

/// The time since 1970.
#[expect(clippy::disallowed_methods, reason = "the authenticator is another device, with a clock of its own")]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn codes_are_those_of_rfc_6238_appendix_b() {
        // "12345678901234567890" in base32; six digits are the last six of the eight there.
        let uri = "otpauth://totp/wallet:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=wallet";
        let authenticator = Authenticator::from_uri(uri).expect("a good URI");
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(authenticator.totp.generate(seconds / STEP * STEP).to_string(), code);
        }
    }

    #[test]
    fn three_decisions_at_once_use_the_three_codes_that_the_server_takes() {
        let now = at(100 * STEP + 5);
        let (first, wait) = usable(None, now, Pace::Soonest);
        assert_eq!((first, wait), (99, Duration::ZERO));
        assert_eq!(usable(Some(99), now, Pace::Soonest), (100, Duration::ZERO));
        assert_eq!(usable(Some(100), now, Pace::Soonest), (101, Duration::ZERO));
        assert_eq!(usable(Some(101), now, Pace::Soonest), (102, at(25)));
    }

    #[test]
    fn a_code_about_to_lapse_is_not_used() {
        let now = at(100 * STEP + 21);
        assert_eq!(usable(None, now, Pace::Soonest), (100, Duration::ZERO));
        assert_eq!(usable(Some(101), now, Pace::Soonest), (102, at(9)));
    }

    #[test]
    fn every_code_given_is_one_that_the_server_takes() {
        for millis in (0..90_000).step_by(100) {
            let now = at(1_000 * STEP) + Duration::from_millis(millis);
            for last in [None, Some(998), Some(999), Some(1_000), Some(1_003)] {
                for (pace, margin) in [(Pace::Soonest, MARGIN), (Pace::Lasting, at(60))] {
                    let (step, wait) = usable(last, now, pace);
                    // At the moment of use, and for the margin after it.
                    for moment in [now + wait, now + wait + margin - Duration::from_millis(1)] {
                        let current = moment.as_secs() / STEP;
                        assert!((current - 1..=current + 1).contains(&step), "{last:?} {now:?} {pace:?}");
                    }
                    assert!(last.is_none_or(|last| step > last));
                }
            }
        }
    }

    #[test]
    fn a_person_gets_the_code_of_the_next_step() {
        assert_eq!(usable(Some(100), at(100 * STEP + 12), Pace::Lasting), (101, Duration::ZERO));
        assert_eq!(usable(None, at(101 * STEP + 29), Pace::Lasting), (102, Duration::ZERO));
        assert_eq!(usable(Some(101), at(100 * STEP + 25), Pace::Lasting), (102, at(5)));
    }
}
