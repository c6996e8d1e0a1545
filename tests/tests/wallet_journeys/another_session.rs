//! The relay's answer is genuine, and of another session: recorded once and given again at each endpoint. It must achieve nothing: no step is
//! believed that central did not take, nothing of another citizen is stored, no fact is passed that was not, and the journey completes on a next try.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use wallet_core::{Problem, Step, Wallet, WalletConfig, WalletError};
use wallet_documents::display::DisplayValue;
use wallet_platform::software::SystemClock;

use crate::mitm::{Mitm, Reply};
use crate::world::{COPIES, Channel, Device, PASSCODE, World, walk};
use wallet_tests::town::last_code;

/// An endpoint: method and path without its query.
fn endpoint(reply: &Reply) -> String {
    format!("{} {}", reply.method, reply.path.split('?').next().unwrap_or_default())
}

fn open(world: &World, mitm: &Mitm, device: &Device) -> Wallet {
    let config = WalletConfig { tls_root: mitm.root.der().to_vec(), ..world.wallet_config(&device.wallet_dir()) };
    Wallet::open(config, device.ports()).unwrap()
}

fn spool(world: &World) -> std::path::PathBuf {
    world.dir.path().join("spool")
}

/// One step of an activation.
fn step(world: &World, wallet: &Wallet, citizen: usize) -> Result<(), WalletError> {
    match wallet.activation()?.step {
        Step::NotStarted => wallet.begin_activation().map(drop),
        Step::Opened => wallet.read_card(Channel::holding(world.card(citizen)), world.can(citizen)).map(drop),
        Step::CardRead => wallet.submit_chip().map(drop),
        Step::Chip => wallet.request_code().map(drop),
        Step::CodeSent => wallet.submit_code(&last_code(&spool(world))).map(drop),
        Step::Code => wallet.submit_face(&world.selfie(citizen)).map(drop),
        Step::Face => wallet.complete_activation().map(drop),
        Step::Complete => Ok(()),
    }
}

/// The whole life of another wallet, recorded.
fn recorded(world: &World, mitm: &Mitm) -> (Device, Wallet) {
    let device = Device::new(world);
    let wallet = open(world, mitm, &device);
    wallet.create(PASSCODE).unwrap();
    walk(&wallet, &world.card(0), &world.can(0), &world.selfie(0), &spool(world));
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
    let wallet = open(&world, &mitm, &device);
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

    let mut told = BTreeSet::new();
    let mut tries = 0;
    while wallet.activation().unwrap().step != Step::Complete {
        tries += 1;
        assert!(tries < 40, "it does not come to its end: {:?}, {told:?}", wallet.activation());
        if let Err(error) = step(&world, &wallet, 1) {
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

#[test]
fn bad_input_a_new_token_that_is_refused_is_no_documents_fault() {
    let world = World::new(SystemClock);
    let mitm = Mitm::before(&world);
    let device = Device::new(&world);
    let wallet = open(&world, &mitm, &device);
    wallet.create(PASSCODE).unwrap();
    walk(&wallet, &world.card(0), &world.can(0), &world.selfie(0), &spool(&world));
    mitm.change(|reply| {
        if reply.path == "/token" {
            (reply.status, reply.body) = (StatusCode::BAD_REQUEST, br#"{"error":"invalid_grant"}"#.to_vec());
        }
    });
    let error = wallet.obtain_documents().unwrap_err();
    assert!(matches!(error, WalletError::Answer("token")) && error.problem() == Problem::Network, "{error:?}");
    // The account is what it was, and so are the documents that were asked for.
    assert_eq!(wallet.activation().unwrap().step, Step::Complete);
    let documents = wallet.documents().unwrap();
    assert!(documents.len() == 4 && documents.iter().all(|d| d.state.as_str() == "requested"), "{documents:?}");
    mitm.change(|_| ());
    let report = wallet.obtain_documents().unwrap();
    assert!(report.documents.len() == 4 && report.documents.iter().all(|d| d.problem.is_empty()), "{report:?}");
}
