//! Status lists: shards, refresh, suspension, revocation, the old device's copies.

use serde_json::json;
use wallet_base::fact::{FactName, Outcome};
use wallet_credential::sd_cwt::SdCwt;
use wallet_credential::status::{INVALID, SUSPENDED, UnverifiedStatusList, VALID};

use crate::credentials::{fact, judge_sd_cwt, lists};
use crate::phone::{Phone, key};
use crate::world::{DAY, PUBLIC, World};

const CITIZEN: &str = "001090000123";

/// The entry of a copy in the list that is published now.
async fn entry(world: &World, copy: &[u8]) -> u8 {
    let reference = SdCwt::decode(copy).unwrap().status().unwrap().clone();
    let (_, bytes) = world.get(reference.uri.strip_prefix(PUBLIC).unwrap()).await;
    let (_, list) =
        UnverifiedStatusList::decode(&bytes).unwrap().verify(&world.trust(), &reference.uri, world.now(), wallet_base::fact::By::Verifier);
    list.unwrap().get(reference.index).unwrap()
}

#[tokio::test]
async fn lists_exist_for_every_type_and_week_of_the_next_sixty_days() {
    let world = World::new().await;
    let trust = world.trust();
    let (_, answer) = world.get_json("/status").await;
    let paths: Vec<&str> = answer["lists"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    for document in ["citizen-identity", "driving-licence", "health-insurance-card", "health-summary"] {
        // 2026-11-21 lies in week 47; sixty days on is 2027-01-20, week 3; 2026 has 53 weeks (ISO 8601).
        for week in ["2026-W47", "2026-W48", "2026-W52", "2026-W53", "2027-W01", "2027-W03"] {
            assert!(paths.contains(&format!("/status/{document}/{week}").as_str()), "{document} {week}");
        }
        assert!(!paths.contains(&format!("/status/{document}/2027-W04").as_str()));
    }
    let all = lists(&world, &trust).await;
    for list in all.iter() {
        assert!(list.len() >= 1 << 20);
        assert_eq!(list.ttl_secs(), Some(12 * 3600));
        assert_eq!(list.expires().unwrap().unix() - list.issued_at().unix(), 14 * DAY);
    }
    let response = world.get_request(paths[0]).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/statuslist+cwt");
}

#[tokio::test]
async fn lists_are_signed_again_after_twelve_hours() {
    let mut world = World::new().await;
    let path = "/status/driving-licence/2026-W50";
    let first = world.get(path).await.1;
    world.wait(11 * 3600);
    assert_eq!(world.get(path).await.1, first);
    world.wait(3600);
    let second = world.get(path).await.1;
    assert_ne!(second, first);
    world.wait(60);
    world.admin().republish().unwrap();
    assert_ne!(world.get(path).await.1, second);
    // After a long stop nothing expired is handed out.
    world.stop().await;
    world.wait(40 * DAY);
    world.start().await;
    let trust = world.trust();
    assert!(lists(&world, &trust).await.iter().count() > 0);
}

#[tokio::test]
async fn a_suspension_shows_on_every_copy_and_ends() {
    let (world, phone) = (World::new().await, Phone::default());
    phone.activate(&world, 0).await;
    let (keys, copies) = phone.obtain(&world, "driving-licence.sd-cwt", 3).await;
    let (_, others) = phone.obtain(&world, "health-summary.sd-cwt", 1).await;
    let facts = judge_sd_cwt(&world, &copies[0], "driving-licence", &keys[0]).await;
    assert_eq!(fact(&facts, FactName::CredentialStatus), Outcome::Passed);

    world.admin().suspend(CITIZEN, "driving-licence").unwrap();
    for copy in &copies {
        assert_eq!(entry(&world, copy).await, SUSPENDED);
    }
    assert_eq!(entry(&world, &others[0]).await, VALID);
    let facts = judge_sd_cwt(&world, &copies[0], "driving-licence", &keys[0]).await;
    assert_eq!(fact(&facts, FactName::CredentialStatus), Outcome::Failed);
    assert_eq!(fact(&facts, FactName::CredentialValidity), Outcome::Passed);

    // No refill while suspended, not even of old keys.
    let fresh = [key()];
    assert_eq!(phone.register(&world, &fresh).await.0, 200);
    let (status, answer) = phone.credential(&world, "driving-licence.mdoc", &phone.attestation(&world, &fresh).await).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (400, "credential_request_denied"));

    world.wait(60);
    world.admin().reinstate(CITIZEN, "driving-licence").unwrap();
    assert_eq!(entry(&world, &copies[0]).await, VALID);
    let (_, feed) = phone.call(&world, "GET", "/sync/changes?cursor=0", None).await;
    let kinds: Vec<&str> = feed["changes"].as_array().unwrap().iter().map(|change| change["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["issued", "issued", "suspended", "reinstated"]);
    // From the cursor on there is nothing new.
    let (_, rest) = phone.call(&world, "GET", &format!("/sync/changes?cursor={}", feed["cursor"]), None).await;
    assert_eq!((rest["changes"].as_array().unwrap().len(), &rest["cursor"]), (0, &feed["cursor"]));
    let licence = feed["documents"].as_array().unwrap().iter().find(|d| d["id"] == "driving-licence").unwrap();
    assert_eq!((licence["state"].as_str().unwrap(), licence["as_of"].as_str().unwrap()), ("valid", "2026-11-21T08:01:00Z"));
}

#[tokio::test]
async fn a_suspension_while_the_service_is_stopped_is_published_at_once() {
    let (mut world, phone) = (World::new().await, Phone::default());
    phone.activate(&world, 0).await;
    let (_, copies) = phone.obtain(&world, "driving-licence.sd-cwt", 1).await;
    world.stop().await;
    world.admin().suspend(CITIZEN, "driving-licence").unwrap();
    world.start().await;
    assert_eq!(entry(&world, &copies[0]).await, SUSPENDED);
}

#[tokio::test]
async fn a_revocation_is_final() {
    let (world, phone) = (World::new().await, Phone::default());
    phone.activate(&world, 0).await;
    let (_, copies) = phone.obtain(&world, "health-insurance-card.sd-cwt", 1).await;
    world.admin().revoke(CITIZEN, "health-insurance-card").unwrap();
    assert_eq!(entry(&world, &copies[0]).await, INVALID);
    assert!(world.admin().reinstate(CITIZEN, "health-insurance-card").is_err());
    assert!(world.admin().suspend(CITIZEN, "health-insurance-card").is_err());
    assert_eq!(entry(&world, &copies[0]).await, INVALID);
}

#[tokio::test]
async fn the_old_devices_copies_are_revoked() {
    let (world, old, new) = (World::new().await, Phone::default(), Phone::default());
    old.activate(&world, 0).await;
    let (_, copies) = old.obtain(&world, "citizen-identity.sd-cwt", 2).await;
    new.activate(&world, 0).await;
    let (_, fresh) = new.obtain(&world, "citizen-identity.sd-cwt", 1).await;
    for copy in &copies {
        assert_eq!(entry(&world, copy).await, INVALID);
    }
    assert_eq!(entry(&world, &fresh[0]).await, VALID);
    // A suspension and its end do not bring the old copies back.
    world.admin().suspend(CITIZEN, "citizen-identity").unwrap();
    world.admin().reinstate(CITIZEN, "citizen-identity").unwrap();
    assert_eq!(entry(&world, &copies[0]).await, INVALID);
    assert_eq!(entry(&world, &fresh[0]).await, VALID);
}

#[tokio::test]
async fn copies_die_within_thirty_one_days() {
    let (mut world, phone) = (World::new().await, Phone::default());
    phone.activate(&world, 0).await;
    let (keys, copies) = phone.obtain(&world, "driving-licence.sd-cwt", 1).await;
    world.stop().await;
    world.wait(31 * DAY);
    world.start().await;
    let facts = judge_sd_cwt(&world, &copies[0], "driving-licence", &keys[0]).await;
    let failed: Vec<FactName> = facts.iter().filter(|fact| fact.outcome() == Outcome::Failed).map(wallet_base::fact::Fact::name).collect();
    assert_eq!(failed, [FactName::CredentialValidity]);
    // The list of the week in which it ended is still published.
    assert_eq!(fact(&facts, FactName::CredentialStatus), Outcome::Passed);
}

#[tokio::test]
async fn bad_input_unknown_lists_citizens_and_cursors() {
    let (world, phone) = (World::new().await, Phone::default());
    phone.activate(&world, 0).await;
    for path in ["/status/passport/2026-W48", "/status/driving-licence/2030-W01", "/status/driving-licence/%2e%2e", "/status/a/b/c"] {
        assert_eq!(world.get(path).await.0, 404, "{path}");
    }
    assert!(world.admin().suspend("999", "driving-licence").is_err());
    assert!(world.admin().suspend(CITIZEN, "passport").is_err());
    for cursor in ["-1", "x", "99999999999999999999"] {
        let (status, answer) = phone.call(&world, "GET", &format!("/sync/changes?cursor={cursor}"), None).await;
        assert_eq!((status, answer["error"].as_str().unwrap()), (400, "invalid_request"), "{cursor}");
    }
    assert_eq!(world.post("/status", &json!({})).await.0, 405);
}
