//! One update as the specification orders it (TUF 1.0, section 5): every document is kept as soon as it is trusted, so that what was seen once
//! is never taken back, and delegations are followed only when a target is looked for.

use std::sync::Arc;

use wallet_base::time::Timestamp as Time;

use super::metadata::TargetInfo;
use super::source::TrustSource;
use super::store::Store;
use super::trusted::{TrustMark, Trusted};
use super::{MAX_TARGET, TrustError};

/// How many root versions one update may walk.
const MAX_ROOT_UPDATES: u64 = 256;
/// How many roles one search may visit.
const MAX_ROLES: usize = 32;
/// Longest name of a delegated role, quoted.
const MAX_ROLE_NAME: usize = 180;

/// Why a repository, or a document of it, was not accepted. The texts are safe: of outside data they hold numbers and dates only.
#[derive(Debug)]
pub(super) enum Fault {
    /// `trust.signature`.
    Signature(&'static str),
    /// `trust.version`.
    Version(String),
    /// `trust.freshness`.
    Freshness(String),
    /// Not judged.
    Error(TrustError),
}

impl From<TrustError> for Fault {
    fn from(error: TrustError) -> Self {
        Self::Error(error)
    }
}

/// Quotes a role's name for a file name and an address: everything but letters, digits, `_`, `.`, `-` and `~` as `%XX`.
pub(super) fn quote(name: &str) -> String {
    name.bytes().fold(String::new(), |text, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'~') {
            text + char::from(byte).encode_utf8(&mut [0; 4])
        } else {
            format!("{text}%{byte:02X}")
        }
    })
}

/// A client in the middle of an update.
pub(super) struct Client {
    store: Store,
    source: Arc<dyn TrustSource>,
    pub(super) trusted: Trusted,
}

/// What a client begins with.
pub(super) struct Begin<'a> {
    /// Root metadata of the build.
    pub(super) pinned: &'a [u8],
    /// Where trusted documents are kept.
    pub(super) store: Store,
    /// Where new ones come from.
    pub(super) source: Arc<dyn TrustSource>,
    /// The time to judge by; `None` judges no expiry.
    pub(super) now: Option<Time>,
    /// Lowest snapshot version of the build.
    pub(super) floor: u64,
    /// Highest versions that were in use.
    pub(super) mark: TrustMark,
}

impl Client {
    /// Trusts the pinned root, and the chain of roots that is kept behind it.
    pub(super) fn begin(begin: Begin<'_>) -> Result<Self, Fault> {
        let Begin { pinned, store, source, now, floor, mark } = begin;
        let trusted = Trusted::begin(pinned, now, floor, mark).map_err(|_| Fault::Error(TrustError::Root))?;
        let mut client = Self { store, source, trusted };
        client.store.begin(client.trusted.root.header.version, pinned)?;
        loop {
            let next = client.trusted.root.header.version + 1;
            let Some(kept) = client.store.root(next) else { break };
            // A chain that does not hold ends here; the rest is fetched again. What does not hold is nothing to keep, and nothing to pass on.
            if client.trusted.next_root(&kept).is_err() {
                break;
            }
            client.store.proven_root(next, kept);
        }
        Ok(client)
    }

    /// What is kept.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// The top-level update (5.3 to 5.6): root, timestamp, snapshot, targets.
    pub(super) fn refresh(&mut self) -> Result<(), Fault> {
        self.refresh_root()?;
        self.refresh_timestamp()?;
        self.refresh_snapshot()?;
        self.load_targets("targets", "root")
    }

    fn metadata(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        self.source.metadata(name).map_err(|error| Fault::Error(TrustError::Fetch(error)))
    }

    fn required(&self, name: &str) -> Result<Vec<u8>, Fault> {
        self.metadata(name)?.ok_or(Fault::Error(TrustError::Missing))
    }

    fn refresh_root(&mut self) -> Result<(), Fault> {
        for _ in 0..MAX_ROOT_UPDATES {
            let next = self.trusted.root.header.version + 1;
            let Some(bytes) = self.metadata(&format!("{next}.root.json"))? else { break };
            let rotated = self.trusted.next_root(&bytes)?;
            self.store.put_root(next, &bytes)?;
            if rotated {
                self.store.remove("timestamp")?;
                self.store.remove("snapshot")?;
            }
        }
        self.trusted.root_is_final()
    }

    fn refresh_timestamp(&mut self) -> Result<(), Fault> {
        if let Some(kept) = self.store.get("timestamp") {
            // One that no longer verifies (its key was taken away) is as good as none.
            let _ = self.trusted.next_timestamp(&kept);
        }
        let bytes = self.required("timestamp.json")?;
        let new = self.trusted.next_timestamp(&bytes)?;
        self.trusted.timestamp_is_final()?;
        if new { Ok(self.store.put("timestamp", &bytes)?) } else { Ok(()) }
    }

