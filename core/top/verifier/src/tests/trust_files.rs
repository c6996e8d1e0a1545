//! A TUF repository in a folder, by hand: one key for all roles, no consistent snapshots (The Update Framework 1.0, sections 4 and 6).

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wallet_base::crypto::{Signer, SoftwareKey, sha256};
use wallet_base::time::Timestamp;
use wallet_base::x509::der_signature;

/// Canonical JSON: `serde_json` sorts members and writes no white space; a line break inside a text (a PEM has them) stays a line break.
fn canonical(value: &Value) -> Vec<u8> {
    value.to_string().replace("\\n", "\n").into_bytes()
}

fn key_object(key: &SoftwareKey) -> Value {
    let body = STANDARD.encode(key.public_key().to_spki_der().unwrap());
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n", &body[..64], &body[64..]);
    json!({"keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": {"public": pem}})
}

fn signed(body: &Value, key: &SoftwareKey) -> Vec<u8> {
    let signature = der_signature(&key.sign(&canonical(body)).unwrap()).unwrap();
    let id = hex::encode(sha256(&canonical(&key_object(key))));
    json!({"signatures": [{"keyid": id, "sig": hex::encode(signature)}], "signed": body}).to_string().into_bytes()
}

/// `root.json`, version 1.
pub fn root(key: &SoftwareKey, expires: Timestamp) -> Vec<u8> {
    let object = key_object(key);
    let id = hex::encode(sha256(&canonical(&object)));
    let role = json!({"keyids": [id], "threshold": 1});
    let body = json!({
        "_type": "root", "spec_version": "1.0.31", "version": 1, "expires": expires.to_rfc3339(), "consistent_snapshot": false,
        "keys": {id.clone(): object}, "roles": {"root": role, "timestamp": role, "snapshot": role, "targets": role},
    });
    signed(&body, key)
}

/// Writes metadata and targets of one version below `directory`.
pub fn publish(directory: &Path, key: &SoftwareKey, version: u64, targets: &[(&str, Vec<u8>)], at: Timestamp, expires: Timestamp) {
    let (metadata, files) = (directory.join("metadata"), directory.join("targets"));
    fs::create_dir_all(&metadata).unwrap();
    fs::create_dir_all(&files).unwrap();
    let meta = |bytes: &[u8]| json!({"version": version, "length": bytes.len(), "hashes": {"sha256": hex::encode(sha256(bytes))}});
    let mut listed = serde_json::Map::new();
    for (name, bytes) in targets {
        fs::write(files.join(name), bytes).unwrap();
        listed.insert((*name).to_owned(), json!({"length": bytes.len(), "hashes": {"sha256": hex::encode(sha256(bytes))}}));
    }
    let common = |kind: &str| json!({"_type": kind, "spec_version": "1.0.31", "version": version, "expires": expires.to_rfc3339()});
    let mut body = common("targets");
    body["targets"] = Value::Object(listed);
    let targets = signed(&body, key);
    let mut body = common("snapshot");
    body["meta"] = json!({"targets.json": meta(&targets)});
    let snapshot = signed(&body, key);
    let mut body = common("timestamp");
    body["meta"] = json!({"snapshot.json": meta(&snapshot)});
    body["signed_at"] = json!(at.to_rfc3339());
    let timestamp = signed(&body, key);
    for (name, bytes) in [("targets.json", targets), ("snapshot.json", snapshot), ("timestamp.json", timestamp)] {
        fs::write(metadata.join(name), bytes).unwrap();
    }
    fs::write(metadata.join("1.root.json"), root(key, expires)).unwrap();
}
