mod draft;

use wallet_base::cbor::{self, Value};
use wallet_base::cose::Sign1Builder;
use wallet_base::crypto::{Curve, PublicKey, Signer, SoftwareKey, sha256};
use wallet_base::fact::{By, Fact, FactName, Outcome};
use wallet_base::time::Timestamp;
use wallet_base::x509;

use super::code_points::*;
use super::kbt::{Expectation, KbtClaims, Mode, UnverifiedKbt, prepare};
use super::*;
use crate::status::{SUSPENDED, StatusLists};
use crate::testing::{
    Authority, DAY, HOUR, LADDER, LICENCE, VCT, World, conclusion, content, detail, edit, index, member, names, now, only_failed, outcome,
    targets, untag,
};
use crate::trust::EKU_DOCUMENT_SIGNER;
use crate::{Check, CredentialError, ExpectedType};

const AUDIENCE: &str = "x509_hash:Rk9PQkFSCg";
const NONCE: [u8; 16] = [7; 16];
const REQUEST: [u8; 32] = [9; 32];
const NAME: i64 = -70_001;
const CLASS: i64 = -70_002;

fn issued(world: &World) -> Vec<u8> {
    issue(&world.sd_cwt_spec(), &world.licences.key, &world.licences.cert.kid8(), &world.rng).unwrap()
}

fn claims_b() -> KbtClaims {
    KbtClaims { aud: AUDIENCE.to_owned(), iat: now(), cnonce: Some(NONCE.to_vec()), request_hash: Some(REQUEST), mode: Mode::B }
}

fn claims_c() -> KbtClaims {
    KbtClaims { cnonce: None, request_hash: None, mode: Mode::C, ..claims_b() }
}

fn expectation() -> Expectation {
    Expectation { aud: AUDIENCE.to_owned(), cnonce: Some(NONCE.to_vec()), request_hash: Some(REQUEST), mode: Mode::B, now: now(), skew: 60 }
}

fn expectation_c(at: Timestamp) -> Expectation {
    Expectation { cnonce: None, request_hash: None, mode: Mode::C, now: at, ..expectation() }
}

fn signed(key: &SoftwareKey, presented: &[u8], claims: &KbtClaims) -> Vec<u8> {
    let prepared = prepare(presented, claims).unwrap();
    let signature = key.sign(prepared.to_be_signed()).unwrap();
    prepared.finish(&signature).unwrap()
}

fn presented(world: &World) -> Vec<u8> {
    SdCwt::decode(&issued(world)).unwrap().select(&[NAME, CLASS]).unwrap()
}

/// The answer of an honest holder.
fn answer(world: &World) -> Vec<u8> {
    signed(&world.holder, &presented(world), &claims_b())
}

fn judged(check: &Check<'_>, kbt: &[u8], expectation: &Expectation) -> (Vec<Fact>, Option<VerifiedSdCwt>) {
    let (facts, verified) = UnverifiedKbt::decode(kbt).unwrap().verify(check, expectation);
    let order: Vec<_> = ["exchange.nonce", "exchange.request", "exchange.audience"].into_iter().chain(LADDER).collect();
    assert_eq!(names(&facts), order);
    assert_eq!(verified.is_some(), facts.iter().all(|fact| fact.outcome() != Outcome::Failed));
    (facts, verified)
}

fn facts(world: &World, kbt: &[u8]) -> Vec<Fact> {
    judged(&world.check_of(&world.licence), kbt, &expectation()).0
}

/// The protected header, unprotected header and payload of a COSE_Sign1.
fn part(token: &mut Value, at: usize) -> &mut Value {
    index(untag(token), at)
}

fn disclosures(token: &mut Value) -> &mut Vec<Value> {
    let Value::Array(items) = member(part(token, 1), &Value::int(HEADER_SD_CLAIMS)) else { panic!("no array") };
    items
}

/// Issues a token over any payload, as an issuer with other habits would.
fn sign_payload(world: &World, payload: Vec<(Value, Value)>, disclosures: Vec<Value>) -> Vec<u8> {
    let builder = Sign1Builder::new()
        .protected(Value::int(HEADER_KID), Value::bytes(&world.licences.cert.kid8()))
        .protected(Value::int(HEADER_TYP), Value::text(TYP_SD_CWT_TEXT));
    let builder =
        if disclosures.is_empty() { builder } else { builder.unprotected(Value::int(HEADER_SD_CLAIMS), Value::Array(disclosures)) };
    builder.sign(cbor::encode(&Value::Map(payload)), b"", &world.licences.key).unwrap()
}

