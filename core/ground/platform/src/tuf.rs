//! The trust updater: a client of The Update Framework (specification 1.0), by the crate `tough`.
//!
//! - Files come through a [`TrustSource`]: our own HTTP client (pins, caps and time-outs hold) or a directory (carried by hand, tests).
//! - Expiry is judged by the time the caller gives, never by the system's clock.
//! - Signatures, thresholds, hashes, root rotation, rollback and mix-and-match are `tough`'s work over the last good state.
//! - The last good snapshot is kept with its raw files and **verified again from the pinned root at every start**; the files can be
//!   carried to a peer as they are ([`TrustUpdater::current_directory`] is a repository directory).
//!
//! An update speaks in three facts, in this order: `trust.signature` (signatures, hashes, whole and well-formed), `trust.version` (not older
//! than what was known, nor than the floor in the build), `trust.freshness` (not expired). Whatever fails, the current snapshot stays.
//!
//! TUF metadata says when it expires, not when it was signed. A repository that wants its signing time known puts
//! `"signed_at": "<RFC 3339>"` beside `expires` into the signed part of `timestamp.json` (TUF allows further fields); it comes out as
//! [`TrustSnapshot::signed_at`] and is fit to be an anchor of [`crate::clock_guard`].

mod load;
mod source;
mod state;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wallet_base::fact::{By, Fact, FactName, Ladder};
use wallet_base::time::Timestamp;

use crate::http::{Http, HttpError};
pub use source::{DirectorySource, HttpSource, TrustSource};

use load::{Fault, Loaded};

/// Longest metadata file in bytes.
pub const MAX_METADATA: usize = 1 << 20;
/// Longest target in bytes.
pub const MAX_TARGET: usize = 4 << 20;
/// The most targets.
pub const MAX_TARGETS: usize = 64;
/// The most bytes of all targets together.
pub const MAX_ALL_TARGETS: usize = 16 << 20;

/// Why an update could not be judged at all. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The pinned root is not usable.
    #[error("the pinned trust root is not usable")]
    Root,
    /// A file could not be fetched.
    #[error("the trust repository cannot be fetched: {0}")]
    Fetch(#[from] HttpError),
    /// The repository does not have a file that it must have.
    #[error("the trust repository is not whole")]
    Missing,
    /// Another update is running.
    #[error("an update is running")]
    Busy,
    /// The file system failed.
    #[error("the file system failed")]
    Io,
}

/// What an updater is built on.
#[derive(Clone)]
pub struct TrustConfig {
    /// The root metadata in the build (`N.root.json`, any version).
    pub root: Vec<u8>,
    /// The lowest snapshot version that is accepted; 0 for none.
    pub floor: u64,
    /// Where the last good snapshot is kept; made when missing.
    pub directory: PathBuf,
    /// Who finds the facts.
    pub by: By,
}

impl std::fmt::Debug for TrustConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustConfig").field("floor", &self.floor).finish_non_exhaustive()
    }
}

/// A verified snapshot of the trust repository. Only this module can make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustSnapshot {
    version: u64,
    timestamp_version: u64,
    root_version: u64,
    signed_at: Option<Timestamp>,
    expires: Timestamp,
    targets: BTreeMap<String, Vec<u8>>,
}

impl TrustSnapshot {
    /// Version of the snapshot metadata: what verdicts show.
    pub const fn version(&self) -> u64 {
        self.version
    }
    /// Version of the timestamp metadata.
    pub const fn timestamp_version(&self) -> u64 {
        self.timestamp_version
    }
    /// Version of the root metadata in force.
    pub const fn root_version(&self) -> u64 {
        self.root_version
    }
    /// When the timestamp was signed, where the repository says so (see the module's text).
    pub const fn signed_at(&self) -> Option<Timestamp> {
        self.signed_at
    }
    /// When the first of root, timestamp, snapshot and targets expires.
    pub const fn expires(&self) -> Timestamp {
        self.expires
    }
    /// The targets by name.
    pub const fn targets(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.targets
    }
    /// One target's bytes.
    pub fn target(&self, name: &str) -> Option<&[u8]> {
        self.targets.get(name).map(Vec::as_slice)
    }

    /// `trust.freshness` at a check: passed until it expires, failed from then on.
    pub fn freshness(&self, now: Timestamp, by: By) -> Fact {
        let detail = format!("trust version {}, expires {}", self.version, self.expires);
        if now < self.expires {
            Fact::passed(FactName::TrustFreshness, by).with_detail(detail)
        } else {
            Fact::failed(FactName::TrustFreshness, by, detail)
        }
    }
}

/// What an update found.
#[derive(Clone, Debug)]
pub struct TrustUpdate {
    /// `trust.signature`, `trust.version`, `trust.freshness`.
    pub facts: Vec<Fact>,
    /// The snapshot that is current now, when the update was accepted (it may be the same as before).
    pub accepted: Option<Arc<TrustSnapshot>>,
}

