//! EF.SOD (9303-10, 4.6.2): a CMS SignedData (RFC 5652) around the LDS security object. Parsed over the bytes that arrived; the
//! bytes that were hashed and signed are kept as they were.

use std::collections::BTreeMap;

use wallet_base::crypto::{HashAlg, ct_eq};
use wallet_base::x509::Certificate;

use crate::ReadError;
use crate::keys::{self, Form};
use crate::tlv::{self, Tlv, TlvError};

const FILE: &str = "EF.SOD";
const ID_SIGNED_DATA: [u8; 9] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];
/// id-icao-mrtd-security-ldsSecurityObject, 2.23.136.1.1.1.
const ID_LDS_SECURITY_OBJECT: [u8; 6] = [0x67, 0x81, 0x08, 0x01, 0x01, 0x01];
const ID_CONTENT_TYPE: [u8; 9] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x03];
const ID_MESSAGE_DIGEST: [u8; 9] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x04];
const MAX_CERTIFICATES: usize = 8;

const fn malformed(reason: &'static str) -> ReadError {
    ReadError::malformed(FILE, reason)
}

fn fault(fault: TlvError) -> ReadError {
    fault.within(FILE)
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureFault {
    /// It is wrong, or breaks a rule of CMS.
    Wrong(&'static str),
    /// Its algorithm is not one of ours, so nothing can be said.
    Unsupported(&'static str),
}

enum SignerId {
    IssuerAndSerial { issuer: Vec<u8>, serial: Vec<u8> },
    KeyId(Vec<u8>),
}

/// A parsed security object. **Nothing is verified by parsing**: [`crate::passive::verify`] does that.
pub struct Sod {
    hash: HashAlg,
    groups: BTreeMap<u8, Vec<u8>>,
    content: Vec<u8>,
    certificates: Vec<Certificate>,
    signer: SignerId,
    digest_oid: Vec<u8>,
    signature_oid: Vec<u8>,
    signed_attributes: Vec<u8>,
    signature: Vec<u8>,
}

impl std::fmt::Debug for Sod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sod({} groups, {} certificates)", self.groups.len(), self.certificates.len())
    }
}

impl Sod {
    /// Parses 77 { ContentInfo }. Bytes after the outer element are padding.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReadError> {
        let outer = tlv::file(bytes, 0x77).map_err(fault)?;
        let mut info = tlv::only_tag(outer.value, 0x30).map_err(fault)?.children();
        if info.next_tag(0x06).map_err(fault)?.value != ID_SIGNED_DATA {
            return Err(malformed("not signed data"));
        }
        let explicit = info.next_tag(0xA0).map_err(fault)?;
        let mut signed = tlv::only_tag(explicit.value, 0x30).map_err(fault)?.children();
        signed.next_tag(0x02).map_err(fault)?;
        signed.next_tag(0x31).map_err(fault)?;

        let mut encapsulated = signed.next_tag(0x30).map_err(fault)?.children();
        if encapsulated.next_tag(0x06).map_err(fault)?.value != ID_LDS_SECURITY_OBJECT {
            return Err(malformed("wrong content type"));
        }
        let wrapped = encapsulated.next_tag(0xA0).map_err(fault)?;
        let content = tlv::only_tag(wrapped.value, 0x04).map_err(fault)?.value;
        let (hash, groups) = lds_security_object(content)?;

        let certificates = match signed.next_if(0xA0).map_err(fault)? {
            Some(set) => set.children().all().map_err(fault)?,
            None => Vec::new(),
        };
        if certificates.len() > MAX_CERTIFICATES {
            return Err(malformed("too many certificates"));
        }
        let certificates = certificates.into_iter().filter_map(|certificate| Certificate::from_der(certificate.raw).ok()).collect();
        signed.next_if(0xA1).map_err(fault)?;

        let signers = signed.next_tag(0x31).map_err(fault)?;
        signed.end().map_err(fault)?;
        let signer = tlv::only_tag(signers.value, 0x30).map_err(|_| malformed("not exactly one signer"))?;
        let mut fields = signer.children();
        fields.next_tag(0x02).map_err(fault)?;
        let id = fields.next_any().map_err(fault)?;
        let signer = match id.tag {
            0x30 => {
                let mut parts = id.children();
                let issuer = parts.next_tag(0x30).map_err(fault)?.raw.to_vec();
                SignerId::IssuerAndSerial { issuer, serial: parts.next_tag(0x02).map_err(fault)?.value.to_vec() }
            }
            0x80 => SignerId::KeyId(id.value.to_vec()),
            _ => return Err(malformed("signer identifier")),
        };
        let oid = |algorithm: Tlv<'_>| algorithm.children().next_tag(0x06).map(|oid| oid.value.to_vec()).map_err(fault);
        let digest_oid = oid(fields.next_tag(0x30).map_err(fault)?)?;
        // RFC 5652, 5.3: mandatory, since the content is not id-data.
        let attributes = fields.next_if(0xA0).map_err(fault)?.ok_or(malformed("no signed attributes"))?;
        let signature_oid = oid(fields.next_tag(0x30).map_err(fault)?)?;
        let signature = fields.next_tag(0x04).map_err(fault)?.value.to_vec();
        Ok(Self {
            hash,
            groups,
            content: content.to_vec(),
            certificates,
            signer,
            digest_oid,
            signature_oid,
            signed_attributes: attributes.value.to_vec(),
            signature,
        })
    }

    /// Numbers of the data groups whose hashes are listed.
    pub fn groups(&self) -> impl Iterator<Item = u8> + '_ {
        self.groups.keys().copied()
    }

    /// The listed hash of a data group.
    pub fn group_hash(&self, number: u8) -> Option<&[u8]> {
        self.groups.get(&number).map(Vec::as_slice)
    }

    /// Hash algorithm of the data groups.
    pub const fn hash_alg(&self) -> HashAlg {
        self.hash
    }

    /// Whether the bytes of a data group have the listed hash; `None` when the group is not listed.
    pub fn group_matches(&self, number: u8, bytes: &[u8]) -> Option<bool> {
        self.group_hash(number).map(|listed| ct_eq(listed, &self.hash.digest(bytes)))
    }

    /// The embedded certificate that the signer identifier names.
    pub fn signer_certificate(&self) -> Option<&Certificate> {
        self.certificates.iter().find(|certificate| match &self.signer {
            SignerId::IssuerAndSerial { issuer, serial } => {
                certificate.issuer_der() == *issuer && strip(certificate.serial()) == strip(serial)
            }
            SignerId::KeyId(id) => certificate
                .extension("2.5.29.14")
                .is_some_and(|value| tlv::only_tag(&value, 0x04).is_ok_and(|own| own.value == id.as_slice())),
        })
    }

    /// The messageDigest attribute is the digest of the content that arrived (RFC 5652, 5.4 and 11.2).
    pub fn content_digest_matches(&self) -> bool {
        let Some(hash) = keys::hash_of(&self.digest_oid) else { return false };
        self.attribute(&ID_MESSAGE_DIGEST)
            .ok()
            .filter(|value| value.tag == 0x04)
            .is_some_and(|value| ct_eq(value.value, &hash.digest(&self.content)))
    }

    /// The one value of a signed attribute that must occur exactly once with exactly one value (RFC 5652, 11.1 and 11.2).
    fn attribute(&self, oid: &[u8]) -> Result<Tlv<'_>, &'static str> {
        const BAD: &str = "signed attributes are malformed";
        let mut found = None;
        for attribute in tlv::Elements::new(&self.signed_attributes).all().map_err(|_| BAD)? {
            let mut fields = attribute.children();
            let kind = fields.next_tag(0x06).map_err(|_| BAD)?.value;
            let values = fields.next_tag(0x31).map_err(|_| BAD)?;
            if kind == oid {
                let value = tlv::only(values.value).map_err(|_| "a signed attribute has not exactly one value")?;
                if found.replace(value).is_some() {
                    return Err("a signed attribute occurs twice");
                }
            }
        }
        found.ok_or("a signed attribute is missing")
    }

    /// Verifies the CMS signature under the embedded signer's certificate, with every rule of RFC 5652 5.4 and 11. This does
    /// not say who the signer is.
    pub fn check_signature(&self) -> Result<(), SignatureFault> {
        use SignatureFault::{Unsupported, Wrong};
        let content_type = self.attribute(&ID_CONTENT_TYPE).map_err(Wrong)?;
        if content_type.tag != 0x06 || content_type.value != ID_LDS_SECURITY_OBJECT {
            return Err(Wrong("the signed content type is another"));
        }
        let digest = keys::hash_of(&self.digest_oid).ok_or(Unsupported("digest algorithm"))?;
        self.attribute(&ID_MESSAGE_DIGEST).map_err(Wrong)?;
        if !self.content_digest_matches() {
            return Err(Wrong("the signed digest is not that of the content"));
        }
        let (hash, form) = keys::ecdsa_of(&self.signature_oid).ok_or(Unsupported("signature algorithm"))?;
        if hash != digest {
            return Err(Wrong("digest and signature algorithm differ"));
        }
        let signer = self.signer_certificate().ok_or(Wrong("the signer's certificate is not there"))?;
        let key = keys::certificate_key(signer).map_err(|error| match error {
            ReadError::Unsupported { .. } => Unsupported("the signer's kind of key"),
            _ => Wrong("the signer's key is malformed"),
        })?;
        // RFC 5652, 5.4: what is signed is the DER of the SET OF, not the [0] that stands in the message.
        let message = tlv::encode(0x31, &self.signed_attributes);
        match form {
            Form::Der => key.verify_der(hash, &message, &self.signature),
            Form::Plain => key.verify_hash(hash, &message, &self.signature),
        }
        .map_err(|_| Wrong("the signature is wrong"))
    }
}

