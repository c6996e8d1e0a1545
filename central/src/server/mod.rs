//! The HTTPS server: TLS under the service's own root, routes, a timer for what is due, graceful stop.

mod answer;
mod gate;
mod routes;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::TokioTimer;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::task::JoinHandle;
use wallet_base::crypto::SoftwareKey;
use wallet_base::random::{OsRandom, Random};
use wallet_base::time::TimeSource;

use crate::adapters::{FaceService, Messenger, PictureComparison, SpoolMessenger, spool};
use crate::config::Config;
use crate::error::CentralError;
use crate::keys::Identity;
use crate::registry::{Registry, SyntheticRegistry};
use crate::service::{Parts, Service};

/// How long requests that run may take after a stop was asked for.
const GRACE: Duration = Duration::from_secs(5);
/// How often the server looks for lists and metadata to sign anew.
const TIMER: Duration = Duration::from_mins(5);

/// How long a registry, a face service or a messenger may take: less than a phone waits for an answer.
const ADAPTER_DEADLINE: Duration = Duration::from_secs(10);

/// Held by a running service.
const LOCK: &str = "serve.lock";

/// How long a client may take to send a request's head, and again to send its body.
const READ_LIMIT: Duration = Duration::from_mins(1);

/// How to serve a directory.
#[derive(Clone)]
pub struct ServeOptions {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The time.
    pub clock: Arc<dyn TimeSource>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Whether keys that live in software may get credentials (desktop, tests).
    pub allow_software_keys: bool,
    /// The ministries' registries.
    pub registry: Arc<dyn Registry>,
    /// Comparison of faces.
    pub faces: Arc<dyn FaceService>,
    /// Delivery of codes and notices; `None` writes to the directory's `spool/`.
    pub messenger: Option<Arc<dyn Messenger>>,
    /// How long a client may take to send a request's head, and again to send its body; a connection that is idle ends after this, too.
    /// A client that does not read its answers may keep the server waiting as long, beside a time for their length.
    pub read_limit: Duration,
    /// How long a registry, a face service or a messenger may take; afterwards the call is answered with 503, and a late result is dropped.
    pub adapter_deadline: Duration,
}

impl ServeOptions {
    /// The reference back ends: synthetic citizens, picture comparison, spool directory; hardware keys only.
    ///
    /// # Errors
    /// [`CentralError::Damaged`] when the compiled-in citizens cannot be read.
    pub fn new(listen: SocketAddr, clock: Arc<dyn TimeSource>) -> Result<Self, CentralError> {
        Ok(Self {
            listen,
            clock,
            random: Arc::new(OsRandom),
            allow_software_keys: false,
            registry: Arc::new(SyntheticRegistry::new()?),
            faces: Arc::new(PictureComparison),
            messenger: None,
            read_limit: READ_LIMIT,
            adapter_deadline: ADAPTER_DEADLINE,
        })
    }
}

/// A running server.
pub struct Server {
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    task: JoinHandle<std::io::Result<()>>,
    timer: JoinHandle<()>,
}

