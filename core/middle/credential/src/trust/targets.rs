//! The four TUF targets: issuers, readers with the table of roles, status signers, card authorities.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use wallet_base::crypto::PublicKey;
use wallet_base::time::Timestamp;
use wallet_base::x509::{self, Certificate};

use super::{EKU_DOCUMENT_SIGNER, EKU_STATUS_SIGNER, IssuerTrust, SignerRef, StatusTrust, TrustedSigner, Untrusted};
use crate::CredentialError;

/// Largest target accepted, in bytes. Lists have a cap of their own.
const MAX_TARGET_BYTES: usize = 4 * 1024 * 1024;
/// Most certificates in one list.
const MAX_CERTIFICATES: usize = 4096;
/// The version of all four targets.
const VERSION: u32 = 1;

/// Target `issuers.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IssuersTarget {
    /// Always 1.
    pub version: u32,
    /// One entry per issuing authority.
    pub issuers: Vec<IssuerEntry>,
}

/// One issuing authority.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IssuerEntry {
    /// Short id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Root certificate, base64 (padded) of the DER.
    pub root: String,
    /// Signer certificates directly under the root, base64 of the DER.
    pub signers: Vec<String>,
    /// Type ids of the documents these signers may sign.
    pub documents: Vec<String>,
    /// SHA-256 of revoked certificates, hexadecimal.
    #[serde(default)]
    pub revoked: Vec<String>,
}

/// Target `readers.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadersTarget {
    /// Always 1.
    pub version: u32,
    /// Reader authorities, base64 of the DER.
    pub authorities: Vec<String>,
    /// The table of roles; its meaning is in crate `wallet-documents`.
    pub roles: serde_json::Value,
    /// SHA-256 of revoked reader certificates or authorities, hexadecimal.
    #[serde(default)]
    pub revoked: Vec<String>,
}

/// Target `status.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatusTarget {
    /// Always 1.
    pub version: u32,
    /// Status signer certificates, base64 of the DER.
    pub signers: Vec<String>,
    /// SHA-256 of revoked status signers, hexadecimal.
    #[serde(default)]
    pub revoked: Vec<String>,
}

/// Target `cards.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CardsTarget {
    /// Always 1.
    pub version: u32,
    /// Country signing certificates (CSCA), base64 of the DER.
    pub csca: Vec<String>,
    /// SHA-256 of revoked document signers, hexadecimal.
    #[serde(default)]
    pub revoked: Vec<String>,
}

type Hash = [u8; 32];

struct Issuer {
    id: String,
    name: String,
    root: Certificate,
    signers: Vec<Certificate>,
    documents: Vec<String>,
    revoked: BTreeSet<Hash>,
}

/// The four targets, read and looked up.
pub struct TrustTargets {
    issuers: Vec<Issuer>,
    reader_authorities: Vec<Certificate>,
    readers_revoked: BTreeSet<Hash>,
    roles: String,
    status_signers: Vec<Certificate>,
    status_revoked: BTreeSet<Hash>,
    csca: Vec<Vec<u8>>,
    cards_revoked: BTreeSet<Hash>,
}

impl std::fmt::Debug for TrustTargets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustTargets")
            .field("issuers", &self.issuers.len())
            .field("reader_authorities", &self.reader_authorities.len())
            .field("status_signers", &self.status_signers.len())
            .field("csca", &self.csca.len())
            .finish_non_exhaustive()
    }
}

impl TrustTargets {
    /// Reads the bytes of `issuers.json`, `readers.json`, `status.json` and `cards.json`, as the trust updater verified them.
    pub fn parse(issuers: &[u8], readers: &[u8], status: &[u8], cards: &[u8]) -> Result<Self, CredentialError> {
        let issuers: IssuersTarget = json(issuers, "issuers.json")?;
        let readers: ReadersTarget = json(readers, "readers.json")?;
        let status: StatusTarget = json(status, "status.json")?;
        let cards: CardsTarget = json(cards, "cards.json")?;
        if [issuers.version, readers.version, status.version, cards.version] != [VERSION; 4] {
            return Err(CredentialError::Trust("a target has another version"));
        }
        Ok(Self {
            issuers: issuers.issuers.into_iter().map(Issuer::read).collect::<Result<_, _>>()?,
            reader_authorities: certificates(&readers.authorities)?,
            readers_revoked: hashes(&readers.revoked)?,
            roles: readers.roles.to_string(),
            status_signers: certificates(&status.signers)?,
            status_revoked: hashes(&status.revoked)?,
            csca: ders(&cards.csca)?,
            cards_revoked: hashes(&cards.revoked)?,
        })
    }

    /// Authorities that reader certificates must come from.
    pub fn reader_authorities(&self) -> &[Certificate] {
        &self.reader_authorities
    }

    /// SHA-256 of revoked reader certificates and reader authorities.
    pub fn revoked_readers(&self) -> &BTreeSet<[u8; 32]> {
        &self.readers_revoked
    }

    /// The table of roles, as JSON text for `wallet_documents::RoleTable::parse`.
    pub fn roles(&self) -> &str {
        &self.roles
    }

    /// Country signing certificates of citizen cards, DER. They stay unread here: real ones use explicit curve parameters.
    pub fn csca(&self) -> &[Vec<u8>] {
        &self.csca
    }

