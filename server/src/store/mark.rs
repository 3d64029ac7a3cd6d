//! A small file outside the database that says how far the database had come: a backup that was put back is behind it.

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many deeds are remembered. Commits and their notes are not in one order, so the last one alone would not do.
const REMEMBERED: usize = 16;

/// What the file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Which database.
    pub instance_id: Uuid,
    /// The timeline of its PostgreSQL server, where that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<String>,
    /// The entries of the audit log that this server committed last: approvals, ends and what else must not be undone. All
    /// of them are in a database that was not put back.
    #[serde(default)]
    pub audit_ids: VecDeque<Uuid>,
}

/// Keeps the file of a running server. Cheap to clone; the default one keeps nothing.
#[derive(Debug, Clone, Default)]
pub struct Mark(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    wanted: Mutex<Wanted>,
    /// How many notes are in the file. Whoever holds this writes, for everybody who came in the meantime.
    written: Arc<tokio::sync::Mutex<u64>>,
}

#[derive(Debug)]
struct Wanted {
    progress: Progress,
    notes: u64,
}

impl Mark {
    /// What a file says; none when there is no file. Fails when it cannot be read, or is not one of ours.
    pub fn read(path: &Path) -> io::Result<Option<Progress>> {
        match fs::read(path) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the file anew and goes on from there.
    pub async fn start(path: PathBuf, progress: Progress) -> io::Result<Self> {
        let written = Arc::default();
        let mark = Self(Some(Arc::new(Inner { path, wanted: Mutex::new(Wanted { progress, notes: 1 }), written })));
        mark.write(1).await?;
        Ok(mark)
    }

    /// Remembers deeds by their entries in the audit log, and returns when that is durable. Notes that come together are
    /// written together.
    ///
    /// To be awaited after the commit and before its answer. Fails when the file cannot be written.
    pub(super) async fn note(&self, audit_ids: &[Uuid]) -> io::Result<()> {
        let Some(inner) = self.0.as_ref().filter(|_| !audit_ids.is_empty()) else { return Ok(()) };
        let note = {
            let mut wanted = inner.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            wanted.progress.audit_ids.extend(audit_ids);
            let surplus = wanted.progress.audit_ids.len().saturating_sub(REMEMBERED);
            wanted.progress.audit_ids.drain(..surplus);
            wanted.notes += 1;
            wanted.notes
        };
        self.write(note).await
    }

    /// Sees to it that a note is in the file. The lock moves into the thread that writes, so that a caller who stops
    /// waiting does not let two of them write at once.
    async fn write(&self, note: u64) -> io::Result<()> {
        let Some(inner) = &self.0 else { return Ok(()) };
        let mut written = inner.written.clone().lock_owned().await;
        if *written >= note {
            return Ok(());
        }
        let inner = inner.clone();
        let writing = tokio::task::spawn_blocking(move || {
            let (progress, notes) = {
                let wanted = inner.wanted.lock().unwrap_or_else(PoisonError::into_inner);
                (wanted.progress.clone(), wanted.notes)
            };
            replace(&inner.path, &serde_json::to_vec(&progress)?)?;
            *written = notes;
            Ok(())
        });
        writing.await.map_err(io::Error::other)?
    }
}

/// Puts a file in another's place, so that at every moment one of both is there whole.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = PathBuf::from(name);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    let outcome = file.write_all(content).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&new, path));
    if outcome.is_err() {
        // Whoever comes next makes it anew.
        let _ = fs::remove_file(&new);
        return outcome;
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn notes_that_come_together_are_all_in_the_file_when_they_return() {
        let directory = tempfile::TempDir::new().expect("a temporary directory");
        let path = directory.path().join("wallet.mark");
        assert_eq!(Mark::read(&path).expect("no file is no error"), None);
        let progress = Progress { instance_id: Uuid::now_v7(), ..Progress::default() };
        let mark = Mark::start(path.clone(), progress.clone()).await.expect("room");
        assert_eq!(Mark::read(&path).expect("ours"), Some(progress));
        let ids: Vec<_> = (0..REMEMBERED).map(|_| Uuid::now_v7()).collect();
        join_all(ids.iter().map(async |id| {
            mark.note(&[*id]).await.expect("room");
            let read = Mark::read(&path).expect("ours").expect("it is there");
            assert!(read.audit_ids.contains(id), "its own note is durable");
        }))
        .await;
        mark.note(&[Uuid::now_v7()]).await.expect("room");
        let read = Mark::read(&path).expect("ours").expect("it is there");
        assert_eq!(read.audit_ids.len(), REMEMBERED);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_is_an_error_and_the_old_one_stays() {
        let directory = tempfile::TempDir::new().expect("a temporary directory");
        let path = directory.path().join("gone").join("wallet.mark");
        fs::create_dir(directory.path().join("gone")).expect("room");
        let mark = Mark::start(path.clone(), Progress::default()).await.expect("room");
        fs::remove_dir_all(directory.path().join("gone")).expect("it is ours");
        mark.note(&[Uuid::now_v7()]).await.expect_err("there is no directory");
        fs::create_dir(directory.path().join("gone")).expect("room");
        mark.note(&[Uuid::now_v7()]).await.expect("the next note brings both");
        assert_eq!(Mark::read(&path).expect("ours").expect("it is there").audit_ids.len(), 2);
        fs::write(&path, "{").expect("room");
        Mark::read(&path).expect_err("not one of ours");
    }
}
