//! One negative test per clause of what a wallet stores. Each begins with a copy that is stored, and changes one thing.

use wallet_base::crypto::{Curve, PublicKey, Signer, SoftwareKey};
use wallet_base::fact::{By, FactName};
use wallet_base::random::OsRandom;
use wallet_base::time::{Date, Timestamp};
use wallet_base::x509::{Certificate, CertificateSpec, issue as issue_certificate};
use wallet_credential::status::{self, Bits, StatusList, StatusListSpec, StatusLists, StatusRef, UnverifiedStatusList};
use wallet_credential::trust::{Anchors, StatusKey};
use wallet_credential::{mdoc, sd_cwt};
use wallet_documents::{Attributes, DocumentType, FieldValue, types};

use super::verify::{Received, VerifiedCopy, status_of, verify_copy};
use crate::error::WalletError;

const DAY: i64 = 86_400;
const URI: &str = "https://central.example/status/health-summary/2026-W50";

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-21T08:00:00Z").unwrap()
}

/// An issuer, its copy of one document for one key, and the list its status stands in.
struct Case {
    key: SoftwareKey,
    certificate: Certificate,
    /// Whose certificates the wallet trusts.
    anchors: Vec<Certificate>,
    mdoc: mdoc::MdocSpec,
    sd_cwt: sd_cwt::SdCwtSpec,
    holder: PublicKey,
    kind: &'static DocumentType,
    statuses: [u8; 2],
    list_issued: Timestamp,
    list_until: Timestamp,
    list_at_hand: bool,
    at: Timestamp,
    /// Changes bytes on the way.
    on_the_way: fn(&mut Vec<u8>, &mut Vec<u8>),
}

fn key() -> SoftwareKey {
    SoftwareKey::generate(Curve::P256, &OsRandom)
}

fn certificate(key: &SoftwareKey) -> Certificate {
    let spec = CertificateSpec {
        common_name: "Test Signer".to_owned(),
        organization: Some("Test".to_owned()),
        country: None,
        not_before: now().plus_secs(-30 * DAY),
        not_after: now().plus_secs(300 * DAY),
        public_key: key.public_key(),
        is_ca: false,
        extended_key_usage: vec!["1.0.18013.5.1.2".to_owned()],
        extensions: Vec::new(),
        lean: false,
    };
    issue_certificate(&spec, None, key, &OsRandom).unwrap()
}

fn attributes(name: &str) -> Attributes {
    let mut all = Attributes::new(&types::HEALTH_SUMMARY);
    all.set("full_name", FieldValue::Text(name.to_owned())).unwrap();
    all.set("birth_date", FieldValue::Date(Date::new(1990, 1, 1).unwrap())).unwrap();
    all.set("allergies", FieldValue::Entries(Vec::new())).unwrap();
    all.set("conditions", FieldValue::Entries(Vec::new())).unwrap();
    all.set("as_of", FieldValue::Moment(now())).unwrap();
    all
}

impl Case {
    fn new() -> Self {
        let (key, holder) = (key(), key().public_key());
        let certificate = certificate(&key);
        let data = attributes("TRAN THI BINH");
        let status = |index| Some(StatusRef { uri: URI.to_owned(), index });
        let (from, until) = (now().plus_secs(-DAY), now().plus_secs(28 * DAY));
        Self {
            anchors: vec![certificate.clone()],
            mdoc: mdoc::MdocSpec {
                doctype: types::HEALTH_SUMMARY.doctype.to_owned(),
                elements: data.to_elements(),
                device_key: holder.clone(),
                signed: from,
                valid_from: from,
                valid_until: until,
                status: status(1),
            },
            sd_cwt: sd_cwt::SdCwtSpec {
                vct: types::HEALTH_SUMMARY.vct.to_owned(),
                iss: None,
                sub: "x".to_owned(),
                iat: from,
                exp: until,
                holder_key: holder.clone(),
                claims: data.to_claims(),
                total_redacted: types::HEALTH_SUMMARY.redacted_claims,
                status: status(2),
            },
            key,
            certificate,
            holder,
            kind: &types::HEALTH_SUMMARY,
            statuses: [status::VALID; 2],
            list_issued: now().plus_secs(-3600),
            list_until: now().plus_secs(14 * DAY),
            list_at_hand: true,
            at: now(),
            on_the_way: |_, _| {},
        }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut case = Self::new();
        change(&mut case);
        case
    }

    fn lists(&self) -> StatusLists {
        let mut list = StatusList::new(Bits::Two, 64).unwrap();
        list.set(1, self.statuses[0]).unwrap();
        list.set(2, self.statuses[1]).unwrap();
        let signer = key();
        let spec = StatusListSpec { uri: URI, issued_at: self.list_issued, expires: self.list_until, ttl_secs: 43_200, list: &list };
        let token = status::issue(&spec, &signer, b"status01").unwrap();
        let trust = StatusKey { kid: b"status01".to_vec(), key: signer.public_key() };
        let (_, verified) = UnverifiedStatusList::decode(&token).unwrap().verify(&trust, URI, self.at, By::Wallet);
        let mut lists = StatusLists::new();
        if self.list_at_hand {
            lists.insert(verified.unwrap());
        }
        lists
    }

    fn judge(&self) -> Result<VerifiedCopy, WalletError> {
        let mut mdoc = mdoc::issue(&self.mdoc, &self.key, &self.certificate, &OsRandom).unwrap();
        let mut sd_cwt = sd_cwt::issue(&self.sd_cwt, &self.key, &self.certificate.kid8(), &OsRandom).unwrap();
        (self.on_the_way)(&mut mdoc, &mut sd_cwt);
        let received = Received { mdoc: &mdoc, sd_cwt: &sd_cwt, key: &self.holder };
        let (_, result) = verify_copy(self.kind, &received, &Anchors::new(self.anchors.clone()), &self.lists(), self.at);
        result
    }

