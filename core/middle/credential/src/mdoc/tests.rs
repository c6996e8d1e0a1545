mod annex_d;

use wallet_base::cbor::{self, Value};
use wallet_base::cose::Sign1Builder;
use wallet_base::crypto::{Curve, EphemeralKey, HashAlg, PublicKey, Signer, SoftwareKey};
use wallet_base::fact::{By, Fact, FactName, Outcome};
use wallet_base::time::Timestamp;
use wallet_base::x509::{self, CertificateSpec};

use super::*;
use crate::status::{SUSPENDED, StatusRef};
use crate::testing::{
    Authority, DAY, HOUR, INDEX, LADDER, LICENCE, LIST_URI, MDL, NS, World, conclusion, content, detail, edit, index, member, names, now,
    only_failed, outcome, targets, text_member, transcript, untag,
};
use crate::trust::{Anchors, EKU_DOCUMENT_SIGNER};
use crate::{Check, CredentialError, ExpectedType};

fn issued(world: &World) -> Vec<u8> {
    issue(&world.mdoc_spec(), &world.licences.key, &world.licences.cert, &world.rng).unwrap()
}

fn presented_by(key: &SoftwareKey, issued: &[u8], chosen: &[(&str, &str)]) -> Vec<u8> {
    let prepared = present(&IssuerSigned::decode(issued).unwrap(), &transcript(), chosen).unwrap();
    let signature = key.sign(prepared.to_be_signed()).unwrap();
    prepared.finish(&signature).unwrap()
}

fn presented(world: &World, issued: &[u8]) -> Vec<u8> {
    presented_by(&world.holder, issued, &[(NS, "family_name"), ("vn.gov.gplx.1", "points")])
}

fn judged(
    check: &Check<'_>,
    response: &[u8],
    transcript: &SessionTranscript,
    reader: Option<&EphemeralKey>,
) -> (Vec<Fact>, Option<VerifiedMdoc>) {
    let response = UnverifiedDeviceResponse::decode(response).unwrap();
    response.documents()[0].verify(check, transcript, reader)
}

/// Facts of a response judged in the ordinary world.
fn facts(world: &World, response: &[u8]) -> Vec<Fact> {
    let (facts, verified) = judged(&world.check_of(&world.mdl), response, &transcript(), None);
    assert_eq!(names(&facts), LADDER);
    assert_eq!(
        verified.is_some(),
        facts.iter().all(|fact| fact.outcome() != Outcome::Failed) && outcome(&facts, FactName::CredentialHolder) == Outcome::Passed
    );
    facts
}

/// The first document of a response, for editing.
fn document(value: &mut Value) -> &mut Value {
    index(text_member(value, "documents"), 0)
}

fn issuer_auth(value: &mut Value) -> &mut Value {
    text_member(text_member(document(value), "issuerSigned"), "issuerAuth")
}

fn items<'a>(value: &'a mut Value, name_space: &str) -> &'a mut Value {
    text_member(text_member(text_member(document(value), "issuerSigned"), "nameSpaces"), name_space)
}

#[test]
fn issued_presented_verified() {
    let world = World::new();
    let response = presented(&world, &issued(&world));
    let check = world.check_of(&world.mdl);
    let (facts, verified) = judged(&check, &response, &transcript(), None);
    assert_eq!(names(&facts), LADDER);
    assert_eq!(conclusion(&facts), "verified");
    assert!(facts.iter().all(|fact| fact.subject() == LICENCE && fact.by() == By::Verifier));
    let verified = verified.unwrap();
    // Exactly what was chosen.
    let shown: Vec<_> = verified.elements().map(|(ns, id, _)| (ns, id)).collect();
    assert_eq!(shown, [(NS, "family_name"), ("vn.gov.gplx.1", "points")]);
    assert_eq!(verified.element(NS, "family_name"), Some(&Value::text("NGUYỄN")));
    assert_eq!(verified.element(NS, "given_name"), None);
    assert_eq!((verified.doctype(), verified.device_elements().count()), (MDL, 0));
    assert_eq!(verified.signer().certificate(), &world.licences.cert);
    assert_eq!(verified.status(), Some(&StatusRef { uri: LIST_URI.to_owned(), index: INDEX }));
    assert_eq!(verified.valid_until(), now().plus_secs(29 * DAY));
    // Nothing of the holder in Debug.
    let printed = format!("{verified:?} {facts:?} {:?}", UnverifiedDeviceResponse::decode(&response));
    assert!(!printed.contains("NGUY"), "{printed}");
}

