//! The mobile security object: what the issuer signs (ISO 18013-5, 9.1.2.4).

use wallet_base::cbor::{self, Value};
use wallet_base::crypto::{HashAlg, PublicKey};
use wallet_base::time::{Date, Timestamp};

use super::LIMITS;
use crate::CredentialError;
use crate::check::Period;
use crate::status::StatusRef;

const TAG_DATE_TIME: u64 = 0;
const TAG_FULL_DATE: u64 = 1004;

/// Digest identifier and digest of each element of one namespace.
type Digests = Vec<(u64, Vec<u8>)>;

/// What the issuer signed about a document: digests, device key, type, period.
#[derive(Clone)]
pub struct MobileSecurityObject {
    pub(super) digest_alg: HashAlg,
    pub(super) digests: Vec<(String, Digests)>,
    pub(super) device_key: PublicKey,
    pub(super) authorized: KeyAuthorizations,
    pub(super) doctype: String,
    pub(super) signed: Timestamp,
    pub(super) valid_from: Timestamp,
    pub(super) valid_until: Timestamp,
    pub(super) status: Option<StatusRef>,
}

impl std::fmt::Debug for MobileSecurityObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MobileSecurityObject").field("doctype", &self.doctype).finish_non_exhaustive()
    }
}

/// What the device key may add itself (`keyAuthorizations`).
#[derive(Clone, Debug, Default)]
pub(super) struct KeyAuthorizations {
    name_spaces: Vec<String>,
    elements: Vec<(String, Vec<String>)>,
}

impl KeyAuthorizations {
    fn read(value: &Value) -> Option<Self> {
        let texts = |value: &Value| value.as_array()?.iter().map(|v| v.as_text().map(str::to_owned)).collect::<Option<Vec<_>>>();
        let name_spaces = value.get_text("nameSpaces").map_or(Some(Vec::new()), texts)?;
        let elements = match value.get_text("dataElements") {
            Some(map) => map.as_map()?.iter().map(|(ns, ids)| Some((ns.as_text()?.to_owned(), texts(ids)?))).collect::<Option<_>>()?,
            None => Vec::new(),
        };
        Some(Self { name_spaces, elements })
    }

    pub(super) fn allows(&self, name_space: &str, element: &str) -> bool {
        self.name_spaces.iter().any(|ns| ns == name_space)
            || self.elements.iter().any(|(ns, ids)| ns == name_space && ids.iter().any(|id| id == element))
    }
}

impl MobileSecurityObject {
    /// Reads `MobileSecurityObjectBytes` content.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, CredentialError> {
        const WHAT: &str = "mobile security object";
        let malformed = CredentialError::Malformed(WHAT);
        let mso = cbor::decode(bytes, LIMITS).map_err(|_| malformed)?;
        let text = |key: &str| mso.get_text(key).and_then(Value::as_text).ok_or(malformed);
        if text("version")? != "1.0" {
            return Err(CredentialError::Unsupported("version of the mobile security object"));
        }
        let digest_alg = match text("digestAlgorithm")? {
            "SHA-256" => HashAlg::Sha256,
            "SHA-384" => HashAlg::Sha384,
            "SHA-512" => HashAlg::Sha512,
            _ => return Err(CredentialError::Unsupported("digest algorithm")),
        };
        let key_info = mso.get_text("deviceKeyInfo").ok_or(malformed)?;
        let device_key = key_info.get_text("deviceKey").ok_or(malformed)?;
        let device_key = PublicKey::from_cose_key(device_key).map_err(|_| CredentialError::Malformed("device key"))?;
        let authorized = match key_info.get_text("keyAuthorizations") {
            Some(value) => KeyAuthorizations::read(value).ok_or(malformed)?,
            None => KeyAuthorizations::default(),
        };
        let validity = mso.get_text("validityInfo").ok_or(malformed)?;
        let time = |key: &str| validity.get_text(key).and_then(read_time).ok_or(CredentialError::Malformed("validity of the mdoc"));
        // Another status mechanism than a status list is not ours to read: the status is then not checked.
        let status = mso.get_text("status").and_then(StatusRef::from_value);
        Ok(Self {
            digest_alg,
            digests: read_digests(mso.get_text("valueDigests").ok_or(malformed)?).ok_or(malformed)?,
            device_key,
            authorized,
            doctype: text("docType")?.to_owned(),
            signed: time("signed")?,
            valid_from: time("validFrom")?,
            valid_until: time("validUntil")?,
            status,
        })
    }

    pub(super) fn digest(&self, name_space: &str, id: u64) -> Option<&[u8]> {
        let (_, digests) = self.digests.iter().find(|(ns, _)| ns == name_space)?;
        digests.iter().find(|(known, _)| *known == id).map(|(_, digest)| digest.as_slice())
    }

    pub(super) fn period(&self) -> Period {
        Period { signed: Some(self.signed), from: Some(self.valid_from), until: Some(self.valid_until) }
    }

    /// The document type the issuer signed.
    pub fn doctype(&self) -> &str {
        &self.doctype
    }

    /// The holder's key.
    pub fn device_key(&self) -> &PublicKey {
        &self.device_key
    }

    /// When it was signed.
    pub fn signed(&self) -> Timestamp {
        self.signed
    }

    /// Valid from.
    pub fn valid_from(&self) -> Timestamp {
        self.valid_from
    }

    /// Valid until, exclusive.
    pub fn valid_until(&self) -> Timestamp {
        self.valid_until
    }

    /// Where its status stands.
    pub fn status(&self) -> Option<&StatusRef> {
        self.status.as_ref()
    }
}

fn read_digests(value: &Value) -> Option<Vec<(String, Digests)>> {
    let read = |(ns, ids): &(Value, Value)| {
        let ids = ids.as_map()?.iter().map(|(id, digest)| Some((id.as_u64()?, digest.as_bytes()?.to_vec())));
        Some((ns.as_text()?.to_owned(), ids.collect::<Option<Vec<_>>>()?))
    };
    value.as_map()?.iter().map(read).collect()
}

/// `tdate` (tag 0), and what peers write instead: the text alone, or a full-date (tag 1004), read as its first second.
fn read_time(value: &Value) -> Option<Timestamp> {
    let day = |text: &str| Date::parse_iso(text).map(Timestamp::from_date);
    match value {
        Value::Text(text) => Timestamp::parse_rfc3339(text).or_else(|| day(text)),
        Value::Tag(TAG_DATE_TIME, inner) => Timestamp::parse_rfc3339(inner.as_text()?),
        Value::Tag(TAG_FULL_DATE, inner) => day(inner.as_text()?),
        _ => None,
    }
}

/// `tdate`: RFC 3339 in UTC without fractions (ISO 18013-5, 7.2.1).
pub(super) fn write_time(time: Timestamp) -> Value {
    Value::tag(TAG_DATE_TIME, Value::text(&time.to_rfc3339()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_peers_write_them() {
        let at = Timestamp::from_unix(1_601_559_002);
        assert_eq!(read_time(&write_time(at)), Some(at));
        assert_eq!(read_time(&Value::text("2020-10-01T13:30:02Z")), Some(at));
        assert_eq!(read_time(&Value::tag(0, Value::text("2020-10-01T15:30:02+02:00"))), Some(at));
        let midnight = Timestamp::from_unix(1_601_510_400);
        assert_eq!(read_time(&Value::tag(1004, Value::text("2020-10-01"))), Some(midnight));
        assert_eq!(read_time(&Value::tag(0, Value::text("2020-10-01"))), None);
        assert_eq!(read_time(&Value::Unsigned(1_601_510_400)), None);
    }
}
