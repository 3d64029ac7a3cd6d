//! Login sessions, kept between runs in one file that only its owner can read. File permissions are
//! Unix's, and so is this program.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::server_url::ServerUrl;

/// Permission bits that let anyone but the owner at the file.
const OTHERS: u32 = 0o077;

/// A login at one server. It has no `Debug`, because the token alone lets in whoever holds it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredLogin {
    /// The bearer token.
    pub(crate) access_token: String,
    /// When the server stops taking the token.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) expires_at: OffsetDateTime,
    /// Whose login it is.
    pub(crate) user_id: Uuid,
    /// The name the user logged in with.
    pub(crate) username: String,
}

/// Why the credentials file could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    /// Others could have read the tokens.
    #[error("{} can be read by others (mode {mode:03o}); make it yours with `chmod 600`", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is not what this program wrote.
    #[error("{} is damaged; remove it and log in again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// The credentials file: a JSON object from server address to login.
pub(crate) struct Credentials {
    path: PathBuf,
}

impl Credentials {
    /// The credentials file in a configuration directory; neither needs to exist yet.
    pub(crate) fn in_directory(directory: &Path) -> Self {
        Self { path: directory.join("credentials.json") }
    }

    /// The login at a server, if there is one.
    ///
    /// Fails when the file exists and is unreadable, damaged or readable by others.
    pub(crate) fn find(&self, server: &ServerUrl) -> Result<Option<StoredLogin>, CredentialsError> {
        Ok(self.read()?.remove(server.as_str()))
    }

    /// Keeps a login, in place of an earlier one at the same server.
    ///
    /// Fails when the file cannot be read or written.
    pub(crate) fn keep(&self, server: &ServerUrl, login: StoredLogin) -> Result<(), CredentialsError> {
        let mut logins = self.read()?;
        logins.insert(server.as_str().to_owned(), login);
        self.write(&logins)
    }

    /// Forgets the login at a server.
    ///
    /// Fails when the file cannot be read or written.
    pub(crate) fn forget(&self, server: &ServerUrl) -> Result<(), CredentialsError> {
        let mut logins = self.read()?;
        match logins.remove(server.as_str()) {
            Some(_) => self.write(&logins),
            None => Ok(()),
        }
    }

    /// Reads all logins. The permissions are those of the opened file, so that it cannot be swapped
    /// between the look and the reading.
    fn read(&self) -> Result<BTreeMap<String, StoredLogin>, CredentialsError> {
        let unreadable = |source| CredentialsError::Unreadable { path: self.path.clone(), source };
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
        if mode & OTHERS != 0 {
            return Err(CredentialsError::Exposed { path: self.path.clone(), mode });
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(unreadable)?;
        serde_json::from_str(&text).map_err(|_| CredentialsError::Damaged { path: self.path.clone() })
    }

    /// Replaces the file as a whole: a crash leaves the old one or the new one.
    fn write(&self, logins: &BTreeMap<String, StoredLogin>) -> Result<(), CredentialsError> {
        let text = serde_json::to_vec_pretty(logins).map_err(io::Error::from);
        text.and_then(|text| replace(&self.path, &text))
            .map_err(|source| CredentialsError::Unwritable { path: self.path.clone(), source })
    }
}

/// Writes beside the file, with the right permissions from its first moment, and renames.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let draft = path.with_extension(format!("{}.tmp", Uuid::now_v7().simple()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // The draft may hold a token; the first failure is the one worth telling.
        drop(fs::remove_file(&draft));
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own for one test, removed at its end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new() -> Self {
            Self(std::env::temp_dir().join(format!("wallet-cli-{}", Uuid::now_v7())))
        }
        fn credentials(&self) -> Credentials {
            Credentials::in_directory(&self.0)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn login(access_token: &str) -> StoredLogin {
        StoredLogin {
            access_token: access_token.to_owned(),
            expires_at: OffsetDateTime::UNIX_EPOCH,
            user_id: Uuid::nil(),
            username: "ada".to_owned(),
        }
    }

    fn server(url: &str) -> ServerUrl {
        url.parse().expect("a good address")
    }

    fn token(credentials: &Credentials, url: &str) -> Option<String> {
        let login = credentials.find(&server(url)).expect("readable");
        login.map(|login| login.access_token)
    }

    #[test]
    fn logins_are_kept_and_forgotten_per_server() {
        let scratch = Scratch::new();
        let credentials = scratch.credentials();
        let (one, two) = ("http://127.0.0.1:8080", "https://wallet.example");
        assert_eq!(token(&credentials, one), None);
        credentials.keep(&server(one), login("first")).expect("kept");
        credentials.keep(&server(two), login("second")).expect("kept");
        credentials.keep(&server(one), login("third")).expect("kept");
        credentials.forget(&server(two)).expect("forgotten");
        assert_eq!(token(&credentials, "http://127.0.0.1:8080/"), Some("third".to_owned()));
        assert_eq!(token(&credentials, two), None);
    }

    #[test]
    fn only_the_owner_can_read_what_is_kept() {
        let scratch = Scratch::new();
        let credentials = scratch.credentials();
        credentials.keep(&server("http://127.0.0.1:8080"), login("token")).expect("kept");
        let mode = |path: &Path| fs::metadata(path).expect("exists").permissions().mode() & 0o777;
        assert_eq!(mode(&credentials.path), 0o600);
        assert_eq!(mode(&scratch.0), 0o700);
        assert_eq!(fs::read_dir(&scratch.0).expect("listed").count(), 1, "no draft is left");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let scratch = Scratch::new();
        let credentials = scratch.credentials();
        let url = server("http://127.0.0.1:8080");
        credentials.keep(&url, login("token")).expect("kept");
        for mode in [0o640, 0o604, 0o644, 0o620] {
            fs::set_permissions(&credentials.path, fs::Permissions::from_mode(mode)).expect("set");
            let refused = |result| matches!(result, Err(CredentialsError::Exposed { .. }));
            assert!(refused(credentials.find(&url).map(drop)));
            assert!(refused(credentials.keep(&url, login("other"))));
        }
    }
}