fn base_payload(world: &World) -> Vec<(Value, Value)> {
    vec![
        (Value::int(CLAIM_SUB), Value::text("copy-8")),
        (Value::int(CLAIM_EXP), Value::int(now().plus_secs(DAY).unix())),
        (Value::int(CLAIM_IAT), Value::int(now().plus_secs(-DAY).unix())),
        (Value::int(CLAIM_CNF), Value::Map(vec![(Value::int(1), world.holder.public_key().to_cose_key())])),
        (Value::int(CLAIM_VCT), Value::text(VCT)),
    ]
}

fn disclosure(parts: Vec<Value>) -> (Value, Value) {
    let mut all = vec![Value::bytes(&[5; 16])];
    all.extend(parts);
    let disclosure = Value::Bytes(cbor::encode(&Value::Array(all)));
    let digest = Value::bytes(&sha256(&cbor::encode(&disclosure)));
    (disclosure, digest)
}

fn redacted(digests: Vec<Value>) -> (Value, Value) {
    (Value::Simple(SIMPLE_REDACTED_KEYS), Value::Array(digests))
}

#[test]
fn issued_presented_verified() {
    let world = World::new();
    let (facts, verified) = judged(&world.check_of(&world.licence), &answer(&world), &expectation());
    assert_eq!(conclusion(&facts), "verified");
    assert!(facts.iter().all(|fact| fact.subject() == LICENCE));
    let verified = verified.unwrap();
    assert_eq!(verified.claim(NAME), Some(&Value::text("Nguyễn Văn An")));
    assert_eq!(verified.claim(CLASS), Some(&Value::text("B2")));
    assert_eq!(verified.claim(-70_003), None);
    assert_eq!((verified.vct(), verified.holder_key()), (VCT, &world.holder.public_key()));
    assert_eq!((verified.expires(), verified.issued_at()), (Some(now().plus_secs(29 * DAY)), Some(now().plus_secs(-DAY))));
    assert_eq!(verified.signer().certificate(), &world.licences.cert);
    assert!(verified.status().is_some());
    assert!(verified.claims().as_map().unwrap().iter().all(|(key, _)| *key != Value::Simple(SIMPLE_REDACTED_KEYS)));
    assert!(!format!("{verified:?} {facts:?}").contains("Nguy"));
}

#[test]
fn an_answer_fits_one_symbol() {
    let world = World::new();
    // Ten redacted claims of which two are shown: below 22-M with encryption and base45 (1134 characters hold about 756 bytes).
    let length = answer(&world).len();
    assert!(length < 950, "{length}");
}

#[test]
fn the_number_of_redacted_claims_is_constant() {
    let world = World::new();
    for held in 0..=3 {
        let mut spec = world.sd_cwt_spec();
        spec.claims.truncate(held);
        let bytes = issue(&spec, &world.licences.key, &world.licences.cert.kid8(), &world.rng).unwrap();
        let token = SdCwt::decode(&bytes).unwrap();
        assert_eq!((token.redacted_count(), token.disclosable().len()), (10, held));
        // What is shown has the same size whatever the holder holds back.
        let check = world.check_of(&world.licence);
        assert!(verify_issued(&bytes, &check, &world.holder.public_key()).unwrap().1.is_some());
    }
    let salts = |bytes: &[u8]| SdCwt::decode(bytes).unwrap().disclosures.iter().map(|d| d.digest).collect::<Vec<_>>();
    let (first, second) = (salts(&issued(&world)), salts(&issued(&world)));
    assert!(first.iter().all(|digest| !second.contains(digest)));
    assert!(first.is_sorted());
}

#[test]
fn a_swapped_request_fails_exactly_its_fact() {
    let world = World::new();
    let dishonest = KbtClaims { request_hash: Some([1; 32]), ..claims_b() };
    let (facts, verified) = judged(&world.check_of(&world.licence), &signed(&world.holder, &presented(&world), &dishonest), &expectation());
    only_failed(&facts, FactName::ExchangeRequest, "another request");
    assert_eq!(outcome(&facts, FactName::ExchangeNonce), Outcome::Passed);
    assert!(verified.is_none());
}

#[test]
fn nonce_audience_and_mode_are_compared() {
    let world = World::new();
    let with = |claims: KbtClaims| facts(&world, &signed(&world.holder, &presented(&world), &claims));
    only_failed(&with(KbtClaims { cnonce: Some(vec![7; 15]), ..claims_b() }), FactName::ExchangeNonce, "another nonce");
    only_failed(&with(KbtClaims { aud: "x509_hash:else".to_owned(), ..claims_b() }), FactName::ExchangeAudience, "somebody else");
    only_failed(&with(claims_c()), FactName::ExchangeNonce, "mode");
    let silent = Expectation { cnonce: None, ..expectation() };
    let check = world.check_of(&world.licence);
    only_failed(&judged(&check, &answer(&world), &silent).0, FactName::ExchangeNonce, "no nonce");
    let silent = Expectation { request_hash: None, ..expectation() };
    only_failed(&judged(&check, &answer(&world), &silent).0, FactName::ExchangeRequest, "names no request");
}

