//! A blocking HTTPS client for one host, with one pinned root.
//!
//! TLS trusts the given root and nothing else (not the system's roots); plain `http:` is refused by name; no redirects, no proxies, no
//! cookies, no decompression; every response has a cap and every request a deadline. Errors are words, never URLs or bodies.
//!
//! The calls block. They may be made from any thread, a runtime's worker included (the work runs on a small runtime of the client's own),
//! but not while a lock is held.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use serde::de::DeserializeOwned;
use wallet_base::time::TimeSource;

use crate::cancel::{self, Ended};
use crate::worker;

mod pinned;

use pinned::PinnedRoot;

/// Why a request gave no usable response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum HttpError {
    /// The base URL is `http:`: refused, not tried.
    #[error("plain http is refused")]
    PlainHttp,
    /// The base URL, a path or a header is not usable.
    #[error("the request is not valid")]
    Request,
    /// The pinned root is not a certificate, or the TLS engine would not start.
    #[error("the tls settings are not valid")]
    Settings,
    /// No connection: no network, no such host, nobody listening.
    #[error("the service is unreachable")]
    Unreachable,
    /// The service's certificate is not under the pinned root, or not for this host.
    #[error("the service's certificate is not trusted")]
    Tls,
    /// The service's certificate is under the pinned root and for this host, but by this device's clock not valid yet or no more; or that clock shows
    /// no time at all. Most often the clock is wrong.
    #[error("the service's certificate does not hold at this time")]
    CertificateTime,
    /// No full response in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke before the response was whole.
    #[error("the connection was lost")]
    Dropped,
    /// The response is longer than the cap.
    #[error("the answer is too large")]
    TooLarge,
    /// The service answered with a redirect, which is never followed.
    #[error("a redirect is refused")]
    Redirect,
    /// The response is not what was asked for (not TLS, not HTTP, not JSON).
    #[error("the answer is malformed")]
    Malformed,
}

impl HttpError {
    /// Whether trying again later may help.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Unreachable | Self::Timeout | Self::Dropped)
    }
}

/// What a client needs.
#[derive(Clone)]
pub struct HttpConfig {
    /// `https://host[:port][/prefix]`.
    pub base_url: String,
    /// The one root certificate, DER.
    pub tls_root_der: Vec<u8>,
    /// To open a connection, handshake included.
    pub connect_timeout: Duration,
    /// Without a byte of the response.
    pub read_timeout: Duration,
    /// For a whole exchange.
    pub total_timeout: Duration,
    /// Longest response body in bytes.
    pub max_body: usize,
    /// Judges the service's certificate; `None` is the system's clock.
    pub time: Option<Arc<dyn TimeSource>>,
}

impl HttpConfig {
    /// The usual limits: 10 s to connect, 15 s of silence, 30 s in all, 4 MiB.
    pub fn new(base_url: impl Into<String>, tls_root_der: impl Into<Vec<u8>>) -> Self {
        Self {
            base_url: base_url.into(),
            tls_root_der: tls_root_der.into(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(15),
            total_timeout: Duration::from_secs(30),
            max_body: 4 << 20,
            time: None,
        }
    }

    /// The same with one limit for connecting, for silence and for the whole exchange.
    #[must_use]
    pub fn within(self, patience: Duration) -> Self {
        Self { connect_timeout: patience, read_timeout: patience, total_timeout: patience, ..self }
    }
}

impl fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpConfig").field("base_url", &self.base_url).field("max_body", &self.max_body).finish_non_exhaustive()
    }
}

/// A response, whole. Any status but a redirect; the caller judges it.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Header names in lower case with their values, in order; values that are not text are left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl fmt::Debug for HttpResponse {
    /// Status and length only: bodies and header values may be secret or personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse").field("status", &self.status).field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl HttpResponse {
    /// 2xx.
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The first header of that name (any case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        serde_json::from_slice(&self.body).map_err(|_| HttpError::Malformed)
    }
}

