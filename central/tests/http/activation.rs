//! Activation: factors, tries, replay, the swap of devices.

use serde_json::{Value, json};
use wallet_base::crypto::Signer;
use wallet_base::jose::{b64u, b64u_decode};
use wallet_base::random::OsRandom;
use wallet_card_sim::forge;
use wallet_central::RevokedAs;
use wallet_chip::files::FileId;

use crate::phone::{Phone, evidence, failed, grant, jws, results};
use crate::world::World;

#[tokio::test]
async fn chip_code_and_face_make_a_level_2_account() {
    let world = World::new().await;
    let phone = Phone::default();
    let session = phone.open(&world).await;
    let (_, state) = world.get_json(&format!("/activation/state?session={}", session.id)).await;
    assert_eq!(state["state"], "awaiting-chip");

    let (status, chip) = phone.chip(&world, &session, &world.card(0)).await;
    assert_eq!((status, chip["state"].as_str().unwrap()), (200, "awaiting-code"), "{chip}");
    let facts = results(&chip);
    for name in ["chip.hashes", "chip.signature", "chip.chain", "chip.revocation", "chip.genuine", "account.factors"] {
        assert!(facts.contains(&(name.into(), "passed".into())), "{name}: {chip}");
    }
    assert!(chip["facts"].as_array().unwrap().iter().all(|fact| fact["by"] == "central"));

    let (_, code) = phone.code(&world, &session).await;
    assert_eq!(results(&code), [("account.factors".into(), "passed".into())]);
    let message = world.messages().pop().unwrap();
    assert_eq!((message["to"].as_str().unwrap(), message["action"].as_str().unwrap()), ("+84900000123", "activate"));
    assert_eq!(message["device"].as_str().unwrap(), b64u(&phone.key.public_key().thumbprint()).get(..8).unwrap());

    let (_, face) = phone.face(&world, &session, "001090000123").await;
    assert_eq!(results(&face), [("portrait.match".into(), "passed".into())]);
    let (_, state) = world.get_json(&format!("/activation/state?session={}", session.id)).await;
    assert_eq!(state["state"], "ready");
    assert!(state["factors"].as_array().unwrap().len() >= 8);

    let (status, done) = phone.complete(&world, &session).await;
    assert_eq!((status, done["level"].as_u64()), (200, Some(2)));
    assert_eq!(done["account"].as_str().unwrap(), session.account);
    assert_eq!(done["credential_offer"]["credential_configuration_ids"].as_array().unwrap().len(), 8);
    // The personal number is nowhere in what the phone gets.
    assert!(!done.to_string().contains("001090000123"));
}

#[tokio::test]
async fn every_step_may_be_repeated_after_a_crash() {
    let world = World::new().await;
    let phone = Phone::default();
    let session = phone.open(&world).await;
    let body = phone.chip_body(&session, &evidence(&world.card(0), phone.challenge(&session)).encode());
    let first = world.post("/activation/chip", &body).await;
    assert_eq!(world.post("/activation/chip", &body).await, first);
    let code = phone.code(&world, &session).await;
    assert_eq!(
        world.post("/activation/code/verify", &json!({"session": session.id, "code": "anything"})).await.1["facts"],
        code.1["facts"]
    );
    let face = phone.face(&world, &session, "001090000123").await;
    assert_eq!(phone.face(&world, &session, "001090000123").await.1["facts"], face.1["facts"]);
    let first = phone.complete(&world, &session).await;
    assert_eq!(phone.complete(&world, &session).await, first);
    // Used or expired: a new code; the old tokens end when it is used.
    assert_eq!(phone.token(&world, &grant(&first.1)).await.0, 200);
    let second = phone.complete(&world, &session).await;
    assert_eq!(second.0, 200);
    assert_ne!(grant(&second.1), grant(&first.1));
    assert_eq!(phone.complete(&world, &session).await, second);
    let old = format!("grant_type=refresh_token&refresh_token={}", phone.refresh.borrow());
    assert_eq!(phone.refreshed(&world).await.0, 200);
    let access = phone.access.borrow().clone();
    assert_eq!(phone.token(&world, &grant(&second.1)).await.0, 200);
    assert_eq!(phone.token(&world, &old).await.1["error"], "invalid_grant");
    assert_eq!(phone.refreshed(&world).await.0, 200);
    phone.access.replace(access);
    assert_eq!(phone.call(&world, "GET", "/sync/changes?cursor=0", None).await.1["error"], "invalid_token");
}

