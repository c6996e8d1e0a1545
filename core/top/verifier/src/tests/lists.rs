//! Status lists: verified before they are stored, never rolled back, dated, judged by the role's hours.

use wallet_base::fact::{FactName, Outcome};
use wallet_credential::status::{SUSPENDED, VALID};
use wallet_credential::trust::EKU_STATUS_SIGNER;

use super::world::{Authority, DAY, HOUR, World, conclusion, failed, uri_of};

const LICENCE: &str = "driving-licence";
const INSURANCE: &str = "health-insurance-card";

#[test]
fn a_list_by_another_signer_fails_its_signature_and_the_old_one_stays() {
    let world = World::new("traffic-police");
    let stranger = Authority::new(55, EKU_STATUS_SIGNER, world.start);
    let verdict = world.fetch(LICENCE, World::list_token(&stranger, LICENCE, SUSPENDED, world.now()));
    assert_eq!(verdict.conclusion().to_string(), "rejected:status.signature");
    assert_eq!(verdict.failed(), [FactName::StatusSignature]);
    let result = world.honest(LICENCE);
    assert_eq!(failed(&result), [""; 0]);
    assert_eq!(result.status_issued_at(), Some(world.start));
}

#[test]
fn a_list_signed_under_the_signers_name_by_another_key_fails_its_signature() {
    let world = World::new("traffic-police");
    let mut stranger = Authority::new(55, EKU_STATUS_SIGNER, world.start);
    stranger.certificate = world.status.certificate.clone();
    let verdict = world.fetch(LICENCE, World::list_token(&stranger, LICENCE, VALID, world.now()));
    assert_eq!(verdict.failed(), [FactName::StatusSignature]);
}

#[test]
fn a_list_at_another_lists_address_or_no_list_at_all_fails_its_signature() {
    let world = World::new("traffic-police");
    let verdict = world.fetch(LICENCE, World::list_token(&world.status, INSURANCE, VALID, world.now()));
    assert_eq!(verdict.failed(), [FactName::StatusSignature]);
    assert_eq!(world.fetch(LICENCE, b"<html>".to_vec()).failed(), [FactName::StatusSignature]);
}

#[test]
fn an_older_genuine_list_never_replaces_a_newer_one() {
    let world = World::new("traffic-police");
    world.clock.advance_secs(7200);
    world.publish(LICENCE, SUSPENDED, world.start.plus_secs(2 * HOUR));
    let verdict = world.publish(LICENCE, VALID, world.start.plus_secs(HOUR));
    assert_eq!(verdict.conclusion().to_string(), "undetermined:status.freshness");
    let result = world.honest(LICENCE);
    assert_eq!(failed(&result), ["credential.status"]);
    assert_eq!(result.status_issued_at(), Some(world.start.plus_secs(2 * HOUR)));
}

#[test]
fn a_list_past_its_end_fails_freshness_at_the_sync_and_at_the_check() {
    let mut world = World::new("traffic-police");
    let frozen = World::list_token(&world.status, LICENCE, VALID, world.start);
    world.clock.advance_secs(15 * 86_400);
    world.sync_trust();
    world.enrol("traffic-police");
    assert_eq!(world.fetch(LICENCE, frozen).failed(), [FactName::StatusFreshness]);
    let asked = world.ask(LICENCE, &[]).unwrap();
    let mut copy = world.copy(LICENCE);
    (copy.iat, copy.exp) = (world.now().plus_secs(-DAY), world.now().plus_secs(20 * DAY));
    let result = world.check(&world.answer_with(&asked, &world.issue(&copy)));
    assert_eq!(failed(&result), ["status.freshness"]);
    assert_eq!(result.verdict().get(FactName::CredentialStatus).unwrap().outcome(), Outcome::NotChecked);
}