/// A key binding token with any claims, signed by the holder.
fn kbt_of(world: &World, claims: Vec<(Value, Value)>) -> Vec<u8> {
    kbt_with(world, claims, |builder| builder)
}

fn kbt_with(world: &World, claims: Vec<(Value, Value)>, headers: impl FnOnce(Sign1Builder) -> Sign1Builder) -> Vec<u8> {
    let builder = Sign1Builder::new()
        .protected(Value::int(HEADER_KCWT), cbor::decode(&presented(world), LIMITS).unwrap())
        .protected(Value::int(HEADER_TYP), Value::text(TYP_KBT_TEXT));
    headers(builder).sign(cbor::encode(&Value::Map(claims)), b"", &world.holder).unwrap()
}

fn kbt_claims(iat: i64) -> Vec<(Value, Value)> {
    vec![
        (Value::int(CLAIM_AUD), Value::text(AUDIENCE)),
        (Value::int(CLAIM_IAT), Value::int(iat)),
        (Value::int(CLAIM_CNONCE), Value::bytes(&NONCE)),
        (Value::int(CLAIM_REQUEST_HASH), Value::bytes(&REQUEST)),
        (Value::int(CLAIM_MODE), Value::Unsigned(MODE_B)),
    ]
}

#[test]
fn one_way_codes_live_a_minute_and_name_nothing() {
    let world = World::new();
    let code = signed(&world.holder, &presented(&world), &claims_c());
    let at = |seconds: i64| {
        let at = now().plus_secs(seconds);
        judged(&Check { at, ..world.check_of(&world.licence) }, &code, &expectation_c(at)).0
    };
    let facts = at(0);
    assert_eq!(conclusion(&facts), "undetermined:exchange.nonce");
    assert_eq!(outcome(&facts, FactName::ExchangeRequest), Outcome::Passed);
    assert_eq!(conclusion(&at(119)), "undetermined:exchange.nonce");
    assert_eq!(conclusion(&at(-60)), "undetermined:exchange.nonce");
    for seconds in [120, -61] {
        assert_eq!(conclusion(&at(seconds)), "rejected:credential.validity", "{seconds}");
    }
    // A later `exp` of the holder's own making does not help.
    let mut long = kbt_claims(now().unix())[..2].to_vec();
    long.push((Value::int(CLAIM_EXP), Value::int(now().plus_secs(DAY - 1).unix())));
    long.push((Value::int(CLAIM_MODE), Value::Unsigned(MODE_C)));
    let check = Check { at: now().plus_secs(120), ..world.check_of(&world.licence) };
    let (facts, _) = judged(&check, &kbt_of(&world, long.clone()), &expectation_c(check.at));
    assert_eq!(conclusion(&facts), "rejected:credential.validity");
    // C forbids nonce and request hash, and is not answered to where B was asked.
    let check = world.check_of(&world.licence);
    let mut nonce = long.clone();
    nonce.push((Value::int(CLAIM_CNONCE), Value::bytes(&NONCE)));
    only_failed(&judged(&check, &kbt_of(&world, nonce), &expectation_c(now())).0, FactName::ExchangeNonce, "may not carry");
    let mut request = long;
    request.push((Value::int(CLAIM_REQUEST_HASH), Value::bytes(&REQUEST)));
    let (facts, _) = judged(&check, &kbt_of(&world, request), &expectation_c(now()));
    assert_eq!(conclusion(&facts), "rejected:exchange.request");
    only_failed(&judged(&check, &answer(&world), &expectation_c(now())).0, FactName::ExchangeNonce, "mode");
    let fits = |claims: &KbtClaims| prepare(&presented(&world), claims).is_ok();
    assert!(!fits(&KbtClaims { cnonce: None, ..claims_b() }) && !fits(&KbtClaims { request_hash: None, ..claims_b() }));
    assert!(!fits(&KbtClaims { cnonce: Some(vec![1]), ..claims_c() }) && !fits(&KbtClaims { request_hash: Some(REQUEST), ..claims_c() }));
}

#[test]
fn an_altered_disclosure_fails_its_digest() {
    let world = World::new();
    let altered = edit(&presented(&world), |token| {
        let disclosure = content(&mut disclosures(token)[0]);
        *disclosure = edit(disclosure, |parts| *index(parts, 1) = Value::text("Trần Thị B"));
    });
    only_failed(&facts(&world, &signed(&world.holder, &altered, &claims_b())), FactName::CredentialDigest, "without a signed digest");
    // One disclosure twice; one of another token.
    let twice = edit(&presented(&world), |token| {
        let again = disclosures(token)[0].clone();
        disclosures(token).push(again);
    });
    only_failed(&facts(&world, &signed(&world.holder, &twice, &claims_b())), FactName::CredentialDigest, "stands twice");
    let mut other = cbor::decode(&presented(&world), LIMITS).unwrap();
    let foreign = edit(&presented(&world), |token| disclosures(token).push(disclosures(&mut other)[0].clone()));
    only_failed(&facts(&world, &signed(&world.holder, &foreign, &claims_b())), FactName::CredentialDigest, "without a signed digest");
}

