//! Forged cards and altered evidence: one negative test per clause, each with exactly one failed fact.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{assert_only_failed, can, challenge, genuine, now, plan, read, trust, verdict};
use wallet_base::crypto::{Curve, HashAlg, Signer, SoftwareKey, sha256};
use wallet_base::fact::{By, FactName, Outcome, Verdict};
use wallet_base::random::{OsRandom, SeededRandom};
use wallet_base::x509::{Certificate, CertificateSpec, der_signature, issue};
use wallet_card_sim::{Behaviour, CardProfile, TestCardAuthority, forge};
use wallet_chip::evidence;
use wallet_chip::files::FileId;
use wallet_chip::reader::{ChipData, ReadPlan};
use wallet_chip::sod::Sod;
use wallet_chip::tlv::{encode, encode_all};
use wallet_chip::{CardTrust, Evidence, ReadError, passive};

const DAY: i64 = 86_400;

fn read_plain(profile: CardProfile) -> ChipData {
    *read(profile, Behaviour::default(), plan(), can()).unwrap()
}

fn assert_rejected(profile: CardProfile, failed: FactName) {
    let data = read_plain(profile);
    let (facts, chip) = verdict(&data);
    assert_only_failed(&facts, failed);
    assert!(chip.is_none());
    assert_eq!(Verdict::from(facts).conclusion().to_string(), format!("rejected:{failed}"));
}

#[test]
fn one_altered_byte_in_any_data_group_fails_hashes() {
    for file in [FileId::Dg1, FileId::Dg2, FileId::Dg13, FileId::Dg14, FileId::Dg15] {
        assert_rejected(forge::altered_group(&genuine(), file).unwrap(), FactName::ChipHashes);
    }
}

#[test]
fn an_unknown_signer_fails_the_chain() {
    assert_rejected(forge::foreign_signer(&genuine(), &OsRandom, now()).unwrap(), FactName::ChipChain);
    assert_rejected(forge::impostor_signer(&genuine(), &OsRandom, now()).unwrap(), FactName::ChipChain);
}

#[test]
fn a_clone_without_the_key_is_not_genuine() {
    assert_rejected(forge::cloned(&genuine(), &OsRandom), FactName::ChipGenuine);
}

#[test]
fn hiding_a_signed_file_is_no_way_out() {
    assert_rejected(forge::hidden(&genuine(), FileId::Dg15), FactName::ChipGenuine);
    assert_rejected(forge::hidden(&genuine(), FileId::Dg14), FactName::ChipGenuine);
    // Details may be withheld: they are simply not there.
    let data = read_plain(forge::hidden(&genuine(), FileId::Dg13));
    assert_eq!(data.withheld, [FileId::Dg13]);
    assert!(verdict(&data).1.unwrap().dg13().is_none());
    // The zone and the face are what a reading is for.
    for file in [FileId::Dg1, FileId::Dg2] {
        let missing = read(forge::hidden(&genuine(), file), Behaviour::default(), plan(), can());
        assert_eq!(missing.unwrap_err(), ReadError::MissingFile { file: file.name() });
    }
}

#[test]
fn other_access_than_signed_is_a_downgrade() {
    let info = |parameter: u8| encode_all(0x30, &[encode(6, &wallet_chip::pace::OID_ECDH_GM_AES128), vec![2, 1, 2, 2, 1, parameter]]);
    let stronger = encode_all(0x30, &[encode(6, &[0x04, 0, 0x7F, 0, 7, 2, 2, 4, 2, 4]), vec![2, 1, 2, 2, 1, 16]]);
    // The card offers something it did not sign; and it keeps something back that it signed.
    let mut offers_more = genuine();
    offers_more.files.insert(FileId::CardAccess, encode_all(0x31, &[info(13), stronger.clone()]));
    assert_rejected(offers_more, FactName::ChipAccess);
    let mut keeps_back = genuine();
    keeps_back.files.insert(FileId::Dg14, encode(0x6E, &encode_all(0x31, &[info(13), stronger])));
    common::authority().sign_again(&mut keeps_back, now()).unwrap();
    assert_rejected(keeps_back, FactName::ChipAccess);
    // A card that signs no access protocol leaves it open: told, and not passed.
    let mut silent = genuine();
    silent.files.insert(FileId::Dg14, encode(0x6E, &encode_all(0x31, &[encode_all(0x30, &[encode(6, &[0x2A, 3]), vec![2, 1, 1]])])));
    common::authority().sign_again(&mut silent, now()).unwrap();
    let facts = verdict(&read_plain(silent)).0;
    assert_eq!(facts.last().unwrap().outcome(), Outcome::NotChecked);
}