#[test]
fn a_mac_verifies_with_the_readers_key_only() {
    let world = World::new();
    let secret = EphemeralKey::from_scalar(&world.holder.scalar()).unwrap().agree(&world.reader.public()).unwrap();
    let issued = IssuerSigned::decode(&issued(&world)).unwrap();
    let prepared = || present(&issued, &transcript(), &[(NS, "family_name")]).unwrap();
    let response = prepared().finish_with_mac(secret.as_slice()).unwrap();
    assert_eq!(prepared().finish_with_mac(&secret[..31]), Err(CredentialError::Signing));
    assert_eq!(prepared().finish(&[0; 63]), Err(CredentialError::Signing));
    let check = world.check_of(&world.mdl);
    let (facts, verified) = judged(&check, &response, &transcript(), Some(&world.reader));
    assert_eq!((conclusion(&facts).as_str(), verified.is_some()), ("verified", true));
    let (facts, verified) = judged(&check, &response, &transcript(), Some(&EphemeralKey::generate(&world.rng)));
    only_failed(&facts, FactName::CredentialHolder, "MAC does not verify");
    assert!(verified.is_none());
    // Without the reader's key nothing is known about the holder: not checked, and no verified document.
    let (facts, verified) = judged(&check, &response, &transcript(), None);
    assert_eq!((conclusion(&facts).as_str(), verified.is_none()), ("undetermined:credential.holder", true));
    let other = openid4vp_transcript("x509_hash:test", "another", None, "https://verifier.test/response");
    only_failed(&judged(&check, &response, &other, Some(&world.reader)).0, FactName::CredentialHolder, "MAC does not verify");
}

#[test]
fn an_altered_element_fails_its_digest() {
    let world = World::new();
    let response = presented(&world, &issued(&world));
    let altered = edit(&response, |value| {
        let bytes = content(untag(index(items(value, NS), 0)));
        *bytes = edit(bytes, |item| *text_member(item, "elementValue") = Value::text("TRẦN"));
    });
    only_failed(&facts(&world, &altered), FactName::CredentialDigest, "does not match its digest");
    // Moved to another namespace, shown twice, under an identifier the issuer never signed.
    let moved = edit(&response, |value| {
        let item = index(items(value, NS), 0).clone();
        *items(value, "vn.gov.gplx.1") = Value::Array(vec![item]);
    });
    only_failed(&facts(&world, &moved), FactName::CredentialDigest, "");
    let twice = edit(&response, |value| {
        let item = index(items(value, NS), 0).clone();
        *items(value, NS) = Value::Array(vec![item.clone(), item]);
    });
    only_failed(&facts(&world, &twice), FactName::CredentialDigest, "twice");
    let unsigned = edit(&response, |value| {
        let bytes = content(untag(index(items(value, NS), 0)));
        *bytes = edit(bytes, |item| *text_member(item, "digestID") = Value::Unsigned(4000));
    });
    only_failed(&facts(&world, &unsigned), FactName::CredentialDigest, "without a signed digest");
}

#[test]
fn every_changed_byte_of_an_element_is_noticed() {
    let world = World::new();
    let response = presented(&world, &issued(&world));
    let name = "NGUYỄN".as_bytes();
    let at = response.windows(name.len()).position(|window| window == name).unwrap();
    for offset in 0..name.len() {
        let mut altered = response.clone();
        altered[at + offset] ^= 1;
        let verified = UnverifiedDeviceResponse::decode(&altered)
            .ok()
            .and_then(|response| response.documents()[0].verify(&world.check_of(&world.mdl), &transcript(), None).1);
        assert!(verified.is_none());
    }
}

