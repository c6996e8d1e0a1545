//! Everybody a check needs.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tempfile::TempDir;
use wallet_base::crypto::{Curve, PublicKey, Signer, SoftwareKey};
use wallet_base::fact::Verdict;
use wallet_base::random::SeededRandom;
use wallet_base::time::{Date, Timestamp};
use wallet_base::x509::{self, Certificate, CertificateSpec};
use wallet_credential::sd_cwt::{self, SdCwt, SdCwtSpec, kbt};
use wallet_credential::status::{self, Bits, StatusList, StatusListSpec, StatusRef, VALID};
use wallet_credential::trust::{EKU_DOCUMENT_SIGNER, EKU_STATUS_SIGNER};
use wallet_documents::{Attributes, DocumentType, FieldValue, by_id};
use wallet_exchange::certificate::reader_certificate;
use wallet_exchange::{ReaderTrust, UnverifiedRequest, VerifiedRequest};
use wallet_platform::ports::{KeyClass, KeyStore};
use wallet_platform::software::{ManualClock, SoftwareKeyStore, SoftwareSealer};
use wallet_platform::tuf::DirectorySource;

use super::trust_files;
use crate::rows;
use crate::staff::StaffPapers;
use crate::sync::Tally;
use crate::{Ask, Asked, CheckResult, Ports, Verifier, VerifierConfig, VerifierError};

pub const HOUR: i64 = 3600;
pub const DAY: i64 = 24 * HOUR;
pub const INDEX: u64 = 70_001;
pub const NAME: &str = "Nguyễn Văn An";

/// A root and a signer under it.
pub struct Authority {
    pub root_key: SoftwareKey,
    pub root: Certificate,
    pub key: SoftwareKey,
    pub certificate: Certificate,
}

impl Authority {
    pub fn new(seed: u64, usage: &str, at: Timestamp) -> Self {
        let random = SeededRandom::new(seed);
        let (root_key, key) = (SoftwareKey::generate(Curve::P256, &random), SoftwareKey::generate(Curve::P256, &random));
        let spec = |name: &str, public_key: PublicKey, is_ca: bool| CertificateSpec {
            common_name: format!("{name} {seed}"),
            organization: None,
            country: None,
            not_before: at.plus_secs(-1000 * DAY),
            not_after: at.plus_secs(3000 * DAY),
            public_key,
            is_ca,
            extended_key_usage: Vec::new(),
            extensions: Vec::new(),
            lean: true,
        };
        let root = x509::issue(&spec("Root", root_key.public_key(), true), None, &root_key, &random).unwrap();
        let mut leaf = spec("Signer", key.public_key(), false);
        leaf.extended_key_usage = [usage].into_iter().filter(|oid| !oid.is_empty()).map(str::to_owned).collect();
        let certificate = x509::issue(&leaf, Some(&root), &root_key, &random).unwrap();
        Self { root_key, root, key, certificate }
    }
}

pub struct World {
    pub directory: TempDir,
    pub clock: ManualClock,
    pub keys: Arc<SoftwareKeyStore>,
    pub issuer: Authority,
    pub status: Authority,
    pub reader: Authority,
    pub holder: SoftwareKey,
    pub random: SeededRandom,
    pub trust_key: SoftwareKey,
    pub trust_version: u64,
    pub revoked_readers: Vec<String>,
    pub revoked_status: Vec<String>,
    pub verifier: Verifier,
    pub start: Timestamp,
}

/// `2026-11-21T08:00:00Z`
pub fn start() -> Timestamp {
    Timestamp::from_unix(1_795_248_000)
}

pub fn uri_of(document: &str) -> String {
    format!("https://central.test/status/{document}/2026-W50")
}

fn open(directory: &TempDir, clock: &ManualClock, keys: &Arc<SoftwareKeyStore>, tls: &Certificate, trust_key: &SoftwareKey) -> Verifier {
    open_named(directory, "officer", clock, keys, tls, trust_key)
}

