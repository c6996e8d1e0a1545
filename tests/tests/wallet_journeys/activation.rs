//! From card to account.

use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use wallet_base::fact::{By, FactName};
use wallet_base::random::OsRandom;
use wallet_base::time::Timestamp;
use wallet_card_sim::{Card, CardProfile, Field, forge};
use wallet_chip::files::FileId;
use wallet_core::{CardPassword, Problem, Step, StoreState, WalletError};
use wallet_platform::ports::KeyStore;
use wallet_platform::software::{ManualClock, SystemClock};

use crate::mitm::Mitm;
use crate::world::{COPIES, Channel, Device, PASSCODE, World, activate, walk};

pub fn noon() -> ManualClock {
    ManualClock::new(Timestamp::parse_rfc3339("2026-11-21T05:00:00Z").unwrap())
}

#[test]
fn a_card_becomes_an_account() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.open(&world);
    assert_eq!(wallet.state(), StoreState::New);
    assert!(matches!(wallet.begin_activation(), Err(WalletError::NotCreated)));
    wallet.create(PASSCODE).unwrap();
    assert_eq!(wallet.begin_activation().unwrap().step, Step::Opened);
    let report = wallet.read_card(Channel::holding(world.card(0)), world.can(0)).unwrap();
    assert!(report.verdict.facts().iter().all(|fact| fact.by() == By::Wallet));
    let display = report.display.unwrap();
    assert_eq!((display.full_name.as_str(), display.personal_number.as_str()), ("Nguyễn Văn An", "001090000123"));
    assert!(!display.portrait.is_empty() && display.portrait_type == "image/png");
    activate(&world, &wallet, 0);
    let view = wallet.activation().unwrap();
    assert_eq!((view.step, view.verdict.conclusion().to_string().as_str()), (Step::Complete, "verified"));
    for name in [FactName::ChipGenuine, FactName::AccountFactors, FactName::PortraitMatch] {
        assert!(view.verdict.facts().iter().any(|fact| fact.name() == name && fact.by() == By::Central), "{name}");
    }
    // Repeating any step changes nothing.
    assert_eq!(wallet.begin_activation().unwrap().step, Step::Complete);
    assert_eq!(wallet.complete_activation().unwrap().step, Step::Complete);
    assert!(matches!(wallet.read_card(Channel::holding(world.card(0)), world.can(0)), Err(WalletError::WrongStep)));
}

#[test]
fn the_mrz_opens_the_card_too() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.open(&world);
    wallet.create(PASSCODE).unwrap();
    wallet.begin_activation().unwrap();
    let citizen = world.citizen(0);
    let day = |text: &str| wallet_base::time::Date::parse_iso(text).unwrap();
    let mrz =
        CardPassword::Mrz { document_number: citizen.card.document_number, birth: day(&citizen.birth), expiry: day(&citizen.card.expires) };
    let report = wallet.read_card(Channel::holding(world.card(0)), mrz).unwrap();
    assert_eq!(report.verdict.conclusion().to_string(), "verified");
}

#[test]
fn bad_input_wrong_can_is_told_and_never_retried() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.open(&world);
    wallet.create(PASSCODE).unwrap();
    wallet.begin_activation().unwrap();
    let right = Channel::holding(world.card(0));
    let wrong = Channel::holding(world.card(0));
    let error = wallet.read_card(wrong.clone(), CardPassword::Can("999999".to_owned())).unwrap_err();
    assert_eq!(error.problem(), Problem::WrongCardKey);
    assert_eq!(wrong.returns.load(Ordering::SeqCst), 0);
    assert!(wrong.commands.load(Ordering::SeqCst) < 12, "one try of PACE, not two");
    assert!(matches!(wallet.read_card(wrong, CardPassword::Can("12345".to_owned())), Err(WalletError::WrongCardKey)));
    assert_eq!(wallet.activation().unwrap().step, Step::Opened);
    // The right number opens it, in the same session.
    wallet.read_card(right, world.can(0)).unwrap();
    assert_eq!(wallet.activation().unwrap().step, Step::CardRead);
}

#[test]
fn bad_input_card_lost_mid_read_resumes_where_it_stopped() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.open(&world);
    wallet.create(PASSCODE).unwrap();
    wallet.begin_activation().unwrap();
    let whole = Channel::holding(world.card(0));
    // Four losses; each costs a new PACE and the SOD, never the files that were read.
    let channel = Channel::over(Field::leaving_after(Card::new(world.card(0)), [10, 20, 15, 3]));
    let report = wallet.read_card(channel.clone(), world.can(0)).unwrap();
    assert_eq!(report.verdict.conclusion().to_string(), "verified");
    assert_eq!(channel.returns.load(Ordering::SeqCst), 4);
    let resumed = channel.commands.load(Ordering::SeqCst);
    // The same card without losses, in the same session's next reading.
    wallet.read_card(whole.clone(), world.can(0)).unwrap();
    let straight = whole.commands.load(Ordering::SeqCst);
    assert!(resumed < straight * 2, "{resumed} commands instead of {straight}");
}

