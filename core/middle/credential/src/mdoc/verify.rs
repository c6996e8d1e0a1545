//! Judging an mdoc: chain, signature, digests, holder, then validity, status, type (ISO 18013-5, 9.3.1 and 9.1.3).

use std::collections::BTreeSet;

use wallet_base::cbor::Value;
use wallet_base::crypto::{EphemeralKey, PublicKey, ct_eq};
use wallet_base::fact::{Fact, FactName, Ladder};
use wallet_base::time::Timestamp;
use wallet_base::x509::Certificate;

use super::device_auth::{SessionTranscript, device_authentication_bytes, device_mac_key};
use super::device_response::{DeviceAuth, DeviceSigned, UnverifiedMdoc};
use super::issuer_signed::IssuerSigned;
use super::mso::MobileSecurityObject;
use crate::CredentialError;
use crate::check::{self, Check, RUNGS};
use crate::status::StatusRef;
use crate::trust::{SignerRef, TrustedSigner, Untrusted};

/// A document that was presented here and now by the device it was issued to. `Debug` shows no values.
pub struct VerifiedMdoc {
    elements: Vec<(String, String, Value)>,
    device_elements: Vec<(String, String, Value)>,
    mso: MobileSecurityObject,
    signer: TrustedSigner,
}

impl std::fmt::Debug for VerifiedMdoc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedMdoc").field("mso", &self.mso).finish_non_exhaustive()
    }
}

impl VerifiedMdoc {
    /// Document type.
    pub fn doctype(&self) -> &str {
        &self.mso.doctype
    }

    /// The elements the issuer signed: (namespace, element, value).
    pub fn elements(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        self.elements.iter().map(|(ns, id, value)| (ns.as_str(), id.as_str(), value))
    }

    /// An element the issuer signed.
    pub fn element(&self, name_space: &str, element: &str) -> Option<&Value> {
        self.elements().find(|(ns, id, _)| *ns == name_space && *id == element).map(|(_, _, value)| value)
    }

    /// Elements the device itself signed, as the issuer authorised it to; never mixed with the issuer's.
    pub fn device_elements(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        self.device_elements.iter().map(|(ns, id, value)| (ns.as_str(), id.as_str(), value))
    }

    /// What the issuer signed about the document.
    pub fn mso(&self) -> &MobileSecurityObject {
        &self.mso
    }

    /// End of validity.
    pub fn valid_until(&self) -> Timestamp {
        self.mso.valid_until
    }

    /// Where its status stands.
    pub fn status(&self) -> Option<&StatusRef> {
        self.mso.status.as_ref()
    }

    /// Who signed.
    pub fn signer(&self) -> &TrustedSigner {
        &self.signer
    }
}

/// A document that was issued to a key of mine.
#[derive(Debug)]
pub struct VerifiedIssuerSigned {
    issuer_signed: IssuerSigned,
    signer: TrustedSigner,
}

impl VerifiedIssuerSigned {
    /// The document with its original bytes.
    pub fn issuer_signed(&self) -> &IssuerSigned {
        &self.issuer_signed
    }

    /// All elements: (namespace, element, value).
    pub fn elements(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        self.issuer_signed.items().map(|(ns, item)| (ns, item.element.as_str(), &item.value))
    }

    /// End of validity.
    pub fn valid_until(&self) -> Timestamp {
        self.issuer_signed.mso.valid_until
    }

    /// Where its status stands.
    pub fn status(&self) -> Option<&StatusRef> {
        self.issuer_signed.mso.status.as_ref()
    }

    /// Who signed.
    pub fn signer(&self) -> &TrustedSigner {
        &self.signer
    }
}

impl UnverifiedMdoc {
    /// Judges a presented document.
    ///
    /// `reader_key` is the reader's ephemeral private key of the session, needed for a `deviceMac` only; without it a MAC leaves
    /// `credential.holder` not-checked and gives no verified document.
    pub fn verify(
        &self,
        check: &Check<'_>,
        transcript: &SessionTranscript,
        reader_key: Option<&EphemeralKey>,
    ) -> (Vec<Fact>, Option<VerifiedMdoc>) {
        let mut ladder = Ladder::new(check.by, &check.expected.id);
        let mso = &self.issuer_signed.mso;
        let signer = issuer_rungs(&mut ladder, &self.issuer_signed, check);
        match &self.device_signed {
            Some(DeviceSigned { auth: DeviceAuth::Mac(_), .. }) if reader_key.is_none() => {
                ladder.note(Fact::not_checked(FactName::CredentialHolder, check.by, "no reader key to check the MAC with"));
            }
            device_signed => {
                ladder.check_with(FactName::CredentialHolder, || {
                    self.check_holder(device_signed.as_ref().ok_or("no device authentication")?, transcript, reader_key)
                });
            }
        }
        let actual = (self.doctype == mso.doctype).then_some(mso.doctype.as_str());
        tail(&mut ladder, mso, signer.as_ref(), actual, check);
        let facts = ladder.into_facts();
        let verified = signer.filter(|_| check::holds(&facts, &RUNGS)).map(|signer| VerifiedMdoc {
            elements: self.issuer_signed.items().map(|(ns, item)| (ns.to_owned(), item.element.clone(), item.value.clone())).collect(),
            device_elements: self.device_signed.as_ref().map(|signed| signed.elements.clone()).unwrap_or_default(),
            mso: mso.clone(),
            signer,
        });
        (facts, verified)
    }

