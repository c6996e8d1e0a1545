//! What an answer must be: mine, once, in time, and what else a camera may bring.

use wallet_exchange::ExchangeError;

use super::world::{World, conclusion, failed};
use crate::VerifierError;

const LICENCE: &str = "driving-licence";

#[test]
fn an_honest_answer_waits_for_the_face_only() {
    let world = World::new("traffic-police");
    let result = world.honest(LICENCE);
    assert_eq!(conclusion(&result), "undetermined:portrait.match");
    assert_eq!(result.document(), LICENCE);
    assert_eq!(result.status_issued_at(), Some(world.start));
}

#[test]
fn an_answer_is_taken_once() {
    let world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &[]).unwrap();
    let text = world.answer(&asked);
    assert_eq!(conclusion(&world.check(&text)), "undetermined:portrait.match");
    let again = world.check(&text);
    assert_eq!(failed(&again), ["exchange.nonce"]);
    assert!(again.display().is_none());
}

#[test]
fn a_restart_closes_every_open_request() {
    let mut world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &[]).unwrap();
    let text = world.answer(&asked);
    world.restart();
    assert_eq!(failed(&world.check(&text)), ["exchange.nonce"]);
}

#[test]
fn a_replay_after_a_restart_is_refused() {
    let mut world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &[]).unwrap();
    let text = world.answer(&asked);
    assert_eq!(failed(&world.check(&text)), [""; 0]);
    world.restart();
    assert_eq!(failed(&world.check(&text)), ["exchange.nonce"]);
}

#[test]
fn a_consumed_request_is_refused_even_where_its_key_is_still_known() {
    let world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &[]).unwrap();
    let text = world.answer(&asked);
    // As after a crash between the verdict and its showing, in a second process on the same folder.
    assert!(world.verifier.write(|tx| crate::rows::consume(tx, &asked.hash, world.start)).unwrap());
    let result = world.check(&text);
    assert_eq!(failed(&result), ["exchange.nonce"]);
}

#[test]
fn bad_input_a_stale_answer_is_refused_and_says_so() {
    let world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &[]).unwrap();
    let text = world.answer(&asked);
    world.clock.advance_secs(181);
    let result = world.check(&text);
    assert_eq!(failed(&result), ["exchange.nonce"]);
    assert!(result.verdict().facts().first().unwrap().detail().starts_with("stale"));
    assert!(!world.check(&text).verdict().facts().first().unwrap().detail().starts_with("stale"));
}

#[test]
fn setting_the_clock_back_does_not_reopen_a_request() {
    let world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &[]).unwrap();
    let text = world.answer(&asked);
    world.clock.advance_secs(181);
    world.clock.set_wall(world.start.plus_secs(61));
    assert!(failed(&world.check(&text)).contains(&"exchange.nonce"));
}

#[test]
fn a_cancelled_request_takes_no_answer() {
    let world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &[]).unwrap();
    let text = world.answer(&asked);
    world.verifier.cancel(&asked);
    assert_eq!(failed(&world.check(&text)), ["exchange.nonce"]);
}

#[test]
fn an_answer_to_another_device_is_not_mine() {
    let (mine, other) = (World::new("traffic-police"), World::new("flight"));
    let asked = other.ask("citizen-identity", &[]).unwrap();
    let text = other.answer(&asked);
    mine.ask(LICENCE, &[]).unwrap();
    assert_eq!(failed(&mine.check(&text)), ["exchange.nonce"]);
}

#[test]
fn an_answer_finds_its_request_among_several() {
    let world = World::new("traffic-police");
    let first = world.ask(LICENCE, &[]).unwrap();
    let second = world.ask("citizen-identity", &[]).unwrap();
    assert_eq!(world.check(&world.answer(&first)).document(), LICENCE);
    assert_eq!(world.check(&world.answer(&second)).document(), "citizen-identity");
}

#[test]
fn bad_input_wrong_half_and_foreign_codes_cost_no_request() {
    let world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &[]).unwrap();
    let text = world.answer(&asked);
    let half: String = text.chars().take(text.len() / 2).collect();
    for (scanned, problem) in [
        ("https://example.com/", "scan.foreign"),
        (asked.text.as_str(), "scan.wrong"),
        ("001090000123||Nguyễn Văn An|15011990|Nam|12 Hàng Bạc|01072024", "scan.vneid-card"),
        ("CWF1:ABC", "scan.frame"),
    ] {
        match world.verifier.check(scanned) {
            Err(VerifierError::NotAnAnswer(error)) => assert_eq!(error.problem(), problem),
            other => panic!("{scanned}: {other:?}"),
        }
    }
    match world.verifier.check(&half) {
        Err(VerifierError::NotAnAnswer(ExchangeError::Half | ExchangeError::Damaged(_))) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(failed(&world.check(&text)), [""; 0]);
}

#[test]
fn an_answer_that_names_another_request_fails_as_that() {
    let world = World::new("traffic-police");
    let (first, second) = (world.ask(LICENCE, &[]).unwrap(), world.ask(LICENCE, &[]).unwrap());
    let token = wallet_credential::sd_cwt::SdCwt::decode(&world.issue(&world.copy(LICENCE))).unwrap();
    let request = world.read_request(&first);
    let mut claims = world.binding(&request);
    claims.request_hash = Some(world.read_request(&second).hash());
    let text = world.seal(&request, &token.select(&[]).unwrap(), &claims, &world.holder);
    assert_eq!(failed(&world.check(&text)), ["exchange.request"]);
}

#[test]
fn an_answer_with_another_nonce_or_audience_fails_as_that() {
    let world = World::new("traffic-police");
    let token = wallet_credential::sd_cwt::SdCwt::decode(&world.issue(&world.copy(LICENCE))).unwrap();
    for (fact, wrong_nonce) in [("exchange.nonce", true), ("exchange.audience", false)] {
        let request = world.read_request(&world.ask(LICENCE, &[]).unwrap());
        let mut claims = world.binding(&request);
        if wrong_nonce {
            claims.cnonce = Some(vec![0; 16]);
        } else {
            claims.aud = "x509_hash:somebody-else".to_owned();
        }
        let text = world.seal(&request, &token.select(&[]).unwrap(), &claims, &world.holder);
        assert_eq!(failed(&world.check(&text)), [fact]);
    }
}

#[test]
fn what_opens_but_is_no_token_answers_no_request() {
    let world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &[]).unwrap();
    let text = wallet_exchange::seal(&[0xf6], &world.read_request(&asked), &world.random).unwrap();
    let result = world.check(&text);
    assert_eq!(failed(&result), ["exchange.request"]);
    // It was an answer to that request, and the only one.
    assert_eq!(failed(&world.check(&world.answer(&asked))), ["exchange.nonce"]);
}

#[cfg(feature = "record")]
#[test]
fn the_recorder_hears_what_was_decrypted() {
    use std::sync::{Arc, Mutex};

    struct Ear(Mutex<Vec<Vec<u8>>>);
    impl crate::Recorder for Ear {
        fn decrypted_answer(&self, token: &[u8]) {
            self.0.lock().unwrap().push(token.to_vec());
        }
    }
    let mut world = World::new("traffic-police");
    let ear = Arc::new(Ear(Mutex::default()));
    world.verifier.recorder = Some(Arc::clone(&ear) as _);
    world.honest(LICENCE);
    let heard = ear.0.lock().unwrap();
    assert_eq!(heard.len(), 1);
    assert!(heard.iter().all(|token| token.windows(6).any(|w| w == "Nguyễn".as_bytes().get(..6).unwrap())));
}
