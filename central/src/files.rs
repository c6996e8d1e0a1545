//! Files of the service's directory: whole or not at all, private where they hold keys.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use wallet_base::random::{OsRandom, array};

use crate::error::CentralError;

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn write(path: &Path, bytes: &[u8], private: bool) -> Result<(), CentralError> {
    let failed = |error: std::io::Error| CentralError::Io { action: "write", file: name(path), kind: error.kind() };
    // A name of its own: whoever writes the same file at the same moment must not write into this one.
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{:016x}.new", u64::from_be_bytes(array::<8>(&OsRandom))));
    let temporary = Path::new(&temporary);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(if private { 0o600 } else { 0o644 });
    }
    #[cfg(not(unix))]
    let _ = private;
    let mut file: File = options.open(temporary).map_err(failed)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file);
    written.and_then(|()| fs::rename(temporary, path)).map_err(|error| {
        // What is left of it is of no use; the error that counts is the first.
        let _ = fs::remove_file(temporary);
        failed(error)
    })
}

/// Replaces a file in one step; readers see the old or the new content.
pub(crate) fn write_public(path: &Path, bytes: &[u8]) -> Result<(), CentralError> {
    write(path, bytes, false)
}

/// As [`write_public`], readable by the owner only.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), CentralError> {
    write(path, bytes, true)
}

/// Reads a file whole.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CentralError> {
    fs::read(path).map_err(|error| CentralError::Io { action: "read", file: name(path), kind: error.kind() })
}

/// Creates a directory and its parents.
pub(crate) fn directory(path: &Path) -> Result<(), CentralError> {
    fs::create_dir_all(path).map_err(|error| CentralError::Io { action: "write", file: name(path), kind: error.kind() })
}