fn open_named(
    directory: &TempDir,
    name: &str,
    clock: &ManualClock,
    keys: &Arc<SoftwareKeyStore>,
    tls: &Certificate,
    trust_key: &SoftwareKey,
) -> Verifier {
    let config = VerifierConfig {
        directory: directory.path().join(name),
        service_url: "https://central.test".to_owned(),
        tls_root: tls.der().to_vec(),
        trust_root: trust_files::root(trust_key, start().plus_secs(3000 * DAY)),
        trust_floor: 0,
    };
    let sealer = Arc::new(SoftwareSealer::open(&directory.path().join("hardware")).unwrap());
    let ports = Ports { keys: Arc::clone(keys) as _, sealer, clock: Arc::new(clock.clone()), listener: None };
    Verifier::open(&config, ports).unwrap()
}

impl World {
    /// A device of a role: enrolled, synced an hour after everything was published.
    pub fn new(role: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let start = start();
        let clock = ManualClock::new(start);
        let keys = Arc::new(SoftwareKeyStore::open(&directory.path().join("hardware")).unwrap());
        let random = SeededRandom::new(9);
        let trust_key = SoftwareKey::generate(Curve::P256, &random);
        let reader = Authority::new(3, "", start);
        let mut world = Self {
            verifier: open(&directory, &clock, &keys, &reader.root, &trust_key),
            issuer: Authority::new(1, EKU_DOCUMENT_SIGNER, start),
            status: Authority::new(2, EKU_STATUS_SIGNER, start),
            reader,
            holder: SoftwareKey::generate(Curve::P256, &random),
            random,
            trust_key,
            trust_version: 0,
            revoked_readers: Vec::new(),
            revoked_status: Vec::new(),
            directory,
            clock,
            keys,
            start,
        };
        world.sync_trust();
        world.enrol(role);
        for document in ["citizen-identity", "driving-licence", "health-insurance-card"] {
            world.publish(document, VALID, start);
        }
        world.clock.advance_secs(60);
        world
    }

    /// A further device of the same service, empty, in a new folder each time.
    pub fn another(&self, name: &str) -> Verifier {
        let name = (0..1000).map(|n| format!("{name}-{n}")).find(|name| !self.directory.path().join(name).exists()).unwrap();
        open_named(&self.directory, &name, &self.clock, &self.keys, &self.reader.root, &self.trust_key)
    }

    /// The process ends and starts again.
    pub fn restart(&mut self) {
        self.verifier.close().unwrap();
        self.verifier = open(&self.directory, &self.clock, &self.keys, &self.reader.root, &self.trust_key);
    }

    /// Publishes a new trust version, valid for thirty days, and has the device take it.
    pub fn sync_trust(&mut self) {
        self.trust_version += 1;
        let now = self.now();
        let pem = |certificate: &Certificate| STANDARD.encode(certificate.der());
        let documents = ["citizen-identity", "driving-licence", "health-insurance-card"];
        let roles: serde_json::Value = serde_json::from_str(wallet_documents::roles::REFERENCE).unwrap();
        let targets = [
            (
                "issuers.json",
                json!({"version": 1, "issuers": [{"id": "test", "name": "Test", "root": pem(&self.issuer.root),
                "signers": [pem(&self.issuer.certificate)], "documents": documents}]}),
            ),
            (
                "readers.json",
                json!({"version": 1, "authorities": [pem(&self.reader.root)], "roles": roles, "revoked": self.revoked_readers}),
            ),
            ("status.json", json!({"version": 1, "signers": [pem(&self.status.certificate)], "revoked": self.revoked_status})),
            ("cards.json", json!({"version": 1, "csca": []})),
        ];
        let targets: Vec<(&str, Vec<u8>)> = targets.iter().map(|(name, value)| (*name, value.to_string().into_bytes())).collect();
        let repository = self.directory.path().join("repository");
        trust_files::publish(&repository, &self.trust_key, self.trust_version, &targets, now, now.plus_secs(30 * DAY));
        let update = self.verifier.updater.update_from(Arc::new(DirectorySource::new(&repository)), now, &|_| true).unwrap();
        let facts = self.verifier.take_trust(update).unwrap();
        assert_eq!(Verdict::from(facts).conclusion().to_string(), "verified");
    }