#[tokio::test]
async fn bad_input_a_replayed_completion_does_not_end_the_phones_tokens() {
    let (world, phone, thief) = (World::new().await, Phone::default(), Phone::default());
    let session = phone.factors(&world, 0).await;
    let proof = jws(&phone.key, "activation-complete+jwt", &json!({"session": session.id, "action": "complete"}));
    let recorded = json!({"session": session.id, "proof": proof});
    let (_, done) = world.post("/activation/complete", &recorded).await;
    assert_eq!(phone.token(&world, &grant(&done)).await.0, 200);
    let access = phone.access.borrow().clone();
    // Whoever recorded it gets codes that need the account key, and changes nothing.
    for _ in 0..3 {
        let (status, again) = world.post("/activation/complete", &recorded).await;
        assert_eq!(status, 200);
        assert_eq!(thief.token(&world, &grant(&again)).await.1["error"], "invalid_grant");
        world.wait(400);
    }
    assert_eq!(phone.refreshed(&world).await.0, 200);
    assert_ne!(*phone.access.borrow(), access);
    assert_eq!(phone.call(&world, "GET", "/sync/changes?cursor=0", None).await.0, 200);
}

#[tokio::test]
async fn bad_input_a_card_signer_revoked_while_the_service_runs_is_refused() {
    let world = World::new().await;
    let phone = Phone::default();
    // The running service has judged this authority's cards before.
    let session = phone.open(&world).await;
    assert_eq!(phone.chip(&world, &session, &world.card(0)).await.1["state"], "awaiting-code");
    world.admin().revoke_certificate(RevokedAs::Card, &world.authority.csca().sha256()).unwrap();
    let session = phone.open(&world).await;
    let (status, answer) = phone.chip(&world, &session, &world.card(0)).await;
    assert_eq!((status, answer["state"].as_str().unwrap()), (200, "awaiting-chip"), "{answer}");
    assert_eq!(failed(&answer), ["chip.revocation"], "{answer}");
}

#[tokio::test]
async fn bad_input_card_trust_that_cannot_be_loaded_is_an_error() {
    let world = World::new().await;
    let phone = Phone::default();
    let session = phone.open(&world).await;
    std::fs::write(world.dir.path().join("revoked.json"), b"{").unwrap();
    let (status, answer) = phone.chip(&world, &session, &world.card(0)).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (500, "server_error"));
    // The service's own failure costs the phone no try.
    std::fs::remove_file(world.dir.path().join("revoked.json")).unwrap();
    assert_eq!(phone.chip(&world, &session, &world.card(0)).await.1["state"], "awaiting-code");
}

#[tokio::test]
async fn bad_input_unreadable_evidence_costs_a_try() {
    let world = World::new().await;
    let phone = Phone::default();
    let session = phone.open(&world).await;
    for number in 0..5_u8 {
        let (status, answer) = world.post("/activation/chip", &phone.chip_body(&session, &[number; 9])).await;
        assert_eq!((status, answer["error"].as_str().unwrap()), (400, "invalid_request"));
    }
    let (status, answer) = phone.chip(&world, &session, &world.card(0)).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (403, "tries_exhausted"));
    assert_eq!(world.get_json(&format!("/activation/state?session={}", session.id)).await.1["state"], "failed");
}

#[tokio::test]
async fn a_restart_of_the_service_loses_nothing() {
    let mut world = World::new().await;
    let phone = Phone::default();
    let session = phone.open(&world).await;
    assert_eq!(phone.chip(&world, &session, &world.card(0)).await.0, 200);
    world.restart().await;
    assert_eq!(phone.code(&world, &session).await.1["state"], "awaiting-face");
    world.restart().await;
    assert_eq!(phone.face(&world, &session, "001090000123").await.1["state"], "ready");
    let (_, done) = phone.complete(&world, &session).await;
    world.restart().await;
    assert_eq!(phone.token(&world, &grant(&done)).await.0, 200);
}

/// Sends a forged card straight to central, past any check of the phone.
async fn forged(make: impl FnOnce(&World) -> wallet_card_sim::CardProfile) -> Value {
    let world = World::new().await;
    let phone = Phone::default();
    let session = phone.open(&world).await;
    let (status, answer) = phone.chip(&world, &session, &make(&world)).await;
    assert_eq!((status, answer["state"].as_str().unwrap()), (200, "awaiting-chip"), "{answer}");
    assert_eq!(phone.complete(&world, &session).await.1["error"], "wrong_state");
    let (status, code) = world.post("/activation/code", &json!({"session": session.id})).await;
    assert_eq!((status, code["error"].as_str().unwrap()), (409, "wrong_state"));
    answer
}