#[test]
fn a_copied_credential_fails_the_holder() {
    let world = World::new();
    let stranger = SoftwareKey::generate(Curve::P256, &world.rng);
    let copied = signed(&stranger, &presented(&world), &claims_b());
    only_failed(&facts(&world, &copied), FactName::CredentialHolder, "holder signature");
    // The stranger's key in the credential breaks the issuer's signature.
    let swapped = edit(&presented(&world), |token| {
        let payload = content(part(token, 2));
        *payload =
            edit(payload, |claims| *member(member(claims, &Value::int(CLAIM_CNF)), &Value::int(1)) = stranger.public_key().to_cose_key());
    });
    only_failed(&facts(&world, &signed(&stranger, &swapped, &claims_b())), FactName::CredentialSignature, "issuer signature");
}

#[test]
fn other_signers_fail_the_chain_or_the_signature() {
    let world = World::new();
    let issue_by = |authority: &Authority, kid: &[u8; 8]| {
        let token = issue(&world.sd_cwt_spec(), &authority.key, kid, &world.rng).unwrap();
        let presented = SdCwt::decode(&token).unwrap().select(&[NAME]).unwrap();
        facts(&world, &signed(&world.holder, &presented, &claims_b()))
    };
    let stranger = Authority::new(51, EKU_DOCUMENT_SIGNER);
    only_failed(&issue_by(&stranger, &stranger.cert.kid8()), FactName::CredentialChain, "signer not listed");
    only_failed(&issue_by(&stranger, &world.licences.cert.kid8()), FactName::CredentialSignature, "issuer signature");
    only_failed(&issue_by(&world.identities, &world.identities.cert.kid8()), FactName::CredentialChain, "not listed for this document");
    // No key identifier at all.
    let nameless = Sign1Builder::new()
        .protected(Value::int(HEADER_TYP), Value::Unsigned(TYP_SD_CWT))
        .sign(cbor::encode(&Value::Map(base_payload(&world))), b"", &world.licences.key)
        .unwrap();
    only_failed(&facts(&world, &signed(&world.holder, &nameless, &claims_b())), FactName::CredentialChain, "names no signer");
}

#[test]
fn a_revoked_signer_fails_the_chain() {
    let mut world = World::new();
    let kbt = answer(&world);
    let mut entry = world.licences.entry(&[LICENCE]);
    entry.revoked.push(hex::encode(world.licences.cert.sha256()));
    world.trust = targets(vec![entry], &world.status, |_| {});
    only_failed(&facts(&world, &kbt), FactName::CredentialChain, "revoked");
}

#[test]
fn a_genuine_document_of_another_type_fails_its_type() {
    let world = World::new();
    let expected = ExpectedType::new("citizen-identity", "urn:vn:citizen-identity:1");
    let (facts, verified) = judged(&world.check_of(&expected), &answer(&world), &expectation());
    only_failed(&facts, FactName::CredentialType, "another type");
    assert!(verified.is_none());
    let mut untyped = base_payload(&world);
    untyped.retain(|(key, _)| *key != Value::int(CLAIM_VCT));
    let kbt = signed(&world.holder, &sign_payload(&world, untyped, Vec::new()), &claims_b());
    only_failed(&self::facts(&world, &kbt), FactName::CredentialType, "another type");
}

#[test]
fn expired_early_and_suspended_stand_side_by_side() {
    let mut world = World::new();
    let presented = presented(&world);
    let at = |world: &World, at: Timestamp| {
        let kbt = signed(&world.holder, &presented, &KbtClaims { iat: at, ..claims_b() });
        judged(&Check { at, ..world.check_of(&world.licence) }, &kbt, &Expectation { now: at, ..expectation() }).0
    };
    let late = now().plus_secs(29 * DAY);
    world.publish(SUSPENDED, late.plus_secs(-HOUR), late.plus_secs(DAY));
    let facts = at(&world, late);
    assert!(detail(&facts, FactName::CredentialValidity).contains("expired"));
    assert!(detail(&facts, FactName::CredentialStatus).contains(&format!("suspended in the list of {}", late.plus_secs(-HOUR))));
    only_failed(&at(&world, late.plus_secs(-1)), FactName::CredentialStatus, "suspended");
    world.publish(crate::status::VALID, late.plus_secs(-HOUR), late.plus_secs(DAY));
    only_failed(&at(&world, late), FactName::CredentialValidity, "expired");
    let early = now().plus_secs(-DAY - 61);
    world.publish(crate::status::VALID, early.plus_secs(-HOUR), late);
    only_failed(&at(&world, early), FactName::CredentialValidity, "signed in the future");
    // A list 15 days old and past its `exp`, everything else fresh.
    world.publish(crate::status::VALID, now().plus_secs(-15 * DAY), now().plus_secs(-DAY));
    let facts = at(&world, now());
    only_failed(&facts, FactName::StatusFreshness, "expired");
    assert_eq!(outcome(&facts, FactName::CredentialStatus), Outcome::NotChecked);
    world.lists = StatusLists::new();
    assert_eq!(conclusion(&at(&world, now())), "undetermined:status.freshness");
}

