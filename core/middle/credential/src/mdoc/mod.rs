//! mdoc: ISO/IEC 18013-5:2021 documents.
//!
//! Issue: [`issue()`]. Store: [`verify_issued`], then [`IssuerSigned::decode`] of the kept bytes. Present: [`present()`] gives a
//! [`PreparedPresentation`] whose `to_be_signed` goes to the key store (or whose MAC key comes from an agreement). Check:
//! [`UnverifiedDeviceResponse::decode`], pick a document, [`UnverifiedMdoc::verify`]. Bytes that were signed or hashed stay as they came.

mod device_auth;
mod device_response;
mod issue;
mod issuer_signed;
mod mso;
mod openid4vp;
mod present;
#[cfg(test)]
mod tests;
mod verify;

pub use device_auth::{SessionTranscript, device_authentication_bytes, device_mac_key};
pub use device_response::{MAX_DOCUMENTS, MAX_RESPONSE_BYTES, UnverifiedDeviceResponse, UnverifiedMdoc};
pub use issue::{MdocSpec, issue};
pub use issuer_signed::{IssuerSigned, IssuerSignedItem, MAX_ISSUER_SIGNED_BYTES};
pub use mso::MobileSecurityObject;
pub use openid4vp::{openid4vp_dc_api_transcript, openid4vp_transcript};
pub use present::{PreparedPresentation, present};
pub use verify::{VerifiedIssuerSigned, VerifiedMdoc, verify_issued};

use wallet_base::cbor::Limits;

/// Limits for mdoc data. ISO 18013-5 does not forbid indefinite lengths, so peers may use them; duplicate keys are refused all the same.
const LIMITS: Limits = Limits::STRICT.with_bytes(MAX_RESPONSE_BYTES).with_items(16 * 1024).allowing_indefinite();
