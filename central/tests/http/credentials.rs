//! Keys, attestations and credentials; what is issued is judged by the verifying half of `wallet-credential` over the published trust data.

use serde_json::json;
use wallet_base::cbor::{self, Limits, Value};
use wallet_base::cose::Sign1;
use wallet_base::crypto::{Signer, SoftwareKey};
use wallet_base::fact::{By, Fact, FactName, Outcome};
use wallet_base::jose::b64u;
use wallet_credential::status::{FreshnessPolicy, StatusCheck, StatusLists, UnverifiedStatusList};
use wallet_credential::trust::TrustTargets;
use wallet_credential::{Check, ExpectedType, mdoc, sd_cwt};
use wallet_documents::{ALL_TYPES, Attributes};

use crate::phone::{Phone, credentials, jws, key, software_evidence};
use crate::world::{DAY, World};

async fn activated() -> (World, Phone) {
    let world = World::new().await;
    let phone = Phone::default();
    phone.activate(&world, 0).await;
    (world, phone)
}

/// All published lists, verified.
pub async fn lists(world: &World, trust: &TrustTargets) -> StatusLists {
    let mut lists = StatusLists::new();
    let (_, paths) = world.get_json("/status").await;
    for path in paths["lists"].as_array().unwrap() {
        let path = path.as_str().unwrap();
        let (status, bytes) = world.get(path).await;
        assert_eq!(status, 200);
        let uri = format!("{}{path}", crate::world::PUBLIC);
        let (facts, list) = UnverifiedStatusList::decode(&bytes).unwrap().verify(trust, &uri, world.now(), By::Verifier);
        assert!(facts.iter().all(|fact| fact.outcome() == Outcome::Passed), "{facts:?}");
        lists.insert(list.unwrap());
    }
    lists
}

/// A claim of an SD-CWT's payload.
fn claim(cwt: &[u8], key: i64) -> Value {
    let limits = Limits::STRICT.with_bytes(64 * 1024);
    let payload = Sign1::decode(cwt, limits).unwrap().payload().unwrap().to_vec();
    cbor::decode(&payload, limits).unwrap().get_int(key).unwrap().clone()
}

pub fn fact(facts: &[Fact], name: FactName) -> Outcome {
    facts.iter().find(|fact| fact.name() == name).unwrap().outcome()
}

const POLICY: FreshnessPolicy = FreshnessPolicy { green_hours: 24, caution_hours: 72 };

pub async fn judge_sd_cwt(world: &World, bytes: &[u8], id: &str, key: &SoftwareKey) -> Vec<Fact> {
    let trust = world.trust();
    let lists = lists(world, &trust).await;
    let document = wallet_documents::by_id(id).unwrap();
    let expected = ExpectedType::new(id, document.vct);
    let check = Check {
        trust: &trust,
        expected: &expected,
        at: world.now(),
        skew_secs: 60,
        status: StatusCheck { lists: &lists, policy: POLICY },
        by: By::Wallet,
    };
    sd_cwt::verify_issued(bytes, &check, &key.public_key()).unwrap().0
}

#[tokio::test]
async fn all_documents_in_both_formats_verify() {
    let (world, phone) = activated().await;
    let trust = world.trust();
    let lists = lists(&world, &trust).await;
    for document in ALL_TYPES {
        let keys: Vec<SoftwareKey> = (0..2).map(|_| key()).collect();
        assert_eq!(phone.register(&world, &keys).await.0, 200);
        // One attestation serves both formats of a copy set.
        let attestation = phone.attestation(&world, &keys).await;
        let mdocs = credentials(&phone.credential(&world, &format!("{}.mdoc", document.id), &attestation).await.1);
        let cwts = credentials(&phone.credential(&world, &format!("{}.sd-cwt", document.id), &attestation).await.1);
        assert_eq!((mdocs.len(), cwts.len()), (2, 2));
        let (by_doctype, by_vct) = (ExpectedType::new(document.id, document.doctype), ExpectedType::new(document.id, document.vct));
        let check = |expected| Check {
            trust: &trust,
            expected,
            at: world.now(),
            skew_secs: 60,
            status: StatusCheck { lists: &lists, policy: POLICY },
            by: By::Wallet,
        };
        let mut indices = Vec::new();
        let mut subjects = Vec::new();
        for ((key, mdoc), cwt) in keys.iter().zip(&mdocs).zip(&cwts) {
            let (facts, verified) = mdoc::verify_issued(mdoc, &check(&by_doctype), &key.public_key()).unwrap();
            assert!(facts.iter().all(|fact| fact.outcome() == Outcome::Passed), "{facts:?}");
            let verified = verified.unwrap();
            let attributes = Attributes::from_elements(document, verified.elements()).unwrap();
            assert_eq!(attributes.text("full_name"), Some("Nguyễn Văn An"));
            assert!(verified.valid_until() <= world.now().plus_secs(30 * DAY));
            assert_eq!(verified.valid_until().unix() % DAY, 0);
            indices.push(verified.status().unwrap().clone());

            let (facts, verified) = sd_cwt::verify_issued(cwt, &check(&by_vct), &key.public_key()).unwrap();
            assert!(facts.iter().all(|fact| fact.outcome() == Outcome::Passed), "{facts:?}");
            let verified = verified.unwrap();
            let token = verified.token();
            // RFC 8392, 3.1: sub 2, exp 4, iat 6.
            let (issued, expires) = (claim(cwt, 6).as_int().unwrap(), claim(cwt, 4).as_int().unwrap());
            assert_eq!((issued % DAY, expires % DAY), (0, 0));
            assert!(issued <= world.now().unix() && expires - issued <= 30 * DAY);
            indices.push(token.status().unwrap().clone());
            subjects.push(claim(cwt, 2));
        }
        for (at, reference) in indices.iter().enumerate() {
            assert!(indices.iter().skip(at + 1).all(|other| other != reference), "every copy has its own index");
            assert!(reference.uri.starts_with(&format!("{}/status/{}/", crate::world::PUBLIC, document.id)));
        }
        assert_ne!(subjects[0], subjects[1]);
    }
}

