//! X.509 certificates: read, link, issue (RFC 5280; ISO/IEC 18013-5 annex B; ICAO 9303-12).
//!
//! Paths here are one link long (a signer directly under a listed authority), so there is no path building; what counts is that every
//! rule of the link is checked.

use const_oid::ObjectIdentifier;
use der::asn1::{BitString, OctetString, UtcTime};
use der::{Decode, Encode, Reader, Sequence, SliceReader};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectKeyIdentifier};
use x509_cert::name::Name;
use x509_cert::time::{Time, Validity};

use crate::crypto::{Curve, HashAlg, PublicKey, Signer, sha1, sha256};
use crate::random::Random;
use crate::time::Timestamp;

/// The longest certificate that is read.
pub const MAX_CERTIFICATE: usize = 16 * 1024;

const ECDSA_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const KEY_USAGE: &str = "2.5.29.15";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
/// Critical extensions that are understood; any other critical one makes a link fail (RFC 5280, 4.2).
const UNDERSTOOD: &[&str] = &[BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, "2.5.29.14", "2.5.29.35"];

/// Why a certificate or a link was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum X509Error {
    /// Not a DER certificate within the limits.
    #[error("not a readable certificate")]
    Malformed,
    /// A key or signature algorithm that is not supported.
    #[error("the certificate uses an algorithm that is not supported")]
    Unsupported,
    /// The issuer's name is not the authority's subject.
    #[error("the certificate names another issuer")]
    Issuer,
    /// The signature does not verify under the authority's key.
    #[error("the certificate's signature is not valid")]
    Signature,
    /// The authority's certificate may not sign certificates.
    #[error("the issuer's certificate may not sign certificates")]
    NotAuthority,
    /// Outside the certificate's validity.
    #[error("the certificate is not valid at this time")]
    Leaf,
    /// Outside the authority's validity.
    #[error("the issuer's certificate is not valid at this time")]
    Authority,
    /// A critical extension that is not understood.
    #[error("the certificate has a critical extension that is not understood")]
    Critical,
    /// The certificate could not be made.
    #[error("the certificate cannot be made")]
    Issue,
}

/// A certificate and the bytes it arrived in.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    parsed: CertificateInner<Raw>,
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({} bytes)", self.der.len())
    }
}

impl Certificate {
    /// Reads DER.
    pub fn from_der(der: &[u8]) -> Result<Self, X509Error> {
        if der.len() > MAX_CERTIFICATE {
            return Err(X509Error::Malformed);
        }
        let parsed = CertificateInner::<Raw>::from_der(der).map_err(|_| X509Error::Malformed)?;
        Ok(Self { der: der.to_vec(), parsed })
    }

