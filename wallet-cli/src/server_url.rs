//! The address of a wallet server.

use std::fmt;
use std::str::FromStr;

/// An `http://` or `https://` address without a trailing slash, so that one server has one spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerUrl(String);

impl ServerUrl {
    /// The address as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Why a text is not a server's address.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(crate) enum ServerUrlError {
    /// Another scheme, or none.
    #[error("must begin with http:// or https://")]
    Scheme,
    /// No host after the scheme.
    #[error("names no host")]
    Host,
    /// A user name or password in the address would end up in files and messages.
    #[error("must not carry a user name or password")]
    Userinfo,
    /// A query, a fragment or blanks.
    #[error("must be a plain address, such as https://wallet.example:8443")]
    Shape,
}

impl FromStr for ServerUrl {
    type Err = ServerUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once("://").ok_or(ServerUrlError::Scheme)?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return Err(ServerUrlError::Scheme);
        }
        let rest = rest.trim_end_matches('/');
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.is_empty() || authority.starts_with(':') {
            return Err(ServerUrlError::Host);
        }
        if authority.contains('@') {
            return Err(ServerUrlError::Userinfo);
        }
        if !rest.bytes().all(|byte| byte.is_ascii_graphic()) || rest.contains(['?', '#', '\\']) {
            return Err(ServerUrlError::Shape);
        }
        Ok(Self(format!("{scheme}://{}{path}", authority.to_ascii_lowercase())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_has_one_spelling() {
        let url: ServerUrl = "HTTPS://Wallet.example:8443/Base/".parse().expect("good");
        assert_eq!(url.as_str(), "https://wallet.example:8443/Base");
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        for text in
            ["", "wallet.example", "ftp://a", "https://", "http://:80", "http://u:p@a", "http://a b", "http://a?b"]
        {
            assert!(text.parse::<ServerUrl>().is_err(), "{text}");
        }
    }
}
