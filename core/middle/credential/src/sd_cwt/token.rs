//! An SD-CWT as it came.

use wallet_base::cbor::{self, Value};
use wallet_base::cose::{Sign1, TAG_SIGN1};
use wallet_base::crypto::PublicKey;
use wallet_base::time::Timestamp;

use super::LIMITS;
use super::code_points::{
    ALG_SHA_256, CLAIM_CNF, CLAIM_EXP, CLAIM_IAT, CLAIM_NBF, CLAIM_STATUS, CLAIM_VCT, CNF_COSE_KEY, HEADER_SD_ALG, HEADER_SD_CLAIMS,
    HEADER_TYP, SIMPLE_REDACTED_KEYS, TAG_REDACTED_ELEMENT, TYP_SD_CWT, TYP_SD_CWT_TEXT,
};
use super::digest::{Content, Digest, Disclosure};
use crate::CredentialError;
use crate::check::Period;
use crate::raw::Writer;
use crate::status::{StatusRef, numeric_date};

/// Largest SD-CWT accepted (a redacted portrait of 4 KB fits many times).
pub const MAX_SD_CWT_BYTES: usize = 64 * 1024;
/// Most disclosures in one token.
const MAX_DISCLOSURES: usize = 256;

/// A parsed SD-CWT with the disclosures that came along. Nothing in it is verified: the wallet gets a verified one from
/// [`verify_issued`](super::verify_issued), a checker from [`UnverifiedKbt::verify`](super::kbt::UnverifiedKbt::verify). `Debug` shows no claims.
#[derive(Clone)]
pub struct SdCwt {
    pub(super) sign1: Sign1,
    pub(super) disclosures: Vec<Disclosure>,
    pub(super) claims: Value,
    pub(super) vct: Option<String>,
    pub(super) cnf: PublicKey,
    pub(super) issued_at: Option<Timestamp>,
    pub(super) not_before: Option<Timestamp>,
    pub(super) expires: Option<Timestamp>,
    pub(super) status: Option<StatusRef>,
}

impl std::fmt::Debug for SdCwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SdCwt").field("vct", &self.vct).finish_non_exhaustive()
    }
}

impl SdCwt {
    /// Reads a tagged or untagged COSE_Sign1 of type SD-CWT.
    ///
    /// # Errors
    /// Above [`MAX_SD_CWT_BYTES`], not well-formed (indefinite lengths and duplicate keys included), another type or digest algorithm.
    pub fn decode(bytes: &[u8]) -> Result<Self, CredentialError> {
        if bytes.len() > MAX_SD_CWT_BYTES {
            return Err(CredentialError::TooLarge("SD-CWT"));
        }
        let malformed = CredentialError::Malformed("SD-CWT");
        let sign1 = Sign1::decode(bytes, LIMITS).map_err(|_| malformed)?;
        if !has_type(&sign1, TYP_SD_CWT, TYP_SD_CWT_TEXT) {
            return Err(CredentialError::Malformed("not typed as an SD-CWT"));
        }
        if sign1.protected().get_int(HEADER_SD_ALG).is_some_and(|alg| alg.as_int() != Some(ALG_SHA_256)) {
            return Err(CredentialError::Unsupported("digest algorithm"));
        }
        let claims =
            cbor::decode(sign1.payload().ok_or(malformed)?, LIMITS).map_err(|_| CredentialError::Malformed("claims of the SD-CWT"))?;
        let time = |claim: i64| {
            let read = |value| numeric_date(value).ok_or(CredentialError::Malformed("a time of the SD-CWT"));
            claims.get_int(claim).map(read).transpose()
        };
        let vct =
            claims.get_int(CLAIM_VCT).map(|vct| vct.as_text().map(str::to_owned).ok_or(CredentialError::Unsupported("type of the SD-CWT")));
        let status = claims
            .get_int(CLAIM_STATUS)
            .map(|status| StatusRef::from_value(status).ok_or(CredentialError::Malformed("status of the SD-CWT")));
        let cnf = claims.get_int(CLAIM_CNF).and_then(|cnf| cnf.get_int(CNF_COSE_KEY)).ok_or(CredentialError::Malformed("no holder key"))?;
        Ok(Self {
            vct: vct.transpose()?,
            cnf: PublicKey::from_cose_key(cnf).map_err(|_| CredentialError::Malformed("holder key"))?,
            issued_at: time(CLAIM_IAT)?,
            not_before: time(CLAIM_NBF)?,
            expires: time(CLAIM_EXP)?,
            status: status.transpose()?,
            disclosures: read_disclosures(bytes)?,
            claims,
            sign1,
        })
    }

    /// The credential type it claims.
    pub fn vct(&self) -> Option<&str> {
        self.vct.as_deref()
    }

    /// The holder's key it names.
    pub fn holder_key(&self) -> &PublicKey {
        &self.cnf
    }

    /// End of validity.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Where its status stands.
    pub fn status(&self) -> Option<&StatusRef> {
        self.status.as_ref()
    }

