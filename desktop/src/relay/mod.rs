//! The one relay between phone and central. It ends the phone's TLS under the demo's own root and speaks TLS to central itself, so it sees every body:
//! it is the recorder, and when an attack asks for it, the attacker. Neither the core nor central knows of it.
mod identity;
pub mod record;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Response, StatusCode, header};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;

use crate::trouble::Trouble;
use record::{Exchange, Recorder};

const MAX_BODY: usize = 32 << 20;
const UPSTREAM: Duration = Duration::from_secs(30);
/// Headers that belong to one connection and are never passed on (RFC 9110 section 7.6.1), and those that the relay makes anew.
const OWN_HEADERS: [HeaderName; 7] =
    [header::CONNECTION, header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::TE, header::TRAILER, header::UPGRADE];

/// A certificate chain (DER, leaf first) and its private key (PKCS #8 DER) for the relay's side towards the phone.
pub struct Identity {
    /// DER certificates, leaf first.
    pub chain: Vec<Vec<u8>>,
    /// PKCS #8 private key.
    pub key: Vec<u8>,
}

/// What passes towards the phone.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
}

/// Somebody who stands at the relay and changes what the phone receives. Gets method and path with the true reply.
pub type Intruder = Box<dyn FnMut(&str, &str, &mut Reply) + Send>;

struct Shared {
    upstream: Mutex<Option<String>>,
    client: reqwest::Client,
    recorder: Recorder,
    intruder: Mutex<Option<Intruder>>,
    refused: AtomicUsize,
}

/// The running relay. Dropping it closes it.
pub struct Relay {
    port: u16,
    shared: Arc<Shared>,
    handle: Handle<SocketAddr>,
    thread: Option<JoinHandle<()>>,
}

/// A port of the loopback interface held for the relay before anything else exists, because central has to know its public address first.
pub struct Reserved(TcpListener);

impl Reserved {
    /// Takes a free port.
    pub fn new() -> Result<Self, Trouble> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map(Self).map_err(|e| Trouble::outside("opening a port", e))
    }

    /// The address that phones use.
    pub fn url(&self) -> Result<String, Trouble> {
        let port = self.0.local_addr().map_err(|e| Trouble::outside("opening a port", e))?.port();
        Ok(format!("https://localhost:{port}"))
    }
}

impl Relay {
    /// Starts the relay on the reserved port: `identity` towards the phone, `root` (DER) as the only root that central's certificate may come from.
    pub fn start(reserved: Reserved, identity: Identity, root: &[u8], recorder: Recorder) -> Result<Self, Trouble> {
        let failed = |e: &dyn std::fmt::Display| Trouble::outside("starting the relay", e);
        let root = reqwest::Certificate::from_der(root).map_err(|e| failed(&e))?;
        let client = reqwest::Client::builder()
            .tls_certs_only([root])
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(UPSTREAM)
            .build()
            .map_err(|e| failed(&e))?;
        let chain = identity.chain.into_iter().map(Into::into).collect();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(identity.key).into();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| failed(&e))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|e| failed(&e))?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let shared =
            Arc::new(Shared { upstream: Mutex::new(None), client, recorder, intruder: Mutex::new(None), refused: AtomicUsize::new(0) });
        let port = reserved.0.local_addr().map_err(|e| failed(&e))?.port();
        reserved.0.set_nonblocking(true).map_err(|e| failed(&e))?;
        let handle = Handle::new();
        let app = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(|e| failed(&e))?;
        let serving = handle.clone();
        let thread = std::thread::spawn(move || {
            let ended = runtime.block_on(async move {
                axum_server::from_tcp_rustls(reserved.0, RustlsConfig::from_config(Arc::new(tls)))?
                    .handle(serving)
                    .serve(app.into_make_service())
                    .await
            });
            if let Err(error) = ended {
                tracing::error!(%error, "the relay ended");
            }
        });
        Ok(Self { port, shared, handle, thread: Some(thread) })
    }

    /// The address that phones use: it stays the same while central comes and goes.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// From now on requests go to central at `address` (host:port); `None`: central is off and every request is answered 503 and counted.
    pub fn connect(&self, address: Option<&str>) {
        *lock(&self.shared.upstream) = address.map(|a| format!("https://{a}"));
    }

    /// How many requests came while central was off.
    pub fn requests_while_off(&self) -> usize {
        self.shared.refused.load(Ordering::SeqCst)
    }

    /// What passed.
    pub fn recorder(&self) -> &Recorder {
        &self.shared.recorder
    }

    /// Lets somebody stand at the relay, or nobody.
    pub fn set_intruder(&self, intruder: Option<Intruder>) {
        *lock(&self.shared.intruder) = intruder;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.handle.shutdown();
        if let Some(thread) = self.thread.take() {
            // A panic of the relay's thread was already reported by the runtime.
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let upstream = lock(&shared.upstream).clone();
    let Some(upstream) = upstream else {
        shared.refused.fetch_add(1, Ordering::SeqCst);
        return plain(StatusCode::SERVICE_UNAVAILABLE);
    };
    match forward(&shared, &upstream, request).await {
        Ok(response) => response,
        Err(status) => plain(status),
    }
}

async fn forward(shared: &Shared, upstream: &str, request: Request) -> Result<Response<Body>, StatusCode> {
    let (head, body) = request.into_parts();
    let sent = to_bytes(body, MAX_BODY).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?.to_vec();
    let path = head.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let answer = shared
        .client
        .request(head.method.clone(), format!("{upstream}{path}"))
        .headers(passed_on(&head.headers))
        .body(sent.clone())
        .send()
        .await
        .map_err(|_| StatusCode::BAD_GATEWAY)?;
    let status = answer.status();
    let headers = passed_on(answer.headers());
    let received = answer.bytes().await.map_err(|_| StatusCode::BAD_GATEWAY)?.to_vec();
    let mut reply = Reply { status: status.as_u16(), body: received.clone() };
    if let Some(intruder) = lock(&shared.intruder).as_mut() {
        intruder(head.method.as_str(), &path, &mut reply);
    }
    let replaced = (reply.status != status.as_u16() || reply.body != received).then(|| reply.body.clone());
    shared.recorder.keep(Exchange { method: head.method.to_string(), path, sent, status: status.as_u16(), received, replaced });
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_GATEWAY);
    *response.headers_mut() = headers;
    Ok(response)
}

fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut out = headers.clone();
    for own in &OWN_HEADERS {
        out.remove(own);
    }
    out
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
