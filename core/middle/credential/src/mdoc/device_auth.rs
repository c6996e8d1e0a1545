//! Device authentication: what the holder's key signs or MACs (ISO 18013-5, 9.1.3).

use wallet_base::cbor::{self, Limits};
use wallet_base::crypto::{hkdf_sha256, sha256};
use zeroize::Zeroizing;

use super::LIMITS;
use crate::CredentialError;
use crate::raw::{self, Writer};

/// Largest session transcript accepted.
const MAX_TRANSCRIPT_BYTES: usize = 64 * 1024;

/// `SessionTranscript = [DeviceEngagementBytes, EReaderKeyBytes, Handover]`, in the bytes both sides hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionTranscript(Vec<u8>);

impl SessionTranscript {
    /// From the encoded array, or from the array wrapped in tag 24 (`SessionTranscriptBytes`).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CredentialError> {
        const WHAT: &str = "session transcript";
        if bytes.len() > MAX_TRANSCRIPT_BYTES {
            return Err(CredentialError::TooLarge(WHAT));
        }
        let array = raw::untag_24(bytes, WHAT).unwrap_or(bytes);
        let limits = Limits { indefinite: true, ..LIMITS };
        match cbor::array_items(array, limits) {
            Ok(items) if items.len() == 3 => Ok(Self(array.to_vec())),
            _ => Err(CredentialError::Malformed(WHAT)),
        }
    }

    pub(super) fn from_array(array: Vec<u8>) -> Self {
        Self(array)
    }

    /// The encoded array.
    pub fn array(&self) -> &[u8] {
        &self.0
    }

    /// `SessionTranscriptBytes = #6.24(bstr .cbor SessionTranscript)`.
    pub fn bytes(&self) -> Vec<u8> {
        raw::tag_24(&self.0)
    }
}

/// `DeviceAuthenticationBytes`: the detached content of `deviceSignature` and `deviceMac` (9.1.3.4). `device_name_spaces` is the encoded
/// `DeviceNameSpacesBytes` item as it stands in `deviceSigned`, tag included.
pub fn device_authentication_bytes(transcript: &SessionTranscript, doctype: &str, device_name_spaces: &[u8]) -> Vec<u8> {
    let mut authentication = Writer::new();
    authentication.array(4).text("DeviceAuthentication").raw(transcript.array()).text(doctype).raw(device_name_spaces);
    raw::tag_24(&authentication.take())
}

/// `EMacKey` (9.1.3.5): HKDF-SHA-256 over the agreed secret (32 bytes, x coordinate) of the holder's key and the reader's ephemeral key,
/// salt SHA-256 of `SessionTranscriptBytes`, info `EMacKey`.
pub fn device_mac_key(shared_secret: &[u8], transcript: &SessionTranscript) -> Result<Zeroizing<[u8; 32]>, CredentialError> {
    let mut key = Zeroizing::new([0; 32]);
    hkdf_sha256(shared_secret, &sha256(&transcript.bytes()), b"EMacKey", key.as_mut()).map_err(|_| CredentialError::Signing)?;
    Ok(key)
}
