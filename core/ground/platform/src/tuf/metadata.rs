//! The four kinds of TUF metadata as data (specification 1.0, section 4). Reading one verifies nothing.

use std::collections::{BTreeMap, BTreeSet};

use wallet_base::crypto::{sha256, sha512};
use wallet_base::time::Timestamp as Time;

use super::MAX_METADATA;
use super::json::Json;
use super::keys::{Keys, Role, Signatures, hex_decode, keys};

/// A document as it arrived: what is signed, the bytes that signatures are over, the signatures.
pub(super) struct Envelope {
    pub(super) signed: Json,
    pub(super) message: Vec<u8>,
    pub(super) signatures: Signatures,
}

impl Envelope {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_METADATA {
            return None;
        }
        let document = Json::parse(bytes)?;
        let signatures = Signatures::parse(document.get("signatures")?)?;
        let signed = document.get("signed").filter(|signed| signed.as_object().is_some())?.clone();
        Some(Self { message: signed.canonical(), signed, signatures })
    }
}

/// Whether some bytes can be read as metadata of some role.
pub(super) fn is_some_role(bytes: &[u8]) -> bool {
    Envelope::parse(bytes).is_some_and(|envelope| {
        let signed = &envelope.signed;
        Root::parse(signed).is_some()
            || Timestamp::parse(signed).is_some()
            || Snapshot::parse(signed).is_some()
            || Targets::parse(signed).is_some()
    })
}

/// What every kind begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) version: u64,
    pub(super) expires: Time,
}

impl Header {
    fn parse(signed: &Json, kind: &str) -> Option<Self> {
        let text = |name: &str| signed.get(name).and_then(Json::as_text);
        // Minor versions only add; another major version means something else by the same words.
        let readable = text("_type")? == kind && text("spec_version")?.starts_with("1.");
        let version = signed.get("version")?.as_count().filter(|version| *version >= 1)?;
        let expires = text("expires").filter(|text| text.ends_with('Z')).and_then(Time::parse_rfc3339)?;
        readable.then_some(Self { version, expires })
    }
}

/// `root.json`.
#[derive(Clone, Debug)]
#[allow(clippy::struct_field_names)] // Named as the document names them.
pub(super) struct Root {
    pub(super) header: Header,
    pub(super) consistent: bool,
    pub(super) keys: Keys,
    pub(super) root: Role,
    pub(super) timestamp: Role,
    pub(super) snapshot: Role,
    pub(super) targets: Role,
}

impl Root {
    pub(super) fn parse(signed: &Json) -> Option<Self> {
        let roles = signed.get("roles")?;
        let role = |name: &str| roles.get(name).and_then(Role::parse);
        Some(Self {
            header: Header::parse(signed, "root")?,
            consistent: signed.get("consistent_snapshot").and_then(Json::as_bool).unwrap_or(false),
            keys: keys(signed.get("keys")?)?,
            root: role("root")?,
            timestamp: role("timestamp")?,
            snapshot: role("snapshot")?,
            targets: role("targets")?,
        })
    }
}

/// What one document says of another: its version, and perhaps length and hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Described {
    pub(super) version: u64,
    length: Option<u64>,
    hashes: Option<Hashes>,
}

impl Described {
    fn parse(object: &Json) -> Option<Self> {
        let optional = |name: &str| object.get(name);
        Some(Self {
            version: object.get("version")?.as_count().filter(|version| *version >= 1)?,
            length: optional("length").map(|length| length.as_count().ok_or(())).transpose().ok()?,
            hashes: optional("hashes").map(|hashes| Hashes::parse(hashes).ok_or(())).transpose().ok()?,
        })
    }

    pub(super) fn matches(&self, bytes: &[u8]) -> bool {
        self.length.is_none_or(|length| length == bytes.len() as u64) && self.hashes.as_ref().is_none_or(|hashes| hashes.match_bytes(bytes))
    }
}

/// Hashes by the name of their algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hashes(BTreeMap<String, String>);

impl Hashes {
    fn parse(object: &Json) -> Option<Self> {
        let members = object.as_object().filter(|members| !members.is_empty() && members.len() <= 8)?;
        let hashes = members.iter().map(|(name, hash)| Some((name.clone(), hash.as_text()?.to_owned()))).collect::<Option<_>>()?;
        Some(Self(hashes))
    }

    /// Every hash that this build knows matches, and there is one.
    fn match_bytes(&self, bytes: &[u8]) -> bool {
        let mut known = 0;
        let all = self.0.iter().all(|(name, hash)| {
            let found = match name.as_str() {
                "sha256" => sha256(bytes).to_vec(),
                "sha512" => sha512(bytes).to_vec(),
                _ => return true,
            };
            known += 1;
            hex_decode(hash).is_some_and(|hash| hash == found)
        });
        all && known > 0
    }

    /// The hash that stands before a target's name in consistent snapshots: plain hexadecimal only.
    pub(super) fn prefix(&self) -> Option<&str> {
        let hash = ["sha256", "sha512"].iter().find_map(|name| self.0.get(*name)).or_else(|| self.0.values().next())?;
        (hash.len() <= 128 && hash.bytes().all(|b| b.is_ascii_hexdigit())).then_some(hash)
    }
}

/// `timestamp.json`.
#[derive(Clone, Debug)]
pub(super) struct Timestamp {
    pub(super) header: Header,
    pub(super) snapshot: Described,
    /// Not of the specification, which allows further members: when it was signed.
    pub(super) signed_at: Option<Time>,
}

