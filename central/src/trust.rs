//! The trust repository: what the four targets say, and when which TUF role is signed again.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use wallet_base::crypto::SoftwareKey;
use wallet_base::time::Timestamp;
use wallet_base::x509::Certificate;
use wallet_credential::trust::{CardsTarget, IssuerEntry, IssuersTarget, ReadersTarget, StatusTarget, TrustTargets};

use crate::authorities::AUTHORITIES;
use crate::config::Config;
use crate::error::CentralError;
use crate::keys::{self, Place};
use crate::tuf::{self, Target, Versions};
use crate::{cards, ceremony, files};

/// Folder of the repository inside the service's directory.
pub(crate) fn folder(dir: &Path) -> PathBuf {
    dir.join("trust")
}

/// Keys of the roles that the running service signs.
pub(crate) struct TrustKeys {
    targets: SoftwareKey,
    snapshot: SoftwareKey,
    timestamp: SoftwareKey,
}

impl TrustKeys {
    pub(crate) fn load(dir: &Path) -> Result<Self, CentralError> {
        ceremony::settle(dir)?;
        Ok(Self {
            targets: keys::load(dir, Place::Online, "trust-targets")?,
            snapshot: keys::load(dir, Place::Online, "trust-snapshot")?,
            timestamp: keys::load(dir, Place::Online, "trust-timestamp")?,
        })
    }
}

/// Signs everything anew with the next versions: after a change of certificates, roles or card authorities, or when an operator asks.
pub(crate) fn publish(dir: &Path, config: &Config, trust_keys: &TrustKeys, now: Timestamp) -> Result<Versions, CentralError> {
    let contents = targets(dir)?;
    let list: Vec<Target<'_>> = contents.iter().map(|(name, content)| Target { name, content }).collect();
    let old = versions(dir)?;
    let next = Versions { targets: old.targets + 1, snapshot: old.snapshot + 1, timestamp: old.timestamp + 1 };
    let root = folder(dir);
    tuf::write_targets(&root, &list, next.targets, &trust_keys.targets, now, config.trust.targets_life)?;
    tuf::write_snapshot(&root, next, &trust_keys.snapshot, now, config.trust.snapshot_life)?;
    tuf::write_timestamp(&root, next, &trust_keys.timestamp, now, config.trust.timestamp_life)?;
    Ok(next)
}

/// Signs again whatever has used up half of its life. Gives whether anything was written.
pub(crate) fn publish_due(dir: &Path, config: &Config, trust_keys: &TrustKeys, now: Timestamp) -> Result<bool, CentralError> {
    let root = folder(dir);
    let current = versions(dir)?;
    let due = |file: &str, life: i64| -> bool {
        let expires = files::read(&root.join("metadata").join(file)).ok().and_then(|bytes| expiry(&bytes));
        expires.is_none_or(|expires| expires.unix() - now.unix() < life / 2 || expires > now.plus_secs(life))
    };
    if due(&format!("{}.targets.json", current.targets), config.trust.targets_life) {
        publish(dir, config, trust_keys, now)?;
        return Ok(true);
    }
    let mut next = current;
    if due(&format!("{}.snapshot.json", current.snapshot), config.trust.snapshot_life) {
        next.snapshot += 1;
        tuf::write_snapshot(&root, next, &trust_keys.snapshot, now, config.trust.snapshot_life)?;
    }
    if next != current || due("timestamp.json", config.trust.timestamp_life) {
        next.timestamp += 1;
        tuf::write_timestamp(&root, next, &trust_keys.timestamp, now, config.trust.timestamp_life)?;
        return Ok(true);
    }
    Ok(false)
}

/// Highest versions in the folder; they are read from the files, so that a crash between two files cannot make a version appear twice.
pub(crate) fn versions(dir: &Path) -> Result<Versions, CentralError> {
    let metadata = folder(dir).join("metadata");
    let mut found = Versions { targets: 0, snapshot: 0, timestamp: 0 };
    let entries =
        fs::read_dir(&metadata).map_err(|error| CentralError::Io { action: "read", file: "metadata".into(), kind: error.kind() })?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let numbered = |role: &str| name.strip_suffix(role).and_then(|number| number.parse::<i64>().ok()).unwrap_or(0);
        found.targets = found.targets.max(numbered(".targets.json"));
        found.snapshot = found.snapshot.max(numbered(".snapshot.json"));
    }
    if metadata.join("timestamp.json").exists() {
        let value: Value = serde_json::from_slice(&files::read(&metadata.join("timestamp.json"))?).unwrap_or(Value::Null);
        found.timestamp = value.pointer("/signed/version").and_then(Value::as_i64).ok_or(CentralError::Damaged("timestamp.json"))?;
    }
    Ok(found)
}

