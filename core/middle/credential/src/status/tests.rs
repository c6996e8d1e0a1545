use wallet_base::cbor::{self, Limits, Value};
use wallet_base::cose::Sign1Builder;
use wallet_base::crypto::PublicKey;
use wallet_base::fact::{By, FactName, Outcome};
use wallet_base::jose::{self, Jws};
use wallet_base::time::Timestamp;

use super::*;
use crate::CredentialError;
use crate::testing::{
    Authority, DAY, HOUR, INDEX, LIST_URI, World, conclusion, detail, list_token, names, now, only_failed, outcome, targets, vector_json,
};
use crate::trust::{EKU_STATUS_SIGNER, StatusKey};

#[test]
fn vector_lists_of_the_draft() {
    let file = vector_json("token-status-list/vectors.json");
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 4);
    for vector in vectors {
        let bits = Bits::from_count(vector["bits"].as_u64().unwrap()).unwrap();
        let lst = jose::b64u_decode(vector["json"]["lst"].as_str().unwrap()).unwrap();
        let list = StatusList::from_compressed(bits, &lst).unwrap();
        let cbor = cbor::decode(&hex::decode(vector["cbor_hex"].as_str().unwrap()).unwrap(), Limits::STRICT).unwrap();
        assert_eq!(cbor.get_text("bits").and_then(Value::as_u64), vector["bits"].as_u64());
        let same = StatusList::from_compressed(bits, cbor.get_text("lst").and_then(Value::as_bytes).unwrap()).unwrap();
        assert_eq!(list, same);
        assert_eq!(list.len(), vector["size"].as_u64().unwrap());
        let mut expected = StatusList::new(bits, list.len()).unwrap();
        for entry in vector["expected"].as_array().unwrap() {
            let (index, status) = (entry["index"].as_u64().unwrap(), u8::try_from(entry["status"].as_u64().unwrap()).unwrap());
            assert_eq!(list.get(index), Some(status), "{} {index}", vector["name"]);
            expected.set(index, status).unwrap();
        }
        // Every entry that is not named is 0; and what we build from the table alone is the same list.
        assert_eq!(expected, list);
        assert_eq!(StatusList::from_compressed(bits, &expected.compress()).unwrap(), list);
        assert_eq!(list.get(list.len()), None);
    }
}

#[test]
fn vector_short_lists_of_the_draft() {
    let file = vector_json("token-status-list/vectors.json");
    for vector in file["short_vectors"].as_array().unwrap() {
        let bits = Bits::from_count(vector["bits"].as_u64().unwrap()).unwrap();
        let bytes = hex::decode(vector["uncompressed_hex"].as_str().unwrap()).unwrap();
        let lst = jose::b64u_decode(vector["json"]["lst"].as_str().unwrap()).unwrap();
        let list = StatusList::from_compressed(bits, &lst).unwrap();
        assert_eq!(list.bytes(), bytes);
        assert_eq!(list, StatusList::from_bytes(bits, bytes).unwrap());
        let cbor = cbor::decode(&hex::decode(vector["cbor_hex"].as_str().unwrap()).unwrap(), Limits::STRICT).unwrap();
        assert_eq!(cbor.get_text("lst").and_then(Value::as_bytes), Some(lst.as_slice()));
    }
}