#[test]
fn times_of_the_two_tokens_must_fit() {
    let world = World::new();
    let judge = |claims: Vec<(Value, Value)>| facts(&world, &kbt_of(&world, claims));
    assert_eq!(conclusion(&judge(kbt_claims(now().unix()))), "verified");
    let with = |claim: i64, at: i64| {
        let mut claims = kbt_claims(now().unix());
        claims.push((Value::int(claim), Value::int(now().plus_secs(at).unix())));
        judge(claims)
    };
    assert_eq!(conclusion(&with(CLAIM_EXP, 60)), "verified");
    only_failed(&with(CLAIM_EXP, 0), FactName::CredentialValidity, "out of order");
    only_failed(&with(CLAIM_NBF, 1), FactName::CredentialValidity, "out of order");
    only_failed(&with(CLAIM_EXP, 29 * DAY + 1), FactName::CredentialValidity, "outlives");
    // Answered before it was issued, or after it ended: refused. A clock that differs: told.
    only_failed(&judge(kbt_claims(now().plus_secs(-DAY - 1).unix())), FactName::CredentialValidity, "outside the validity");
    only_failed(&judge(kbt_claims(now().plus_secs(29 * DAY).unix())), FactName::CredentialValidity, "outside the validity");
    for difference in [-181, 181] {
        let facts = judge(kbt_claims(now().plus_secs(difference).unix()));
        assert_eq!(conclusion(&facts), "undetermined:credential.validity");
        assert!(detail(&facts, FactName::CredentialValidity).contains("clock differs"));
        assert_eq!(conclusion(&judge(kbt_claims(now().plus_secs(difference - difference.signum()).unix()))), "verified");
    }
    // Numbered by `cti` instead of a time: allowed by the draft, not by us, since nobody could say when it was shown.
    let mut numbered = kbt_claims(0);
    numbered[1] = (Value::int(CLAIM_CTI), Value::bytes(b"1"));
    only_failed(&judge(numbered), FactName::CredentialValidity, "no time of presentation");
}

#[test]
fn key_binding_tokens_of_other_shapes_are_refused() {
    let world = World::new();
    let decode = |bytes: &[u8]| UnverifiedKbt::decode(bytes).map(|_| ());
    let with = |claim: i64, value: Value| {
        let mut claims = kbt_claims(now().unix());
        claims.push((Value::int(claim), value));
        decode(&kbt_of(&world, claims))
    };
    assert!(with(CLAIM_CTI, Value::bytes(b"1")).is_ok());
    assert!(with(CLAIM_ISS, Value::text("me")).is_err());
    assert!(with(CLAIM_SUB, Value::text("me")).is_err());
    assert!(with(CLAIM_AUD, Value::text("twice")).is_err());
    assert!(with(CLAIM_EXP, Value::Float(f64::NAN)).is_err());
    for missing in [0, 1] {
        let mut claims = kbt_claims(now().unix());
        claims.remove(missing);
        assert!(decode(&kbt_of(&world, claims)).is_err(), "{missing}");
    }
    let map = || Value::Map(vec![(Value::int(1), Value::text("me"))]);
    let protected = kbt_with(&world, kbt_claims(now().unix()), |builder| builder.protected(Value::int(HEADER_CWT_CLAIMS), map()));
    let unprotected = kbt_with(&world, kbt_claims(now().unix()), |builder| builder.unprotected(Value::int(HEADER_CWT_CLAIMS), map()));
    assert!(decode(&protected).is_err() && decode(&unprotected).is_err());
    // The one type is not the other.
    assert!(decode(&issued(&world)).is_err());
    assert!(SdCwt::decode(&answer(&world)).is_err());
    let bare = Sign1Builder::new().protected(Value::int(HEADER_TYP), Value::Unsigned(TYP_KBT));
    assert!(decode(&bare.sign(cbor::encode(&Value::Map(kbt_claims(0))), b"", &world.holder).unwrap()).is_err());
    let whole = answer(&world);
    for length in 0..whole.len() {
        assert!(decode(&whole[..length]).is_err(), "{length}");
    }
    assert_eq!(decode(&vec![0; kbt::MAX_KBT_BYTES + 1]), Err(CredentialError::TooLarge("key binding token")));
}