#[test]
fn every_clause_of_the_chain() {
    let data = read_plain(genuine());
    let judge = |trust: &CardTrust, days: i64| passive::verify(&data, trust, now().plus_secs(days * DAY), By::Central).0;
    assert_only_failed(&judge(&CardTrust::default(), 0), FactName::ChipChain);
    for days in [-31, 10 * 365 + 1, 15 * 365 + 1] {
        assert_only_failed(&judge(&trust(), days), FactName::ChipChain);
    }
    // A certificate of the right name and key that is no authority.
    let csca = common::authority().csca();
    let stored: serde_json::Value = serde_json::from_str(&common::authority().to_json().unwrap()).unwrap();
    let scalar = wallet_base::jose::b64u_decode(stored["csca_key"].as_str().unwrap()).unwrap();
    let key = SoftwareKey::from_scalar(Curve::P384, &scalar).unwrap();
    let spec = CertificateSpec {
        common_name: csca.common_name().unwrap(),
        organization: csca.organization(),
        country: csca.country(),
        not_before: now().plus_secs(-DAY),
        not_after: now().plus_secs(DAY),
        public_key: key.public_key(),
        is_ca: false,
        extended_key_usage: Vec::new(),
        extensions: Vec::new(),
        lean: false,
    };
    let plain = issue(&spec, None, &key, &OsRandom).unwrap();
    assert_only_failed(&judge(&CardTrust::new(vec![plain], []), 0), FactName::ChipChain);
    // One dead country signer of the same name and key does not spoil a living one.
    let dead = issue(&CertificateSpec { is_ca: true, not_after: now().plus_secs(-1), ..spec }, None, &key, &OsRandom).unwrap();
    assert!(judge(&CardTrust::new(vec![dead, csca.clone()], []), 0).iter().all(|fact| fact.outcome() == Outcome::Passed));
}

#[test]
fn revoked_signers_fail_revocation() {
    let data = read_plain(genuine());
    for revoked in [common::authority().document_signer().sha256(), common::authority().csca().sha256()] {
        let trust = CardTrust::new(vec![common::authority().csca().clone()], [revoked]);
        let (facts, chip) = passive::verify(&data, &trust, now(), By::Wallet);
        assert_only_failed(&facts, FactName::ChipRevocation);
        assert!(chip.is_none());
    }
    let other = CardTrust::new(vec![common::authority().csca().clone()], [[0; 32]]);
    assert!(passive::verify(&data, &other, now(), By::Wallet).1.is_some());
}

#[test]
fn every_clause_of_active_authentication() {
    let good = read_plain(genuine());
    let key = SoftwareKey::from_scalar(Curve::BrainpoolP256r1, &genuine().active_key).unwrap();
    let signature = good.aa_signature.clone().unwrap();
    let cases: Vec<(&str, Option<Vec<u8>>)> = vec![
        ("no answer", None),
        ("empty", Some(Vec::new())),
        ("cut", Some(signature[..63].to_vec())),
        ("longer", Some([signature.clone(), vec![0]].concat())),
        ("zeros", Some(vec![0; 64])),
        ("in DER", Some(der_signature(&signature).unwrap())),
        ("another challenge", Some(key.sign_hash(HashAlg::Sha256, &[0; 8]).unwrap())),
        ("another hash", Some(key.sign_hash(HashAlg::Sha512, &challenge()).unwrap())),
        ("another key", Some(SoftwareKey::generate(Curve::BrainpoolP256r1, &OsRandom).sign_hash(HashAlg::Sha256, &challenge()).unwrap())),
    ];
    for (name, signature) in cases {
        let mut data = good.clone();
        data.aa_signature = signature;
        let (facts, chip) = verdict(&data);
        assert_only_failed(&facts, FactName::ChipGenuine);
        assert!(chip.is_none(), "{name}");
    }
    // Without a challenge nothing is known: not passed, and no verified chip.
    let data = read(genuine(), Behaviour::default(), ReadPlan::full(None), can()).unwrap();
    let (facts, chip) = verdict(&data);
    assert_eq!((facts[4].outcome(), facts[5].outcome(), chip.is_none()), (Outcome::NotChecked, Outcome::NotChecked, true));
}

