//! The device's own certificate and what it says.

use wallet_base::time::Timestamp;
use wallet_base::x509::Certificate;
use wallet_exchange::Reader;
use wallet_platform::ports::KeyId;

/// Who this device is to citizens. A device pseudonym, never an officer's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// Role id, from the certificate.
    pub role: String,
    /// Organisation, from the certificate.
    pub organisation: String,
    /// The device's pseudonym, from the certificate.
    pub device: String,
    /// Place given at enrolment, used when a request names none.
    pub place: String,
    /// When the certificate ends.
    pub valid_until: Timestamp,
}

/// The device's key and certificate, as stored.
#[derive(Clone)]
pub(crate) struct StaffPapers {
    pub(crate) key: KeyId,
    pub(crate) certificate: Vec<u8>,
    pub(crate) place: String,
}

impl StaffPapers {
    /// What the certificate says; `None` when it cannot be read.
    pub(crate) fn staff(&self) -> Option<Staff> {
        let certificate = Certificate::from_der(&self.certificate).ok()?;
        let Reader { role, organisation, device } = Reader::named_in(&certificate).ok()?;
        Some(Staff { role, organisation, device, place: self.place.clone(), valid_until: certificate.not_after() })
    }
}