/// Our clock for the TLS engine.
struct TlsTime(Arc<dyn TimeSource>);

impl fmt::Debug for TlsTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTime")
    }
}

impl TimeProvider for TlsTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().unix()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// The client's own runtime: one worker thread.
struct Worker(Option<tokio::runtime::Runtime>);

impl Drop for Worker {
    fn drop(&mut self) {
        // Never waits: the last handle may be dropped on another runtime's thread, where waiting would panic.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A client. Cloning shares connections and thread.
#[derive(Clone)]
pub struct Http {
    base: Url,
    client: reqwest::Client,
    worker: Arc<Worker>,
    total_timeout: Duration,
    max_body: usize,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

impl Http {
    /// Makes a client; connects to nobody yet.
    pub fn new(config: HttpConfig) -> Result<Self, HttpError> {
        Self::on_thread("http", config)
    }

    fn on_thread(name: &str, config: HttpConfig) -> Result<Self, HttpError> {
        let mut base = Url::parse(&config.base_url).map_err(|_| HttpError::Request)?;
        match base.scheme() {
            "https" => {}
            "http" => return Err(HttpError::PlainHttp),
            _ => return Err(HttpError::Request),
        }
        if base.host_str().is_none()
            || !base.username().is_empty()
            || base.password().is_some()
            || base.query().is_some()
            || base.fragment().is_some()
        {
            return Err(HttpError::Request);
        }
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(&config)?)
            .https_only(true)
            .http1_only()
            .no_proxy()
            .referer(false)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.read_timeout)
            .timeout(config.total_timeout)
            .pool_max_idle_per_host(2)
            .pool_idle_timeout(Duration::from_secs(20))
            .build()
            .map_err(|_| HttpError::Settings)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(4)
            .thread_name(name)
            // Bodies pass here in the clear, and the thread may wait for the next exchange for long.
            .on_thread_park(worker::scrub)
            .on_thread_stop(worker::scrub)
            .enable_all()
            .build()
            .map_err(|_| HttpError::Settings)?;
        Ok(Self { base, client, worker: Arc::new(Worker(Some(runtime))), total_timeout: config.total_timeout, max_body: config.max_body })
    }

    /// The full URL of a path, for `htu` of a DPoP proof and the like.
    pub fn url(&self, path: &str) -> Result<String, HttpError> {
        self.join(path).map(String::from)
    }

    /// The base URL without its trailing slash.
    pub fn base_url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// GET, at most the client's cap.
    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Result<HttpResponse, HttpError> {
        self.get_capped(path, headers, self.max_body)
    }

    /// GET with a cap of its own in bytes (lists may be larger than ordinary answers).
    pub fn get_capped(&self, path: &str, headers: &[(&str, &str)], cap: usize) -> Result<HttpResponse, HttpError> {
        self.send(Method::GET, path, headers, None, cap)
    }

    /// POST of a JSON value.
    pub fn post_json(&self, path: &str, headers: &[(&str, &str)], body: &serde_json::Value) -> Result<HttpResponse, HttpError> {
        let body = serde_json::to_vec(body).map_err(|_| HttpError::Request)?;
        self.send(Method::POST, path, headers, Some(("application/json", body)), self.max_body)
    }

    /// POST of form fields (`application/x-www-form-urlencoded`).
    pub fn post_form(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Result<HttpResponse, HttpError> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes();
        self.send(Method::POST, path, headers, Some(("application/x-www-form-urlencoded", body)), self.max_body)
    }

    /// Paths stay under the base URL: no other host, no `..`.
    fn join(&self, path: &str) -> Result<Url, HttpError> {
        let relative = path.trim_start_matches('/');
        let sound = !relative.contains("..")
            && !relative.contains('\\')
            && !relative.contains("//")
            && !relative.split(['/', '?']).next().unwrap_or("").contains(':');
        if !sound {
            return Err(HttpError::Request);
        }
        let url = self.base.join(relative).map_err(|_| HttpError::Request)?;
        let same = url.scheme() == "https"
            && url.host_str() == self.base.host_str()
            && url.port() == self.base.port()
            && url.path().starts_with(self.base.path());
        if same { Ok(url) } else { Err(HttpError::Request) }
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<(&'static str, Vec<u8>)>,
        cap: usize,
    ) -> Result<HttpResponse, HttpError> {
        let url = self.join(path)?;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| HttpError::Request)?,
                HeaderValue::from_str(value).map_err(|_| HttpError::Request)?,
            );
        }
        let mut request = self.client.request(method, url);
        if let Some((kind, body)) = body {
            map.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            request = request.body(body);
        }
        let request = request.headers(map);
        let runtime = self.worker.0.as_ref().ok_or(HttpError::Settings)?;
        let (give, take) = sync_channel(1);
        let task = runtime.spawn(async move {
            let _ = give.send(exchange(request, cap).await);
        });
        // The client's own time-outs end the task first; this one is for a runtime that does not run.
        let result = cancel::receive(&take, self.total_timeout + Duration::from_secs(2));
        task.abort();
        result.map_err(|e| match e {
            Ended::Deadline => HttpError::Timeout,
            // Cancelled is a link that the app cut.
            Ended::Gone | Ended::Cancelled => HttpError::Dropped,
        })?
    }
}

