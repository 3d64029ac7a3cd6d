//! Reading the forms that settings have.

use std::{fmt::Display, ops::RangeInclusive, time::Duration};

use super::ConfigError;
use crate::value::{ChainId, Secret};

pub(super) fn invalid(name: &'static str, problem: impl Display) -> ConfigError {
    ConfigError::Invalid { name, problem: problem.to_string() }
}

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What a setting may be, in milliseconds.
fn range(name: &str) -> RangeInclusive<u64> {
    match name {
        "POLL_INTERVAL" | "poll_interval" => 50..=MINUTE,
        "NODE_TIMEOUT" | "request_timeout" => 100..=MINUTE,
        "GIVE_WAY_AFTER" | "BUMP_AFTER" | "bump_after" => SECOND..=HOUR,
        _ => MINUTE..=DAY,
    }
}

/// `250ms`, `30s`, `15m`, `1h`, `1d`, or plain seconds.
pub(super) fn duration(name: &'static str, text: &str) -> Result<Duration, ConfigError> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let scale = match unit {
        "ms" => 1,
        "" | "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => return Err(invalid(name, "expected a number and ms, s, m, h or d")),
    };
    let milliseconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(scale));
    let range = range(name);
    match milliseconds.filter(|milliseconds| range.contains(milliseconds)) {
        Some(milliseconds) => Ok(Duration::from_millis(milliseconds)),
        None => Err(invalid(name, format!("expected {} to {} milliseconds", range.start(), range.end()))),
    }
}

/// `1=https://…,8453=https://…`.
pub(super) fn chains(text: &str) -> Result<Vec<(ChainId, Secret<String>)>, ConfigError> {
    let mut chains: Vec<(ChainId, Secret<String>)> = Vec::new();
    for entry in text.split([',', ' ', '\n']).filter(|entry| !entry.is_empty()) {
        let (id, url) = entry.split_once('=').ok_or_else(|| invalid("CHAINS", "expected ID=URL"))?;
        let id: ChainId = id.parse().map_err(|error| invalid("CHAINS", error))?;
        if chains.iter().any(|(known, _)| *known == id) {
            return Err(invalid("CHAINS", format!("chain {id} is there twice")));
        }
        chains.push((id, Secret::new(url.to_owned())));
    }
    if chains.is_empty() { Err(ConfigError::Missing("CHAINS")) } else { Ok(chains) }
}