#[test]
fn the_roles_hours_decide_over_caution_and_not_checked() {
    for (role, document, hours, freshness, caution) in [
        ("traffic-police", LICENCE, 23, Outcome::Passed, false),
        ("traffic-police", LICENCE, 25, Outcome::Passed, true),
        ("traffic-police", LICENCE, 73, Outcome::NotChecked, false),
        ("health", INSURANCE, 71, Outcome::Passed, false),
        ("health", INSURANCE, 73, Outcome::Passed, true),
    ] {
        let world = World::new(role);
        world.clock.advance_secs(hours * 3600);
        let result = world.honest(document);
        let verdict = result.verdict();
        let fact = verdict.get(FactName::StatusFreshness).unwrap();
        assert_eq!((fact.outcome(), fact.caution()), (freshness, caution), "{role} {hours}");
        if freshness == Outcome::NotChecked || caution {
            assert_eq!(conclusion(&result), "undetermined:status.freshness");
        }
    }
}

#[test]
fn a_missing_shard_is_not_checked() {
    let world = World::new("health");
    world.verifier.write(|tx| tx.execute("DELETE FROM status_list", []).map(|_| ())).unwrap();
    let result = world.honest(INSURANCE);
    assert_eq!(failed(&result), [""; 0]);
    for name in [FactName::StatusSignature, FactName::StatusFreshness, FactName::CredentialStatus] {
        assert_eq!(result.verdict().get(name).unwrap().outcome(), Outcome::NotChecked, "{name}");
    }
    assert_eq!(conclusion(&result), "undetermined:status.signature");
    assert_eq!(result.status_issued_at(), None);
}

#[test]
fn a_held_list_dies_with_its_signer() {
    let mut world = World::new("health");
    world.revoked_status = vec![hex::encode(world.status.certificate.sha256())];
    world.sync_trust();
    let result = world.honest(INSURANCE);
    assert_eq!(failed(&result), ["status.signature"]);
    assert_eq!(result.verdict().get(FactName::CredentialStatus).unwrap().outcome(), Outcome::NotChecked);
}

#[test]
fn a_list_altered_on_disk_is_not_believed() {
    let world = World::new("health");
    let token = World::list_token(&Authority::new(66, EKU_STATUS_SIGNER, world.start), INSURANCE, VALID, world.start);
    world.verifier.write(|tx| tx.execute("UPDATE status_list SET token = ?1", [token]).map(|_| ())).unwrap();
    assert_eq!(failed(&world.honest(INSURANCE)), ["status.signature"]);
}

#[test]
fn dates_are_kept_across_a_restart() {
    let mut world = World::new("health");
    world.restart();
    let (trust, lists) = world.verifier.dates().unwrap();
    let trust = trust.unwrap();
    assert_eq!((trust.version, trust.signed_at), (1, Some(world.start)));
    assert_eq!(lists.len(), 3);
    let list = lists.iter().find(|l| l.uri == uri_of(INSURANCE)).unwrap();
    assert_eq!((list.issued_at, list.fetched_at), (world.start, world.start));
    assert_eq!(list.expires_at, Some(world.start.plus_secs(14 * DAY)));
    assert_eq!(conclusion(&world.honest(INSURANCE)), "verified");
}

#[test]
fn lists_go_when_their_time_is_over_and_nobody_names_them() {
    let world = World::new("health");
    let kept = |at| {
        world.verifier.write(|tx| crate::rows::drop_ended(tx, &[uri_of(LICENCE)], at)).unwrap();
        world.verifier.dates().unwrap().1.len()
    };
    assert_eq!(kept(world.start.plus_secs(13 * DAY)), 3);
    assert_eq!(kept(world.start.plus_secs(14 * DAY)), 1);
}

#[test]
fn bad_input_central_unreachable_keeps_what_is_held() {
    let world = World::new("health");
    assert!(matches!(world.verifier.sync(), Err(crate::VerifierError::Trust(_) | crate::VerifierError::Http(_))));
    assert_eq!(conclusion(&world.honest(INSURANCE)), "verified");
}
