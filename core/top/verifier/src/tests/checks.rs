//! Every fact's failing case, and what may be shown.

use wallet_base::crypto::{Curve, SoftwareKey};
use wallet_base::fact::{FactName, Outcome};
use wallet_credential::sd_cwt::SdCwt;
use wallet_credential::status::{INVALID, SUSPENDED};
use wallet_credential::trust::EKU_DOCUMENT_SIGNER;
use wallet_documents::display::DisplayValue;
use wallet_documents::{FieldValue, by_id};

use super::world::{Authority, DAY, HOUR, NAME, World, conclusion, failed, values};
use crate::{Ask, CheckResult, VerifierError};

const LICENCE: &str = "driving-licence";
const IDENTITY: &str = "citizen-identity";
const INSURANCE: &str = "health-insurance-card";

/// Ids of the fields that are shown, in order.
fn shown(result: &CheckResult) -> Vec<String> {
    result.display().map(|model| model.groups.iter().flat_map(|g| &g.items).map(|i| i.field.to_string()).collect()).unwrap_or_default()
}

#[test]
fn conclusions_without_a_portrait_follow_the_role() {
    assert_eq!(conclusion(&World::new("traffic-police").honest(LICENCE)), "undetermined:portrait.match");
    assert_eq!(conclusion(&World::new("flight").honest(IDENTITY)), "undetermined:portrait.match");
    let clinic = World::new("health").honest(INSURANCE);
    assert_eq!(conclusion(&clinic), "verified");
    let verdict = clinic.verdict();
    let face = verdict.get(FactName::PortraitMatch).unwrap();
    assert_eq!((face.outcome(), face.is_needed()), (Outcome::NotChecked, false));
}

#[test]
fn nobody_can_confirm_a_face_without_a_signed_portrait() {
    let result = World::new("traffic-police").honest(LICENCE);
    assert!(!result.has_portrait());
    assert!(matches!(result.confirm_face(true), Err(VerifierError::NoPortrait)));
    assert_eq!(conclusion(&result), "undetermined:portrait.match");
}

/// A check with a disclosed portrait of a few bytes (a real one needs B+ or a radio).
fn with_portrait(world: &World) -> CheckResult {
    let asked = world.ask(LICENCE, &["full_name", "portrait_small"]).unwrap();
    let mut attributes = values(by_id(LICENCE).unwrap());
    attributes.set("portrait_small", FieldValue::Image(b"\x89PNG\r\n\x1a\nsmall".to_vec())).unwrap();
    let mut copy = world.copy(LICENCE);
    copy.claims = attributes.to_claims();
    world.check(&world.answer_with(&asked, &world.issue(&copy)))
}

#[test]
fn a_face_is_compared_by_a_person_and_the_last_word_counts() {
    let world = World::new("traffic-police");
    let result = with_portrait(&world);
    assert!(result.has_portrait());
    assert_eq!(result.verdict().get(FactName::PortraitMatch).unwrap().detail(), "compare the face");
    assert_eq!(conclusion(&result), "undetermined:portrait.match");
    assert_eq!(result.confirm_face(true).unwrap().conclusion().to_string(), "verified");
    assert_eq!(result.confirm_face(false).unwrap().conclusion().to_string(), "rejected:portrait.match");
    assert_eq!(result.verdict().facts().iter().filter(|f| f.name() == FactName::PortraitMatch).count(), 1);
}

#[test]
fn only_what_was_asked_is_shown() {
    let world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &["full_name"]).unwrap();
    let credential = world.issue(&world.copy(LICENCE));
    let everything = SdCwt::decode(&credential).unwrap().disclosable();
    let result = world.check(&world.answer_showing(&asked, &credential, &everything));
    assert_eq!(shown(&result), ["full_name"]);
    assert!(matches!(&result.display().unwrap().groups[0].items[0].value, DisplayValue::Text(text) if text == NAME));
    assert!(result.withheld().is_empty());
}

