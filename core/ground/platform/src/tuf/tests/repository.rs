//! A TUF repository maker: canonical JSON, keys, signatures, consistent snapshots, root rotation (TUF specification 1.0, sections 4 and 6).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::{Map, Value, json};
use wallet_base::crypto::{Curve, Signer, SoftwareKey, sha256};
use wallet_base::random::OsRandom;
use wallet_base::time::Timestamp;
use wallet_base::x509::der_signature;

/// The time at which the repositories of these tests live.
const NOW: i64 = 1_800_000_000;
pub(super) const DAY: i64 = 86_400;

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(NOW + seconds)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, b| format!("{text}{b:02x}"))
}

/// OLPC canonical JSON: sorted keys, no spaces, only `"` and `\` escaped.
fn canonical(value: &Value) -> Vec<u8> {
    fn text(s: &str) -> String {
        format!("\"{}\"", s.replace('\\', "\\\\").replace('"', "\\\""))
    }
    match value {
        Value::String(s) => text(s).into_bytes(),
        Value::Array(items) => {
            let items: Vec<Vec<u8>> = items.iter().map(canonical).collect();
            [b"[".as_slice(), &items.join(&b","[..]), b"]"].concat()
        }
        Value::Object(map) => {
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            let items: Vec<Vec<u8>> = sorted.into_iter().map(|(k, v)| [text(k).as_bytes(), b":", &canonical(v)].concat()).collect();
            [b"{".as_slice(), &items.join(&b","[..]), b"}"].concat()
        }
        other => other.to_string().into_bytes(),
    }
}

pub(super) struct Key {
    secret: SoftwareKey,
    public: Value,
    id: String,
}

impl Key {
    pub(super) fn new() -> Self {
        let key = SoftwareKey::generate(Curve::P256, &OsRandom);
        let base64 = base64::engine::general_purpose::STANDARD.encode(key.public_key().to_spki_der().unwrap());
        let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|c| std::str::from_utf8(c).unwrap()).collect();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
        let public = json!({"keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": {"public": pem}});
        let id = hex(&sha256(&canonical(&public)));
        Self { secret: key, public, id }
    }
}

impl Key {
    /// The same key, named otherwise.
    pub(super) fn under_another_id(&self) -> Self {
        let secret = SoftwareKey::from_scalar(Curve::P256, &self.secret.scalar()).unwrap();
        Self { secret, public: self.public.clone(), id: "00".repeat(32) }
    }
}

/// `{"signed":..,"signatures":[..]}`.
pub(super) fn sign(signed: &Value, keys: &[&Key]) -> Vec<u8> {
    let message = canonical(signed);
    let signatures: Vec<Value> =
        keys.iter().map(|k| json!({"keyid": k.id, "sig": hex(&der_signature(&k.secret.sign(&message).unwrap()).unwrap())})).collect();
    serde_json::to_vec_pretty(&json!({"signed": signed, "signatures": signatures})).unwrap()
}

/// Who signs what, and how far the versions are.
pub(super) struct Repository {
    directory: tempfile::TempDir,
    pub(super) roots: Vec<Key>,
    pub(super) timestamp: Key,
    pub(super) snapshot: Key,
    pub(super) targets: Key,
    pub(super) root_version: u64,
    pub(super) version: u64,
    pub(super) pinned: Vec<u8>,
    /// Seconds by which everything that is signed from now on is later.
    pub(super) later: i64,
}