#[test]
fn no_single_changed_byte_gives_another_verified_document() {
    let world = World::new();
    let response = presented(&world, &issued(&world));
    let check = world.check_of(&world.mdl);
    let genuine = judged(&check, &response, &transcript(), None).1.unwrap();
    for at in 0..response.len() {
        let mut altered = response.clone();
        altered[at] ^= 0x01;
        if let Ok(parsed) = UnverifiedDeviceResponse::decode(&altered)
            && let Some(document) = parsed.documents().first()
            && let Some(verified) = document.verify(&check, &transcript(), None).1
        {
            // Only what nobody signs may change: version and status of the response, and which elements are shown, since ISO 18013-5
            // lets the device sign the session but not the choice. Nothing new may appear.
            for (ns, id, value) in verified.elements() {
                assert_eq!(genuine.element(ns, id), Some(value), "byte {at}");
            }
        }
    }
}

#[test]
fn an_altered_digest_fails_the_issuers_signature() {
    let world = World::new();
    let altered = edit(&presented(&world, &issued(&world)), |value| {
        let payload = content(index(issuer_auth(value), 2));
        *payload = edit(payload, |wrapped| {
            let mso = content(untag(wrapped));
            *mso = edit(mso, |mso| {
                let Value::Map(digests) = text_member(text_member(mso, "valueDigests"), NS) else { panic!("no map") };
                content(&mut digests[0].1)[0] ^= 1;
            });
        });
    });
    only_failed(&facts(&world, &altered), FactName::CredentialSignature, "does not verify");
}

#[test]
fn another_device_fails_the_holder() {
    let world = World::new();
    let stranger = SoftwareKey::generate(Curve::P256, &world.rng);
    let copied = presented_by(&stranger, &issued(&world), &[(NS, "family_name")]);
    only_failed(&facts(&world, &copied), FactName::CredentialHolder, "device signature does not verify");
    // The stranger's key put into the security object breaks the issuer's signature instead.
    let swapped = edit(&copied, |value| {
        let payload = content(index(issuer_auth(value), 2));
        *payload = edit(payload, |wrapped| {
            let mso = content(untag(wrapped));
            *mso = edit(mso, |mso| *text_member(text_member(mso, "deviceKeyInfo"), "deviceKey") = stranger.public_key().to_cose_key());
        });
    });
    only_failed(&facts(&world, &swapped), FactName::CredentialSignature, "does not verify");
    let silent = edit(&copied, |value| {
        let Value::Map(entries) = document(value) else { panic!("no map") };
        entries.retain(|(key, _)| key.as_text() != Some("deviceSigned"));
    });
    only_failed(&facts(&world, &silent), FactName::CredentialHolder, "no device authentication");
}

#[test]
fn another_transcript_or_doctype_fails_the_holder() {
    let world = World::new();
    let response = presented(&world, &issued(&world));
    let other = openid4vp_transcript("x509_hash:else", "nonce", None, "https://verifier.test/response");
    only_failed(&judged(&world.check_of(&world.mdl), &response, &other, None).0, FactName::CredentialHolder, "does not verify");
    let renamed = edit(&response, |value| *text_member(document(value), "docType") = Value::text("org.iso.23220.photoID.1"));
    only_failed(&facts(&world, &renamed), FactName::CredentialHolder, "does not verify");
}

#[test]
fn a_genuine_document_of_another_type_fails_its_type() {
    let world = World::new();
    let response = presented(&world, &issued(&world));
    let expected = ExpectedType::new("citizen-identity", "org.iso.23220.photoID.1");
    let (facts, verified) = judged(&world.check_of(&expected), &response, &transcript(), None);
    only_failed(&facts, FactName::CredentialType, "another type");
    assert!(verified.is_none());
    assert_eq!(outcome(&facts, FactName::CredentialStatus), Outcome::Passed);
}

