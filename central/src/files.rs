//! Files of the service's directory: whole or not at all, private where they hold keys.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::error::CentralError;

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn write(path: &Path, bytes: &[u8], private: bool) -> Result<(), CentralError> {
    let failed = |error: std::io::Error| CentralError::Io { action: "write", file: name(path), kind: error.kind() };
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = Path::new(&temporary);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(if private { 0o600 } else { 0o644 });
    }
    #[cfg(not(unix))]
    let _ = private;
    let mut file: File = options.open(temporary).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    drop(file);
    fs::rename(temporary, path).map_err(failed)
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