/// Fetches, judges and keeps trust snapshots.
pub struct TrustUpdater {
    config: TrustConfig,
    current: Mutex<Option<Arc<Loaded>>>,
    /// The version once reached, when the files that prove it can no longer be read.
    reached: u64,
    updating: AtomicBool,
}

impl std::fmt::Debug for TrustUpdater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustUpdater").finish_non_exhaustive()
    }
}

/// Ends the running update, however it ends.
struct Running<'a>(&'a AtomicBool);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl TrustUpdater {
    /// Opens the updater and verifies the kept snapshot from the pinned root. A kept snapshot that does not verify is not used, but its
    /// version stays the floor.
    pub fn new(config: TrustConfig) -> Result<Self, TrustError> {
        state::prepare(&config.directory)?;
        load::check_root(&config.root)?;
        let (current, reached) = match state::read(&config.directory) {
            None => (None, 0),
            Some(kept) => {
                let source: Arc<dyn TrustSource> = Arc::new(DirectorySource::new(&kept.directory));
                let work = state::WorkDirectory::new(&config.directory)?;
                match load::load(&config.root, source, None, work.path()) {
                    // A newer build may have a higher floor than the one that kept this.
                    Ok(loaded) if loaded.snapshot.version < config.floor => (None, loaded.snapshot.version),
                    Ok(loaded) => (Some(Arc::new(loaded)), 0),
                    Err(_) => (None, kept.version),
                }
            }
        };
        Ok(Self { config, current: Mutex::new(current), reached, updating: AtomicBool::new(false) })
    }

    /// The current snapshot. It may have expired: see [`TrustSnapshot::freshness`].
    pub fn current(&self) -> Option<Arc<TrustSnapshot>> {
        self.loaded().map(|loaded| Arc::clone(&loaded.snapshot))
    }

    fn loaded(&self) -> Option<Arc<Loaded>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The raw files of the current snapshot as a repository directory (`metadata/`, `targets/`), to be carried to a peer.
    pub fn current_directory(&self) -> Option<PathBuf> {
        self.loaded()?;
        state::read(&self.config.directory).map(|kept| kept.directory)
    }

    /// The same files in memory, by stored name: metadata, then targets.
    pub fn current_files(&self) -> Option<(BTreeMap<String, Vec<u8>>, BTreeMap<String, Vec<u8>>)> {
        self.loaded().map(|loaded| (loaded.metadata.clone(), loaded.targets.clone()))
    }

    /// Updates over HTTPS. The paths are those of metadata and targets under the client's base URL, each ending with `/`.
    pub fn update(&self, http: &Http, metadata_path: &str, targets_path: &str, now: Timestamp) -> Result<TrustUpdate, TrustError> {
        let source = HttpSource::new(http.clone(), metadata_path, targets_path);
        self.update_from(Arc::new(source), now)
    }

    /// Updates from any source. No lock is held while the source works.
    pub fn update_from(&self, source: Arc<dyn TrustSource>, now: Timestamp) -> Result<TrustUpdate, TrustError> {
        if self.updating.swap(true, Ordering::AcqRel) {
            return Err(TrustError::Busy);
        }
        let _running = Running(&self.updating);
        let before = self.loaded();
        let work = state::WorkDirectory::new(&self.config.directory)?;
        let outcome = load::load(&self.config.root, source, before.as_deref(), work.path());
        let mut ladder = Ladder::new(self.config.by, "");
        let (signature, version, loaded) = match outcome {
            Ok(loaded) => {
                let version = self.check_floor(&loaded.snapshot);
                (Ok(()), version, Some(loaded))
            }
            Err(Fault::Signature(detail)) => (Err(detail.to_owned()), Ok(()), None),
            Err(Fault::Version(detail)) => (Ok(()), Err(detail), None),
            Err(Fault::Error(error)) => return Err(error),
        };
        ladder.check(FactName::TrustSignature, signature);
        ladder.check(FactName::TrustVersion, version);
        let freshness = loaded.as_ref().map_or(Ok(()), |loaded| {
            let expires = loaded.snapshot.expires;
            if now < expires { Ok(()) } else { Err(format!("the trust metadata expired {expires}")) }
        });
        ladder.check(FactName::TrustFreshness, freshness);
        let accepted = match loaded {
            Some(mut loaded) if ladder.is_whole() => {
                if let Some(before) = &before {
                    loaded.keep_roots_of(before);
                }
                state::write(&self.config.directory, &loaded)?;
                let snapshot = Arc::clone(&loaded.snapshot);
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(loaded));
                Some(snapshot)
            }
            _ => None,
        };
        Ok(TrustUpdate { facts: ladder.into_facts(), accepted })
    }

    fn check_floor(&self, snapshot: &TrustSnapshot) -> Result<(), String> {
        let floor = self.config.floor.max(self.reached);
        if snapshot.version < floor {
            return Err(format!("version {} is below the floor {floor}", snapshot.version));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
