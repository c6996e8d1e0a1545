//! The signed request: size, every clause of its verification, and what a scanner may bring instead.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod common;

use common::{Authority, Leaf, documents, flight_spec, now};
use wallet_base::cbor::{self, Limits, Value};
use wallet_base::cose::{Sign1Builder, TYP, X5CHAIN};
use wallet_base::crypto::{EphemeralKey, Signer, sha256};
use wallet_base::fact::{Fact, FactName, Outcome, Verdict};
use wallet_base::random::SeededRandom;
use wallet_exchange::code_points as cp;
use wallet_exchange::codec::{deflate, from_base45, inflate, is_alphanumeric, to_base45};
use wallet_exchange::qr::{CEILING, TARGET, draw};
use wallet_exchange::{ExchangeError, ReaderTrust, RequestSpec, Scanned, UnverifiedRequest};

type Entries = Vec<(Value, Value)>;

fn text_of(cose: &[u8]) -> String {
    format!("CWQ1:{}", to_base45(&deflate(cose)))
}

fn cose_of(text: &str) -> Vec<u8> {
    inflate(&from_base45(text.strip_prefix("CWQ1:").unwrap()).unwrap(), 16_384).unwrap().to_vec()
}

fn good() -> (Authority, String) {
    let authority = Authority::new(1, "Reader CA 1");
    let officer = authority.officer(&Leaf::default());
    let (text, _) = flight_spec().sign(&officer.certificate, &officer.key, &SeededRandom::new(9)).unwrap();
    (authority, text)
}

fn outcomes(facts: &[Fact]) -> Vec<(FactName, Outcome)> {
    facts.iter().map(|fact| (fact.name(), fact.outcome())).collect()
}

/// Exactly one failed fact; earlier ones passed, later ones not checked.
fn assert_fails(text: &str, trust: &ReaderTrust, at: i64, name: FactName, detail: &str) {
    let request = UnverifiedRequest::decode_text(text).unwrap();
    let (facts, verified) = request.verify(trust, now().plus_secs(at));
    assert!(verified.is_none());
    let ladder = [FactName::RequestSignature, FactName::RequestChain, FactName::RequestTime];
    let rung = ladder.iter().position(|rung| *rung == name).unwrap();
    let outcome = |n: usize| match n.cmp(&rung) {
        std::cmp::Ordering::Less => Outcome::Passed,
        std::cmp::Ordering::Equal => Outcome::Failed,
        std::cmp::Ordering::Greater => Outcome::NotChecked,
    };
    let expected: Vec<_> = ladder.iter().enumerate().map(|(n, rung)| (*rung, outcome(n))).collect();
    assert_eq!(outcomes(&facts), expected);
    let fact = facts.get(rung).unwrap();
    assert!(fact.detail().contains(detail), "{} does not say {detail}", fact.detail());
}

#[test]
fn a_realistic_request_fits_the_budget() {
    let authority = Authority::new(1, "Reader CA 1");
    let flight = authority.officer(&Leaf::default());
    assert!(flight.certificate.der().len() <= cp::MAX_CERTIFICATE, "{} bytes", flight.certificate.der().len());
    let (text, open) = flight_spec().sign(&flight.certificate, &flight.key, &SeededRandom::new(9)).unwrap();
    println!(
        "flight: certificate {} B, request {} B, text {} characters",
        flight.certificate.der().len(),
        cose_of(&text).len(),
        text.len()
    );
    assert!(text.bytes().all(is_alphanumeric));
    assert!(text.len() <= TARGET, "{} characters", text.len());
    assert_eq!(draw(&text).unwrap().level(), 'M');
    assert_eq!((open.role(), open.documents().len(), open.hash()), ("flight", 1, sha256(&cose_of(&text))));

    // The longest that is usual: two documents, many fields, long names.
    let leaf = Leaf { role: Some("traffic-police"), organisation: Some("Phòng CSGT Công an TP Hà Nội"), ..Leaf::default() };
    let police = authority.officer(&leaf);
    assert!(police.certificate.der().len() <= cp::MAX_CERTIFICATE, "{} bytes", police.certificate.der().len());
    let spec = RequestSpec {
        role: "traffic-police".into(),
        purpose: "roadside-check".into(),
        legal_basis: "Luật Trật tự, an toàn giao thông đường bộ 36/2024/QH15, Điều 66".into(),
        documents: documents(&[
            ("driving-licence", &["full_name", "birth_date", "licence_number", "privileges", "expiry_date", "points", "points_as_of"]),
            ("citizen-identity", &["full_name", "birth_date", "personal_number"]),
        ]),
        place: "Quốc lộ 1A, Km 182+500, Phủ Lý, Hà Nam".into(),
        ..flight_spec()
    };
    let (text, _) = spec.sign(&police.certificate, &police.key, &SeededRandom::new(9)).unwrap();
    println!(
        "police: certificate {} B, request {} B, text {} characters",
        police.certificate.der().len(),
        cose_of(&text).len(),
        text.len()
    );
    assert!(text.len() <= CEILING, "{} characters", text.len());
    draw(&text).unwrap();
}

