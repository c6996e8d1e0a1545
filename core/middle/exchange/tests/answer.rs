//! The encrypted answer: opens with the key of its own open request, once, within its window.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod common;

use common::{Authority, Leaf, documents, flight_spec, now};
use wallet_base::cbor::{self, Value};
use wallet_base::crypto::sha256;
use wallet_base::fact::FactName;
use wallet_base::random::{Random, SeededRandom};
use wallet_exchange::codec::{from_base45, is_alphanumeric, to_base45};
use wallet_exchange::qr::{CEILING, draw};
use wallet_exchange::{ExchangeError, OpenRequest, RequestSpec, Scanned, UnverifiedRequest, VerifiedRequest, seal};

fn pair(seed: u64, spec: &RequestSpec) -> (OpenRequest, VerifiedRequest) {
    let authority = Authority::new(1, "Reader CA 1");
    let officer = authority.officer(&Leaf::default());
    let (text, open) = spec.sign(&officer.certificate, &officer.key, &SeededRandom::new(seed)).unwrap();
    let verified = UnverifiedRequest::decode_text(&text).unwrap().verify(&authority.trust(), now()).1.unwrap();
    (open, verified)
}

/// Stands for a key binding token: one CBOR item of incompressible bytes.
fn kbt(length: usize, seed: u64) -> Vec<u8> {
    let mut noise = vec![0; length];
    SeededRandom::new(seed).fill(&mut noise);
    cbor::encode(&Value::tag(18, Value::Bytes(noise)))
}

#[test]
fn an_answer_opens_for_its_request_once() {
    let (mut open, request) = pair(1, &flight_spec());
    assert_eq!((open.hash(), open.nonce(), open.audience()), (request.hash(), request.nonce(), request.audience()));
    let text = seal(&kbt(800, 1), &request, &SeededRandom::new(2)).unwrap();
    assert!(text.bytes().all(is_alphanumeric) && text.starts_with("CWA1:"));
    assert_eq!(open.open(&text, now()).unwrap().as_slice(), kbt(800, 1));
    // A second showing, and any other answer, find the request closed.
    assert!(!open.is_open());
    assert_eq!(open.open(&text, now()).unwrap_err(), ExchangeError::Closed);
    let second = seal(&kbt(800, 2), &request, &SeededRandom::new(3)).unwrap();
    assert_eq!(open.open(&second, now()).unwrap_err(), ExchangeError::Closed);
    assert_eq!(ExchangeError::Closed.fact(), Some(FactName::ExchangeNonce));
}

#[test]
fn an_answer_to_another_request_opens_with_no_key() {
    let (_, earlier) = pair(1, &flight_spec());
    let (mut open, request) = pair(2, &flight_spec());
    let replayed = seal(&kbt(100, 1), &earlier, &SeededRandom::new(2)).unwrap();
    let error = open.open(&replayed, now()).unwrap_err();
    assert_eq!((error, error.fact()), (ExchangeError::NotForUs, Some(FactName::ExchangeNonce)));
    // The request stays open for its own answer.
    let text = seal(&kbt(100, 1), &request, &SeededRandom::new(2)).unwrap();
    assert!(open.open(&text, now()).is_ok());
}

#[test]
fn two_documents_take_two_different_answers() {
    let spec = RequestSpec {
        documents: documents(&[("citizen-identity", &["full_name"]), ("health-summary", &["blood_group"])]),
        ..flight_spec()
    };
    let (mut open, request) = pair(1, &spec);
    let first = seal(&kbt(100, 1), &request, &SeededRandom::new(2)).unwrap();
    let again = seal(&kbt(100, 1), &request, &SeededRandom::new(3)).unwrap();
    let second = seal(&kbt(100, 2), &request, &SeededRandom::new(4)).unwrap();
    assert!(open.open(&first, now()).is_ok());
    assert_eq!(open.open(&again, now()).unwrap_err(), ExchangeError::Closed, "the same content in another envelope");
    assert!(open.open(&second, now()).is_ok());
    assert!(!open.is_open());
}

#[test]
fn bad_input_stale_answer_says_so() {
    let (mut open, request) = pair(1, &flight_spec());
    let text = seal(&kbt(100, 1), &request, &SeededRandom::new(2)).unwrap();
    assert!(!open.is_stale(now().plus_secs(180)));
    assert_eq!(open.open(&text, now().plus_secs(181)).unwrap_err(), ExchangeError::Stale);
    assert!(!open.is_open());
    assert_eq!(ExchangeError::Stale.problem(), "scan.stale");
}

