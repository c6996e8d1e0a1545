//! One disclosure and its digest.

use wallet_base::cbor::{self, Value};
use wallet_base::crypto::sha256;

use super::LIMITS;
use super::code_points::{MAX_TEXT_KEY_BYTES, NEVER_REDACTED, SALT_BYTES};
use crate::CredentialError;
use crate::raw::Writer;

/// SHA-256 over the CBOR byte string, its head included (the tokens of the draft do so; its prose walk-through does not).
pub(super) type Digest = [u8; 32];

/// What a disclosure discloses.
#[derive(Clone)]
pub(super) enum Content {
    /// `[salt, value, key]`: an entry of a map.
    Entry { key: Value, value: Value },
    /// `[salt, value]`: an element of an array.
    Element(Value),
    /// `[salt]`: nothing.
    Decoy,
}

/// One disclosure as it came.
#[derive(Clone)]
pub(super) struct Disclosure {
    /// The encoded byte string: what is hashed.
    pub(super) raw: Vec<u8>,
    pub(super) digest: Digest,
    pub(super) content: Content,
}

impl Disclosure {
    /// Reads one member of `sd_claims`: an encoded byte string.
    pub(super) fn decode(raw: &[u8]) -> Result<Self, CredentialError> {
        let malformed = CredentialError::Malformed("disclosure");
        let inner = cbor::byte_string(raw).map_err(|_| malformed)?;
        if raw != Writer::new().bytes(inner).take() {
            // Another head would give another digest for the same disclosure.
            return Err(malformed);
        }
        let decoded = cbor::decode(inner, LIMITS).map_err(|_| malformed)?;
        let parts = decoded.as_array().ok_or(malformed)?;
        let salt = parts.first().and_then(Value::as_bytes).ok_or(malformed)?;
        if salt.len() != SALT_BYTES {
            return Err(malformed);
        }
        let content = match parts {
            [_] => Content::Decoy,
            [_, value] => Content::Element(value.clone()),
            [_, value, key] if is_claim_key(key) => Content::Entry { key: key.clone(), value: value.clone() },
            _ => return Err(malformed),
        };
        Ok(Self { digest: sha256(raw), raw: raw.to_vec(), content })
    }

    /// Makes a disclosure.
    pub(super) fn new(salt: &[u8; SALT_BYTES], content: Content) -> Self {
        let mut parts = vec![Value::bytes(salt)];
        match &content {
            Content::Entry { key, value } => parts.extend([value.clone(), key.clone()]),
            Content::Element(value) => parts.push(value.clone()),
            Content::Decoy => {}
        }
        let raw = Writer::new().bytes(&cbor::encode(&Value::Array(parts))).take();
        Self { digest: sha256(&raw), raw, content }
    }

    /// The integer key of the claim it discloses.
    pub(super) fn claim_key(&self) -> Option<i64> {
        match &self.content {
            Content::Entry { key, .. } => key.as_int(),
            _ => None,
        }
    }
}

/// Keys of claims maps: integers, or text of at most 255 bytes.
pub(super) fn is_claim_key(key: &Value) -> bool {
    match key {
        Value::Unsigned(_) | Value::Negative(_) => true,
        Value::Text(text) => text.len() <= MAX_TEXT_KEY_BYTES,
        _ => false,
    }
}

/// Whether a claim of the top level may be redacted.
pub(super) fn may_be_redacted(key: &Value) -> bool {
    key.as_int().is_none_or(|key| !NEVER_REDACTED.contains(&key))
}