#[test]
fn a_card_that_never_comes_back_is_waited_for_in_the_next_call() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.open(&world);
    wallet.create(PASSCODE).unwrap();
    wallet.begin_activation().unwrap();
    let profile = world.card(0);
    let gone = Channel::over(Field::leaving_after(Card::new(profile.clone()), [25]));
    gone.comes_back.store(false, Ordering::SeqCst);
    let error = wallet.read_card(gone.clone(), world.can(0)).unwrap_err();
    assert_eq!(error.problem(), Problem::CardMoved);
    let again = Channel::holding(profile);
    let report = wallet.read_card(again.clone(), world.can(0)).unwrap();
    assert_eq!(report.verdict.conclusion().to_string(), "verified");
    let whole = Channel::holding(world.card(0));
    wallet.read_card(whole.clone(), world.can(0)).unwrap();
    assert!(again.commands.load(Ordering::SeqCst) < whole.commands.load(Ordering::SeqCst), "it went on where it stopped");
}

#[test]
fn bad_input_another_card_after_a_loss_is_refused() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.open(&world);
    wallet.create(PASSCODE).unwrap();
    wallet.begin_activation().unwrap();
    let channel = Channel::over(Field::leaving_after(Card::new(world.card(0)), [25]));
    // The same person's number opens it, but it is another chip.
    *channel.other.lock().unwrap() = Some(Card::new(world.card(0)));
    let error = wallet.read_card(channel, world.can(0)).unwrap_err();
    assert_eq!(error.problem(), Problem::DifferentCard);
    assert_eq!(wallet.activation().unwrap().step, Step::Opened);
}

/// A forged card is refused by the wallet itself: nothing is kept, nothing can be sent.
fn forged(make: impl FnOnce(&World) -> CardProfile) -> Vec<FactName> {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.open(&world);
    wallet.create(PASSCODE).unwrap();
    wallet.begin_activation().unwrap();
    let before = world.relay.passed.load(Ordering::SeqCst);
    let report = wallet.read_card(Channel::holding(make(&world)), world.can(0)).unwrap();
    assert!(report.display.is_none());
    assert_eq!(wallet.activation().unwrap().step, Step::Opened);
    assert!(matches!(wallet.submit_chip(), Err(WalletError::WrongStep)));
    assert_eq!(world.relay.passed.load(Ordering::SeqCst), before, "not a byte went to central");
    report.verdict.failed()
}

#[test]
fn bad_input_forged_cards_are_refused_before_anything_is_sent() {
    assert_eq!(forged(|w| forge::altered_group(&w.card(0), FileId::Dg1).unwrap()), [FactName::ChipHashes]);
    assert_eq!(forged(|w| forge::foreign_signer(&w.card(0), &OsRandom, w.clock.wall()).unwrap()), [FactName::ChipChain]);
    assert_eq!(forged(|w| forge::cloned(&w.card(0), &OsRandom)), [FactName::ChipGenuine]);
}

#[test]
fn bad_input_a_card_the_registry_replaced_is_refused_by_central_and_told() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.open(&world);
    wallet.create(PASSCODE).unwrap();
    wallet.begin_activation().unwrap();
    assert_eq!(
        wallet.read_card(Channel::holding(world.card(6)), world.can(6)).unwrap().verdict.conclusion().to_string(),
        "verified",
        "the chip itself is genuine"
    );
    let view = wallet.submit_chip().unwrap();
    assert_eq!(view.verdict.conclusion().to_string(), "rejected:account.factors");
    assert_eq!(view.step, Step::Opened);
    assert!(matches!(wallet.request_code(), Err(WalletError::WrongStep)));
}

#[test]
fn wrong_codes_cost_tries_and_end_the_session() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.open(&world);
    wallet.create(PASSCODE).unwrap();
    wallet.begin_activation().unwrap();
    wallet.read_card(Channel::holding(world.card(0)), world.can(0)).unwrap();
    wallet.submit_chip().unwrap();
    assert_eq!(wallet.request_code().unwrap().tries_left, Some(5));
    let wrong = if world.last_code() == "000000" { "000001" } else { "000000" };
    assert!(matches!(wallet.submit_code("12a"), Err(WalletError::Parameter(_))));
    for left in (1..5).rev() {
        let view = wallet.submit_code(wrong).unwrap();
        assert_eq!((view.step, view.tries_left), (Step::CodeSent, Some(left)));
        assert_eq!(view.verdict.conclusion().to_string(), "rejected:account.factors");
    }
    assert_eq!(wallet.submit_code(wrong).unwrap().step, Step::NotStarted);
    assert!(matches!(wallet.submit_code(&world.last_code()), Err(WalletError::WrongStep)));
    // From the beginning it works.
    activate(&world, &wallet, 0);
}

