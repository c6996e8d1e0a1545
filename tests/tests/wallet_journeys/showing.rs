//! Two QRs, both sides offline.

use std::sync::atomic::Ordering;

use wallet_base::fact::{FactName, Outcome};
use wallet_core::{ConsentOutcome, PendingRequest, Problem, Wallet, WalletError};

use crate::activation::noon;
use crate::world::{COPIES, Device, World};

fn copies(wallet: &Wallet, id: &str) -> u32 {
    wallet.documents().unwrap().iter().find(|d| d.id == id).unwrap().copies_left
}

fn selected(pending: &PendingRequest) -> (String, Vec<String>) {
    pending.default_selection().unwrap()
}

#[test]
fn flight_roadside_and_clinic_offline() {
    let mut world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let officers = [("flight", "citizen-identity"), ("traffic-police", "driving-licence"), ("health", "health-insurance-card")]
        .map(|(role, document)| (world.officer(role), document));
    world.stop();
    for (officer, document) in &officers {
        let pending = wallet.open_request(&officer.ask(document, &[])).unwrap();
        assert_eq!(pending.verdict().conclusion().to_string(), "verified", "{:?}", pending.verdict());
        let view = pending.view().unwrap();
        assert_eq!((view.organisation.as_str(), view.place.as_str()), ("Cảng hàng không Nội Bài", "Cửa 12, Nội Bài"));
        assert!(!view.role_vi.is_empty() && !view.device.is_empty());
        let (chosen, fields) = selected(&pending);
        let prompts = device.keys.prompts.load(Ordering::SeqCst);
        let answer = pending.answer(&chosen, &fields).unwrap();
        assert_eq!(device.keys.prompts.load(Ordering::SeqCst), prompts + 1, "one act, one consent");
        assert!(answer.text.starts_with("CWA1:") && answer.text.len() <= 1853);
        assert_eq!(copies(&wallet, document), COPIES - 1);
        let checked = officer.verifier.check(&answer.text).unwrap();
        assert!(checked.verdict().failed().is_empty(), "{:?}", checked.verdict());
        for name in [FactName::CredentialDigest, FactName::CredentialHolder, FactName::CredentialStatus, FactName::ExchangeRequest] {
            assert_eq!(checked.verdict().get(name).unwrap().outcome(), Outcome::Passed, "{name}");
        }
        let entry = &wallet.consent_log().unwrap()[0];
        assert_eq!((entry.outcome, entry.document.as_str(), &entry.fields), (ConsentOutcome::Shown, *document, &fields));
        assert_eq!(entry.organisation, view.organisation);
        assert!(!entry.request.is_empty());
        assert!(!format!("{entry:?}").contains("Nguyễn Văn"), "no disclosed values");
    }
    assert_eq!(wallet.consent_log().unwrap().len(), 3);
}

#[test]
fn one_request_gets_one_answer_across_restarts() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let officer = world.officer("flight");
    let text = officer.ask("citizen-identity", &[]);
    let (first, second) = (wallet.open_request(&text).unwrap(), wallet.open_request(&text).unwrap());
    let (document, fields) = selected(&first);
    first.answer(&document, &fields).unwrap();
    assert!(matches!(first.answer(&document, &fields), Err(WalletError::AnsweredBefore)));
    assert!(matches!(second.answer(&document, &fields), Err(WalletError::AnsweredBefore)));
    wallet.close();
    let wallet = device.open(&world);
    wallet.unlock(crate::world::PASSCODE).unwrap();
    let again = wallet.open_request(&text).unwrap();
    assert!(again.answered_before() && again.default_selection().is_none());
    assert!(matches!(again.answer(&document, &fields), Err(WalletError::AnsweredBefore)));
    assert_eq!(copies(&wallet, "citizen-identity"), COPIES - 1);
}

#[test]
fn bad_input_wrong_stale_half_and_foreign_codes_say_which() {
    let clock = noon();
    let world = World::new(clock.clone());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let officer = world.officer("flight");
    let text = officer.ask("citizen-identity", &[]);
    let pending = wallet.open_request(&text).unwrap();
    let (document, fields) = selected(&pending);
    let answer = pending.answer(&document, &fields).unwrap();
    let says = |text: &str| match wallet.open_request(text).unwrap_err() {
        WalletError::NotARequest(what) => what,
        other => panic!("{other}"),
    };
    assert_eq!(says(&answer.text), "scan.wrong");
    assert_eq!(says("001090000123||Nguyễn Văn An|15011990|Nam|12 Hàng Bạc|01072024"), "scan.vneid-card");
    assert_eq!(says("https://example.com/"), "scan.foreign");
    assert_eq!(says("CWQ"), "scan.half");
    assert_eq!(says(&text[..text.len() / 2]), "scan.half");

    // A genuine request of an hour ago: read, judged, refused, logged.
    let stale = officer.ask("citizen-identity", &[]);
    clock.advance_secs(3_600);
    let pending = wallet.open_request(&stale).unwrap();
    assert_eq!(pending.verdict().failed(), [FactName::RequestTime]);
    assert!(pending.view().is_none() && pending.items().is_empty());
    let error = pending.answer(&document, &fields).unwrap_err();
    assert_eq!(error.problem(), Problem::Untrusted { fact: FactName::RequestTime });
    let entry = &wallet.consent_log().unwrap()[0];
    assert_eq!((entry.outcome, entry.reason.as_str(), entry.organisation.as_str()), (ConsentOutcome::Failed, "request.time", ""));
}

