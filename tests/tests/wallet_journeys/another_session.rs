//! The relay's answer is genuine, and of another session: recorded once and given again at each endpoint. It must achieve nothing: no step is
//! believed that central did not take, nothing of another citizen is stored, no fact is passed that was not, and the journey completes on a next try.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use wallet_core::{Problem, Step, Wallet, WalletError};
use wallet_documents::display::DisplayValue;
use wallet_platform::ports::KeyStore;
use wallet_platform::software::SystemClock;

use crate::mitm::{Mitm, Reply};
use crate::world::{COPIES, Device, PASSCODE, World, activate, step};

/// An endpoint: method and path without its query.
fn endpoint(reply: &Reply) -> String {
    format!("{} {}", reply.method, reply.path.split('?').next().unwrap_or_default())
}

/// The whole life of another wallet, recorded.
fn recorded(world: &World, mitm: &Mitm) -> (Device, Wallet) {
    let device = Device::new(world);
    let wallet = mitm.wallet(world, &device);
    wallet.create(PASSCODE).unwrap();
    activate(world, &wallet, 0);
    wallet.obtain_documents().unwrap();
    world.admin().suspend(&world.citizen(0).personal_number, "driving-licence").unwrap();
    wallet.sync().unwrap();
    (device, wallet)
}

#[test]
fn bad_input_the_relays_answer_of_another_session() {
    let world = World::new(SystemClock);
    let mitm = Mitm::before(&world);
    let (_other, stranger) = recorded(&world, &mitm);
    let theirs = mitm.kept();
    let strangers_view = format!("{:?}", stranger.documents().unwrap());

    // At each endpoint the first answer to this wallet is one that the other wallet got.
    let device = Device::new(&world);
    let wallet = mitm.wallet(&world, &device);
    wallet.create(PASSCODE).unwrap();
    let given: Arc<Mutex<Vec<String>>> = Arc::default();
    let to_give = given.clone();
    let public = ["/.well-known/", "/trust/", "/status/"];
    mitm.change(move |reply| {
        let name = endpoint(reply);
        let mut given = to_give.lock().unwrap();
        // What is public is the same for everybody.
        if given.contains(&name) || public.iter().any(|part| reply.path.starts_with(part)) {
            return;
        }
        if let Some(old) = theirs.iter().rev().find(|old| endpoint(old) == name && old.status.is_success()) {
            given.push(name);
            (reply.status, reply.headers, reply.body) = (old.status, old.headers.clone(), old.body.clone());
        }
    });

    let hands = world.hands(1);
    let mut told = BTreeSet::new();
    let mut tries = 0;
    while wallet.activation().unwrap().step != Step::Complete {
        tries += 1;
        assert!(tries < 40, "it does not come to its end: {:?}, {told:?}", wallet.activation());
        if let Err(error) = step(&wallet, &hands) {
            told.insert(error.to_string());
        }
    }
    assert_eq!(wallet.activation().unwrap().verdict.conclusion().to_string(), "verified");
    for _ in 0..20 {
        match wallet.obtain_documents() {
            Err(error) => drop(told.insert(error.to_string())),
            Ok(report) => {
                told.extend(report.documents.iter().filter(|d| !d.problem.is_empty()).map(|d| format!("{}: {}", d.id, d.problem)));
                if report.documents.iter().all(|document| document.problem.is_empty()) {
                    break;
                }
            }
        }
    }
    for _ in 0..5 {
        match wallet.sync() {
            Err(error) => drop(told.insert(error.to_string())),
            Ok(_) => break,
        }
    }
    let given = given.lock().unwrap().clone();
    println!("given at {} endpoints: {given:?}", given.len());
    println!("told: {told:?}");
    assert!(given.len() >= 11, "{given:?}");

    // This wallet is this citizen's, whole, and knows nothing of the other's suspension.
    let documents = wallet.documents().unwrap();
    assert!(documents.len() == 4 && documents.iter().all(|document| document.copies_left == COPIES), "{documents:?}");
    assert!(documents.iter().all(|document| document.state.as_str() == "issued"), "{documents:?}");
    assert!(wallet.notices().unwrap().iter().all(|change| change.kind == "issued"), "{:?}", wallet.notices());
    let display = wallet.document("citizen-identity").unwrap().display.unwrap();
    let text = |value: &DisplayValue| if let DisplayValue::Text(text) = value { text.clone() } else { String::new() };
    let names: String = display.groups.iter().flat_map(|group| &group.items).map(|item| text(&item.value)).collect();
    assert!(names.contains(&world.citizen(1).full_name) && !names.contains(&world.citizen(0).full_name));
    // And the other one lost nothing.
    assert_eq!(format!("{:?}", stranger.documents().unwrap()), strangers_view);
    stranger.sync().unwrap();
    mitm.leave(&world);
    let officer = world.officer("flight");
    for wallet in [&wallet, &stranger] {
        let pending = wallet.open_request(&officer.ask("citizen-identity", &[])).unwrap();
        let (document, fields) = pending.default_selection().unwrap();
        let answer = pending.answer(&document, &fields).unwrap();
        assert!(officer.verifier.check(&answer.text).unwrap().verdict().failed().is_empty());
    }
}