    /// The bytes it arrived in.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the DER.
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.der)
    }

    /// The first 8 bytes of [`Certificate::sha256`], as HCERT uses for `kid`.
    pub fn kid8(&self) -> [u8; 8] {
        let mut kid = [0; 8];
        kid.copy_from_slice(self.sha256().get(..8).unwrap_or(&[0; 8]));
        kid
    }

    /// A text attribute of the subject by OID.
    fn subject_text(&self, oid: &str) -> Option<String> {
        let oid = ObjectIdentifier::new(oid).ok()?;
        let attribute = self
            .parsed
            .tbs_certificate()
            .subject()
            .iter_rdn()
            .flat_map(x509_cert::name::RelativeDistinguishedName::iter)
            .find(|a| a.oid == oid)?;
        std::str::from_utf8(attribute.value.value()).ok().map(ToOwned::to_owned)
    }

    /// The subject's common name.
    pub fn common_name(&self) -> Option<String> {
        self.subject_text("2.5.4.3")
    }

    /// The subject's organisation.
    pub fn organization(&self) -> Option<String> {
        self.subject_text("2.5.4.10")
    }

    /// The subject's country.
    pub fn country(&self) -> Option<String> {
        self.subject_text("2.5.4.6")
    }

    /// The serial number, as it stands in the DER.
    pub fn serial(&self) -> &[u8] {
        self.parsed.tbs_certificate().serial_number().as_bytes()
    }

    /// The issuer's name in DER.
    pub fn issuer_der(&self) -> Vec<u8> {
        self.parsed.tbs_certificate().issuer().to_der().unwrap_or_default()
    }

    /// The subject's name in DER.
    pub fn subject_der(&self) -> Vec<u8> {
        self.parsed.tbs_certificate().subject().to_der().unwrap_or_default()
    }

    /// The subject's key.
    pub fn public_key(&self) -> Result<PublicKey, X509Error> {
        let spki = self.parsed.tbs_certificate().subject_public_key_info().to_der().map_err(|_| X509Error::Malformed)?;
        PublicKey::from_spki_der(&spki).map_err(|_| X509Error::Unsupported)
    }

    /// Valid from.
    pub fn not_before(&self) -> Timestamp {
        timestamp(self.parsed.tbs_certificate().validity().not_before)
    }

    /// Valid until, inclusive.
    pub fn not_after(&self) -> Timestamp {
        timestamp(self.parsed.tbs_certificate().validity().not_after)
    }

    /// Whether a moment lies inside the validity.
    pub fn valid_at(&self, at: Timestamp) -> bool {
        self.not_before() <= at && at <= self.not_after()
    }

    fn extensions(&self) -> &[Extension] {
        self.parsed.tbs_certificate().extensions().map_or(&[], |list| list.as_slice())
    }

    /// The value of an extension by OID: the content of its OCTET STRING.
    pub fn extension(&self, oid: &str) -> Option<Vec<u8>> {
        let oid = ObjectIdentifier::new(oid).ok()?;
        self.extensions().iter().find(|e| e.extn_id == oid).map(|e| e.extn_value.as_bytes().to_vec())
    }

    /// Whether basic constraints say that this is an authority.
    pub fn is_ca(&self) -> bool {
        self.extension(BASIC_CONSTRAINTS).and_then(|value| BasicConstraints::from_der(&value).ok()).is_some_and(|basic| basic.ca)
    }

    fn may_sign_certificates(&self) -> bool {
        let usage = self.extension(KEY_USAGE).map(|value| KeyUsage::from_der(&value));
        self.is_ca() && usage.is_none_or(|usage| usage.is_ok_and(|usage| usage.key_cert_sign()))
    }

    /// Whether the extended key usage names a purpose. An absent extension names none.
    pub fn has_extended_key_usage(&self, oid: &str) -> bool {
        let Ok(oid) = ObjectIdentifier::new(oid) else { return false };
        self.extension(EXTENDED_KEY_USAGE)
            .and_then(|value| ExtendedKeyUsage::from_der(&value).ok())
            .is_some_and(|usage| usage.0.contains(&oid))
    }

    /// Whether the names chain: this certificate's issuer is that certificate's subject.
    pub fn issued_by(&self, issuer: &Certificate) -> bool {
        self.parsed.tbs_certificate().issuer() == issuer.parsed.tbs_certificate().subject()
    }

    /// Verifies this certificate's signature with a key, over the bytes that arrived.
    pub fn verify_signature(&self, key: &PublicKey) -> Result<(), X509Error> {
        let algorithm = self.parsed.signature_algorithm();
        let hash = match algorithm.oid {
            ECDSA_SHA1 => HashAlg::Sha1,
            ECDSA_SHA256 => HashAlg::Sha256,
            ECDSA_SHA384 => HashAlg::Sha384,
            ECDSA_SHA512 => HashAlg::Sha512,
            _ => return Err(X509Error::Unsupported),
        };
        // RFC 5280, 4.1.1.2: the two algorithm fields must agree.
        if algorithm != self.parsed.tbs_certificate().signature() {
            return Err(X509Error::Malformed);
        }
        let signature = self.parsed.signature().as_bytes().ok_or(X509Error::Malformed)?;
        key.verify_der(hash, signed_part(&self.der)?, signature).map_err(|_| X509Error::Signature)
    }
}

/// The TBSCertificate as it arrived.
fn signed_part(der: &[u8]) -> Result<&[u8], X509Error> {
    let malformed = |_: der::Error| X509Error::Malformed;
    let mut reader = SliceReader::new(der).map_err(malformed)?;
    let outer = der::Header::decode(&mut reader).map_err(malformed)?;
    let body = reader.read_slice(outer.length()).map_err(malformed)?;
    let mut reader = SliceReader::new(body).map_err(malformed)?;
    reader.tlv_bytes().map_err(malformed)
}

