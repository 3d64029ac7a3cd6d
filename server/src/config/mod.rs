//! Every setting: its variable, default, unit and meaning. The only place that reads the environment.

use std::{fs, num::NonZero, path::PathBuf, thread::available_parallelism, time::Duration};

use crate::{
    chain::{ChainSettings, DEFAULT_REQUEST_TIMEOUT, Finality},
    state::Policy,
    value::{ChainId, Secret},
};

mod chains_file;
mod parse;
mod settings;

pub use settings::{SETTINGS, Setting, Settings, Source};

/// Why the settings are no good. Names the variable, never its value.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value that does not parse.
    #[error("{name}: {problem}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// A setting that has to be there.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// A variable and its `_FILE` form at once.
    #[error("{0} and {0}_FILE are both set: which one counts?")]
    Twice(&'static str),
    /// A file that a `_FILE` variable names cannot be read.
    #[error("{name}_FILE: {source}")]
    File {
        /// The variable without `_FILE`.
        name: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

/// Where the master secret comes from.
#[derive(Debug, Clone)]
pub enum MasterSource {
    /// 64 hex digits from the environment or a secret file.
    Given(Secret<String>),
    /// A file of our own; `create` makes it when it is not there, in development only.
    File {
        /// Where.
        path: PathBuf,
        /// Whether it may be made.
        create: bool,
    },
}

/// Which chains are served.
#[derive(Debug, Clone)]
pub enum ChainSource {
    /// These.
    Known(Vec<ChainSettings>),
    /// The one this node is of; it is asked at start.
    Ask {
        /// Its URL.
        url: Secret<String>,
        /// As in [`ChainSettings`].
        request_timeout: Duration,
        /// As in [`ChainSettings`].
        finality: Finality,
    },
}

/// What a server needs to know to run. `Debug` hides secrets.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen: an address and a port.
    pub listen: String,
    /// The database.
    pub database_url: Secret<String>,
    /// How many connections to it, at most.
    pub database_connections: u32,
    /// The file that says how far the database had come, so that a restored backup is noticed. Not in the backup.
    pub mark_file: PathBuf,
    /// The outer layer of everything at rest.
    pub master: MasterSource,
    /// Signs access tokens; derived from the master secret when absent.
    pub jwt_secret: Option<Secret<String>>,
    /// The chains.
    pub chains: ChainSource,
    /// Certificate and key, both PEM; none: plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Origins whose pages may use the API.
    pub cors_origins: Vec<String>,
    /// Whether `/docs` is served.
    pub docs: bool,
    /// How many connections are served at once.
    pub connections: usize,
    /// How many passwords are checked at once; each takes 128 MiB.
    pub password_checks: usize,
    /// How often a chain is asked for its newest block while something waits for one.
    pub poll_interval: Duration,
    /// Windows and limits of the rules.
    pub policy: Policy,
}

impl Config {
    /// Reads the settings for production. Fails with the first that is missing or wrong.
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let policy = Policy::default();
        let tls = match (settings.text("TLS_CERTIFICATE_FILE")?, settings.text("TLS_KEY_FILE")?) {
            (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
            (None, None) => None,
            (Some(_), None) => return Err(ConfigError::Missing("TLS_KEY_FILE")),
            (None, Some(_)) => return Err(ConfigError::Missing("TLS_CERTIFICATE_FILE")),
        };
        Ok(Self {
            listen: settings.required("LISTEN")?,
            database_url: Secret::new(settings.required("DATABASE_URL")?),
            mark_file: mark_file(settings)?,
            database_connections: settings.number("DATABASE_CONNECTIONS", 1..=1_000)?.try_into().unwrap_or(16),
            master: master(settings)?,
            jwt_secret: settings.text("JWT_SECRET_KEY")?.map(Secret::new),
            chains: chains(settings)?,
            tls,
            cors_origins: settings.list("CORS_ORIGINS")?,
            docs: settings.flag("DOCS")?,
            connections: usize::try_from(settings.number("MAX_CONNECTIONS", 1..=65_536)?).unwrap_or(1_024),
            password_checks: available_parallelism().map_or(1, NonZero::get).clamp(1, 4),
            poll_interval: settings.duration("POLL_INTERVAL")?,
            policy: Policy {
                session_lifetime: settings.duration("JWT_ACCESS_TOKEN_EXPIRES")?,
                execution_window: settings.duration("EXECUTION_WINDOW")?,
                pending_per_agent: settings.number("PENDING_PER_AGENT", 1..=100_000)?,
                give_way_after: settings.duration("GIVE_WAY_AFTER")?,
                bump_after: settings.duration("BUMP_AFTER")?,
                ..policy
            },
        })
    }
}

impl ChainSource {
    /// The chains of the settings, for commands that need nothing else.
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        chains(settings)
    }

    /// The chains of a file as `CHAINS_FILE` names one, everything else as usual.
    pub fn read_file(path: &str) -> Result<Self, ConfigError> {
        chains_file::read(path, DEFAULT_REQUEST_TIMEOUT, Finality::Tag).map(Self::Known)
    }
}

