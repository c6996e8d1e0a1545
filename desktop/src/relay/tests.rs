//! The relay between a client and a service, both real, under one root made here.
use std::net::{Ipv4Addr, TcpListener};

use wallet_base::crypto::{Curve, Signer, SoftwareKey};
use wallet_base::random::OsRandom;
use wallet_base::time::Timestamp;
use wallet_base::x509::{Certificate, CertificateSpec, issue};

use super::*;
use crate::ports::DesktopClock;

fn now() -> Timestamp {
    Timestamp::from_unix(DesktopClock::default().now())
}

fn root() -> (Certificate, SoftwareKey) {
    let key = SoftwareKey::generate(Curve::P256, &OsRandom);
    let spec = CertificateSpec {
        common_name: "root of a test".to_owned(),
        organization: None,
        country: None,
        not_before: now().plus_secs(-3600),
        not_after: now().plus_secs(3600),
        public_key: key.public_key(),
        is_ca: true,
        extended_key_usage: Vec::new(),
        extensions: Vec::new(),
        lean: false,
    };
    (issue(&spec, None, &key, &OsRandom).unwrap(), key)
}

fn service(identity: Identity) -> SocketAddr {
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(identity.key).into();
    let tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain.into_iter().map(Into::into).collect(), key)
        .unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().fallback(|request: Request| async move {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, 1000).await.unwrap();
        let mut response = Response::new(Body::from(format!("{} {} {}", head.method, head.uri, String::from_utf8_lossy(&body))));
        response
            .headers_mut()
            .insert("x-proof", head.headers.get("x-proof").cloned().unwrap_or_else(|| header::HeaderValue::from_static("none")));
        response
    });
    tokio::spawn(axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(Arc::new(tls))).unwrap().serve(app.into_make_service()));
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_recorded_replaced_when_asked_and_refused_when_central_is_off() {
    let (certificate, key) = root();
    let identity = || Identity::for_localhost(&certificate, &key, now()).unwrap();
    let upstream = service(identity());
    let folder = tempfile::tempdir().unwrap();
    let relay = Relay::start(Reserved::new().unwrap(), identity(), certificate.der(), Recorder::new(folder.path(), None).unwrap()).unwrap();
    let client =
        reqwest::Client::builder().tls_certs_only([reqwest::Certificate::from_der(certificate.der()).unwrap()]).no_proxy().build().unwrap();
    let post = || client.post(format!("{}/a/b?c=1", relay.url())).header("x-proof", "p").body("hello").send();

    assert_eq!(post().await.unwrap().status(), 503);
    assert_eq!(relay.requests_while_off(), 1);

    relay.connect(Some(&format!("localhost:{}", upstream.port())));
    let response = post().await.unwrap();
    assert_eq!(response.headers().get("x-proof").unwrap(), "p");
    assert_eq!(response.text().await.unwrap(), "POST /a/b?c=1 hello");

    relay.set_intruder(Some(Box::new(|_, path, reply| {
        if path.starts_with("/a/") {
            reply.body = b"forged".to_vec();
        }
    })));
    assert_eq!(post().await.unwrap().text().await.unwrap(), "forged");
    let seen = relay.recorder().exchanges();
    assert_eq!(seen.iter().map(|e| e.replaced.as_deref()).collect::<Vec<_>>(), [None, Some(&b"forged"[..])]);
    assert!(seen.iter().all(|e| e.sent == b"hello" && e.received == b"POST /a/b?c=1 hello" && e.path == "/a/b?c=1"));
    assert_eq!(std::fs::read(folder.path().join("0001-post-a-b-c-1.request")).unwrap(), b"hello");
    assert_eq!(std::fs::read(folder.path().join("0001-post-a-b-c-1.response")).unwrap(), b"POST /a/b?c=1 hello");

    // A client that trusts another root gets no connection.
    let (other, _) = root();
    let stranger =
        reqwest::Client::builder().tls_certs_only([reqwest::Certificate::from_der(other.der()).unwrap()]).no_proxy().build().unwrap();
    assert!(stranger.get(relay.url()).send().await.is_err());
    tokio::task::spawn_blocking(move || drop(relay)).await.unwrap();
}
