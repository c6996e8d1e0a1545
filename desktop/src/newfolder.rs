//! A folder in which a command begins something new. When the command fails, what it made there goes again: a refused command changes nothing.
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::commands::make_folder;
use crate::trouble::Trouble;

/// The folder, as it was before and until the command is sure of its success. Everything opened inside must be dropped first.
pub struct NewFolder {
    dir: PathBuf,
    made: bool,
    before: BTreeSet<OsString>,
    kept: bool,
}

impl NewFolder {
    /// Makes `dir` unless it is there, and notes what is in it.
    pub fn begin(dir: &Path) -> Result<Self, Trouble> {
        let made = !dir.exists();
        make_folder(dir)?;
        let before = names(dir).map_err(|e| Trouble::outside(&format!("reading {}", dir.display()), e))?;
        Ok(Self { dir: dir.to_owned(), made, before, kept: false })
    }

    /// Success: everything stays.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // The command failed already and says why; what cannot be removed here stays for a person to see.
        for name in names(&self.dir).unwrap_or_default().difference(&self.before) {
            let path = self.dir.join(name);
            let _ = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        }
        if self.made {
            let _ = std::fs::remove_dir(&self.dir);
        }
    }
}

fn names(dir: &Path) -> std::io::Result<BTreeSet<OsString>> {
    std::fs::read_dir(dir)?.map(|entry| entry.map(|e| e.file_name())).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failed_command_made_goes_and_what_was_there_stays() {
        let root = tempfile::tempdir().unwrap();
        let (old, new) = (root.path().join("old"), root.path().join("new"));
        std::fs::create_dir(&old).unwrap();
        std::fs::write(old.join("mine"), "x").unwrap();
        for dir in [&old, &new] {
            let folder = NewFolder::begin(dir).unwrap();
            std::fs::create_dir(dir.join("device")).unwrap();
            std::fs::write(dir.join("device/key"), "k").unwrap();
            drop(folder);
        }
        assert_eq!(names(&old).unwrap(), BTreeSet::from(["mine".into()]));
        assert!(!new.exists());
        let folder = NewFolder::begin(&new).unwrap();
        std::fs::write(new.join("kept"), "x").unwrap();
        folder.keep();
        assert!(new.join("kept").exists());
    }
}
