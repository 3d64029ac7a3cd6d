//! How to reach a server.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Url};

use crate::http::{Credential, Http};
use crate::{Error, Secret};

/// Settings of a client. `C` is its credential: see [`AgentClientBuilder`] and `UserClientBuilder`.
#[derive(Clone, Debug)]
pub struct ClientBuilder<C> {
    base_url: String,
    pub(crate) credential: C,
    connect_timeout: Duration,
    timeout: Duration,
    attempts: u32,
    wait_limit: Option<Duration>,
    root_certificates: Option<Vec<u8>>,
    allow_insecure_http: bool,
}

/// Settings of an [`AgentClient`](crate::AgentClient).
pub type AgentClientBuilder = ClientBuilder<Secret>;

/// Settings of a [`UserClient`](crate::UserClient).
#[cfg(feature = "user")]
pub type UserClientBuilder = ClientBuilder<Option<Secret>>;

impl<C> ClientBuilder<C> {
    pub(crate) fn new(base_url: impl Into<String>, credential: C) -> Self {
        Self {
            base_url: base_url.into(),
            credential,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            attempts: 4,
            wait_limit: None,
            root_certificates: None,
            allow_insecure_http: false,
        }
    }

    /// Most time to connect in; 5 seconds by default.
    #[must_use]
    pub fn connect_timeout(mut self, connect_timeout: Duration) -> Self {
        self.connect_timeout = connect_timeout;
        self
    }

    /// Most time for one request and its answer; 30 seconds by default. A long poll has 10 seconds
    /// on top of its wait.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Most attempts at one call, when the cause of a failure may pass; 4 by default, at least 1.
    ///
    /// The waits (`wait_until_decided` and the like) keep trying regardless.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Most time for each of `wait_until_decided` and `wait_until_confirmed`; no limit by default.
    ///
    /// When it passes they fail with [`Error::StillWaiting`].
    #[must_use]
    pub fn wait_limit(mut self, wait_limit: Duration) -> Self {
        self.wait_limit = Some(wait_limit);
        self
    }

    /// Trust only these root certificates (PEM, one or more) instead of the system's: for a server
    /// with a certificate of its own.
    #[must_use]
    pub fn root_certificates_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(pem.into());
        self
    }

    /// Allow plain http to other machines; refused by default, since anyone on the way could read
    /// the credential.
    #[must_use]
    pub fn allow_insecure_http(mut self, allow_insecure_http: bool) -> Self {
        self.allow_insecure_http = allow_insecure_http;
        self
    }

    pub(crate) fn connect(self, credential: Option<Credential>) -> Result<Http, Error> {
        let base_url = parse_base_url(&self.base_url, self.allow_insecure_http)?;
        let mut client = Client::builder()
            .user_agent(concat!("agent-sdk/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.connect_timeout)
            // Shorter than a server's own limit, so that no call goes out on a connection about to
            // be closed.
            .pool_idle_timeout(Duration::from_secs(5))
            // A redirect would carry the credential to wherever it points.
            .redirect(Policy::none());
        if let Some(pem) = &self.root_certificates {
            let certificates = Certificate::from_pem_bundle(pem).map_err(Error::Tls)?;
            if certificates.is_empty() {
                return Err(Error::NoRootCertificate);
            }
            client = client.tls_certs_only(certificates);
        } else if base_url.scheme() == "http" {
            // No certificate will be looked at, and a machine may have none.
            client = client.tls_certs_only([]);
        }
        if base_url.scheme() == "http" {
            // A proxy for plain http would read the credential, even of a server on this machine.
            client = client.no_proxy();
        }
        Ok(Http {
            client: client.build().map_err(Error::Tls)?,
            base_url,
            credential: credential.into(),
            timeout: self.timeout,
            attempts: self.attempts,
            wait_limit: self.wait_limit,
        })
    }
}

/// An absolute http(s) URL that ends with a slash and holds nothing but scheme, host, port and
/// path.
fn parse_base_url(text: &str, allow_insecure_http: bool) -> Result<Url, Error> {
    let mut url = Url::parse(text.trim()).map_err(|_| Error::InvalidBaseUrl("not an absolute URL"))?;
    let Some(host) = url.host_str().map(str::to_owned) else {
        return Err(Error::InvalidBaseUrl("it names no host"));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::InvalidBaseUrl("credentials do not belong in it"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Error::InvalidBaseUrl("it ends before any ? or #"));
    }
    match url.scheme() {
        "https" => {}
        "http" if allow_insecure_http || is_loopback(&host) => {}
        "http" => return Err(Error::InsecureHttp { host }),
        _ => return Err(Error::InvalidBaseUrl("expected http or https")),
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// Whether a URL's host is this machine: `localhost`, 127.0.0.0/8 or `[::1]`.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, Error> {
        parse_base_url(text, false).map(String::from)
    }

    #[test]
    fn a_base_url_keeps_its_path_and_gains_a_slash() {
        assert_eq!(parsed("https://wallet.example").expect("https"), "https://wallet.example/");
        assert_eq!(parsed("https://example.com/wallet").expect("path"), "https://example.com/wallet/");
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for text in ["http://localhost:8080", "http://127.0.0.1:1", "http://127.8.8.8", "http://[::1]:1"] {
            assert!(parsed(text).is_ok(), "{text}");
        }
        for text in ["http://192.168.1.2", "http://wallet.example", "http://127.0.0.1.example"] {
            assert!(matches!(parsed(text), Err(Error::InsecureHttp { .. })), "{text}");
            assert!(parse_base_url(text, true).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_base_url_that_is_none_is_refused() {
        for text in [
            "",
            "wallet.example",
            "ftp://wallet.example",
            "mailto:wallet@example.com",
            "https://name:password@wallet.example",
            "https://wallet.example/?a=b",
            "https://wallet.example/#top",
        ] {
            assert!(matches!(parsed(text), Err(Error::InvalidBaseUrl(_))), "{text}");
        }
    }

    #[test]
    fn a_malformed_root_certificate_is_an_error_and_not_ignored() {
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let builder = ClientBuilder::new("https://wallet.example", ()).root_certificates_pem(pem);
        assert!(matches!(builder.connect(None), Err(Error::Tls(_))));
        let builder = ClientBuilder::new("https://wallet.example", ()).root_certificates_pem("no PEM");
        assert!(matches!(builder.connect(None), Err(Error::NoRootCertificate)));
    }

    #[test]
    fn settings_do_not_print_the_credential() {
        let builder = AgentClientBuilder::new("https://wallet.example", Secret::from("hush"));
        assert!(!format!("{builder:?}").contains("hush"));
    }
}
