//! The standard's own examples on the chip's side. They need the directory in `WALLET_VECTORS`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use wallet_base::random::{OsRandom, Random};
use wallet_base::time::Timestamp;
use wallet_card_sim::sm::{ChipSession, Refusal};
use wallet_card_sim::{Behaviour, Card, CardHolder, CardProfile, TestCardAuthority};
use wallet_chip::apdu::{Command, Response};
use wallet_chip::files::FileId;
use wallet_chip::sm::{Counter, Keys};
use wallet_chip::symmetric::AesKey;
use wallet_chip::{lds, vietnam};

fn examples() -> Value {
    let root = std::env::var("WALLET_VECTORS").expect("WALLET_VECTORS names the directory of the vectors");
    serde_json::from_str(&std::fs::read_to_string(format!("{root}/icao-9303/worked-examples.json")).unwrap()).unwrap()
}

fn hex_of(value: &Value, key: &str) -> Vec<u8> {
    hex::decode(value[key].as_str().unwrap()).unwrap()
}

struct Script(Mutex<VecDeque<Vec<u8>>>);

impl Random for Script {
    fn fill(&self, out: &mut [u8]) {
        out.copy_from_slice(&self.0.lock().unwrap().pop_front().unwrap());
    }
}

fn sample() -> CardProfile {
    let at = Timestamp::parse_rfc3339("2026-11-21T00:00:00Z").unwrap();
    let authority = TestCardAuthority::new(&OsRandom, at).unwrap();
    authority.issue_card(&CardHolder::sample().unwrap(), &OsRandom, at).unwrap()
}

#[test]
fn vector_g1_chip_answers_every_command_byte_for_byte() {
    let examples = examples();
    let g1 = &examples["appendix_g1_pace_ecdh_gm"];
    let mut profile = sample();
    profile.mrz_information = g1["mrz_information"].as_str().unwrap().to_owned();
    profile.files.insert(FileId::CardAccess, hex_of(g1, "ef_card_access"));
    let random = Script(Mutex::new(["s", "chip_mapping_private_key", "chip_ephemeral_private_key"].map(|key| hex_of(g1, key)).into()));
    let mut card = Card::with(profile, Behaviour::default(), Arc::new(random));
    for exchange in g1["exchanges"].as_array().unwrap() {
        let response = card.transmit(&hex_of(exchange, "command"));
        assert_eq!(hex::encode(response), exchange["response"].as_str().unwrap(), "{}", exchange["step"]);
    }
    // The session has the example's keys: a command protected with them is taken and answered under them.
    let keys = || Keys::new(AesKey::new(&hex_of(g1, "ks_enc")).unwrap(), AesKey::new(&hex_of(g1, "ks_mac")).unwrap());
    let mut terminal = wallet_chip::sm::SecureMessaging::over(keys());
    let select = terminal.protect(&Command::new(0, 0xA4, 4, 0x0C).with_data(wallet_chip::files::AID)).unwrap();
    let response = terminal.open(&Response::decode(&card.transmit(&select.encode())).unwrap()).unwrap();
    assert_eq!(response.status, 0x9000);
}

#[test]
fn vector_g1_chip_takes_the_parameter_and_refuses_a_wrong_token() {
    let examples = examples();
    let g1 = &examples["appendix_g1_pace_ecdh_gm"];
    let mut profile = sample();
    profile.mrz_information = g1["mrz_information"].as_str().unwrap().to_owned();
    let random = Script(Mutex::new(["s", "chip_mapping_private_key", "chip_ephemeral_private_key"].map(|key| hex_of(g1, key)).into()));
    let mut card = Card::with(profile, Behaviour { wants_parameter: true, ..Behaviour::default() }, Arc::new(random));
    assert_eq!(card.transmit(&hex_of(&g1["exchanges"][0], "command")), [0x6A, 0x88]);
    assert_eq!(card.transmit(&hex_of(g1, "mse_set_at_with_parameter_id")), [0x90, 0x00]);
    for step in 1..4 {
        card.transmit(&hex_of(&g1["exchanges"][step], "command"));
    }
    let mut last = hex_of(&g1["exchanges"][4], "command");
    *last.iter_mut().rev().nth(1).unwrap() ^= 1;
    assert_eq!(card.transmit(&last), [0x63, 0x00]);
    assert_eq!(card.wrong_passwords(), 1);
    assert_eq!(card.transmit(&hex_of(&g1["exchanges"][4], "command")), [0x69, 0x85], "no second token in one run");
}

#[test]
fn vector_aes_secure_messaging_chip_side() {
    let examples = examples();
    let sm = &examples["aes256_secure_messaging"];
    let counter = u128::from_be_bytes(hex_of(sm, "ssc_before").try_into().unwrap());
    let keys =
        |counter| Keys::at(AesKey::new(&hex_of(sm, "ks_enc")).unwrap(), AesKey::new(&hex_of(sm, "ks_mac")).unwrap(), Counter::at(counter));
    let mut session = ChipSession::over(keys(counter));
    let file = hex_of(sm, "ef_com");
    let plain = [
        (Command::new(0, 0xA4, 2, 0x0C).with_data([0x01, 0x1E]), Response::ok([])),
        (Command::new(0, 0xB0, 0, 0).with_le(4), Response::ok(&file[..4])),
        (Command::new(0, 0xB0, 0, 4).with_le(0x16), Response::ok(&file[4..])),
    ];
    for ((command, response), exchange) in plain.iter().zip(sm["exchanges"].as_array().unwrap()) {
        let outer = Command::decode(&hex_of(exchange, "command")).unwrap();
        assert_eq!(session.open(&outer).unwrap(), *command);
        assert_eq!(hex::encode(session.protect(command.ins, response).encode()), exchange["response"].as_str().unwrap());
    }
    // Each changed byte of the protected command is refused.
    let good = hex_of(&sm["exchanges"][1], "command");
    for at in [1, 2, 3, 5, 6, 7, 8, 9, 10, 17] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        if let Ok(outer) = Command::decode(&bad) {
            assert!(ChipSession::over(keys(counter + 2)).open(&outer).is_err(), "byte {at}");
        }
    }
    let bare = Command::new(0x0C, 0xB0, 0, 0).with_data([0x97, 0x01, 0x04]).with_le(256);
    assert_eq!(ChipSession::over(keys(counter + 2)).open(&bare), Err(Refusal::Missing));
}

#[test]
fn vector_vn_synthetic_card_is_the_sample_holder() {
    let examples = examples();
    let card = &examples["vn_synthetic_card"];
    let profile = sample();
    assert_eq!(
        (profile.can.as_str(), profile.mrz_information.as_str()),
        (card["can"].as_str().unwrap(), card["mrz_information"].as_str().unwrap())
    );
    let mrz = lds::parse_dg1(&profile.files[&FileId::Dg1]).unwrap();
    let lines: Vec<&str> = card["mrz_td1"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    // The vector's third line lacks one filler (29 characters); a card cannot.
    assert_eq!(mrz.lines().iter().map(String::as_str).collect::<Vec<_>>(), [lines[0], lines[1], &format!("{}<", lines[2])]);
    assert_eq!(profile.files[&FileId::CardAccess], hex_of(&examples["vn_cccd_ef_card_access"], "ef_card_access"));
    let qr = vietnam::CardQr::parse(&CardHolder::sample().unwrap().card_qr()).unwrap();
    assert_eq!(qr.number.as_str(), card["personal_number"].as_str().unwrap());
}
