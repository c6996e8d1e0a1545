//! Synthetic authorities and documents for the tests of this crate.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wallet_base::cbor::{self, Limits, Value};
use wallet_base::crypto::{Curve, EphemeralKey, SoftwareKey};
use wallet_base::crypto::{PublicKey, Signer};
use wallet_base::fact::{By, Fact, FactName, Outcome, Verdict};
use wallet_base::random::SeededRandom;
use wallet_base::time::Timestamp;
use wallet_base::x509::{self, Certificate, CertificateSpec};

use crate::mdoc::{MdocSpec, SessionTranscript, openid4vp_transcript};
use crate::sd_cwt::SdCwtSpec;
use crate::status::{self, Bits, FreshnessPolicy, StatusCheck, StatusList, StatusListSpec, StatusLists, StatusRef, UnverifiedStatusList};
use crate::trust::{
    CardsTarget, EKU_DOCUMENT_SIGNER, EKU_STATUS_SIGNER, IssuerEntry, IssuersTarget, ReadersTarget, StatusTarget, TrustTargets,
};
use crate::{Check, ExpectedType};

pub const DAY: i64 = 86_400;
pub const HOUR: i64 = 3_600;
pub const LICENCE: &str = "driving-licence";
pub const IDENTITY: &str = "citizen-identity";
pub const MDL: &str = "org.iso.18013.5.1.mDL";
pub const NS: &str = "org.iso.18013.5.1";
pub const VCT: &str = "urn:vn:driving-licence:1";
pub const LIST_URI: &str = "https://central.test/status/driving-licence/2026-50";
pub const INDEX: u64 = 70_001;

/// A file of the vectors. The caller's name starts with `vector_`.
pub fn vector(path: &str) -> Vec<u8> {
    let root = PathBuf::from(std::env::var_os("WALLET_VECTORS").expect("WALLET_VECTORS is not set"));
    std::fs::read(root.join(path)).expect("vector file")
}

pub fn vector_json(path: &str) -> serde_json::Value {
    serde_json::from_slice(&vector(path)).expect("vector JSON")
}

/// 2026-11-21T08:00:00Z.
pub fn now() -> Timestamp {
    Timestamp::from_unix(1_795_248_000)
}

pub struct Authority {
    pub root_key: SoftwareKey,
    pub root: Certificate,
    pub key: SoftwareKey,
    pub cert: Certificate,
}

impl Authority {
    pub fn new(seed: u64, usage: &str) -> Self {
        Self::valid(seed, usage, now().plus_secs(-100 * DAY), now().plus_secs(400 * DAY))
    }

    pub fn valid(seed: u64, usage: &str, from: Timestamp, until: Timestamp) -> Self {
        let rng = SeededRandom::new(seed);
        let (root_key, key) = (SoftwareKey::generate(Curve::P256, &rng), SoftwareKey::generate(Curve::P256, &rng));
        let spec = |name: &str, public_key: PublicKey, is_ca: bool| CertificateSpec {
            common_name: format!("{name} {seed}"),
            organization: Some("Test authority".to_owned()),
            country: Some("VN".to_owned()),
            not_before: now().plus_secs(-1000 * DAY),
            not_after: now().plus_secs(3000 * DAY),
            public_key,
            is_ca,
            extended_key_usage: Vec::new(),
            extensions: Vec::new(),
            lean: false,
        };
        let root = x509::issue(&spec("Root", root_key.public_key(), true), None, &root_key, &rng).unwrap();
        let mut leaf = spec("Signer", key.public_key(), false);
        (leaf.not_before, leaf.not_after) = (from, until);
        leaf.extended_key_usage = if usage.is_empty() { Vec::new() } else { vec![usage.to_owned()] };
        let cert = x509::issue(&leaf, Some(&root), &root_key, &rng).unwrap();
        Self { root_key, root, key, cert }
    }

    pub fn entry(&self, documents: &[&str]) -> IssuerEntry {
        IssuerEntry {
            id: "test".to_owned(),
            name: "Test authority".to_owned(),
            root: STANDARD.encode(self.root.der()),
            signers: vec![STANDARD.encode(self.cert.der())],
            documents: documents.iter().map(|d| (*d).to_owned()).collect(),
            revoked: Vec::new(),
        }
    }
}