#[test]
fn bad_input_an_old_change_feed_given_again_changes_nothing() {
    let world = World::new(SystemClock);
    let mitm = Mitm::before(&world);
    let (_device, wallet) = recorded(&world, &mitm);
    let feeds: Vec<Reply> =
        mitm.kept().into_iter().filter(|reply| reply.path.starts_with("/sync/changes") && reply.status.is_success()).collect();
    let state = |wallet: &Wallet| wallet.documents().unwrap().iter().find(|d| d.id == "driving-licence").unwrap().state.as_str().to_owned();
    assert_eq!(state(&wallet), "suspended");
    // What was told when the licence was still good, at any cursor; and what was told when it was suspended, after it is good again.
    let before = (wallet.notices().unwrap(), state(&wallet));
    for old in feeds {
        mitm.change(move |reply| {
            if reply.path.starts_with("/sync/changes") {
                (reply.status, reply.body) = (old.status, old.body.clone());
            }
        });
        // Refused as malformed for this cursor, or taken for what it is: nothing new.
        let _ = wallet.sync();
        assert_eq!((wallet.notices().unwrap(), state(&wallet)), before);
    }
    mitm.change(|_| ());
    world.admin().reinstate(&world.citizen(0).personal_number, "driving-licence").unwrap();
    wallet.sync().unwrap();
    assert_eq!(state(&wallet), "issued");
}

/// Central gives no token any more.
fn refuse_tokens(reply: &mut Reply) {
    if reply.path == "/token" {
        (reply.status, reply.body) = (StatusCode::BAD_REQUEST, br#"{"error":"invalid_grant"}"#.to_vec());
    }
}

/// A wallet whose account is activated and whose four documents are yet to come.
fn activated(world: &World, mitm: &Mitm) -> (Device, Wallet) {
    let device = Device::new(world);
    let wallet = mitm.wallet(world, &device);
    wallet.create(PASSCODE).unwrap();
    activate(world, &wallet, 0);
    (device, wallet)
}

/// It is the token, which a next try may have; the account is what it was.
fn no_token(error: &WalletError, wallet: &Wallet) {
    assert!(matches!(error, WalletError::NoToken(_)) && error.problem() == Problem::Network, "{error:?}");
    assert_eq!(wallet.activation().unwrap().step, Step::Complete);
}

fn states(wallet: &Wallet) -> Vec<String> {
    wallet.documents().unwrap().iter().map(|document| document.state.as_str().to_owned()).collect()
}

#[test]
fn bad_input_a_new_token_that_is_refused_is_no_documents_fault() {
    let world = World::new(SystemClock);
    let mitm = Mitm::before(&world);
    let (_device, wallet) = activated(&world, &mitm);
    mitm.change(refuse_tokens);
    no_token(&wallet.obtain_documents().unwrap_err(), &wallet);
    assert_eq!(states(&wallet), ["requested"; 4]);
    mitm.change(|_| ());
    let report = wallet.obtain_documents().unwrap();
    assert!(report.documents.len() == 4 && report.documents.iter().all(|d| d.problem.is_empty()), "{report:?}");
}

#[test]
fn bad_input_a_token_that_is_ended_between_documents_is_no_documents_fault() {
    let world = World::new(SystemClock);
    let mitm = Mitm::before(&world);
    let (_device, wallet) = activated(&world, &mitm);
    let mut credentials = 0;
    mitm.change(move |reply| {
        let ended = credentials >= 2;
        credentials += usize::from(reply.path == "/credential");
        if ended && (reply.path.starts_with("/wallet-provider/") || reply.path == "/credential") {
            (reply.status, reply.body) = (StatusCode::UNAUTHORIZED, br#"{"error":"invalid_token"}"#.to_vec());
        }
        if ended {
            refuse_tokens(reply);
        }
    });
    no_token(&wallet.obtain_documents().unwrap_err(), &wallet);
    // The document that had come is kept; the others wait for the next try.
    let mut now = states(&wallet);
    now.sort();
    assert_eq!(now, ["issued", "requested", "requested", "requested"]);
    mitm.change(|_| ());
    let report = wallet.obtain_documents().unwrap();
    assert!(report.documents.len() == 3 && report.documents.iter().all(|d| d.problem.is_empty()), "{report:?}");
    assert_eq!(states(&wallet), ["issued"; 4]);
}

#[test]
fn bad_input_a_service_whose_clock_is_wrong_is_no_documents_fault() {
    let world = World::new(SystemClock);
    let mitm = Mitm::before(&world);
    let (_device, wallet) = activated(&world, &mitm);
    mitm.change(|reply| {
        if reply.path == "/wallet-provider/challenge" {
            (reply.status, reply.body) = (StatusCode::SERVICE_UNAVAILABLE, br#"{"error":"clock_behind"}"#.to_vec());
        }
    });
    let error = wallet.obtain_documents().unwrap_err();
    assert_eq!(error.problem(), Problem::Invalid { reason: "service-clock".to_owned() }, "{error:?}");
    assert_eq!(states(&wallet), ["requested"; 4]);
}

#[test]
fn bad_input_a_refill_that_is_refused_leaves_no_keys_of_what_was_revoked() {
    let world = World::new(SystemClock);
    let officer = world.officer("traffic-police");
    let mitm = Mitm::before(&world);
    let (device, wallet) = activated(&world, &mitm);
    wallet.obtain_documents().unwrap();
    // One document is to be refilled, another is revoked.
    while wallet.documents().unwrap().iter().find(|d| d.id == "driving-licence").unwrap().copies_left > COPIES / 2 {
        let pending = wallet.open_request(&officer.ask("driving-licence", &[])).unwrap();
        let (document, fields) = pending.default_selection().unwrap();
        pending.answer(&document, &fields).unwrap();
    }
    world.admin().revoke(&world.citizen(0).personal_number, "health-insurance-card").unwrap();
    let before = device.keys.list().unwrap().len();
    mitm.change(|reply| {
        if reply.path == "/wallet-provider/challenge" {
            (reply.status, reply.body) = (StatusCode::INTERNAL_SERVER_ERROR, Vec::new());
        }
    });
    assert_eq!(wallet.sync().unwrap_err().problem(), Problem::Network);
    assert_eq!(before - device.keys.list().unwrap().len(), usize::try_from(COPIES).unwrap());
}
