//! Presenting: chosen elements, bound to a session by the holder's key (ISO 18013-5, 8.3.2.1.2.2 and 9.1.3).

use wallet_base::cbor;
use wallet_base::cose::{Mac0, Prepared, Sign1Builder};

use super::device_auth::{SessionTranscript, device_authentication_bytes, device_mac_key};
use super::issuer_signed::IssuerSigned;
use crate::CredentialError;
use crate::raw::{self, Writer};

/// Length of a raw ECDSA signature on P-256.
const RAW_SIGNATURE_BYTES: usize = 64;
/// Length of an agreed secret on P-256.
const SHARED_SECRET_BYTES: usize = 32;
/// `DeviceNameSpaces` of a holder who adds nothing: an empty map.
const NO_DEVICE_ELEMENTS: [u8; 1] = [0xa0];

/// A `DeviceResponse` that waits for the holder's key. The key stays behind its port: hand [`Self::to_be_signed`] to it and come back with the
/// raw signature, or come back with an agreed secret.
pub struct PreparedPresentation {
    doctype: String,
    issuer_signed: Vec<u8>,
    device_name_spaces: Vec<u8>,
    authentication: Vec<u8>,
    transcript: SessionTranscript,
    prepared: Prepared,
}

/// Prepares a `DeviceResponse` with one document that shows exactly the `chosen` (namespace, element) pairs.
///
/// # Errors
/// Nothing chosen, or an element that the document does not hold.
pub fn present(
    issuer_signed: &IssuerSigned,
    transcript: &SessionTranscript,
    chosen: &[(&str, &str)],
) -> Result<PreparedPresentation, CredentialError> {
    if chosen.is_empty() {
        return Err(CredentialError::Specification("nothing chosen"));
    }
    let held = |ns: &str, id: &str| issuer_signed.items().any(|(space, item)| space == ns && item.element == id);
    if !chosen.iter().all(|(ns, id)| held(ns, id)) {
        return Err(CredentialError::NoSuchElement);
    }
    let doctype = issuer_signed.mso.doctype.clone();
    let device_name_spaces = raw::tag_24(&NO_DEVICE_ELEMENTS);
    let authentication = device_authentication_bytes(transcript, &doctype, &device_name_spaces);
    let curve = issuer_signed.mso.device_key.curve();
    Ok(PreparedPresentation {
        issuer_signed: select(issuer_signed, chosen),
        prepared: Sign1Builder::new().prepare_detached(authentication.clone(), b"", curve),
        transcript: transcript.clone(),
        doctype,
        device_name_spaces,
        authentication,
    })
}

/// `IssuerSigned` with the chosen items only; items and issuer authentication as they came.
fn select(issuer_signed: &IssuerSigned, chosen: &[(&str, &str)]) -> Vec<u8> {
    let mut kept: Vec<(&str, Vec<&[u8]>)> = Vec::new();
    for (name_space, items) in issuer_signed.name_spaces() {
        let is_chosen = |element: &str| chosen.iter().any(|(ns, id)| *ns == name_space && *id == element);
        let items: Vec<&[u8]> = items.iter().filter(|item| is_chosen(&item.element)).map(|item| item.raw.as_slice()).collect();
        if !items.is_empty() {
            kept.push((name_space, items));
        }
    }
    let mut out = Writer::new();
    out.map(2).text("nameSpaces").map(kept.len());
    for (name_space, items) in kept {
        out.text(name_space).array(items.len());
        for item in items {
            out.raw(item);
        }
    }
    out.text("issuerAuth").raw(&issuer_signed.auth_raw).take()
}

impl PreparedPresentation {
    /// What the holder's key must sign (ES256, raw r and s).
    pub fn to_be_signed(&self) -> &[u8] {
        &self.prepared.to_be_signed
    }

    /// Completes the `DeviceResponse` with a `deviceSignature`.
    ///
    /// # Errors
    /// The signature is not 64 bytes of raw r and s.
    pub fn finish(self, raw_signature: &[u8]) -> Result<Vec<u8>, CredentialError> {
        if raw_signature.len() != RAW_SIGNATURE_BYTES {
            return Err(CredentialError::Signing);
        }
        let signature = cbor::encode(&self.prepared.finish_value(raw_signature.to_vec()));
        Ok(response(&self.doctype, &self.issuer_signed, &self.device_name_spaces, "deviceSignature", &signature))
    }

    /// Completes the `DeviceResponse` with a `deviceMac`. `shared_secret` is the agreement of the holder's key with the reader's ephemeral
    /// key (32 bytes).
    ///
    /// # Errors
    /// The secret has another length.
    pub fn finish_with_mac(self, shared_secret: &[u8]) -> Result<Vec<u8>, CredentialError> {
        if shared_secret.len() != SHARED_SECRET_BYTES {
            return Err(CredentialError::Signing);
        }
        let key = device_mac_key(shared_secret, &self.transcript)?;
        let mac = cbor::encode(&Mac0::make_detached(key.as_slice(), b"", &self.authentication));
        Ok(response(&self.doctype, &self.issuer_signed, &self.device_name_spaces, "deviceMac", &mac))
    }
}

fn response(doctype: &str, issuer_signed: &[u8], device_name_spaces: &[u8], kind: &str, authentication: &[u8]) -> Vec<u8> {
    let mut out = Writer::new();
    out.map(3).text("version").text("1.0").text("documents").array(1);
    out.map(3).text("docType").text(doctype).text("issuerSigned").raw(issuer_signed);
    out.text("deviceSigned").map(2).text("nameSpaces").raw(device_name_spaces);
    out.text("deviceAuth").map(1).text(kind).raw(authentication);
    out.text("status").unsigned(0).take()
}
