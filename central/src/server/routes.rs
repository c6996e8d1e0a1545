//! Routes: each reads its input with caps, calls the service on a blocking thread, and answers JSON.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequest, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Extension, Router};
use rusqlite::Connection;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wallet_base::time::Timestamp;

use super::answer::{ErrorCode, bytes_answer, json_answer};
use crate::error::ApiError;
use crate::limits::{self, Kind};
use crate::service::Service;
use crate::tokens::{Caller, TokenForm};
use crate::wallet_provider::C_NONCE;

/// Largest request body in bytes.
const MAX_BODY: usize = 256 * 1024;
/// Largest request body with a picture in bytes: a phone's photograph of 2 MiB in base64.
const MAX_PICTURE_BODY: usize = 3 * 1024 * 1024;

type Shared = State<Arc<Service>>;
type Answer = Response<Body>;

/// How long a body may take (see [`super::ServeOptions::read_limit`]).
#[derive(Clone, Copy)]
struct ReadLimit(Duration);

/// A body that came whole and in time.
struct Received(Bytes);

impl<S: Send + Sync> FromRequest<S> for Received {
    type Rejection = Answer;

    async fn from_request(request: Request, state: &S) -> Result<Self, Answer> {
        let ReadLimit(limit) = request.extensions().get().copied().unwrap_or(ReadLimit(super::READ_LIMIT));
        match tokio::time::timeout(limit, Bytes::from_request(request, state)).await {
            Ok(Ok(body)) => Ok(Self(body)),
            Ok(Err(rejection)) => Err(rejection.into_response()),
            Err(_) => {
                let mut response = ApiError::new(408, "invalid_request", "the body took too long").into_response();
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                Err(response)
            }
        }
    }
}

pub(super) fn router(service: Arc<Service>, read_limit: Duration) -> Router {
    Router::new()
        .route("/activation/open", post(|s: Shared, b: Received| public(s, b, Service::activation_open)))
        .route("/activation/chip", post(|s: Shared, b: Received| public(s, b, Service::activation_chip)))
        .route("/activation/code", post(|s: Shared, b: Received| public(s, b, Service::activation_code)))
        .route("/activation/code/verify", post(|s: Shared, b: Received| public(s, b, Service::activation_code_verify)))
        .route(
            "/activation/face",
            post(|s: Shared, b: Received| public(s, b, Service::activation_face)).layer(DefaultBodyLimit::max(MAX_PICTURE_BODY)),
        )
        .route("/activation/complete", post(|s: Shared, b: Received| public(s, b, Service::activation_complete)))
        .route("/activation/state", get(activation_state))
        .route("/.well-known/openid-credential-issuer", get(|State(s): Shared| async move { json_answer(200, &s.issuer_metadata()) }))
        .route("/.well-known/oauth-authorization-server", get(|State(s): Shared| async move { json_answer(200, &s.server_metadata()) }))
        .route("/token", post(token))
        .route("/nonce", post(|State(s): Shared| async move { json_answer(200, &json!({"c_nonce": s.nonce(C_NONCE)})) }))
        .route(
            "/wallet-provider/challenge",
            post(|s: Shared, h: HeaderMap| {
                protected(s, h, "POST", "/wallet-provider/challenge", None, |s, mut db, c, ()| s.provider_challenge(&mut db, c))
            }),
        )
        .route(
            "/wallet-provider/keys",
            post(|s: Shared, h: HeaderMap, b: Received| {
                protected(s, h, "POST", "/wallet-provider/keys", Some(b.0), |s, mut db, c, b| s.provider_keys(&mut db, c, &b))
            }),
        )
        .route(
            "/wallet-provider/attestation",
            post(|s: Shared, h: HeaderMap, b: Received| {
                protected(s, h, "POST", "/wallet-provider/attestation", Some(b.0), |s, db, c, b| s.provider_attestation(&db, c, &b))
            }),
        )
        .route(
            "/credential",
            post(|s: Shared, h: HeaderMap, b: Received| {
                protected(s, h, "POST", "/credential", Some(b.0), |s, db, c, b| {
                    // It asks the registry: the connection is for others meanwhile.
                    drop(db);
                    s.credential(c, &b)
                })
            }),
        )
        .route("/sync/changes", get(changes))
        .route("/status", get(status_lists))
        .route("/status/{document}/{week}", get(status_list))
        .route("/trust/{kind}/{file}", get(trust_file))
        .route("/staff/enrol", post(|s: Shared, b: Received| public(s, b, Service::staff_enrol)))
        .fallback(|| async { ApiError::new(404, "not_found", "no such resource").into_response() })
        .method_not_allowed_fallback(|| async { ApiError::new(405, "invalid_request", "another method is expected").into_response() })
        .layer(middleware::from_fn_with_state(service.clone(), finish))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(Extension(ReadLimit(read_limit)))
        .with_state(service)
}