pub struct World {
    pub licences: Authority,
    pub identities: Authority,
    pub status: Authority,
    pub holder: SoftwareKey,
    pub reader: EphemeralKey,
    pub rng: SeededRandom,
    pub trust: TrustTargets,
    pub lists: StatusLists,
    pub mdl: ExpectedType,
    pub licence: ExpectedType,
}

impl World {
    pub fn new() -> Self {
        let rng = SeededRandom::new(1);
        let (licences, identities) = (Authority::new(2, EKU_DOCUMENT_SIGNER), Authority::new(3, EKU_DOCUMENT_SIGNER));
        let status = Authority::new(4, EKU_STATUS_SIGNER);
        let mut world = Self {
            trust: targets(vec![licences.entry(&[LICENCE]), identities.entry(&[IDENTITY])], &status, |_| {}),
            holder: SoftwareKey::generate(Curve::P256, &rng),
            reader: EphemeralKey::generate(&rng),
            lists: StatusLists::new(),
            mdl: ExpectedType::new(LICENCE, MDL),
            licence: ExpectedType::new(LICENCE, VCT),
            licences,
            identities,
            status,
            rng,
        };
        world.publish(status::VALID, now().plus_secs(-HOUR), now().plus_secs(14 * DAY));
        world
    }

    /// Replaces the status list.
    pub fn publish(&mut self, value: u8, issued_at: Timestamp, expires: Timestamp) {
        let token = list_token(&self.status, value, issued_at, expires);
        let (facts, list) = UnverifiedStatusList::decode(&token).unwrap().verify(&self.trust, LIST_URI, issued_at, By::Verifier);
        assert_eq!(Verdict::from(facts).conclusion().to_string(), "verified");
        self.lists = StatusLists::new();
        self.lists.insert(list.unwrap());
    }

    pub fn check_of<'a>(&'a self, expected: &'a ExpectedType) -> Check<'a> {
        Check {
            trust: &self.trust,
            expected,
            at: now(),
            skew_secs: 60,
            status: StatusCheck { lists: &self.lists, policy: FreshnessPolicy { green_hours: 24, caution_hours: 72 } },
            by: By::Verifier,
        }
    }

    pub fn mdoc_spec(&self) -> MdocSpec {
        let text = |id: &str, value: &str| (NS.to_owned(), id.to_owned(), Value::text(value));
        MdocSpec {
            doctype: MDL.to_owned(),
            elements: vec![
                text("family_name", "NGUYỄN"),
                text("given_name", "VĂN AN"),
                text("document_number", "790123456789"),
                ("vn.gov.gplx.1".to_owned(), "points".to_owned(), Value::Unsigned(12)),
            ],
            device_key: self.holder.public_key(),
            signed: now().plus_secs(-DAY),
            valid_from: now().plus_secs(-DAY),
            valid_until: now().plus_secs(29 * DAY),
            status: Some(StatusRef { uri: LIST_URI.to_owned(), index: INDEX }),
        }
    }

    pub fn sd_cwt_spec(&self) -> SdCwtSpec {
        SdCwtSpec {
            vct: VCT.to_owned(),
            iss: None,
            sub: "copy-7".to_owned(),
            iat: now().plus_secs(-DAY),
            exp: now().plus_secs(29 * DAY),
            holder_key: self.holder.public_key(),
            claims: vec![(-70_001, Value::text("Nguyễn Văn An")), (-70_002, Value::text("B2")), (-70_003, Value::Unsigned(12))],
            total_redacted: 10,
            status: Some(StatusRef { uri: LIST_URI.to_owned(), index: INDEX }),
        }
    }
}

pub fn list_token(signer: &Authority, value: u8, issued_at: Timestamp, expires: Timestamp) -> Vec<u8> {
    let mut list = StatusList::new(Bits::Two, 1 << 20).unwrap();
    list.set(INDEX, value).unwrap();
    let spec = StatusListSpec { uri: LIST_URI, issued_at, expires, ttl_secs: 43_200, list: &list };
    status::issue(&spec, &signer.key, &signer.cert.kid8()).unwrap()
}

