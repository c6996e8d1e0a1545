//! The snapshot in use on disk: one directory a generation, one small file that names the current one.
//!
//! ```text
//! DIR/current                 {"directory":"g-7-4f..","version":7,"mark":{..}}
//! DIR/g-7-4f../metadata/...   raw files, as fetched
//! DIR/g-7-4f../targets/...
//! ```
//!
//! A generation is written whole and flushed before `current` is replaced; a kill leaves the old one or the new one current, and what is
//! left over is removed by the next update.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wallet_base::random::{OsRandom, array};

use super::TrustError;
use super::load::Loaded;
use super::trusted::TrustMark;
use crate::files;

/// Largest `current` in bytes.
const MAX_CURRENT: u64 = 4096;

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

/// Makes the directory.
pub(super) fn prepare(directory: &Path) -> Result<(), TrustError> {
    Ok(files::private_dir(directory)?)
}

/// What `current` names, if it can be read.
pub(super) fn read(directory: &Path) -> Option<Kept> {
    let bytes = files::read_capped(&directory.join("current"), MAX_CURRENT).ok()?;
    let current: Current = serde_json::from_slice(&bytes).ok()?;
    let sound = current.directory.starts_with("g-") && current.directory.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let mark = current.mark.unwrap_or_else(|| TrustMark { snapshot: current.version, ..TrustMark::default() });
    sound.then(|| Kept { directory: directory.join(current.directory), mark })
}

/// Removes what a try without room or a kill left half written: it takes room that the next one needs. Nothing, when it cannot be known what is in use.
pub(super) fn tidy(directory: &Path) {
    let in_use = match files::read_capped(&directory.join("current"), MAX_CURRENT) {
        Ok(_) => match read(directory) {
            Some(kept) => kept.directory.file_name().map(OsStr::to_owned),
            None => return,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(_) => return,
    };
    sweep(directory, in_use.as_deref());
}

/// Writes a generation, makes it current, removes the others.
pub(super) fn write(directory: &Path, loaded: &Loaded) -> Result<(), TrustError> {
    let version = loaded.snapshot.version();
    let name = format!("g-{version}-{}", suffix());
    let place = directory.join(&name);
    for (folder, files_of) in [("metadata", &loaded.metadata), ("targets", &loaded.targets)] {
        let folder = place.join(folder);
        files::private_dir(&folder)?;
        for (file, bytes) in files_of {
            files::write_private(&folder.join(file), bytes)?;
        }
        files::sync_dir(&folder)?;
    }
    files::sync_dir(&place)?;
    files::sync_dir(directory)?;
    let current = Current { directory: name.clone(), version, mark: Some(loaded.mark.clone()) };
    let bytes = serde_json::to_vec(&current).map_err(|_| TrustError::Io)?;
    files::replace(&directory.join("current"), &bytes)?;
    sweep(directory, Some(name.as_ref()));
    Ok(())
}

/// Removes every generation but one. What cannot be removed now is removed next time.
fn sweep(directory: &Path, keep: Option<&OsStr>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let other = entry.file_name();
        let name = other.to_string_lossy();
        if (name.starts_with("g-") && Some(other.as_os_str()) != keep) || name.starts_with("work-") {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
