use super::*;
use crate::testing::{Authority, DAY, IDENTITY, LICENCE, World, now, targets};
use crate::{CredentialError, testing};

fn signer(trust: &dyn IssuerTrust, authority: &Authority, document: Option<&str>, at: Timestamp) -> Result<String, Untrusted> {
    let by_kid = trust.signer(SignerRef::Kid(&authority.cert.kid8()), document, at).map(|signer| signer.issuer_name().to_owned());
    let by_cert = trust.signer(SignerRef::Certificate(&authority.cert), document, at).map(|signer| signer.issuer_name().to_owned());
    assert_eq!(by_kid, by_cert);
    by_kid
}

#[test]
fn a_listed_signer_is_good_for_its_documents_only() {
    let world = World::new();
    assert_eq!(signer(&world.trust, &world.licences, Some(LICENCE), now()), Ok("Test authority".to_owned()));
    assert_eq!(signer(&world.trust, &world.licences, None, now()), Ok("Test authority".to_owned()));
    assert_eq!(signer(&world.trust, &world.licences, Some(IDENTITY), now()), Err(Untrusted::NotForDocument));
    assert_eq!(signer(&world.trust, &Authority::new(77, EKU_DOCUMENT_SIGNER), Some(LICENCE), now()), Err(Untrusted::UnknownSigner));
    assert_eq!(world.trust.authority_for(IDENTITY), Some(("test", "Test authority")));
    assert_eq!(world.trust.authority_for("unknown"), None);
}

#[test]
fn a_revoked_signer_or_root_dies_whole() {
    let world = World::new();
    for hash in [world.licences.cert.sha256(), world.licences.root.sha256()] {
        let mut entry = world.licences.entry(&[LICENCE]);
        entry.revoked.push(hex::encode(hash).to_uppercase());
        let trust = targets(vec![entry], &world.status, |_| {});
        assert_eq!(signer(&trust, &world.licences, Some(LICENCE), now()), Err(Untrusted::Revoked));
    }
}

#[test]
fn a_listed_signer_must_chain_be_valid_and_be_a_document_signer() {
    let world = World::new();
    let mut mixed = world.licences.entry(&[LICENCE]);
    mixed.root = world.identities.entry(&[]).root;
    let trust = targets(vec![mixed], &world.status, |_| {});
    assert_eq!(signer(&trust, &world.licences, Some(LICENCE), now()), Err(Untrusted::NotUnderRoot));
    assert_eq!(signer(&world.trust, &world.licences, Some(LICENCE), now().plus_secs(401 * DAY)), Err(Untrusted::OutsideValidity));
    assert_eq!(signer(&world.trust, &world.licences, Some(LICENCE), now().plus_secs(-101 * DAY)), Err(Untrusted::OutsideValidity));
    for usage in [EKU_READER, ""] {
        let authority = Authority::new(6, usage);
        let trust = targets(vec![authority.entry(&[LICENCE])], &world.status, |_| {});
        assert_eq!(signer(&trust, &authority, Some(LICENCE), now()), Err(Untrusted::WrongPurpose));
    }
}

#[test]
fn a_signer_listed_twice_counts_where_it_is_good() {
    let world = World::new();
    let (first, second) = (world.licences.entry(&[IDENTITY]), world.licences.entry(&[LICENCE]));
    let trust = targets(vec![first.clone(), second.clone()], &world.status, |_| {});
    assert!(signer(&trust, &world.licences, Some(LICENCE), now()).is_ok());
    let mut revoked = second;
    revoked.revoked.push(hex::encode(world.licences.cert.sha256()));
    for entries in [vec![first.clone(), revoked.clone()], vec![revoked, first]] {
        let trust = targets(entries, &world.status, |_| {});
        assert_eq!(signer(&trust, &world.licences, Some(LICENCE), now()), Err(Untrusted::Revoked));
    }
}

#[test]
fn anchors_trust_themselves_and_what_is_directly_under_them() {
    let world = World::new();
    let root = Anchors::new(vec![world.licences.root.clone()]);
    let leaf = Anchors::new(vec![world.licences.cert.clone()]);
    let ask = |anchors: &Anchors, authority: &Authority, at| {
        anchors.signer(SignerRef::Certificate(&authority.cert), Some(LICENCE), at).map(|signer| signer.certificate().sha256())
    };
    assert_eq!(ask(&root, &world.licences, now()), Ok(world.licences.cert.sha256()));
    assert_eq!(ask(&leaf, &world.licences, now()), Ok(world.licences.cert.sha256()));
    assert!(leaf.signer(SignerRef::Kid(&world.licences.cert.kid8()), None, now()).is_ok());
    assert_eq!(ask(&root, &world.identities, now()), Err(Untrusted::UnknownSigner));
    assert_eq!(ask(&root, &world.licences, now().plus_secs(500 * DAY)), Err(Untrusted::OutsideValidity));
    assert_eq!(ask(&leaf, &world.licences, now().plus_secs(500 * DAY)), Err(Untrusted::OutsideValidity));
    // The same names under another key.
    let twin = testing::Authority::new(2, "");
    let other = Authority { root: world.identities.root.clone(), ..twin };
    assert_eq!(ask(&Anchors::new(vec![other.root]), &world.licences, now()), Err(Untrusted::UnknownSigner));
    let purposeless = Authority::new(8, "");
    assert_eq!(ask(&Anchors::new(vec![purposeless.root.clone()]), &purposeless, now()), Err(Untrusted::WrongPurpose));
}

#[test]
fn targets_of_other_shapes_are_refused() {
    let empty = br#"{"version":1,"issuers":[]}"#.to_vec();
    let readers = br#"{"version":1,"authorities":[],"roles":{"version":1,"roles":[]},"revoked":[]}"#.to_vec();
    let status = br#"{"version":1,"signers":[]}"#.to_vec();
    let cards = br#"{"version":1,"csca":["AAEC"],"revoked":[]}"#.to_vec();
    let parse = |parts: [&[u8]; 4]| TrustTargets::parse(parts[0], parts[1], parts[2], parts[3]);
    let good = parse([&empty, &readers, &status, &cards]).unwrap();
    assert_eq!(good.csca(), [vec![0, 1, 2]]);
    assert_eq!(good.roles(), r#"{"roles":[],"version":1}"#);
    assert!(good.reader_authorities().is_empty() && good.revoked_readers().is_empty() && good.revoked_card_signers().is_empty());
    assert!(good.status_signers().is_empty());
    let bad: [[&[u8]; 4]; 6] = [
        [br#"{"version":2,"issuers":[]}"#, &readers, &status, &cards],
        [b"[]", &readers, &status, &cards],
        [&empty, b"{}", &status, &cards],
        [&empty, &readers, br#"{"version":1,"signers":["not base64!"]}"#, &cards],
        [&empty, &readers, br#"{"version":1,"signers":["AAEC"]}"#, &cards],
        [&empty, &readers, &status, br#"{"version":1,"csca":[],"revoked":["00"]}"#],
    ];
    for parts in bad {
        assert!(matches!(parse(parts), Err(CredentialError::Trust(_))));
    }
    let huge = vec![b' '; 5 * 1024 * 1024];
    assert!(matches!(parse([&huge, &readers, &status, &cards]), Err(CredentialError::TooLarge(_))));
}