#[tokio::test]
async fn a_full_batch_comes_in_the_order_of_the_keys() {
    let (world, phone) = activated().await;
    let (keys, copies) = phone.obtain(&world, "driving-licence.sd-cwt", 20).await;
    for (key, copy) in keys.iter().zip(&copies) {
        assert_eq!(sd_cwt::SdCwt::decode(copy).unwrap().holder_key(), &key.public_key());
    }
}

#[tokio::test]
async fn asking_again_gives_the_same_copies() {
    let (mut world, phone) = activated().await;
    let keys: Vec<SoftwareKey> = (0..3).map(|_| key()).collect();
    assert_eq!(phone.register(&world, &keys).await.0, 200);
    let first = phone.credential(&world, "health-summary.mdoc", &phone.attestation(&world, &keys).await).await;
    // The phone died before it stored them, the service was restarted, the nonce is long over.
    world.restart().await;
    world.wait(2 * DAY);
    assert_eq!(phone.refreshed(&world).await.0, 200);
    let second = phone.credential(&world, "health-summary.mdoc", &phone.attestation(&world, &keys).await).await;
    assert_eq!(first.0, 200);
    assert_eq!(first, second);
    let (_, changes) = phone.call(&world, "GET", "/sync/changes?cursor=0", None).await;
    assert_eq!(changes["changes"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn bad_input_documents_never_share_keys() {
    let (world, phone) = activated().await;
    let keys = [key()];
    assert_eq!(phone.register(&world, &keys).await.0, 200);
    let attestation = phone.attestation(&world, &keys).await;
    assert_eq!(phone.credential(&world, "citizen-identity.mdoc", &attestation).await.0, 200);
    let (status, answer) = phone.credential(&world, "driving-licence.mdoc", &attestation).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (400, "key_used_for_other_document"));
}

#[tokio::test]
async fn bad_input_batch_too_large() {
    let (world, phone) = activated().await;
    let keys: Vec<SoftwareKey> = (0..21).map(|_| key()).collect();
    assert_eq!(phone.register(&world, &keys).await.0, 200);
    let publics: Vec<_> = keys.iter().map(Signer::public_key).collect();
    let nonce = phone.c_nonce(&world).await;
    let (status, answer) = phone.attest(&world, &publics, &nonce).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (400, "batch_too_large"));
    assert_eq!(phone.attest(&world, &[], &nonce).await.0, 400);
}

#[tokio::test]
async fn bad_input_software_evidence_without_the_flag() {
    let mut world = World::new().await;
    let phone = Phone::default();
    phone.activate(&world, 0).await;
    world.software_keys = false;
    world.restart().await;
    let (status, answer) = phone.register(&world, &[key()]).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (403, "software_keys_not_allowed"));
    // Nor does such a phone get as far as ending the citizen's present device.
    let (status, answer) = world.post("/activation/open", &json!({"device_key": key().public_key().to_jwk(), "action": "activate"})).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (403, "software_keys_not_allowed"));
}

