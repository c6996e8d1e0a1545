//! For tests: a certificate authority, and axum behind TLS on the loopback interface.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use p256::pkcs8::EncodePrivateKey;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use wallet_base::crypto::{Curve, Signer, SoftwareKey};
use wallet_base::random::OsRandom;
use wallet_base::time::{TimeSource, Timestamp};
use wallet_base::x509::{Certificate, CertificateSpec, issue};

use crate::http::HttpConfig;
use crate::software::SystemClock;

/// SubjectAltName (RFC 5280, 4.2.1.6) with dNSName `localhost` and iPAddress 127.0.0.1.
const LOCALHOST: &[u8] = &[0x30, 0x11, 0x82, 9, b'l', b'o', b'c', b'a', b'l', b'h', b'o', b's', b't', 0x87, 4, 127, 0, 0, 1];
/// The same with dNSName `elsewhere` alone.
const ELSEWHERE: &[u8] = &[0x30, 0x0b, 0x82, 9, b'e', b'l', b's', b'e', b'w', b'h', b'e', b'r', b'e'];

/// A root of its own.
pub(crate) struct Authority {
    key: SoftwareKey,
    pub(crate) root: Certificate,
}

pub(crate) fn now() -> Timestamp {
    SystemClock::new().now()
}

fn spec(name: &str, key: &SoftwareKey, hosts: Option<&[u8]>, valid: (i64, i64)) -> CertificateSpec {
    let is_ca = hosts.is_none();
    CertificateSpec {
        common_name: name.to_owned(),
        organization: None,
        country: None,
        not_before: now().plus_secs(valid.0),
        not_after: now().plus_secs(valid.1),
        public_key: key.public_key(),
        is_ca,
        extended_key_usage: if is_ca { vec![] } else { vec!["1.3.6.1.5.5.7.3.1".to_owned()] },
        extensions: hosts.map(|hosts| ("2.5.29.17".to_owned(), false, hosts.to_vec())).into_iter().collect(),
        lean: false,
    }
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = SoftwareKey::generate(Curve::P256, &OsRandom);
        let root = issue(&spec("Test root", &key, None, (-3600, 90 * 86_400)), None, &key, &OsRandom).unwrap();
        Self { key, root }
    }

    /// TLS for `localhost`, valid from and to seconds from now.
    pub(crate) fn server(&self, valid: (i64, i64)) -> RustlsConfig {
        self.server_for(LOCALHOST, valid)
    }

    /// The same for another host.
    pub(crate) fn server_elsewhere(&self, valid: (i64, i64)) -> RustlsConfig {
        self.server_for(ELSEWHERE, valid)
    }

    fn server_for(&self, hosts: &[u8], valid: (i64, i64)) -> RustlsConfig {
        let key = SoftwareKey::generate(Curve::P256, &OsRandom);
        let leaf = issue(&spec("localhost", &key, Some(hosts), valid), Some(&self.root), &self.key, &OsRandom).unwrap();
        let pkcs8 = p256::SecretKey::from_slice(&key.scalar()).unwrap().to_pkcs8_der().unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(leaf.der().to_vec())], PrivatePkcs8KeyDer::from(pkcs8.as_bytes().to_vec()).into())
            .unwrap();
        RustlsConfig::from_config(Arc::new(config))
    }

    /// A client's settings with quick time-outs.
    pub(crate) fn client(&self, address: SocketAddr) -> HttpConfig {
        let second = Duration::from_secs(1);
        HttpConfig {
            connect_timeout: second,
            read_timeout: second,
            total_timeout: 2 * second,
            max_body: 64 * 1024,
            ..HttpConfig::new(format!("https://localhost:{}", address.port()), self.root.der())
        }
    }
}

/// A running server; stops when dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

pub(crate) fn serve(app: axum::Router, tls: RustlsConfig) -> Running {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    runtime.spawn(async move {
        axum_server::from_tcp_rustls(listener, tls).unwrap().serve(app.into_make_service()).await.unwrap();
    });
    Running { address, runtime: Some(runtime) }
}
