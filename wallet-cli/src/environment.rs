//! The only place that reads environment variables by hand; `--server` and `--config-dir` have theirs
//! declared beside the flags. Passwords and codes may not be flags, so that no process list shows them.

#![expect(clippy::disallowed_methods, reason = "this is where settings come from")]

use std::env;
use std::path::PathBuf;

/// Names the variable that may hold the password.
pub(crate) const PASSWORD: &str = "WALLET_PASSWORD";
/// Names the variable that may hold the 6-digit code.
pub(crate) const MFA_CODE: &str = "WALLET_MFA_CODE";

/// A variable that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether the user asked for no colour (<https://no-color.org>).
pub(crate) fn no_color() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Where settings live by default: `$XDG_CONFIG_HOME/wallet-cli`, else `~/.config/wallet-cli`
/// (XDG Base Directory Specification; a relative path there is to be ignored).
pub(crate) fn default_config_dir() -> Option<PathBuf> {
    let directory = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    directory("XDG_CONFIG_HOME")
        .or_else(|| directory("HOME").map(|home| home.join(".config")))
        .map(|base| base.join("wallet-cli"))
}