#[test]
fn a_card_without_or_with_a_foreign_kind_of_key_is_not_checked() {
    let mut without = genuine();
    without.files.remove(&FileId::Dg15);
    common::authority().sign_again(&mut without, now()).unwrap();
    // RSA: SubjectPublicKeyInfo typed in with rsaEncryption.
    let rsa = encode_all(
        0x30,
        &[encode_all(0x30, &[encode(6, &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1]), vec![5, 0]]), encode(3, &[0, 0x30, 0])],
    );
    let mut foreign = genuine();
    foreign.files.insert(FileId::Dg15, encode(0x6F, &rsa));
    common::authority().sign_again(&mut foreign, now()).unwrap();
    for profile in [without, foreign] {
        let (facts, chip) = verdict(&read_plain(profile));
        assert_eq!(facts[4].outcome(), Outcome::NotChecked);
        assert!(chip.is_none());
        assert_eq!(Verdict::from(facts).conclusion().to_string(), "undetermined:chip.genuine");
    }
}

#[test]
fn evidence_holds_for_one_session_account_and_key_only() {
    let data = read_plain(genuine());
    let evidence = Evidence::decode(&Evidence::from_data(&data, true).unwrap().encode()).unwrap();
    let (facts, chip) = evidence.verify(&challenge(), &trust(), now(), By::Central);
    assert_eq!(Verdict::from(facts.clone()).conclusion().to_string(), "verified", "{facts:?}");
    assert_eq!(facts.last().unwrap().outcome(), Outcome::NotChecked, "access is seen by the reader only");
    let chip = chip.unwrap();
    assert!(chip.dg13().is_none() && chip.face().is_some());
    for expected in [
        evidence::challenge(b"other", &[7; 32], "activate", "account", &[9; 32]),
        evidence::challenge(b"session", &[8; 32], "activate", "account", &[9; 32]),
        evidence::challenge(b"session", &[7; 32], "activate", "other", &[9; 32]),
        evidence::challenge(b"session", &[7; 32], "activate", "account", &[8; 32]),
    ] {
        let (facts, chip) = evidence.verify(&expected, &trust(), now(), By::Central);
        assert_only_failed(&facts, FactName::ChipGenuine);
        assert!(chip.is_none());
        // Writing the expected challenge in does not help: the chip did not sign it.
        let rewritten = Evidence { challenge: expected, ..evidence.clone() };
        assert_only_failed(&rewritten.verify(&expected, &trust(), now(), By::Central).0, FactName::ChipGenuine);
    }
    assert!(Evidence::from_data(&read_plain(forge::hidden(&genuine(), FileId::Dg15)), true).is_err());
    assert!(Evidence::from_data(&data, false).unwrap().dg2.is_none());
}

#[test]
fn forged_evidence_is_refused_by_the_same_facts() {
    let evidence = |profile: CardProfile| Evidence::from_data(&read_plain(profile), true).unwrap();
    for (profile, failed) in [
        (forge::altered_group(&genuine(), FileId::Dg1).unwrap(), FactName::ChipHashes),
        (forge::altered_group(&genuine(), FileId::Dg2).unwrap(), FactName::ChipHashes),
        (forge::foreign_signer(&genuine(), &OsRandom, now()).unwrap(), FactName::ChipChain),
        (forge::cloned(&genuine(), &OsRandom), FactName::ChipGenuine),
    ] {
        assert_only_failed(&evidence(profile).verify(&challenge(), &trust(), now(), By::Central).0, failed);
    }
    let without_14 = Evidence { dg14: None, ..evidence(genuine()) };
    assert_only_failed(&without_14.verify(&challenge(), &trust(), now(), By::Central).0, FactName::ChipGenuine);
}

// ---- the security object, clause by clause ----

/// A security object in the making; every part can be spoilt before it is signed.
struct Making {
    content: Vec<u8>,
    content_type: Vec<u8>,
    attributes: Option<Vec<Vec<u8>>>,
    digest: Vec<u8>,
    algorithm: Vec<u8>,
    certificates: Vec<u8>,
    signers: usize,
    sign_raw_attributes: bool,
    signature: Option<Vec<u8>>,
    serial: Vec<u8>,
}

