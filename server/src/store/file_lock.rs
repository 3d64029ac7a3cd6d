//! One process per SQLite file.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek, Write as _},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{Error, Result};

/// The right to use a database file, until it is released or the process ends, however it ends: the operating system
/// holds the lock.
#[derive(Debug)]
pub(super) struct FileLock(Mutex<Option<File>>);

impl FileLock {
    /// Takes the lock of a database file, and makes both for their owner only where they are not there yet. SQLite
    /// gives the files it puts beside a database the same mode.
    ///
    /// Fails with [`Error::InUse`] when another process has it.
    pub(super) fn take(database: &Path) -> Result<Self> {
        let database = only_name(database).map_err(Error::File)?;
        let mut lock = open(&beside(&database, "lock")).map_err(Error::File)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The file is there for people; the lock counts without its words.
                let _ = lock.read_to_string(&mut holder);
                return Err(Error::InUse { holder: holder.trim().parse().ok() });
            }
            Err(TryLockError::Error(error)) => return Err(Error::File(error)),
        }
        let name = || {
            lock.set_len(0)?;
            lock.rewind()?;
            writeln!(lock, "{}", std::process::id())
        };
        // A full disk does not keep a server from serving what is there.
        if let Err(error) = { name }() {
            tracing::warn!(error = %error, "the lock file does not name this process");
        }
        // Never opened where it exists: closing it would take SQLite's own locks away from this process.
        if !database.exists() {
            open(&database).map_err(Error::File)?;
        }
        Ok(Self(Mutex::new(Some(lock))))
    }

    /// Gives it back. Only when no connection is left.
    pub(super) fn release(&self) {
        let file = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A process that is being started has a copy of the file for a moment, and would keep the lock. If this fails, the
        // end of the last copy frees it.
        drop(file.map(|file| file.unlock()));
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// The path with an ending more.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// The one path that every way to a file leads to. Fails when the file has a second name: SQLite keeps its log beside
/// the name, and with two logs a database is lost.
fn only_name(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(path) if fs::metadata(&path)?.nlink() > 1 => {
            Err(io::Error::other("the database file has several names (hard links); SQLite needs it to have one"))
        }
        Ok(path) => Ok(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let name = path.file_name().ok_or_else(|| io::Error::other("the database's path names no file"))?;
            Ok(fs::canonicalize(parent)?.join(name))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_was_given_back_is_free_whoever_has_a_copy_of_its_file() {
        let directory = tempfile::tempdir().expect("room");
        let database = directory.path().join("test.db");
        let lock = FileLock::take(&database).expect("nobody has it");
        let copy = lock.0.lock().expect("nobody panicked").as_ref().map(File::try_clone).expect("it is held");
        assert!(matches!(FileLock::take(&database), Err(Error::InUse { .. })));
        lock.release();
        FileLock::take(&database).expect("it was given back");
        drop(copy);
    }
}
