//! One program to a folder.
//!
//! Two programs on one wallet would each be right by themselves and wrong together: both would spend what they read as unspent, and the key-slot
//! header counts tries by reading and replacing a file. So whoever opens a folder takes its lock first and keeps it until it closes. The lock is the
//! kernel's (`flock`, `LockFileEx`), on a file of its own that is never removed: it ends with the process however that ends, and nothing is left to
//! clean up after a kill.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::files;
use crate::store::StoreError;

/// Name of the file. It is empty, and being there means nothing.
const NAME: &str = "lock";

/// A folder that nobody else has open. Dropping it lets go.
#[derive(Debug)]
pub struct DirectoryLock(#[allow(dead_code)] File);

impl DirectoryLock {
    /// Takes the folder, or says at once that it is taken. The folder is made when it is missing; nothing else in it is touched.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] while another program, or another object of this one, has it; [`StoreError::Full`] and [`StoreError::Io`] when the
    /// file cannot be made or the file system knows no locks: a folder that cannot be kept alone is not opened.
    pub fn take(directory: &Path) -> Result<Self, StoreError> {
        files::private_dir(directory)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let file = options.open(directory.join(NAME))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::Busy),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_once_and_free_again_after() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("wallet");
        let held = DirectoryLock::take(&folder).unwrap();
        assert_eq!(DirectoryLock::take(&folder).unwrap_err(), StoreError::Busy);
        assert!(DirectoryLock::take(dir.path()).is_ok(), "another folder is another lock");
        drop(held);
        assert!(DirectoryLock::take(&folder).is_ok());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), b"").unwrap();
        assert_eq!(DirectoryLock::take(&dir.path().join("file").join("wallet")).unwrap_err(), StoreError::Io);
    }
}