const LDS: [u8; 6] = [0x67, 0x81, 8, 1, 1, 1];
const CONTENT_TYPE: [u8; 9] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 3];
const MESSAGE_DIGEST: [u8; 9] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 4];
const SHA256: [u8; 9] = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];

fn attribute(oid: &[u8], values: &[Vec<u8>]) -> Vec<u8> {
    encode_all(0x30, &[encode(6, oid), encode_all(0x31, values)])
}

fn entry(number: u8, hash: &[u8]) -> Vec<u8> {
    encode_all(0x30, &[encode(2, &[number]), encode(4, hash)])
}

fn content(version: u8, entries: &[Vec<u8>], rest: &[u8]) -> Vec<u8> {
    encode_all(
        0x30,
        &[encode(2, &[version]), encode_all(0x30, &[encode(6, &SHA256), vec![5, 0]]), encode_all(0x30, entries), rest.to_vec()],
    )
}

struct Signer1 {
    key: SoftwareKey,
    certificate: Certificate,
}

fn document_signer() -> Signer1 {
    let stored: serde_json::Value = serde_json::from_str(&common::authority().to_json().unwrap()).unwrap();
    let scalar = wallet_base::jose::b64u_decode(stored["signer_key"].as_str().unwrap()).unwrap();
    Signer1 { key: SoftwareKey::from_scalar(Curve::P256, &scalar).unwrap(), certificate: common::authority().document_signer().clone() }
}

fn genuine_content() -> Vec<u8> {
    let entries: Vec<Vec<u8>> = [(1, FileId::Dg1), (2, FileId::Dg2), (13, FileId::Dg13), (14, FileId::Dg14), (15, FileId::Dg15)]
        .iter()
        .map(|(number, file)| entry(*number, &sha256(&genuine().files[file])))
        .collect();
    content(0, &entries, &[])
}

impl Making {
    fn new(content: Vec<u8>) -> Self {
        let signer = common::authority().document_signer();
        let attributes = vec![attribute(&CONTENT_TYPE, &[encode(6, &LDS)]), attribute(&MESSAGE_DIGEST, &[encode(4, &sha256(&content))])];
        Self {
            content,
            content_type: LDS.to_vec(),
            attributes: Some(attributes),
            digest: SHA256.to_vec(),
            algorithm: vec![0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2],
            certificates: signer.der().to_vec(),
            signers: 1,
            sign_raw_attributes: false,
            signature: None,
            serial: signer.serial().to_vec(),
        }
    }

    fn make(&self) -> Vec<u8> {
        let signer = document_signer();
        let attributes = self.attributes.clone().unwrap_or_default().concat();
        let message = encode(if self.sign_raw_attributes { 0xA0 } else { 0x31 }, &attributes);
        let signature = self.signature.clone().unwrap_or_else(|| der_signature(&signer.key.sign(&message).unwrap()).unwrap());
        let info = encode_all(
            0x30,
            &[
                vec![2, 1, 1],
                encode_all(0x30, &[signer.certificate.issuer_der(), encode(2, &self.serial)]),
                encode_all(0x30, &[encode(6, &self.digest)]),
                if self.attributes.is_some() { encode(0xA0, &attributes) } else { Vec::new() },
                encode_all(0x30, &[encode(6, &self.algorithm)]),
                encode(4, &signature),
            ],
        );
        let signed = encode_all(
            0x30,
            &[
                vec![2, 1, 3],
                encode(0x31, &encode_all(0x30, &[encode(6, &self.digest)])),
                encode_all(0x30, &[encode(6, &self.content_type), encode(0xA0, &encode(4, &self.content))]),
                if self.certificates.is_empty() { Vec::new() } else { encode(0xA0, &self.certificates) },
                encode(0x31, &info.repeat(self.signers)),
            ],
        );
        encode(0x77, &encode_all(0x30, &[encode(6, &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2]), encode(0xA0, &signed)]))
    }
}

fn judge(sod: Vec<u8>) -> Vec<wallet_base::fact::Fact> {
    let mut data = read_plain(genuine());
    data.sod = sod;
    verdict(&data).0
}