#[test]
fn what_the_citizen_keeps_back_is_named() {
    let world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &["full_name", "points", "licence_number"]).unwrap();
    let name = by_id(LICENCE).unwrap().field("full_name").unwrap().claim.unwrap();
    let result = world.check(&world.answer_showing(&asked, &world.issue(&world.copy(LICENCE)), &[name]));
    assert_eq!(result.withheld(), ["licence_number", "points"]);
}

#[test]
fn an_unknown_signer_fails_the_chain() {
    let world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &[]).unwrap();
    let stranger = Authority::new(77, EKU_DOCUMENT_SIGNER, world.start);
    let credential =
        wallet_credential::sd_cwt::issue(&world.copy(LICENCE), &stranger.key, &stranger.certificate.kid8(), &world.random).unwrap();
    assert_eq!(failed(&world.check(&world.answer_with(&asked, &credential))), ["credential.chain"]);
}

#[test]
fn another_key_under_the_signers_name_fails_the_signature() {
    let world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &[]).unwrap();
    let stranger = SoftwareKey::generate(Curve::P256, &world.random);
    let credential =
        wallet_credential::sd_cwt::issue(&world.copy(LICENCE), &stranger, &world.issuer.certificate.kid8(), &world.random).unwrap();
    assert_eq!(failed(&world.check(&world.answer_with(&asked, &credential))), ["credential.signature"]);
}

#[test]
fn an_altered_value_signed_again_by_the_holder_fails_the_digest() {
    let world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &["full_name"]).unwrap();
    let token = SdCwt::decode(&world.issue(&world.copy(LICENCE))).unwrap();
    let name = by_id(LICENCE).unwrap().field("full_name").unwrap().claim.unwrap();
    let mut presented = token.select(&[name]).unwrap();
    let place = presented.windows(NAME.len()).position(|w| w == NAME.as_bytes()).unwrap();
    presented[place + NAME.len() - 1] = b'm';
    let request = world.read_request(&asked);
    let text = world.seal(&request, &presented, &world.binding(&request), &world.holder);
    let result = world.check(&text);
    assert_eq!(failed(&result), ["credential.digest"]);
    assert!(result.display().is_none());
}

#[test]
fn a_copied_credential_fails_the_holder() {
    let world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &[]).unwrap();
    let token = SdCwt::decode(&world.issue(&world.copy(LICENCE))).unwrap();
    let request = world.read_request(&asked);
    let thief = SoftwareKey::generate(Curve::P256, &world.random);
    let text = world.seal(&request, &token.select(&[]).unwrap(), &world.binding(&request), &thief);
    assert_eq!(failed(&world.check(&text)), ["credential.holder"]);
}

#[test]
fn an_expired_copy_fails_validity_alone_with_fresh_lists_or_none() {
    for lists_go_on in [true, false] {
        let mut world = World::new("traffic-police");
        world.clock.advance_secs(31 * 86_400);
        world.enrol("traffic-police");
        world.sync_trust();
        if lists_go_on {
            world.publish(LICENCE, wallet_credential::status::VALID, world.now());
        }
        let asked = world.ask(LICENCE, &[]).unwrap();
        // The holder's phone still has its copy of a month ago.
        let result = world.check(&world.answer(&asked));
        assert_eq!(failed(&result), ["credential.validity"], "lists go on: {lists_go_on}");
        assert!(result.display().is_none());
    }
}

#[test]
fn suspended_and_revoked_copies_fail_the_status_with_the_lists_time() {
    for (value, word) in [(SUSPENDED, "suspended"), (INVALID, "revoked")] {
        let world = World::new("traffic-police");
        world.clock.advance_secs(3600);
        world.publish(LICENCE, value, world.start.plus_secs(HOUR));
        let result = world.honest(LICENCE);
        assert_eq!(failed(&result), ["credential.status"]);
        assert!(result.verdict().get(FactName::CredentialStatus).unwrap().detail().contains(word));
        assert_eq!(result.status_issued_at(), Some(world.start.plus_secs(HOUR)));
        assert!(result.display().is_none());
    }
}

