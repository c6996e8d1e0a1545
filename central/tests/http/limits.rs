//! Limits, headers, and what must not be written anywhere.

use serde_json::json;

use crate::phone::Phone;
use crate::world::{World, answer, client};

#[tokio::test]
async fn bad_input_bodies_above_the_cap_are_refused() {
    let world = World::new().await;
    let response = world.post_request("/activation/open").body(vec![b' '; 256 * 1024 + 1]).send().await.unwrap();
    assert_eq!(answer(response).await.0, 413);
    let (status, answer) = world.post("/activation/open", &json!([])).await;
    assert_eq!((status, answer["error"].as_str().unwrap()), (400, "invalid_request"));
    let deep = "[".repeat(100_000);
    let response = world.post_request("/staff/enrol").body(deep).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 400);
}

#[tokio::test]
async fn answers_carry_the_services_time_and_are_not_cached() {
    let world = World::new().await;
    let response = world.get_request("/status").send().await.unwrap();
    assert_eq!(response.headers()["date"], "Sat, 21 Nov 2026 08:00:00 GMT");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(world.get_json("/nothing").await.1["error"], "not_found");
}

#[tokio::test]
async fn bad_input_plain_http_and_foreign_roots_get_nothing() {
    let (world, other) = (World::new().await, World::new().await);
    let plain = world.url("/status").replace("https://", "http://");
    let reached = reqwest::Client::builder().no_proxy().build().unwrap().get(plain).send().await;
    assert!(reached.is_err() || !reached.unwrap().status().is_success());
    let stranger = client(&other.tls_root, &world.clock);
    assert!(stranger.get(world.url("/status")).send().await.is_err());
}

#[tokio::test]
async fn a_stopped_service_does_not_answer_and_starts_again() {
    let mut world = World::new().await;
    let url = world.url("/status");
    world.stop().await;
    assert!(client(&world.tls_root, &world.clock).get(url).send().await.is_err());
    world.start().await;
    assert_eq!(world.get("/status").await.0, 200);
}

#[tokio::test]
async fn nothing_of_a_citizen_is_public() {
    let (world, phone) = (World::new().await, Phone::default());
    phone.activate(&world, 0).await;
    phone.obtain(&world, "citizen-identity.mdoc", 2).await;
    for folder in ["trust/metadata", "trust/targets", "certificates", "public"] {
        for entry in std::fs::read_dir(world.dir.path().join(folder)).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            for secret in ["001090000123", "Nguyễn", "NGUYEN"] {
                assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
            }
        }
    }
}
