//! Documents come whole or not at all; copies are refilled; states follow the issuer.

use std::sync::atomic::Ordering;

use wallet_base::fact::{FactName, Outcome};
use wallet_core::{DocumentState, Problem, Wallet, WalletError};

use crate::activation::noon;
use crate::world::{COPIES, Device, World};

/// Every document has all copies of a batch or none.
fn nothing_half_stored(wallet: &Wallet) -> usize {
    let documents = wallet.documents().unwrap();
    for document in &documents {
        assert!(document.copies_left == 0 || document.copies_left == COPIES, "{document:?}");
        let shown = wallet.document(&document.id).unwrap().display.is_some();
        assert_eq!(shown, document.copies_left == COPIES, "{document:?}");
    }
    documents.iter().filter(|d| d.copies_left == COPIES).count()
}

#[test]
fn four_documents_in_both_formats() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let ids: Vec<String> = wallet.documents().unwrap().into_iter().map(|d| d.id).collect();
    assert_eq!(ids, ["citizen-identity", "driving-licence", "health-insurance-card", "health-summary"]);
    assert_eq!(device.keys.batches.load(Ordering::SeqCst), 4, "documents never share keys");
    assert_eq!(device.keys.prompts.load(Ordering::SeqCst), 0, "issuance needs no prompt");
    let view = wallet.document("driving-licence").unwrap();
    assert_eq!(view.summary.state, DocumentState::Issued);
    assert!(view.display.unwrap().groups.iter().any(|group| !group.items.is_empty()));
    assert!(matches!(wallet.document("passport"), Err(WalletError::NoSuchDocument)));
    // Once is enough: a second call has nothing to do.
    assert_eq!(wallet.obtain_documents().unwrap().documents, []);
}

#[test]
fn bad_input_central_unreachable_nothing_half_stored_next_try_continues() {
    let mut world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.active(&world, 0);
    world.stop();
    assert_eq!(wallet.obtain_documents().unwrap_err().problem(), Problem::Network);
    assert_eq!(nothing_half_stored(&wallet), 0);
    assert_eq!(wallet.sync().unwrap_err().problem(), Problem::Network);
    world.start();
    let report = wallet.obtain_documents().unwrap();
    assert_eq!(report.verdict.conclusion().to_string(), "verified");
    assert_eq!(nothing_half_stored(&wallet), 4);
}

#[test]
fn bad_input_central_dies_mid_issuance_nothing_half_stored_next_try_continues() {
    let world = World::new(noon());
    // How many bytes an undisturbed issuance takes.
    let before = world.relay.passed.load(Ordering::SeqCst);
    let undisturbed = Device::new(&world);
    undisturbed.furnished(&world, 1);
    let whole = world.relay.passed.load(Ordering::SeqCst) - before;

    let device = Device::new(&world);
    let mut wallet = device.active(&world, 0);
    // Each try dies a little later than the one before; what was reached is kept.
    let (mut tries, mut stored, mut budget) = (0, 0, 4_000);
    while stored < 4 {
        tries += 1;
        assert!(tries < 60, "no progress: {stored} documents, {budget} bytes, {whole} needed");
        world.relay.cut_after(budget);
        let result = wallet.obtain_documents();
        let now = nothing_half_stored(&wallet);
        assert!(now >= stored, "nothing that was stored is lost");
        assert!(result.is_ok() || matches!(result.as_ref().unwrap_err().problem(), Problem::Network), "{result:?}");
        stored = now;
        budget += 3_000;
        if tries % 3 == 0 {
            // Now and then the phone is switched off as well.
            wallet.close();
            wallet = device.open(&world);
            wallet.unlock(crate::world::PASSCODE).unwrap();
        }
    }
    world.relay.mend();
    assert!(tries > 5, "it died {tries} times");
    assert_eq!(device.keys.batches.load(Ordering::SeqCst), 4, "every next try continued with the same keys");
    assert_eq!(wallet.obtain_documents().unwrap().documents, []);
    wallet.sync().unwrap();
}