fn timestamp(time: Time) -> Timestamp {
    Timestamp::from_unix(i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX))
}

/// Checks one link: `issuer` is an authority that may sign, the names chain, the signature verifies, both are valid at `at`, and no
/// critical extension is left that nobody understood.
pub fn verify_link(leaf: &Certificate, issuer: &Certificate, at: Timestamp) -> Result<(), X509Error> {
    if !leaf.issued_by(issuer) {
        return Err(X509Error::Issuer);
    }
    if !issuer.may_sign_certificates() {
        return Err(X509Error::NotAuthority);
    }
    leaf.verify_signature(&issuer.public_key()?)?;
    let strange = |e: &&Extension| e.critical && !UNDERSTOOD.contains(&e.extn_id.to_string().as_str());
    if leaf.extensions().iter().chain(issuer.extensions()).find(strange).is_some() {
        return Err(X509Error::Critical);
    }
    if !leaf.valid_at(at) {
        return Err(X509Error::Leaf);
    }
    if !issuer.valid_at(at) {
        return Err(X509Error::Authority);
    }
    Ok(())
}

/// What a certificate should say.
#[derive(Clone, Debug)]
pub struct CertificateSpec {
    /// Subject common name.
    pub common_name: String,
    /// Subject organisation.
    pub organization: Option<String>,
    /// Subject country, two letters.
    pub country: Option<String>,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub not_after: Timestamp,
    /// Subject key.
    pub public_key: PublicKey,
    /// An authority with path length 0 and keyCertSign; otherwise digitalSignature.
    pub is_ca: bool,
    /// Purposes, dotted OIDs; the extension is critical as ISO/IEC 18013-5 annex B asks.
    pub extended_key_usage: Vec<String>,
    /// Further extensions: dotted OID, critical, DER value.
    pub extensions: Vec<(String, bool, Vec<u8>)>,
    /// Leaves out key identifiers and names, for certificates that travel in a QR symbol.
    pub lean: bool,
}

