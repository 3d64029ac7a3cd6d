//! Time, and the only source of it.

use std::{
    fmt,
    ops::{Add, Sub},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A moment in whole microseconds since 1970-01-01T00:00:00Z: the precision both databases keep and digests use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// The moment so many microseconds after 1970-01-01T00:00:00Z.
    pub const fn from_unix_microseconds(microseconds: i64) -> Self {
        Self(microseconds)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn unix_microseconds(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    pub fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// How long it is from `earlier` to this moment; zero when it is not later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(microseconds(duration)))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(microseconds(duration)))
    }
}

/// RFC 3339 in UTC.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .ok()
            .and_then(|time| time.format(&Rfc3339).ok());
        f.write_str(text.as_deref().unwrap_or("9999-12-31T23:59:59Z"))
    }
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Tells the time.
#[derive(Debug, Clone)]
pub struct Clock {
    ahead_microseconds: Arc<AtomicI64>,
    set_back_microseconds: Arc<AtomicI64>,
    started: Instant,
}

impl Clock {
    /// The system's time.
    pub fn system() -> Self {
        Self { ahead_microseconds: Arc::default(), set_back_microseconds: Arc::default(), started: Instant::now() }
    }

    /// This moment.
    pub fn now(&self) -> Time {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        let nanoseconds = OffsetDateTime::now_utc().unix_timestamp_nanos();
        let microseconds = i64::try_from(nanoseconds / 1_000).unwrap_or(i64::MAX);
        let ahead = self.ahead_microseconds.load(Ordering::Relaxed);
        let back = self.set_back_microseconds.load(Ordering::Relaxed);
        Time(microseconds.saturating_add(ahead).saturating_sub(back))
    }

    /// How long this clock has run: what waits is measured by this, since people and time servers set the time.
    pub fn elapsed(&self) -> Duration {
        let ahead = u64::try_from(self.ahead_microseconds.load(Ordering::Relaxed)).unwrap_or(0);
        self.started.elapsed() + Duration::from_micros(ahead)
    }

    /// Puts this clock and every clone of it forward: how tests reach an expiry without waiting for it.
    pub fn advance(&self, by: Duration) {
        self.ahead_microseconds.fetch_add(microseconds(by), Ordering::Relaxed);
    }

    /// Sets the time back, as a time server may, without any time having gone by.
    pub fn set_back(&self, by: Duration) {
        self.set_back_microseconds.fetch_add(microseconds(by), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_rfc_3339_in_utc() {
        let time = Time::from_unix_microseconds(1_700_000_000_123_456);
        assert_eq!(time.to_string(), "2023-11-14T22:13:20.123456Z");
        assert_eq!((time + Duration::from_secs(1)).since(time), Duration::from_secs(1));
    }
}