/// After every request: `Date` by the service's clock, security headers, one line of log without anything from the request but its route.
async fn finish(State(service): Shared, request: Request, next: Next) -> Answer {
    let method = request.method().clone();
    let area = request.uri().path().split('/').nth(1).unwrap_or_default().to_owned();
    let limited = limited(request.uri().path()).map(|kind| (kind, client(&service, &request)));
    let mut response = match limited {
        Some((kind, address)) => match service.limits.check(kind, address, service.now()) {
            Ok(()) => {
                let response = next.run(request).await;
                if counts(kind, &response) {
                    service.limits.count(kind, address, service.now());
                }
                response
            }
            Err(refused) => refused.into_response(),
        },
        None => next.run(request).await,
    };
    if response.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        response = ApiError::new(413, "invalid_request", "the body is too large").into_response();
    }
    let headers = response.headers_mut();
    if let Ok(date) = HeaderValue::from_str(&http_date(service.now())) {
        headers.insert(header::DATE, date);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    log(&method, &area, response.status().as_u16());
    response
}

/// Which limit per address a path has.
fn limited(path: &str) -> Option<Kind> {
    match path {
        "/activation/open" => Some(Kind::Session),
        "/token" => Some(Kind::Token),
        "/staff/enrol" => Some(Kind::StaffCode),
        _ => None,
    }
}

/// Whether an answer counts against its address.
fn counts(kind: Kind, response: &Answer) -> bool {
    let code = response.extensions().get::<ErrorCode>().map(|code| code.0);
    match kind {
        Kind::Session => response.status().is_success(),
        // A nonce is asked for in the ordinary course of things; a service that fails is not the caller's fault.
        Kind::Token => matches!(code, Some("invalid_grant" | "invalid_dpop_proof")),
        Kind::StaffCode => code == Some("invalid_code"),
    }
}

/// The address that a request is counted for.
fn client(service: &Service, request: &Request) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    let config = &service.config.limits;
    // Several lines of one header are one list.
    let lines: Vec<&str> = request.headers().get_all(config.proxy_header.as_str()).iter().filter_map(|line| line.to_str().ok()).collect();
    limits::client(peer, Some(lines.join(",").as_str()), config)
}

fn log(method: &Method, area: &str, status: u16) {
    // An unknown path could hold anything; only the names of our own areas are written.
    const AREAS: [&str; 10] =
        ["activation", ".well-known", "token", "nonce", "wallet-provider", "credential", "sync", "status", "trust", "staff"];
    let area = AREAS.iter().find(|known| **known == area).copied().unwrap_or("other");
    tracing::info!(%method, area, status, "request");
}

/// IMF-fixdate (RFC 9110, 5.6.7).
fn http_date(at: Timestamp) -> String {
    let format = time::macros::format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    time::OffsetDateTime::from_unix_timestamp(at.unix()).ok().and_then(|time| time.format(format).ok()).unwrap_or_default()
}

/// Runs on a blocking thread; a panic there is an answer, not a dropped connection.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, ApiError> + Send + 'static) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(ApiError::server()))
}

fn parse<B: DeserializeOwned>(body: &[u8]) -> Result<B, ApiError> {
    serde_json::from_slice(body).map_err(|_| ApiError::invalid("the body is not the JSON that is expected"))
}

/// A call without a token.
async fn public<B: DeserializeOwned>(
    State(service): Shared,
    Received(body): Received,
    call: impl FnOnce(&Service, &B) -> Result<Value, ApiError> + Send + 'static,
) -> Answer {
    let result = blocking(move || call(&service, &parse(&body)?)).await;
    result.map_or_else(ApiError::into_response, |value| json_answer(200, &value))
}