    fn check_holder(
        &self,
        signed: &DeviceSigned,
        transcript: &SessionTranscript,
        reader_key: Option<&EphemeralKey>,
    ) -> Result<(), &'static str> {
        let mso = &self.issuer_signed.mso;
        let content = device_authentication_bytes(transcript, &self.doctype, &signed.name_spaces_raw);
        match &signed.auth {
            DeviceAuth::Signature(signature) => {
                signature.verify_detached(&mso.device_key, b"", &content).map_err(|_| "device signature does not verify")?;
            }
            DeviceAuth::Mac(mac) => {
                let reader_key = reader_key.ok_or("no reader key")?;
                let secret = reader_key.agree(&mso.device_key).map_err(|_| "no agreement with the device key")?;
                let key = device_mac_key(secret.as_slice(), transcript).map_err(|_| "no MAC key")?;
                mac.verify_detached(key.as_slice(), b"", &content).map_err(|_| "device MAC does not verify")?;
            }
        }
        // What the device adds counts only where the issuer authorised the key for it (9.1.2.4).
        let allowed = |(ns, id, _): &(String, String, Value)| mso.authorized.allows(ns, id);
        if signed.elements.iter().all(allowed) { Ok(()) } else { Err("device signed an element it may not sign") }
    }
}

/// Judges an `IssuerSigned` before it is stored: the same ladder, where `credential.holder` means that it was issued to `device_key`, and every
/// element must match its digest.
///
/// # Errors
/// The bytes are no `IssuerSigned`.
pub fn verify_issued(
    bytes: &[u8],
    check: &Check<'_>,
    device_key: &PublicKey,
) -> Result<(Vec<Fact>, Option<VerifiedIssuerSigned>), CredentialError> {
    let issuer_signed = IssuerSigned::decode(bytes)?;
    let mut ladder = Ladder::new(check.by, &check.expected.id);
    let signer = issuer_rungs(&mut ladder, &issuer_signed, check);
    let mine = issuer_signed.mso.device_key == *device_key;
    ladder.check(FactName::CredentialHolder, if mine { Ok(()) } else { Err("issued to another key") });
    let actual = Some(issuer_signed.mso.doctype.as_str());
    tail(&mut ladder, &issuer_signed.mso, signer.as_ref(), actual, check);
    let facts = ladder.into_facts();
    let verified = signer.filter(|_| check::holds(&facts, &RUNGS)).map(|signer| VerifiedIssuerSigned { issuer_signed, signer });
    Ok((facts, verified))
}

/// Chain, signature, digests.
fn issuer_rungs(ladder: &mut Ladder, issuer_signed: &IssuerSigned, check: &Check<'_>) -> Option<TrustedSigner> {
    let signer = find_signer(issuer_signed, check);
    ladder.check(FactName::CredentialChain, signer.as_ref().map(|_| ()).map_err(ToString::to_string));
    let signer = signer.ok();
    ladder.check_with(FactName::CredentialSignature, || check_signature(issuer_signed, signer.as_ref()));
    ladder.check_with(FactName::CredentialDigest, || check_digests(issuer_signed));
    signer
}

fn find_signer(issuer_signed: &IssuerSigned, check: &Check<'_>) -> Result<TrustedSigner, Untrusted> {
    // The leaf alone decides: our profile has no intermediates (ISO 18013-5, annex B: IACA, then document signer).
    let leaf = issuer_signed.auth.x5chain().first().copied().ok_or(Untrusted::Unnamed)?;
    let leaf = Certificate::from_der(leaf).map_err(|_| Untrusted::Unreadable)?;
    let document = check::listed_for(check, Some(&issuer_signed.mso.doctype));
    check.trust.signer(SignerRef::Certificate(&leaf), document, check.at)
}

fn check_signature(issuer_signed: &IssuerSigned, signer: Option<&TrustedSigner>) -> Result<(), &'static str> {
    let key = signer.ok_or("no signer")?.certificate().public_key().map_err(|_| "signer key cannot be read")?;
    issuer_signed.auth.verify(&key, b"").map_err(|_| "issuer signature does not verify")
}

fn check_digests(issuer_signed: &IssuerSigned) -> Result<(), &'static str> {
    let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
    for (name_space, item) in issuer_signed.items() {
        if !ids.insert((name_space, item.digest_id)) || !names.insert((name_space, item.element.as_str())) {
            return Err("an element stands twice");
        }
        let signed = issuer_signed.mso.digest(name_space, item.digest_id).ok_or("an element without a signed digest")?;
        if !ct_eq(&issuer_signed.mso.digest_alg.digest(&item.raw), signed) {
            return Err("an element does not match its digest");
        }
    }
    Ok(())
}

fn tail(ladder: &mut Ladder, mso: &MobileSecurityObject, signer: Option<&TrustedSigner>, actual: Option<&str>, check: &Check<'_>) {
    let signed_under = signer.is_none_or(|signer| signer.certificate().valid_at(mso.signed));
    let validity = if signed_under {
        mso.period().judge(check.at, check.skew_secs).map(|()| None)
    } else {
        // 9.3.1: `signed` lies within the validity of the document signer's certificate.
        Err("signed outside the validity of the signer's certificate".to_owned())
    };
    check::side_by_side(ladder, check, validity, mso.status.as_ref(), actual);
}
