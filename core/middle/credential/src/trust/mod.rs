//! Whose signatures count: the meaning of the four TUF targets, and plain anchors for tools and tests.
//!
//! A target is data that the TUF repository already protects; what stands here is what it *means*. A signer is good for a document type only
//! when it is listed for it, chains to its issuer's root, is a document signer by its extended key usage, and is not revoked.

mod anchors;
mod targets;
#[cfg(test)]
mod tests;

use wallet_base::crypto::PublicKey;
use wallet_base::time::Timestamp;
use wallet_base::x509::Certificate;

pub use anchors::{Anchors, StatusKey};
pub use targets::{CardsTarget, IssuerEntry, IssuersTarget, ReadersTarget, StatusTarget, TrustTargets};

/// Extended key usage of an mdoc document signer (ISO 18013-5, table B.3). The same certificate signs SD-CWT.
pub const EKU_DOCUMENT_SIGNER: &str = "1.0.18013.5.1.2";
/// Extended key usage of a reader (ISO 18013-5, table B.7).
pub const EKU_READER: &str = "1.0.18013.5.1.6";
/// Extended key usage of a status list signer (Token Status List, section 10.1: id-kp-oauthStatusSigning).
pub const EKU_STATUS_SIGNER: &str = "1.3.6.1.5.5.7.3.30";
/// Extension of a reader certificate that carries its role id as a UTF8String.
pub const OID_READER_ROLE: &str = "1.3.6.1.4.1.99999.7.1";

/// How a credential names its signer.
#[derive(Clone, Copy)]
pub enum SignerRef<'a> {
    /// A key identifier: the first 8 bytes of the SHA-256 of the certificate.
    Kid(&'a [u8]),
    /// The certificate itself (x5chain leaf).
    Certificate(&'a Certificate),
}

/// A signer that trust data vouches for.
#[derive(Clone)]
pub struct TrustedSigner {
    certificate: Certificate,
    issuer_id: String,
    issuer_name: String,
}

impl TrustedSigner {
    /// The signer's certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Id of the issuing authority in the trust data; empty for plain anchors.
    pub fn issuer_id(&self) -> &str {
        &self.issuer_id
    }

    /// Name of the issuing authority.
    pub fn issuer_name(&self) -> &str {
        &self.issuer_name
    }
}

impl std::fmt::Debug for TrustedSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustedSigner").field("issuer_id", &self.issuer_id).finish_non_exhaustive()
    }
}

/// Why a signer is not trusted. The text is the detail of `credential.chain` or `status.signature`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// The credential names no signer.
    #[error("names no signer")]
    Unnamed,
    /// No listed signer has this certificate or key identifier.
    #[error("signer not listed")]
    UnknownSigner,
    /// The signer is listed, but not for this type of document.
    #[error("signer not listed for this document")]
    NotForDocument,
    /// The signer or its root is revoked.
    #[error("signer revoked")]
    Revoked,
    /// The signer's or root's certificate is outside its validity.
    #[error("signer certificate outside its validity")]
    OutsideValidity,
    /// The signer does not chain to its issuer's root.
    #[error("signer does not chain to its issuer")]
    NotUnderRoot,
    /// The certificate is not made for this purpose.
    #[error("certificate not made for this purpose")]
    WrongPurpose,
    /// The certificate cannot be read.
    #[error("signer certificate cannot be read")]
    Unreadable,
}

/// Answers which signers may sign credentials.
pub trait IssuerTrust: Send + Sync {
    /// The trusted signer behind a reference, good for `document` (our type id; `None`: for any) at `at`.
    fn signer(&self, reference: SignerRef<'_>, document: Option<&str>, at: Timestamp) -> Result<TrustedSigner, Untrusted>;
}

/// Answers which keys may sign status lists.
pub trait StatusTrust: Send + Sync {
    /// The key behind a key identifier, good at `at`.
    fn status_key(&self, kid: &[u8], at: Timestamp) -> Result<PublicKey, Untrusted>;
}