#[test]
fn a_signer_for_other_documents_fails_the_chain() {
    let world = World::new();
    let by_identities = issue(&world.mdoc_spec(), &world.identities.key, &world.identities.cert, &world.rng).unwrap();
    only_failed(&facts(&world, &presented(&world, &by_identities)), FactName::CredentialChain, "not listed for this document");
    let stranger = Authority::new(50, EKU_DOCUMENT_SIGNER);
    let by_stranger = issue(&world.mdoc_spec(), &stranger.key, &stranger.cert, &world.rng).unwrap();
    only_failed(&facts(&world, &presented(&world, &by_stranger)), FactName::CredentialChain, "signer not listed");
    // The genuine certificate beside a stranger's signature.
    let forged = edit(&presented(&world, &by_stranger), |value| {
        *index(issuer_auth(value), 1) = Value::Map(vec![(Value::int(33), Value::bytes(world.licences.cert.der()))]);
    });
    only_failed(&facts(&world, &forged), FactName::CredentialSignature, "does not verify");
    for (header, word) in
        [(Value::Map(vec![]), "names no signer"), (Value::Map(vec![(Value::int(33), Value::bytes(b"x"))]), "cannot be read")]
    {
        let unnamed = edit(&presented(&world, &by_stranger), |value| *index(issuer_auth(value), 1) = header);
        only_failed(&facts(&world, &unnamed), FactName::CredentialChain, word);
    }
}

#[test]
fn a_revoked_signer_fails_the_chain() {
    let mut world = World::new();
    let mut entry = world.licences.entry(&[LICENCE]);
    entry.revoked.push(hex::encode(world.licences.cert.sha256()));
    let response = presented(&world, &issued(&world));
    world.trust = targets(vec![entry], &world.status, |_| {});
    only_failed(&facts(&world, &response), FactName::CredentialChain, "revoked");
}

#[test]
fn validity_stands_beside_status_and_type() {
    let mut world = World::new();
    let response = presented(&world, &issued(&world));
    let at = |world: &World, at: Timestamp| {
        let check = Check { at, ..world.check_of(&world.mdl) };
        judged(&check, &response, &transcript(), None)
    };
    let late = now().plus_secs(29 * DAY);
    world.publish(crate::status::VALID, late.plus_secs(-HOUR), late.plus_secs(DAY));
    let (facts, verified) = at(&world, late);
    only_failed(&facts, FactName::CredentialValidity, "expired");
    assert!(verified.is_none());
    assert_eq!(outcome(&facts, FactName::CredentialStatus), Outcome::Passed);
    assert_eq!(conclusion(&at(&world, late.plus_secs(-1)).0), "verified");
    let early = now().plus_secs(-DAY - 61);
    world.publish(crate::status::VALID, early.plus_secs(-HOUR), late);
    only_failed(&at(&world, early).0, FactName::CredentialValidity, "not valid before");
    assert_eq!(conclusion(&at(&world, early.plus_secs(1)).0), "verified");
    // Expired and suspended: both are said.
    world.publish(SUSPENDED, late.plus_secs(-HOUR), late.plus_secs(DAY));
    let (facts, _) = at(&world, late);
    assert_eq!(outcome(&facts, FactName::CredentialValidity), Outcome::Failed);
    assert!(detail(&facts, FactName::CredentialStatus).contains("suspended"));
}

#[test]
fn signed_outside_the_signers_validity() {
    let world = World::new();
    let young = Authority::valid(60, EKU_DOCUMENT_SIGNER, now().plus_secs(-HOUR), now().plus_secs(DAY));
    let response = presented(&world, &issue(&world.mdoc_spec(), &young.key, &young.cert, &world.rng).unwrap());
    let trust = targets(vec![young.entry(&[LICENCE])], &world.status, |_| {});
    let check = Check { trust: &trust, ..world.check_of(&world.mdl) };
    only_failed(&judged(&check, &response, &transcript(), None).0, FactName::CredentialValidity, "signer's certificate");
}

