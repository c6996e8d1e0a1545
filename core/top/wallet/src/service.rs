//! The central service as the wallet sees it: JSON over one pinned HTTPS host, DPoP-bound access tokens, server nonces.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use wallet_base::random::Random;
use wallet_base::time::{Date, Timestamp};
use wallet_platform::http::{Http, HttpResponse};
use wallet_platform::ports::KeyStore;

use crate::dpop::{AccountKey, ProofFor, proof};
use crate::error::WalletError;

/// Tokens of one grant (RFC 6749, 5.1; `token_type` is `DPoP`).
#[derive(Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
    /// Seconds from now.
    pub(crate) expires_in: i64,
}

/// What a grant is asked with.
pub(crate) enum Grant<'a> {
    /// OpenID4VCI 1.0, 6.1.
    PreAuthorized(&'a str),
    /// RFC 6749, 6.
    Refresh(&'a str),
}

/// Longest token taken.
const MAX_TOKEN: usize = 4096;
/// Longest access token life believed.
const MAX_LIFE: i64 = 24 * 3600;

/// The client. Keeps the latest DPoP nonce; nothing else.
pub(crate) struct Service {
    http: Http,
    base: String,
    nonce: Mutex<Option<String>>,
    time: Mutex<Option<Timestamp>>,
}

impl Service {
    pub(crate) fn new(http: Http) -> Self {
        Self { base: http.base_url().to_owned(), http, nonce: Mutex::new(None), time: Mutex::new(None) }
    }

    /// The HTTP client, for the trust updater.
    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    /// `https://host[:port]` without a slash at the end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Path of a URL of this service; `None` for any other origin. Absolute paths pass as they are.
    pub(crate) fn path_of<'u>(&self, url: &'u str) -> Option<&'u str> {
        if url.starts_with('/') && !url.starts_with("//") {
            return Some(url);
        }
        url.strip_prefix(self.base.as_str()).filter(|path| path.starts_with('/'))
    }

    /// GET of signed public bytes, at most `cap` of them.
    pub(crate) fn get_bytes(&self, path: &str, cap: usize) -> Result<Vec<u8>, WalletError> {
        let response = self.http.get_capped(path, &[], cap)?;
        if response.status == 200 { Ok(response.body) } else { Err(refusal(&response)) }
    }

    /// GET of public JSON.
    pub(crate) fn get_json(&self, path: &str) -> Result<Value, WalletError> {
        let response = self.http.get(path, &[])?;
        self.note_time(&response);
        json_of(&response)
    }

    /// POST of JSON without an access token.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, WalletError> {
        let response = self.http.post_json(path, &[], body)?;
        self.note_time(&response);
        json_of(&response)
    }

    /// The token endpoint (RFC 9449, 5): form body, DPoP proof without `ath`, one retry with the server's nonce.
    pub(crate) fn token(&self, signer: &Signer<'_>, path: &str, grant: &Grant<'_>) -> Result<Tokens, WalletError> {
        let form: Vec<(&str, &str)> = match grant {
            Grant::PreAuthorized(code) => {
                vec![("grant_type", "urn:ietf:params:oauth:grant-type:pre-authorized_code"), ("pre-authorized_code", code)]
            }
            Grant::Refresh(token) => vec![("grant_type", "refresh_token"), ("refresh_token", token)],
        };
        let response = self.with_proof(signer, "POST", path, None, |headers| Ok(self.http.post_form(path, headers, &form)?))?;
        let body = json_of(&response)?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|t| !t.is_empty() && t.len() <= MAX_TOKEN).map(str::to_owned);
        let is_dpop = body.get("token_type").and_then(Value::as_str).is_some_and(|t| t.eq_ignore_ascii_case("DPoP"));
        // A bearer token would be usable by whoever sees it: only a bound one is taken.
        let access = text("access_token").filter(|_| is_dpop).ok_or(WalletError::Answer("token response"))?;
        let expires_in = body.get("expires_in").and_then(Value::as_i64).unwrap_or(300).clamp(1, MAX_LIFE);
        Ok(Tokens { access, refresh: text("refresh_token"), expires_in })
    }

    /// A protected resource. `body` none means GET.
    pub(crate) fn protected(&self, signer: &Signer<'_>, access: &str, path: &str, body: Option<&Value>) -> Result<Value, WalletError> {
        let method = if body.is_some() { "POST" } else { "GET" };
        let authorization = format!("DPoP {access}");
        let response = self.with_proof(signer, method, path, Some(access), |headers| {
            let mut headers = headers.to_vec();
            headers.push(("Authorization", authorization.as_str()));
            Ok(match body {
                Some(body) => self.http.post_json(path, &headers, body)?,
                None => self.http.get(path, &headers)?,
            })
        })?;
        json_of(&response)
    }

    fn with_proof(
        &self,
        signer: &Signer<'_>,
        method: &str,
        path: &str,
        access_token: Option<&str>,
        send: impl Fn(&[(&str, &str)]) -> Result<HttpResponse, WalletError>,
    ) -> Result<HttpResponse, WalletError> {
        let url = format!("{}{path}", self.base);
        for attempt in 0..2 {
            let nonce = self.nonce();
            let bound = ProofFor { method, url: &url, access_token, nonce: nonce.as_deref() };
            let token = proof(signer.keys, signer.key, &bound, signer.now, signer.random)?;
            let response = send(&[("DPoP", token.as_str())])?;
            self.note_time(&response);
            // RFC 9449, 8.2: a new nonce may come with any answer, also with a good one.
            let fresh = response.header("DPoP-Nonce").filter(|n| !n.is_empty() && n.len() <= 512).map(str::to_owned);
            let has_fresh = fresh.is_some();
            if has_fresh {
                *self.nonce.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
            }
            if attempt == 0 && has_fresh && wants_nonce(&response) {
                continue;
            }
            return Ok(response);
        }
        Err(WalletError::Answer("DPoP nonce"))
    }

    /// The service's time, as of the latest answer, once.
    pub(crate) fn take_time(&self) -> Option<Timestamp> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note_time(&self, response: &HttpResponse) {
        if let Some(time) = response.header("Date").and_then(parse_http_date) {
            *self.time.lock().unwrap_or_else(PoisonError::into_inner) = Some(time);
        }
    }

    fn nonce(&self) -> Option<String> {
        self.nonce.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Who signs the proofs of one call.
pub(crate) struct Signer<'a> {
    pub(crate) keys: &'a dyn KeyStore,
    pub(crate) key: &'a AccountKey,
    pub(crate) now: Timestamp,
    pub(crate) random: &'a dyn Random,
}

