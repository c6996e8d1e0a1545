//! Plain anchors: for tools that are given a root by hand, and for tests on others' data.

use wallet_base::crypto::PublicKey;
use wallet_base::time::Timestamp;
use wallet_base::x509::{self, Certificate};

use super::{EKU_DOCUMENT_SIGNER, IssuerTrust, SignerRef, StatusTrust, TrustedSigner, Untrusted};

/// Trusts the given certificates: each as a signer itself, and each as the root directly above a signer. Good for every type of document.
#[derive(Clone, Default)]
pub struct Anchors {
    certificates: Vec<Certificate>,
}

impl Anchors {
    /// Anchors from certificates.
    pub fn new(certificates: Vec<Certificate>) -> Self {
        Self { certificates }
    }

    fn trusted(certificate: &Certificate, anchor: &Certificate) -> TrustedSigner {
        let name = anchor.organization().or_else(|| anchor.common_name()).unwrap_or_default();
        TrustedSigner { certificate: certificate.clone(), issuer_id: String::new(), issuer_name: name }
    }

    fn by_certificate(&self, leaf: &Certificate, at: Timestamp) -> Result<TrustedSigner, Untrusted> {
        if let Some(anchor) = self.certificates.iter().find(|anchor| anchor.der() == leaf.der()) {
            return if leaf.valid_at(at) { Ok(Self::trusted(leaf, anchor)) } else { Err(Untrusted::OutsideValidity) };
        }
        let mut why = Untrusted::UnknownSigner;
        for anchor in self.certificates.iter().filter(|anchor| leaf.issued_by(anchor)) {
            if !leaf.valid_at(at) || !anchor.valid_at(at) {
                why = Untrusted::OutsideValidity;
            } else if x509::verify_link(leaf, anchor, at).is_err() {
                why = Untrusted::NotUnderRoot;
            } else if !leaf.has_extended_key_usage(EKU_DOCUMENT_SIGNER) {
                why = Untrusted::WrongPurpose;
            } else {
                return Ok(Self::trusted(leaf, anchor));
            }
        }
        Err(why)
    }
}

impl IssuerTrust for Anchors {
    fn signer(&self, reference: SignerRef<'_>, _document: Option<&str>, at: Timestamp) -> Result<TrustedSigner, Untrusted> {
        match reference {
            SignerRef::Certificate(leaf) => self.by_certificate(leaf, at),
            SignerRef::Kid(kid) => {
                let named = self.certificates.iter().find(|anchor| anchor.kid8() == kid);
                self.by_certificate(named.ok_or(Untrusted::UnknownSigner)?, at)
            }
        }
    }
}

/// One status list key with its identifier, without a certificate: for tools and for others' test data.
#[derive(Clone)]
pub struct StatusKey {
    /// The `kid` the list carries.
    pub kid: Vec<u8>,
    /// The key.
    pub key: PublicKey,
}

impl StatusTrust for StatusKey {
    fn status_key(&self, kid: &[u8], _at: Timestamp) -> Result<PublicKey, Untrusted> {
        if kid == self.kid { Ok(self.key.clone()) } else { Err(Untrusted::UnknownSigner) }
    }
}