#[test]
fn a_suspended_document_fails_its_status_and_a_missing_list_does_not() {
    let mut world = World::new();
    let response = presented(&world, &issued(&world));
    let issued_at = now().plus_secs(-HOUR);
    world.publish(SUSPENDED, issued_at, now().plus_secs(DAY));
    only_failed(&facts(&world, &response), FactName::CredentialStatus, &format!("suspended in the list of {issued_at}"));
    world.lists = crate::status::StatusLists::new();
    let (facts, verified) = judged(&world.check_of(&world.mdl), &response, &transcript(), None);
    assert_eq!((conclusion(&facts).as_str(), verified.is_some()), ("undetermined:status.freshness", true));
}

#[test]
fn what_the_device_adds_must_be_authorised() {
    let world = World::new();
    // A holder signs an element of its own.
    let issued = IssuerSigned::decode(&issued(&world)).unwrap();
    let own = cbor::encode(&Value::Map(vec![(Value::text(NS), Value::Map(vec![(Value::text("age_over_18"), Value::Bool(true))]))]));
    let own = crate::raw::tag_24(&own);
    let authentication = device_authentication_bytes(&transcript(), MDL, &own);
    let signature = Sign1Builder::new().sign_detached(authentication, b"", &world.holder).unwrap();
    let response = edit(&presented(&world, issued.bytes()), |value| {
        let signed = text_member(document(value), "deviceSigned");
        *text_member(signed, "nameSpaces") = cbor::decode(&own, LIMITS).unwrap();
        *text_member(text_member(signed, "deviceAuth"), "deviceSignature") = signature;
    });
    only_failed(&facts(&world, &response), FactName::CredentialHolder, "may not sign");
}

#[test]
fn der_signatures_and_unprotected_algorithms_fail() {
    let world = World::new();
    let response = presented(&world, &issued(&world));
    let der = edit(&response, |value| {
        let signature = content(index(issuer_auth(value), 3));
        *signature = x509::der_signature(signature).unwrap();
    });
    only_failed(&facts(&world, &der), FactName::CredentialSignature, "does not verify");
    let moved = edit(&response, |value| {
        let auth = issuer_auth(value);
        *content(index(auth, 0)) = Vec::new();
        let Value::Map(header) = index(auth, 1) else { panic!("no map") };
        header.push((Value::int(1), Value::int(-7)));
    });
    only_failed(&facts(&world, &moved), FactName::CredentialSignature, "does not verify");
    let device = edit(&response, |value| {
        let auth = text_member(text_member(text_member(document(value), "deviceSigned"), "deviceAuth"), "deviceSignature");
        *content(index(auth, 0)) = Vec::new();
        *index(auth, 1) = Value::Map(vec![(Value::int(1), Value::int(-7))]);
    });
    only_failed(&facts(&world, &device), FactName::CredentialHolder, "does not verify");
}

#[test]
fn peers_may_tag_and_chain_as_they_like() {
    let world = World::new();
    let response = presented(&world, &issued(&world));
    let tagged = edit(&response, |value| {
        let auth = issuer_auth(value);
        let Value::Map(header) = index(auth, 1) else { panic!("no map") };
        let (leaf, root) = (Value::bytes(world.licences.cert.der()), Value::bytes(world.licences.root.der()));
        header[0].1 = Value::Array(vec![leaf, root]);
        *auth = Value::tag(18, auth.clone());
    });
    assert_eq!(conclusion(&facts(&world, &tagged)), "verified");
    let check = Check { trust: &Anchors::new(vec![world.licences.root.clone()]), ..world.check_of(&world.mdl) };
    assert_eq!(conclusion(&judged(&check, &response, &transcript(), None).0), "verified");
}