#[test]
fn bad_input_another_persons_face_is_refused() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.open(&world);
    wallet.create(PASSCODE).unwrap();
    wallet.begin_activation().unwrap();
    wallet.read_card(Channel::holding(world.card(0)), world.can(0)).unwrap();
    wallet.submit_chip().unwrap();
    wallet.request_code().unwrap();
    wallet.submit_code(&world.last_code()).unwrap();
    let view = wallet.submit_face(&world.selfie(1)).unwrap();
    assert_eq!((view.step, view.verdict.conclusion().to_string().as_str()), (Step::Code, "rejected:portrait.match"));
    // What cannot be compared is no match either.
    let view = wallet.submit_face(b"no picture").unwrap();
    assert_eq!((view.step, view.verdict.conclusion().to_string().as_str()), (Step::Code, "undetermined:portrait.match"));
    assert!(matches!(wallet.complete_activation(), Err(WalletError::WrongStep)));
    assert_eq!(wallet.submit_face(&world.selfie(0)).unwrap().step, Step::Face);
}

#[test]
fn a_late_reading_begins_anew() {
    let clock = noon();
    let world = World::new(clock.clone());
    let device = Device::new(&world);
    let wallet = device.open(&world);
    wallet.create(PASSCODE).unwrap();
    wallet.begin_activation().unwrap();
    clock.advance_secs(301);
    let error = wallet.read_card(Channel::holding(world.card(0)), world.can(0)).unwrap_err();
    assert_eq!(error.problem(), Problem::Expired);
    activate(&world, &wallet, 0);
}

#[test]
fn the_second_device_ends_the_first() {
    let world = World::new(noon());
    let (first, second) = (Device::new(&world), Device::new(&world));
    let old = first.furnished(&world, 0);
    let new = second.furnished(&world, 0);
    let report = old.sync().unwrap();
    assert!(report.account_ended);
    let told = wallet_core::display::sync(&report);
    assert!(told.keys().any(|key| key == "problem.account-ended"), "{told:?}");
    assert_eq!(old.activation().unwrap().step, Step::NotStarted);
    assert!(matches!(old.obtain_documents(), Err(WalletError::AccountEnded)));
    assert!(old.documents().unwrap().iter().all(|d| d.copies_left == 0 && d.state.as_str() == "ended"));
    // The new one reads the same citizen's feed and is not ended by it.
    new.sync().unwrap();
    assert!(new.documents().unwrap().iter().all(|d| d.copies_left == 3 && d.state.as_str() == "issued"), "{:?}", new.documents());
    assert_eq!(old.sync().unwrap().changes, []);
    // The old device may be activated again.
    activate(&world, &old, 0);
    let report = old.obtain_documents().unwrap();
    assert_eq!(report.documents.len(), 4, "{report:?}");
}

#[test]
fn whatever_meets_the_ended_account_first_writes_it_down() {
    let world = World::new(noon());
    let (first, second) = (Device::new(&world), Device::new(&world));
    let old = first.active(&world, 0);
    second.active(&world, 0);
    // No sync: the fetching of documents is what hears of it.
    assert!(matches!(old.obtain_documents(), Err(WalletError::AccountEnded)));
    assert_eq!(old.activation().unwrap().step, Step::NotStarted);
    let documents = old.documents().unwrap();
    assert!(!documents.is_empty() && documents.iter().all(|d| d.copies_left == 0 && d.state.as_str() == "ended"), "{documents:?}");
    activate(&world, &old, 0);
    assert_eq!(old.obtain_documents().unwrap().documents.len(), 4);
}

#[test]
fn an_ended_account_leaves_no_keys_of_its_copies() {
    let world = World::new(noon());
    let (first, second) = (Device::new(&world), Device::new(&world));
    let old = first.furnished(&world, 0);
    let holders = old.documents().unwrap().len() * usize::try_from(COPIES).unwrap();
    let before = first.keys.list().unwrap().len();
    assert!(holders > 0 && before > holders, "{before} keys, {holders} of copies");
    second.active(&world, 0);
    assert!(old.sync().unwrap().account_ended);
    // The account key stays until the next activation.
    assert_eq!(first.keys.list().unwrap().len(), before - holders);
}

