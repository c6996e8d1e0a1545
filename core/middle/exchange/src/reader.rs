//! Who may ask: the rules of a reader certificate, for the wallet that is asked and for the staff device that was given it.

use std::collections::BTreeSet;

use wallet_base::time::Timestamp;
use wallet_base::x509::{Certificate, verify_link};
use wallet_credential::trust::{EKU_READER, TrustTargets};

use crate::certificate::{role_of, shown_name};
use crate::code_points::{CLOCK_SKEW, MAX_CERTIFICATE, MAX_CERTIFICATE_LIFE};

/// What a reader certificate says of its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Role id.
    pub role: String,
    /// Organisation.
    pub organisation: String,
    /// Pseudonym of the device, never an officer's name.
    pub device: String,
}

impl Reader {
    /// Reads a certificate; nobody vouches for what it says.
    ///
    /// # Errors
    ///
    /// What it does not name, as a static text.
    pub fn named_in(certificate: &Certificate) -> Result<Self, &'static str> {
        Ok(Self {
            role: role_of(certificate).ok_or("certificate names no role")?,
            organisation: shown_name(certificate.organization()).ok_or("certificate names no organisation")?,
            device: shown_name(certificate.common_name()).ok_or("certificate names no device")?,
        })
    }
}

/// Reader authorities and revoked certificates of the trust repository.
#[derive(Clone, Debug, Default)]
pub struct ReaderTrust {
    /// Certificates of the reader authorities.
    pub authorities: Vec<Certificate>,
    /// SHA-256 of revoked certificates, leaves or authorities.
    pub revoked: BTreeSet<[u8; 32]>,
}

impl From<&TrustTargets> for ReaderTrust {
    fn from(targets: &TrustTargets) -> Self {
        Self { authorities: targets.reader_authorities().to_vec(), revoked: targets.revoked_readers().clone() }
    }
}

impl ReaderTrust {
    /// A reader certificate that holds: small, directly under a listed authority, neither of them revoked, for readers, seven days at most,
    /// with role and names. It may begin up to [`CLOCK_SKEW`] seconds from now.
    ///
    /// # Errors
    ///
    /// The first clause that does not hold, as a static text.
    pub fn check(&self, leaf: &Certificate, now: Timestamp) -> Result<Reader, &'static str> {
        if leaf.der().len() > MAX_CERTIFICATE {
            return Err("certificate too large");
        }
        let named: Vec<_> = self.authorities.iter().filter(|authority| leaf.issued_by(authority)).collect();
        if named.is_empty() {
            return Err("no listed reader authority");
        }
        // A skew between the clocks must not make a fresh certificate invalid.
        let at = now.plus_secs(CLOCK_SKEW).min(leaf.not_before()).max(now);
        let under: Vec<_> = named.into_iter().filter(|authority| verify_link(leaf, authority, at).is_ok()).collect();
        if under.is_empty() {
            return Err("certificate not valid under its authority");
        }
        // Any of them: a second certificate of an authority's key does not undo the revocation of the first.
        if under.into_iter().chain([leaf]).any(|certificate| self.revoked.contains(&certificate.sha256())) {
            return Err("certificate revoked");
        }
        if leaf.is_ca() || !leaf.has_extended_key_usage(EKU_READER) {
            return Err("not a reader certificate");
        }
        if leaf.not_after().unix().saturating_sub(leaf.not_before().unix()) > MAX_CERTIFICATE_LIFE {
            return Err("certificate lives too long");
        }
        Reader::named_in(leaf)
    }
}