#[tokio::test]
async fn bad_input_evidence_that_does_not_hold() {
    let (world, phone) = activated().await;
    let keys = [key(), key()];
    let send = async |challenge: &[u8], evidence: &serde_json::Value| {
        let body = json!({"challenge": b64u(challenge), "evidence": b64u(evidence.to_string().as_bytes())});
        phone.call(&world, "POST", "/wallet-provider/keys", Some(&body)).await
    };
    let change: [fn(&mut serde_json::Value); 7] = [
        |e| e["fmt"] = json!("android"),
        |e| e["challenge"] = json!("AAAA"),
        |e| e["proofs"][0] = e["proofs"][1].clone(),
        |e| e["keys"][0] = e["keys"][1].clone(),
        |e| e["proofs"] = json!([]),
        |e| e["keys"][1] = json!({"kty": "EC"}),
        |e| e["proofs"][1] = json!("***"),
    ];
    for alter in change {
        let challenge = phone.provider_challenge(&world).await;
        let mut evidence = software_evidence(&keys, &challenge);
        alter(&mut evidence);
        assert_eq!(send(&challenge, &evidence).await.0, 400);
    }
    // Signed for another challenge than the one that is sent.
    let challenge = phone.provider_challenge(&world).await;
    let mut foreign = software_evidence(&keys, &[7; 32]);
    foreign["challenge"] = json!(b64u(&challenge));
    assert_eq!(send(&challenge, &foreign).await.1["error"], "invalid_evidence");
    // A challenge is good once, and only ours.
    let challenge = phone.provider_challenge(&world).await;
    let evidence = software_evidence(&keys, &challenge);
    assert_eq!(send(&challenge, &evidence).await.0, 200);
    assert_eq!(send(&challenge, &evidence).await.1["error"], "invalid_nonce");
    assert_eq!(send(&[7; 32], &software_evidence(&keys, &[7; 32])).await.1["error"], "invalid_nonce");
    // And not for ever.
    let challenge = phone.provider_challenge(&world).await;
    world.wait(599);
    assert_eq!(phone.refreshed(&world).await.0, 200);
    world.wait(2);
    assert_eq!(send(&challenge, &software_evidence(&keys, &challenge)).await.1["error"], "invalid_nonce");
}

#[tokio::test]
async fn bad_input_keys_of_nobody_or_of_somebody_else() {
    let (world, phone) = activated().await;
    let nonce = phone.c_nonce(&world).await;
    assert_eq!(phone.attest(&world, &[key().public_key()], &nonce).await.1["error"], "unknown_key");
    let other = Phone::default();
    other.activate(&world, 1).await;
    let theirs = key();
    assert_eq!(other.register(&world, std::slice::from_ref(&theirs)).await.0, 200);
    assert_eq!(phone.attest(&world, &[theirs.public_key()], &nonce).await.1["error"], "unknown_key");
    // An attestation of somebody else's is no use either.
    let attestation = other.attestation(&world, std::slice::from_ref(&theirs)).await;
    assert_eq!(phone.credential(&world, "citizen-identity.mdoc", &attestation).await.1["error"], "unknown_key");
    // A key that somebody registered cannot be registered again by another.
    assert_eq!(phone.register(&world, &[theirs]).await.1["error"], "unknown_key");
}

#[tokio::test]
async fn bad_input_foreign_or_old_c_nonce() {
    let (world, phone) = activated().await;
    let keys = [key()];
    assert_eq!(phone.register(&world, &keys).await.0, 200);
    for nonce in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(phone.attest(&world, &[keys[0].public_key()], nonce).await.1["error"], "invalid_nonce");
    }
    let attestation = phone.attestation(&world, &keys).await;
    world.wait(301);
    assert_eq!(phone.credential(&world, "citizen-identity.mdoc", &attestation).await.1["error"], "invalid_proof");
}

#[tokio::test]
async fn bad_input_attestations_by_others_or_of_other_shape() {
    let (world, phone) = activated().await;
    let keys = [key()];
    assert_eq!(phone.register(&world, &keys).await.0, 200);
    let now = world.now().unix();
    let nonce = phone.c_nonce(&world).await;
    let payload = json!({"iat": now, "exp": now + 300, "attested_keys": [keys[0].public_key().to_jwk()], "nonce": nonce});
    for forged in [jws(&key(), "key-attestation+jwt", &payload), jws(&key(), "JWT", &payload), "x.y".to_owned(), String::new()] {
        assert_eq!(phone.credential(&world, "citizen-identity.mdoc", &forged).await.1["error"], "invalid_proof");
    }
    let genuine = phone.attestation(&world, &keys).await;
    let (_, answer) = phone.credential(&world, "passport.mdoc", &genuine).await;
    assert_eq!(answer["error"], "unknown_credential_configuration");
    let twice = json!({"credential_configuration_id": "citizen-identity.mdoc", "proofs": {"attestation": [genuine, genuine]}});
    assert_eq!(phone.call(&world, "POST", "/credential", Some(&twice)).await.1["error"], "invalid_proof");
    let (_, answer) = phone.call(&world, "POST", "/credential", Some(&json!({"proofs": {}}))).await;
    assert_eq!(answer["error"], "invalid_request");
}

#[tokio::test]
async fn bad_input_nothing_without_a_token() {
    let world = World::new().await;
    for path in ["/wallet-provider/challenge", "/wallet-provider/keys", "/wallet-provider/attestation", "/credential"] {
        let (status, answer) = world.post(path, &json!({})).await;
        assert_eq!((status, answer["error"].as_str().unwrap()), (401, "invalid_token"), "{path}");
    }
    assert_eq!(world.get_json("/sync/changes").await.0, 401);
}