fn tls(config: &HttpConfig) -> Result<rustls::ClientConfig, HttpError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(config.tls_root_der.clone())).map_err(|_| HttpError::Settings)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let time: Arc<dyn TimeProvider> = match &config.time {
        Some(time) => Arc::new(TlsTime(Arc::clone(time))),
        None => Arc::new(rustls::time_provider::DefaultTimeProvider),
    };
    let judge = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
    let judge = PinnedRoot(judge.map_err(|_| HttpError::Settings)?);
    Ok(rustls::ClientConfig::builder_with_details(provider, time)
        .with_safe_default_protocol_versions()
        .map_err(|_| HttpError::Settings)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(judge))
        .with_no_client_auth())
}

async fn exchange(request: reqwest::RequestBuilder, cap: usize) -> Result<HttpResponse, HttpError> {
    let mut response = request.send().await.map_err(|e| classify(&e))?;
    let status = response.status();
    if status.is_redirection() {
        return Err(HttpError::Redirect);
    }
    if response.content_length().is_some_and(|n| n > u64::try_from(cap).unwrap_or(u64::MAX)) {
        return Err(HttpError::TooLarge);
    }
    let headers =
        response.headers().iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))).collect();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| classify(&e))? {
        if body.len() + chunk.len() > cap {
            return Err(HttpError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse { status: status.as_u16(), headers, body })
}

/// What the TLS engine said, if it stands behind an error. I/O errors hide what they wrap from the chain of sources, so they are opened.
fn of_tls<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let wrapped = || error.downcast_ref::<std::io::Error>()?.get_ref();
    error.downcast_ref().or_else(|| of_tls(wrapped()?)).or_else(|| of_tls(error.source()?))
}

fn by_tls(error: &rustls::Error) -> HttpError {
    use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    match error {
        rustls::Error::InvalidCertificate(Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. }) => {
            HttpError::CertificateTime
        }
        // A clock before 1970.
        rustls::Error::FailedToGetCurrentTime => HttpError::CertificateTime,
        rustls::Error::InvalidCertificate(_) => HttpError::Tls,
        // A link that altered something, a portal that answers for everybody.
        _ => HttpError::Malformed,
    }
}

/// Which of our words fits the driver's error.
fn classify(error: &reqwest::Error) -> HttpError {
    if error.is_timeout() {
        return HttpError::Timeout;
    }
    if let Some(tls) = error.source().and_then(of_tls) {
        return by_tls(tls);
    }
    if error.is_connect() {
        HttpError::Unreachable
    } else if error.is_builder() {
        HttpError::Request
    } else if error.is_decode() {
        HttpError::Malformed
    } else {
        HttpError::Dropped
    }
}

#[cfg(test)]
mod tests;