    fn refresh_snapshot(&mut self) -> Result<(), Fault> {
        if let Some(kept) = self.store.get("snapshot")
            && self.trusted.next_snapshot(&kept, true).is_ok()
            && self.snapshot_is_described(&kept)
        {
            return self.trusted.snapshot_is_final();
        }
        let version = self.trusted.timestamp.as_ref().map_or(0, |timestamp| timestamp.snapshot.version);
        let name = if self.trusted.root.consistent { format!("{version}.snapshot.json") } else { "snapshot.json".to_owned() };
        let bytes = self.required(&name)?;
        self.trusted.next_snapshot(&bytes, false)?;
        self.trusted.snapshot_is_final()?;
        Ok(self.store.put("snapshot", &bytes)?)
    }

    /// Whether the kept snapshot is the one that the timestamp speaks of.
    fn snapshot_is_described(&self, kept: &[u8]) -> bool {
        let described = self.trusted.timestamp.as_ref().map(|timestamp| &timestamp.snapshot);
        let version = self.trusted.snapshot.as_ref().map(|snapshot| snapshot.header.version);
        described.is_some_and(|described| Some(described.version) == version && described.matches(kept))
    }

    /// Loads a targets role: what is kept when it is what the snapshot describes, else fetched.
    fn load_targets(&mut self, role: &str, parent: &str) -> Result<(), Fault> {
        if let Some(kept) = self.store.get(&quote(role))
            && self.trusted.next_targets(role, parent, &kept).is_ok()
        {
            return Ok(());
        }
        let version = self.trusted.targets_version(role).ok_or(Fault::Signature("the snapshot does not list a targets role"))?;
        let quoted = quote(role);
        if quoted.len() > MAX_ROLE_NAME {
            return Err(Fault::Signature("the name of a delegated role is too long"));
        }
        let name = if self.trusted.root.consistent { format!("{version}.{quoted}.json") } else { format!("{quoted}.json") };
        let bytes = self.required(&name)?;
        self.trusted.next_targets(role, parent, &bytes)?;
        Ok(self.store.put(&quoted, &bytes)?)
    }

    /// Looks for a target through the delegations (5.6.7): in order, depth first, ending where a terminating delegation says so.
    pub(super) fn find(&mut self, path: &str) -> Result<Option<TargetInfo>, Fault> {
        let mut to_visit = vec![("targets".to_owned(), "root".to_owned())];
        let mut visited: Vec<String> = Vec::new();
        while let Some((role, parent)) = to_visit.pop() {
            if visited.len() >= MAX_ROLES {
                break;
            }
            if visited.contains(&role) {
                continue;
            }
            // Judged against this delegator, whoever delegated to the same name before.
            self.load_targets(&role, &parent)?;
            let Some(targets) = self.trusted.targets.get(&role) else { break };
            if let Some(info) = targets.targets.get(path) {
                return Ok(Some(info.clone()));
            }
            let mut children = Vec::new();
            for delegated in targets.delegations.iter().filter(|delegated| delegated.covers(path)) {
                children.push((delegated.name.clone(), role.clone()));
                if delegated.terminating {
                    to_visit.clear();
                    break;
                }
            }
            children.reverse();
            to_visit.extend(children);
            visited.push(role);
        }
        Ok(None)
    }

    /// The name under which a repository keeps a target.
    pub(super) fn stored_name(&self, path: &str, info: &TargetInfo) -> Result<String, Fault> {
        if path.len() > 400 || path.split('/').any(|part| matches!(part, "" | "." | "..")) || path.contains(['\\', '\0']) {
            return Err(Fault::Signature("the path of a target is not plain"));
        }
        if !self.trusted.root.consistent {
            return Ok(path.to_owned());
        }
        let hash = info.hash_prefix().ok_or(Fault::Signature("the hash of a target is not one"))?;
        Ok(match path.rsplit_once('/') {
            Some((folder, name)) => format!("{folder}/{hash}.{name}"),
            None => format!("{hash}.{path}"),
        })
    }

    /// Fetches a target and compares it with its description.
    pub(super) fn fetch(&self, path: &str, info: &TargetInfo) -> Result<Vec<u8>, Fault> {
        if info.length() > MAX_TARGET as u64 {
            return Err(Fault::Signature("a target is larger than allowed"));
        }
        let name = self.stored_name(path, info)?;
        let found = self.source.target(&name).map_err(|error| Fault::Error(TrustError::Fetch(error)))?;
        let bytes = found.ok_or(Fault::Error(TrustError::Missing))?;
        if info.matches(&bytes) { Ok(bytes) } else { Err(Fault::Signature("a target differs from its signed description")) }
    }
}
