//! The token endpoint and DPoP: one test per clause of RFC 9449 section 4.3.

use serde_json::{Value, json};
use wallet_base::crypto::Signer;

use crate::phone::{PRE_AUTHORIZED, Phone, grant, key};
use crate::world::{World, answer};

async fn activated() -> (World, Phone) {
    let world = World::new().await;
    let phone = Phone::default();
    phone.activate(&world, 0).await;
    (world, phone)
}

/// An authenticated call with a changed proof gives this error.
async fn refused(change: Value, error: &str) {
    let (world, phone) = activated().await;
    let access = phone.access.borrow().clone();
    let proof = phone.proof(&world, "GET", "/sync/changes", Some(&access), &change);
    let (status, answer) = phone.send(&world, "GET", "/sync/changes", None, &proof).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (401, error), "{answer}");
    // The same without the change is good.
    assert_eq!(phone.call(&world, "GET", "/sync/changes", None).await.0, 200);
}

#[tokio::test]
async fn bad_input_dpop_wrong_htu() {
    refused(json!({"htu": "https://localhost:8443/credential"}), "invalid_dpop_proof").await;
}

#[tokio::test]
async fn bad_input_dpop_wrong_htm() {
    refused(json!({"htm": "POST"}), "invalid_dpop_proof").await;
}

#[tokio::test]
async fn bad_input_dpop_wrong_ath() {
    refused(json!({"ath": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}), "invalid_dpop_proof").await;
    refused(json!({"ath": null}), "invalid_dpop_proof").await;
}

#[tokio::test]
async fn bad_input_dpop_stale_or_future_iat() {
    refused(json!({"iat": 1_700_000_000}), "invalid_dpop_proof").await;
    refused(json!({"iat": 1_900_000_000}), "invalid_dpop_proof").await;
    refused(json!({"iat": i64::MIN}), "invalid_dpop_proof").await;
    refused(json!({"iat": null}), "invalid_dpop_proof").await;
}

#[tokio::test]
async fn bad_input_dpop_missing_or_foreign_nonce() {
    refused(json!({"nonce": null}), "use_dpop_nonce").await;
    refused(json!({"nonce": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}), "use_dpop_nonce").await;
    refused(json!({"nonce": "not base64url!"}), "use_dpop_nonce").await;
}

#[tokio::test]
async fn bad_input_dpop_other_typ_or_missing_jti() {
    refused(json!({"typ": "JWT"}), "invalid_dpop_proof").await;
    refused(json!({"jti": null}), "invalid_dpop_proof").await;
    refused(json!({"jti": ""}), "invalid_dpop_proof").await;
}

#[tokio::test]
async fn bad_input_dpop_key_that_did_not_sign_or_is_private() {
    refused(json!({"jwk": key().public_key().to_jwk()}), "invalid_dpop_proof").await;
    refused(json!({"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"}}), "invalid_dpop_proof").await;
    refused(json!({"jwk": null}), "invalid_dpop_proof").await;
}

#[tokio::test]
async fn bad_input_dpop_replayed_jti() {
    let (world, phone) = activated().await;
    let access = phone.access.borrow().clone();
    let proof = phone.proof(&world, "GET", "/sync/changes", Some(&access), &json!({}));
    assert_eq!(phone.send(&world, "GET", "/sync/changes", None, &proof).await.0, 200);
    let (status, answer) = phone.send(&world, "GET", "/sync/changes", None, &proof).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (401, "invalid_dpop_proof"));
}

#[tokio::test]
async fn bad_input_an_expired_nonce_is_asked_for_anew() {
    let (world, phone) = activated().await;
    world.wait(301);
    let access = phone.access.borrow().clone();
    let proof = phone.proof(&world, "GET", "/sync/changes", Some(&access), &json!({}));
    assert_eq!(phone.send(&world, "GET", "/sync/changes", None, &proof).await.1["error"], "use_dpop_nonce");
    assert_eq!(phone.call(&world, "GET", "/sync/changes", None).await.0, 200);
}

