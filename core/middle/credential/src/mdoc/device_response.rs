//! `DeviceResponse` as it came (ISO 18013-5, 8.3.2.1.2.2).

use wallet_base::cbor::{self, Value};
use wallet_base::cose::{Mac0, Sign1};

use super::LIMITS;
use super::issuer_signed::IssuerSigned;
use crate::CredentialError;
use crate::raw;

/// Largest `DeviceResponse` accepted.
pub const MAX_RESPONSE_BYTES: usize = 4 * 1024 * 1024;
/// Most documents in one response.
pub const MAX_DOCUMENTS: usize = 16;

/// How the holder's key authenticated.
pub(super) enum DeviceAuth {
    Signature(Sign1),
    Mac(Mac0),
}

/// `deviceSigned`.
pub(super) struct DeviceSigned {
    /// `DeviceNameSpacesBytes` as it came, tag included.
    pub(super) name_spaces_raw: Vec<u8>,
    pub(super) elements: Vec<(String, String, Value)>,
    pub(super) auth: DeviceAuth,
}

/// One document of a response, unverified.
pub struct UnverifiedMdoc {
    pub(super) doctype: String,
    pub(super) issuer_signed: IssuerSigned,
    pub(super) device_signed: Option<DeviceSigned>,
}

impl std::fmt::Debug for UnverifiedMdoc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnverifiedMdoc").field("doctype", &self.doctype).finish_non_exhaustive()
    }
}

impl UnverifiedMdoc {
    /// The doctype the response claims.
    pub fn doctype(&self) -> &str {
        &self.doctype
    }

    /// The issuer's part.
    pub fn issuer_signed(&self) -> &IssuerSigned {
        &self.issuer_signed
    }

    /// Whether the holder's key authenticated at all. Tools that only issue write responses without it.
    pub fn has_device_authentication(&self) -> bool {
        self.device_signed.is_some()
    }
}

/// A `DeviceResponse` as it came.
#[derive(Debug)]
pub struct UnverifiedDeviceResponse {
    documents: Vec<UnverifiedMdoc>,
    status: u64,
}

impl UnverifiedDeviceResponse {
    /// Reads a response.
    ///
    /// # Errors
    /// Above [`MAX_RESPONSE_BYTES`] or [`MAX_DOCUMENTS`], not well-formed, or another major version.
    pub fn decode(bytes: &[u8]) -> Result<Self, CredentialError> {
        const WHAT: &str = "device response";
        if bytes.len() > MAX_RESPONSE_BYTES {
            return Err(CredentialError::TooLarge(WHAT));
        }
        let map = raw::text_map(bytes, LIMITS, WHAT)?;
        let version = raw::entry(&map, "version").ok_or(CredentialError::Malformed(WHAT))?;
        let version = cbor::decode(version, LIMITS).map_err(|_| CredentialError::Malformed(WHAT))?;
        // A receiver accepts every minor version of the major version it knows (8.3.2.1.1).
        if !version.as_text().is_some_and(|version| version.starts_with("1.")) {
            return Err(CredentialError::Unsupported("version of the device response"));
        }
        // Mandatory (8.3.2.1.2.2): a response whose status was taken away or renamed is none.
        let status = raw::entry(&map, "status").ok_or(CredentialError::Malformed(WHAT))?;
        let status = cbor::decode(status, LIMITS).ok().and_then(|value| value.as_u64()).ok_or(CredentialError::Malformed(WHAT))?;
        let documents = match raw::entry(&map, "documents") {
            Some(item) => cbor::array_items(item, LIMITS).map_err(|_| CredentialError::Malformed(WHAT))?,
            None => Vec::new(),
        };
        if documents.len() > MAX_DOCUMENTS {
            return Err(CredentialError::TooLarge("documents in one response"));
        }
        let documents = documents.into_iter().map(document).collect::<Result<_, _>>()?;
        Ok(Self { documents, status })
    }

    /// The documents, in order.
    pub fn documents(&self) -> &[UnverifiedMdoc] {
        &self.documents
    }

    /// The response's status code (0 is OK; table 8 of 8.3.2.1.2.3).
    pub fn status(&self) -> u64 {
        self.status
    }
}

fn document(item: &[u8]) -> Result<UnverifiedMdoc, CredentialError> {
    const WHAT: &str = "document of the device response";
    let malformed = CredentialError::Malformed(WHAT);
    let map = raw::text_map(item, LIMITS, WHAT)?;
    let doctype = cbor::decode(raw::entry(&map, "docType").ok_or(malformed)?, LIMITS).map_err(|_| malformed)?;
    Ok(UnverifiedMdoc {
        doctype: doctype.as_text().ok_or(malformed)?.to_owned(),
        issuer_signed: IssuerSigned::decode(raw::entry(&map, "issuerSigned").ok_or(malformed)?)?,
        device_signed: raw::entry(&map, "deviceSigned").map(device_signed).transpose()?,
    })
}

fn device_signed(item: &[u8]) -> Result<DeviceSigned, CredentialError> {
    const WHAT: &str = "device signed part of the mdoc";
    let malformed = CredentialError::Malformed(WHAT);
    let map = raw::text_map(item, LIMITS, WHAT)?;
    let name_spaces_raw = raw::entry(&map, "nameSpaces").ok_or(malformed)?;
    let mut elements = Vec::new();
    for (name_space, items) in raw::text_map(raw::untag_24(name_spaces_raw, WHAT)?, LIMITS, WHAT)? {
        for (element, value) in raw::text_map(items, LIMITS, WHAT)? {
            elements.push((name_space.clone(), element, cbor::decode(value, LIMITS).map_err(|_| malformed)?));
        }
    }
    let auth = raw::text_map(raw::entry(&map, "deviceAuth").ok_or(malformed)?, LIMITS, WHAT)?;
    // Either a signature or a MAC, never both (9.1.3.4).
    let auth = match (raw::entry(&auth, "deviceSignature"), raw::entry(&auth, "deviceMac")) {
        (Some(signature), None) => DeviceAuth::Signature(Sign1::decode(signature, LIMITS).map_err(|_| malformed)?),
        (None, Some(mac)) => DeviceAuth::Mac(Mac0::decode(mac, LIMITS).map_err(|_| malformed)?),
        _ => return Err(malformed),
    };
    Ok(DeviceSigned { name_spaces_raw: name_spaces_raw.to_vec(), elements, auth })
}
