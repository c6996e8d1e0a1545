//! Files that survive a kill: written beside, flushed, renamed, and the directory flushed too.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Makes a directory (and its parents) that only its owner can enter.
pub(crate) fn private_dir(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// Flushes a directory, so that a rename in it survives a power cut. A no-op where directories cannot be opened.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Whether an error says that there is no room: of the disk, of a quota, of a file.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

/// `name.new` beside `name`.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    path.with_file_name(name)
}

/// Writes a new file readable by its owner only (mode 0600) and flushes it; an older one is replaced in place.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Removed first: the mode below holds only for a file that this call makes.
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Replaces a file as one step: whoever opens it sees the old bytes or the new ones, also after a kill or a power cut.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path);
    write_private(&new, bytes)?;
    fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Reads a file of at most `cap` bytes; a longer one is an error.
pub(crate) fn read_capped(path: &Path, cap: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(cap + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > cap {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "file too long"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replace_is_whole_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("header");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(read_capped(&path, 3).unwrap(), b"two");
        assert!(read_capped(&path, 2).is_err());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_left_over_half_written_file_does_no_harm() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("header");
        replace(&path, b"one").unwrap();
        fs::write(beside(&path), b"ha").unwrap();
        assert_eq!(read_capped(&path, 9).unwrap(), b"one");
        replace(&path, b"two").unwrap();
        assert_eq!(read_capped(&path, 9).unwrap(), b"two");
    }
}