/// Beside an SQLite file, else in the working directory, unless set.
fn mark_file(settings: &Settings) -> Result<PathBuf, ConfigError> {
    if let Some(path) = settings.text("MARK_FILE")? {
        return Ok(path.into());
    }
    let url = settings.required("DATABASE_URL")?;
    let file = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
    let file = file.map(|file| file.split('?').next().unwrap_or(file)).filter(|file| !file.contains(":memory:"));
    Ok(file.map_or_else(|| "wallet-server.mark".into(), |file| format!("{file}.mark").into()))
}

fn master(settings: &Settings) -> Result<MasterSource, ConfigError> {
    if let Some(secret) = settings.text("API_SECRET")? {
        return Ok(MasterSource::Given(Secret::new(secret)));
    }
    match settings.text("MASTER_SECRET_PATH")? {
        Some(path) => Ok(MasterSource::File { path: path.into(), create: false }),
        None => Err(ConfigError::Missing("API_SECRET (or API_SECRET_FILE, or MASTER_SECRET_PATH)")),
    }
}

fn chains(settings: &Settings) -> Result<ChainSource, ConfigError> {
    let finality = match settings.number("FINALITY_DEPTH", 0..=10_000)? {
        0 => Finality::Tag,
        depth => Finality::Depth(depth),
    };
    let request_timeout = settings.duration("NODE_TIMEOUT")?;
    let chain = |id, url| ChainSettings { request_timeout, finality, ..ChainSettings::new(id, url) };
    let one = settings.text("WEB3_PROVIDER_URI")?.map(Secret::new);
    let several = settings.text("CHAINS")?;
    let id = settings.text("CHAIN_ID")?;
    if let Some(path) = settings.text("CHAINS_FILE")? {
        if one.is_some() || several.is_some() {
            return Err(parse::invalid("CHAINS_FILE", "give this, CHAINS or WEB3_PROVIDER_URI, not several"));
        }
        return Ok(ChainSource::Known(chains_file::read(&path, request_timeout, finality)?));
    }
    match (one, several) {
        (Some(_), Some(_)) => Err(parse::invalid("CHAINS", "give this or WEB3_PROVIDER_URI, not both")),
        (None, None) => Err(ConfigError::Missing("WEB3_PROVIDER_URI (or CHAINS, or CHAINS_FILE)")),
        (None, Some(list)) => {
            let chains = parse::chains(&list)?.into_iter().map(|(id, url)| chain(id, url));
            Ok(ChainSource::Known(chains.collect()))
        }
        (Some(url), None) => match id {
            None => Ok(ChainSource::Ask { url, request_timeout, finality }),
            Some(id) => {
                let id: ChainId = id.parse().map_err(|error| parse::invalid("CHAIN_ID", error))?;
                Ok(ChainSource::Known(vec![chain(id, url)]))
            }
        },
    }
}

/// Reads a secret's file, without the newline that editors add.
fn read_file(name: &'static str, path: &str) -> Result<String, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::File { name, source })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests;
