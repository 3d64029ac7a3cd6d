//! The server's own secret.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::Arc,
};

use alloy::primitives::hex;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::seal::{self, Key, Purpose, SealError};
use crate::value::Secret;

const CANARY: &[u8] = b"this is the master secret of this database";
const HEX_DIGITS: usize = 64;

/// Why there is no master secret to start with. No message repeats any of it.
#[derive(Debug, thiserror::Error)]
pub enum MasterError {
    /// There is no file, and none may be made.
    #[error("the master secret's file does not exist")]
    Missing,
    /// The group or others may read or write the file.
    #[error("the master secret's file is open to others; it must have mode 0600 or 0400")]
    Exposed,
    /// Not 64 hex digits.
    #[error("the master secret must be 64 hex digits")]
    Malformed,
    /// The file system said no.
    #[error("the master secret's file cannot be used")]
    File(#[from] std::io::Error),
}

/// The master secret: 32 random bytes that never touch the database. Its layer is the outer one around every record,
/// so that it can be replaced without anyone's password. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Master(Arc<Key>);

impl Master {
    /// Takes the bytes over.
    pub fn new(bytes: Secret<[u8; 32]>) -> Self {
        Self(Arc::new(Key::new(bytes)))
    }

    /// Reads 64 hex digits. Fails when the text is anything else.
    pub fn from_hex(text: &str) -> Result<Self, MasterError> {
        if text.len() != HEX_DIGITS || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(MasterError::Malformed);
        }
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text, &mut *bytes).map_err(|_| MasterError::Malformed)?;
        Ok(Self::new(Secret::new(*bytes)))
    }

    /// Reads the file, which holds 64 hex digits and perhaps a newline; makes it first when there is none and
    /// `create` allows it. Fails when others may read it, when it holds anything else, and when there is none to read.
    pub fn read_or_create(path: &Path, create: bool) -> Result<Self, MasterError> {
        match Self::read(path) {
            Err(MasterError::Missing) if create => {
                create_file(path)?;
                Self::read(path)
            }
            other => other,
        }
    }

    fn read(path: &Path) -> Result<Self, MasterError> {
        let file = File::open(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => MasterError::Missing,
            _ => MasterError::File(error),
        })?;
        // The open file is asked, not the path, which could be another file by now.
        let metadata = file.metadata()?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(MasterError::Exposed);
        }
        let mut text = Zeroizing::new(String::with_capacity(HEX_DIGITS + 2));
        // One byte more than the longest good file (digits and CR LF), so that a longer one is noticed.
        match file.take(HEX_DIGITS as u64 + 3).read_to_string(&mut text) {
            Err(error) if error.kind() == ErrorKind::InvalidData => return Err(MasterError::Malformed),
            other => other?,
        };
        let line = text.strip_suffix('\n').unwrap_or(&text);
        Self::from_hex(line.strip_suffix('\r').unwrap_or(line))
    }

    /// The key of one purpose.
    pub(super) fn subkey(&self, purpose: &Purpose) -> Key {
        self.0.derive(purpose)
    }

    /// Puts the master layer around a record.
    pub fn seal(&self, purpose: &Purpose, inner: &[u8]) -> Vec<u8> {
        seal::seal(&self.subkey(purpose), inner)
    }

    /// Takes the master layer off. Fails when the record was changed, moved, or is another server's.
    pub fn open(&self, purpose: &Purpose, blob: &[u8]) -> Result<Secret<Vec<u8>>, SealError> {
        seal::open(&self.subkey(purpose), blob)
    }

    /// Seals under a key and, around that, under the master secret: neither alone opens it.
    pub(super) fn seal_under(&self, key: &Key, purpose: &Purpose, secret: &[u8]) -> Vec<u8> {
        self.seal(purpose, &seal::seal(&key.derive(purpose), secret))
    }

    /// Opens both layers. Fails when either does not open.
    pub(super) fn open_under(&self, key: &Key, purpose: &Purpose, blob: &[u8]) -> Result<Secret<Vec<u8>>, SealError> {
        seal::open(&key.derive(purpose), self.open(purpose, blob)?.expose())
    }

    /// A record to keep in the database, so that a start with another master secret is noticed.
    pub fn canary(&self) -> Vec<u8> {
        self.seal(&Purpose::Canary, CANARY)
    }

    /// Whether this is the secret that made the canary.
    pub fn proves(&self, canary: &[u8]) -> bool {
        self.open(&Purpose::Canary, canary).is_ok_and(|text| text.expose().ct_eq(CANARY).into())
    }

    /// The key of access tokens, where the operator gives none.
    pub fn jwt_key(&self) -> Secret<[u8; 32]> {
        Secret::new(*self.subkey(&Purpose::TokenKey).expose())
    }
}