fn strip(serial: &[u8]) -> &[u8] {
    match serial {
        [0, rest @ ..] => rest,
        other => other,
    }
}

/// LDSSecurityObject (9303-10, 4.6.2.2): version 0 or 1, hash algorithm, hashes, LDS version from version 1.
fn lds_security_object(bytes: &[u8]) -> Result<(HashAlg, BTreeMap<u8, Vec<u8>>), ReadError> {
    let object = tlv::only_tag(bytes, 0x30).map_err(|_| malformed("LDS security object does not decode"))?;
    let bad = |_: TlvError| malformed("LDS security object does not decode");
    let mut fields = object.children();
    let version = fields.next_tag(0x02).map_err(bad)?.value;
    if !matches!(version, [0 | 1]) {
        return Err(ReadError::Unsupported { what: "this version of the LDS security object" });
    }
    let oid = fields.next_tag(0x30).map_err(bad)?.children().next_tag(0x06).map_err(bad)?.value;
    let hash = keys::hash_of(oid).ok_or(ReadError::Unsupported { what: "this hash algorithm of the LDS security object" })?;
    let length = hash.digest(&[]).len();
    let mut groups = BTreeMap::new();
    for entry in fields.next_tag(0x30).map_err(bad)?.children().all().map_err(bad)? {
        let mut parts = entry.children();
        let number = match parts.next_tag(0x02).map_err(bad)?.value {
            [number @ 1..=16] => *number,
            _ => return Err(malformed("data group number")),
        };
        let value = parts.next_tag(0x04).map_err(bad)?.value;
        if value.len() != length {
            return Err(malformed("hash length"));
        }
        if groups.insert(number, value.to_vec()).is_some() {
            return Err(malformed("a data group is listed twice"));
        }
    }
    if version == [1] {
        fields.next_tag(0x30).map_err(bad)?;
    }
    fields.end().map_err(bad)?;
    if groups.is_empty() {
        return Err(malformed("no data groups listed"));
    }
    Ok((hash, groups))
}