#[tokio::test]
async fn bad_input_altered_data_group_is_refused() {
    assert_eq!(failed(&forged(|w| forge::altered_group(&w.card(0), FileId::Dg1).unwrap()).await), ["chip.hashes"]);
    assert_eq!(failed(&forged(|w| forge::altered_group(&w.card(0), FileId::Dg2).unwrap()).await), ["chip.hashes"]);
}

#[tokio::test]
async fn bad_input_unknown_sod_signer_is_refused() {
    assert_eq!(failed(&forged(|w| forge::foreign_signer(&w.card(0), &OsRandom, w.now()).unwrap()).await), ["chip.chain"]);
    assert_eq!(failed(&forged(|w| forge::impostor_signer(&w.card(0), &OsRandom, w.now()).unwrap()).await), ["chip.chain"]);
}

#[tokio::test]
async fn bad_input_cloned_chip_is_refused() {
    assert_eq!(failed(&forged(|w| forge::cloned(&w.card(0), &OsRandom)).await), ["chip.genuine"]);
}

#[tokio::test]
async fn bad_input_a_card_that_was_replaced_is_refused() {
    assert_eq!(failed(&forged(|w| w.card(6)).await), ["account.factors"]);
}

#[tokio::test]
async fn bad_input_evidence_for_another_session_is_refused() {
    let world = World::new().await;
    let phone = Phone::default();
    let (first, second) = (phone.open(&world).await, phone.open(&world).await);
    let evidence = evidence(&world.card(0), phone.challenge(&first)).encode();
    // Same device, other session and account: the challenge is not this one's.
    let (status, answer) = world.post("/activation/chip", &phone.chip_body(&second, &evidence)).await;
    assert_eq!((status, failed(&answer)), (200, vec!["chip.genuine".to_owned()]));
    // In its own session it is good, and then never again anywhere.
    let (_, answer) = world.post("/activation/chip", &phone.chip_body(&first, &evidence)).await;
    assert_eq!(answer["state"], "awaiting-code");
    let (status, answer) = world.post("/activation/chip", &phone.chip_body(&second, &evidence)).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (409, "evidence_reused"));
}

#[tokio::test]
async fn bad_input_evidence_for_another_device_key_is_refused() {
    let world = World::new().await;
    let (phone, thief) = (Phone::default(), Phone::default());
    let session = phone.open(&world).await;
    let evidence = evidence(&world.card(0), phone.challenge(&session)).encode();
    // The thief's own session: the chip signed for another key and account.
    let stolen = thief.open(&world).await;
    let (_, answer) = world.post("/activation/chip", &thief.chip_body(&stolen, &evidence)).await;
    assert_eq!(failed(&answer), ["chip.genuine"]);
    // The victim's session: the thief cannot sign for its device key.
    let (status, answer) = world.post("/activation/chip", &thief.chip_body(&session, &evidence)).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (400, "invalid_proof"));
}

#[tokio::test]
async fn bad_input_a_statement_for_something_else_is_refused() {
    let world = World::new().await;
    let phone = Phone::default();
    let session = phone.open(&world).await;
    let bytes = evidence(&world.card(0), phone.challenge(&session)).encode();
    let mut body = phone.chip_body(&session, &bytes);
    for (typ, payload) in [
        ("activation-chip+jwt", json!({"session": session.id, "evidence_sha256": b64u(&[0; 32])})),
        ("activation-chip+jwt", json!({"session": "other", "evidence_sha256": b64u(&wallet_base::crypto::sha256(&bytes))})),
        ("dpop+jwt", json!({"session": session.id, "evidence_sha256": b64u(&wallet_base::crypto::sha256(&bytes))})),
    ] {
        body["proof"] = json!(jws(&phone.key, typ, &payload));
        assert_eq!(world.post("/activation/chip", &body).await.1["error"], "invalid_proof");
    }
    let session = phone.factors(&world, 0).await;
    let proof = jws(&phone.key, "x", &json!({"session": session.id, "action": "other"}));
    let (status, answer) = world.post("/activation/complete", &json!({"session": session.id, "proof": proof})).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (400, "invalid_proof"));
}

#[tokio::test]
async fn bad_input_late_evidence_is_refused() {
    let world = World::new().await;
    let phone = Phone::default();
    let session = phone.open(&world).await;
    world.wait(301);
    let (status, answer) = phone.chip(&world, &session, &world.card(0)).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (410, "expired_session"));
}