    /// What enrolment stores, with a certificate by the reader authority.
    pub fn enrol(&mut self, role: &str) {
        let made = self.keys.create_keys(KeyClass::Account, 1, b"challenge").unwrap();
        let (key, public) = made.keys.first().unwrap().clone();
        let certificate = self.staff_certificate(role, public, self.now()).der().to_vec();
        let papers = StaffPapers { key, certificate, place: "Cổng 12, Nội Bài".to_owned() };
        self.verifier.write(|tx| rows::put_staff(tx, &papers)).unwrap();
    }

    pub fn staff_certificate(&self, role: &str, public: PublicKey, from: Timestamp) -> Certificate {
        let spec = reader_certificate(role, "Hãng bay", "device-7", public, from).unwrap();
        x509::issue(&spec, Some(&self.reader.root), &self.reader.root_key, &self.random).unwrap()
    }

    pub fn now(&self) -> Timestamp {
        use wallet_platform::ports::Clock;
        self.clock.wall()
    }

    /// A status list for a document, with the copy's entry at `value`.
    pub fn list_token(signer: &Authority, document: &str, value: u8, issued_at: Timestamp) -> Vec<u8> {
        let mut list = StatusList::new(Bits::Two, 1 << 17).unwrap();
        list.set(INDEX, value).unwrap();
        let uri = uri_of(document);
        let spec = StatusListSpec { uri: &uri, issued_at, expires: issued_at.plus_secs(14 * DAY), ttl_secs: 43_200, list: &list };
        status::issue(&spec, &signer.key, &signer.certificate.kid8()).unwrap()
    }

    /// The device fetches a genuine list.
    pub fn publish(&self, document: &str, value: u8, issued_at: Timestamp) -> Verdict {
        self.fetch(document, Self::list_token(&self.status, document, value, issued_at))
    }

    /// The device fetches whatever stands at a list's address.
    pub fn fetch(&self, document: &str, token: Vec<u8>) -> Verdict {
        let trust = self.verifier.trust().unwrap();
        let mut tally = Tally::default();
        tally.lists = 1;
        let path = format!("/status/{document}/2026-W50");
        self.verifier.take_list(&path, token, &trust, self.now(), &mut tally).unwrap();
        self.verifier.observe(tally.signed.iter().copied()).unwrap();
        Verdict::from(tally.facts())
    }

    pub fn ask(&self, document: &str, fields: &[&str]) -> Result<Asked, VerifierError> {
        let fields = (!fields.is_empty()).then(|| fields.iter().map(|field| (*field).to_owned()).collect());
        self.verifier.ask(&Ask { document: document.to_owned(), fields, ..Ask::default() })
    }

    /// What the citizen's wallet makes of a request.
    pub fn read_request(&self, asked: &Asked) -> VerifiedRequest {
        let trust = ReaderTrust { authorities: vec![self.reader.root.clone()], ..ReaderTrust::default() };
        let (_, verified) = UnverifiedRequest::decode_text(&asked.text).unwrap().verify(&trust, self.now());
        verified.expect("a verified request")
    }

    pub fn copy(&self, document: &str) -> SdCwtSpec {
        let table = by_id(document).unwrap();
        SdCwtSpec {
            vct: table.vct.to_owned(),
            iss: None,
            sub: "copy".to_owned(),
            iat: self.start.plus_secs(-DAY),
            exp: self.start.plus_secs(29 * DAY),
            holder_key: self.holder.public_key(),
            claims: values(table).to_claims(),
            total_redacted: table.redacted_claims,
            status: Some(StatusRef { uri: uri_of(document), index: INDEX }),
        }
    }

