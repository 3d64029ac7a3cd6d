//! What every command works with: where to print, which server, and whose session.

use std::fs;

use agent_sdk::{UserClient, UserClientBuilder};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::args::GlobalArgs;
use crate::credentials::Credentials;
use crate::environment;
use crate::exit::Failure;
use crate::output::Output;
use crate::server_url::ServerUrl;

/// One run of the program.
pub(crate) struct App {
    /// Where to print.
    pub(crate) output: Output,
    /// Which server to ask.
    pub(crate) server: ServerUrl,
    /// How to reach it.
    builder: UserClientBuilder,
    /// Where logins are kept.
    pub(crate) credentials: Credentials,
}

/// A logged-in user.
pub(crate) struct Session {
    /// The client that speaks as the user.
    pub(crate) client: UserClient,
    /// Who that is, as the server said at login.
    pub(crate) user_id: Uuid,
}

impl App {
    /// Prepares a run from the global flags.
    ///
    /// Fails when nothing says where logins are kept, and when the certificates cannot be read.
    pub(crate) fn new(output: Output, global: GlobalArgs) -> Result<Self, Failure> {
        let GlobalArgs { server, ca_certificate, allow_insecure_http, json: _, config_dir } = global;
        let directory = config_dir.or_else(environment::default_config_dir).ok_or(Failure::NoConfigDir)?;
        let mut builder = UserClient::builder(server.as_str()).allow_insecure_http(allow_insecure_http);
        if let Some(path) = ca_certificate {
            let pem = fs::read(&path).map_err(|source| Failure::UnreadableFile { path, source })?;
            builder = builder.root_certificates_pem(pem);
        }
        Ok(Self { output, server, builder, credentials: Credentials::in_directory(&directory) })
    }

    /// A client that speaks for nobody yet.
    ///
    /// Fails when the server's address or certificates cannot be used.
    pub(crate) fn anonymous(&self) -> Result<UserClient, Failure> {
        Ok(self.builder.clone().build()?)
    }

    /// The session kept by `login`.
    ///
    /// Fails when there is none, when it has ended, and when the credentials file is unusable.
    pub(crate) fn session(&self) -> Result<Session, Failure> {
        let login = self.credentials.find(&self.server)?.ok_or(Failure::NotLoggedIn)?;
        if login.expires_at <= now() {
            return Err(Failure::SessionEnded);
        }
        let client = self.builder.clone().token(login.access_token).build()?;
        Ok(Session { client, user_id: login.user_id })
    }
}

/// The time now.
pub(crate) fn now() -> OffsetDateTime {
    #[expect(clippy::disallowed_methods, reason = "the one place where this program asks for the time")]
    OffsetDateTime::now_utc()
}
