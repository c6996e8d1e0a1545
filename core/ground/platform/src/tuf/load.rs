//! One run of `tough` over a source, and what its answer means in our facts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tough::error::Error;
use tough::schema::{Root, Signed};
use tough::{
    ExpirationEnforcement, IntoVec, Limits, Repository, RepositoryLoader, Transport, TransportError, TransportErrorKind, TransportStream,
};
use url::Url;
use wallet_base::time::Timestamp;

use super::source::TrustSource;
use super::{MAX_ALL_TARGETS, MAX_METADATA, MAX_TARGET, MAX_TARGETS, TrustError, TrustSnapshot};
use crate::http::HttpError;

/// Bases that lead nowhere: the transport below takes only the last part of a URL.
const METADATA_BASE: &str = "https://trust.invalid/metadata/";
const TARGETS_BASE: &str = "https://trust.invalid/targets/";

/// How many root versions one update may walk.
const MAX_ROOT_UPDATES: u64 = 256;

/// Why a repository was not accepted.
#[derive(Debug)]
pub(super) enum Fault {
    /// `trust.signature`.
    Signature(&'static str),
    /// `trust.version`.
    Version(String),
    /// Not judged.
    Error(TrustError),
}

impl From<TrustError> for Fault {
    fn from(error: TrustError) -> Self {
        Self::Error(error)
    }
}

/// A verified snapshot and the raw files that prove it, by stored name.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) snapshot: Arc<TrustSnapshot>,
    pub(super) metadata: BTreeMap<String, Vec<u8>>,
    pub(super) targets: BTreeMap<String, Vec<u8>>,
}

impl Loaded {
    /// The chain of roots is kept from the pinned one on: an update fetches only its new end.
    pub(super) fn keep_roots_of(&mut self, before: &Self) {
        for (name, bytes) in &before.metadata {
            if name.ends_with(".root.json") {
                self.metadata.entry(name.clone()).or_insert_with(|| bytes.clone());
            }
        }
    }

    /// The latest root's raw bytes, when any root was fetched.
    fn latest_root(&self) -> Option<&Vec<u8>> {
        self.metadata.get(&format!("{}.root.json", self.snapshot.root_version))
    }

    /// The raw metadata of a role, with or without a version before its name.
    fn raw(&self, role: &str) -> Option<&Vec<u8>> {
        let versioned = format!(".{role}");
        self.metadata.iter().find(|(name, _)| name.as_str() == role || name.ends_with(&versioned)).map(|(_, bytes)| bytes)
    }
}

/// What went wrong while fetching, and what came.
#[derive(Default)]
struct Record {
    failed: Option<HttpError>,
    missing: bool,
    metadata: BTreeMap<String, Vec<u8>>,
    targets: BTreeMap<String, Vec<u8>>,
}

/// `tough`'s way to our source. It keeps what it fetched.
#[derive(Clone)]
struct Fetch {
    source: Arc<dyn TrustSource>,
    /// Targets that are here already, by their hashed names; `tough` checks hash and length all the same.
    known: Arc<BTreeMap<String, Vec<u8>>>,
    record: Arc<Mutex<Record>>,
}

impl std::fmt::Debug for Fetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fetch")
    }
}