#[test]
fn a_request_read_in_time_is_not_answered_late() {
    let clock = noon();
    let world = World::new(clock.clone());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let officer = world.officer("flight");
    let pending = wallet.open_request(&officer.ask("citizen-identity", &[])).unwrap();
    let (document, fields) = selected(&pending);
    clock.advance_secs(200);
    assert_eq!(pending.answer(&document, &fields).unwrap_err().problem(), Problem::Expired);
    assert_eq!(copies(&wallet, "citizen-identity"), COPIES);
}

#[test]
fn an_unknown_verifier_is_refused() {
    let world = World::new(noon());
    let elsewhere = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let stranger = elsewhere.officer("flight");
    let pending = wallet.open_request(&stranger.ask("citizen-identity", &[])).unwrap();
    assert_eq!(pending.verdict().failed(), [FactName::RequestChain]);
    assert_eq!(pending.verdict().get(FactName::RequestRole).unwrap().outcome(), Outcome::NotChecked);
    assert!(pending.answer("citizen-identity", &["full_name".to_owned()]).is_err());
    pending.decline().unwrap();
    assert_eq!(wallet.consent_log().unwrap()[0].outcome, ConsentOutcome::Declined);
}

#[test]
fn an_over_ask_alarms_by_name_and_sends_nothing_by_default() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let officer = world.officer("flight");
    let pending = wallet.open_request(&officer.ask("citizen-identity", &["full_name", "religion", "resident_address"])).unwrap();
    assert_eq!(pending.verdict().conclusion().to_string(), "rejected:request.role");
    let detail = pending.verdict().get(FactName::RequestRole).unwrap().detail().to_owned();
    assert!(detail.contains("citizen-identity.religion"), "{detail}");
    assert!(pending.items().iter().all(|item| !item.selected));
    assert_eq!(pending.default_selection(), None);
    let error = pending.answer("citizen-identity", &["full_name".to_owned(), "religion".to_owned()]).unwrap_err();
    assert_eq!(error.problem(), Problem::Untrusted { fact: FactName::RequestRole });
    assert_eq!(copies(&wallet, "citizen-identity"), COPIES);
    // By his own choice the citizen may still show what the role may have.
    let answer = pending.answer("citizen-identity", &["full_name".to_owned()]).unwrap();
    assert_eq!(answer.fields, ["full_name"]);
}

#[test]
fn a_declined_prompt_costs_nothing_and_is_logged() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let officer = world.officer("traffic-police");
    let pending = wallet.open_request(&officer.ask("driving-licence", &[])).unwrap();
    let (document, fields) = selected(&pending);
    device.keys.unwilling.store(true, Ordering::SeqCst);
    assert_eq!(pending.answer(&document, &fields).unwrap_err().problem(), Problem::Declined);
    assert_eq!(copies(&wallet, &document), COPIES);
    assert_eq!(wallet.consent_log().unwrap()[0].outcome, ConsentOutcome::Declined);
    device.keys.unwilling.store(false, Ordering::SeqCst);

    // A key store that fails after the act: the copy is spent, the failure logged, the request may be answered with another copy.
    device.keys.broken.store(true, Ordering::SeqCst);
    assert!(pending.answer(&document, &fields).is_err());
    assert_eq!(copies(&wallet, &document), COPIES - 1);
    assert_eq!(wallet.consent_log().unwrap()[0].outcome, ConsentOutcome::Failed);
    device.keys.broken.store(false, Ordering::SeqCst);
    let answer = pending.answer(&document, &fields).unwrap();
    assert!(officer.verifier.check(&answer.text).unwrap().verdict().failed().is_empty());
    assert_eq!(copies(&wallet, &document), COPIES - 2);
}

#[test]
fn what_was_not_asked_for_cannot_be_shown() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let officer = world.officer("flight");
    let pending = wallet.open_request(&officer.ask("citizen-identity", &["full_name"])).unwrap();
    for (document, fields) in [("citizen-identity", vec!["birth_date".to_owned()]), ("driving-licence", vec!["full_name".to_owned()])] {
        assert!(matches!(pending.answer(document, &fields), Err(WalletError::Parameter("selection"))), "{document} {fields:?}");
    }
    assert!(matches!(pending.answer("citizen-identity", &[]), Err(WalletError::Parameter("nothing-chosen"))));
    assert_eq!(copies(&wallet, "citizen-identity"), COPIES);
}

#[test]
fn the_last_copy_is_the_last() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let officer = world.officer("traffic-police");
    for _ in 0..COPIES {
        let pending = wallet.open_request(&officer.ask("driving-licence", &[])).unwrap();
        let (document, fields) = selected(&pending);
        pending.answer(&document, &fields).unwrap();
    }
    let pending = wallet.open_request(&officer.ask("driving-licence", &[])).unwrap();
    assert!(pending.items().iter().all(|item| !item.available) && pending.default_selection().is_none());
}

#[test]
fn a_suspension_shows_at_the_next_check_with_another_copy() {
    let world = World::new(noon());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let officer = world.officer("traffic-police");
    let check = || {
        let pending = wallet.open_request(&officer.ask("driving-licence", &[])).unwrap();
        let (document, fields) = selected(&pending);
        officer.verifier.check(&pending.answer(&document, &fields).unwrap().text).unwrap()
    };
    assert!(check().verdict().failed().is_empty());
    world.admin().suspend(&world.citizen(0).personal_number, "driving-licence").unwrap();
    officer.verifier.sync().unwrap();
    let second = check();
    assert_eq!(second.verdict().failed(), [FactName::CredentialStatus]);
    assert!(second.status_issued_at().is_some());
}