#[test]
fn no_single_changed_byte_of_an_answer_passes() {
    let world = World::new();
    let whole = answer(&world);
    let check = world.check_of(&world.licence);
    for at in 0..whole.len() {
        for bit in [0x01, 0x80] {
            let mut altered = whole.clone();
            altered[at] ^= bit;
            let verified = UnverifiedKbt::decode(&altered).ok().and_then(|kbt| kbt.verify(&check, &expectation()).1);
            assert!(verified.is_none(), "byte {at}");
        }
    }
}

#[test]
fn der_signatures_and_unprotected_algorithms_fail() {
    let world = World::new();
    let der = edit(&presented(&world), |token| {
        let signature = content(part(token, 3));
        *signature = x509::der_signature(signature).unwrap();
    });
    only_failed(&facts(&world, &signed(&world.holder, &der, &claims_b())), FactName::CredentialSignature, "");
    let moved = edit(&presented(&world), |token| {
        let protected = content(part(token, 0));
        *protected = edit(protected, |header| {
            let Value::Map(entries) = header else { panic!("no map") };
            entries.retain(|(key, _)| *key != Value::int(1));
        });
        let Value::Map(header) = part(token, 1) else { panic!("no map") };
        header.push((Value::int(1), Value::int(-7)));
    });
    only_failed(&facts(&world, &signed(&world.holder, &moved, &claims_b())), FactName::CredentialSignature, "");
    let der = edit(&answer(&world), |token| {
        let signature = content(part(token, 3));
        *signature = x509::der_signature(signature).unwrap();
    });
    only_failed(&facts(&world, &der), FactName::CredentialHolder, "");
    assert!(matches!(prepare(&presented(&world), &claims_b()).unwrap().finish(&[0; 70]), Err(CredentialError::Signing)));
}

#[test]
fn encodings_the_draft_forbids_are_refused() {
    let world = World::new();
    let claims = |payload: Vec<u8>| {
        Sign1Builder::new()
            .protected(Value::int(HEADER_KID), Value::bytes(&world.licences.cert.kid8()))
            .protected(Value::int(HEADER_TYP), Value::Unsigned(TYP_SD_CWT))
            .sign(payload, b"", &world.licences.key)
            .unwrap()
    };
    let good = cbor::encode(&Value::Map(base_payload(&world)));
    assert!(SdCwt::decode(&claims(good.clone())).is_ok());
    // Indefinite length: bf .. ff around the same entries.
    let mut indefinite = vec![0xbf];
    indefinite.extend_from_slice(&good[1..]);
    indefinite.push(0xff);
    assert!(SdCwt::decode(&claims(indefinite)).is_err());
    let mut twice = base_payload(&world);
    twice.push((Value::int(CLAIM_VCT), Value::text(VCT)));
    assert!(SdCwt::decode(&claims(cbor::encode(&Value::Map(twice)))).is_err());
    let mut deep = Value::Null;
    for _ in 0..20 {
        deep = Value::Array(vec![deep]);
    }
    let mut nested = base_payload(&world);
    nested.push((Value::int(500), deep));
    assert!(SdCwt::decode(&claims(cbor::encode(&Value::Map(nested)))).is_err());
    let mut keyless = base_payload(&world);
    keyless.retain(|(key, _)| *key != Value::int(CLAIM_CNF));
    assert!(SdCwt::decode(&claims(cbor::encode(&Value::Map(keyless)))).is_err());
    assert_eq!(SdCwt::decode(&vec![0; MAX_SD_CWT_BYTES + 1]).unwrap_err(), CredentialError::TooLarge("SD-CWT"));
    let sha512 = Sign1Builder::new()
        .protected(Value::int(HEADER_TYP), Value::Unsigned(TYP_SD_CWT))
        .protected(Value::int(HEADER_SD_ALG), Value::int(-44))
        .sign(good, b"", &world.licences.key)
        .unwrap();
    assert!(matches!(SdCwt::decode(&sha512), Err(CredentialError::Unsupported(_))));
    let empty = edit(&presented(&world), |token| disclosures(token).clear());
    assert!(SdCwt::decode(&empty).is_err());
    let salty = edit(&presented(&world), |token| {
        let disclosure = content(&mut disclosures(token)[0]);
        *disclosure = edit(disclosure, |parts| *index(parts, 0) = Value::bytes(&[1; 8]));
    });
    assert!(SdCwt::decode(&salty).is_err());
    // The same disclosure under a longer head: another digest for the same bytes.
    let (member, _) = disclosure(vec![Value::Unsigned(1), Value::int(500)]);
    let token = sign_payload(&world, base_payload(&world), vec![member.clone()]);
    let short = cbor::encode(&member);
    let long = [&[0x58, short[0] & 0x1f][..], &short[1..]].concat();
    assert!(short[0] < 0x58, "a short head");
    let at = token.windows(short.len()).position(|window| window == short).unwrap();
    let stretched = [&token[..at], &long, &token[at + short.len()..]].concat();
    assert!(SdCwt::decode(&stretched).is_err());
}