#[test]
fn a_good_request_says_who_asks_what() {
    let (authority, text) = good();
    let request = UnverifiedRequest::decode_text(&text).unwrap();
    for at in [-60, 0, 120, 180] {
        let (facts, verified) = request.verify(&authority.trust(), now().plus_secs(at));
        assert!(verified.is_some(), "{at}");
        assert_eq!(Verdict::from(facts).conclusion().to_string(), "verified");
    }
    let verified = request.verify(&authority.trust(), now()).1.unwrap();
    assert_eq!(verified.organisation(), "Cảng hàng không quốc tế Nội Bài");
    assert_eq!((verified.role(), verified.device(), verified.place()), ("flight", "NB-T1-0042", "Cửa 12, Nội Bài"));
    assert_eq!((verified.purpose(), verified.retention_hours()), ("domestic-check-in", 24));
    assert_eq!(verified.documents(), flight_spec().documents);
    assert_eq!((verified.iat(), verified.exp()), (now(), now().plus_secs(120)));
    assert_eq!(verified.hash(), sha256(&cose_of(&text)));
    assert_eq!(verified.bytes(), cose_of(&text));
    assert!(verified.audience().starts_with("x509_hash:") && verified.audience().len() == 53);
    assert!(!request.looks_stale(now()) && request.looks_stale(now().plus_secs(3600)));
}

#[test]
fn unknown_verifier_fails_the_chain_alone() {
    let (_, text) = good();
    let stranger = Authority::new(2, "Reader CA 2");
    assert_fails(&text, &stranger.trust(), 0, FactName::RequestChain, "no listed reader authority");
    // The same name, another key.
    let impostor = Authority::new(3, "Reader CA 1");
    assert_fails(&text, &impostor.trust(), 0, FactName::RequestChain, "not valid under its authority");
    assert_fails(&text, &ReaderTrust::default(), 0, FactName::RequestChain, "no listed");
}

#[test]
fn stale_request_fails_the_time_alone() {
    let (authority, text) = good();
    assert_fails(&text, &authority.trust(), 3600, FactName::RequestTime, "stale: expired 2026-11-21T08:02:00Z");
    assert_fails(&text, &authority.trust(), 181, FactName::RequestTime, "stale");
    assert_fails(&text, &authority.trust(), -61, FactName::RequestTime, "future");
}

#[test]
fn an_altered_request_fails_the_signature_alone() {
    let (authority, text) = good();
    let cose = cose_of(&text);
    let place = cose.windows(4).position(|w| w == b"Bai\"" || w == "Bài".as_bytes()).unwrap();
    let mut altered = cose.clone();
    altered[place] ^= 0x20;
    assert_fails(&text_of(&altered), &authority.trust(), 0, FactName::RequestSignature, "signature");
    let mut altered = cose;
    *altered.last_mut().unwrap() ^= 1;
    assert_fails(&text_of(&altered), &authority.trust(), 0, FactName::RequestSignature, "signature");
}

