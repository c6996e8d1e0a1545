//! The rules of a TUF update (specification 1.0, section 5.3), without files and without a network: each method takes one document and either
//! trusts it or says which rule it breaks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wallet_base::time::Timestamp as Time;

use super::client::Fault;
use super::metadata::{Envelope, Header, Root, Snapshot, TargetInfo, Targets, Timestamp};

const MALFORMED: Fault = Fault::Signature("the metadata is malformed");
const UNSIGNED: Fault = Fault::Signature("not signed by the threshold of trusted keys");
const MIXED: Fault = Fault::Signature("a file differs from its signed description");

/// The highest versions that were in use once, kept by the caller apart from the files of the repository: whoever puts back an older folder is
/// noticed. Versions count under the keys they were signed with: keys that were taken away by a newer root no longer bind (TUF 5.3.11,
/// recovery from a fast-forward attack).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustMark {
    pub(super) root: u64,
    pub(super) timestamp: u64,
    pub(super) snapshot: u64,
    /// Key ids of the timestamp and snapshot roles.
    pub(super) timestamp_keys: Vec<String>,
    pub(super) snapshot_keys: Vec<String>,
}

impl TrustMark {
    /// For keeping: one line of text.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A kept mark.
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Whether this is behind another mark, whose versions bind as long as none of its keys was taken away.
    pub(super) fn is_behind(&self, other: &Self) -> bool {
        let timestamp = Trusted::binds(&other.timestamp_keys, &self.timestamp_keys);
        let snapshot = timestamp && Trusted::binds(&other.snapshot_keys, &self.snapshot_keys);
        self.root < other.root || (timestamp && self.timestamp < other.timestamp) || (snapshot && self.snapshot < other.snapshot)
    }

    /// The later of two marks: by root, then by versions.
    pub(super) fn later(self, other: Self) -> Self {
        let rank = |mark: &Self| (mark.root, mark.snapshot, mark.timestamp);
        if rank(&other) > rank(&self) { other } else { self }
    }
}

/// What is trusted so far in one update.
pub(super) struct Trusted {
    pub(super) root: Root,
    /// Lowest snapshot version of the build.
    build_floor: u64,
    mark: TrustMark,
    /// The time to judge by; `None` judges no expiry (files that were trusted before).
    now: Option<Time>,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) targets: BTreeMap<String, Targets>,
}

fn open(bytes: &[u8]) -> Result<Envelope, Fault> {
    Envelope::parse(bytes).ok_or(MALFORMED)
}

fn older(role: &str, new: u64, known: u64) -> Fault {
    Fault::Version(format!("{role} version {new} where {known} is known"))
}

impl Trusted {
    /// Begins with a root that is trusted by itself: it must be signed by its own threshold.
    pub(super) fn begin(root: &[u8], now: Option<Time>, build_floor: u64, mark: TrustMark) -> Result<Self, Fault> {
        let envelope = open(root)?;
        let root = Root::parse(&envelope.signed).ok_or(MALFORMED)?;
        if !root.root.signed(&root.keys, &envelope.signatures, &envelope.message) {
            return Err(UNSIGNED);
        }
        Ok(Self { root, build_floor, mark, now, timestamp: None, snapshot: None, targets: BTreeMap::new() })
    }

    /// The next root (5.3.4, 5.3.5): signed by the threshold of the old keys and of its own, exactly one version on. Gives whether timestamp and
    /// snapshot have to be forgotten because a key of theirs was taken away (5.3.11).
    pub(super) fn next_root(&mut self, bytes: &[u8]) -> Result<bool, Fault> {
        let envelope = open(bytes)?;
        let new = Root::parse(&envelope.signed).ok_or(MALFORMED)?;
        if !self.root.root.signed(&self.root.keys, &envelope.signatures, &envelope.message) {
            return Err(UNSIGNED);
        }
        if new.header.version != self.root.header.version + 1 {
            return Err(Fault::Version(format!("root version {} where {} comes next", new.header.version, self.root.header.version + 1)));
        }
        if !new.root.signed(&new.keys, &envelope.signatures, &envelope.message) {
            return Err(UNSIGNED);
        }
        let rotated = self.root.timestamp.lost_a_key(&new.timestamp) || self.root.snapshot.lost_a_key(&new.snapshot);
        self.root = new;
        Ok(rotated)
    }

    /// The last root has come: it is none that was passed already, and it has not expired (5.3.10).
    pub(super) fn root_is_final(&self) -> Result<(), Fault> {
        let version = self.root.header.version;
        if version < self.mark.root {
            return Err(older("root", version, self.mark.root));
        }
        self.fresh("root", self.root.header)
    }

    fn fresh(&self, role: &str, header: Header) -> Result<(), Fault> {
        match self.now {
            Some(now) if now >= header.expires => Err(Fault::Freshness(format!("the {role} metadata expired {}", header.expires))),
            _ => Ok(()),
        }
    }

    /// Whether versions of the mark bind under the keys of today.
    fn binds(keys_then: &[String], keys_now: &[String]) -> bool {
        keys_then.iter().all(|key| keys_now.contains(key))
    }