/// The issued document with its security object changed and signed again by the issuer.
fn reissued(world: &World, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    edit(&issued(world), |value| {
        let auth = text_member(value, "issuerAuth");
        let mut wrapped = cbor::decode(content(index(auth, 2)), LIMITS).unwrap();
        let mso = content(untag(&mut wrapped));
        *mso = edit(mso, change);
        let builder = Sign1Builder::new().unprotected(Value::int(33), Value::bytes(world.licences.cert.der()));
        *auth = builder.sign_value(cbor::encode(&wrapped), b"", &world.licences.key).unwrap();
    })
}

#[test]
fn authorised_device_elements_are_kept_apart() {
    let world = World::new();
    let texts = |words: &[&str]| Value::Array(words.iter().map(|word| Value::text(word)).collect());
    let by_name_space = Value::Map(vec![(Value::text("nameSpaces"), texts(&["vn.gov.own.1"]))]);
    let by_element = Value::Map(vec![(Value::text("dataElements"), Value::Map(vec![(Value::text("vn.gov.own.1"), texts(&["note"]))]))]);
    let elsewhere = Value::Map(vec![(Value::text("dataElements"), Value::Map(vec![(Value::text("vn.gov.own.1"), texts(&["other"]))]))]);
    let own = Value::Map(vec![(Value::text("vn.gov.own.1"), Value::Map(vec![(Value::text("note"), Value::text("x"))]))]);
    let own = crate::raw::tag_24(&cbor::encode(&own));
    for (authorisation, allowed) in [(by_name_space, true), (by_element, true), (elsewhere, false)] {
        let issued = reissued(&world, |mso| {
            let Value::Map(info) = text_member(mso, "deviceKeyInfo") else { panic!("no map") };
            info.push((Value::text("keyAuthorizations"), authorisation));
        });
        let authentication = device_authentication_bytes(&transcript(), MDL, &own);
        let signature = Sign1Builder::new().sign_detached(authentication, b"", &world.holder).unwrap();
        let response = edit(&presented(&world, &issued), |value| {
            let signed = text_member(document(value), "deviceSigned");
            *text_member(signed, "nameSpaces") = cbor::decode(&own, LIMITS).unwrap();
            *text_member(text_member(signed, "deviceAuth"), "deviceSignature") = signature;
        });
        let (facts, verified) = judged(&world.check_of(&world.mdl), &response, &transcript(), None);
        if !allowed {
            only_failed(&facts, FactName::CredentialHolder, "may not sign");
            continue;
        }
        let verified = verified.unwrap();
        assert_eq!(verified.device_elements().collect::<Vec<_>>(), [("vn.gov.own.1", "note", &Value::text("x"))]);
        assert_eq!(verified.element("vn.gov.own.1", "note"), None);
    }
}

#[test]
fn longer_digests_are_understood() {
    let world = World::new();
    for (name, alg) in [("SHA-384", HashAlg::Sha384), ("SHA-512", HashAlg::Sha512)] {
        let original = IssuerSigned::decode(&issued(&world)).unwrap();
        let issued = edit(original.bytes(), |value| {
            let auth = text_member(value, "issuerAuth");
            let mut wrapped = cbor::decode(content(index(auth, 2)), LIMITS).unwrap();
            let mso = content(untag(&mut wrapped));
            *mso = edit(mso, |mso| {
                *text_member(mso, "digestAlgorithm") = Value::text(name);
                for (ns, item) in original.items() {
                    let digest = member(text_member(text_member(mso, "valueDigests"), ns), &Value::Unsigned(item.digest_id));
                    *digest = Value::bytes(&alg.digest(&item.raw));
                }
            });
            let builder = Sign1Builder::new().unprotected(Value::int(33), Value::bytes(world.licences.cert.der()));
            *auth = builder.sign_value(cbor::encode(&wrapped), b"", &world.licences.key).unwrap();
        });
        assert_eq!(conclusion(&facts(&world, &presented(&world, &issued))), "verified", "{name}");
        // The right digests under another name.
        let renamed = edit(&issued, |value| {
            let auth = text_member(value, "issuerAuth");
            let mut wrapped = cbor::decode(content(index(auth, 2)), LIMITS).unwrap();
            let mso = content(untag(&mut wrapped));
            *mso = edit(mso, |mso| *text_member(mso, "digestAlgorithm") = Value::text("SHA-256"));
            let builder = Sign1Builder::new().unprotected(Value::int(33), Value::bytes(world.licences.cert.der()));
            *auth = builder.sign_value(cbor::encode(&wrapped), b"", &world.licences.key).unwrap();
        });
        only_failed(&facts(&world, &presented(&world, &renamed)), FactName::CredentialDigest, "does not match");
    }
}

