//! A directory of the demo's own, gone when the demo is.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use uuid::Uuid;

/// A new directory that only its owner can enter. Removed, with all that is in it, when this is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes the directory where temporary files belong.
    ///
    /// Fails when that is not possible.
    pub(crate) fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("wallet-demo-{}", Uuid::now_v7().simple()));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// A path in it.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // There is nobody left to tell.
        drop(fs::remove_dir_all(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_its_owner_can_enter_and_it_goes_with_everything_in_it() {
        let scratch = Scratch::new().expect("made");
        let path = scratch.0.clone();
        fs::write(scratch.join("file"), "text").expect("written");
        let mode = fs::metadata(&path).expect("exists").permissions().mode() & 0o777;
        assert_eq!(mode, 0o700);
        drop(scratch);
        assert!(!path.exists());
    }
}