/// The nonce is asked for in the JSON body (token endpoint) or in `WWW-Authenticate` (resource): RFC 9449, 8 and 9.
fn wants_nonce(response: &HttpResponse) -> bool {
    (response.status == 400 || response.status == 401)
        && (error_code(response) == "use_dpop_nonce" || response.header("WWW-Authenticate").is_some_and(|h| h.contains("use_dpop_nonce")))
}

fn json_of(response: &HttpResponse) -> Result<Value, WalletError> {
    if !(200..300).contains(&response.status) {
        return Err(refusal(response));
    }
    if response.body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(&response.body).map_err(|_| WalletError::Answer("JSON"))
}

fn refusal(response: &HttpResponse) -> WalletError {
    let mut code = error_code(response);
    if code.is_empty() && response.header("WWW-Authenticate").is_some_and(|h| h.contains("invalid_token")) {
        "invalid_token".clone_into(&mut code);
    }
    WalletError::Service { status: response.status, code }
}

/// The error code of a refusal, when it looks like one. Anything else a server says is dropped: it could echo personal data into a log.
fn error_code(response: &HttpResponse) -> String {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let code = body.get("error").and_then(Value::as_str).unwrap_or_default();
    let plain = code.len() <= 48 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'-');
    if plain { code.to_owned() } else { String::new() }
}

/// IMF-fixdate (RFC 9110, 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
fn parse_http_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = text.split(' ').collect();
    let [_, day, month, year, clock, "GMT"] = words.as_slice() else {
        return None;
    };
    let month = MONTHS.iter().zip(1_u8..).find(|(name, _)| *name == month)?.1;
    let date = Date::new(year.parse().ok()?, month, day.parse().ok()?)?;
    let parts: Vec<i64> = clock.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hour @ 0..=23, minute @ 0..=59, second @ 0..=60] = parts.as_slice() else {
        return None;
    };
    Some(Timestamp::from_date(date).plus_secs(hour * 3600 + minute * 60 + second))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_read_as_rfc_9110_writes_them() {
        // The example of RFC 9110, 5.6.7.
        assert_eq!(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap().to_rfc3339(), "1994-11-06T08:49:37Z");
        for bad in [
            "",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 31 Feb 2026 00:00:00 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
        ] {
            assert!(parse_http_date(bad).is_none(), "{bad}");
        }
    }
}