#[test]
fn peers_may_use_indefinite_lengths_outside_what_is_hashed() {
    let world = World::new();
    let response = presented(&world, &issued(&world));
    // The outermost map: a3 .. becomes bf .. ff.
    assert_eq!(response[0], 0xa3);
    let mut indefinite = vec![0xbf];
    indefinite.extend_from_slice(&response[1..]);
    indefinite.push(0xff);
    assert_eq!(conclusion(&facts(&world, &indefinite)), "verified");
}

#[test]
fn the_wallet_stores_only_what_was_issued_to_its_key() {
    let world = World::new();
    let check = Check { by: By::Wallet, ..world.check_of(&world.mdl) };
    let bytes = issued(&world);
    let (facts, verified) = verify_issued(&bytes, &check, &world.holder.public_key()).unwrap();
    assert_eq!((names(&facts).as_slice(), conclusion(&facts).as_str()), (LADDER.as_slice(), "verified"));
    let verified = verified.unwrap();
    assert_eq!((verified.issuer_signed().bytes(), verified.elements().count()), (bytes.as_slice(), 4));
    let other = SoftwareKey::generate(Curve::P256, &world.rng).public_key();
    let (facts, verified) = verify_issued(&bytes, &check, &other).unwrap();
    only_failed(&facts, FactName::CredentialHolder, "another key");
    assert!(verified.is_none());
    let expected = ExpectedType::new("citizen-identity", "org.iso.23220.photoID.1");
    let check = Check { expected: &expected, ..check };
    only_failed(&verify_issued(&bytes, &check, &world.holder.public_key()).unwrap().0, FactName::CredentialType, "");
}

#[test]
fn issuing_and_presenting_refuse_nonsense() {
    let world = World::new();
    let try_issue = |change: fn(&mut MdocSpec)| {
        let mut spec = world.mdoc_spec();
        change(&mut spec);
        issue(&spec, &world.licences.key, &world.licences.cert, &world.rng)
    };
    assert!(matches!(try_issue(|spec| spec.elements.clear()), Err(CredentialError::Specification(_))));
    assert!(matches!(try_issue(|spec| spec.elements.push(spec.elements[0].clone())), Err(CredentialError::Specification(_))));
    assert!(matches!(try_issue(|spec| spec.valid_until = spec.valid_from), Err(CredentialError::Specification(_))));
    assert!(matches!(try_issue(|spec| spec.valid_from = spec.signed.plus_secs(-1)), Err(CredentialError::Specification(_))));
    let wrong = issue(&world.mdoc_spec(), &world.identities.key, &world.licences.cert, &world.rng);
    assert!(matches!(wrong, Err(CredentialError::Specification(_))));
    let issued = IssuerSigned::decode(&issued(&world)).unwrap();
    assert!(matches!(present(&issued, &transcript(), &[(NS, "weight")]), Err(CredentialError::NoSuchElement)));
    assert!(matches!(present(&issued, &transcript(), &[]), Err(CredentialError::Specification(_))));
}

#[test]
fn digest_identifiers_do_not_follow_the_order_of_elements() {
    let world = World::new();
    let orders: std::collections::BTreeSet<Vec<u64>> =
        (0..12).map(|_| IssuerSigned::decode(&issued(&world)).unwrap().items().map(|(_, item)| item.digest_id).collect()).collect();
    assert!(orders.len() > 3, "{orders:?}");
}