#[test]
fn another_type_of_document_fails_the_type() {
    let world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &[]).unwrap();
    let result = world.check(&world.answer_with(&asked, &world.issue(&world.copy(IDENTITY))));
    assert_eq!(failed(&result), ["credential.type"]);
}

#[test]
fn a_signed_value_of_the_wrong_kind_fails_the_type() {
    let world = World::new("traffic-police");
    let asked = world.ask(LICENCE, &["points"]).unwrap();
    let mut copy = world.copy(LICENCE);
    let points = by_id(LICENCE).unwrap().field("points").unwrap().claim.unwrap();
    copy.claims = vec![(points, wallet_base::cbor::Value::text("twelve"))];
    let result = world.check(&world.answer_with(&asked, &world.issue(&copy)));
    assert_eq!(failed(&result), ["credential.type"]);
}

#[test]
fn expired_trust_shows_at_the_check() {
    let mut world = World::new("health");
    world.clock.advance_secs(29 * 86_400);
    world.enrol("health");
    world.publish(INSURANCE, wallet_credential::status::VALID, world.now());
    // Trust was signed a month ago for thirty days: still good, and an hour past its end no longer.
    let asked = world.ask(INSURANCE, &[]).unwrap();
    let mut copy = world.copy(INSURANCE);
    copy.exp = world.start.plus_secs(60 * DAY);
    let credential = world.issue(&copy);
    assert_eq!(failed(&world.check(&world.answer_with(&asked, &credential))), [""; 0]);
    world.clock.advance_secs(86_400 + 3600);
    let asked = world.ask(INSURANCE, &[]).unwrap();
    assert_eq!(failed(&world.check(&world.answer_with(&asked, &credential))), ["trust.freshness"]);
}

#[test]
fn bad_input_a_wrong_clock_is_told_and_never_passes() {
    let world = World::new("health");
    let text = world.answer(&world.ask(INSURANCE, &[]).unwrap());
    world.clock.set_wall(world.start.plus_secs(-40 * DAY));
    let result = world.check(&text);
    assert_eq!(failed(&result), ["clock"]);
    assert!(result.verdict().conclusion().to_string() == "rejected:clock");
    let world = World::new("health");
    world.clock.set_wall(world.start.plus_secs(5 * HOUR));
    assert_eq!(conclusion(&world.honest(INSURANCE)), "undetermined:clock");
}

#[test]
fn a_clock_set_back_revives_no_expired_copy() {
    let mut world = World::new("health");
    world.clock.advance_secs(31 * 86_400);
    world.enrol("health");
    world.sync_trust();
    world.publish(INSURANCE, wallet_credential::status::VALID, world.now());
    world.clock.set_wall(world.start);
    let asked = world.verifier.ask(&Ask { document: INSURANCE.to_owned(), ..Ask::default() }).unwrap();
    world.clock.set_wall(asked.expires);
    let text = world.answer(&asked);
    world.clock.set_wall(world.start);
    assert_eq!(failed(&world.check(&text)), ["credential.validity", "clock"]);
}

#[test]
fn after_a_restart_of_the_device_an_unconfirmed_clock_is_never_green() {
    let world = World::new("health");
    world.clock.reboot();
    let result = world.honest(INSURANCE);
    assert_eq!(result.verdict().get(FactName::Clock).unwrap().outcome(), Outcome::NotChecked);
    assert_eq!(conclusion(&result), "undetermined:clock");
}

#[test]
fn a_boarding_name_is_compared_and_a_mismatch_is_amber() {
    let world = World::new("flight");
    for (boarding, outcome) in [("NGUYEN/VANAN MR", Outcome::Passed), ("TRAN/THI BINH", Outcome::NotChecked)] {
        let asked = world.ask(IDENTITY, &[]).unwrap();
        let result = world.verifier.check_with_boarding_name(&world.answer(&asked), boarding).unwrap();
        assert_eq!(result.verdict().get(FactName::NameMatch).unwrap().outcome(), outcome, "{boarding}");
        assert_eq!(failed(&result), [""; 0]);
    }
    let asked = world.ask(IDENTITY, &["birth_date"]).unwrap();
    let result = world.verifier.check_with_boarding_name(&world.answer(&asked), "NGUYEN/VAN AN").unwrap();
    assert_eq!(result.verdict().get(FactName::NameMatch).unwrap().detail(), "no signed name was shown");
}

