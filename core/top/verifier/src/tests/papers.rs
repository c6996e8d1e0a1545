//! The device's certificate: what is refused before it is stored, and what ends it afterwards.

use wallet_base::crypto::{Curve, Signer, SoftwareKey};
use wallet_base::x509::{self, Certificate};
use wallet_exchange::certificate::reader_certificate;

use super::world::{Authority, DAY, World};
use crate::VerifierError;
use crate::enrol::check_certificate;

fn refused(world: &World, certificate: &Certificate, key: &SoftwareKey) -> bool {
    let trust = world.verifier.trust().unwrap();
    check_certificate(certificate.der(), Some(&key.public_key()), &trust.targets, world.now()).is_err()
}

#[test]
fn a_certificate_must_be_mine_by_a_listed_authority_and_short() {
    let world = World::new("flight");
    let key = SoftwareKey::generate(Curve::P256, &world.random);
    let genuine = world.staff_certificate("flight", key.public_key(), world.now());
    assert!(!refused(&world, &genuine, &key));

    let other_key = SoftwareKey::generate(Curve::P256, &world.random);
    assert!(refused(&world, &genuine, &other_key), "for another key");

    let stranger = Authority::new(88, "", world.start);
    let spec = reader_certificate("flight", "Hãng bay", "device-7", key.public_key(), world.now()).unwrap();
    let foreign = x509::issue(&spec, Some(&stranger.root), &stranger.root_key, &world.random).unwrap();
    assert!(refused(&world, &foreign, &key), "by an authority that is not listed");

    let mut long = spec.clone();
    long.not_after = long.not_after.plus_secs(DAY);
    let issue = |spec| x509::issue(spec, Some(&world.reader.root), &world.reader.root_key, &world.random).unwrap();
    assert!(refused(&world, &issue(&long), &key), "eight days");

    let mut no_reader = spec.clone();
    no_reader.extended_key_usage = vec!["1.0.18013.5.1.2".to_owned()];
    assert!(refused(&world, &issue(&no_reader), &key), "for another use");

    let mut no_role = spec.clone();
    no_role.extensions.clear();
    assert!(refused(&world, &issue(&no_role), &key), "without a role");

    let mut large = spec.clone();
    large.organization = Some("Tổng công ty hàng không có một cái tên rất dài để in lên giấy".repeat(2));
    assert!(refused(&world, &issue(&large), &key), "too large for a request");

    let mut early = spec;
    early.not_before = world.now().plus_secs(DAY);
    assert!(refused(&world, &issue(&early), &key), "not yet valid");
}

#[test]
fn a_revoked_certificate_or_authority_ends_asking() {
    for authority in [false, true] {
        let mut world = World::new("flight");
        let leaf = Certificate::from_der(&world.verifier.papers().unwrap().unwrap().certificate).unwrap();
        let revoked = if authority { world.reader.root.sha256() } else { leaf.sha256() };
        world.revoked_readers = vec![hex::encode(revoked)];
        world.sync_trust();
        assert!(matches!(world.ask("citizen-identity", &[]), Err(VerifierError::CertificateEnded)));
    }
}

#[test]
fn a_certificate_ends_after_seven_days() {
    let world = World::new("flight");
    assert!(world.ask("citizen-identity", &[]).is_ok());
    world.clock.advance_secs(7 * 86_400);
    assert!(matches!(world.ask("citizen-identity", &[]), Err(VerifierError::CertificateEnded)));
}

#[test]
fn a_device_without_papers_or_trust_says_what_is_missing() {
    let mut world = World::new("flight");
    world.verifier.write(|tx| tx.execute("DELETE FROM staff", []).map(|_| ())).unwrap();
    assert!(matches!(world.ask("citizen-identity", &[]), Err(VerifierError::NotEnrolled)));
    assert_eq!(world.verifier.staff().unwrap(), None);
    std::fs::remove_dir_all(world.directory.path().join("officer/trust")).unwrap();
    world.restart();
    assert!(matches!(world.ask("citizen-identity", &[]), Err(VerifierError::NoTrust)));
}

#[test]
fn staff_is_what_the_certificate_says() {
    let mut world = World::new("flight");
    world.restart();
    let staff = world.verifier.staff().unwrap().unwrap();
    assert_eq!((staff.role.as_str(), staff.organisation.as_str(), staff.device.as_str()), ("flight", "Hãng bay", "device-7"));
    assert_eq!(staff.place, "Cổng 12, Nội Bài");
    assert_eq!(staff.valid_until, world.start.plus_secs(7 * DAY));
}

#[test]
fn bad_input_codes_that_cannot_be_codes_are_not_sent() {
    let world = World::new("flight");
    for code in ["", "  ", "abc def", "x\n", &"A".repeat(65)] {
        let result = world.verifier.enrol(code);
        if code == "x\n" {
            // A line end around a code is no part of it; nobody listens at the service's address.
            assert!(matches!(result, Err(VerifierError::Http(_))));
        } else {
            assert!(matches!(result, Err(VerifierError::Parameter("code"))), "{code}");
        }
    }
}
