//! Where trusted metadata is kept between updates: on disk, or in memory for one reading.
//!
//! ```text
//! DIR/root.json timestamp.json snapshot.json targets.json ROLE.json    what is trusted now, bytes as they came
//! DIR/roots/N.root.json                                                the chain from the root in the build to the present one
//! ```
//!
//! Nothing here is believed for lying here: every file is verified from the pinned root whenever it is read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{MAX_METADATA, TrustError};
use crate::files;

/// The kept documents of one client.
pub(super) struct Store {
    place: Option<PathBuf>,
    roots: BTreeMap<u64, Vec<u8>>,
    roles: BTreeMap<String, Vec<u8>>,
}

fn read(path: &Path) -> Option<Vec<u8>> {
    files::read_capped(path, MAX_METADATA as u64).ok()
}

impl Store {
    /// Keeps nothing beyond this value.
    pub(super) fn in_memory() -> Self {
        Self { place: None, roots: BTreeMap::new(), roles: BTreeMap::new() }
    }

    /// Keeps everything in a directory.
    pub(super) fn at(directory: &Path) -> Result<Self, TrustError> {
        files::private_dir(&directory.join("roots"))?;
        Ok(Self { place: Some(directory.to_owned()), ..Self::in_memory() })
    }

    /// The root that everything begins with.
    pub(super) fn begin(&mut self, version: u64, pinned: &[u8]) -> Result<(), TrustError> {
        self.roots.insert(version, pinned.to_vec());
        match &self.place {
            Some(place) if !place.join("root.json").exists() => Ok(files::replace(&place.join("root.json"), pinned)?),
            _ => Ok(()),
        }
    }

    /// A kept root as it lies there. It is none of the chain before it was verified ([`Store::proven_root`]).
    pub(super) fn root(&self, version: u64) -> Option<Vec<u8>> {
        read(&self.place.as_ref()?.join("roots").join(format!("{version}.root.json")))
    }

    /// A kept root was verified: it belongs to the chain.
    pub(super) fn proven_root(&mut self, version: u64, bytes: Vec<u8>) {
        self.roots.insert(version, bytes);
    }

    /// Keeps a root that is trusted now.
    pub(super) fn put_root(&mut self, version: u64, bytes: &[u8]) -> Result<(), TrustError> {
        self.roots.insert(version, bytes.to_vec());
        if let Some(place) = &self.place {
            files::replace(&place.join("roots").join(format!("{version}.root.json")), bytes)?;
            files::replace(&place.join("root.json"), bytes)?;
        }
        Ok(())
    }

    /// A kept document of another role, by its quoted name.
    pub(super) fn get(&self, role: &str) -> Option<Vec<u8>> {
        match &self.place {
            Some(place) => read(&place.join(format!("{role}.json"))),
            None => self.roles.get(role).cloned(),
        }
    }

    /// Keeps a document that is trusted now.
    pub(super) fn put(&mut self, role: &str, bytes: &[u8]) -> Result<(), TrustError> {
        if let Some(place) = &self.place {
            return Ok(files::replace(&place.join(format!("{role}.json")), bytes)?);
        }
        self.roles.insert(role.to_owned(), bytes.to_vec());
        Ok(())
    }

    /// Forgets a document.
    pub(super) fn remove(&mut self, role: &str) -> Result<(), TrustError> {
        self.roles.remove(role);
        match self.place.as_ref().map(|place| fs::remove_file(place.join(format!("{role}.json")))) {
            Some(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The chain of roots, by version.
    pub(super) fn roots(&self) -> &BTreeMap<u64, Vec<u8>> {
        &self.roots
    }
}
