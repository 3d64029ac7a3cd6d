//! Moments and spans of time in words.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// A moment as programs read it: RFC 3339, in UTC.
pub(crate) fn for_programs(at: OffsetDateTime) -> String {
    at.to_utc().format(&Rfc3339).unwrap_or_else(|_| at.to_string())
}

/// A moment as people read it: to the second, in UTC.
pub(crate) fn for_people(at: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    at.to_utc().format(format).unwrap_or_else(|_| at.to_string())
}

/// A moment and how far away it is, e.g. `2026-11-24 10:00:00 UTC (23 h 59 min left)`.
pub(crate) fn deadline(at: OffsetDateTime, now: OffsetDateTime) -> String {
    let left = match u64::try_from((at - now).whole_seconds()) {
        Ok(seconds) if seconds > 0 => format!("{} left", span(seconds)),
        _ => "over".to_owned(),
    };
    format!("{} ({left})", for_people(at))
}

/// A number of seconds in its two largest units.
fn span(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// Reads a span of time: whole seconds, minutes or hours, as in `60s`, `5m`, `1h`; a bare number is
/// seconds.
///
/// Fails on anything else, and on spans longer than a week.
pub(crate) fn parse_span(text: &str) -> Result<Duration, &'static str> {
    let split = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let seconds_in_unit = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err("write it as 60s, 5m or 1h"),
    };
    let number: u64 = digits.parse().map_err(|_| "write it as 60s, 5m or 1h")?;
    match number.checked_mul(seconds_in_unit) {
        Some(seconds) if seconds <= 7 * 86_400 => Ok(Duration::from_secs(seconds)),
        _ => Err("a week is the longest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_deadline_says_how_much_time_is_left() {
        let now = datetime!(2026-11-23 10:00:00.5 UTC);
        for (at, expected) in [
            (datetime!(2026-11-30 12:00:00.5 UTC), "2026-11-30 12:00:00 UTC (7 d 2 h left)"),
            (datetime!(2026-11-24 10:00:00 UTC), "2026-11-24 10:00:00 UTC (23 h 59 min left)"),
            (datetime!(2026-11-23 10:01:31 UTC), "2026-11-23 10:01:31 UTC (1 min 30 s left)"),
            (datetime!(2026-11-23 10:00:09.5 UTC), "2026-11-23 10:00:09 UTC (9 s left)"),
            (datetime!(2026-11-23 10:00:00 UTC), "2026-11-23 10:00:00 UTC (over)"),
        ] {
            assert_eq!(deadline(at, now), expected);
        }
    }

    #[test]
    fn spans_are_read_with_their_unit() {
        for (text, seconds) in [("60", 60), ("60s", 60), ("5m", 300), ("1h", 3_600), ("0", 0)] {
            assert_eq!(parse_span(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "s", "1d", "-1", "1.5s", "9999999999h", "18446744073709551615h"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}