    pub fn issue(&self, spec: &SdCwtSpec) -> Vec<u8> {
        sd_cwt::issue(spec, &self.issuer.key, &self.issuer.certificate.kid8(), &self.random).unwrap()
    }

    /// An honest answer with the fields asked for.
    pub fn answer(&self, asked: &Asked) -> String {
        self.answer_with(asked, &self.issue(&self.copy(&asked.document)))
    }

    /// An answer out of a given credential, with the fields asked for that it can disclose.
    pub fn answer_with(&self, asked: &Asked, credential: &[u8]) -> String {
        let table = by_id(&asked.document).unwrap();
        let keys: Vec<i64> = asked.fields.iter().filter_map(|id| table.field(id).and_then(|f| f.claim)).collect();
        self.answer_showing(asked, credential, &keys)
    }

    pub fn answer_showing(&self, asked: &Asked, credential: &[u8], keys: &[i64]) -> String {
        let token = SdCwt::decode(credential).unwrap();
        let can: Vec<i64> = keys.iter().copied().filter(|key| token.disclosable().contains(key)).collect();
        let request = self.read_request(asked);
        let claims = self.binding(&request);
        self.seal(&request, &token.select(&can).unwrap(), &claims, &self.holder)
    }

    pub fn binding(&self, request: &VerifiedRequest) -> kbt::KbtClaims {
        kbt::KbtClaims {
            aud: request.audience().to_owned(),
            iat: self.now(),
            cnonce: Some(request.nonce().to_vec()),
            request_hash: Some(request.hash()),
            mode: kbt::Mode::B,
        }
    }

    pub fn seal(&self, request: &VerifiedRequest, presented: &[u8], claims: &kbt::KbtClaims, holder: &SoftwareKey) -> String {
        let prepared = kbt::prepare(presented, claims).unwrap();
        let signature = holder.sign(prepared.to_be_signed()).unwrap();
        wallet_exchange::seal(&prepared.finish(&signature).unwrap(), request, &self.random).unwrap()
    }

    pub fn check(&self, text: &str) -> CheckResult {
        self.verifier.check(text).unwrap()
    }

    /// Asks with the role's defaults, answers honestly, checks.
    pub fn honest(&self, document: &str) -> CheckResult {
        let asked = self.ask(document, &[]).unwrap();
        self.check(&self.answer(&asked))
    }
}

/// A synthetic citizen's values, enough for every default.
pub fn values(table: &'static DocumentType) -> Attributes {
    let mut values = Attributes::new(table);
    let date = |year| FieldValue::Date(Date::new(year, 1, 15).unwrap());
    let entries = [
        ("full_name", FieldValue::Text(NAME.to_owned())),
        ("birth_date", date(1990)),
        ("sex", FieldValue::Integer(1)),
        ("nationality", FieldValue::Text("VN".to_owned())),
        ("personal_number", FieldValue::Text("001090000123".to_owned())),
        ("licence_number", FieldValue::Text("010123456789".to_owned())),
        ("points", FieldValue::Integer(12)),
        ("issue_date", date(2024)),
        ("expiry_date", date(2034)),
        ("valid_from", date(2026)),
        ("valid_to", date(2027)),
    ];
    for (field, value) in entries {
        if table.field(field).is_some_and(|f| f.claim.is_some()) {
            values.set(field, value).unwrap();
        }
    }
    values
}

/// Names of the failed facts.
pub fn failed(result: &CheckResult) -> Vec<&'static str> {
    result.verdict().failed().iter().map(|name| name.as_str()).collect()
}

/// The conclusion in words.
pub fn conclusion(result: &CheckResult) -> String {
    result.verdict().conclusion().to_string()
}