#[test]
fn copies_are_refilled_at_half() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let officer = world.officer("traffic-police");
    assert_eq!(wallet.sync().unwrap().refilled, []);
    for shown in 1..=2 {
        let pending = wallet.open_request(&officer.ask("driving-licence", &[])).unwrap();
        let (document, fields) = pending.default_selection().unwrap();
        pending.answer(&document, &fields).unwrap();
        assert_eq!(wallet.documents().unwrap()[1].copies_left, COPIES - shown);
    }
    let report = wallet.sync().unwrap();
    assert_eq!(report.verdict.conclusion().to_string(), "verified", "{:?}", report.verdict);
    assert_eq!(report.refilled.len(), 1);
    assert_eq!((report.refilled[0].id.as_str(), report.refilled[0].copies), ("driving-licence", COPIES));
    assert_eq!(wallet.documents().unwrap()[1].copies_left, COPIES + 1);
}

#[test]
fn suspension_reinstatement_and_revocation_arrive_by_the_feed() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let number = world.citizen(0).personal_number;
    wallet.sync().unwrap();
    let state = |wallet: &Wallet| wallet.documents().unwrap()[1].state;

    world.admin().suspend(&number, "driving-licence").unwrap();
    let report = wallet.sync().unwrap();
    assert_eq!(report.changes.iter().map(|c| c.kind.as_str()).collect::<Vec<_>>(), ["suspended"]);
    assert_eq!((state(&wallet), wallet.documents().unwrap()[1].copies_left), (DocumentState::Suspended, COPIES));
    world.admin().reinstate(&number, "driving-licence").unwrap();
    wallet.sync().unwrap();
    assert_eq!(state(&wallet), DocumentState::Issued);
    world.admin().revoke(&number, "driving-licence").unwrap();
    wallet.sync().unwrap();
    assert_eq!((state(&wallet), wallet.documents().unwrap()[1].copies_left), (DocumentState::Ended, 0));
    assert!(wallet.notices().unwrap().iter().any(|notice| notice.kind == "revoked"));
    // The others are as they were.
    assert!(wallet.documents().unwrap().iter().filter(|d| d.state == DocumentState::Issued).count() == 3);
}

#[test]
fn bad_input_wrong_clock_is_told_never_passed() {
    let world = World::new(noon());
    let own = noon();
    let mut device = Device::new(&world);
    device.clock = std::sync::Arc::new(own.clone());
    let wallet = device.furnished(&world, 0);
    let clock = |wallet: &Wallet| wallet.sync().map(|report| report.verdict.get(FactName::Clock).unwrap().outcome());
    assert_eq!(clock(&wallet).unwrap(), Outcome::Passed);
    let right = own.wall_now();

    // Two hours behind the signed times: told as failed, by whatever comes first, and a request cannot be judged.
    own.set_wall(right.plus_secs(-7_200));
    match wallet.sync() {
        Ok(report) => assert_eq!(report.verdict.get(FactName::Clock).unwrap().outcome(), Outcome::Failed),
        Err(error) => assert_eq!(error.problem(), Problem::Untrusted { fact: FactName::Clock }, "{error}"),
    }
    let officer = world.officer("flight");
    let pending = wallet.open_request(&officer.ask("citizen-identity", &[])).unwrap();
    assert_eq!(pending.verdict().failed(), [FactName::Clock]);
    assert_eq!(pending.default_selection(), None);
    assert!(pending.answer("citizen-identity", &["full_name".to_owned()]).is_err());

    // Two hours ahead: not below anything signed, so not failed; but never passed.
    own.set_wall(right.plus_secs(7_200));
    match wallet.sync() {
        Ok(report) => assert_eq!(report.verdict.get(FactName::Clock).unwrap().outcome(), Outcome::NotChecked),
        Err(error) => assert_eq!(error.problem(), Problem::Untrusted { fact: FactName::Clock }, "{error}"),
    }
    own.set_wall(right);
    assert_eq!(clock(&wallet).unwrap(), Outcome::Passed);
}

