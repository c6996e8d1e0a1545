//! A whole snapshot: an update, and then every target that the top-level role lists.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::client::{Begin, Client, Fault, quote};
use super::store::Store;
use super::trusted::{TrustMark, Trusted};
use super::{MAX_ALL_TARGETS, MAX_TARGET, MAX_TARGETS, TrustError, TrustSnapshot};

/// A verified snapshot and the raw files that prove it, by stored name.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) snapshot: Arc<TrustSnapshot>,
    pub(super) mark: TrustMark,
    pub(super) metadata: BTreeMap<String, Vec<u8>>,
    pub(super) targets: BTreeMap<String, Vec<u8>>,
}

/// The pinned root must be root metadata signed by its own threshold of keys.
pub(super) fn check_root(root: &[u8]) -> Result<(), TrustError> {
    Trusted::begin(root, None, 0, TrustMark::default()).map(|_| ()).map_err(|_| TrustError::Root)
}

/// Updates and loads the whole repository. `known` are target files that are here already, by stored name.
pub(super) fn load(begin: Begin<'_>, known: &BTreeMap<String, Vec<u8>>) -> Result<Loaded, Fault> {
    let mut client = Client::begin(begin)?;
    client.refresh()?;
    let targets = read_targets(&client, known)?;
    let files: BTreeMap<String, Vec<u8>> = targets.iter().map(|(_, stored, bytes)| (stored.clone(), bytes.clone())).collect();
    let targets = targets.into_iter().map(|(name, _, bytes)| (name, bytes)).collect();
    let trusted = &client.trusted;
    let incomplete = || Fault::Signature("the metadata is malformed");
    let timestamp = trusted.timestamp.as_ref().ok_or_else(incomplete)?;
    let snapshot = trusted.snapshot.as_ref().ok_or_else(incomplete)?;
    let listing = trusted.targets.get("targets").ok_or_else(incomplete)?;
    let headers = [trusted.root.header, timestamp.header, snapshot.header, listing.header];
    let expires = headers.iter().map(|header| header.expires).min().ok_or_else(incomplete)?;
    Ok(Loaded {
        snapshot: Arc::new(TrustSnapshot {
            version: snapshot.header.version,
            timestamp_version: timestamp.header.version,
            root_version: trusted.root.header.version,
            signed_at: timestamp.signed_at,
            expires,
            targets,
        }),
        mark: trusted.mark(),
        metadata: metadata_files(&client).ok_or(TrustError::Io)?,
        targets: files,
    })
}

/// The documents as a repository names them.
fn metadata_files(client: &Client) -> Option<BTreeMap<String, Vec<u8>>> {
    let trusted = &client.trusted;
    let numbered =
        |version: u64, role: &str| if trusted.root.consistent { format!("{version}.{role}.json") } else { format!("{role}.json") };
    let store: &Store = client.store();
    let mut files: BTreeMap<String, Vec<u8>> =
        store.roots().iter().map(|(version, bytes)| (format!("{version}.root.json"), bytes.clone())).collect();
    files.insert("timestamp.json".to_owned(), store.get("timestamp")?);
    files.insert(numbered(trusted.snapshot.as_ref()?.header.version, "snapshot"), store.get("snapshot")?);
    files.insert(numbered(trusted.targets_version("targets")?, "targets"), store.get("targets")?);
    Some(files)
}

/// Name, stored name and content of every listed target.
fn read_targets(client: &Client, known: &BTreeMap<String, Vec<u8>>) -> Result<Vec<(String, String, Vec<u8>)>, Fault> {
    let listed = client.trusted.listed().ok_or(Fault::Signature("the metadata is malformed"))?;
    let total = listed.values().fold(0_u64, |sum, info| sum.saturating_add(info.length()));
    if listed.values().any(|info| info.length() > MAX_TARGET as u64) {
        return Err(Fault::Signature("a target is larger than allowed"));
    }
    if listed.len() > MAX_TARGETS || total > MAX_ALL_TARGETS as u64 {
        return Err(Fault::Signature("more targets than allowed"));
    }
    listed
        .iter()
        .map(|(name, info)| {
            // They become files of a folder and of a carried file.
            if quote(name) != *name || name.starts_with('.') || name.len() > 60 {
                return Err(Fault::Signature("the name of a target is not plain"));
            }
            let stored = client.stored_name(name, info)?;
            let bytes = match known.get(&stored) {
                Some(bytes) if info.matches(bytes) => bytes.clone(),
                _ => client.fetch(name, info)?,
            };
            Ok((name.clone(), stored, bytes))
        })
        .collect()
}