#[derive(Sequence)]
struct Tbs {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: u8,
    serial: der::asn1::Int,
    signature: AlgorithmIdentifierOwned,
    issuer: Name,
    validity: Validity<Raw>,
    subject: Name,
    key: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

#[derive(Sequence)]
struct Signed {
    tbs: der::Any,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

fn make<T>(result: Result<T, der::Error>) -> Result<T, X509Error> {
    result.map_err(|_| X509Error::Issue)
}

fn extension(oid: &str, critical: bool, value: Vec<u8>) -> Result<Extension, X509Error> {
    let extn_id = ObjectIdentifier::new(oid).map_err(|_| X509Error::Issue)?;
    Ok(Extension { extn_id, critical, extn_value: make(OctetString::new(value))? })
}

fn subject(spec: &CertificateSpec) -> Result<Name, X509Error> {
    let attribute = |oid: &str, tag: der::Tag, value: &str| -> Result<Vec<u8>, X509Error> {
        #[derive(Sequence)]
        struct Attribute {
            oid: ObjectIdentifier,
            value: der::Any,
        }
        let oid = ObjectIdentifier::new(oid).map_err(|_| X509Error::Issue)?;
        let attribute = Attribute { oid, value: make(der::Any::new(tag, value.as_bytes()))? };
        let body = make(attribute.to_der())?;
        make(make(der::Any::new(der::Tag::Set, body))?.to_der())
    };
    let mut rdns = Vec::new();
    if let Some(country) = &spec.country {
        rdns.extend(attribute("2.5.4.6", der::Tag::PrintableString, country)?);
    }
    if let Some(organization) = &spec.organization {
        rdns.extend(attribute("2.5.4.10", der::Tag::Utf8String, organization)?);
    }
    rdns.extend(attribute("2.5.4.3", der::Tag::Utf8String, &spec.common_name)?);
    let name = make(make(der::Any::new(der::Tag::Sequence, rdns))?.to_der())?;
    make(Name::from_der(&name))
}

fn x509_time(at: Timestamp) -> Result<Time, X509Error> {
    let duration = std::time::Duration::from_secs(u64::try_from(at.unix()).map_err(|_| X509Error::Issue)?);
    // RFC 5280, 4.1.2.5: UTCTime through 2049, GeneralizedTime after.
    Ok(match UtcTime::from_unix_duration(duration) {
        Ok(time) => Time::UtcTime(time),
        Err(_) => Time::GeneralTime(make(der::asn1::GeneralizedTime::from_unix_duration(duration))?),
    })
}

/// Issues a certificate, self-signed when `issuer` is `None`. The signature is ECDSA with the signer's curve's usual hash.
pub fn issue(
    spec: &CertificateSpec,
    issuer: Option<&Certificate>,
    signer: &dyn Signer,
    random: &dyn Random,
) -> Result<Certificate, X509Error> {
    let oid = if signer.public_key().curve() == Curve::P384 { ECDSA_SHA384 } else { ECDSA_SHA256 };
    let algorithm = AlgorithmIdentifierOwned { oid, parameters: None };
    let spki = spec.public_key.to_spki_der().map_err(|_| X509Error::Issue)?;
    let key = make(SubjectPublicKeyInfoOwned::from_der(&spki))?;
    let key_id = |public: &PublicKey| sha1(&public.to_sec1()).to_vec();

    let mut extensions = Vec::new();
    if spec.is_ca {
        let basic = BasicConstraints { ca: true, path_len_constraint: Some(0) };
        extensions.push(extension(BASIC_CONSTRAINTS, true, make(basic.to_der())?)?);
    }
    let usage = if spec.is_ca { KeyUsages::KeyCertSign | KeyUsages::CRLSign } else { KeyUsages::DigitalSignature.into() };
    if !spec.lean {
        extensions.push(extension(KEY_USAGE, true, make(KeyUsage(usage).to_der())?)?);
        let own = SubjectKeyIdentifier(make(OctetString::new(key_id(&spec.public_key)))?);
        extensions.push(extension("2.5.29.14", false, make(own.to_der())?)?);
        let authority = AuthorityKeyIdentifier {
            key_identifier: Some(make(OctetString::new(key_id(&signer.public_key())))?),
            authority_cert_issuer: None,
            authority_cert_serial_number: None,
        };
        extensions.push(extension("2.5.29.35", false, make(authority.to_der())?)?);
    }
    if !spec.extended_key_usage.is_empty() {
        let purposes: Result<Vec<_>, _> = spec.extended_key_usage.iter().map(|oid| ObjectIdentifier::new(oid)).collect();
        let purposes = ExtendedKeyUsage(purposes.map_err(|_| X509Error::Issue)?);
        extensions.push(extension(EXTENDED_KEY_USAGE, true, make(purposes.to_der())?)?);
    }
    for (oid, critical, value) in &spec.extensions {
        extensions.push(extension(oid, *critical, value.clone())?);
    }

    // A random positive serial without a leading zero byte: 63 bits, 127 unless it must be small.
    let mut serial = vec![0; if spec.lean { 8 } else { 16 }];
    random.fill(&mut serial);
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    let subject = subject(spec)?;
    let issuer_name = issuer.map_or_else(|| subject.clone(), |issuer| issuer.parsed.tbs_certificate().subject().clone());
    let tbs = Tbs {
        version: 2,
        serial: make(der::asn1::Int::new(&serial))?,
        signature: algorithm.clone(),
        issuer: issuer_name,
        validity: Validity::new(x509_time(spec.not_before)?, x509_time(spec.not_after)?),
        subject,
        key,
        extensions,
    };
    let tbs = make(tbs.to_der())?;
    let raw = signer.sign(&tbs).map_err(|_| X509Error::Issue)?;
    let signature = make(BitString::from_bytes(&der_signature(&raw)?))?;
    let signed = Signed { tbs: make(der::Any::from_der(&tbs))?, algorithm, signature };
    Certificate::from_der(&make(signed.to_der())?)
}

/// Raw r and s as `Ecdsa-Sig-Value` (RFC 3279, 2.2.3).
pub fn der_signature(raw: &[u8]) -> Result<Vec<u8>, X509Error> {
    #[derive(Sequence)]
    struct Pair {
        r: der::asn1::Uint,
        s: der::asn1::Uint,
    }
    let (r, s) = raw.split_at_checked(raw.len() / 2).ok_or(X509Error::Issue)?;
    make(Pair { r: make(der::asn1::Uint::new(r))?, s: make(der::asn1::Uint::new(s))? }.to_der())
}

#[cfg(test)]
mod tests;
