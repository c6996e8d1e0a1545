//! The snapshot in use on disk: one directory a generation, one small file that names the current one.
//!
//! ```text
//! DIR/current                 {"directory":"g-7-4f..","version":7,"mark":{..}}
//! DIR/g-7-4f../metadata/...   raw files, as fetched
//! DIR/g-7-4f../targets/...
//! ```
//!
//! A generation is written whole and flushed before `current` is replaced; a kill leaves the old one or the new one current, and what is
//! left over is removed by the next write.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wallet_base::random::{OsRandom, array};

use super::TrustError;
use super::load::Loaded;
use super::trusted::TrustMark;
use crate::files;

#[derive(Serialize, Deserialize)]
struct Current {
    directory: String,
    version: u64,
    #[serde(default)]
    mark: Option<TrustMark>,
}

/// The generation that is current.
pub(super) struct Kept {
    pub(super) directory: PathBuf,
    /// What was reached, also when the files that prove it can no longer be read.
    pub(super) mark: TrustMark,
}

fn suffix() -> String {
    array::<8>(&OsRandom).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn io<T>(result: std::io::Result<T>) -> Result<T, TrustError> {
    result.map_err(|_| TrustError::Io)
}

/// Makes the directory.
pub(super) fn prepare(directory: &Path) -> Result<(), TrustError> {
    io(files::private_dir(directory))
}

/// What `current` names, if it can be read.
pub(super) fn read(directory: &Path) -> Option<Kept> {
    let bytes = files::read_capped(&directory.join("current"), 4096).ok()?;
    let current: Current = serde_json::from_slice(&bytes).ok()?;
    let sound = current.directory.starts_with("g-") && current.directory.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let mark = current.mark.unwrap_or_else(|| TrustMark { snapshot: current.version, ..TrustMark::default() });
    sound.then(|| Kept { directory: directory.join(current.directory), mark })
}

/// Writes a generation, makes it current, removes the others.
pub(super) fn write(directory: &Path, loaded: &Loaded) -> Result<(), TrustError> {
    let version = loaded.snapshot.version();
    let name = format!("g-{version}-{}", suffix());
    let place = directory.join(&name);
    for (folder, files_of) in [("metadata", &loaded.metadata), ("targets", &loaded.targets)] {
        let folder = place.join(folder);
        io(files::private_dir(&folder))?;
        for (file, bytes) in files_of {
            io(files::write_private(&folder.join(file), bytes))?;
        }
        io(files::sync_dir(&folder))?;
    }
    io(files::sync_dir(&place))?;
    io(files::sync_dir(directory))?;
    let current = Current { directory: name.clone(), version, mark: Some(loaded.mark.clone()) };
    let bytes = serde_json::to_vec(&current).map_err(|_| TrustError::Io)?;
    io(files::replace(&directory.join("current"), &bytes))?;
    for entry in io(fs::read_dir(directory))?.flatten() {
        let other = entry.file_name();
        let other = other.to_string_lossy();
        if (other.starts_with("g-") && other != name) || other.starts_with("work-") {
            // What cannot be removed now is removed next time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}