#[test]
fn vector_signed_list_of_the_draft() {
    let file = vector_json("token-status-list/tokens.json");
    let mut jwk = file["signing_key_jwk"].clone();
    jwk.as_object_mut().unwrap().remove("d");
    let key = PublicKey::from_jwk(&jwk).unwrap();
    let token = hex::decode(file["status_list_cwt_hex"].as_str().unwrap()).unwrap();
    let trust = StatusKey { kid: b"12".to_vec(), key: key.clone() };
    let uri = "https://example.com/statuslists/1";
    let at = Timestamp::from_unix(1_686_920_170 + HOUR);
    let (facts, list) = UnverifiedStatusList::decode(&token).unwrap().verify(&trust, uri, at, By::Verifier);
    assert_eq!(names(&facts), ["status.signature", "status.freshness"]);
    assert_eq!(conclusion(&facts), "verified");
    let list = list.unwrap();
    assert_eq!((list.uri(), list.len(), list.ttl_secs()), (uri, 16, Some(43_200)));
    assert_eq!((list.issued_at().unix(), list.expires().unwrap().unix()), (1_686_920_170, 2_291_720_170));
    let statuses: Vec<u8> = (0..16).map(|index| list.get(index).unwrap()).collect();
    assert_eq!(statuses, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]);

    // The same list as JWT, read with the same key.
    let jwt = Jws::parse(file["status_list_jwt"].as_str().unwrap()).unwrap();
    jwt.verify(&key).unwrap();
    let lst = jose::b64u_decode(jwt.payload()["status_list"]["lst"].as_str().unwrap()).unwrap();
    assert_eq!(StatusList::from_compressed(Bits::One, &lst).unwrap().get(0), Some(1));

    // The referenced token names this list.
    let referenced = hex::decode(file["referenced_token_cwt_hex"].as_str().unwrap()).unwrap();
    let referenced = wallet_base::cose::Sign1::decode(&referenced, Limits::STRICT).unwrap();
    referenced.verify(&key, b"").unwrap();
    let claims = cbor::decode(referenced.payload().unwrap(), Limits::STRICT).unwrap();
    let reference = StatusRef::from_value(claims.get_int(65535).unwrap()).unwrap();
    assert_eq!(reference, StatusRef { uri: uri.to_owned(), index: 0 });
    assert_eq!(cbor::encode(&reference.to_value()), cbor::encode(claims.get_int(65535).unwrap()));

    // One changed byte anywhere, another key identifier, the time after `exp`.
    for at_byte in 0..token.len() {
        let mut altered = token.clone();
        altered[at_byte] ^= 1;
        let verified = UnverifiedStatusList::decode(&altered).ok().and_then(|list| list.verify(&trust, uri, at, By::Verifier).1);
        assert!(verified.is_none(), "byte {at_byte}");
    }
    let other = StatusKey { kid: b"13".to_vec(), key };
    let (facts, _) = UnverifiedStatusList::decode(&token).unwrap().verify(&other, uri, at, By::Verifier);
    only_failed(&facts, FactName::StatusSignature, "not listed");
    let early = Timestamp::from_unix(1_686_920_170 - 61);
    let (facts, _) = UnverifiedStatusList::decode(&token).unwrap().verify(&trust, uri, early, By::Verifier);
    only_failed(&facts, FactName::StatusFreshness, "in the future");
    let late = Timestamp::from_unix(2_291_720_170);
    let (facts, _) = UnverifiedStatusList::decode(&token).unwrap().verify(&trust, uri, late, By::Verifier);
    assert_eq!(conclusion(&facts), "rejected:status.freshness");
}

#[test]
fn entries_do_not_touch_their_neighbours() {
    for bits in [Bits::One, Bits::Two, Bits::Four, Bits::Eight] {
        let top = u8::MAX >> (8 - bits.count());
        let mut list = StatusList::new(bits, 24).unwrap();
        for index in (0..24).step_by(2) {
            list.set(index, top).unwrap();
        }
        for index in 0..24 {
            assert_eq!(list.get(index), Some(if index % 2 == 0 { top } else { 0 }), "{bits:?} {index}");
        }
        list.set(4, 0).unwrap();
        assert_eq!((list.get(2), list.get(4), list.get(6)), (Some(top), Some(0), Some(top)));
        assert!(list.set(list.len(), 0).is_err());
        assert!(bits == Bits::Eight || list.set(0, top + 1).is_err());
        assert_eq!(list.get(u64::MAX), None);
    }
    assert_eq!(Bits::from_count(3), None);
}