fn plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// Names that carry the hash of what they name: 64 hex digits and a dot.
fn is_hashed(name: &str) -> bool {
    name.split_once('.').is_some_and(|(hash, _)| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
}

impl Fetch {
    fn get(&self, url: &Url) -> Result<Vec<u8>, TransportErrorKind> {
        let (is_target, name) = match url.as_str().strip_prefix(METADATA_BASE) {
            Some(name) => (false, name),
            None => match url.as_str().strip_prefix(TARGETS_BASE) {
                Some(name) => (true, name),
                None => return Err(TransportErrorKind::UnsupportedUrlScheme),
            },
        };
        if !plain_name(name) {
            self.record().missing = true;
            return Err(TransportErrorKind::FileNotFound);
        }
        let found = match self.known.get(name) {
            Some(bytes) if is_target && is_hashed(name) => Ok(Some(bytes.clone())),
            _ if is_target => self.source.target(name),
            _ => self.source.metadata(name),
        };
        let mut record = self.record();
        match found {
            Ok(Some(bytes)) => {
                let place = if is_target { &mut record.targets } else { &mut record.metadata };
                place.insert(name.to_owned(), bytes.clone());
                Ok(bytes)
            }
            Ok(None) => {
                // The next root not being there is how a client learns that it has the last one.
                if is_target || !name.ends_with(".root.json") {
                    record.missing = true;
                }
                Err(TransportErrorKind::FileNotFound)
            }
            Err(error) => {
                record.failed.get_or_insert(error);
                Err(TransportErrorKind::Other)
            }
        }
    }

    fn record(&self) -> std::sync::MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for Fetch {
    async fn fetch(&self, url: Url) -> Result<TransportStream, TransportError> {
        // The source blocks; this future runs alone on a thread of its own (see `load`).
        match self.get(&url) {
            Ok(bytes) => Ok(Box::pin(futures::stream::iter([Ok(Bytes::from(bytes))]))),
            Err(kind) => Err(TransportError::new(kind, url)),
        }
    }
}

/// The pinned root must be root metadata signed by its own threshold of keys.
pub(super) fn check_root(root: &[u8]) -> Result<(), TrustError> {
    let root: Signed<Root> = serde_json::from_slice(root).map_err(|_| TrustError::Root)?;
    root.signed.verify_role(&root).map_err(|_| TrustError::Root)
}

/// Loads and verifies the whole repository: from the pinned root, or from where `before` stands. `work` is an empty directory.
pub(super) fn load(pinned: &[u8], source: Arc<dyn TrustSource>, before: Option<&Loaded>, work: &Path) -> Result<Loaded, Fault> {
    // What `tough` compares new versions with.
    for role in ["timestamp.json", "snapshot.json", "targets.json"] {
        if let Some(bytes) = before.and_then(|b| b.raw(role)) {
            std::fs::write(work.join(role), bytes).map_err(|_| TrustError::Io)?;
        }
    }
    let root = before.and_then(Loaded::latest_root).map_or(pinned, Vec::as_slice);
    let fetch = Fetch { source, known: Arc::new(before.map(|b| b.targets.clone()).unwrap_or_default()), record: Arc::default() };
    // A thread of its own: the caller may stand on a runtime, where another could not be started.
    let joined = std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("trust".to_owned())
            .spawn_scoped(scope, || {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|_| Fault::Error(TrustError::Io))?;
                runtime.block_on(run(root, fetch.clone(), work))
            })
            .map_err(|_| Fault::Error(TrustError::Io))
            .and_then(|handle| handle.join().unwrap_or(Err(Fault::Signature("the metadata cannot be processed"))))
    });
    let mut record = fetch.record();
    // A network that fails is no verdict, whatever the client made of it.
    if let Some(error) = record.failed {
        return Err(TrustError::Fetch(error).into());
    }
    if joined.is_err() && record.missing {
        return Err(TrustError::Missing.into());
    }
    let snapshot = joined?;
    Ok(Loaded {
        snapshot: Arc::new(snapshot),
        metadata: std::mem::take(&mut record.metadata),
        targets: std::mem::take(&mut record.targets),
    })
}