/// Judges a payload and its disclosures, made by an issuer with other habits and shown whole.
fn shown(world: &World, extra: Vec<(Value, Value)>, members: Vec<Value>) -> (Vec<Fact>, Option<VerifiedSdCwt>) {
    let mut payload = base_payload(world);
    payload.extend(extra);
    let kbt = signed(&world.holder, &sign_payload(world, payload, members), &claims_b());
    judged(&world.check_of(&world.licence), &kbt, &expectation())
}

#[test]
fn disclosures_stand_only_where_they_belong() {
    let world = World::new();
    let refused = |extra: Vec<(Value, Value)>, members: Vec<Value>, words: &str| {
        only_failed(&shown(&world, extra, members).0, FactName::CredentialDigest, words);
    };
    let (claim, claim_digest) = disclosure(vec![Value::text("x"), Value::int(500)]);
    let (element, element_digest) = disclosure(vec![Value::text("x")]);
    let (decoy, decoy_digest) = disclosure(vec![]);
    let in_array = |digest: &Value| vec![(Value::int(501), Value::Array(vec![Value::tag(TAG_REDACTED_ELEMENT, digest.clone())]))];
    let ok = shown(&world, vec![redacted(vec![claim_digest.clone(), decoy_digest.clone()])], vec![claim.clone(), decoy.clone()]);
    assert_eq!(ok.1.unwrap().claim(500), Some(&Value::text("x")));
    let ok = shown(&world, in_array(&element_digest), vec![element.clone()]);
    assert_eq!(ok.1.unwrap().claim(501), Some(&Value::Array(vec![Value::text("x")])));
    let ok = shown(&world, in_array(&element_digest), vec![]);
    assert_eq!(ok.1.unwrap().claim(501), Some(&Value::Array(vec![])));
    let ok = shown(&world, in_array(&decoy_digest), vec![decoy]);
    assert_eq!(ok.1.unwrap().claim(501), Some(&Value::Array(vec![])));

    refused(in_array(&claim_digest), vec![claim.clone()], "as an array element");
    refused(vec![redacted(vec![element_digest.clone()])], vec![element.clone()], "as a claim");
    refused(vec![redacted(vec![claim_digest.clone(), claim_digest.clone()])], vec![claim.clone()], "digest stands twice");
    refused(vec![(Value::int(500), Value::Null), redacted(vec![claim_digest.clone()])], vec![claim.clone()], "claim stands twice");
    refused(vec![], vec![claim], "without a signed digest");
    refused(vec![(Value::int(501), Value::tag(TAG_REDACTED_ELEMENT, element_digest))], vec![element], "outside an array");
    refused(vec![redacted(vec![Value::bytes(&[0; 31])])], vec![], "another length");
    refused(vec![(Value::Simple(SIMPLE_REDACTED_KEYS), Value::Null)], vec![], "no array");
    refused(vec![(Value::int(501), Value::tag(TAG_TO_BE_REDACTED, Value::Null))], vec![], "before issuance");
    refused(vec![(Value::int(501), Value::tag(TAG_TO_BE_DECOY, Value::Unsigned(1)))], vec![], "before issuance");
    refused(vec![(Value::tag(TAG_TO_BE_REDACTED, Value::int(501)), Value::Null)], vec![], "another type");
    refused(vec![(Value::text(&"k".repeat(256)), Value::Null)], vec![], "another type");
    // Two disclosures for one key.
    let (first, first_digest) = disclosure(vec![Value::Unsigned(1), Value::int(500)]);
    let (second, second_digest) = disclosure(vec![Value::Unsigned(2), Value::int(500)]);
    refused(vec![redacted(vec![first_digest, second_digest])], vec![first, second], "claim stands twice");
    for key in NEVER_REDACTED {
        let (claim, digest) = disclosure(vec![Value::int(0), Value::int(key)]);
        let mut payload = base_payload(&world);
        payload.retain(|(known, _)| known.as_int() != Some(key) || key == CLAIM_CNF);
        payload.push(redacted(vec![digest]));
        let kbt = signed(&world.holder, &sign_payload(&world, payload, vec![claim]), &claims_b());
        only_failed(&facts(&world, &kbt), FactName::CredentialDigest, "may not be redacted");
    }
}

