//! Staff devices: codes and certificates.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wallet_base::crypto::{Signer, SoftwareKey};
use wallet_base::x509::{Certificate, verify_link};
use wallet_credential::trust::{EKU_READER, OID_READER_ROLE};

use crate::phone::{jws, key};
use crate::world::{DAY, World};

fn body(key: &SoftwareKey, code: &str) -> Value {
    json!({"code": code, "public_key": key.public_key().to_jwk(), "proof": jws(key, "staff-enrolment+jwt", &json!({"code": code}))})
}

fn certificate(answer: &Value, member: &str) -> Certificate {
    Certificate::from_der(&STANDARD.decode(answer[member].as_str().unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_code_becomes_a_small_certificate_for_seven_days() {
    let world = World::new().await;
    for (role, organisation, place) in [
        ("flight", "Cảng HKQT Nội Bài", "Cửa 12, Nội Bài"),
        ("traffic-police", "Phòng CSGT Công an thành phố Hồ Chí Minh", "Chốt Pháp Vân"),
        // As long as it may be.
        ("traffic-police", "123456789012345678901234567890123456789012345678", "Chốt Pháp Vân"),
        ("health", "Bệnh viện Hữu nghị", "Quầy tiếp đón 3"),
    ] {
        let code = world.admin().staff_code(role, organisation, place).unwrap();
        let key = key();
        // Spelling of the code does not matter, but the proof is over what is sent.
        let (status, answer) = world.post("/staff/enrol", &body(&key, &code.to_lowercase())).await;
        assert_eq!(status, 200, "{answer}");
        let (leaf, authority) = (certificate(&answer, "certificate"), certificate(&answer, "authority"));
        assert!(leaf.der().len() <= 400, "{} bytes", leaf.der().len());
        verify_link(&leaf, &authority, world.now()).unwrap();
        assert!(world.trust().reader_authorities().contains(&authority));
        assert!(leaf.has_extended_key_usage(EKU_READER));
        assert_eq!(leaf.public_key().unwrap(), key.public_key());
        assert_eq!(leaf.organization().as_deref(), Some(organisation));
        assert!(leaf.not_after().unix() - leaf.not_before().unix() <= 7 * DAY);
        // UTF8String (X.690, 8.23).
        let mut role_der = vec![0x0C, u8::try_from(role.len()).unwrap()];
        role_der.extend_from_slice(role.as_bytes());
        assert_eq!(leaf.extension(OID_READER_ROLE).unwrap(), role_der);
        assert_eq!((&answer["role"], &answer["place"]), (&json!(role), &json!(place)));
    }
}

#[tokio::test]
async fn bad_input_a_code_is_good_once_and_for_a_day() {
    let world = World::new().await;
    let code = world.admin().staff_code("flight", "Sân bay", "Cửa 1").unwrap();
    assert_eq!(world.post("/staff/enrol", &body(&key(), &code)).await.0, 200);
    let (status, answer) = world.post("/staff/enrol", &body(&key(), &code)).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (403, "invalid_code"));
    let code = world.admin().staff_code("flight", "Sân bay", "Cửa 1").unwrap();
    world.wait(DAY);
    assert_eq!(world.post("/staff/enrol", &body(&key(), &code)).await.1["error"], "invalid_code");
    assert_eq!(world.post("/staff/enrol", &body(&key(), "AAAA-AAAA")).await.1["error"], "invalid_code");
}

#[tokio::test]
async fn bad_input_an_answer_that_was_lost_is_given_again_to_the_same_key() {
    let world = World::new().await;
    let code = world.admin().staff_code("flight", "Sân bay", "Cửa 1").unwrap();
    let mine = key();
    let first = world.post("/staff/enrol", &body(&mine, &code)).await;
    // A new signature of the same key, and the very same message again.
    let (again, same) = (body(&mine, &code), body(&mine, &code));
    for repeat in [&again, &same, &same] {
        assert_eq!(world.post("/staff/enrol", repeat).await, first);
    }
    // Nobody else gets anything, and the day ends for the same key too.
    assert_eq!(world.post("/staff/enrol", &body(&key(), &code)).await.1["error"], "invalid_code");
    world.wait(DAY);
    assert_eq!(world.post("/staff/enrol", &again).await.1["error"], "invalid_code");
}

#[tokio::test]
async fn bad_input_a_proof_by_another_key_or_for_another_code() {
    let world = World::new().await;
    let code = world.admin().staff_code("flight", "Sân bay", "Cửa 1").unwrap();
    let (mine, other) = (key(), key());
    let mut wrong = body(&mine, &code);
    wrong["proof"] = body(&other, &code)["proof"].clone();
    assert_eq!(world.post("/staff/enrol", &wrong).await.1["error"], "invalid_proof");
    wrong["proof"] = body(&mine, "AAAA")["proof"].clone();
    assert_eq!(world.post("/staff/enrol", &wrong).await.1["error"], "invalid_proof");
    wrong["public_key"] = json!({"kty": "EC"});
    assert_eq!(world.post("/staff/enrol", &wrong).await.1["error"], "invalid_request");
    // None of that used the code up.
    assert_eq!(world.post("/staff/enrol", &body(&mine, &code)).await.0, 200);
}

#[tokio::test]
async fn bad_input_codes_for_unknown_roles_or_unsafe_names() {
    let world = World::new().await;
    let admin = world.admin();
    assert!(admin.staff_code("spy", "X", "Y").is_err());
    assert!(admin.staff_code("flight", "", "Y").is_err());
    assert!(admin.staff_code("flight", &"x".repeat(57), "Y").is_err());
    assert!(admin.staff_code("flight", "X", "a\u{202e}b").is_err());
}