#[tokio::test]
async fn bad_input_a_sixth_code_is_not_looked_at() {
    let world = World::new().await;
    let phone = Phone::default();
    let session = phone.open(&world).await;
    assert_eq!(phone.chip(&world, &session, &world.card(0)).await.0, 200);
    assert_eq!(world.post("/activation/code", &json!({"session": session.id})).await.0, 200);
    let right = world.last_code();
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for left in (0..5).rev() {
        let (status, answer) = world.post("/activation/code/verify", &json!({"session": session.id, "code": wrong})).await;
        assert_eq!((status, failed(&answer)), (200, vec!["account.factors".to_owned()]));
        assert_eq!(answer["tries_left"], left);
    }
    let (status, answer) = world.post("/activation/code/verify", &json!({"session": session.id, "code": right})).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (403, "tries_exhausted"));
    // A new code does not bring tries back.
    let (status, answer) = world.post("/activation/code", &json!({"session": session.id})).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (403, "tries_exhausted"));
    assert_eq!(world.get_json(&format!("/activation/state?session={}", session.id)).await.1["state"], "failed");
}

#[tokio::test]
async fn bad_input_session_after_session_does_not_bring_more_tries() {
    let world = World::new().await;
    let phone = Phone::default();
    let mut answers = Vec::new();
    for _ in 0..5 {
        let session = phone.open(&world).await;
        assert_eq!(phone.chip(&world, &session, &world.card(0)).await.0, 200);
        assert!(matches!(world.post("/activation/code", &json!({"session": session.id})).await.0, 200 | 403));
        let wrong = if world.last_code() == "000000" { "000001" } else { "000000" };
        for _ in 0..5 {
            answers.push(world.post("/activation/code/verify", &json!({"session": session.id, "code": wrong})).await.0);
        }
    }
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 20);
    // Another citizen is not concerned, and a day later this one neither.
    Phone::default().activate(&world, 1).await;
    world.wait(86_400 + 60);
    assert_eq!(world.get("/status").await.0, 200);
    phone.activate(&world, 0).await;
}

#[tokio::test]
async fn bad_input_an_old_code_is_refused() {
    let world = World::new().await;
    let phone = Phone::default();
    let session = phone.open(&world).await;
    assert_eq!(phone.chip(&world, &session, &world.card(0)).await.0, 200);
    assert_eq!(world.post("/activation/code", &json!({"session": session.id})).await.0, 200);
    world.wait(601);
    let body = json!({"session": session.id, "code": world.last_code()});
    assert_eq!(failed(&world.post("/activation/code/verify", &body).await.1), ["account.factors"]);
}

#[tokio::test]
async fn bad_input_another_persons_face_is_refused() {
    let world = World::new().await;
    let phone = Phone::default();
    let session = phone.open(&world).await;
    assert_eq!(phone.chip(&world, &session, &world.card(0)).await.0, 200);
    for other in 1..6 {
        let (_, answer) = phone.face(&world, &session, &world.citizen(other).personal_number).await;
        assert_eq!(failed(&answer), ["portrait.match"]);
    }
    let (status, answer) = phone.face(&world, &session, "001090000123").await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (403, "tries_exhausted"));
}

#[tokio::test]
async fn bad_input_what_is_no_picture_is_not_a_match() {
    let world = World::new().await;
    let phone = Phone::default();
    let session = phone.open(&world).await;
    assert_eq!(phone.chip(&world, &session, &world.card(0)).await.0, 200);
    let (_, answer) = world.post("/activation/face", &json!({"session": session.id, "image": b64u(b"no picture")})).await;
    assert_eq!(results(&answer), [("portrait.match".into(), "not-checked".into())]);
    assert_eq!(answer["state"], "awaiting-code");
}

#[tokio::test]
async fn a_missing_factor_stops_completion() {
    let world = World::new().await;
    let phone = Phone::default();
    let session = phone.open(&world).await;
    assert_eq!(phone.complete(&world, &session).await.1["error"], "wrong_state");
    assert_eq!(phone.chip(&world, &session, &world.card(0)).await.0, 200);
    assert_eq!(phone.complete(&world, &session).await.1["error"], "wrong_state");
    phone.code(&world, &session).await;
    assert_eq!(phone.complete(&world, &session).await.1["error"], "wrong_state");
    phone.face(&world, &session, "001090000123").await;
    assert_eq!(phone.complete(&world, &session).await.0, 200);
}