#[test]
fn bad_input_a_clock_that_was_never_set_is_told_at_the_first_contact() {
    let world = World::new(noon());
    let own = noon();
    let right = own.wall_now();
    let mut device = Device::new(&world);
    device.clock = std::sync::Arc::new(own.clone());
    let wallet = device.open(&world);
    wallet.create(crate::world::PASSCODE).unwrap();
    // An old phone after an empty battery; one whose year was typed wrong.
    for years in [-10, 20] {
        own.set_wall(right.plus_secs(years * 366 * 86_400));
        assert_eq!(wallet.begin_activation().unwrap_err().problem(), Problem::Untrusted { fact: FactName::Clock }, "{years}");
    }
    own.set_wall(right);
    assert_eq!(wallet.begin_activation().unwrap().step, wallet_core::Step::Opened);
}

#[test]
fn bad_input_a_service_under_another_root_is_told_by_name() {
    let (world, other) = (World::new(noon()), World::new(noon()));
    let device = Device::new(&world);
    let mut config = world.wallet_config(&device.wallet_dir());
    config.service_url = other.wallet_config(&device.wallet_dir()).service_url;
    let wallet = Wallet::open(config, device.ports()).unwrap();
    wallet.create(crate::world::PASSCODE).unwrap();
    assert_eq!(wallet.begin_activation().unwrap_err().problem(), Problem::Invalid { reason: "service-certificate".to_owned() });
}

/// The reading of a manual clock.
trait WallNow {
    fn wall_now(&self) -> wallet_base::time::Timestamp;
}

impl WallNow for wallet_platform::software::ManualClock {
    fn wall_now(&self) -> wallet_base::time::Timestamp {
        wallet_platform::ports::Clock::wall(self)
    }
}

#[test]
fn expired_copies_are_never_offered_and_are_replaced() {
    let clock = noon();
    let world = World::new(clock.clone());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    clock.advance_secs(31 * 86_400);
    let officer = world.officer("traffic-police");
    wallet.sync().unwrap();
    // Whatever the sync brought, nothing of the old batch is left to show.
    let documents = wallet.documents().unwrap();
    assert!(documents.iter().all(|d| d.copies_left == COPIES), "the refill replaced them: {documents:?}");
    let pending = wallet.open_request(&officer.ask("driving-licence", &[])).unwrap();
    let (document, fields) = pending.default_selection().unwrap();
    let answer = pending.answer(&document, &fields).unwrap();
    let checked = officer.verifier.check(&answer.text).unwrap();
    assert_eq!(checked.verdict().get(FactName::CredentialValidity).unwrap().outcome(), Outcome::Passed);
}

#[test]
fn copies_that_are_about_to_end_are_replaced_in_time() {
    let clock = noon();
    let world = World::new(clock.clone());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    clock.advance_secs(15 * 86_400);
    assert_eq!(wallet.sync().unwrap().refilled, []);
    clock.advance_secs(7 * 86_400);
    assert_eq!(wallet.sync().unwrap().refilled.len(), 4);
}

#[test]
fn expired_copies_are_not_offered_offline() {
    let clock = noon();
    let mut world = World::new(clock.clone());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    world.stop();
    clock.advance_secs(31 * 86_400);
    assert!(wallet.documents().unwrap().iter().all(|d| d.copies_left == 0));
}

#[test]
fn nothing_of_the_citizen_is_readable_in_the_folder() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let citizen = world.citizen(0);
    let portrait = wallet_central::faces::portrait(&citizen.personal_number, 240, 320).unwrap();
    let mut needles: Vec<Vec<u8>> = vec![citizen.full_name.clone().into_bytes(), b"NGUYEN".to_vec(), citizen.personal_number.into_bytes()];
    // Pieces of the picture behind its header.
    needles.extend(portrait[64..].chunks_exact(8).step_by(97).map(<[u8]>::to_vec));
    let mut files = 0;
    let mut folders = vec![device.wallet_dir()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&entry).unwrap();
            for needle in &needles {
                assert!(!bytes.windows(needle.len()).any(|window| window == needle.as_slice()), "in {}", entry.display());
            }
        }
    }
    assert!(files >= 4, "{files} files were searched");
    drop(wallet);
}