    /// A timestamp (5.4). Gives false for the version that is trusted already: its content counts for nothing.
    pub(super) fn next_timestamp(&mut self, bytes: &[u8]) -> Result<bool, Fault> {
        let envelope = open(bytes)?;
        let new = Timestamp::parse(&envelope.signed).ok_or(MALFORMED)?;
        if !self.root.timestamp.signed(&self.root.keys, &envelope.signatures, &envelope.message) {
            return Err(UNSIGNED);
        }
        let version = new.header.version;
        if let Some(known) = &self.timestamp {
            match version.cmp(&known.header.version) {
                std::cmp::Ordering::Less => return Err(older("timestamp", version, known.header.version)),
                std::cmp::Ordering::Equal => return Ok(false),
                std::cmp::Ordering::Greater => {}
            }
            if new.snapshot.version < known.snapshot.version {
                return Err(older("snapshot", new.snapshot.version, known.snapshot.version));
            }
        }
        let mark = &self.mark;
        if Self::binds(&mark.timestamp_keys, &self.root.timestamp.keyids) && version < mark.timestamp {
            return Err(older("timestamp", version, mark.timestamp));
        }
        if Self::binds(&mark.snapshot_keys, &self.root.snapshot.keyids)
            && Self::binds(&mark.timestamp_keys, &self.root.timestamp.keyids)
            && new.snapshot.version < mark.snapshot
        {
            return Err(older("snapshot", new.snapshot.version, mark.snapshot));
        }
        self.timestamp = Some(new);
        Ok(true)
    }

    /// The timestamp in force must not have expired (5.4.4): an update that never brings news ends here.
    pub(super) fn timestamp_is_final(&self) -> Result<(), Fault> {
        let timestamp = self.timestamp.as_ref().ok_or(MALFORMED)?;
        self.fresh("timestamp", timestamp.header)
    }

    /// A snapshot (5.5). `kept` says that it was trusted before: then it is only what a new one is compared with, unless the timestamp still
    /// describes it.
    pub(super) fn next_snapshot(&mut self, bytes: &[u8], kept: bool) -> Result<(), Fault> {
        let described = &self.timestamp.as_ref().ok_or(MALFORMED)?.snapshot;
        if !kept && !described.matches(bytes) {
            return Err(MIXED);
        }
        let envelope = open(bytes)?;
        let new = Snapshot::parse(&envelope.signed).ok_or(MALFORMED)?;
        if !self.root.snapshot.signed(&self.root.keys, &envelope.signatures, &envelope.message) {
            return Err(UNSIGNED);
        }
        if !kept && new.header.version != described.version {
            return Err(MIXED);
        }
        if let Some(known) = &self.snapshot {
            for (name, was) in &known.meta {
                match new.meta.get(name) {
                    None => return Err(Fault::Version("the snapshot no longer lists a known role".to_owned())),
                    Some(now) if now.version < was.version => {
                        return Err(Fault::Version(format!("targets version {} where {} is known", now.version, was.version)));
                    }
                    Some(_) => {}
                }
            }
        }
        self.snapshot = Some(new);
        Ok(())
    }

    /// The snapshot in force is the one that the timestamp describes, is not below the floor of the build, and has not expired (5.5.6).
    pub(super) fn snapshot_is_final(&self) -> Result<(), Fault> {
        let (timestamp, snapshot) = (self.timestamp.as_ref().ok_or(MALFORMED)?, self.snapshot.as_ref().ok_or(MALFORMED)?);
        if snapshot.header.version != timestamp.snapshot.version {
            return Err(MIXED);
        }
        if snapshot.header.version < self.build_floor {
            return Err(Fault::Version(format!("version {} is below the floor {}", snapshot.header.version, self.build_floor)));
        }
        self.fresh("snapshot", snapshot.header)
    }

    /// Metadata of a targets role (5.6), delegated by `parent` (`root` for the top-level role).
    pub(super) fn next_targets(&mut self, role: &str, parent: &str, bytes: &[u8]) -> Result<(), Fault> {
        let snapshot = self.snapshot.as_ref().ok_or(MALFORMED)?;
        let described = snapshot.meta.get(&format!("{role}.json")).ok_or(Fault::Signature("the snapshot does not list a targets role"))?;
        if !described.matches(bytes) {
            return Err(MIXED);
        }
        let envelope = open(bytes)?;
        let new = Targets::parse(&envelope.signed).ok_or(MALFORMED)?;
        let signed = if parent == "root" {
            self.root.targets.signed(&self.root.keys, &envelope.signatures, &envelope.message)
        } else {
            let delegator = self.targets.get(parent).ok_or(MALFORMED)?;
            delegator
                .delegations
                .iter()
                .find(|delegated| delegated.name == role)
                .is_some_and(|delegated| delegated.role.signed(&delegator.keys, &envelope.signatures, &envelope.message))
        };
        if !signed {
            return Err(UNSIGNED);
        }
        if new.header.version != described.version {
            return Err(MIXED);
        }
        self.fresh("targets", new.header)?;
        self.targets.insert(role.to_owned(), new);
        Ok(())
    }

    /// Version of a targets role as the snapshot tells it.
    pub(super) fn targets_version(&self, role: &str) -> Option<u64> {
        self.snapshot.as_ref()?.meta.get(&format!("{role}.json")).map(|described| described.version)
    }

    /// The top-level targets.
    pub(super) fn listed(&self) -> Option<&BTreeMap<String, TargetInfo>> {
        self.targets.get("targets").map(|targets| &targets.targets)
    }

    /// The mark of what is trusted now.
    pub(super) fn mark(&self) -> TrustMark {
        TrustMark {
            root: self.root.header.version,
            timestamp: self.timestamp.as_ref().map_or(0, |timestamp| timestamp.header.version),
            snapshot: self.snapshot.as_ref().map_or(0, |snapshot| snapshot.header.version),
            timestamp_keys: self.root.timestamp.keyids.clone(),
            snapshot_keys: self.root.snapshot.keyids.clone(),
        }
    }
}
