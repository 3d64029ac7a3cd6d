//! The table of settings, and where each value was found.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use super::{ConfigError, parse, read_file};
use crate::value::Secret;

/// One variable.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name; every one but CHAINS can also be given as `NAME_FILE`, the path of a file that holds the value.
    pub name: &'static str,
    /// What counts when it is not set; none: nothing does.
    pub default: Option<&'static str>,
    /// Whether the value is shown by nobody.
    pub is_secret: bool,
    /// What it means, with unit and range.
    pub meaning: &'static str,
}

const fn setting(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default: Some(default), is_secret: false, meaning }
}

const fn optional(name: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default: None, is_secret: false, meaning }
}

const fn secret(name: &'static str, default: Option<&'static str>, meaning: &'static str) -> Setting {
    Setting { name, default, is_secret: true, meaning }
}

/// Every setting, in the order in which they are shown.
pub const SETTINGS: &[Setting] = &[
    setting("LISTEN", "127.0.0.1:8080", "Address and port to listen on."),
    secret(
        "DATABASE_URL",
        Some("sqlite:wallet.sqlite"),
        "`sqlite:PATH` or `postgres://…`; for PostgreSQL over a network add `?sslmode=verify-full`.",
    ),
    optional(
        "MARK_FILE",
        "File that says how far the database had come; keep it out of backups. Beside an SQLite file, else \
         `wallet-server.mark` in the working directory, when not set.",
    ),
    setting("DATABASE_CONNECTIONS", "16", "Connections to the database, 1 to 1000."),
    secret(
        "WEB3_PROVIDER_URI",
        None,
        "The node of the one chain that is served; which chain it is of is asked unless CHAIN_ID says.",
    ),
    optional(
        "CHAIN_ID",
        "The EIP-155 id of the chain behind WEB3_PROVIDER_URI; without it that chain is served once the node has said.",
    ),
    secret("CHAINS", None, "Several chains instead: `ID=URL` separated by commas or spaces."),
    optional(
        "CHAINS_FILE",
        "Several chains, each with several endpoints and settings of its own, instead: a TOML file (docs/OPERATIONS.md).",
    ),
    setting(
        "FINALITY_DEPTH",
        "0",
        "Blocks until a transaction is final, 1 to 10000; 0 follows the chain's own `finalized` block.",
    ),
    setting("NODE_TIMEOUT", "5s", "How long one exchange with a chain's node may take; 100ms to 1m."),
    secret("API_SECRET", None, "The master secret: 64 hex digits, made by `wallet-server keygen`."),
    optional(
        "MASTER_SECRET_PATH",
        "The master secret as a file of mode 0600, made by `wallet-server keygen PATH`, instead of API_SECRET.",
    ),
    secret(
        "JWT_SECRET_KEY",
        None,
        "Signs access tokens, at least 32 bytes; derived from the master secret when not set.",
    ),
    setting("JWT_ACCESS_TOKEN_EXPIRES", "30m", "How long a login lasts: `30m`, `1h`, or seconds; 1 minute to 1 day."),
    setting("EXECUTION_WINDOW", "15m", "How long an approved transaction can be executed; 1 minute to 1 day."),
    setting("PENDING_PER_AGENT", "100", "Undecided transactions that one agent may have, 1 to 100000."),
    setting(
        "POLL_INTERVAL",
        "2s",
        "How often a chain is asked for its newest block while something waits; 50ms to 1m.",
    ),
    setting(
        "GIVE_WAY_AFTER",
        "1m",
        "How long an approved transaction keeps a nonce that a sent one waits for; 1s to 1h.",
    ),
    setting(
        "BUMP_AFTER",
        "1m",
        "How long a sent transaction waits before the next rung of its fee ladder is sent; 1s to 1h.",
    ),
    optional("TLS_CERTIFICATE_FILE", "PEM file of the certificate chain; plain HTTP when not set."),
    optional("TLS_KEY_FILE", "PEM file of the certificate's key."),
    optional("CORS_ORIGINS", "Origins of web pages that may use the API, separated by commas."),
    setting("DOCS", "false", "Whether `/docs` shows the API as a page: true or false."),
    setting("MAX_CONNECTIONS", "1024", "Connections served at once, 1 to 65536."),
    setting("LOG_FORMAT", "text", "`text`, or `json` for one object a line."),
    setting("RUST_LOG", "info", "Which log lines are written, as the crate tracing-subscriber reads it."),
];