#[test]
fn every_clause_of_the_certificate() {
    let authority = Authority::new(1, "Reader CA 1");
    let chain = |leaf: Leaf, detail: &str| {
        let officer = authority.officer(&leaf);
        let text = signed(&officer.certificate, &officer.key, &claims(|_| {}));
        assert_fails(&text, &authority.trust(), 0, FactName::RequestChain, detail);
    };
    chain(Leaf { role: Some("health"), ..Leaf::default() }, "another role");
    chain(Leaf { role: None, ..Leaf::default() }, "names no role");
    chain(Leaf { purpose: "1.0.18013.5.1.2", ..Leaf::default() }, "not a reader certificate");
    chain(Leaf { organisation: None, ..Leaf::default() }, "no organisation");
    chain(Leaf { days: 8, ..Leaf::default() }, "lives too long");
    chain(Leaf { from: common::NOW - 8 * 86_400, ..Leaf::default() }, "not valid under its authority");
    chain(Leaf { from: common::NOW + 61, ..Leaf::default() }, "not valid under its authority");
    chain(Leaf { lean: false, ..Leaf::default() }, "too large");
    chain(Leaf { is_ca: true, organisation: Some("X"), ..Leaf::default() }, "not a reader certificate");

    let officer = authority.officer(&Leaf::default());
    let text = signed(&officer.certificate, &officer.key, &claims(|_| {}));
    for revoked in [officer.certificate.sha256(), authority.certificate.sha256()] {
        let trust = ReaderTrust { revoked: [revoked].into(), ..authority.trust() };
        assert_fails(&text, &trust, 0, FactName::RequestChain, "revoked");
    }
    // The authority's key has a second certificate that is not revoked.
    let renewed = authority.renewed();
    for authorities in [[authority.certificate.clone(), renewed.clone()], [renewed, authority.certificate.clone()]] {
        let trust = ReaderTrust { authorities: authorities.into(), revoked: [authority.certificate.sha256()].into() };
        assert_fails(&text, &trust, 0, FactName::RequestChain, "revoked");
    }
    // A certificate issued a moment ago by a clock slightly ahead is good.
    let fresh = authority.officer(&Leaf { from: common::NOW + 30, ..Leaf::default() });
    let text = signed(&fresh.certificate, &fresh.key, &claims(|_| {}));
    assert!(UnverifiedRequest::decode_text(&text).unwrap().verify(&authority.trust(), now()).1.is_some());
    // A lifetime beyond two minutes is a matter of time.
    let text = signed(&officer.certificate, &officer.key, &claims(|map| set(map, cp::REQ_EXP, Value::int(common::NOW + 121))));
    assert_fails(&text, &authority.trust(), 0, FactName::RequestTime, "lifetime");
}

fn set(map: &mut Entries, key: i64, value: Value) {
    map.retain(|(found, _)| found.as_int() != Some(key));
    map.push((Value::int(key), value));
}

/// A payload as another implementation might make it.
fn claims(change: impl FnOnce(&mut Entries)) -> Vec<u8> {
    let key = EphemeralKey::generate(&SeededRandom::new(4)).public();
    let mut map = vec![
        (Value::int(cp::REQ_VERSION), Value::int(1)),
        (Value::int(cp::REQ_ROLE), Value::text("flight")),
        (Value::int(cp::REQ_PURPOSE), Value::text("boarding")),
        (Value::int(cp::REQ_LEGAL_BASIS), Value::text("")),
        (
            Value::int(cp::REQ_DOCUMENTS),
            Value::Array(vec![Value::Array(vec![Value::text("citizen-identity"), Value::Array(vec![Value::text("sex")])])]),
        ),
        (Value::int(cp::REQ_RETENTION), Value::int(1)),
        (Value::int(cp::REQ_PLACE), Value::text("Gate 12")),
        (Value::int(cp::REQ_NONCE), Value::bytes(&[7; 16])),
        (Value::int(cp::REQ_IAT), Value::int(common::NOW)),
        (Value::int(cp::REQ_EXP), Value::int(common::NOW + 120)),
        (Value::int(cp::REQ_KEY), key.to_cose_key()),
    ];
    change(&mut map);
    cbor::encode(&Value::Map(map))
}

fn signed(certificate: &wallet_base::x509::Certificate, key: &dyn Signer, payload: &[u8]) -> String {
    let builder = Sign1Builder::new()
        .protected(Value::int(TYP), Value::text(cp::TYP_REQUEST))
        .protected(Value::int(X5CHAIN), Value::bytes(certificate.der()));
    text_of(&builder.sign(payload.to_vec(), &[], key).unwrap())
}