    /// SHA-256 of revoked document signers of citizen cards.
    pub fn revoked_card_signers(&self) -> &BTreeSet<[u8; 32]> {
        &self.cards_revoked
    }

    /// Certificates that may sign status lists.
    pub fn status_signers(&self) -> &[Certificate] {
        &self.status_signers
    }

    /// Id and name of the authority that issues a type of document, where one is listed.
    pub fn authority_for(&self, document: &str) -> Option<(&str, &str)> {
        self.issuers.iter().find(|i| i.documents.iter().any(|d| d == document)).map(|i| (i.id.as_str(), i.name.as_str()))
    }
}

impl Issuer {
    fn read(entry: IssuerEntry) -> Result<Self, CredentialError> {
        Ok(Self {
            root: certificate(&entry.root)?,
            signers: certificates(&entry.signers)?,
            revoked: hashes(&entry.revoked)?,
            id: entry.id,
            name: entry.name,
            documents: entry.documents,
        })
    }

    /// Judges one of this issuer's listed signers.
    fn judge(&self, signer: &Certificate, document: Option<&str>, at: Timestamp) -> Result<TrustedSigner, Untrusted> {
        if document.is_some_and(|document| !self.documents.iter().any(|listed| listed == document)) {
            return Err(Untrusted::NotForDocument);
        }
        if self.revoked.contains(&signer.sha256()) || self.revoked.contains(&self.root.sha256()) {
            return Err(Untrusted::Revoked);
        }
        if !signer.valid_at(at) || !self.root.valid_at(at) {
            return Err(Untrusted::OutsideValidity);
        }
        x509::verify_link(signer, &self.root, at).map_err(|_| Untrusted::NotUnderRoot)?;
        if !signer.has_extended_key_usage(EKU_DOCUMENT_SIGNER) {
            return Err(Untrusted::WrongPurpose);
        }
        Ok(TrustedSigner { certificate: signer.clone(), issuer_id: self.id.clone(), issuer_name: self.name.clone() })
    }
}

impl IssuerTrust for TrustTargets {
    fn signer(&self, reference: SignerRef<'_>, document: Option<&str>, at: Timestamp) -> Result<TrustedSigner, Untrusted> {
        let matches = |signer: &Certificate| match reference {
            SignerRef::Kid(kid) => signer.kid8() == kid,
            SignerRef::Certificate(leaf) => signer.der() == leaf.der(),
        };
        let mut why = Untrusted::UnknownSigner;
        for issuer in &self.issuers {
            for signer in issuer.signers.iter().filter(|signer| matches(signer)) {
                match issuer.judge(signer, document, at) {
                    Ok(trusted) => return Ok(trusted),
                    // The same signer may be listed for other documents under another entry: keep the reason that says most.
                    Err(Untrusted::NotForDocument) if why != Untrusted::UnknownSigner => {}
                    Err(reason) => why = reason,
                }
            }
        }
        Err(why)
    }
}

impl StatusTrust for TrustTargets {
    fn status_key(&self, kid: &[u8], at: Timestamp) -> Result<PublicKey, Untrusted> {
        let signer = self.status_signers.iter().find(|signer| signer.kid8() == kid).ok_or(Untrusted::UnknownSigner)?;
        if self.status_revoked.contains(&signer.sha256()) {
            return Err(Untrusted::Revoked);
        }
        if !signer.valid_at(at) {
            return Err(Untrusted::OutsideValidity);
        }
        if !signer.has_extended_key_usage(EKU_STATUS_SIGNER) {
            return Err(Untrusted::WrongPurpose);
        }
        signer.public_key().map_err(|_| Untrusted::Unreadable)
    }
}

fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8], what: &'static str) -> Result<T, CredentialError> {
    if bytes.len() > MAX_TARGET_BYTES {
        return Err(CredentialError::TooLarge(what));
    }
    serde_json::from_slice(bytes).map_err(|_| CredentialError::Trust(what))
}

fn der(text: &str) -> Result<Vec<u8>, CredentialError> {
    STANDARD.decode(text).map_err(|_| CredentialError::Trust("a certificate is not base64"))
}

fn certificate(text: &str) -> Result<Certificate, CredentialError> {
    Certificate::from_der(&der(text)?).map_err(|_| CredentialError::Trust("a certificate cannot be read"))
}

fn ders(texts: &[String]) -> Result<Vec<Vec<u8>>, CredentialError> {
    if texts.len() > MAX_CERTIFICATES {
        return Err(CredentialError::TooLarge("certificates in one target"));
    }
    texts.iter().map(|text| der(text)).collect()
}

fn certificates(texts: &[String]) -> Result<Vec<Certificate>, CredentialError> {
    let read = |der: &Vec<u8>| Certificate::from_der(der).map_err(|_| CredentialError::Trust("a certificate cannot be read"));
    ders(texts)?.iter().map(read).collect()
}

fn hashes(texts: &[String]) -> Result<BTreeSet<Hash>, CredentialError> {
    texts.iter().map(|text| hash(text).ok_or(CredentialError::Trust("a revoked hash is not 64 hexadecimal digits"))).collect()
}

fn hash(text: &str) -> Option<Hash> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut out = [0; 32];
    for (to, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        *to = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}
