//! Enrolment of a staff device: a key behind the port, a one-time code, a certificate of seven days that is verified before it is stored.

use wallet_base::crypto::{Curve, PublicKey, sha256};
use wallet_base::fact::FactName;
use wallet_base::random::array;
use wallet_base::time::Timestamp;
use wallet_base::x509::Certificate;
use wallet_credential::trust::TrustTargets;
use wallet_exchange::ReaderTrust;
use wallet_platform::ports::{KeyClass, KeyId, KeyStore};

use crate::error::VerifierError;
use crate::rows;
use crate::service;
use crate::staff::{Staff, StaffPapers};
use crate::verifier::Verifier;

/// Longest one-time code.
const MAX_CODE: usize = 64;

impl Verifier {
    /// Enrols this device with a one-time code: fetches trust when none is held, makes a key, gets a certificate, checks it, stores it.
    ///
    /// The key is written down before anybody hears of it: when the answer is lost, the next call with the same code goes on with the same key,
    /// and the service, which knows that this key used the code, gives the same certificate. An earlier key of this device is deleted only after
    /// the new certificate is stored.
    pub fn enrol(&self, code: &str) -> Result<Staff, VerifierError> {
        let code = code.trim();
        if code.is_empty() || code.len() > MAX_CODE || !code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(VerifierError::Parameter("code"));
        }
        if matches!(self.trust(), Err(VerifierError::NoTrust)) {
            let report = self.sync()?;
            if let (Err(VerifierError::NoTrust), Some(fact)) = (self.trust(), report.verdict.failed().first()) {
                return Err(VerifierError::Untrusted(*fact));
            }
        }
        let _working = self.working.begin().ok_or(VerifierError::Busy)?;
        let trust = self.trust()?;
        let before = self.papers()?;
        let (key, public) = &self.enrolment_key(code)?;
        let now = self.moment(self.clock_guard()?.anchor());
        let enrolled = service::enrol(&self.http, &self.keys, (key, public), code, now).and_then(|answer| {
            check_certificate(&answer.certificate, Some(public), &trust.targets, now)?;
            let papers = StaffPapers { key: key.clone(), certificate: answer.certificate, place: answer.place };
            let staff = papers.staff().ok_or(VerifierError::Answer("enrolment"))?;
            self.write(|tx| {
                rows::put_staff(tx, &papers)?;
                rows::end_enrolment(tx)
            })?;
            Ok(staff)
        });
        let useless = match &enrolled {
            // All others, those of an enrolment that broke off before it was written down among them; where keys cannot be listed, the one before.
            Ok(_) => match self.keys.list() {
                Ok(held) => held.into_iter().filter(|held| held != key).collect(),
                Err(_) => before.map(|papers| papers.key).into_iter().collect(),
            },
            // Nobody took this key, and nobody will: the code is wrong, or the key cannot sign.
            Err(VerifierError::Service { status: 400..500, .. } | VerifierError::Port(_)) => {
                self.write(rows::end_enrolment)?;
                vec![key.clone()]
            }
            // The service may have heard of this key.
            Err(_) => Vec::new(),
        };
        // A key without a certificate is of no use to anybody; failing to delete it changes nothing about the outcome.
        if !useless.is_empty() {
            let _ = self.keys.delete(&useless);
        }
        if enrolled.is_ok() {
            self.tell("staff", "enrolled");
        }
        enrolled
    }

    /// The key that was made for this code before, or a new one, written down.
    fn enrolment_key(&self, code: &str) -> Result<(KeyId, PublicKey), VerifierError> {
        let code_hash = sha256(code.as_bytes());
        let before = self.read(rows::enrolment)?;
        if let Some(known) = before.as_ref().filter(|known| known.code_hash == code_hash)
            && let Ok(public) = PublicKey::from_sec1(Curve::P256, &known.public_key)
        {
            return Ok((known.key.clone(), public));
        }
        let made = self.keys.create_keys(KeyClass::Account, 1, &array::<32>(self.random.as_ref()))?;
        let [(key, public)] = made.keys.as_slice() else {
            return Err(VerifierError::Internal("the key store gave another number of keys"));
        };
        let row = rows::Enrolment { code_hash, key: key.clone(), public_key: public.to_sec1() };
        self.write(|tx| rows::put_enrolment(tx, &row))?;
        if let Some(before) = before {
            // Made for another code that never gave a certificate.
            let _ = self.keys.delete(&[before.key]);
        }
        Ok((key.clone(), public.clone()))
    }

    /// The papers by which this device may ask now: enrolled, and the certificate still holds against the trust data of today.
    pub(crate) fn valid_papers(&self, trust: &TrustTargets, now: Timestamp) -> Result<(StaffPapers, Certificate, Staff), VerifierError> {
        let papers = self.papers()?.ok_or(VerifierError::NotEnrolled)?;
        let certificate = check_certificate(&papers.certificate, None, trust, now).map_err(|_| VerifierError::CertificateEnded)?;
        let staff = papers.staff().ok_or(VerifierError::CertificateEnded)?;
        Ok((papers, certificate, staff))
    }
}

/// A reader certificate of this device, for the key that asked for it.
pub(crate) fn check_certificate(
    der: &[u8],
    key: Option<&PublicKey>,
    trust: &TrustTargets,
    now: Timestamp,
) -> Result<Certificate, VerifierError> {
    let untrusted = || VerifierError::Untrusted(FactName::RequestChain);
    let leaf = Certificate::from_der(der).map_err(|_| untrusted())?;
    let own = key.is_none_or(|key| leaf.public_key().is_ok_and(|public| public == *key));
    if own && ReaderTrust::from(trust).check(&leaf, now).is_ok() { Ok(leaf) } else { Err(untrusted()) }
}