#[test]
fn every_clause_of_the_signature() {
    let whole = || Making::new(genuine_content());
    assert!(judge(whole().make()).iter().all(|fact| fact.outcome() == Outcome::Passed), "the unspoilt one must hold");
    let digest = |values: &[Vec<u8>]| attribute(&MESSAGE_DIGEST, values);
    let right = encode(4, &sha256(&genuine_content()));
    let kind = attribute(&CONTENT_TYPE, &[encode(6, &LDS)]);
    let with = |attributes: Vec<Vec<u8>>| Making { attributes: Some(attributes), ..whole() };
    let cases = [
        ("content type missing", with(vec![digest(std::slice::from_ref(&right))])),
        ("content type twice", with(vec![kind.clone(), kind.clone(), digest(std::slice::from_ref(&right))])),
        (
            "content type of other content",
            with(vec![attribute(&CONTENT_TYPE, &[encode(6, &[0x67, 0x81, 8, 2, 2, 2])]), digest(std::slice::from_ref(&right))]),
        ),
        (
            "content type with two values",
            with(vec![attribute(&CONTENT_TYPE, &[encode(6, &LDS), encode(6, &LDS)]), digest(std::slice::from_ref(&right))]),
        ),
        ("digest missing", with(vec![kind.clone()])),
        ("digest twice", with(vec![kind.clone(), digest(std::slice::from_ref(&right)), digest(std::slice::from_ref(&right))])),
        ("digest with two values", with(vec![kind.clone(), digest(&[right.clone(), right.clone()])])),
        ("digest without value", with(vec![kind.clone(), digest(&[])])),
        ("digest of other content", with(vec![kind.clone(), digest(&[encode(4, &[0; 32])])])),
        ("digest cut short", with(vec![kind.clone(), digest(&[encode(4, &sha256(&genuine_content())[..16])])])),
        ("attributes no attributes", with(vec![vec![4, 1, 0]])),
        ("signed as [0] instead of SET OF", Making { sign_raw_attributes: true, ..whole() }),
        ("signature of zeros", Making { signature: Some(der_signature(&[0; 64]).unwrap()), ..whole() }),
        (
            "signature over the content alone",
            Making { signature: Some(der_signature(&document_signer().key.sign(&genuine_content()).unwrap()).unwrap()), ..whole() },
        ),
        ("signature not in DER", Making { signature: Some(vec![1; 64]), ..whole() }),
        ("digest and signature algorithm differ", Making { algorithm: vec![0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 3], ..whole() }),
        ("certificate missing", Making { certificates: Vec::new(), ..whole() }),
        ("certificate of another serial", Making { serial: vec![0x42], ..whole() }),
        ("certificate of another signer", Making { certificates: common::authority().csca().der().to_vec(), ..whole() }),
    ];
    for (name, making) in cases {
        let facts = judge(making.make());
        assert_eq!(facts[1].outcome(), Outcome::Failed, "{name}");
        assert_only_failed(&facts, FactName::ChipSignature);
    }
    // Algorithms that we do not have say nothing, neither way.
    let rsa = Making { algorithm: vec![0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11], ..whole() };
    let facts = judge(rsa.make());
    assert_eq!(Verdict::from(facts).conclusion().to_string(), "undetermined:chip.signature");
}

