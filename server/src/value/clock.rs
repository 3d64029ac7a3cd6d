//! The only source of time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use time::OffsetDateTime;

/// Tells the time in whole microseconds, the precision both databases keep.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead_microseconds: Arc<AtomicI64>,
}

impl Clock {
    /// The system's time.
    pub fn system() -> Self {
        Self::default()
    }

    /// Now, UTC, truncated to microseconds.
    pub fn now(&self) -> OffsetDateTime {
        let ahead = time::Duration::microseconds(self.ahead_microseconds.load(Ordering::Relaxed));
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        truncate(OffsetDateTime::now_utc() + ahead)
    }

    /// Puts this clock and every clone of it forward: how tests reach an expiry without waiting for it.
    pub fn advance(&self, by: Duration) {
        let microseconds = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.ahead_microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }
}

fn truncate(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_nanosecond(time.microsecond() * 1_000).unwrap_or(time)
}

/// Microseconds since 1970-01-01T00:00:00Z: the form a time has in digests.
pub fn unix_microseconds(time: OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}