#[test]
fn bad_input_wrong_and_foreign_qr_leave_the_request_open() {
    let (mut open, request) = pair(1, &flight_spec());
    let wanted = Scanned::Answer;
    for (text, found) in [("CWQ1:BB8", Scanned::Request), ("CWF1:BB8", Scanned::Frame), ("CWP1:BB8", Scanned::OneWay)] {
        assert_eq!(open.open(text, now()).unwrap_err(), ExchangeError::Wrong { wanted, found });
    }
    assert_eq!(open.open("https://example.com", now()).unwrap_err(), ExchangeError::Foreign);
    assert!(open.open(&seal(&kbt(100, 1), &request, &SeededRandom::new(2)).unwrap(), now()).is_ok());
}

#[test]
fn bad_input_half_qr_of_an_answer_at_every_length() {
    let (mut open, request) = pair(1, &flight_spec());
    let text = seal(&kbt(300, 1), &request, &SeededRandom::new(2)).unwrap();
    for cut in 2..text.len() {
        assert_eq!(open.open(&text[..cut], now()).unwrap_err(), ExchangeError::Half, "{cut}");
    }
    assert!(open.is_open());
}

#[test]
fn bad_input_any_bit_of_an_answer_changed() {
    let (mut open, request) = pair(1, &flight_spec());
    let text = seal(&kbt(60, 1), &request, &SeededRandom::new(2)).unwrap();
    let bytes = from_base45(&text[5..]).unwrap();
    // Every bit of the message, the sign of the ephemeral key among them.
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let text = format!("CWA1:{}", to_base45(&altered));
        assert!(open.open(&text, now()).is_err(), "bit {} of byte {}", bit % 8, bit / 8);
    }
    // Every bit of the text.
    for bit in 0..text.len() * 8 {
        let mut altered = text.clone().into_bytes();
        altered[bit / 8] ^= 1 << (bit % 8);
        let altered = String::from_utf8_lossy(&altered);
        assert!(open.open(&altered, now()).is_err(), "bit {} of character {}", bit % 8, bit / 8);
    }
    let followed = format!("CWA1:{}", to_base45(&[bytes.as_slice(), b"\0"].concat()));
    assert!(matches!(open.open(&followed, now()), Err(ExchangeError::Damaged(_))));
    // None of them counted as an answer.
    assert!(open.open(&text, now()).is_ok());
}

#[test]
fn a_bomb_inside_is_stopped_and_spends_the_answer() {
    let (mut open, request) = pair(1, &flight_spec());
    let bomb = seal(&vec![0; 400_000], &request, &SeededRandom::new(2)).unwrap();
    assert_eq!(open.open(&bomb, now()).unwrap_err(), ExchangeError::Damaged("the content is larger than allowed"));
    let (mut open, request) = pair(1, &flight_spec());
    let no_item = seal(&[0x82, 0x01], &request, &SeededRandom::new(2)).unwrap();
    assert_eq!(open.open(&no_item, now()).unwrap_err(), ExchangeError::Half);
    let deep = [vec![0x81; 10_000], vec![0x00]].concat();
    let (mut open, request) = pair(1, &flight_spec());
    // One item, if a deep one: the credential's parser has a depth of its own.
    assert!(open.open(&seal(&deep, &request, &SeededRandom::new(2)).unwrap(), now()).is_ok());
}

#[test]
fn the_ceiling_of_one_symbol() {
    let (_, request) = pair(1, &flight_spec());
    let random = SeededRandom::new(2);
    let fits = (1000..1300).filter(|length| seal(&kbt(*length, 1), &request, &random).is_ok()).max().unwrap();
    let text = seal(&kbt(fits, 1), &request, &random).unwrap();
    println!("a token of {} bytes is {} characters", kbt(fits, 1).len(), text.len());
    assert!(text.len() <= CEILING && fits >= 1100);
    draw(&text).unwrap();
    assert_eq!(seal(&kbt(fits + 1, 1), &request, &random).unwrap_err(), ExchangeError::TooLarge);
    assert_eq!(ExchangeError::TooLarge.problem(), "scan.too-large");
}

#[test]
fn debug_shows_no_secret() {
    let (open, request) = pair(1, &flight_spec());
    let shown = format!("{open:?} {request:?}");
    assert!(!shown.contains(&hex::encode(&sha256(&open.hash())[..4])));
    assert!(shown.contains("flight") && !shown.contains("Ephemeral"));
}