#[test]
fn every_clause_of_the_security_objects_form() {
    let hash = sha256(b"x");
    let entries = [entry(1, &hash), entry(2, &hash)];
    let whole = || Making::new(content(0, &entries, &[]));
    assert!(Sod::parse(&whole().make()).is_ok());
    let version = encode_all(0x30, &[encode(0x13, b"0108"), encode(0x13, b"040000")]);
    assert!(Sod::parse(&Making::new(content(1, &entries, &version)).make()).is_ok(), "version 1 with its LDS version");
    let bad = [
        ("no signed attributes", Making { attributes: None, ..whole() }.make()),
        ("no signer", Making { signers: 0, ..whole() }.make()),
        ("two signers", Making { signers: 2, ..whole() }.make()),
        ("another content type", Making { content_type: vec![0x2A, 3], ..whole() }.make()),
        ("version 1 without LDS version", Making::new(content(1, &entries, &[])).make()),
        ("version 0 with LDS version", Making::new(content(0, &entries, &version)).make()),
        ("version 2", Making::new(content(2, &entries, &[])).make()),
        ("a group twice", Making::new(content(0, &[entry(1, &hash), entry(1, &hash)], &[])).make()),
        ("group 0", Making::new(content(0, &[entry(0, &hash)], &[])).make()),
        ("group 17", Making::new(content(0, &[entry(17, &hash)], &[])).make()),
        ("a short hash", Making::new(content(0, &[entry(1, &hash[..31])], &[])).make()),
        ("no groups", Making::new(content(0, &[], &[])).make()),
        ("content no sequence", Making::new(vec![4, 0]).make()),
    ];
    for (name, sod) in bad {
        assert!(Sod::parse(&sod).is_err(), "{name}");
        let (facts, _) = verdict(&{
            let mut data = read_plain(genuine());
            data.sod = sod;
            data
        });
        assert_ne!(facts[0].outcome(), Outcome::Passed, "{name}");
        assert!(facts[1..].iter().all(|fact| fact.outcome() == Outcome::NotChecked), "{name}");
    }
    // Cut at every byte: an error, never a panic.
    let sod = whole().make();
    for end in 0..sod.len() {
        assert!(Sod::parse(&sod[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn every_changed_byte_of_a_genuine_security_object_is_noticed() {
    let data = read_plain(genuine());
    let sod = data.sod.clone();
    let mut unnoticed = Vec::new();
    for at in 0..sod.len() {
        let mut changed = data.clone();
        changed.sod[at] ^= 0x01;
        if verdict(&changed).1.is_some() {
            unnoticed.push(at);
        }
    }
    // What is left: version of SignedData, its unsigned list of digest algorithms, version of SignerInfo.
    assert!(unnoticed.len() <= 16, "{unnoticed:?} of {}", sod.len());
    let (front, back): (Vec<usize>, Vec<usize>) = unnoticed.into_iter().partition(|at| *at < 46);
    assert!(front.iter().all(|at| *at >= 27), "{front:?}");
    assert!(back.iter().all(|at| sod[at - 2..=*at] == [2, 1, 1]), "{back:?}");
}

#[test]
fn a_group_that_is_not_signed_is_not_taken() {
    let mut data = read_plain(genuine());
    data.sod = Making::new(content(0, &[entry(1, &sha256(&data.dg1))], &[])).make();
    assert_only_failed(&verdict(&data).0, FactName::ChipHashes);
}

#[test]
fn two_authorities_of_one_seed_are_one() {
    let a = TestCardAuthority::new(&SeededRandom::new(5), now()).unwrap();
    let b = TestCardAuthority::new(&SeededRandom::new(5), now()).unwrap();
    assert_eq!(a.csca(), b.csca());
}

/// Parsers over card bytes, each with thousands of changed, cut and grown copies: an answer or an error, never a panic.
#[test]
fn hostile_copies_of_every_file_never_panic() {
    use wallet_chip::access::SecurityInfos;
    use wallet_chip::lds::{com::Com, dg2::Face, dg13::Dg13, parse_dg1, parse_dg15};
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    let profile = genuine();
    for (file, bytes) in &profile.files {
        for round in 0..2_000 {
            let mut bytes = bytes.get(..bytes.len().min(1_500)).unwrap().to_vec();
            for _ in 0..=next() % 4 {
                let at = next() % bytes.len().clamp(1, if round % 2 == 0 { 64 } else { usize::MAX });
                bytes[at] = u8::try_from(next() & 0xFF).unwrap();
            }
            match next() % 4 {
                0 => bytes.truncate(next() % bytes.len()),
                1 => bytes.extend([0xFF; 9]),
                _ => {}
            }
            match file {
                FileId::CardAccess => drop(SecurityInfos::parse_card_access(&bytes)),
                FileId::Com => drop(Com::parse(&bytes)),
                FileId::Sod => drop(Sod::parse(&bytes).map(|sod| (sod.check_signature().is_ok(), sod.content_digest_matches()))),
                FileId::Dg1 => drop(parse_dg1(&bytes)),
                FileId::Dg2 => drop(Face::parse_dg2(&bytes)),
                FileId::Dg13 => drop(Dg13::parse(&bytes)),
                FileId::Dg14 => drop(SecurityInfos::parse_dg14(&bytes)),
                _ => drop(parse_dg15(&bytes)),
            }
            let _ = wallet_chip::tlv::check_tree(&bytes);
        }
    }
}
