//! From one officer to another without a network: judged as a sync, newer only.

use wallet_base::fact::{FactName, Outcome, Verdict};
use wallet_credential::status::{SUSPENDED, VALID};
use wallet_credential::trust::EKU_STATUS_SIGNER;
use wallet_platform::carried::{Carried, CarriedError};

use super::world::{Authority, HOUR, World, failed, uri_of};
use crate::{Verifier, VerifierError};

const LICENCE: &str = "driving-licence";

/// A second device of the same service that has fetched nothing yet.
fn peer(world: &World) -> Verifier {
    world.another("peer")
}

fn conclusion(verdict: &Verdict) -> String {
    verdict.conclusion().to_string()
}

#[test]
fn a_device_without_a_network_learns_from_another_one() {
    let world = World::new("traffic-police");
    let peer = peer(&world);
    assert!(matches!(peer.carry(), Err(VerifierError::NoTrust)));
    let report = peer.take_carried(&world.verifier.carry().unwrap()).unwrap();
    assert!(report.verdict.failed().is_empty(), "{:?}", report.verdict);
    assert_eq!((report.lists, report.stored), (3, 3));
    assert_eq!(report.trust.map(|t| t.version), Some(1));
    let (_, lists) = peer.dates().unwrap();
    assert!(lists.iter().any(|list| list.uri == uri_of(LICENCE) && list.issued_at == world.start));
    // What was taken is carried on as it was signed.
    assert_eq!(Carried::decode(&peer.carry().unwrap()).unwrap(), Carried::decode(&world.verifier.carry().unwrap()).unwrap());
}

#[test]
fn what_is_older_than_mine_changes_nothing_and_says_so() {
    let mut world = World::new("traffic-police");
    let old = world.verifier.carry().unwrap();
    world.clock.advance_secs(7200);
    world.sync_trust();
    world.publish(LICENCE, SUSPENDED, world.start.plus_secs(HOUR));
    let report = world.verifier.take_carried(&old).unwrap();
    assert_eq!(report.verdict.failed(), [FactName::TrustVersion]);
    let freshness = report.verdict.get(FactName::StatusFreshness).unwrap();
    assert!(freshness.caution() && freshness.detail().contains("older than those held"), "{freshness:?}");
    assert_eq!(report.trust.map(|t| t.version), Some(2));
    assert_eq!(failed(&world.honest(LICENCE)), ["credential.status"]);
}

#[test]
fn bad_input_a_carried_file_with_anything_that_central_did_not_sign_is_refused() {
    let world = World::new("traffic-police");
    let genuine = Carried::decode(&world.verifier.carry().unwrap()).unwrap();
    let take = |carried: &Carried| peer(&world).take_carried(&carried.encode().unwrap()).unwrap();
    // A list of somebody else's: refused alone.
    let stranger = Authority::new(77, EKU_STATUS_SIGNER, world.start);
    let mut forged = genuine.clone();
    forged.lists = vec![World::list_token(&stranger, LICENCE, VALID, world.now())];
    let report = take(&forged);
    assert_eq!((report.verdict.failed(), report.stored), (vec![FactName::StatusSignature], 0));
    // One changed byte in any file of the repository that is used: no trust, and so no list is believed.
    for name in ["timestamp.json", "snapshot.json", "targets.json"] {
        let mut forged = genuine.clone();
        let file = forged.metadata.get_mut(name).unwrap();
        let at = file.iter().rposition(u8::is_ascii_digit).unwrap();
        file[at] ^= 1;
        let report = take(&forged);
        assert_eq!(conclusion(&report.verdict), "rejected:trust.signature", "{name}");
        assert_eq!((report.stored, report.trust), (0, None));
        assert_eq!(report.verdict.get(FactName::StatusSignature).unwrap().outcome(), Outcome::NotChecked);
    }
    let mut forged = genuine.clone();
    forged.targets.values_mut().for_each(|target| target[0] ^= 1);
    assert_eq!(conclusion(&take(&forged).verdict), "rejected:trust.signature");
}

#[test]
fn a_carried_file_that_ended_is_not_taken() {
    let world = World::new("traffic-police");
    let file = world.verifier.carry().unwrap();
    let late = peer(&world);
    world.clock.advance_secs(31 * 86_400);
    assert_eq!(late.take_carried(&file).unwrap().verdict.failed(), [FactName::TrustFreshness]);
    assert!(late.dates().unwrap().0.is_none());
}

#[test]
fn bad_input_a_carried_file_that_is_none_changes_nothing() {
    let world = World::new("traffic-police");
    let file = world.verifier.carry().unwrap();
    for bad in [&b""[..], b"PK\x03\x04", &file[..file.len() / 2], &[0xa1; 1000]] {
        assert!(matches!(world.verifier.take_carried(bad), Err(VerifierError::Carried(CarriedError::Malformed(_)))));
    }
    assert_eq!(world.verifier.dates().unwrap().0.map(|t| t.version), Some(1));
}

#[test]
fn only_lists_that_this_device_believes_are_passed_on() {
    let mut world = World::new("traffic-police");
    assert_eq!(Carried::decode(&world.verifier.carry().unwrap()).unwrap().lists.len(), 3);
    world.revoked_status = vec![hex::encode(world.status.certificate.sha256())];
    world.sync_trust();
    assert!(Carried::decode(&world.verifier.carry().unwrap()).unwrap().lists.is_empty());
    let report = peer(&world).take_carried(&world.verifier.carry().unwrap()).unwrap();
    assert_eq!(report.verdict.get(FactName::StatusSignature).unwrap().outcome(), Outcome::NotChecked);
    assert_eq!(report.trust.map(|t| t.version), Some(2));
}
