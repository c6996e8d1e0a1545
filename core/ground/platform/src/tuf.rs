//! The trust updater: a client of The Update Framework (specification 1.0, `docs/adr/0012-our-own-tuf-client.md`).
//!
//! - Files come through a [`TrustSource`]: our own HTTP client (pins, caps and time-outs hold), a directory, or a carried file.
//! - Expiry is judged by the time the caller gives, never by the system's clock.
//! - Every document is kept as soon as it is trusted (`trusted` holds the rules, `client` their order, `store` the files), so that what was
//!   seen once is never taken back. **In use** is only a whole snapshot with all its targets that this build could read.
//! - The snapshot in use is kept with its raw files and **verified again from the pinned root at every start**; the files can be
//!   carried to a peer as they are ([`TrustUpdater::current_directory`] is a repository directory).
//! - A folder that was put back to an older state is noticed by the [`TrustMark`] that the caller keeps elsewhere ([`TrustUpdater::hold`]).
//!
//! An update speaks in three facts, in this order: `trust.signature` (signatures, hashes, whole, well-formed, readable), `trust.version` (not
//! older than what was known, nor than the floor in the build), `trust.freshness` (not expired). Whatever fails, the snapshot in use stays.
//!
//! TUF metadata says when it expires, not when it was signed. A repository that wants its signing time known puts
//! `"signed_at": "<RFC 3339>"` beside `expires` into the signed part of `timestamp.json` (TUF allows further fields); it comes out as
//! [`TrustSnapshot::signed_at`] and is fit to be an anchor of [`crate::clock_guard`].

mod client;
mod json;
mod keys;
mod load;
mod metadata;
mod repository;
mod source;
mod state;
mod store;
mod trusted;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wallet_base::fact::{By, Fact, FactName, Ladder};
use wallet_base::time::Timestamp;

use crate::http::{Http, HttpError};
pub use metadata::TargetInfo;
pub use repository::{Refusal, RepositoryClient};
pub use source::{DirectorySource, HttpSource, TrustSource};
pub use trusted::TrustMark;

use client::{Begin, Fault};
use load::Loaded;
use store::Store;

/// Longest metadata file in bytes.
pub const MAX_METADATA: usize = 1 << 20;
/// Longest target in bytes.
pub const MAX_TARGET: usize = 4 << 20;
/// The most targets.
pub const MAX_TARGETS: usize = 64;
/// The most bytes of all targets together.
pub const MAX_ALL_TARGETS: usize = 16 << 20;

/// Files by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Whether some bytes can be read as metadata of some role. Nothing is verified.
pub fn is_metadata(bytes: &[u8]) -> bool {
    metadata::is_some_role(bytes)
}

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
    /// The disk is full. What was held is held still.
    #[error("the disk is full")]
    Full,
    /// The file system failed.
    #[error("the file system failed")]
    Io,
}

impl From<std::io::Error> for TrustError {
    fn from(error: std::io::Error) -> Self {
        if crate::files::is_full(&error) { Self::Full } else { Self::Io }
    }
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
    /// The highest versions that were in use, also when the files that prove it are gone.
    mark: Mutex<TrustMark>,
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
    /// versions stay the floor.
    pub fn new(config: TrustConfig) -> Result<Self, TrustError> {
        state::prepare(&config.directory)?;
        load::check_root(&config.root)?;
        let (mut current, mut mark) = (None, TrustMark::default());
        if let Some(kept) = state::read(&config.directory) {
            mark = kept.mark;
            let begin = Begin {
                pinned: &config.root,
                store: Store::in_memory(),
                source: Arc::new(DirectorySource::new(&kept.directory)),
                now: None,
                // A newer build may have a higher floor than the one that kept this.
                floor: config.floor,
                mark: TrustMark::default(),
            };
            current = load::load(begin, &BTreeMap::new()).ok().map(Arc::new);
            // What verifies tells its own versions. The note beside it is signed by nobody, and counts only where nothing verifies.
            if let Some(loaded) = &current {
                mark = loaded.mark.clone();
            }
        }
        Ok(Self { config, current: Mutex::new(current), mark: Mutex::new(mark), updating: AtomicBool::new(false) })
    }