#[test]
fn other_contents_are_damaged() {
    let authority = Authority::new(1, "Reader CA 1");
    let officer = authority.officer(&Leaf::default());
    let damaged = Some(ExchangeError::Damaged("not a request of this version"));
    let text = |change: &dyn Fn(&mut Entries)| signed(&officer.certificate, &officer.key, &claims(|map| change(map)));
    assert!(UnverifiedRequest::decode_text(&text(&|_| {})).is_ok());
    let ids = |ids: &[&str]| Value::Array(ids.iter().map(|id| Value::text(id)).collect());
    let row = |document: &str, fields: Value| Value::Array(vec![Value::text(document), fields]);
    let many: Vec<String> = (0..33).map(|n| format!("f{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let wrong: Vec<(i64, Value)> = vec![
        (cp::REQ_VERSION, Value::int(2)),
        (cp::REQ_ROLE, Value::text("Flight")),
        (cp::REQ_ROLE, Value::text("")),
        (cp::REQ_PURPOSE, Value::text(&"a".repeat(49))),
        (cp::REQ_PURPOSE, Value::int(1)),
        (cp::REQ_LEGAL_BASIS, Value::text("a\u{202e}b")),
        (cp::REQ_DOCUMENTS, Value::Array(vec![])),
        (cp::REQ_DOCUMENTS, Value::Array(vec![row("a", ids(&[]))])),
        (cp::REQ_DOCUMENTS, Value::Array(vec![row("a", ids(&["x"])), row("a", ids(&["y"]))])),
        (cp::REQ_DOCUMENTS, Value::Array(vec![row("a", ids(&["x", "x"]))])),
        (cp::REQ_DOCUMENTS, Value::Array(vec![row("a", ids(&many))])),
        (cp::REQ_DOCUMENTS, Value::Array((0..5).map(|n| row(&format!("d{n}"), ids(&["x"]))).collect())),
        (cp::REQ_RETENTION, Value::int(-1)),
        (cp::REQ_RETENTION, Value::int(87_601)),
        (cp::REQ_PLACE, Value::text(&"a".repeat(61))),
        (cp::REQ_PLACE, Value::text("line\nbreak")),
        (cp::REQ_NONCE, Value::bytes(&[7; 15])),
        (cp::REQ_NONCE, Value::bytes(&[7; 17])),
        (cp::REQ_IAT, Value::int(-1)),
        (cp::REQ_EXP, Value::int(i64::MAX)),
        (cp::REQ_EXP, Value::Float(1.0)),
        (cp::REQ_KEY, Value::Map(vec![])),
        (cp::REQ_KEY, Value::bytes(&[4; 65])),
    ];
    for (key, value) in wrong {
        let text = text(&|map| set(map, key, value.clone()));
        assert_eq!(UnverifiedRequest::decode_text(&text).err(), damaged, "{key} {value:?}");
    }
    for key in 1..=11 {
        let text = text(&|map| map.retain(|(found, _)| found.as_int() != Some(key)));
        assert_eq!(UnverifiedRequest::decode_text(&text).err(), damaged, "{key} missing");
    }
}

#[test]
fn other_envelopes_are_damaged() {
    let authority = Authority::new(1, "Reader CA 1");
    let officer = authority.officer(&Leaf::default());
    let der = officer.certificate.der();
    let sign = |builder: Sign1Builder| text_of(&builder.sign(claims(|_| {}), &[], &officer.key).unwrap());
    let damaged = |text: String| assert!(matches!(UnverifiedRequest::decode_text(&text), Err(ExchangeError::Damaged(_))));
    let typ = || Sign1Builder::new().protected(Value::int(TYP), Value::text(cp::TYP_REQUEST));
    assert!(UnverifiedRequest::decode_text(&sign(typ().protected(Value::int(X5CHAIN), Value::bytes(der)))).is_ok());
    damaged(sign(typ()));
    damaged(sign(typ().unprotected(Value::int(X5CHAIN), Value::bytes(der))));
    damaged(sign(typ().protected(Value::int(X5CHAIN), Value::bytes(der)).unprotected(Value::int(4), Value::bytes(b"x"))));
    damaged(sign(typ().protected(Value::int(X5CHAIN), Value::bytes(&der[1..]))));
    damaged(sign(typ().protected(Value::int(X5CHAIN), Value::Array(vec![Value::bytes(der), Value::bytes(der)]))));
    damaged(sign(Sign1Builder::new().protected(Value::int(X5CHAIN), Value::bytes(der))));
    damaged(sign(Sign1Builder::new().protected(Value::int(TYP), Value::int(294)).protected(Value::int(X5CHAIN), Value::bytes(der))));
    // A COSE_Mac0, an answer's COSE_Encrypt, plain CBOR.
    for value in [Value::tag(17, Value::Array(vec![])), Value::tag(96, Value::Array(vec![])), Value::int(1), Value::Map(vec![])] {
        damaged(text_of(&cbor::encode(&value)));
    }
}

#[test]
fn the_once_key_does_not_follow_the_signature() {
    let (authority, text) = good();
    // (r, n - s) verifies as well as (r, s): other COSE bytes, the same request.
    let cose = cose_of(&text);
    let (body, s) = cose.split_at(cose.len() - 32);
    let n = hex::decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").unwrap();
    let mut borrow = 0i16;
    let mut other = [0u8; 32];
    for k in (0..32).rev() {
        let d = i16::from(n[k]) - i16::from(s[k]) - borrow;
        borrow = i16::from(d < 0);
        other[k] = u8::try_from(d.rem_euclid(256)).unwrap();
    }
    let varied = text_of(&[body, &other].concat());
    let verify = |text: &str| UnverifiedRequest::decode_text(text).unwrap().verify(&authority.trust(), now()).1;
    let first = verify(&text).unwrap();
    if let Some(second) = verify(&varied) {
        assert_ne!(first.hash(), second.hash());
        assert_eq!(first.once_key(), second.once_key());
    }
}

#[test]
fn requests_that_may_not_be_made() {
    let authority = Authority::new(1, "Reader CA 1");
    let officer = authority.officer(&Leaf::default());
    let random = SeededRandom::new(9);
    let refused = |spec: RequestSpec, what: &'static str| {
        let got = spec.sign(&officer.certificate, &officer.key, &random).map(|(text, _)| text);
        assert_eq!(got, Err(ExchangeError::Spec(what)));
    };
    refused(RequestSpec { exp: now().plus_secs(121), ..flight_spec() }, "lifetime");
    refused(RequestSpec { exp: now(), ..flight_spec() }, "lifetime");
    refused(RequestSpec { role: "health".into(), ..flight_spec() }, "the certificate is for another role");
    refused(RequestSpec { purpose: "Check in".into(), ..flight_spec() }, "role or purpose is no id");
    refused(RequestSpec { documents: vec![], ..flight_spec() }, "documents or fields");
    refused(RequestSpec { place: "a\u{200b}".into(), ..flight_spec() }, "place");
    refused(RequestSpec { legal_basis: "x".repeat(81), ..flight_spec() }, "legal basis");
    refused(RequestSpec { retention_hours: 100_000, ..flight_spec() }, "retention");
    let fat = authority.officer(&Leaf { lean: false, ..Leaf::default() });
    let got = flight_spec().sign(&fat.certificate, &fat.key, &random).map(|(text, _)| text);
    assert_eq!(got, Err(ExchangeError::Spec("the certificate is too large")));
    // Another key than the certificate's.
    let other = authority.officer(&Leaf::default());
    assert_eq!(flight_spec().sign(&officer.certificate, &other.key, &random).map(|(text, _)| text), Err(ExchangeError::Sign));
    // Behind a port: prepare, sign elsewhere, finish.
    let prepared = flight_spec().prepare(&officer.certificate, &random).unwrap();
    let signature = officer.key.sign(prepared.to_be_signed()).unwrap();
    let (text, _) = prepared.finish(signature).unwrap();
    assert!(UnverifiedRequest::decode_text(&text).unwrap().verify(&authority.trust(), now()).1.is_some());
}