#[test]
fn nested_redaction_unfolds_and_selects() {
    let world = World::new();
    let (inner, inner_digest) = disclosure(vec![Value::text("HCM"), Value::text("province")]);
    let outer = Value::Map(vec![(Value::text("country"), Value::text("vn")), redacted(vec![inner_digest])]);
    let (outer, outer_digest) = disclosure(vec![outer, Value::int(503)]);
    let (other, other_digest) = disclosure(vec![Value::Unsigned(1), Value::int(504)]);
    let mut payload = base_payload(&world);
    payload.push(redacted(vec![outer_digest, other_digest]));
    let token = SdCwt::decode(&sign_payload(&world, payload, vec![inner.clone(), other, outer.clone()])).unwrap();
    assert_eq!(token.disclosable(), [503, 504]);
    let kbt = signed(&world.holder, &token.select(&[503]).unwrap(), &claims_b());
    let (_, verified) = judged(&world.check_of(&world.licence), &kbt, &expectation());
    let verified = verified.unwrap();
    let place = verified.claim(503).unwrap();
    assert_eq!((place.get_text("province"), place.as_map().unwrap().len()), (Some(&Value::text("HCM")), 2));
    assert_eq!(verified.claim(504), None);
    // The inner disclosure alone hangs in the air.
    let alone = edit(&token.select(&[503]).unwrap(), |token| disclosures(token).retain(|member| *member != outer));
    only_failed(&facts(&world, &signed(&world.holder, &alone, &claims_b())), FactName::CredentialDigest, "without a signed digest");
    assert_ne!(inner, outer);
}

#[test]
fn selecting_keeps_what_was_signed() {
    let world = World::new();
    let token = SdCwt::decode(&issued(&world)).unwrap();
    assert_eq!(token.disclosable(), [-70_003, CLASS, NAME]);
    assert!(matches!(token.select(&[12]), Err(CredentialError::NoSuchElement)));
    // Nothing chosen: no header at all, and still verifiable.
    let none = token.select(&[]).unwrap();
    assert_eq!(SdCwt::decode(&none).unwrap().disclosable(), [0_i64; 0]);
    let (facts, verified) = judged(&world.check_of(&world.licence), &signed(&world.holder, &none, &claims_b()), &expectation());
    assert_eq!((conclusion(&facts).as_str(), verified.unwrap().claim(NAME)), ("verified", None));
    // Decoys never leave the wallet, and a presentation can be narrowed again.
    let two = SdCwt::decode(&token.select(&[NAME, CLASS]).unwrap()).unwrap();
    assert_eq!((two.disclosures.len(), two.redacted_count()), (2, 10));
    assert_eq!(two.select(&[NAME]).unwrap(), token.select(&[NAME]).unwrap());
}

#[test]
fn the_wallet_stores_only_whole_credentials_of_its_own_key() {
    let world = World::new();
    let check = Check { by: By::Wallet, ..world.check_of(&world.licence) };
    let bytes = issued(&world);
    let verify = |bytes: &[u8]| verify_issued(bytes, &check, &world.holder.public_key()).unwrap();
    let (facts, verified) = verify(&bytes);
    assert_eq!((names(&facts).as_slice(), conclusion(&facts).as_str()), (LADDER.as_slice(), "verified"));
    assert_eq!(verified.unwrap().claim(NAME), Some(&Value::text("Nguyễn Văn An")));
    // A digest whose disclosure was kept back: the issuer could reveal it later behind the holder's back.
    let kept = edit(&bytes, |token| drop(disclosures(token).pop()));
    only_failed(&verify(&kept).0, FactName::CredentialDigest, "digest without disclosure");
    let other = SoftwareKey::generate(Curve::P256, &world.rng).public_key();
    let (facts, verified) = verify_issued(&bytes, &check, &other).unwrap();
    only_failed(&facts, FactName::CredentialHolder, "another key");
    assert!(verified.is_none());
}

#[test]
fn issuing_refuses_nonsense() {
    let world = World::new();
    let try_issue = |change: fn(&mut SdCwtSpec)| {
        let mut spec = world.sd_cwt_spec();
        change(&mut spec);
        issue(&spec, &world.licences.key, &[0; 8], &world.rng)
    };
    assert!(matches!(try_issue(|spec| spec.total_redacted = 2), Err(CredentialError::Specification(_))));
    assert!(matches!(try_issue(|spec| spec.exp = spec.iat), Err(CredentialError::Specification(_))));
    assert!(matches!(try_issue(|spec| spec.claims.push(spec.claims[0].clone())), Err(CredentialError::Specification(_))));
    assert!(matches!(try_issue(|spec| spec.claims[0].0 = CLAIM_EXP), Err(CredentialError::Specification(_))));
    assert!(matches!(try_issue(|spec| spec.claims[0].0 = CLAIM_SUB), Err(CredentialError::Specification(_))));
}