    /// Holds the updater to what was in use once, as the caller kept it ([`TrustUpdater::mark`]) apart from this updater's folder. A snapshot that
    /// is behind it is no longer in use: somebody put back an older folder. Gives whether that was so.
    pub fn hold(&self, mark: &TrustMark) -> bool {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = current.as_ref().is_some_and(|loaded| loaded.mark.is_behind(mark));
        if behind {
            *current = None;
        }
        drop(current);
        let mut held = self.mark.lock().unwrap_or_else(PoisonError::into_inner);
        *held = std::mem::take(&mut *held).later(mark.clone());
        behind
    }

    /// What the caller keeps after an accepted update, apart from this updater's folder.
    pub fn mark(&self) -> TrustMark {
        self.mark.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same, unless it comes from a note in the folder that nothing verified proves: whoever wrote a version into it that will never be
    /// reached must not have it written down elsewhere, where it would outlive the folder.
    pub fn proven_mark(&self) -> Option<TrustMark> {
        self.loaded()?;
        Some(self.mark())
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
    pub fn current_files(&self) -> Option<(Files, Files)> {
        self.loaded().map(|loaded| (loaded.metadata.clone(), loaded.targets.clone()))
    }

    /// Updates over HTTPS. The paths are those of metadata and targets under the client's base URL, each ending with `/`.
    pub fn update(
        &self,
        http: &Http,
        metadata_path: &str,
        targets_path: &str,
        now: Timestamp,
        readable: &dyn Fn(&Arc<TrustSnapshot>) -> bool,
    ) -> Result<TrustUpdate, TrustError> {
        let source = HttpSource::new(http.clone(), metadata_path, targets_path);
        self.update_from(Arc::new(source), now, readable)
    }

    /// Updates from any source. No lock is held while the source works. `readable` says whether this build can read what the targets say: a
    /// snapshot that it cannot read does not come into use, however well it is signed (`trust.signature` says so), and the one in use stays.
    pub fn update_from(
        &self,
        source: Arc<dyn TrustSource>,
        now: Timestamp,
        readable: &dyn Fn(&Arc<TrustSnapshot>) -> bool,
    ) -> Result<TrustUpdate, TrustError> {
        if self.updating.swap(true, Ordering::AcqRel) {
            return Err(TrustError::Busy);
        }
        let _running = Running(&self.updating);
        state::tidy(&self.config.directory);
        let before = self.loaded();
        let begin = Begin {
            pinned: &self.config.root,
            store: Store::at(&self.config.directory)?,
            source,
            now: Some(now),
            floor: self.config.floor,
            mark: self.mark(),
        };
        let known = before.map(|loaded| loaded.targets.clone()).unwrap_or_default();
        let outcome = load::load(begin, &known).and_then(|loaded| {
            if readable(&loaded.snapshot) {
                Ok(loaded)
            } else {
                Err(Fault::Signature("signed, but not readable by this version of the app"))
            }
        });
        let mut ladder = Ladder::new(self.config.by, "");
        let (mut signature, mut version, mut freshness) = (Ok(()), Ok(()), Ok(()));
        let mut accepted = None;
        match outcome {
            Ok(loaded) => {
                state::write(&self.config.directory, &loaded)?;
                accepted = Some(Arc::clone(&loaded.snapshot));
                *self.mark.lock().unwrap_or_else(PoisonError::into_inner) = loaded.mark.clone();
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(loaded));
            }
            Err(Fault::Signature(detail)) => signature = Err(detail.to_owned()),
            Err(Fault::Version(detail)) => version = Err(detail),
            Err(Fault::Freshness(detail)) => freshness = Err(detail),
            Err(Fault::Error(error)) => return Err(error),
        }
        ladder.check(FactName::TrustSignature, signature);
        ladder.check(FactName::TrustVersion, version);
        ladder.check(FactName::TrustFreshness, freshness);
        Ok(TrustUpdate { facts: ladder.into_facts(), accepted })
    }
}

#[cfg(test)]
mod tests;