    /// Integer keys of the claims the disclosures at hand can show on the top level, in ascending order.
    pub fn disclosable(&self) -> Vec<i64> {
        let top = digests_in(&self.claims, false);
        let mut keys: Vec<i64> = self.disclosures.iter().filter(|d| top.contains(&d.digest)).filter_map(Disclosure::claim_key).collect();
        keys.sort_unstable();
        keys
    }

    /// Number of digests of redacted claims, decoys included.
    pub fn redacted_count(&self) -> usize {
        digests_in(&self.claims, false).len()
    }

    /// The token with the disclosures of the chosen claims only (and of whatever is nested in them); everything signed stays as it came.
    ///
    /// # Errors
    /// A key that the token cannot disclose.
    pub fn select(&self, keys: &[i64]) -> Result<Vec<u8>, CredentialError> {
        let top = digests_in(&self.claims, false);
        let mut wanted: Vec<Digest> = Vec::new();
        for key in keys {
            let found = self.disclosures.iter().find(|d| d.claim_key() == Some(*key) && top.contains(&d.digest));
            wanted.push(found.ok_or(CredentialError::NoSuchElement)?.digest);
        }
        // Nested digests join until nothing new appears; every round adds at least one of a bounded set.
        let mut done = 0;
        while let Some(digest) = wanted.get(done).copied() {
            done += 1;
            let nested = self.disclosures.iter().find(|d| d.digest == digest).map(|d| match &d.content {
                Content::Entry { value, .. } | Content::Element(value) => digests_in(value, true),
                Content::Decoy => Vec::new(),
            });
            for digest in nested.into_iter().flatten() {
                if !wanted.contains(&digest) && self.disclosures.iter().any(|d| d.digest == digest) {
                    wanted.push(digest);
                }
            }
        }
        let kept: Vec<&Disclosure> = self.disclosures.iter().filter(|d| wanted.contains(&d.digest)).collect();
        let mut out = Writer::new();
        out.tag(TAG_SIGN1).array(4).bytes(self.sign1.protected_raw());
        if kept.is_empty() {
            // An empty array is invalid: the header is left out.
            out.map(0);
        } else {
            out.map(1).unsigned(HEADER_SD_CLAIMS.unsigned_abs()).array(kept.len());
            for disclosure in kept {
                out.raw(&disclosure.raw);
            }
        }
        let payload = self.sign1.payload().unwrap_or_default();
        Ok(out.bytes(payload).bytes(self.sign1.signature()).take())
    }

    pub(super) fn period(&self) -> Period {
        Period { signed: self.issued_at, from: self.not_before, until: self.expires }
    }
}

pub(super) fn has_type(sign1: &Sign1, number: u64, text: &str) -> bool {
    match sign1.protected().get_int(HEADER_TYP) {
        Some(Value::Unsigned(typ)) => *typ == number,
        Some(Value::Text(typ)) => typ == text,
        _ => false,
    }
}

/// The disclosures as spans of the original bytes, since their digests are over the bytes that came.
fn read_disclosures(token: &[u8]) -> Result<Vec<Disclosure>, CredentialError> {
    let malformed = CredentialError::Malformed("disclosures");
    let array = cbor::tag_content(token, TAG_SIGN1).unwrap_or(token);
    let parts = cbor::array_items(array, LIMITS).map_err(|_| malformed)?;
    let header = parts.get(1).copied().ok_or(malformed)?;
    let key = cbor::encode(&Value::int(HEADER_SD_CLAIMS));
    let entries = cbor::map_entries(header, LIMITS).map_err(|_| malformed)?;
    let Some((_, disclosures)) = entries.into_iter().find(|(label, _)| *label == key) else { return Ok(Vec::new()) };
    let disclosures = cbor::array_items(disclosures, LIMITS).map_err(|_| malformed)?;
    if disclosures.is_empty() {
        return Err(CredentialError::Malformed("an empty list of disclosures"));
    }
    if disclosures.len() > MAX_DISCLOSURES {
        return Err(CredentialError::TooLarge("disclosures"));
    }
    disclosures.into_iter().map(Disclosure::decode).collect()
}

/// Digests of redacted claims of a map (and, when `nested`, of everything in it).
fn digests_in(value: &Value, nested: bool) -> Vec<Digest> {
    let mut out = Vec::new();
    collect_digests(value, nested, &mut out);
    out
}

fn collect_digests(value: &Value, nested: bool, out: &mut Vec<Digest>) {
    let digest = |value: &Value| value.as_bytes().and_then(|bytes| Digest::try_from(bytes).ok());
    match value {
        Value::Map(entries) => {
            for (key, value) in entries {
                if *key == Value::Simple(SIMPLE_REDACTED_KEYS) {
                    out.extend(value.as_array().unwrap_or_default().iter().filter_map(digest));
                } else if nested {
                    collect_digests(value, nested, out);
                }
            }
        }
        Value::Array(items) if nested => {
            for item in items {
                match item {
                    Value::Tag(TAG_REDACTED_ELEMENT, inner) => out.extend(digest(inner)),
                    other => collect_digests(other, nested, out),
                }
            }
        }
        Value::Tag(_, inner) if nested => collect_digests(inner, nested, out),
        _ => {}
    }
}