/// Four targets around the given issuers.
pub fn targets(issuers: Vec<IssuerEntry>, status: &Authority, edit: impl FnOnce(&mut StatusTarget)) -> TrustTargets {
    let issuers = IssuersTarget { version: 1, issuers };
    let readers =
        ReadersTarget { version: 1, authorities: Vec::new(), roles: serde_json::json!({"version": 1, "roles": []}), revoked: Vec::new() };
    let mut list = StatusTarget { version: 1, signers: vec![STANDARD.encode(status.cert.der())], revoked: Vec::new() };
    edit(&mut list);
    let cards = CardsTarget { version: 1, csca: Vec::new(), revoked: Vec::new() };
    let json = |value: serde_json::Result<Vec<u8>>| value.unwrap();
    TrustTargets::parse(
        &json(serde_json::to_vec(&issuers)),
        &json(serde_json::to_vec(&readers)),
        &json(serde_json::to_vec(&list)),
        &json(serde_json::to_vec(&cards)),
    )
    .unwrap()
}

pub fn transcript() -> SessionTranscript {
    openid4vp_transcript("x509_hash:test", "nonce", None, "https://verifier.test/response")
}

/// The order of a credential's facts.
pub const LADDER: [&str; 8] = [
    "credential.chain",
    "credential.signature",
    "credential.digest",
    "credential.holder",
    "credential.validity",
    "status.freshness",
    "credential.status",
    "credential.type",
];

pub fn names(facts: &[Fact]) -> Vec<&'static str> {
    facts.iter().map(|fact| fact.name().as_str()).collect()
}

pub fn detail(facts: &[Fact], name: FactName) -> String {
    facts.iter().find(|fact| fact.name() == name).map(|fact| fact.detail().to_owned()).expect("fact")
}

pub fn outcome(facts: &[Fact], name: FactName) -> Outcome {
    facts.iter().find(|fact| fact.name() == name).map(Fact::outcome).expect("fact")
}

/// Facts that stand side by side.
const SIDE: [FactName; 4] = [FactName::CredentialValidity, FactName::StatusFreshness, FactName::CredentialStatus, FactName::CredentialType];

/// Exactly `name` failed; for a rung what came before passed and what comes after is not-checked.
pub fn only_failed(facts: &[Fact], name: FactName, words: &str) {
    let failed: Vec<_> = facts.iter().filter(|fact| fact.outcome() == Outcome::Failed).map(Fact::name).collect();
    assert_eq!(failed, [name], "{facts:?}");
    assert!(detail(facts, name).contains(words), "{:?} lacks {words:?}", detail(facts, name));
    let at = facts.iter().position(|fact| fact.name() == name).unwrap();
    assert!(facts[..at].iter().all(|fact| fact.outcome() == Outcome::Passed || SIDE.contains(&fact.name())), "{facts:?}");
    if !SIDE.contains(&name) {
        assert!(facts[at + 1..].iter().all(|fact| fact.outcome() == Outcome::NotChecked), "{facts:?}");
    }
}

pub fn conclusion(facts: &[Fact]) -> String {
    Verdict::from(facts.to_vec()).conclusion().to_string()
}

/// Decodes, edits, encodes again: what an attacker does.
pub fn edit(bytes: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value = cbor::decode(bytes, Limits::STRICT.with_bytes(1 << 22)).unwrap();
    assert_eq!(cbor::encode(&value), bytes);
    change(&mut value);
    cbor::encode(&value)
}

/// A member of a map under a text or integer key, mutable.
pub fn member<'a>(value: &'a mut Value, key: &Value) -> &'a mut Value {
    let Value::Map(entries) = value else { panic!("no map") };
    entries.iter_mut().find(|(k, _)| k == key).map(|(_, v)| v).expect("member")
}

pub fn text_member<'a>(value: &'a mut Value, key: &str) -> &'a mut Value {
    member(value, &Value::text(key))
}

pub fn index(value: &mut Value, at: usize) -> &mut Value {
    let Value::Array(items) = value else { panic!("no array") };
    &mut items[at]
}

pub fn untag(value: &mut Value) -> &mut Value {
    let Value::Tag(_, inner) = value else { panic!("no tag") };
    inner
}

pub fn content(value: &mut Value) -> &mut Vec<u8> {
    let Value::Bytes(bytes) = value else { panic!("no byte string") };
    bytes
}
