//! Where the files of a repository come from.

use std::path::{Path, PathBuf};

use super::client::quote;
use super::{MAX_METADATA, MAX_TARGET};
use crate::files;
use crate::http::{Http, HttpError};

/// Gives the files of a TUF repository. Metadata names are plain file names (letters, digits, `.`, `_`, `-`, `~`, and `%XX` for anything else).
pub trait TrustSource: Send + Sync {
    /// A metadata file such as `timestamp.json` or `3.snapshot.json`; `None` when there is none.
    fn metadata(&self, name: &str) -> Result<Option<Vec<u8>>, HttpError>;
    /// A target file, by the name under which it is stored (with its hash, when snapshots are consistent); `None` when there is none. It may be a
    /// path of several parts, none of them empty, `.` or `..`.
    fn target(&self, name: &str) -> Result<Option<Vec<u8>>, HttpError>;
}

/// A repository behind our HTTP client.
#[derive(Clone, Debug)]
pub struct HttpSource {
    http: Http,
    metadata_path: String,
    targets_path: String,
}

impl HttpSource {
    /// Paths under the client's base URL, each ending with `/`.
    pub fn new(http: Http, metadata_path: &str, targets_path: &str) -> Self {
        Self { http, metadata_path: metadata_path.to_owned(), targets_path: targets_path.to_owned() }
    }

    fn get(&self, path: &str, name: &str, cap: usize) -> Result<Option<Vec<u8>>, HttpError> {
        let path = format!("{}/{name}", path.trim_end_matches('/'));
        let response = self.http.get_capped(&path, &[], cap)?;
        match response.status {
            200 => Ok(Some(response.body)),
            403 | 404 | 410 => Ok(None),
            500.. => Err(HttpError::Unreachable),
            _ => Err(HttpError::Malformed),
        }
    }
}

impl TrustSource for HttpSource {
    fn metadata(&self, name: &str) -> Result<Option<Vec<u8>>, HttpError> {
        self.get(&self.metadata_path, name, MAX_METADATA)
    }
    fn target(&self, name: &str) -> Result<Option<Vec<u8>>, HttpError> {
        let quoted: Vec<String> = name.split('/').map(quote).collect();
        self.get(&self.targets_path, &quoted.join("/"), MAX_TARGET)
    }
}

/// A repository in a directory with `metadata/` and `targets/`.
#[derive(Clone, Debug)]
pub struct DirectorySource {
    directory: PathBuf,
}

impl DirectorySource {
    /// The directory that holds `metadata/` and `targets/`.
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    fn get(&self, folder: &str, name: &str, cap: usize) -> Result<Option<Vec<u8>>, HttpError> {
        let path = self.directory.join(folder).join(name);
        match files::read_capped(&path, u64::try_from(cap).unwrap_or(u64::MAX)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) if e.kind() == std::io::ErrorKind::InvalidData => Err(HttpError::TooLarge),
            Err(_) => Err(HttpError::Unreachable),
        }
    }
}

impl TrustSource for DirectorySource {
    fn metadata(&self, name: &str) -> Result<Option<Vec<u8>>, HttpError> {
        self.get("metadata", name, MAX_METADATA)
    }
    fn target(&self, name: &str) -> Result<Option<Vec<u8>>, HttpError> {
        self.get("targets", name, MAX_TARGET)
    }
}