#[test]
fn a_zlib_bomb_is_refused() {
    // 64 MiB of zeros in about 64 KiB.
    let bomb = miniz_oxide::deflate::compress_to_vec_zlib(&vec![0; 64 << 20], 9);
    assert!(bomb.len() < 128 * 1024);
    assert_eq!(StatusList::from_compressed(Bits::One, &bomb), Err(CredentialError::TooLarge("status list")));
    assert_eq!(StatusList::new(Bits::Eight, u64::MAX).unwrap_err(), CredentialError::TooLarge("status list"));
    let broken = StatusList::new(Bits::One, 4096).unwrap().compress();
    assert!(StatusList::from_compressed(Bits::One, &broken[..broken.len() - 1]).is_err());
    assert!(StatusList::from_compressed(Bits::One, b"no zlib").is_err());
}

#[test]
fn our_own_list_reads_back() {
    let world = World::new();
    let token = list_token(&world.status, SUSPENDED, now(), now().plus_secs(14 * DAY));
    assert!(token.len() < 1200, "{}", token.len());
    let (facts, list) = UnverifiedStatusList::decode(&token).unwrap().verify(&world.trust, LIST_URI, now(), By::Wallet);
    assert_eq!(conclusion(&facts), "verified");
    let list = list.unwrap();
    assert_eq!((list.get(INDEX), list.get(INDEX + 1), list.len()), (Some(SUSPENDED), Some(VALID), 1 << 20));
}

#[test]
fn list_by_another_signer_fails_its_signature() {
    let world = World::new();
    let end = now().plus_secs(14 * DAY);
    let verify = |token: &[u8], uri: &str| UnverifiedStatusList::decode(token).unwrap().verify(&world.trust, uri, now(), By::Verifier);
    let stranger = Authority::new(99, EKU_STATUS_SIGNER);
    let (facts, list) = verify(&list_token(&stranger, VALID, now(), end), LIST_URI);
    only_failed(&facts, FactName::StatusSignature, "signer not listed");
    assert!(list.is_none());
    // The same with the genuine signer's identifier on it.
    let genuine = &world.status;
    let forged = Authority { key: stranger.key, cert: genuine.cert.clone(), root: stranger.root, root_key: stranger.root_key };
    let (facts, list) = verify(&list_token(&forged, VALID, now(), end), LIST_URI);
    only_failed(&facts, FactName::StatusSignature, "does not verify");
    assert!(list.is_none());
    // A genuine list for another address.
    let (facts, list) = verify(&list_token(genuine, VALID, now(), end), "https://central.test/status/other");
    only_failed(&facts, FactName::StatusSignature, "another address");
    assert!(list.is_none());
}

#[test]
fn revoked_expired_or_purposeless_status_signers() {
    let world = World::new();
    let token = list_token(&world.status, VALID, now(), now().plus_secs(14 * DAY));
    let hash = hex::encode(world.status.cert.sha256());
    let revoked = targets(Vec::new(), &world.status, |target| target.revoked.push(hash));
    let verify = |token: &[u8], trust: &crate::trust::TrustTargets, at| {
        UnverifiedStatusList::decode(token).unwrap().verify(trust, LIST_URI, at, By::Verifier).0
    };
    only_failed(&verify(&token, &revoked, now()), FactName::StatusSignature, "revoked");
    only_failed(&verify(&token, &world.trust, now().plus_secs(500 * DAY)), FactName::StatusSignature, "validity");
    let wrong = Authority::new(5, crate::trust::EKU_DOCUMENT_SIGNER);
    let token = list_token(&wrong, VALID, now(), now().plus_secs(DAY));
    only_failed(&verify(&token, &targets(Vec::new(), &wrong, |_| {}), now()), FactName::StatusSignature, "purpose");
}

fn signed_claims(world: &World, typ: &str, claims: Vec<(Value, Value)>) -> Vec<u8> {
    Sign1Builder::new()
        .protected(Value::int(4), Value::bytes(&world.status.cert.kid8()))
        .protected(Value::int(16), Value::text(typ))
        .sign(cbor::encode(&Value::Map(claims)), b"", &world.status.key)
        .unwrap()
}

