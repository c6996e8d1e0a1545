//! Evidence: what a phone sends to central so that central can verify the chip itself, and the challenge that ties it to one activation.
//!
//! Active Authentication is the proof that cannot be denied: the chip signs a challenge that names session, nonce, action, account and
//! device key. DG13 (religion, ethnicity, parents) is never part of it; DG2 only for the face.

use wallet_base::cbor::{self, Limits, Value};
use wallet_base::crypto::{ct_eq, sha256};
use wallet_base::fact::{By, Fact};
use wallet_base::time::Timestamp;

use crate::ReadError;
use crate::files::FileId;
use crate::passive::{CardTrust, Presented, VerifiedChip, verify_presented};
use crate::reader::ChipData;

/// Label in front of the challenge's input.
const LABEL: &[u8] = b"vn-wallet-aa-v1";
/// Longest encoded evidence, in bytes.
pub const MAX_EVIDENCE: usize = 256 * 1024;
const FILE: &str = "evidence";

/// RND.IFD for Active Authentication: the first eight bytes of SHA-256 over label, session, nonce, action, account and device key
/// thumbprint (RFC 7638), each behind its length as four bytes big-endian. Central and phone compute it alike.
pub fn challenge(session_id: &[u8], nonce: &[u8; 32], action: &str, account: &str, key_thumbprint: &[u8; 32]) -> [u8; 8] {
    let mut input = Vec::new();
    for part in [LABEL, session_id, nonce.as_slice(), action.as_bytes(), account.as_bytes(), key_thumbprint.as_slice()] {
        input.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        input.extend_from_slice(part);
    }
    sha256(&input).first_chunk::<8>().copied().unwrap_or_default()
}

/// Files and the chip's signature, unverified. `Debug` is redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence {
    /// EF.SOD.
    pub sod: Vec<u8>,
    /// DG1.
    pub dg1: Vec<u8>,
    /// DG2, for the face comparison.
    pub dg2: Option<Vec<u8>>,
    /// DG14, when the card has one.
    pub dg14: Option<Vec<u8>>,
    /// DG15.
    pub dg15: Vec<u8>,
    /// The challenge that was sent.
    pub challenge: [u8; 8],
    /// The chip's signature, r || s.
    pub signature: Vec<u8>,
}

impl std::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Evidence(redacted)")
    }
}

impl Evidence {
    /// Evidence out of a reading. Errors when the card has no DG15 or did not answer the challenge.
    pub fn from_data(data: &ChipData, with_face: bool) -> Result<Self, ReadError> {
        Ok(Self {
            sod: data.sod.clone(),
            dg1: data.dg1.clone(),
            dg2: data.dg2.clone().filter(|_| with_face),
            dg14: data.dg14.clone(),
            dg15: data.dg15.clone().ok_or(ReadError::MissingFile { file: FileId::Dg15.name() })?,
            challenge: data.challenge.ok_or(ReadError::MissingFile { file: "challenge" })?,
            signature: data.aa_signature.clone().ok_or(ReadError::MissingFile { file: "chip signature" })?,
        })
    }

    /// CBOR map: 1 SOD, 2 DG1, 3 DG2, 4 DG14, 5 DG15, 6 challenge, 7 signature; 3 and 4 may be absent.
    pub fn encode(&self) -> Vec<u8> {
        let fields = [
            Some((1, self.sod.as_slice())),
            Some((2, self.dg1.as_slice())),
            self.dg2.as_deref().map(|dg2| (3, dg2)),
            self.dg14.as_deref().map(|dg14| (4, dg14)),
            Some((5, self.dg15.as_slice())),
            Some((6, self.challenge.as_slice())),
            Some((7, self.signature.as_slice())),
        ];
        cbor::encode(&Value::Map(fields.into_iter().flatten().map(|(key, bytes)| (Value::int(key), Value::bytes(bytes))).collect()))
    }