impl Repository {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for folder in ["metadata", "targets"] {
            std::fs::create_dir(directory.path().join(folder)).unwrap();
        }
        let mut repository = Self {
            directory,
            roots: vec![Key::new(), Key::new(), Key::new()],
            timestamp: Key::new(),
            snapshot: Key::new(),
            targets: Key::new(),
            root_version: 0,
            version: 0,
            pinned: Vec::new(),
            later: 0,
        };
        repository.pinned = repository.publish_root(&[]);
        repository.publish(&[("issuers.json", "{\"version\":1}"), ("readers.json", "{}")]);
        repository
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn metadata(&self, name: &str) -> PathBuf {
        self.path().join("metadata").join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.metadata(name), bytes).unwrap();
    }

    fn root_signed(&self) -> Value {
        let mut keys = Map::new();
        for key in self.roots.iter().chain([&self.timestamp, &self.snapshot, &self.targets]) {
            keys.insert(key.id.clone(), key.public.clone());
        }
        let role =
            |keys: &[&Key], threshold: u32| json!({"keyids": keys.iter().map(|k| &k.id).collect::<Vec<_>>(), "threshold": threshold});
        let roots: Vec<&Key> = self.roots.iter().collect();
        json!({
            "_type": "root", "spec_version": "1.0.31", "consistent_snapshot": true, "version": self.root_version,
            "expires": at(self.later + 365 * DAY).to_rfc3339(), "keys": keys,
            "roles": {
                "root": role(&roots, 2), "timestamp": role(&[&self.timestamp], 1),
                "snapshot": role(&[&self.snapshot], 1), "targets": role(&[&self.targets], 1),
            },
        })
    }

    /// The next root, signed by two of its own keys and by the keys given.
    pub(super) fn publish_root(&mut self, old: &[&Key]) -> Vec<u8> {
        self.root_version += 1;
        let mut keys: Vec<&Key> = self.roots.iter().take(2).collect();
        keys.extend(old);
        let bytes = sign(&self.root_signed(), &keys);
        self.write(&format!("{}.root.json", self.root_version), &bytes);
        bytes
    }

    /// A timestamp of the current version over a snapshot; expires a day after the time of these tests.
    pub(super) fn timestamp_signed(&self, snapshot: &[u8]) -> Value {
        json!({
            "_type": "timestamp", "spec_version": "1.0.31", "version": self.version,
            "expires": at(self.later + DAY).to_rfc3339(), "signed_at": at(self.later - 60).to_rfc3339(),
            "meta": {"snapshot.json": {"version": self.version, "length": snapshot.len(), "hashes": {"sha256": hex(&sha256(snapshot))}}},
        })
    }

    /// The next version of targets, snapshot and timestamp.
    pub(super) fn publish(&mut self, targets: &[(&str, &str)]) {
        self.version += 1;
        let year = at(self.later + 365 * DAY).to_rfc3339();
        let mut listed = Map::new();
        for (name, text) in targets {
            let hash = hex(&sha256(text.as_bytes()));
            std::fs::write(self.path().join("targets").join(format!("{hash}.{name}")), text).unwrap();
            listed.insert((*name).to_owned(), json!({"length": text.len(), "hashes": {"sha256": hash}}));
        }
        let version = self.version;
        let targets = json!({"_type": "targets", "spec_version": "1.0.31", "version": version, "expires": year, "targets": listed});
        self.write(&format!("{version}.targets.json"), &sign(&targets, &[&self.targets]));
        let snapshot = json!({"_type": "snapshot", "spec_version": "1.0.31", "version": version, "expires": year, "meta": {"targets.json": {"version": version}}});
        let snapshot = sign(&snapshot, &[&self.snapshot]);
        self.write(&format!("{version}.snapshot.json"), &snapshot);
        self.write("timestamp.json", &sign(&self.timestamp_signed(&snapshot), &[&self.timestamp]));
    }

    /// The timestamp as it stands, to be served again later.
    pub(super) fn saved_timestamp(&self) -> Vec<u8> {
        std::fs::read(self.metadata("timestamp.json")).unwrap()
    }

    pub(super) fn restore_timestamp(&self, bytes: &[u8]) {
        self.write("timestamp.json", bytes);
    }

    /// Changes one file under `metadata`.
    pub(super) fn tamper(&self, name: &str, change: impl FnOnce(&str) -> String) {
        let path = self.metadata(name);
        let text = std::fs::read_to_string(&path).unwrap();
        let changed = change(&text);
        assert_ne!(text, changed, "nothing was changed in {name}");
        std::fs::write(path, changed).unwrap();
    }
}
