//! Staff devices: a one-time code from an administrator becomes a certificate for seven days, for one key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use serde_json::{Value, json};
use wallet_base::crypto::{Curve, PublicKey, ct_eq, sha256};
use wallet_base::jose::b64u;
use wallet_base::time::Timestamp;
use wallet_base::x509::{Certificate, issue};
use wallet_exchange::certificate::reader_certificate;
use wallet_exchange::code_points::MAX_CERTIFICATE;

use crate::activation::statement;
use crate::clock;
use crate::error::{ApiError, CentralError};
use crate::service::Service;

/// Body of `POST /staff/enrol`.
#[derive(Deserialize)]
pub(crate) struct Enrol {
    code: String,
    public_key: Value,
    proof: String,
}

const INVALID_CODE: ApiError = ApiError::new(403, "invalid_code", "unknown, used or expired code");

impl Service {
    /// `POST /staff/enrol`.
    pub(crate) fn staff_enrol(&self, body: &Enrol) -> Result<Value, ApiError> {
        let key = PublicKey::from_jwk(&body.public_key)
            .ok()
            .filter(|key| key.curve() == Curve::P256 && body.public_key.get("d").is_none())
            .ok_or(ApiError::invalid("the public key cannot be used"))?;
        if statement(&body.proof, &key)?.text("code") != Some(body.code.as_str()) {
            return Err(ApiError::proof("the proof is for another code"));
        }
        let now = self.now();
        let hash = code_hash(&body.code);
        let mut connection = self.db();
        let transaction = clock::begin(&mut connection, now)?;
        let thumbprint = key.thumbprint();
        let code: StaffCode = transaction
            .query_row(
                "SELECT role, organisation, place, used_at IS NOT NULL, thumbprint, certificate FROM staff_codes WHERE hash = ?1 AND until > ?2",
                (hash.as_slice(), now.unix()),
                StaffCode::read,
            )
            .optional()?
            .ok_or(INVALID_CODE)?;
        if code.used {
            // A code is good once. The key that used it proved itself again: its answer was lost on the way, and it receives the same one.
            return match (&code.thumbprint, &code.certificate) {
                (Some(known), Some(certificate)) if ct_eq(known, &thumbprint) => Ok(self.enrolled(&code, &certificate_of(certificate)?)),
                _ => Err(INVALID_CODE),
            };
        }
        let StaffCode { role, organisation, place, .. } = &code;
        // A pseudonym of the device, never an officer's name (DESIGN section 7). An hour back for clocks that are a little behind.
        let spec = reader_certificate(role, organisation, &b64u(&self.random_bytes::<4>()), key, now.plus_secs(-3600))
            .map_err(|_| CentralError::Issue("a staff certificate"))?;
        let reader = &self.keys.reader;
        let certificate =
            issue(&spec, Some(&reader.certificate), &reader.key, &*self.random).map_err(|_| CentralError::Issue("a staff certificate"))?;
        if certificate.der().len() > MAX_CERTIFICATE {
            return Err(CentralError::Issue("a staff certificate of at most 400 bytes").into());
        }
        transaction.execute(
            "UPDATE staff_codes SET used_at = ?2, thumbprint = ?3, certificate = ?4 WHERE hash = ?1",
            params![hash.as_slice(), now.unix(), thumbprint.as_slice(), certificate.der()],
        )?;
        transaction.execute(
            "INSERT INTO staff_devices (certificate_hash, role, organisation, place, issued_at, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![certificate.sha256().as_slice(), role, organisation, place, now.unix(), certificate.not_after().unix()],
        )?;
        transaction.commit().map_err(CentralError::from)?;
        Ok(self.enrolled(&code, &certificate))
    }

    fn enrolled(&self, code: &StaffCode, certificate: &Certificate) -> Value {
        let StaffCode { role, organisation, place, .. } = code;
        json!({
            "certificate": STANDARD.encode(certificate.der()), "authority": STANDARD.encode(self.keys.reader.certificate.der()),
            "role": role, "organisation": organisation, "place": place, "expires": certificate.not_after().to_rfc3339(),
        })
    }
}

/// A code that has not expired, and what became of it.
struct StaffCode {
    role: String,
    organisation: String,
    place: String,
    used: bool,
    /// Of the key that used it.
    thumbprint: Option<Vec<u8>>,
    /// DER of what it got.
    certificate: Option<Vec<u8>>,
}

impl StaffCode {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            role: row.get(0)?,
            organisation: row.get(1)?,
            place: row.get(2)?,
            used: row.get(3)?,
            thumbprint: row.get(4)?,
            certificate: row.get(5)?,
        })
    }
}

fn certificate_of(der: &[u8]) -> Result<Certificate, CentralError> {
    Certificate::from_der(der).map_err(|_| CentralError::Damaged("staff certificate"))
}

/// Codes are kept as hashes. They carry 80 random bits, so that a plain hash is enough; spelling differences do not matter.
pub(crate) fn code_hash(code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    sha256(plain.as_bytes())
}

/// Longest organisation and role id together in bytes: all else in a staff certificate takes at most 338 of its 400 bytes.
pub(crate) const MAX_NAMES: usize = 62;

/// When a staff code ends.
pub(crate) fn code_until(now: Timestamp) -> Timestamp {
    now.plus_secs(24 * 3600)
}
