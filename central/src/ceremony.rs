//! Ceremonies with the offline root keys of trust: the first root, the next ones, and what an operator has to know of them.
//!
//! Root keys are files (`trust-root-N.key`, 32 bytes) in a folder that the operator names; the running service never reads it. A root needs two
//! of three. A new root is signed by two of the keys before it and by two of its own, so that phones reach it through every root that they
//! missed (TUF 1.0, 5.3).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use wallet_base::crypto::{Curve, Signer, SoftwareKey};
use wallet_base::random::Random;
use wallet_base::time::Timestamp;
use zeroize::Zeroizing;

use crate::admin::Admin;
use crate::config::{Config, TrustConfig};
use crate::error::CentralError;
use crate::keys::{self, Place};
use crate::trust::{self, TrustKeys};
use crate::tuf::{self, RoleKeys};
use crate::{db, files};

const PREFIX: &str = "trust-root-";
const THRESHOLD: usize = 2;
/// A root that ends sooner than this many seconds should be renewed: phones and operators need time.
const ROOT_SOON: i64 = 180 * 86_400;

/// A role whose key the running service holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnlineRole {
    /// Signs what the four targets say.
    Targets,
    /// Signs which versions belong together.
    Snapshot,
    /// Signs that all this is current.
    Timestamp,
}

impl OnlineRole {
    pub(crate) const ALL: [Self; 3] = [Self::Targets, Self::Snapshot, Self::Timestamp];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Targets => "targets",
            Self::Snapshot => "snapshot",
            Self::Timestamp => "timestamp",
        }
    }
}

/// What a new root changes. With nothing to replace it is the same root with a later end.
#[derive(Clone, Debug, Default)]
pub struct Rotation {
    /// Folder with at least two of the present root keys.
    pub root_keys: PathBuf,
    /// Folder for new root keys; the same one when absent.
    pub new_root_keys: Option<PathBuf>,
    /// Root keys to replace, by key id or the beginning of one (lost, stolen, or their holder left).
    pub replace_root: Vec<String>,
    /// Online keys to replace.
    pub replace_online: Vec<OnlineRole>,
}

/// What a rotation came to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rotated {
    /// Version of the new root.
    pub root_version: u64,
    /// Version of the snapshot that was published under it.
    pub snapshot_version: u64,
    /// Until when the root holds, RFC 3339.
    pub expires: String,
    /// Key ids that sign roots from now on.
    pub root_keys: Vec<String>,
    /// Files of root keys that were made.
    pub made: Vec<String>,
    /// Files of root keys that count no longer; destroy them.
    pub obsolete: Vec<String>,
}

/// One role of the trust repository.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RoleStatus {
    /// `root`, `targets`, `snapshot`, `timestamp`.
    pub role: String,
    /// Version in force.
    pub version: u64,
    /// Until when, RFC 3339.
    pub expires: String,
    /// Ids of its keys.
    pub keys: Vec<String>,
    /// How many of them must sign.
    pub threshold: u64,
}

/// The state of the trust repository.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TrustStatus {
    /// The four roles.
    pub roles: Vec<RoleStatus>,
    /// Of a folder of root keys: file and key id, for those that count.
    pub root_keys: Vec<(String, String)>,
    /// What an operator has to do, in words; empty when nothing.
    pub to_do: Vec<String>,
}

/// Makes the first root of a service that is to be made: three root keys in a folder of their own, three online keys in `dir`. Gives `root.json`.
///
/// # Errors
/// [`CentralError::Directory`] when there is a root or a service already, [`CentralError::Ceremony`] when the folder holds root keys.
pub fn trust_init(dir: &Path, root_keys: &Path, now: Timestamp, random: &dyn Random) -> Result<Vec<u8>, CentralError> {
    if Config::exists(dir) || root_file(dir, 1).exists() {
        return Err(CentralError::Directory("the directory already has a trust root; `central trust rotate` makes the next one"));
    }
    if !offline_keys(root_keys)?.is_empty() {
        return Err(CentralError::Ceremony(format!("{} holds root keys already; name an empty folder", root_keys.display())));
    }
    files::directory(dir)?;
    first_root(dir, root_keys, &Config::new("https://localhost")?.trust, now, random)
}