#[test]
fn malformed_responses_are_refused() {
    let world = World::new();
    let response = presented(&world, &issued(&world));
    let decode = |bytes: &[u8]| UnverifiedDeviceResponse::decode(bytes).map(|_| ());
    assert!(decode(&response).is_ok());
    assert_eq!(decode(&vec![0; MAX_RESPONSE_BYTES + 1]), Err(CredentialError::TooLarge("device response")));
    for length in 0..response.len() {
        assert!(decode(&response[..length]).is_err(), "{length}");
    }
    let twice = edit(&response, |value| {
        let Value::Map(entries) = document(value) else { panic!("no map") };
        let again = entries[0].clone();
        entries.push(again);
    });
    assert!(decode(&twice).is_err());
    let both = edit(&response, |value| {
        let Value::Map(auth) = text_member(text_member(document(value), "deviceSigned"), "deviceAuth") else { panic!("no map") };
        let mac = (Value::text("deviceMac"), auth[0].1.clone());
        auth.push(mac);
    });
    assert!(decode(&both).is_err());
    let version = edit(&response, |value| *text_member(value, "version") = Value::text("2.0"));
    assert!(matches!(decode(&version), Err(CredentialError::Unsupported(_))));
    // The status is mandatory (8.3.2.1.2.2).
    let without_status = edit(&response, |value| {
        let Value::Map(entries) = value else { panic!("no map") };
        entries.retain(|(key, _)| *key != Value::text("status"));
    });
    assert_eq!(decode(&without_status), Err(CredentialError::Malformed("device response")));
    let many = edit(&response, |value| {
        let one = document(value).clone();
        *text_member(value, "documents") = Value::Array(vec![one; MAX_DOCUMENTS + 1]);
    });
    assert!(matches!(decode(&many), Err(CredentialError::TooLarge(_))));
    for (key, replaced) in [("version", Value::text("1.1")), ("digestAlgorithm", Value::text("MD5")), ("validityInfo", Value::Null)] {
        let altered = edit(&response, |value| {
            let payload = content(index(issuer_auth(value), 2));
            *payload = edit(payload, |wrapped| {
                let mso = content(untag(wrapped));
                *mso = edit(mso, |mso| *text_member(mso, key) = replaced);
            });
        });
        assert!(decode(&altered).is_err(), "{key}");
    }
}

#[test]
fn session_transcripts_are_arrays_of_three() {
    let wrapped = transcript().bytes();
    assert_eq!(SessionTranscript::from_bytes(&wrapped), Ok(transcript()));
    assert_eq!(SessionTranscript::from_bytes(transcript().array()), Ok(transcript()));
    for bad in [&[0x82, 0xf6, 0xf6][..], &[0xf6], &[], &wrapped[..9]] {
        assert!(SessionTranscript::from_bytes(bad).is_err());
    }
}

/// ISO 18013-5, annex B.1.4: the profile of the document signer that the chain asks for.
#[test]
fn a_signer_certificate_without_the_purpose_fails_the_chain() {
    let world = World::new();
    let spec = CertificateSpec {
        common_name: "Web server".to_owned(),
        organization: None,
        country: None,
        not_before: now().plus_secs(-DAY),
        not_after: now().plus_secs(DAY),
        public_key: world.licences.key.public_key(),
        is_ca: false,
        extended_key_usage: vec!["1.3.6.1.5.5.7.3.1".to_owned()],
        extensions: Vec::new(),
        lean: false,
    };
    let cert = x509::issue(&spec, Some(&world.licences.root), &world.licences.root_key, &world.rng).unwrap();
    let response = presented(&world, &issue(&world.mdoc_spec(), &world.licences.key, &cert, &world.rng).unwrap());
    let check = Check { trust: &Anchors::new(vec![world.licences.root.clone()]), ..world.check_of(&world.mdl) };
    only_failed(&judged(&check, &response, &transcript(), None).0, FactName::CredentialChain, "purpose");
}