impl Server {
    /// Starts serving a directory made by [`crate::init()`]; needs a tokio runtime. Returns when the address is bound.
    ///
    /// # Errors
    /// Damaged or missing files, a damaged database, [`CentralError::Directory`] when another service runs on the directory,
    /// [`CentralError::ClockBehind`], or an address that cannot be bound.
    pub async fn start(dir: &Path, options: ServeOptions) -> Result<Self, CentralError> {
        let dir = dir.to_owned();
        let parts = Parts {
            clock: options.clock,
            random: options.random,
            registry: options.registry,
            messenger: options.messenger.unwrap_or_else(|| Arc::new(SpoolMessenger::new(spool(&dir)))),
            faces: options.faces,
            allow_software_keys: options.allow_software_keys,
            adapter_deadline: options.adapter_deadline,
        };
        let opened = tokio::task::spawn_blocking(move || {
            let lock = lock(&dir)?;
            let tls = tls(&dir)?;
            Ok::<_, CentralError>((Arc::new(Service::open(&dir, parts)?), tls, lock))
        });
        let (service, tls, lock) = opened.await.map_err(|_| CentralError::Directory("the service stopped while it started"))??;

        let listener = std::net::TcpListener::bind(options.listen).map_err(|error| CentralError::Listen(error.kind()))?;
        listener.set_nonblocking(true).map_err(|error| CentralError::Listen(error.kind()))?;
        let address = listener.local_addr().map_err(|error| CentralError::Listen(error.kind()))?;
        let handle = Handle::new();
        // HTTP/1 only: to find out which version a client speaks, the server would wait for its first bytes without a limit.
        let gate = gate::Gate::new(&service.config.limits, options.read_limit);
        let acceptor = RustlsAcceptor::new(RustlsConfig::from_config(Arc::new(tls))).acceptor(gate);
        let mut server = axum_server::from_tcp(listener)
            .map_err(|error| CentralError::Listen(error.kind()))?
            .acceptor(acceptor)
            .handle(handle.clone())
            .http1_only();
        server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(options.read_limit);
        let routes = routes::router(service.clone(), options.read_limit).into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move {
            // Held for as long as anything is served.
            let _lock = lock;
            server.serve(routes).await
        });
        let timer = tokio::spawn(async move {
            loop {
                tokio::time::sleep(TIMER).await;
                let service = service.clone();
                if let Ok(Err(error)) = tokio::task::spawn_blocking(move || service.publish_due()).await {
                    tracing::error!(%error, "cannot publish what is due");
                }
            }
        });
        Ok(Self { address, handle, task, timer })
    }

    /// The bound address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops: no new connections, running requests get a few seconds.
    ///
    /// # Errors
    /// When the listener failed earlier.
    pub async fn stop(self) -> Result<(), CentralError> {
        self.timer.abort();
        self.handle.graceful_shutdown(Some(GRACE));
        match self.task.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(CentralError::Listen(error.kind())),
            Err(_) => Err(CentralError::Directory("the server stopped by itself")),
        }
    }

    /// Waits until the server ends by itself, which it does only on failure.
    ///
    /// # Errors
    /// The listener's failure.
    pub async fn wait(&mut self) -> Result<(), CentralError> {
        match (&mut self.task).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(CentralError::Listen(error.kind())),
            Err(_) => Err(CentralError::Directory("the server stopped by itself")),
        }
    }
}

/// Makes sure that one service runs on a directory: two would count tries, time and nonces apart. Administration works beside it.
fn lock(dir: &Path) -> Result<std::fs::File, CentralError> {
    let failed = |error: std::io::Error| CentralError::Io { action: "write", file: LOCK.to_owned(), kind: error.kind() };
    if !Config::exists(dir) {
        return Err(CentralError::Directory("the directory holds no service"));
    }
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(dir.join(LOCK)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(CentralError::Directory("another service runs on this directory: stop it first")),
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn tls(dir: &Path) -> Result<rustls::ServerConfig, CentralError> {
    let identity = Identity::load(dir, "tls")?;
    let damaged = CentralError::Damaged("TLS key or certificate");
    let Ok(key) = private_key(&identity.key) else { return Err(damaged) };
    let chain = vec![CertificateDer::from(identity.certificate.der().to_vec())];
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| CentralError::Damaged("TLS configuration"))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|_| damaged)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn private_key(key: &SoftwareKey) -> Result<PrivateKeyDer<'static>, CentralError> {
    use p256::pkcs8::EncodePrivateKey;
    let failed = |()| CentralError::Damaged("TLS key or certificate");
    let secret = p256::SecretKey::from_slice(&key.scalar()).map_err(|_| failed(()))?;
    let der = secret.to_pkcs8_der().map_err(|_| failed(()))?;
    Ok(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der.as_bytes().to_vec())))
}
