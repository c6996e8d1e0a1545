//! Limits per address, of connections, and of how slowly a client reads.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use wallet_base::crypto::Signer;

use crate::phone::{PRE_AUTHORIZED, Phone, key};
use crate::world::{World, answer, tls};

const OPEN: &str = "/activation/open";

fn body() -> serde_json::Value {
    json!({"device_key": key().public_key().to_jwk(), "action": "activate"})
}

#[tokio::test]
async fn bad_input_sessions_without_end_from_one_address() {
    let world = World::limited(&json!({"sessions_per_hour": 4})).await;
    for _ in 0..4 {
        // What is refused opens no session and does not count.
        assert_eq!(world.post(OPEN, &json!({})).await.0, 400);
        assert_eq!(world.post(OPEN, &body()).await.0, 200);
    }
    let (status, code, wait) = world.refused(OPEN, &body()).await;
    assert_eq!((status, code.as_str()), (429, "too_many_requests"));
    let wait = i64::from(wait.unwrap());
    assert!((895..=905).contains(&wait), "{wait}");
    // Sessions that are open go on; an hour's quarter later there is room for one.
    assert_eq!(world.get("/status").await.0, 200);
    world.wait(wait);
    assert_eq!(world.post(OPEN, &body()).await.0, 200);
    assert_eq!(world.post(OPEN, &body()).await.0, 429);
}

#[tokio::test]
async fn bad_input_guesses_of_codes_from_one_address() {
    let world = World::limited(&json!({"token_errors_per_hour": 3, "staff_code_errors_per_hour": 3})).await;
    let (phone, thief) = (Phone::default(), Phone::default());
    phone.activate(&world, 0).await;
    // Refreshing and asking for nonces is no error.
    for _ in 0..5 {
        assert_eq!(phone.refreshed(&world).await.0, 200);
    }
    let guess = format!("grant_type={PRE_AUTHORIZED}&pre-authorized_code=guess");
    for _ in 0..3 {
        assert_eq!(thief.token(&world, &guess).await.1["error"], "invalid_grant");
    }
    let response = thief.send_token(&world, &guess, "x").await;
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(answer(response).await.1["error"], "too_many_requests");
    // Tokens that exist work on.
    assert_eq!(phone.call(&world, "GET", "/sync/changes?cursor=0", None).await.0, 200);

    let enrol = |code: &str| {
        let key = key();
        let proof = crate::phone::jws(&key, "staff-enrolment+jwt", &json!({"code": code}));
        json!({"code": code, "public_key": key.public_key().to_jwk(), "proof": proof})
    };
    let code = world.admin().staff_code("flight", "Sân bay", "Cửa 1").unwrap();
    for _ in 0..3 {
        assert_eq!(world.post("/staff/enrol", &enrol("AAAA-AAAA")).await.1["error"], "invalid_code");
    }
    let (status, refused, wait) = world.refused("/staff/enrol", &enrol(&code)).await;
    assert_eq!((status, refused.as_str()), (429, "too_many_requests"));
    // It was not looked at, so it is still good later.
    world.wait(i64::from(wait.unwrap()));
    assert_eq!(world.post("/staff/enrol", &enrol(&code)).await.0, 200);
}

#[tokio::test]
async fn behind_a_trusted_proxy_its_clients_are_counted() {
    let world = World::limited(&json!({"sessions_per_hour": 1, "trusted_proxies": ["127.0.0.1"]})).await;
    let open = async |from: &[&str]| {
        let mut request = world.post_request(OPEN).body(body().to_string());
        for line in from {
            request = request.header("X-Forwarded-For", *line);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(open(&["192.0.2.1"]).await, 200);
    assert_eq!(open(&["192.0.2.1"]).await, 429);
    assert_eq!(open(&["192.0.2.2"]).await, 200);
    // What a client puts before does not make it another.
    assert_eq!(open(&["203.0.113.5, 192.0.2.2"]).await, 429);
    assert_eq!(open(&["203.0.113.6", "192.0.2.2"]).await, 429);
}

#[tokio::test]
async fn bad_input_a_header_from_a_stranger_is_not_believed() {
    let world = World::limited(&json!({"sessions_per_hour": 1})).await;
    for (address, status) in [("192.0.2.1", 200), ("192.0.2.2", 429)] {
        let request = world.post_request(OPEN).header("X-Forwarded-For", address).body(body().to_string());
        assert_eq!(request.send().await.unwrap().status().as_u16(), status);
    }
}

#[tokio::test]
async fn bad_input_connections_without_end_from_one_address() {
    let world = World::limited(&json!({"connections_per_address": 8})).await;
    let address = world.url("").replace("https://", "");
    let held: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(&address).unwrap()).collect();
    // Refused at the door, before any TLS.
    let ask = || world.get_request("/status").header("connection", "close").send();
    while ask().await.is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(held);
    let start = Instant::now();
    while ask().await.is_err() {
        assert!(start.elapsed() < Duration::from_mins(1));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn bad_input_a_client_that_does_not_read_its_answers_is_let_go() {
    let mut world = World::new().await;
    world.stop().await;
    world.read_limit = Some(Duration::from_secs(2));
    world.start().await;
    let address = world.url("").replace("https://", "");
    let tls = Arc::new(tls(&world.tls_root, &world.clock));
    let ended = tokio::task::spawn_blocking(move || {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        let connection = rustls::ClientConnection::new(tls, "localhost".try_into().unwrap()).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            let _ = stream.conn.complete_io(&mut stream.sock);
        }
        let request = b"GET /trust/metadata/1.root.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(64);
        let start = Instant::now();
        // Asks and asks, and never reads: when the server ends the connection, writing fails for good.
        loop {
            match stream.write_all(&request) {
                Err(error) if !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => break,
                // Half of a request was written: what follows does not matter, the pipe is full.
                Ok(()) | Err(_) => {}
            }
            if start.elapsed() > Duration::from_mins(1) {
                return None;
            }
        }
        let mut rest = Vec::new();
        let _ = stream.sock.read_to_end(&mut rest);
        Some(start.elapsed())
    })
    .await
    .unwrap();
    assert!(ended.is_some_and(|took| took > Duration::from_secs(1)), "{ended:?}");
    assert_eq!(world.get("/status").await.0, 200);
}