/// Writes a new secret beside the path and links it into place: nobody ever sees half a file, and of two servers
/// starting together one wins and both read the same.
fn create_file(path: &Path) -> Result<(), MasterError> {
    let name = path.file_name().ok_or(MasterError::Missing)?.to_string_lossy();
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft = directory.join(format!(".{name}.{}", uuid::Uuid::now_v7().simple()));
    let linked = write_secret(&draft).and_then(|()| match std::fs::hard_link(&draft, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = std::fs::remove_file(&draft);
    linked?;
    removed?;
    // The name is durable only when its directory is; funds must not wait on a secret that a power cut took.
    File::open(directory)?.sync_all()?;
    Ok(())
}

fn write_secret(path: &Path) -> std::io::Result<()> {
    let mut digits = Zeroizing::new([0; HEX_DIGITS]);
    hex::encode_to_slice(Secret::<[u8; 32]>::random().expose(), &mut *digits).expect("32 bytes are 64 digits");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&*digits)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;

    struct Directory(PathBuf);

    impl Directory {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("wallet-server-master-{}", uuid::Uuid::now_v7()));
            fs::create_dir(&path).expect("a fresh directory");
            Self(path)
        }

        fn write(&self, text: &str, mode: u32) -> PathBuf {
            let path = self.0.join("given");
            fs::write(&path, text).expect("writable");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("ours");
            path
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_missing_file_is_made_once_with_mode_0600_and_read_the_same_ever_after() {
        let directory = Directory::new();
        let path = directory.0.join("master");
        assert!(matches!(Master::read_or_create(&path, false), Err(MasterError::Missing)));
        let made = Master::read_or_create(&path, true).expect("made");
        assert_eq!(fs::metadata(&path).expect("made").permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).expect("made");
        assert!(text.len() == 65 && text.ends_with('\n'));
        for create in [false, true] {
            assert!(Master::read_or_create(&path, create).expect("there").proves(&made.canary()));
        }
        assert_eq!(fs::read_dir(&directory.0).expect("there").count(), 1, "no draft is left behind");
    }

    #[test]
    fn servers_starting_together_agree_on_one_secret() {
        let directory = Directory::new();
        let path = directory.0.join("master");
        let masters: Vec<Master> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| Master::read_or_create(&path, true))).collect();
            starts.into_iter().map(|start| start.join().expect("no panic").expect("made or read")).collect()
        });
        assert!(masters.iter().all(|master| master.proves(&masters[0].canary())));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let directory = Directory::new();
        for mode in [0o640, 0o604, 0o644, 0o620, 0o666] {
            let path = directory.write(&"ab".repeat(32), mode);
            assert!(matches!(Master::read_or_create(&path, true), Err(MasterError::Exposed)), "{mode:o}");
        }
        let path = directory.write(&"ab".repeat(32), 0o400);
        assert!(Master::read_or_create(&path, true).is_ok());
    }

    #[test]
    fn anything_but_64_hex_digits_is_refused() {
        let directory = Directory::new();
        let digits = "0123456789abcdefABCDEF0123456789".repeat(2);
        let short = &digits[1..];
        for text in [
            "",
            "\n",
            short,
            &format!("{digits}0"),
            &format!("0x{short}"),
            &format!(" {digits}"),
            &format!("{short}g"),
            &format!("{digits}\n\n\n\n\n0"),
        ] {
            let path = directory.write(text, 0o600);
            assert!(matches!(Master::read_or_create(&path, true), Err(MasterError::Malformed)), "{text:?}");
        }
        assert!(Master::read_or_create(&directory.write(&format!("{digits}\r\n"), 0o600), false).is_ok());
    }

    #[test]
    fn only_the_secret_that_made_a_canary_proves_itself() {
        let (ours, theirs) = (Master::new(Secret::random()), Master::new(Secret::random()));
        assert!(ours.proves(&ours.canary()));
        assert!(!theirs.proves(&ours.canary()));
        assert!(!ours.proves(b""));
        assert!(!ours.proves(&ours.seal(&Purpose::Canary, b"something else")));
    }
}
