//! Limits, headers, and what must not be written anywhere.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::phone::Phone;
use crate::world::{World, answer, client, tls};

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

/// Sends `head`, then one byte of `drip` every 100 ms for as long as the server listens. Gives what the server said and how long it took.
async fn drip(world: &World, head: &'static str, drip: &'static [u8]) -> (String, Duration) {
    let address = world.url("").replace("https://", "");
    let tls = Arc::new(tls(&world.tls_root, &world.clock));
    tokio::task::spawn_blocking(move || {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let connection = rustls::ClientConnection::new(tls, "localhost".try_into().unwrap()).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            let _ = stream.conn.complete_io(&mut stream.sock);
        }
        let start = Instant::now();
        stream.write_all(head.as_bytes()).unwrap();
        let (mut said, mut buffer, mut bytes) = (Vec::new(), [0; 4096], drip.iter().cycle());
        while start.elapsed() < Duration::from_secs(20) {
            if !drip.is_empty() && stream.write_all(&[*bytes.next().unwrap()]).is_err() {
                break;
            }
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => said.extend_from_slice(&buffer[..length]),
                Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
                Err(_) => break,
            }
        }
        (String::from_utf8_lossy(&said).into_owned(), start.elapsed())
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn bad_input_requests_that_drip_do_not_hold_a_connection() {
    let mut world = World::new().await;
    world.stop().await;
    world.read_limit = Some(Duration::from_secs(1));
    world.start().await;
    let in_time = Duration::from_millis(900)..Duration::from_secs(10);

    let (said, took) = drip(&world, "POST /activation/open HTTP/1.1\r\nhost: localhost\r\nx-slow: ", b"a").await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(in_time.contains(&took), "{took:?}");

    let head = "POST /activation/open HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9999\r\n\r\n";
    let (said, took) = drip(&world, head, b" ").await;
    assert!(said.starts_with("HTTP/1.1 408") && said.contains("invalid_request"), "{said}");
    assert!(in_time.contains(&took), "{took:?}");

    // Nothing at all after the handshake.
    let (said, took) = drip(&world, "", b"").await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(in_time.contains(&took), "{took:?}");

    assert_eq!(world.get("/status").await.0, 200);
}
