//! Writes a TUF repository (The Update Framework 1.0): canonical JSON, ECDSA P-256, consistent snapshots.
//!
//! Files: `metadata/{N}.root.json`, `metadata/{N}.targets.json`, `metadata/{N}.snapshot.json`, `metadata/timestamp.json`,
//! `targets/{sha256}.{name}`. Versions only grow. `timestamp.json` is written last, so that a reader always finds a whole set.

use std::path::Path;

use serde_json::{Map, Value, json};
use wallet_base::crypto::{PublicKey, Signer, sha256};
use wallet_base::time::Timestamp;

use crate::error::CentralError;
use crate::{files, keys};

const SPEC_VERSION: &str = "1.0.31";

/// The canonical JSON form that TUF signs (OLPC): members sorted, no white space, only `"` and `\` escaped.
pub(crate) fn canonical(value: &Value) -> Result<String, CentralError> {
    fn write(value: &Value, out: &mut String) -> Result<(), CentralError> {
        match value {
            Value::Null => out.push_str("null"),
            Value::Bool(true) => out.push_str("true"),
            Value::Bool(false) => out.push_str("false"),
            Value::Number(number) if number.is_i64() || number.is_u64() => out.push_str(&number.to_string()),
            Value::Number(_) => return Err(CentralError::Issue("canonical JSON")),
            Value::String(text) => write_text(text, out),
            Value::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write(item, out)?;
                }
                out.push(']');
            }
            Value::Object(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by_key(|(name, _)| name.as_str());
                out.push('{');
                for (index, (name, item)) in sorted.into_iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    write(item, out)?;
                }
                out.push('}');
            }
        }
        Ok(())
    }
    fn write_text(text: &str, out: &mut String) {
        out.push('"');
        for character in text.chars() {
            if character == '"' || character == '\\' {
                out.push('\\');
            }
            out.push(character);
        }
        out.push('"');
    }
    let mut out = String::new();
    write(value, &mut out)?;
    Ok(out)
}

/// A public key as TUF describes it.
pub(crate) fn key_object(key: &PublicKey) -> Result<Value, CentralError> {
    Ok(json!({"keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": {"public": keys::public_pem(key)?}}))
}

/// Key id: SHA-256 of the canonical form of the key.
pub(crate) fn key_id(key: &PublicKey) -> Result<String, CentralError> {
    Ok(hex(&sha256(canonical(&key_object(key)?)?.as_bytes())))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Signs one role's metadata with every key given; the result is the file's bytes.
pub(crate) fn signed(body: Value, signers: &[&dyn Signer]) -> Result<Vec<u8>, CentralError> {
    let message = canonical(&body)?;
    let signatures = signers
        .iter()
        .map(|signer| {
            let raw = signer.sign(message.as_bytes()).map_err(|_| CentralError::Issue("a signature"))?;
            let signature = p256::ecdsa::Signature::from_slice(&raw).map_err(|_| CentralError::Issue("a signature"))?;
            Ok(json!({"keyid": key_id(&signer.public_key())?, "sig": hex(signature.to_der().as_bytes())}))
        })
        .collect::<Result<Vec<_>, CentralError>>()?;
    serde_json::to_vec_pretty(&json!({"signatures": signatures, "signed": body})).map_err(|_| CentralError::Issue("metadata"))
}

/// RFC 3339 in UTC, whole seconds, as TUF wants it.
fn expires(at: Timestamp, life: i64) -> String {
    at.plus_secs(life).to_rfc3339()
}

/// Public keys of each role; root needs two of three.
pub(crate) struct RoleKeys<'a> {
    pub(crate) root: [&'a PublicKey; 3],
    pub(crate) targets: &'a PublicKey,
    pub(crate) snapshot: &'a PublicKey,
    pub(crate) timestamp: &'a PublicKey,
}

/// The first `root.json`, signed by two of the three root keys.
pub(crate) fn root(role_keys: &RoleKeys<'_>, signers: [&dyn Signer; 2], at: Timestamp, life: i64) -> Result<Vec<u8>, CentralError> {
    let mut all = Map::new();
    let online = [role_keys.targets, role_keys.snapshot, role_keys.timestamp];
    for key in role_keys.root.into_iter().chain(online) {
        all.insert(key_id(key)?, key_object(key)?);
    }
    let one = |key: &PublicKey| Ok::<_, CentralError>(json!({"keyids": [key_id(key)?], "threshold": 1}));
    let roots = role_keys.root.into_iter().map(key_id).collect::<Result<Vec<_>, _>>()?;
    let roles = json!({
        "root": {"keyids": roots, "threshold": 2},
        "targets": one(role_keys.targets)?, "snapshot": one(role_keys.snapshot)?, "timestamp": one(role_keys.timestamp)?,
    });
    let body = root_body(1, &Value::Object(all), &roles, at, life);
    signed(body, &signers)
}

/// The signed part of a `root.json`.
pub(crate) fn root_body(version: u64, keys: &Value, roles: &Value, at: Timestamp, life: i64) -> Value {
    json!({
        "_type": "root", "spec_version": SPEC_VERSION, "consistent_snapshot": true, "version": version, "expires": expires(at, life),
        "keys": keys, "roles": roles,
    })
}

/// One target: its name and content.
pub(crate) struct Target<'a> {
    pub(crate) name: &'a str,
    pub(crate) content: &'a [u8],
}