async fn run(root: &[u8], fetch: Fetch, work: &Path) -> Result<TrustSnapshot, Fault> {
    let base = |text: &str| Url::parse(text).map_err(|_| Fault::Error(TrustError::Root));
    let cap = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let repository = RepositoryLoader::new(&root, base(METADATA_BASE)?, base(TARGETS_BASE)?)
        .transport(fetch)
        .limits(Limits {
            max_root_size: cap(MAX_METADATA),
            max_targets_size: cap(MAX_METADATA),
            max_timestamp_size: cap(MAX_METADATA),
            max_snapshot_size: cap(MAX_METADATA),
            max_root_updates: MAX_ROOT_UPDATES,
        })
        .datastore(work)
        // Judged by the caller's clock.
        .expiration_enforcement(ExpirationEnforcement::Unsafe)
        .load()
        .await
        .map_err(|e| judge(&e))?;
    let targets = read_targets(&repository).await?;
    let expires = [
        repository.root().signed.expires,
        repository.timestamp().signed.expires,
        repository.snapshot().signed.expires,
        repository.targets().signed.expires,
    ]
    .iter()
    .map(|t| t.as_second())
    .min()
    .unwrap_or(i64::MIN);
    let timestamp = &repository.timestamp().signed;
    Ok(TrustSnapshot {
        version: repository.snapshot().signed.version.get(),
        timestamp_version: timestamp.version.get(),
        root_version: repository.root().signed.version.get(),
        signed_at: timestamp._extra.get("signed_at").and_then(|value| value.as_str()).and_then(Timestamp::parse_rfc3339),
        expires: Timestamp::from_unix(expires),
        targets,
    })
}

async fn read_targets(repository: &Repository) -> Result<BTreeMap<String, Vec<u8>>, Fault> {
    let listed: Vec<_> = repository.all_targets().map(|(name, target)| (name.clone(), target.length)).collect();
    let mut total = 0u64;
    for (_, length) in &listed {
        total = total.saturating_add(*length);
        if *length > MAX_TARGET as u64 {
            return Err(Fault::Signature("a target is larger than allowed"));
        }
    }
    if listed.len() > MAX_TARGETS || total > MAX_ALL_TARGETS as u64 {
        return Err(Fault::Signature("more targets than allowed"));
    }
    let mut targets = BTreeMap::new();
    for (name, _) in listed {
        let stream =
            repository.read_target(&name).await.map_err(|e| judge(&e))?.ok_or(Fault::Signature("a target has no valid delegation"))?;
        let bytes = stream.into_vec().await.map_err(|_| Fault::Signature("a target differs from its signed description"))?;
        targets.insert(name.raw().to_owned(), bytes);
    }
    Ok(targets)
}

/// Which fact an error of the client belongs to. The texts of its errors are not used: they quote outside data.
fn judge(error: &Error) -> Fault {
    match error {
        Error::OlderMetadata { role, current_version, new_version, .. } => {
            Fault::Version(format!("{role} version {new_version} where {current_version} is known"))
        }
        Error::OlderSnapshotInTimestamp { snapshot_new, snapshot_old, .. } => {
            Fault::Version(format!("snapshot version {snapshot_new} where {snapshot_old} is known"))
        }
        Error::SnapshotRoleMissing { .. } => Fault::Version("the snapshot no longer lists a known role".to_owned()),
        Error::SnapshotRoleRollback { old_role_version, new_role_version, .. } => {
            Fault::Version(format!("targets version {new_role_version} where {old_role_version} is known"))
        }
        Error::VerifyMetadata { .. } | Error::VerifyRoleMetadata { .. } => Fault::Signature("not signed by the threshold of trusted keys"),
        Error::ParseMetadata { .. } => Fault::Signature("the metadata is malformed"),
        Error::VersionMismatch { .. } | Error::HashMismatch { .. } | Error::Transport { .. } => {
            Fault::Signature("a file differs from its signed description")
        }
        Error::DatastoreInit { .. } | Error::DatastoreCreate { .. } | Error::DatastoreOpen { .. } | Error::DatastoreRemove { .. } => {
            Fault::Error(TrustError::Io)
        }
        Error::ParseTrustedMetadata { .. } | Error::VerifyTrustedMetadata { .. } => Fault::Error(TrustError::Root),
        _ => Fault::Signature("the metadata is not valid"),
    }
}