/// The first root, as `init` makes it when `trust_init` did not.
pub(crate) fn first_root(
    dir: &Path,
    root_keys: &Path,
    config: &TrustConfig,
    now: Timestamp,
    random: &dyn Random,
) -> Result<Vec<u8>, CentralError> {
    private_folder(root_keys)?;
    let mut roots = Vec::new();
    for number in 1..=3 {
        roots.push(make_root_key(root_keys, number, random)?);
    }
    let [first, second, third] = roots.as_slice() else { return Err(CentralError::Issue("trust root keys")) };
    let online = |role: OnlineRole| keys::create(dir, Place::Online, &format!("trust-{}", role.name()), random);
    let (targets, snapshot, timestamp) = (online(OnlineRole::Targets)?, online(OnlineRole::Snapshot)?, online(OnlineRole::Timestamp)?);
    let publics = [first.public_key(), second.public_key(), third.public_key()];
    let role_keys = RoleKeys {
        root: publics.each_ref(),
        targets: &targets.public_key(),
        snapshot: &snapshot.public_key(),
        timestamp: &timestamp.public_key(),
    };
    let root = tuf::root(&role_keys, [first, second], now, config.root_life)?;
    tuf::write_metadata(&trust::folder(dir), "1.root.json", &root)?;
    Ok(root)
}

/// The first root, when `trust_init` has made it.
pub(crate) fn made_before(dir: &Path) -> Result<Option<Vec<u8>>, CentralError> {
    if root_file(dir, 1).exists() { Ok(Some(files::read(&root_file(dir, 1))?)) } else { Ok(None) }
}

fn root_file(dir: &Path, version: u64) -> PathBuf {
    trust::folder(dir).join("metadata").join(format!("{version}.root.json"))
}

fn private_folder(folder: &Path) -> Result<(), CentralError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder).map_err(|error| CentralError::Ceremony(format!("{}: {error}", folder.display())))
}

fn make_root_key(folder: &Path, number: u32, random: &dyn Random) -> Result<SoftwareKey, CentralError> {
    let key = SoftwareKey::generate(Curve::P256, random);
    files::write_private(&folder.join(format!("{PREFIX}{number}.key")), &key.scalar())?;
    Ok(key)
}

/// A root key file.
struct OfflineKey {
    file: PathBuf,
    id: String,
    key: SoftwareKey,
}

/// Every root key file of a folder; none when there is no such folder.
fn offline_keys(folder: &Path) -> Result<Vec<OfflineKey>, CentralError> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        other => other.map_err(|error| CentralError::Ceremony(format!("{}: {error}", folder.display())))?,
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !(name.starts_with(PREFIX) && Path::new(&name).extension().is_some_and(|extension| extension == "key")) {
            continue;
        }
        let scalar = Zeroizing::new(files::read(&entry.path())?);
        let key = SoftwareKey::from_scalar(Curve::P256, &scalar)
            .map_err(|_| CentralError::Ceremony(format!("{} is no root key: it is damaged", entry.path().display())))?;
        found.push(OfflineKey { file: entry.path(), id: tuf::key_id(&key.public_key())?, key });
    }
    found.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(found)
}

/// The latest root in force and its version.
pub(crate) fn latest_root(dir: &Path) -> Result<(u64, Value), CentralError> {
    let mut version = 1;
    while root_file(dir, version + 1).exists() {
        version += 1;
    }
    let file: Value = serde_json::from_slice(&files::read(&root_file(dir, version))?).map_err(|_| CentralError::Damaged("root.json"))?;
    let signed = file.get("signed").cloned().ok_or(CentralError::Damaged("root.json"))?;
    Ok((version, signed))
}