#[test]
fn over_asking_is_possible_by_name_only() {
    let world = World::new("flight");
    let asked = world.ask(IDENTITY, &["full_name", "resident_address"]).unwrap();
    assert_eq!(asked.fields, ["full_name", "resident_address"]);
    let usual = world.ask(IDENTITY, &[]).unwrap();
    assert_eq!(usual.fields, ["birth_date", "expiry_date", "full_name"]);
    // A document the role has no row for has no defaults either.
    assert!(matches!(world.ask(LICENCE, &[]), Err(VerifierError::UnknownDocument)));
}

#[test]
fn what_cannot_be_asked_is_refused_by_name() {
    let world = World::new("flight");
    assert!(matches!(world.ask("library-card", &[]), Err(VerifierError::UnknownDocument)));
    assert!(matches!(world.ask(IDENTITY, &["shoe_size"]), Err(VerifierError::UnknownField)));
    let nothing = Ask { document: IDENTITY.to_owned(), fields: Some(Vec::new()), ..Ask::default() };
    assert!(matches!(world.verifier.ask(&nothing), Err(VerifierError::NothingAsked)));
    let ask = Ask { document: IDENTITY.to_owned(), purpose: "roadside-check".to_owned(), ..Ask::default() };
    assert!(matches!(world.verifier.ask(&ask), Err(VerifierError::UnknownPurpose)));
    let ask = Ask { document: IDENTITY.to_owned(), place: "a\u{202e}b".to_owned(), ..Ask::default() };
    assert!(matches!(world.verifier.ask(&ask), Err(VerifierError::Parameter("place"))));
}

#[test]
fn the_request_says_who_where_why_and_that_nothing_is_kept() {
    let world = World::new("flight");
    let request = world.read_request(&world.ask(IDENTITY, &[]).unwrap());
    assert_eq!((request.role(), request.organisation(), request.device()), ("flight", "Hãng bay", "device-7"));
    assert_eq!((request.place(), request.purpose(), request.retention_hours()), ("Cổng 12, Nội Bài", "domestic-check-in", 0));
    assert_eq!(request.legal_basis(), "66/2006/QH11");
    assert_eq!(request.exp().unix() - request.iat().unix(), 120);
}

#[test]
fn a_role_that_is_not_in_the_table_cannot_ask() {
    let mut world = World::new("flight");
    world.enrol("baker");
    assert!(matches!(world.ask(IDENTITY, &[]), Err(VerifierError::UnknownRole)));
    assert!(matches!(world.verifier.policy(), Err(VerifierError::UnknownRole)));
}

#[test]
fn nothing_of_the_citizen_is_stored() {
    let world = World::new("traffic-police");
    let result = world.honest(LICENCE);
    assert!(!shown(&result).is_empty());
    world.verifier.close().unwrap();
    let mut files = 0;
    let mut folders = vec![world.directory.path().join("officer")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            files += 1;
            let bytes = std::fs::read(entry.path()).unwrap();
            for secret in [NAME.as_bytes(), b"010123456789"] {
                assert!(!bytes.windows(8).any(|w| secret.windows(8).any(|s| s == w)), "{:?}", entry.path());
            }
        }
    }
    assert!(files > 2);
}

#[test]
fn a_closed_verifier_says_so() {
    let world = World::new("health");
    world.verifier.close().unwrap();
    assert!(matches!(world.ask(INSURANCE, &[]), Err(VerifierError::Closed)));
    assert!(matches!(world.verifier.check("CWA1:ABC"), Err(VerifierError::Closed)));
    assert!(matches!(world.verifier.staff(), Err(VerifierError::Store(_) | VerifierError::Closed)));
}