fn expiry(metadata: &[u8]) -> Option<Timestamp> {
    let value: Value = serde_json::from_slice(metadata).ok()?;
    Timestamp::parse_rfc3339(value.pointer("/signed/expires")?.as_str()?)
}

fn b64(certificate: &Certificate) -> String {
    STANDARD.encode(certificate.der())
}

fn bytes<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, CentralError> {
    serde_json::to_vec(value).map_err(|_| CentralError::Issue("a trust target"))
}

/// The four targets from the certificates in the directory. Revocations come from `revoked.json`.
fn targets(dir: &Path) -> Result<[(&'static str, Vec<u8>); 4], CentralError> {
    let revoked = Revoked::load(dir)?;
    let mut issuers = Vec::new();
    for authority in AUTHORITIES {
        issuers.push(IssuerEntry {
            id: authority.id.to_owned(),
            name: authority.name.to_owned(),
            root: b64(&keys::certificate(dir, &format!("issuer-{}-root", authority.id))?),
            signers: vec![b64(&keys::certificate(dir, &format!("issuer-{}", authority.id))?)],
            documents: wallet_documents::ALL_TYPES
                .iter()
                .filter(|document| document.authority == authority.id)
                .map(|document| document.id.to_owned())
                .collect(),
            revoked: revoked.issuers.clone(),
        });
    }
    let roles: Value = serde_json::from_str(wallet_documents::roles::REFERENCE).map_err(|_| CentralError::Damaged("table of roles"))?;
    let issuers = IssuersTarget { version: 1, issuers };
    let readers = ReadersTarget { version: 1, authorities: vec![b64(&keys::certificate(dir, "reader")?)], roles, revoked: revoked.readers };
    let status = StatusTarget { version: 1, signers: vec![b64(&keys::certificate(dir, "status")?)], revoked: revoked.status };
    let cards = CardsTarget {
        version: 1,
        csca: cards::certificates(dir)?.iter().map(|der| STANDARD.encode(der)).collect(),
        revoked: revoked.cards,
    };
    let [issuers, readers, status, cards] = [bytes(&issuers)?, bytes(&readers)?, bytes(&status)?, bytes(&cards)?];
    // What phones could not read must not be published.
    TrustTargets::parse(&issuers, &readers, &status, &cards).map_err(|_| CentralError::Damaged("trust targets"))?;
    Ok([("issuers.json", issuers), ("readers.json", readers), ("status.json", status), ("cards.json", cards)])
}

/// Certificates that must not be believed any more, by SHA-256 in hexadecimal.
#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Revoked {
    pub(crate) issuers: Vec<String>,
    pub(crate) readers: Vec<String>,
    pub(crate) status: Vec<String>,
    pub(crate) cards: Vec<String>,
}

impl Revoked {
    const FILE: &'static str = "revoked.json";

    pub(crate) fn load(dir: &Path) -> Result<Self, CentralError> {
        let text = match files::read(&dir.join(Self::FILE)) {
            // Nothing was ever revoked. Any other failure is one: a list that cannot be read must not read as empty.
            Err(CentralError::Io { kind: std::io::ErrorKind::NotFound, .. }) => return Ok(Self::default()),
            read => read?,
        };
        serde_json::from_slice(&text).map_err(|_| CentralError::Damaged("revocations"))
    }

    pub(crate) fn store(&self, dir: &Path) -> Result<(), CentralError> {
        let text = serde_json::to_vec_pretty(self).map_err(|_| CentralError::Issue("revocations"))?;
        files::write_public(&dir.join(Self::FILE), &text)
    }
}

/// One file of the repository for the HTTP server; only plain names of existing files.
pub(crate) fn file(dir: &Path, kind: &str, name: &str) -> Option<Vec<u8>> {
    let plain = name.len() <= 120
        && Path::new(name).extension().is_some_and(|extension| extension == "json")
        && !name.contains("..")
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if !plain || !matches!(kind, "metadata" | "targets") {
        return None;
    }
    fs::read(folder(dir).join(kind).join(name)).ok()
}