fn key_ids(signed: &Value, role: &str) -> Vec<String> {
    let ids = signed.pointer(&format!("/roles/{role}/keyids")).and_then(Value::as_array);
    ids.map(|ids| ids.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default()
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

fn next_key(dir: &Path, role: OnlineRole) -> PathBuf {
    dir.join("keys").join(format!("trust-{}.next.key", role.name()))
}

/// A rotation that was interrupted after its root was written is completed: online keys that the root names take their place.
pub(crate) fn settle(dir: &Path) -> Result<(), CentralError> {
    for role in OnlineRole::ALL {
        let next = next_key(dir, role);
        if !next.exists() {
            continue;
        }
        let key = keys::load(dir, Place::Online, &format!("trust-{}.next", role.name()))?;
        let (_, signed) = latest_root(dir)?;
        let failed = |error: std::io::Error| CentralError::Io { action: "write", file: "trust key".into(), kind: error.kind() };
        if key_ids(&signed, role.name()).contains(&tuf::key_id(&key.public_key())?) {
            fs::rename(&next, dir.join("keys").join(format!("trust-{}.key", role.name()))).map_err(failed)?;
        } else {
            fs::remove_file(&next).map_err(failed)?;
        }
    }
    Ok(())
}

impl Admin {
    /// Makes the next root and publishes everything under it. A service that runs takes the new online keys by itself.
    ///
    /// # Errors
    /// [`CentralError::Ceremony`] says which keys are missing or unknown; nothing changed then.
    pub fn rotate_trust(&self, rotation: &Rotation) -> Result<Rotated, CentralError> {
        let mut connection = db::open(&self.dir)?;
        // The write lock keeps a running server from publishing at the same moment.
        let lock = db::write(&mut connection)?;
        settle(&self.dir)?;
        let (version, old) = latest_root(&self.dir)?;
        let old_ids = key_ids(&old, "root");
        let new_folder = rotation.new_root_keys.as_deref().unwrap_or(&rotation.root_keys);
        let mut offline = offline_keys(&rotation.root_keys)?;
        let at_hand = offline.iter().filter(|key| old_ids.contains(&key.id)).count();
        if at_hand < THRESHOLD {
            return Err(CentralError::Ceremony(format!(
                "a new root needs {THRESHOLD} of the present root keys, and {} holds {at_hand} of them. They are: {}",
                rotation.root_keys.display(),
                old_ids.iter().map(|id| short(id)).collect::<Vec<_>>().join(", ")
            )));
        }
        let replaced = chosen(&old_ids, &rotation.replace_root)?;
        if new_folder != rotation.root_keys {
            private_folder(new_folder)?;
            offline.extend(offline_keys(new_folder)?);
        }
        let mut new_ids: Vec<String> = old_ids.iter().filter(|id| !replaced.contains(*id)).cloned().collect();
        // Counted before any is made: the new side must reach its threshold too.
        let kept = offline.iter().filter(|key| new_ids.contains(&key.id)).map(|key| &key.id).collect::<BTreeSet<_>>().len();
        if kept + replaced.len() < THRESHOLD {
            return Err(CentralError::Ceremony("of the new root's keys two must be at hand to sign it".to_owned()));
        }
        let mut made = Vec::new();
        for _ in &replaced {
            let number = (1..u32::MAX)
                .find(|n| ![new_folder, &rotation.root_keys].iter().any(|folder| folder.join(format!("{PREFIX}{n}.key")).exists()))
                .ok_or(CentralError::Issue("a root key"))?;
            let key = make_root_key(new_folder, number, &*self.random)?;
            let file = new_folder.join(format!("{PREFIX}{number}.key"));
            let id = tuf::key_id(&key.public_key())?;
            made.push(file.display().to_string());
            new_ids.push(id.clone());
            offline.push(OfflineKey { file, id, key });
        }
        let now = self.clock.now();
        let body = self.next_root(&old, version, &new_ids, rotation, &offline, now)?;
        let expires = body.get("expires").and_then(Value::as_str).unwrap_or_default().to_owned();
        // Two of the old and two of the new, each key once; those that go sign only when they are needed.
        let mut signers: Vec<&OfflineKey> = Vec::new();
        for ids in [&new_ids, &old_ids] {
            let mut missing = THRESHOLD.saturating_sub(signers.iter().filter(|key| ids.contains(&key.id)).count());
            for key in offline.iter().filter(|key| ids.contains(&key.id)) {
                if missing > 0 && !signers.iter().any(|signer| signer.id == key.id) {
                    signers.push(key);
                    missing -= 1;
                }
            }
        }
        let signing: Vec<&dyn Signer> = signers.iter().map(|signer| &signer.key as &dyn Signer).collect();
        let bytes = tuf::signed(body, &signing)?;
        tuf::write_metadata(&trust::folder(&self.dir), &format!("{}.root.json", version + 1), &bytes)?;
        settle(&self.dir)?;
        let versions = trust::publish(&self.dir, &self.config, &TrustKeys::load(&self.dir)?, now)?;
        lock.commit()?;
        let obsolete = offline.iter().filter(|key| replaced.contains(&key.id)).map(|key| key.file.display().to_string()).collect();
        let snapshot_version = u64::try_from(versions.snapshot).map_err(|_| CentralError::Damaged("trust versions"))?;
        Ok(Rotated { root_version: version + 1, snapshot_version, expires, root_keys: new_ids, made, obsolete })
    }

    /// The signed part of the next root; makes the new online keys on the way, beside those in use.
    fn next_root(
        &self,
        old: &Value,
        version: u64,
        root_ids: &[String],
        rotation: &Rotation,
        offline: &[OfflineKey],
        now: Timestamp,
    ) -> Result<Value, CentralError> {
        let known = old.get("keys").and_then(Value::as_object).cloned().unwrap_or_default();
        let (mut keys_of, mut roles) = (Map::new(), Map::new());
        for id in root_ids {
            let object = match offline.iter().find(|key| key.id == *id) {
                Some(key) => tuf::key_object(&key.key.public_key())?,
                None => known.get(id).cloned().ok_or(CentralError::Damaged("root.json"))?,
            };
            keys_of.insert(id.clone(), object);
        }
        roles.insert("root".to_owned(), json!({"keyids": root_ids, "threshold": THRESHOLD}));
        for role in OnlineRole::ALL {
            let ids = if rotation.replace_online.contains(&role) {
                let key = keys::create(&self.dir, Place::Online, &format!("trust-{}.next", role.name()), &*self.random)?;
                let id = tuf::key_id(&key.public_key())?;
                keys_of.insert(id.clone(), tuf::key_object(&key.public_key())?);
                vec![id]
            } else {
                let ids = key_ids(old, role.name());
                for id in &ids {
                    keys_of.insert(id.clone(), known.get(id).cloned().ok_or(CentralError::Damaged("root.json"))?);
                }
                ids
            };
            roles.insert(role.name().to_owned(), json!({"keyids": ids, "threshold": 1}));
        }
        Ok(tuf::root_body(version + 1, &Value::Object(keys_of), &Value::Object(roles), now, self.config.trust.root_life))
    }

    /// Versions, ends and keys of the trust repository, and what has to be done. With a folder, which of its root keys count.
    ///
    /// # Errors
    /// When files cannot be read.
    pub fn trust_status(&self, root_keys: Option<&Path>) -> Result<TrustStatus, CentralError> {
        let now = self.clock.now();
        let (version, root) = latest_root(&self.dir)?;
        let versions = trust::versions(&self.dir)?;
        let metadata = trust::folder(&self.dir).join("metadata");
        let mut status = TrustStatus { roles: Vec::new(), root_keys: Vec::new(), to_do: Vec::new() };
        let mut add = |role: &str, version: u64, signed: &Value| {
            let expires = signed.get("expires").and_then(Value::as_str).unwrap_or_default().to_owned();
            let threshold = root.pointer(&format!("/roles/{role}/threshold")).and_then(Value::as_u64).unwrap_or(0);
            status.roles.push(RoleStatus { role: role.to_owned(), version, expires, keys: key_ids(&root, role), threshold });
        };
        add("root", version, &root);
        for (role, version) in [("targets", versions.targets), ("snapshot", versions.snapshot), ("timestamp", versions.timestamp)] {
            let name = if role == "timestamp" { "timestamp.json".to_owned() } else { format!("{version}.{role}.json") };
            let file: Value = files::read(&metadata.join(name)).ok().and_then(|b| serde_json::from_slice(&b).ok()).unwrap_or(Value::Null);
            add(role, u64::try_from(version).unwrap_or(0), file.get("signed").unwrap_or(&Value::Null));
        }
        for role in &status.roles {
            let left = Timestamp::parse_rfc3339(&role.expires).map_or(0, |end| end.unix() - now.unix());
            match (role.role.as_str(), left) {
                ("root", left) if left <= 0 => {
                    status.to_do.push("the root has expired: no phone updates any more. Run `central trust rotate` now".to_owned());
                }
                ("root", left) if left < ROOT_SOON => {
                    status.to_do.push(format!("the root ends in {} days: run `central trust rotate`", left / 86_400));
                }
                ("root", _) => {}
                (name, left) if left <= 0 => {
                    status.to_do.push(format!("{name} has expired: start the service, which renews it, or run `central republish`"));
                }
                _ => {}
            }
        }
        for role in OnlineRole::ALL {
            let matches = keys::load(&self.dir, Place::Online, &format!("trust-{}", role.name()))
                .ok()
                .and_then(|key| tuf::key_id(&key.public_key()).ok())
                .is_some_and(|id| key_ids(&root, role.name()).contains(&id));
            if !matches && !next_key(&self.dir, role).exists() {
                let name = role.name();
                status.to_do.push(format!("the {name} key of this service is not the root's: run `central trust rotate --replace {name}`"));
            }
        }
        if let Some(folder) = root_keys {
            let ids = key_ids(&root, "root");
            let counting: Vec<OfflineKey> = offline_keys(folder)?.into_iter().filter(|key| ids.contains(&key.id)).collect();
            for id in ids.iter().filter(|id| !counting.iter().any(|key| key.id == **id)) {
                let id = short(id);
                status.to_do.push(format!(
                    "root key {id} is not in {}: if it is lost or stolen, run `central trust rotate --replace-root {id}`",
                    folder.display()
                ));
            }
            status.root_keys = counting.into_iter().map(|key| (key.file.display().to_string(), key.id)).collect();
        }
        Ok(status)
    }
}

/// The key ids that beginnings name: each exactly one.
fn chosen(ids: &[String], beginnings: &[String]) -> Result<Vec<String>, CentralError> {
    let mut found: Vec<String> = Vec::new();
    for beginning in beginnings {
        let matching: Vec<&String> = ids.iter().filter(|id| beginning.len() >= 4 && id.starts_with(beginning.as_str())).collect();
        let [id] = matching.as_slice() else {
            return Err(CentralError::Ceremony(format!(
                "no single root key begins with that id (at least 4 characters). They are: {}",
                ids.iter().map(|id| short(id)).collect::<Vec<_>>().join(", ")
            )));
        };
        if found.contains(id) {
            return Err(CentralError::Ceremony("a root key is named twice".to_owned()));
        }
        found.push((*id).clone());
    }
    Ok(found)
}