/// Versions of the three online roles in the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Versions {
    pub(crate) targets: i64,
    pub(crate) snapshot: i64,
    pub(crate) timestamp: i64,
}

/// Writes target files and the next `targets.json`.
pub(crate) fn write_targets(
    dir: &Path,
    targets: &[Target<'_>],
    version: i64,
    signer: &dyn Signer,
    at: Timestamp,
    life: i64,
) -> Result<(), CentralError> {
    files::directory(&dir.join("targets"))?;
    let mut listed = Map::new();
    for target in targets {
        let hash = hex(&sha256(target.content));
        files::write_public(&dir.join("targets").join(format!("{hash}.{}", target.name)), target.content)?;
        listed.insert(target.name.to_owned(), json!({"length": target.content.len(), "hashes": {"sha256": hash}}));
    }
    let body = json!({
        "_type": "targets", "spec_version": SPEC_VERSION, "version": version, "expires": expires(at, life), "targets": listed,
    });
    write_metadata(dir, &format!("{version}.targets.json"), &signed(body, &[signer])?)
}

/// Writes the next `snapshot.json` over a version of `targets.json`.
pub(crate) fn write_snapshot(dir: &Path, versions: Versions, signer: &dyn Signer, at: Timestamp, life: i64) -> Result<(), CentralError> {
    let body = json!({
        "_type": "snapshot", "spec_version": SPEC_VERSION, "version": versions.snapshot, "expires": expires(at, life),
        "meta": {"targets.json": {"version": versions.targets}},
    });
    write_metadata(dir, &format!("{}.snapshot.json", versions.snapshot), &signed(body, &[signer])?)
}

/// Writes the next `timestamp.json` over a snapshot.
pub(crate) fn write_timestamp(dir: &Path, versions: Versions, signer: &dyn Signer, at: Timestamp, life: i64) -> Result<(), CentralError> {
    let snapshot = files::read(&dir.join("metadata").join(format!("{}.snapshot.json", versions.snapshot)))?;
    let body = json!({
        "_type": "timestamp", "spec_version": SPEC_VERSION, "version": versions.timestamp, "expires": expires(at, life),
        // Not part of the specification, which allows further members: clients take it as a signed time.
        "signed_at": at.to_rfc3339(),
        "meta": {"snapshot.json": {
            "version": versions.snapshot, "length": snapshot.len(), "hashes": {"sha256": hex(&sha256(&snapshot))},
        }},
    });
    write_metadata(dir, "timestamp.json", &signed(body, &[signer])?)
}

/// Writes one file of the metadata folder.
pub(crate) fn write_metadata(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), CentralError> {
    files::directory(&dir.join("metadata"))?;
    files::write_public(&dir.join("metadata").join(name), bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn canonical_form_sorts_and_escapes_little() {
        let value = json!({"b": [1, true, null], "a": "line\n\"q\" \\ é"});
        assert_eq!(canonical(&value).unwrap(), "{\"a\":\"line\n\\\"q\\\" \\\\ é\",\"b\":[1,true,null]}");
        assert!(canonical(&json!(1.5)).is_err());
    }
}