#[test]
fn an_activation_that_another_device_overtook_begins_anew() {
    let world = World::new(SystemClock);
    let (first, second) = (Device::new(&world), Device::new(&world));
    let mitm = Mitm::before(&world);
    let slow = mitm.wallet(&world, &first);
    slow.create(PASSCODE).unwrap();
    walk(&slow, &world.hands(0), Step::Face);
    let quick = mitm.wallet(&world, &second);
    quick.create(PASSCODE).unwrap();
    activate(&world, &quick, 0);
    quick.obtain_documents().unwrap();
    assert_eq!(slow.complete_activation().unwrap_err().problem(), Problem::Expired);
    // Neither its time nor central's patience was over: it was the other device.
    let said = mitm.kept().pop().unwrap();
    assert_eq!(said.status, StatusCode::CONFLICT);
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&said.body).unwrap()["error"], "device_conflict");
    assert_eq!(slow.activation().unwrap().step, Step::NotStarted);
    // Nothing of the quick one's is gone, and the slow one may go through it again.
    assert!(!quick.sync().unwrap().account_ended);
    assert!(quick.documents().unwrap().iter().all(|d| d.state.as_str() == "issued"));
    activate(&world, &slow, 0);
    assert!(quick.sync().unwrap().account_ended);
}

#[test]
fn a_phone_replaced_long_after_its_activation_is_told() {
    let clock = noon();
    let world = World::new(clock.clone());
    let (first, second) = (Device::new(&world), Device::new(&world));
    let old = first.furnished(&world, 0);
    clock.advance_secs(3 * 86_400);
    old.sync().unwrap();
    second.active(&world, 0);
    // Central sweeps meanwhile.
    clock.advance_secs(2 * 86_400);
    assert!(old.sync().unwrap().account_ended);
    assert_eq!(old.activation().unwrap().step, Step::NotStarted);
    assert!(old.documents().unwrap().iter().all(|d| d.copies_left == 0 && d.state.as_str() == "ended"));
}

#[test]
fn the_store_is_a_state() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.active(&world, 0);
    assert!(matches!(wallet.create(PASSCODE), Err(WalletError::Exists)));
    wallet.lock();
    assert_eq!(wallet.state(), StoreState::Locked);
    assert!(matches!(wallet.activation(), Err(WalletError::Locked)));
    let error = wallet.unlock("000000").unwrap_err();
    assert_eq!(error.problem(), Problem::WrongPasscode { tries_left: 4 });
    // A locked wallet can still fetch public lists.
    assert!(wallet.sync().unwrap().trust_version.is_some());
    wallet.unlock(PASSCODE).unwrap();
    assert_eq!(wallet.activation().unwrap().step, Step::Complete);
    assert!(matches!(wallet.change_passcode(PASSCODE, "123"), Err(WalletError::Parameter("passcode"))));
    wallet.change_passcode(PASSCODE, "739115").unwrap();
    wallet.close();
    assert_eq!(wallet.state(), StoreState::Closed);
    assert_eq!(wallet.documents().unwrap_err().problem(), Problem::Closed);
    let wallet = device.open(&world);
    assert_eq!(wallet.state(), StoreState::Locked);
    assert!(matches!(wallet.unlock(PASSCODE).unwrap_err().problem(), Problem::WrongPasscode { .. }));
    wallet.unlock("739115").unwrap();
}

#[test]
fn bad_input_a_plaintext_or_foreign_database_is_refused_by_name() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.open(&world);
    wallet.create(PASSCODE).unwrap();
    wallet.close();
    let path = device.wallet_dir().join("wallet.db");
    let kept = std::fs::read(&path).unwrap();
    for side in ["wallet.db-wal", "wallet.db-shm"] {
        let _ = std::fs::remove_file(device.wallet_dir().join(side));
    }
    let plain = [b"SQLite format 3\0".as_slice(), &[0; 4080]].concat();
    std::fs::write(&path, plain).unwrap();
    let storage = |reason: &str| Problem::Storage { reason: reason.to_owned() };
    assert_eq!(device.open(&world).unlock(PASSCODE).unwrap_err().problem(), storage("not-encrypted"));
    // The database of another phone.
    let other = Device::new(&world);
    let stranger = other.open(&world);
    stranger.create(PASSCODE).unwrap();
    stranger.close();
    std::fs::copy(other.wallet_dir().join("wallet.db"), &path).unwrap();
    assert_eq!(device.open(&world).unlock(PASSCODE).unwrap_err().problem(), storage("wrong-key"));
    // A database that is gone is told, not replaced by an empty one.
    std::fs::remove_file(&path).unwrap();
    assert_eq!(device.open(&world).unlock(PASSCODE).unwrap_err().problem(), storage("gone"));
    std::fs::write(&path, kept).unwrap();
    device.open(&world).unlock(PASSCODE).unwrap();
}

#[test]
fn plain_http_is_refused_by_name() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let mut config = world.wallet_config(&device.wallet_dir());
    config.service_url = config.service_url.replace("https:", "http:");
    let error = wallet_core::Wallet::open(config, device.ports()).unwrap_err();
    assert_eq!(error.problem(), Problem::Invalid { reason: "plain-http".to_owned() });
}