    fn refused(&self) -> FactName {
        match self.judge() {
            Err(WalletError::Untrusted(fact) | WalletError::Unchecked(fact)) => fact,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it would have been stored"),
        }
    }
}

/// Overwrites the first occurrence.
fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
}

#[test]
fn a_whole_copy_is_taken() {
    let copy = Case::new().judge().unwrap();
    assert_eq!(copy.attributes, attributes("TRAN THI BINH"));
    assert_eq!(copy.valid_until, now().plus_secs(28 * DAY));
    assert_ne!(copy.status[0], copy.status[1]);
}

#[test]
fn an_unlisted_signer_is_refused() {
    assert_eq!(Case::with(|case| case.anchors = vec![certificate(&key())]).refused(), FactName::CredentialChain);
}

#[test]
fn another_signature_is_refused() {
    let case = Case::with(|case| case.on_the_way = |mdoc, _| *mdoc.last_mut().unwrap() ^= 1);
    assert_eq!(case.refused(), FactName::CredentialSignature);
    let case = Case::with(|case| case.on_the_way = |_, sd_cwt| *sd_cwt.last_mut().unwrap() ^= 1);
    assert_eq!(case.refused(), FactName::CredentialSignature);
}

#[test]
fn an_altered_value_is_refused() {
    let case = Case::with(|case| case.on_the_way = |mdoc, _| replace(mdoc, b"BINH", b"BANH"));
    assert_eq!(case.refused(), FactName::CredentialDigest);
    let case = Case::with(|case| case.on_the_way = |_, sd_cwt| replace(sd_cwt, b"BINH", b"BANH"));
    assert_eq!(case.refused(), FactName::CredentialDigest);
}

#[test]
fn a_credential_for_a_foreign_key_is_refused() {
    assert_eq!(Case::with(|case| case.mdoc.device_key = key().public_key()).refused(), FactName::CredentialHolder);
    assert_eq!(Case::with(|case| case.sd_cwt.holder_key = key().public_key()).refused(), FactName::CredentialHolder);
}

#[test]
fn another_type_is_refused() {
    assert_eq!(Case::with(|case| case.mdoc.doctype = "org.iso.18013.5.1.mDL".to_owned()).refused(), FactName::CredentialType);
    assert_eq!(Case::with(|case| case.sd_cwt.vct = "urn:vn:driving-licence:1".to_owned()).refused(), FactName::CredentialType);
    // Both formats of another document than the one asked for.
    assert_eq!(Case::with(|case| case.kind = &types::DRIVING_LICENCE).refused(), FactName::CredentialType);
}

#[test]
fn expired_and_future_credentials_are_refused() {
    let late = |case: &mut Case| {
        case.at = now().plus_secs(29 * DAY);
        case.list_issued = case.at;
        case.list_until = case.at.plus_secs(DAY);
    };
    assert_eq!(Case::with(late).refused(), FactName::CredentialValidity);
    assert_eq!(Case::with(|case| case.sd_cwt.exp = now()).refused(), FactName::CredentialValidity);
    let early = |case: &mut Case| {
        case.mdoc.signed = now().plus_secs(DAY);
        case.mdoc.valid_from = now().plus_secs(DAY);
    };
    assert_eq!(Case::with(early).refused(), FactName::CredentialValidity);
}

#[test]
fn a_bad_or_missing_status_is_refused() {
    for bad in [status::INVALID, status::SUSPENDED] {
        assert_eq!(Case::with(|case| case.statuses = [bad, status::VALID]).refused(), FactName::CredentialStatus);
        assert_eq!(Case::with(|case| case.statuses = [status::VALID, bad]).refused(), FactName::CredentialStatus);
    }
    // Outside the list; no list; no status at all; a list past its end.
    let outside = |case: &mut Case| case.mdoc.status = Some(StatusRef { uri: URI.to_owned(), index: 64 });
    assert_eq!(Case::with(outside).refused(), FactName::CredentialStatus);
    assert_eq!(Case::with(|case| case.list_at_hand = false).refused(), FactName::StatusFreshness);
    assert_eq!(Case::with(|case| case.sd_cwt.status = None).refused(), FactName::StatusFreshness);
    assert_eq!(Case::with(|case| case.list_until = now()).refused(), FactName::StatusFreshness);
}

#[test]
fn formats_that_disagree_and_incomplete_documents_are_refused() {
    let case = Case::with(|case| case.sd_cwt.claims = attributes("LE THI BINH").to_claims());
    assert!(matches!(case.judge(), Err(WalletError::Answer(_))));
    let case = Case::with(|case| {
        case.mdoc.elements.retain(|(_, element, _)| element != "conditions");
        let conditions = types::HEALTH_SUMMARY.field("conditions").unwrap().claim.unwrap();
        case.sd_cwt.claims.retain(|(claim, _)| *claim != conditions);
    });
    assert!(matches!(case.judge(), Err(WalletError::Answer(_))));
}

#[test]
fn what_is_no_credential_is_refused() {
    let nothing = |case: &mut Case| case.on_the_way = |mdoc, _| mdoc.truncate(40);
    assert!(matches!(Case::with(nothing).judge(), Err(WalletError::Answer("mdoc"))));
    let nothing = |case: &mut Case| case.on_the_way = |_, sd_cwt| sd_cwt.truncate(40);
    assert!(matches!(Case::with(nothing).judge(), Err(WalletError::Answer("SD-CWT"))));
    let key = key().public_key();
    assert!(status_of(&Received { mdoc: b"", sd_cwt: b"", key: &key }).is_err());
}