#[test]
fn malformed_lists_are_no_lists() {
    let world = World::new();
    let claims = |bits: u64, lst: Vec<u8>| {
        let list = Value::Map(vec![(Value::text("bits"), Value::Unsigned(bits)), (Value::text("lst"), Value::Bytes(lst))]);
        vec![(Value::int(2), Value::text(LIST_URI)), (Value::int(6), Value::int(now().unix())), (Value::int(65533), list)]
    };
    let good = StatusList::new(Bits::One, 8).unwrap().compress();
    let decode = |typ: &str, claims: Vec<(Value, Value)>| UnverifiedStatusList::decode(&signed_claims(&world, typ, claims));
    assert!(decode(CONTENT_TYPE, claims(1, good.clone())).is_ok());
    assert!(decode("application/sd-cwt", claims(1, good.clone())).is_err());
    assert!(decode(CONTENT_TYPE, claims(3, good.clone())).is_err());
    assert!(decode(CONTENT_TYPE, claims(1, b"x".to_vec())).is_err());
    for missing in 0..3 {
        let mut claims = claims(1, good.clone());
        claims.remove(missing);
        assert!(decode(CONTENT_TYPE, claims).is_err(), "{missing}");
    }
    let mut twice = claims(1, good);
    twice.push((Value::int(2), Value::text("https://else.test")));
    assert!(decode(CONTENT_TYPE, twice).is_err());
    assert!(UnverifiedStatusList::decode(&vec![0; MAX_TOKEN_BYTES + 1]).is_err());
}

#[test]
fn alg_must_be_protected() {
    let world = World::new();
    let token = list_token(&world.status, VALID, now(), now().plus_secs(DAY));
    let altered = crate::testing::edit(&token, |value| {
        let array = crate::testing::untag(value);
        *crate::testing::content(crate::testing::index(array, 0)) =
            cbor::encode(&Value::Map(vec![(Value::int(16), Value::text(CONTENT_TYPE))]));
        let unprotected = vec![(Value::int(1), Value::int(-7)), (Value::int(4), Value::bytes(&world.status.cert.kid8()))];
        *crate::testing::index(array, 1) = Value::Map(unprotected);
    });
    let (facts, _) = UnverifiedStatusList::decode(&altered).unwrap().verify(&world.trust, LIST_URI, now(), By::Verifier);
    only_failed(&facts, FactName::StatusSignature, "does not verify");
}

/// Freshness and status of the licence for a list of a given age, entry and remaining life.
fn judged(age: i64, value: u8, left: i64) -> Vec<wallet_base::fact::Fact> {
    let mut world = World::new();
    world.publish(value, now().plus_secs(-age), now().plus_secs(-age).plus_secs(age.max(0) + left));
    let check = world.check_of(&world.licence);
    let reference = StatusRef { uri: LIST_URI.to_owned(), index: INDEX };
    check.status.judge(Some(&reference), check.at, check.skew_secs, By::Verifier).to_vec()
}

#[test]
fn freshness_follows_the_policy() {
    use FactName::{CredentialStatus, StatusFreshness};
    let fresh = judged(24 * HOUR, VALID, DAY);
    assert_eq!(names(&fresh), ["status.freshness", "credential.status"]);
    assert_eq!(conclusion(&fresh), "verified");
    let old = judged(24 * HOUR + 1, VALID, DAY);
    assert!(old[0].caution());
    assert_eq!((conclusion(&old).as_str(), outcome(&old, CredentialStatus)), ("undetermined:status.freshness", Outcome::Passed));
    let old = judged(72 * HOUR, VALID, DAY);
    assert!(old[0].caution());
    let older = judged(72 * HOUR + 1, VALID, DAY);
    assert_eq!((outcome(&older, StatusFreshness), outcome(&older, CredentialStatus)), (Outcome::NotChecked, Outcome::NotChecked));
    let past = judged(15 * DAY, VALID, 0);
    only_failed(&past[..1], StatusFreshness, "expired");
    assert_eq!(outcome(&past, CredentialStatus), Outcome::NotChecked);
    let early = judged(-61, VALID, DAY);
    assert_eq!(conclusion(&early), "rejected:status.freshness");
    assert_eq!(conclusion(&judged(-60, VALID, DAY)), "verified");
}

