//! `IssuerSigned`: what the issuer gives the holder, and the holder shows in part (ISO 18013-5, 8.3.2.1.2.2).

use wallet_base::cbor::{self, Value};
use wallet_base::cose::Sign1;
use wallet_base::crypto::PublicKey;

use super::LIMITS;
use super::mso::MobileSecurityObject;
use crate::CredentialError;
use crate::raw;

/// Largest `IssuerSigned` accepted.
pub const MAX_ISSUER_SIGNED_BYTES: usize = 1024 * 1024;

/// One data element as the issuer wrapped it. `Debug` leaves out its value.
#[derive(Clone)]
pub struct IssuerSignedItem {
    /// `#6.24(bstr .cbor IssuerSignedItem)` as it came: what is hashed.
    pub(super) raw: Vec<u8>,
    pub(super) digest_id: u64,
    pub(super) element: String,
    pub(super) value: Value,
}

impl std::fmt::Debug for IssuerSignedItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuerSignedItem").field("element", &self.element).finish_non_exhaustive()
    }
}

impl IssuerSignedItem {
    fn decode(item: &[u8]) -> Result<Self, CredentialError> {
        let malformed = CredentialError::Malformed("data element");
        let content = cbor::decode(raw::untag_24(item, "data element")?, LIMITS).map_err(|_| malformed)?;
        // ISO 18013-5, 9.1.2.5: the random value is at least 16 bytes; a peer's is only required to be there.
        content.get_text("random").and_then(Value::as_bytes).ok_or(malformed)?;
        Ok(Self {
            raw: item.to_vec(),
            digest_id: content.get_text("digestID").and_then(Value::as_u64).ok_or(malformed)?,
            element: content.get_text("elementIdentifier").and_then(Value::as_text).ok_or(malformed)?.to_owned(),
            value: content.get_text("elementValue").ok_or(malformed)?.clone(),
        })
    }

    /// Element identifier, for example `family_name`.
    pub fn element(&self) -> &str {
        &self.element
    }

    /// The value, unverified.
    pub fn value(&self) -> &Value {
        &self.value
    }
}

/// A parsed `IssuerSigned`. Nothing in it is verified: the wallet gets a verified one from [`verify_issued`](super::verify_issued), a
/// checker from [`UnverifiedMdoc::verify`](super::UnverifiedMdoc::verify).
#[derive(Clone)]
pub struct IssuerSigned {
    pub(super) bytes: Vec<u8>,
    pub(super) name_spaces: Vec<(String, Vec<IssuerSignedItem>)>,
    pub(super) auth: Sign1,
    pub(super) auth_raw: Vec<u8>,
    pub(super) mso: MobileSecurityObject,
}

impl std::fmt::Debug for IssuerSigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuerSigned").field("mso", &self.mso).finish_non_exhaustive()
    }
}

impl IssuerSigned {
    /// Reads an `IssuerSigned` map and keeps its bytes.
    ///
    /// # Errors
    /// Above [`MAX_ISSUER_SIGNED_BYTES`], not well-formed, or an unknown version or digest algorithm.
    pub fn decode(bytes: &[u8]) -> Result<Self, CredentialError> {
        const WHAT: &str = "issuer signed part of the mdoc";
        if bytes.len() > MAX_ISSUER_SIGNED_BYTES {
            return Err(CredentialError::TooLarge(WHAT));
        }
        let map = raw::text_map(bytes, LIMITS, WHAT)?;
        // ISO/IEC 18013-5:2021, 8.3.2.1.2.2 leaves no room for other members; one that is renamed would hide what was signed.
        if map.iter().any(|(name, _)| !["nameSpaces", "issuerAuth"].contains(&name.as_str())) {
            return Err(CredentialError::Malformed(WHAT));
        }
        let auth_raw = raw::entry(&map, "issuerAuth").ok_or(CredentialError::Malformed(WHAT))?;
        let auth = Sign1::decode(auth_raw, LIMITS).map_err(|_| CredentialError::Malformed("issuer authentication"))?;
        let payload = auth.payload().ok_or(CredentialError::Malformed("issuer authentication without content"))?;
        let mso = MobileSecurityObject::decode(raw::untag_24(payload, "mobile security object")?)?;
        let name_spaces = match raw::entry(&map, "nameSpaces") {
            Some(item) => read_name_spaces(item)?,
            None => Vec::new(),
        };
        Ok(Self { bytes: bytes.to_vec(), name_spaces, auth_raw: auth_raw.to_vec(), auth, mso })
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the issuer signed, unverified.
    pub fn mso(&self) -> &MobileSecurityObject {
        &self.mso
    }

    /// The doctype the issuer signed, unverified.
    pub fn doctype(&self) -> &str {
        &self.mso.doctype
    }

    /// The holder's key, unverified.
    pub fn device_key(&self) -> &PublicKey {
        &self.mso.device_key
    }

    /// Namespace and items, in the order they came.
    pub fn name_spaces(&self) -> impl Iterator<Item = (&str, &[IssuerSignedItem])> {
        self.name_spaces.iter().map(|(ns, items)| (ns.as_str(), items.as_slice()))
    }

    /// An element's value, unverified.
    pub fn element(&self, name_space: &str, element: &str) -> Option<&Value> {
        self.items().find(|(ns, item)| *ns == name_space && item.element == element).map(|(_, item)| &item.value)
    }

    pub(super) fn items(&self) -> impl Iterator<Item = (&str, &IssuerSignedItem)> {
        self.name_spaces.iter().flat_map(|(ns, items)| items.iter().map(move |item| (ns.as_str(), item)))
    }
}

fn read_name_spaces(item: &[u8]) -> Result<Vec<(String, Vec<IssuerSignedItem>)>, CredentialError> {
    const WHAT: &str = "namespaces of the mdoc";
    let read = |(name_space, items): (String, &[u8])| {
        let items = cbor::array_items(items, LIMITS).map_err(|_| CredentialError::Malformed(WHAT))?;
        Ok((name_space, items.into_iter().map(IssuerSignedItem::decode).collect::<Result<_, _>>()?))
    };
    raw::text_map(item, LIMITS, WHAT)?.into_iter().map(read).collect()
}