#[test]
fn bad_input_half_qr_of_a_request_at_every_length() {
    let (_, text) = good();
    for cut in 2..text.len() {
        assert_eq!(UnverifiedRequest::decode_text(&text[..cut]).err(), Some(ExchangeError::Half), "{cut}");
    }
}

#[test]
fn bad_input_wrong_qr_where_a_request_is_wanted() {
    for (text, found) in [("CWA1:BB8", Scanned::Answer), ("CWP1:BB8", Scanned::OneWay), ("CWF1:BB8", Scanned::Frame)] {
        let wrong = ExchangeError::Wrong { wanted: Scanned::Request, found };
        assert_eq!(UnverifiedRequest::decode_text(text).err(), Some(wrong));
    }
    assert_eq!(UnverifiedRequest::decode_text("HC1:6BFOXN%TS3DH").err(), Some(ExchangeError::Foreign));
}

#[test]
fn hostile_texts_are_refused_quickly() {
    let deep = |n: usize| [vec![0x81; n], vec![0x01]].concat();
    let hostile = [
        text_of(&vec![0; 5_000_000]),
        text_of(&deep(15_000)),
        text_of(&[0x9a, 0xff, 0xff, 0xff, 0xff]),
        text_of(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        text_of(&[0xd2, 0x84, 0x5f, 0x40, 0xff, 0xa0, 0x40, 0x40]),
        format!("CWQ1:{}", "0".repeat(9000)),
        format!("CWQ1:{}", ":".repeat(999)),
    ];
    for text in hostile {
        let start = std::time::Instant::now();
        assert!(UnverifiedRequest::decode_text(&text).is_err());
        assert!(start.elapsed().as_millis() < 50, "{}", start.elapsed().as_millis());
    }
    // Every single changed byte of a good request is refused somewhere, and nothing panics.
    let (authority, text) = good();
    let cose = cose_of(&text);
    for n in 0..cose.len() {
        let mut altered = cose.clone();
        altered[n] ^= 0x41;
        if let Ok(request) = UnverifiedRequest::decode_text(&text_of(&altered)) {
            assert!(request.verify(&authority.trust(), now()).1.is_none(), "byte {n}");
        }
    }
    let _ = cbor::decode(&cose, Limits::STRICT).unwrap();
}