#[test]
fn bad_entries_fail_and_say_which_list_said_so() {
    for (value, word) in [(INVALID, "revoked"), (SUSPENDED, "suspended"), (3, "status 3")] {
        for age in [HOUR, 30 * HOUR, 100 * HOUR] {
            let facts = judged(age, value, DAY);
            assert_eq!(conclusion(&facts), "rejected:credential.status");
            let said = detail(&facts, FactName::CredentialStatus);
            assert!(said.starts_with(word) && said.contains(&now().plus_secs(-age).to_rfc3339()), "{said}");
        }
    }
}

/// A lookup that gives the list of another address.
struct Confused(StatusLists);
impl StatusLookup for Confused {
    fn status_list(&self, _uri: &str) -> Option<std::sync::Arc<VerifiedStatusList>> {
        self.0.status_list(LIST_URI)
    }
}

#[test]
fn missing_lists_and_bad_references() {
    let world = World::new();
    let check = world.check_of(&world.licence);
    let judge = |uri: &str, index| {
        let reference = StatusRef { uri: uri.to_owned(), index };
        check.status.judge(Some(&reference), check.at, 60, By::Verifier).to_vec()
    };
    assert_eq!(conclusion(&judge("https://central.test/status/unknown", 1)), "undetermined:status.freshness");
    let outside = judge(LIST_URI, 1 << 20);
    assert_eq!(conclusion(&outside), "rejected:credential.status");
    assert!(detail(&outside, FactName::CredentialStatus).contains("outside"));
    // A credential that names no list: not checked, and nobody needs it.
    let none = check.status.judge(None, check.at, 60, By::Verifier);
    assert!(none.iter().all(|fact| fact.outcome() == Outcome::NotChecked && !fact.is_needed()));
    let confused = Confused(world.lists.clone());
    let check = StatusCheck { lists: &confused, policy: check.status.policy };
    let reference = StatusRef { uri: "https://central.test/else".to_owned(), index: 1 };
    let facts = check.judge(Some(&reference), now(), 60, By::Verifier);
    assert!(facts.iter().all(|fact| fact.outcome() == Outcome::NotChecked));
    let nothing = StatusCheck { lists: &NoStatusLists, policy: check.policy };
    assert!(nothing.judge(Some(&reference), now(), 60, By::Wallet).iter().all(|fact| fact.outcome() == Outcome::NotChecked));
}

#[test]
fn references_of_other_shapes_are_refused() {
    let reference = StatusRef { uri: LIST_URI.to_owned(), index: 3 };
    assert_eq!(StatusRef::from_value(&reference.to_value()), Some(reference));
    for value in [Value::Null, Value::Map(vec![]), Value::Map(vec![(Value::text("status_list"), Value::Map(vec![]))])] {
        assert_eq!(StatusRef::from_value(&value), None);
    }
}

#[test]
fn a_newer_list_is_kept() {
    let world = World::new();
    let verify = |issued_at: Timestamp, value| {
        let token = list_token(&world.status, value, issued_at, now().plus_secs(DAY));
        UnverifiedStatusList::decode(&token).unwrap().verify(&world.trust, LIST_URI, now(), By::Verifier).1.unwrap()
    };
    let mut lists = StatusLists::new();
    lists.insert(verify(now(), SUSPENDED));
    lists.insert(verify(now().plus_secs(-HOUR), VALID));
    assert_eq!(lists.status_list(LIST_URI).unwrap().get(INDEX), Some(SUSPENDED));
    lists.insert(verify(now().plus_secs(HOUR), VALID));
    assert_eq!(lists.status_list(LIST_URI).unwrap().get(INDEX), Some(VALID));
    assert_eq!(lists.iter().count(), 1);
}
