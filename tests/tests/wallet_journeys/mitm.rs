//! A relay inside the phone's TLS: it reads every answer of central, keeps it, and may give another one in its place.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum_server::tls_rustls::RustlsConfig;
use p256::pkcs8::EncodePrivateKey;
use wallet_base::crypto::{Curve, Signer, SoftwareKey};
use wallet_base::random::OsRandom;
use wallet_base::x509::{Certificate, CertificateSpec, issue};
use wallet_core::{Wallet, WalletConfig};

use crate::world::{Device, World};

const DAY: i64 = 86_400;
/// SubjectAltName (RFC 5280, 4.2.1.6) with dNSName `localhost` and iPAddress 127.0.0.1.
const LOCALHOST: &[u8] = b"\x30\x11\x82\x09localhost\x87\x04\x7f\x00\x00\x01";

/// One answer as it came from central.
#[derive(Clone, Debug)]
pub struct Reply {
    pub method: String,
    pub path: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

type Change = Box<dyn FnMut(&mut Reply) + Send>;

struct Shared {
    upstream: String,
    central: SocketAddr,
    client: reqwest::Client,
    kept: Mutex<Vec<Reply>>,
    change: Mutex<Option<Change>>,
}

/// The relay. It stands between the world's own relay and central until it is dropped with the world.
pub struct Mitm {
    root: Certificate,
    shared: Arc<Shared>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Mitm {
    pub fn before(world: &World) -> Self {
        let central = world.relay.target.lock().unwrap().unwrap();
        let now = world.clock.wall();
        let (root_key, key) = (SoftwareKey::generate(Curve::P256, &OsRandom), SoftwareKey::generate(Curve::P256, &OsRandom));
        let spec = |name: &str, key: &SoftwareKey, is_ca: bool| CertificateSpec {
            common_name: name.to_owned(),
            organization: None,
            country: None,
            not_before: now.plus_secs(-DAY),
            not_after: now.plus_secs(30 * DAY),
            public_key: key.public_key(),
            is_ca,
            extended_key_usage: if is_ca { vec![] } else { vec!["1.3.6.1.5.5.7.3.1".to_owned()] },
            extensions: if is_ca { vec![] } else { vec![("2.5.29.17".to_owned(), false, LOCALHOST.to_vec())] },
            lean: false,
        };
        let root = issue(&spec("Relay root", &root_key, true), None, &root_key, &OsRandom).unwrap();
        let leaf = issue(&spec("localhost", &key, false), Some(&root), &root_key, &OsRandom).unwrap();
        let pkcs8 = p256::SecretKey::from_slice(&key.scalar()).unwrap().to_pkcs8_der().unwrap();
        let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().to_vec().into()],
                rustls::pki_types::PrivatePkcs8KeyDer::from(pkcs8.as_bytes().to_vec()).into(),
            )
            .unwrap();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let client = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_der(&world.anchors.tls_root).unwrap()])
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let upstream = format!("https://localhost:{}", central.port());
        let shared = Arc::new(Shared { upstream, central, client, kept: Mutex::default(), change: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let app = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        runtime.spawn(async move {
            let server = axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(Arc::new(tls))).unwrap();
            server.serve(app.into_make_service()).await.unwrap();
        });
        *world.relay.target.lock().unwrap() = Some(address);
        Self { root, shared, runtime: Some(runtime) }
    }

    /// From now on the world's relay leads to central again.
    pub fn leave(&self, world: &World) {
        *world.relay.target.lock().unwrap() = Some(self.shared.central);
    }

    /// A wallet on a device that takes the relay for central.
    pub fn wallet(&self, world: &World, device: &Device) -> Wallet {
        let config = WalletConfig { tls_root: self.root.der().to_vec(), ..world.wallet_config(&device.wallet_dir()) };
        Wallet::open(config, device.ports()).unwrap()
    }

    /// Every answer so far.
    pub fn kept(&self) -> Vec<Reply> {
        self.shared.kept.lock().unwrap().clone()
    }

    /// What happens to answers from now on.
    pub fn change(&self, change: impl FnMut(&mut Reply) + Send + 'static) {
        *self.shared.change.lock().unwrap() = Some(Box::new(change));
    }
}

impl Drop for Mitm {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let answer = forward(&shared, request).await;
    let mut reply = answer.unwrap_or_else(|_| panic!("central is gone"));
    shared.kept.lock().unwrap().push(reply.clone());
    if let Some(change) = shared.change.lock().unwrap().as_mut() {
        change(&mut reply);
    }
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

async fn forward(shared: &Shared, request: Request) -> Result<Reply, reqwest::Error> {
    let (head, body) = request.into_parts();
    let sent = to_bytes(body, 32 << 20).await.unwrap_or_default();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let request = shared.client.request(head.method.clone(), format!("{}{path}", shared.upstream)).headers(passed_on(&head.headers));
    let answer = request.body(sent).send().await?;
    let (status, headers) = (answer.status(), passed_on(answer.headers()));
    Ok(Reply { method: head.method.to_string(), path, status, headers, body: answer.bytes().await?.to_vec() })
}

/// Headers of one connection, and those that are made anew, are not passed on.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut out = headers.clone();
    for own in [header::CONNECTION, header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
        out.remove(own);
    }
    out
}