/// Where a value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Nowhere: it is not set and has no default.
    Unset,
    /// In the table.
    Default,
    /// In the variable.
    Variable,
    /// In the file that `NAME_FILE` names.
    File,
}

/// The value of every setting.
#[derive(Debug)]
pub struct Settings(BTreeMap<&'static str, (Option<Secret<String>>, Source)>);

impl Settings {
    /// Reads the process's environment.
    pub fn from_environment() -> Result<Self, ConfigError> {
        #[expect(clippy::disallowed_methods, reason = "this is where settings come from")]
        Self::from(|name| std::env::var(name).ok())
    }

    /// Reads any environment. An empty variable counts as not set.
    pub fn from(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let mut values = BTreeMap::new();
        for setting in SETTINGS {
            let name = setting.name;
            // Settings that are paths already have no second form; CHAINS_FILE is a setting of its own.
            let second = format!("{name}_FILE");
            let is_taken = name.ends_with("_FILE") || SETTINGS.iter().any(|other| other.name == second);
            let path = if is_taken { None } else { variable(&second) };
            let found = match (variable(name), path) {
                (Some(_), Some(_)) => return Err(ConfigError::Twice(name)),
                (Some(value), None) => (Some(value), Source::Variable),
                (None, Some(path)) => (Some(read_file(name, &path)?), Source::File),
                (None, None) => match setting.default {
                    Some(value) => (Some(value.to_owned()), Source::Default),
                    None => (None, Source::Unset),
                },
            };
            values.insert(name, (found.0.map(Secret::new), found.1));
        }
        Ok(Self(values))
    }

    /// What is shown of a setting: its value, or whether a secret is set, and where it was found.
    pub fn shown(&self, setting: &Setting) -> (String, Source) {
        let Some((value, source)) = self.0.get(setting.name) else { return (String::new(), Source::Unset) };
        let text = match value {
            None => "unset".to_owned(),
            Some(_) if setting.is_secret && *source != Source::Default => "set".to_owned(),
            Some(value) => value.expose().clone(),
        };
        (text, *source)
    }

    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>, ConfigError> {
        let found = self.0.get(name).ok_or(ConfigError::Missing(name))?;
        Ok(found.0.as_ref().map(|value| value.expose().clone()))
    }

    pub(super) fn required(&self, name: &'static str) -> Result<String, ConfigError> {
        self.text(name)?.ok_or(ConfigError::Missing(name))
    }

    pub(super) fn list(&self, name: &'static str) -> Result<Vec<String>, ConfigError> {
        let text = self.text(name)?.unwrap_or_default();
        Ok(text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect())
    }

    pub(super) fn number(&self, name: &'static str, range: RangeInclusive<u64>) -> Result<u64, ConfigError> {
        let text = self.required(name)?;
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| parse::invalid(name, format!("expected {} to {}", range.start(), range.end())))
    }

    pub(super) fn flag(&self, name: &'static str) -> Result<bool, ConfigError> {
        self.required(name)?.parse().map_err(|_| parse::invalid(name, "expected true or false"))
    }

    pub(super) fn duration(&self, name: &'static str) -> Result<Duration, ConfigError> {
        parse::duration(name, &self.required(name)?)
    }

    /// The database, for commands that need nothing else.
    pub fn database_url(&self) -> Result<Secret<String>, ConfigError> {
        self.required("DATABASE_URL").map(Secret::new)
    }

    /// Whether logs are JSON.
    pub fn logs_json(&self) -> Result<bool, ConfigError> {
        match self.required("LOG_FORMAT")?.as_str() {
            "text" => Ok(false),
            "json" => Ok(true),
            _ => Err(parse::invalid("LOG_FORMAT", "expected text or json")),
        }
    }

    /// Which log lines are written.
    pub fn log_filter(&self) -> Result<String, ConfigError> {
        self.required("RUST_LOG")
    }
}