#[tokio::test]
async fn bad_input_a_stolen_token_is_useless() {
    let (world, phone) = activated().await;
    let thief = Phone::default();
    thief.access.borrow_mut().clone_from(&phone.access.borrow());
    assert_eq!(thief.call(&world, "GET", "/sync/changes", None).await.1["error"], "invalid_token");
    let form = format!("grant_type=refresh_token&refresh_token={}", phone.refresh.borrow());
    assert_eq!(thief.token(&world, &form).await.1["error"], "invalid_grant");
    // As a bearer token neither.
    let request = world.get_request("/sync/changes").header("Authorization", format!("Bearer {}", phone.access.borrow()));
    let response = request.send().await.unwrap();
    assert!(response.headers().get("www-authenticate").is_some());
    assert_eq!(answer(response).await.1["error"], "invalid_token");
}

#[tokio::test]
async fn access_tokens_expire_and_are_refreshed() {
    let (world, phone) = activated().await;
    world.wait(601);
    let (status, answer) = phone.call(&world, "GET", "/sync/changes", None).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (401, "invalid_token"));
    let old = phone.refresh.borrow().clone();
    let (status, answer) = phone.refreshed(&world).await;
    assert_eq!((status, answer["token_type"].as_str().unwrap(), answer["expires_in"].as_i64()), (200, "DPoP", Some(600)));
    assert_eq!(answer["refresh_token"].as_str().unwrap(), old);
    assert_eq!(phone.call(&world, "GET", "/sync/changes", None).await.0, 200);
}

#[tokio::test]
async fn bad_input_a_code_is_good_once_for_one_key_and_not_for_long() {
    let world = World::new().await;
    let phone = Phone::default();
    let session = phone.factors(&world, 0).await;
    let (_, done) = phone.complete(&world, &session).await;
    let thief = Phone::default();
    assert_eq!(thief.token(&world, &grant(&done)).await.1["error"], "invalid_grant");
    assert_eq!(phone.token(&world, &grant(&done)).await.0, 200);
    let (status, answer) = phone.token(&world, &grant(&done)).await;
    assert_eq!((status, answer["error_description"].as_str().unwrap()), (400, "the code was used"));
    let (_, done) = phone.complete(&world, &session).await;
    world.wait(901);
    assert_eq!(phone.token(&world, &grant(&done)).await.1["error_description"], "the code expired");
}

#[tokio::test]
async fn bad_input_token_requests_of_other_shapes() {
    let (world, phone) = activated().await;
    for (form, error) in [
        ("", "invalid_request"),
        ("grant_type=password", "unsupported_grant_type"),
        ("grant_type=refresh_token", "invalid_request"),
        (&format!("grant_type={PRE_AUTHORIZED}"), "invalid_request"),
        (&format!("grant_type={PRE_AUTHORIZED}&pre-authorized_code=unknown"), "invalid_grant"),
        ("grant_type=refresh_token&refresh_token=a&refresh_token=b", "invalid_request"),
    ] {
        let (status, answer) = phone.token(&world, form).await;
        assert_eq!((status, answer["error"].as_str().unwrap()), (400, error), "{form}");
    }
    let response = world.post_request("/token").body("grant_type=refresh_token&refresh_token=x").send().await.unwrap();
    assert_eq!(answer(response).await.1["error"], "invalid_dpop_proof");
    let proof = phone.proof(&world, "POST", "/token", None, &json!({}));
    let twice = world.post_request("/token").header("DPoP", &proof).header("DPoP", &proof).body("grant_type=x");
    assert_eq!(answer(twice.send().await.unwrap()).await.1["error"], "invalid_request");
}

#[tokio::test]
async fn metadata_names_this_service() {
    let world = World::new().await;
    let (_, issuer) = world.get_json("/.well-known/openid-credential-issuer").await;
    assert_eq!(issuer["credential_issuer"], "https://localhost:8443");
    assert_eq!(issuer["batch_credential_issuance"]["batch_size"], 20);
    let mdl = &issuer["credential_configurations_supported"]["driving-licence.mdoc"];
    assert_eq!((mdl["format"].as_str().unwrap(), mdl["doctype"].as_str().unwrap()), ("mso_mdoc", "org.iso.18013.5.1.mDL"));
    let cwt = &issuer["credential_configurations_supported"]["health-summary.sd-cwt"];
    assert_eq!((cwt["format"].as_str().unwrap(), cwt["vct"].as_str().unwrap()), ("vn.sd-cwt", "urn:vn:health-summary:1"));
    let (_, server) = world.get_json("/.well-known/oauth-authorization-server").await;
    assert_eq!(server["issuer"], issuer["credential_issuer"]);
    assert!(server["grant_types_supported"].as_array().unwrap().contains(&json!(PRE_AUTHORIZED)));
}
