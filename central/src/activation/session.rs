//! A session as stored: its state, its tries, its facts, and statements by its device key.

use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use wallet_base::crypto::PublicKey;
use wallet_base::fact::Fact;
use wallet_base::jose::Jws;
use wallet_base::time::Timestamp;

use super::{CHIP_TRIES, CODE_TRIES, EXPIRED, FACE_TRIES, SESSION_LIFE};
use crate::error::{ApiError, CentralError};
use crate::service::fact_json;

/// A row of `sessions`.
pub(super) struct Session {
    pub(super) id: String,
    pub(super) account: String,
    pub(super) nonce: [u8; 32],
    pub(super) key: PublicKey,
    pub(super) opened: Timestamp,
    pub(super) citizen: Option<String>,
    pub(super) epoch: Option<i64>,
    pub(super) facts: Vec<Value>,
    pub(super) face: Option<Vec<u8>>,
    pub(super) chip_tries: i64,
    pub(super) chip_at: Option<i64>,
    pub(super) code_hash: Option<Vec<u8>>,
    pub(super) code_until: Option<i64>,
    pub(super) code_sends: i64,
    pub(super) code_tries: i64,
    pub(super) code_at: Option<i64>,
    pub(super) face_tries: i64,
    pub(super) face_at: Option<i64>,
    pub(super) completed_at: Option<i64>,
    pub(super) offer_number: i64,
}

impl Session {
    pub(super) fn load(connection: &Connection, id: &str) -> Result<Self, ApiError> {
        type Row = (String, Vec<u8>, String, i64, String);
        let unknown = ApiError::new(404, "unknown_session", "no such session");
        if id.len() > 64 {
            return Err(unknown);
        }
        let found: Option<(Self, Row)> = connection
            .query_row(
                "SELECT account, nonce, device_key, opened_at, facts, citizen, epoch, face, chip_tries, chip_at, code_hash, code_until,
                        code_sends, code_tries, code_at, face_tries, face_at, completed_at, offer_number
                 FROM sessions WHERE id = ?1",
                [id],
                |row| {
                    let raw: Row = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
                    // Key and nonce are filled in below, where a damaged row can be told.
                    let jwk: Value = serde_json::from_str(&raw.2).unwrap_or(Value::Null);
                    let key = PublicKey::from_jwk(&jwk).map_err(|_| rusqlite::Error::InvalidQuery)?;
                    let session = Self {
                        id: id.to_owned(),
                        account: raw.0.clone(),
                        nonce: raw.1.as_slice().try_into().map_err(|_| rusqlite::Error::InvalidQuery)?,
                        key,
                        opened: Timestamp::from_unix(raw.3),
                        facts: serde_json::from_str(&raw.4).map_err(|_| rusqlite::Error::InvalidQuery)?,
                        citizen: row.get(5)?,
                        epoch: row.get(6)?,
                        face: row.get(7)?,
                        chip_tries: row.get(8)?,
                        chip_at: row.get(9)?,
                        code_hash: row.get(10)?,
                        code_until: row.get(11)?,
                        code_sends: row.get(12)?,
                        code_tries: row.get(13)?,
                        code_at: row.get(14)?,
                        face_tries: row.get(15)?,
                        face_at: row.get(16)?,
                        completed_at: row.get(17)?,
                        offer_number: row.get(18)?,
                    };
                    Ok((session, raw))
                },
            )
            .optional()?;
        found.map(|(session, _)| session).ok_or(unknown)
    }

    pub(super) fn state(&self) -> &'static str {
        if self.completed_at.is_some() {
            "completed"
        } else if self.chip_at.is_none() {
            if self.chip_tries >= CHIP_TRIES { "failed" } else { "awaiting-chip" }
        } else if (self.code_at.is_none() && self.code_tries >= CODE_TRIES) || (self.face_at.is_none() && self.face_tries >= FACE_TRIES) {
            "failed"
        } else if self.code_at.is_none() {
            "awaiting-code"
        } else if self.face_at.is_none() {
            "awaiting-face"
        } else {
            "ready"
        }
    }

    pub(super) fn tries_left(&self) -> i64 {
        if self.code_at.is_none() { CODE_TRIES - self.code_tries } else { FACE_TRIES - self.face_tries }.max(0)
    }

    /// Refuses a session whose time is over.
    pub(super) fn alive(&self, now: Timestamp) -> Result<(), ApiError> {
        if self.completed_at.is_none() && now > self.opened.plus_secs(SESSION_LIFE) { Err(EXPIRED) } else { Ok(()) }
    }

    /// Replaces facts of the same name and subject.
    pub(super) fn keep_facts(&mut self, connection: &Connection, new: &[Fact]) -> Result<(), CentralError> {
        let new: Vec<Value> = new.iter().map(fact_json).collect();
        self.facts.retain(|old| !new.iter().any(|fact| fact["name"] == old["name"] && fact["about"] == old["about"]));
        self.facts.extend(new);
        let text = Value::Array(self.facts.clone()).to_string();
        connection.execute("UPDATE sessions SET facts = ?2 WHERE id = ?1", (&self.id, text))?;
        Ok(())
    }

    pub(super) fn facts_named(&self, keep: impl Fn(&str, &str) -> bool) -> Vec<Value> {
        let word = |fact: &Value, member: &str| fact.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.facts.iter().filter(|fact| keep(&word(fact, "name"), &word(fact, "about"))).cloned().collect()
    }

    /// Verifies a statement by the device key; its payload must name this session.
    pub(super) fn statement(&self, proof: &str) -> Result<Jws, ApiError> {
        let jws = statement(proof, &self.key)?;
        if jws.text("session") == Some(self.id.as_str()) { Ok(jws) } else { Err(ApiError::proof("the proof is for another session")) }
    }
}

/// Verifies a compact JWS by a known key that is no DPoP proof.
pub(crate) fn statement(proof: &str, key: &PublicKey) -> Result<Jws, ApiError> {
    if proof.len() > 8192 {
        return Err(ApiError::proof("the proof is too long"));
    }
    let jws = Jws::parse(proof).map_err(|_| ApiError::proof("the proof is not a JWS"))?;
    if jws.header_text("typ") == Some("dpop+jwt") {
        return Err(ApiError::proof("a DPoP proof is no such proof"));
    }
    jws.verify(key).map_err(|_| ApiError::proof("the proof's signature does not verify"))?;
    Ok(jws)
}