impl Timestamp {
    pub(super) fn parse(signed: &Json) -> Option<Self> {
        Some(Self {
            header: Header::parse(signed, "timestamp")?,
            snapshot: Described::parse(signed.get("meta")?.get("snapshot.json")?)?,
            signed_at: signed.get("signed_at").and_then(Json::as_text).and_then(Time::parse_rfc3339),
        })
    }
}

/// `snapshot.json`.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) header: Header,
    /// Targets roles by file name without version.
    pub(super) meta: BTreeMap<String, Described>,
}

impl Snapshot {
    pub(super) fn parse(signed: &Json) -> Option<Self> {
        let meta: BTreeMap<String, Described> = signed
            .get("meta")?
            .as_object()?
            .iter()
            .map(|(name, described)| Some((name.clone(), Described::parse(described)?)))
            .collect::<Option<_>>()?;
        Some(Self { header: Header::parse(signed, "snapshot")?, meta })
    }
}

/// One target: what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetInfo {
    length: u64,
    hashes: Hashes,
}

impl TargetInfo {
    fn parse(object: &Json) -> Option<Self> {
        Some(Self { length: object.get("length")?.as_count()?, hashes: Hashes::parse(object.get("hashes")?)? })
    }

    /// Length in bytes.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Whether some bytes are this target.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        self.length == bytes.len() as u64 && self.hashes.match_bytes(bytes)
    }

    pub(super) fn hash_prefix(&self) -> Option<&str> {
        self.hashes.prefix()
    }
}

/// A role that targets are delegated to.
#[derive(Clone, Debug)]
pub(super) struct Delegated {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) terminating: bool,
    patterns: Vec<String>,
    prefixes: Vec<String>,
}

impl Delegated {
    fn parse(object: &Json) -> Option<Self> {
        let texts = |name: &str| -> Option<Vec<String>> {
            let Some(list) = object.get(name) else { return Some(Vec::new()) };
            list.as_list()?.iter().map(|item| item.as_text().map(str::to_owned)).collect()
        };
        let name = object.get("name")?.as_text()?.to_owned();
        // A delegated role under the name of a top-level one would be kept in its place.
        let own = !matches!(name.as_str(), "" | "root" | "timestamp" | "snapshot" | "targets");
        // One of the two says which targets; both or none is not defined.
        let one = object.get("paths").is_some() != object.get("path_hash_prefixes").is_some();
        let terminating = object.get("terminating")?.as_bool()?;
        let parsed =
            Self { name, role: Role::parse(object)?, terminating, patterns: texts("paths")?, prefixes: texts("path_hash_prefixes")? };
        (own && one).then_some(parsed)
    }

    /// Whether the target's path was delegated to this role.
    pub(super) fn covers(&self, path: &str) -> bool {
        let hash = sha256(path.as_bytes()).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        self.patterns.iter().any(|pattern| matches_path(pattern, path))
            || self.prefixes.iter().any(|prefix| hash.starts_with(prefix.as_str()))
    }
}

/// Shell patterns with `*` and `?`, neither of which matches `/` (specification, section 4.5).
fn matches_path(pattern: &str, path: &str) -> bool {
    let (patterns, parts): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    patterns.len() == parts.len() && patterns.iter().zip(parts).all(|(pattern, part)| matches_part(pattern, part))
}

fn matches_part(pattern: &str, part: &str) -> bool {
    let (pattern, part): (Vec<char>, Vec<char>) = (pattern.chars().collect(), part.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < part.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || part.get(t) == Some(c) => {
                p += 1;
                t += 1;
            }
            // Back to the last star, which takes one character more.
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

/// `targets.json`, and the document of a delegated role.
#[derive(Clone, Debug)]
#[allow(clippy::struct_field_names)] // Named as the document names them.
pub(super) struct Targets {
    pub(super) header: Header,
    pub(super) targets: BTreeMap<String, TargetInfo>,
    pub(super) keys: Keys,
    pub(super) delegations: Vec<Delegated>,
}

impl Targets {
    pub(super) fn parse(signed: &Json) -> Option<Self> {
        let listed = signed.get("targets")?.as_object()?;
        let targets = listed.iter().map(|(path, info)| Some((path.clone(), TargetInfo::parse(info)?))).collect::<Option<_>>()?;
        let (delegated_keys, delegations) = match signed.get("delegations") {
            None => (Keys::new(), Vec::new()),
            Some(object) => {
                let roles: Vec<Delegated> = object.get("roles")?.as_list()?.iter().map(Delegated::parse).collect::<Option<_>>()?;
                let names: BTreeSet<&String> = roles.iter().map(|role| &role.name).collect();
                if names.len() != roles.len() {
                    return None;
                }
                (keys(object.get("keys")?)?, roles)
            }
        };
        Some(Self { header: Header::parse(signed, "targets")?, targets, keys: delegated_keys, delegations })
    }
}

#[cfg(test)]
mod tests {
    use super::matches_path;

    #[test]
    fn patterns_stay_within_a_segment() {
        for (pattern, path) in [
            ("*", "a"),
            ("*.md", "README.md"),
            ("foo-?.tgz", "foo-1.tgz"),
            ("releases/*/*", "releases/x/x_v1"),
            ("a*b*c", "a1b2b3c"),
            ("**", "x"),
            ("", ""),
        ] {
            assert!(matches_path(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("*", "a/b"),
            ("*.md", "releases/README.md"),
            ("foo-?.tgz", "foo-alpha.tgz"),
            ("*.md", "README.MD"),
            ("a/*", "a"),
            ("a*b", "a1c"),
            ("", "a"),
            ("?", ""),
        ] {
            assert!(!matches_path(pattern, path), "{pattern} {path}");
        }
    }
}