/// A call with a DPoP-bound token. The body, where there is one, is read after the caller is known.
async fn protected<B: DeserializeOwned>(
    State(service): Shared,
    headers: HeaderMap,
    method: &'static str,
    path: &'static str,
    body: Option<Bytes>,
    call: impl FnOnce(&Service, MutexGuard<'_, Connection>, &Caller, B) -> Result<Value, ApiError> + Send + 'static,
) -> Answer {
    let nonce = service.nonce("dpop");
    let result = blocking(move || {
        let connection = service.db();
        let caller = service.authenticate(&connection, one(&headers, "authorization")?, one(&headers, "dpop")?, method, path)?;
        let body = parse(body.as_deref().unwrap_or(b"null"))?;
        call(&service, connection, &caller, body)
    })
    .await;
    with_nonce(result.map_or_else(ApiError::into_response, |value| json_answer(200, &value)), &nonce)
}

/// A header that may stand once (RFC 9449, 4.3: not more than one DPoP header).
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(ApiError::invalid("a header stands twice"));
    }
    first.map(|value| value.to_str().map_err(|_| ApiError::invalid("a header is not text"))).transpose()
}

fn with_nonce(mut response: Answer, nonce: &str) -> Answer {
    if let Ok(value) = HeaderValue::from_str(nonce) {
        response.headers_mut().insert(HeaderName::from_static("dpop-nonce"), value);
    }
    response
}

async fn token(State(service): Shared, headers: HeaderMap, Received(body): Received) -> Answer {
    let nonce = service.nonce("dpop");
    let result = blocking(move || {
        let form: TokenForm = form(&body)?;
        service.token(one(&headers, "dpop")?, &form)
    })
    .await;
    with_nonce(result.map_or_else(ApiError::into_response, |value| json_answer(200, &value)), &nonce)
}

/// `application/x-www-form-urlencoded` with each name at most once (RFC 6749, 3.2).
fn form(body: &[u8]) -> Result<TokenForm, ApiError> {
    let mut members = serde_json::Map::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        if members.insert(name.into_owned(), Value::String(value.into_owned())).is_some() {
            return Err(ApiError::invalid("a parameter stands twice"));
        }
    }
    serde_json::from_value(Value::Object(members)).map_err(|_| ApiError::invalid("grant_type is missing"))
}

#[derive(Deserialize)]
struct StateQuery {
    session: String,
}

async fn activation_state(State(service): Shared, query: Result<Query<StateQuery>, axum::extract::rejection::QueryRejection>) -> Answer {
    let Ok(Query(query)) = query else { return ApiError::invalid("no session").into_response() };
    let result = blocking(move || service.activation_state(&query.session)).await;
    result.map_or_else(ApiError::into_response, |value| json_answer(200, &value))
}

#[derive(Deserialize)]
struct CursorQuery {
    #[serde(default)]
    cursor: i64,
}

async fn changes(state: Shared, headers: HeaderMap, query: Result<Query<CursorQuery>, axum::extract::rejection::QueryRejection>) -> Answer {
    let Ok(Query(query)) = query else { return ApiError::invalid("the cursor is not a number").into_response() };
    protected(state, headers, "GET", "/sync/changes", None, move |_, db, c, ()| crate::sync::changes(&db, c, query.cursor)).await
}

async fn status_lists(State(service): Shared) -> Answer {
    let result = blocking(move || Ok(service.status_lists())).await;
    result.map_or_else(ApiError::into_response, |value| json_answer(200, &value))
}

async fn status_list(State(service): Shared, Path((document, week)): Path<(String, String)>) -> Answer {
    let result = blocking(move || service.status_list(&document, &week)).await;
    result.map_or_else(ApiError::into_response, |token| bytes_answer(wallet_credential::status::CONTENT_TYPE, token))
}

async fn trust_file(State(service): Shared, Path((kind, file)): Path<(String, String)>) -> Answer {
    let result = blocking(move || {
        service.publish_if_due();
        crate::trust::file(&service.dir, &kind, &file).ok_or(ApiError::new(404, "not_found", "no such file"))
    })
    .await;
    result.map_or_else(ApiError::into_response, |bytes| bytes_answer("application/json", bytes))
}