    /// Reads evidence; unknown keys are refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReadError> {
        const BAD: ReadError = ReadError::malformed(FILE, "not a map of byte strings");
        let value = cbor::decode(bytes, Limits::STRICT.with_bytes(MAX_EVIDENCE)).map_err(|_| BAD)?;
        for (key, value) in value.as_map().ok_or(BAD)? {
            if !key.as_int().is_some_and(|key| (1..=7).contains(&key)) || value.as_bytes().is_none() {
                return Err(BAD);
            }
        }
        let field = |key: i64| value.get_int(key).and_then(Value::as_bytes).map(<[u8]>::to_vec);
        let need = |key: i64| field(key).ok_or(ReadError::malformed(FILE, "a field is missing"));
        Ok(Self {
            sod: need(1)?,
            dg1: need(2)?,
            dg2: field(3),
            dg14: field(4),
            dg15: need(5)?,
            challenge: need(6)?.try_into().map_err(|_| ReadError::malformed(FILE, "challenge is not eight bytes"))?,
            signature: need(7)?,
        })
    }

    /// Verifies as [`crate::passive::verify`] does, and that the challenge is `expected` (recomputed by the verifier with
    /// [`challenge`], never taken from the sender): evidence of another session, account or device key fails `chip.genuine`.
    /// `chip.access` is not-checked and optional: only the reader saw it.
    pub fn verify(&self, expected: &[u8; 8], trust: &CardTrust, at: Timestamp, by: By) -> (Vec<Fact>, Option<VerifiedChip>) {
        let mut groups = vec![(FileId::Dg1, self.dg1.as_slice()), (FileId::Dg15, self.dg15.as_slice())];
        groups.extend(self.dg2.as_deref().map(|dg2| (FileId::Dg2, dg2)));
        groups.extend(self.dg14.as_deref().map(|dg14| (FileId::Dg14, dg14)));
        let presented = Presented {
            sod: &self.sod,
            groups,
            challenge: Some(self.challenge),
            signature: Some(&self.signature),
            card_access: None,
            foreign_challenge: !ct_eq(&self.challenge, expected),
        };
        verify_presented(&presented, trust, at, by)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn evidence() -> Evidence {
        Evidence {
            sod: vec![1],
            dg1: vec![2; 300],
            dg2: None,
            dg14: Some(vec![4]),
            dg15: vec![5],
            challenge: [6; 8],
            signature: vec![7; 64],
        }
    }

    #[test]
    fn evidence_survives_a_round_and_shows_nothing() {
        assert_eq!(Evidence::decode(&evidence().encode()).unwrap(), evidence());
        assert_eq!(format!("{:?}", evidence()), "Evidence(redacted)");
    }

    #[test]
    fn hostile_evidence_is_refused() {
        let good = evidence().encode();
        for end in 0..good.len() {
            assert!(Evidence::decode(&good[..end]).is_err());
        }
        let bad = |pairs: Vec<(Value, Value)>| Evidence::decode(&cbor::encode(&Value::Map(pairs)));
        assert!(bad(vec![]).is_err());
        assert!(bad(vec![(Value::int(8), Value::bytes(&[]))]).is_err());
        assert!(bad(vec![(Value::int(1), Value::text("x"))]).is_err());
        assert!(Evidence::decode(&vec![0; MAX_EVIDENCE + 1]).is_err());
    }

    #[test]
    fn every_part_changes_the_challenge() {
        let base = challenge(b"s", &[1; 32], "activate", "account", &[2; 32]);
        let others = [
            challenge(b"t", &[1; 32], "activate", "account", &[2; 32]),
            challenge(b"s", &[0; 32], "activate", "account", &[2; 32]),
            challenge(b"s", &[1; 32], "restore", "account", &[2; 32]),
            challenge(b"s", &[1; 32], "activate", "accounts", &[2; 32]),
            challenge(b"s", &[1; 32], "activatea", "ccount", &[2; 32]),
            challenge(b"s", &[1; 32], "activate", "account", &[3; 32]),
        ];
        assert!(others.iter().all(|other| *other != base));
    }
}
