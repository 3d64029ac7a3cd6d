//! Where log lines go: standard error, one line each.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use wallet_server::config::Settings;

use crate::Failure;

/// What the libraries below would say of URLs and statements stays unsaid, whatever the filter asks for.
const QUIET: [&str; 6] = ["hyper=warn", "hyper_util=warn", "reqwest=warn", "alloy=warn", "sqlx=warn", "sea_orm=warn"];

/// Starts logging as the settings say.
pub(crate) fn start(settings: &Settings) -> Result<(), Failure> {
    let mut filter = EnvFilter::try_new(settings.log_filter()?).map_err(|error| format!("RUST_LOG: {error}"))?;
    for directive in QUIET {
        filter = filter.add_directive(directive.parse()?);
    }
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(io::stderr().is_terminal()).with_writer(io::stderr);
    if settings.logs_json()? {
        lines.json().init();
    } else {
        lines.with_target(false).init();
    }
    Ok(())
}