#[tokio::test]
async fn of_two_activations_at_once_one_wins() {
    let world = World::new().await;
    let (one, two) = (Phone::default(), Phone::default());
    let (first, second) = (one.factors(&world, 0).await, two.factors(&world, 0).await);
    assert_eq!(one.complete(&world, &first).await.0, 200);
    let (status, answer) = two.complete(&world, &second).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (409, "device_conflict"));
}

#[tokio::test]
async fn a_new_device_ends_the_old_one() {
    let world = World::new().await;
    let (old, new) = (Phone::default(), Phone::default());
    let session = old.activate(&world, 0).await;
    new.activate(&world, 0).await;
    let (status, answer) = old.call(&world, "GET", "/sync/changes?cursor=0", None).await;
    assert_eq!(
        (status, answer["error"].as_str().unwrap(), answer["error_description"].as_str().unwrap()),
        (401, "invalid_token", "device-replaced")
    );
    let (status, answer) = old.refreshed(&world).await;
    assert_eq!((status, answer["error_description"].as_str().unwrap()), (400, "device-replaced"));
    assert_eq!(old.complete(&world, &session).await.1["error"], "device_conflict");
    assert_eq!(world.messages().pop().unwrap()["action"], "device-replaced");
    let (_, changes) = new.call(&world, "GET", "/sync/changes?cursor=0", None).await;
    assert_eq!(changes["changes"].as_array().unwrap().iter().filter(|c| c["kind"] == "device-replaced").count(), 4);
}

#[tokio::test]
async fn bad_input_keys_and_sessions_that_are_none() {
    let world = World::new().await;
    let with_private = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"});
    for key in [json!({}), json!("x"), with_private] {
        let (status, answer) = world.post("/activation/open", &json!({"device_key": key, "action": "activate"})).await;
        assert_eq!((status, answer["error"].as_str().unwrap()), (400, "invalid_request"));
    }
    let phone = Phone::default();
    let body = json!({"device_key": phone.key.public_key().to_jwk(), "action": "other"});
    assert_eq!(world.post("/activation/open", &body).await.0, 400);
    for session in ["", "unknown", &"x".repeat(1000)] {
        assert_eq!(world.post("/activation/code", &json!({"session": session})).await.1["error"], "unknown_session");
    }
    let session = phone.open(&world).await;
    let mut body = phone.chip_body(&session, b"no evidence");
    assert_eq!(world.post("/activation/chip", &body).await.1["error"], "invalid_request");
    body["evidence"] = json!("***");
    assert_eq!(world.post("/activation/chip", &body).await.1["error"], "invalid_request");
    assert!(b64u_decode("***").is_err());
}

#[tokio::test]
async fn bad_input_a_spent_day_does_not_lock_the_present_device_out_nor_past_the_desk() {
    let world = World::new().await;
    let (phone, thief, new) = (Phone::default(), Phone::default(), Phone::default());
    phone.activate(&world, 0).await;
    // Who has no chip spends nothing, however much he knows of the card.
    for _ in 0..10 {
        let session = thief.open(&world).await;
        assert_eq!(failed(&thief.chip(&world, &session, &forge::cloned(&world.card(0), &OsRandom)).await.1), ["chip.genuine"]);
    }
    // Who has it in his hand for a while spends the day of all devices that are not the citizen's.
    for _ in 0..4 {
        let session = thief.open(&world).await;
        assert_eq!(thief.chip(&world, &session, &world.card(0)).await.0, 200);
        assert_eq!(world.post("/activation/code", &json!({"session": session.id})).await.0, 200);
        let wrong = if world.last_code() == "000000" { "000001" } else { "000000" };
        for _ in 0..5 {
            assert_eq!(world.post("/activation/code/verify", &json!({"session": session.id, "code": wrong})).await.0, 200);
        }
    }
    let session = new.open(&world).await;
    assert_eq!(new.chip(&world, &session, &world.card(0)).await.0, 200);
    assert_eq!(world.post("/activation/code", &json!({"session": session.id})).await.1["error"], "tries_exhausted");
    // The citizen's own device is not concerned.
    assert_eq!(phone.refreshed(&world).await.0, 200);
    phone.activate(&world, 0).await;
    // A new one is let on by the desk.
    assert!(world.admin().give_tries("999999999999").is_err());
    world.wait(1);
    world.admin().give_tries("001090000123").unwrap();
    // Not in a session from before, whose tries nobody would count: whoever holds many of them open would have a day's tries in each.
    assert_eq!(world.post("/activation/code", &json!({"session": session.id})).await.1["error"], "tries_exhausted");
    new.activate(&world, 0).await;
}
